import { expect, it } from 'vitest';
import { onEveryTarget, type Target } from '../../test/support/targets.ts';
import { VirtualClock } from '../engine/ports.ts';
import { RawString } from '../keyspace/values.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const SYNTAX = 'ERR syntax error';
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const MAX = '9223372036854775807';
const MIN = '-9223372036854775808';

const clock = new VirtualClock();

type Words = (string | number)[];

/** Keyspace events that commands announce, and what the log records of them. */
async function effectsOf(t: Target, ...commands: Words[]): Promise<{ events: string[]; log: string[][] }> {
  const events: string[] = [];
  const log: string[][] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { event, key } of changes) events.push(`${event} ${key}`);
  });
  t.engine.effects.onUnit = (ops) => log.push(...ops.map((op) => [...op.args]));
  for (const command of commands) await t.call(...command);
  t.engine.effects.onUnit = null;
  stop();
  return { events, log };
}

/** Does a command change the watched key `k`? */
async function dirties(t: Target, ...command: Words): Promise<boolean> {
  const other = await t.connect();
  await other.call('WATCH', 'k');
  await t.call(...command);
  return (await other.exec([['PING']])) === null;
}

/** Milliseconds that `k` has left; 0 without a deadline. */
function left(t: Target): number {
  const when = t.engine.space.dbs[0].deadline('k');
  return when === 0 ? 0 : when - clock.now();
}

onEveryTarget(
  'strings',
  (t) => {
    it('SET replaces any value and clears the time to live', async () => {
      await t.call('RPUSH', 'k', 'x');
      expect(await t.call('SET', 'k', 'v')).toBe('OK');
      expect(await t.call('GET', 'k')).toBe('v');
      await t.call('SET', 'k', 'v', 'EX', 10);
      await t.call('SET', 'k', 'w');
      expect(left(t)).toBe(0);
      expect(await t.call('GET', 'missing')).toBe(null);
    });

    it('keeps bytes as they are', async () => {
      const bytes = '\x00\xff\r\n\x80';
      await t.call('SET', bytes, bytes);
      expect(await t.call('GET', bytes)).toBe(bytes);
      expect(await t.call('STRLEN', bytes)).toBe(5);
    });

    it('SET NX and XX set or answer null', async () => {
      expect(await t.call('SET', 'k', '1', 'XX')).toBe(null);
      expect(await t.call('EXISTS', 'k')).toBe(0);
      expect(await t.call('SET', 'k', '1', 'nx')).toBe('OK');
      expect(await t.call('SET', 'k', '2', 'NX', 'NX')).toBe(null);
      expect(await t.call('SET', 'k', '3', 'xx')).toBe('OK');
      expect(await t.call('GET', 'k')).toBe('3');
    });

    it('SET GET answers the old value, set or not', async () => {
      expect(await t.call('SET', 'k', '1', 'GET')).toBe(null);
      expect(await t.call('SET', 'k', '2', 'GET', 'NX')).toBe('1');
      expect(await t.call('SET', 'k', '3', 'XX', 'GET', 'GET')).toBe('1');
      expect(await t.call('GET', 'k')).toBe('3');
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('SET', 'l', 'v', 'GET')).toBe(WRONGTYPE);
      expect(await t.call('LLEN', 'l')).toBe(1);
    });

    it('SET takes times in four ways, and KEEPTTL', async () => {
      await t.call('SET', 'k', 'v', 'EX', 10);
      expect(left(t)).toBe(10_000);
      await t.call('SET', 'k', 'w', 'KEEPTTL');
      expect(left(t)).toBe(10_000);
      await t.call('SET', 'k', 'v', 'PX', 10);
      expect(left(t)).toBe(10);
      await t.call('SET', 'k', 'v', 'exat', Math.floor(clock.now() / 1000) + 5);
      expect(left(t)).toBe(5000 - (clock.now() % 1000));
      await t.call('SET', 'k', 'v', 'PXAT', clock.now() + 7);
      expect(left(t)).toBe(7);
      // The same option again: the last counts.
      await t.call('SET', 'k', 'v', 'PX', 5, 'PX', 8);
      expect(left(t)).toBe(8);
    });

    it('a key lives to the last millisecond of its time, and no longer', async () => {
      await t.call('SET', 'k', 'v', 'PX', 10);
      clock.advance(10);
      expect(await t.call('GET', 'k')).toBe('v');
      clock.advance(1);
      expect(await t.call('GET', 'k')).toBe(null);
      expect(await t.call('SET', 'k', 'v', 'PXAT', 1)).toBe('OK');
      expect(await t.call('GET', 'k')).toBe(null);
    });

    it('SET refuses options that exclude each other, are unknown or lack their value', async () => {
      for (const options of [
        ['NX', 'XX'],
        ['EX', 1, 'PX', 1],
        ['EX', 1, 'KEEPTTL'],
        ['KEEPTTL', 'EXAT', 1],
        ['PERSIST'],
        ['EX'],
        ['PXAT'],
        ['GETX'],
        [''],
      ]) {
        expect(await t.fails('SET', 'k', 'v', ...options)).toBe(SYNTAX);
      }
      expect(await t.call('EXISTS', 'k')).toBe(0);
    });

    it('SET refuses times that are no integer, not above zero or beyond 64 bits of milliseconds', async () => {
      const invalid = "ERR invalid expire time in 'set' command";
      expect(await t.fails('SET', 'k', 'v', 'EX', 'x')).toBe(NOT_INTEGER);
      expect(await t.fails('SET', 'k', 'v', 'EX', '9223372036854775808')).toBe(NOT_INTEGER);
      expect(await t.fails('SET', 'k', 'v', 'EX', 0)).toBe(invalid);
      expect(await t.fails('SET', 'k', 'v', 'PXAT', -1)).toBe(invalid);
      expect(await t.fails('SET', 'k', 'v', 'EX', '9223372036854776')).toBe(invalid);
      expect(await t.fails('SET', 'k', 'v', 'PX', MAX)).toBe(invalid);
      expect(await t.fails('SETEX', 'k', 0, 'v')).toBe("ERR invalid expire time in 'setex' command");
      expect(await t.fails('PSETEX', 'k', -5, 'v')).toBe("ERR invalid expire time in 'psetex' command");
      expect(await t.call('EXISTS', 'k')).toBe(0);
      // The time is looked at before the type, and both before anything is set.
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('SET', 'l', 'v', 'GET', 'EX', 0)).toBe(invalid);
      expect(await t.call('SET', 'k', 'v', 'PXAT', MAX)).toBe('OK');
    });

    it('SETNX, SETEX, PSETEX, GETSET', async () => {
      expect(await t.call('SETNX', 'k', '1')).toBe(1);
      expect(await t.call('SETNX', 'k', '2')).toBe(0);
      expect(await t.call('SETEX', 'k', 3, 'v')).toBe('OK');
      expect(left(t)).toBe(3000);
      expect(await t.call('PSETEX', 'k', 3, 'w')).toBe('OK');
      expect(left(t)).toBe(3);
      expect(await t.call('GETSET', 'k', 'x')).toBe('w');
      expect(left(t)).toBe(0);
      expect(await t.call('GETSET', 'fresh', 'x')).toBe(null);
      await t.call('RPUSH', 'l', 'x');
      expect(await t.call('SETNX', 'l', 'x')).toBe(0);
      expect(await t.fails('GETSET', 'l', 'x')).toBe(WRONGTYPE);
    });

    it('GETDEL and GETEX', async () => {
      await t.call('SET', 'k', 'v');
      expect(await t.call('GETEX', 'k')).toBe('v');
      expect(left(t)).toBe(0);
      expect(await t.call('GETEX', 'k', 'PX', 50)).toBe('v');
      expect(left(t)).toBe(50);
      expect(await t.call('GETEX', 'k', 'PERSIST')).toBe('v');
      expect(left(t)).toBe(0);
      expect(await t.call('GETEX', 'k', 'PXAT', clock.now() + 1)).toBe('v');
      expect(await t.call('GETEX', 'k', 'PXAT', clock.now())).toBe('v');
      expect(await t.call('EXISTS', 'k')).toBe(0);
      await t.call('SET', 'k', 'w');
      expect(await t.call('GETDEL', 'k')).toBe('w');
      expect(await t.call('GETDEL', 'k')).toBe(null);
    });

    it('GETEX: its errors, and their order', async () => {
      for (const options of [['KEEPTTL'], ['NX'], ['EX', 1, 'PERSIST'], ['EX']]) {
        expect(await t.fails('GETEX', 'k', ...options)).toBe(SYNTAX);
      }
      // A missing key is found out before the time is read.
      expect(await t.call('GETEX', 'k', 'EX', 'x')).toBe(null);
      await t.call('SET', 'k', 'v');
      expect(await t.fails('GETEX', 'k', 'EX', 'x')).toBe(NOT_INTEGER);
      expect(await t.fails('GETEX', 'k', 'EX', 0)).toBe("ERR invalid expire time in 'getex' command");
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('GETEX', 'l', 'EX', 'x')).toBe(WRONGTYPE);
      expect(await t.fails('GETDEL', 'l')).toBe(WRONGTYPE);
      expect(await t.call('LLEN', 'l')).toBe(1);
    });

    it('MGET, MSET, MSETNX', async () => {
      expect(await t.call('MSET', 'a', '1', 'b', '2', 'a', '3')).toBe('OK');
      await t.call('RPUSH', 'l', 'x');
      await t.call('INCR', 'n');
      await t.call('APPEND', 'a', 'x');
      expect(await t.call('MGET', 'a', 'l', 'missing', 'b', 'n')).toEqual(['3x', null, null, '2', '1']);
      expect(await t.call('MSETNX', 'c', '1', 'a', '2')).toBe(0);
      expect(await t.call('EXISTS', 'c')).toBe(0);
      expect(await t.call('MSETNX', 'c', '1', 'c', '2')).toBe(1);
      expect(await t.call('GET', 'c')).toBe('2');
      expect(await t.fails('MSET', 'a', '1', 'b')).toBe("ERR wrong number of arguments for 'mset' command");
      expect(await t.fails('MSETNX', 'a', '1', 'b')).toBe(
        "ERR wrong number of arguments for 'msetnx' command",
      );
    });

    it('counters stay within 64 bits, exactly', async () => {
      expect(await t.call('INCR', 'k')).toBe(1);
      expect(await t.call('DECRBY', 'k', 3)).toBe(-2);
      expect(await t.call('DECR', 'k')).toBe(-3);
      await t.call('SET', 'k', '9007199254740991');
      expect(await t.call('INCRBY', 'k', 2)).toBe(9007199254740993n);
      expect(await t.call('GET', 'k')).toBe('9007199254740993');
      expect(await t.call('DECRBY', 'k', 3)).toBe(9007199254740990);
      await t.call('SET', 'k', MAX);
      expect(await t.fails('INCR', 'k')).toBe('ERR increment or decrement would overflow');
      expect(await t.call('INCRBY', 'k', MIN)).toBe(-1);
      expect(await t.fails('INCRBY', 'k', MIN)).toBe('ERR increment or decrement would overflow');
      expect(await t.fails('DECRBY', 'k', MIN)).toBe('ERR decrement would overflow');
      expect(await t.call('GET', 'k')).toBe('-1');
      expect(await t.call('STRLEN', 'k')).toBe(2);
    });

    it('counters read canonical integers only', async () => {
      for (const text of ['', ' 1', '1 ', '+1', '01', '-0', '1.0', 'x', '9223372036854775808']) {
        await t.call('SET', 'k', text);
        expect(await t.fails('INCR', 'k')).toBe(NOT_INTEGER);
        expect(await t.fails('INCRBY', 'n', text)).toBe(NOT_INTEGER);
      }
      expect(await t.call('EXISTS', 'n')).toBe(0);
      await t.call('SET', 'k', '1', 'EX', 9);
      await t.call('INCR', 'k');
      expect(left(t)).toBe(9000);
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('INCR', 'l')).toBe(WRONGTYPE);
    });

    it('INCRBYFLOAT adds as a C long double', async () => {
      expect(await t.call('INCRBYFLOAT', 'k', '0.1')).toBe('0.1');
      expect(await t.call('INCRBYFLOAT', 'k', '0.2')).toBe('0.3');
      expect(await t.call('INCRBYFLOAT', 'k', '-5e3')).toBe('-4999.70000000000000018');
      expect(await t.call('INCRBYFLOAT', 'k', '1.7')).toBe('-4998');
      await t.call('SET', 'k', '100000.1');
      expect(await t.call('INCRBYFLOAT', 'k', '0.1')).toBe('100000.20000000000000284');
      await t.call('INCR', 'n');
      expect(await t.call('INCRBYFLOAT', 'n', '1e17')).toBe('100000000000000001');
      expect(await t.fails('INCRBYFLOAT', 'k', 'x')).toBe('ERR value is not a valid float');
      expect(await t.fails('INCRBYFLOAT', 'k', 'inf')).toBe('ERR increment would produce NaN or Infinity');
      await t.call('SET', 'k', 'x');
      expect(await t.fails('INCRBYFLOAT', 'k', '1')).toBe('ERR value is not a valid float');
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('INCRBYFLOAT', 'l', 'x')).toBe(WRONGTYPE);
    });

    it('APPEND and STRLEN', async () => {
      expect(await t.call('STRLEN', 'k')).toBe(0);
      expect(await t.call('APPEND', 'k', 'ab')).toBe(2);
      expect(await t.call('APPEND', 'k', 'cd')).toBe(4);
      expect(await t.call('APPEND', 'k', '')).toBe(4);
      expect(await t.call('GET', 'k')).toBe('abcd');
      await t.call('INCR', 'n');
      expect(await t.call('APPEND', 'n', '0')).toBe(2);
      expect(await t.call('INCR', 'n')).toBe(11);
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('APPEND', 'l', 'x')).toBe(WRONGTYPE);
      expect(await t.fails('STRLEN', 'l')).toBe(WRONGTYPE);
    });

    it('SETRANGE pads with zeros and ignores an empty part', async () => {
      expect(await t.call('SETRANGE', 'k', 3, '')).toBe(0);
      expect(await t.call('EXISTS', 'k')).toBe(0);
      expect(await t.call('SETRANGE', 'k', 3, 'ab')).toBe(5);
      expect(await t.call('GET', 'k')).toBe('\0\0\0ab');
      expect(await t.call('SETRANGE', 'k', 1, 'x')).toBe(5);
      expect(await t.call('GET', 'k')).toBe('\0x\0ab');
      expect(await t.call('SETRANGE', 'k', 100, '')).toBe(5);
      expect(await t.fails('SETRANGE', 'k', -1, 'x')).toBe('ERR offset is out of range');
      expect(await t.fails('SETRANGE', 'k', 'x', 'x')).toBe(NOT_INTEGER);
      const tooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
      expect(await t.fails('SETRANGE', 'k', 536870912, 'x')).toBe(tooLong);
      expect(await t.fails('SETRANGE', 'k', MAX, 'x')).toBe(tooLong);
      await t.call('RPUSH', 'l', 'x');
      expect(await t.fails('SETRANGE', 'l', 0, '')).toBe(WRONGTYPE);
    });

    it('GETRANGE and SUBSTR', async () => {
      await t.call('SET', 'k', 'hello world');
      for (const [start, end, part] of [
        [0, 4, 'hello'],
        [-5, -1, 'world'],
        [6, 100, 'world'],
        [0, -100, 'h'],
        [-100, 0, 'h'],
        [-1, -5, ''],
        [4, 3, ''],
        [11, 20, ''],
        [MIN, MAX, 'hello world'],
        ['-9223372036854775807', MIN, ''],
      ] as const) {
        await t.call('SET', 'k', 'hello world');
        expect(await t.call('GETRANGE', 'k', start, end)).toBe(part);
        // A string that was changed in place is cut in another way.
        await t.call('SETRANGE', 'k', 0, 'h');
        expect(await t.call('SUBSTR', 'k', start, end)).toBe(part);
      }
      await t.call('INCRBY', 'n', 12345);
      expect(await t.call('GETRANGE', 'n', 1, -2)).toBe('234');
      expect(await t.call('GETRANGE', 'missing', 0, 1)).toBe('');
      expect(await t.fails('GETRANGE', 'missing', 0, 'x')).toBe(NOT_INTEGER);
      await t.call('SET', 'k', '');
      expect(await t.call('GETRANGE', 'k', 0, -1)).toBe('');
    });

    it('announces what it did, and logs effects with absolute times', async () => {
      await t.call('SET', 'n', 1);
      const at = (ms: number) => String(clock.now() + ms);
      const { events, log } = await effectsOf(
        t,
        ['SET', 'k', 'v', 'EX', 10],
        ['set', 'k', 'w', 'get', 'XX'],
        ['GETEX', 'k', 'PX', 5],
        ['GETEX', 'k', 'PERSIST'],
        ['SETEX', 'k', 1, 'v'],
        ['GETSET', 'k', 'v'],
        ['MSET', 'a', '1', 'b', '2'],
        ['DECR', 'n'],
        ['INCRBYFLOAT', 'n', '0.5'],
        ['APPEND', 'n', '1'],
        ['SETRANGE', 'n', 0, '9'],
        ['GETDEL', 'n'],
        ['GETEX', 'k', 'PXAT', 1],
      );
      expect(events).toEqual([
        ...['set k', 'expire k', 'set k', 'expire k', 'persist k', 'set k', 'expire k', 'set k'],
        ...['set a', 'set b', 'incrby n', 'incrbyfloat n', 'append n', 'setrange n', 'del n', 'del k'],
      ]);
      expect(log).toEqual([
        ['SET', 'k', 'v', 'PXAT', at(10_000)],
        ['set', 'k', 'w', 'XX'],
        ['PEXPIREAT', 'k', at(5)],
        ['PERSIST', 'k'],
        ['SET', 'k', 'v', 'PXAT', at(1000)],
        ['SET', 'k', 'v'],
        ['MSET', 'a', '1', 'b', '2'],
        ['DECR', 'n'],
        ['SET', 'n', '0.5', 'KEEPTTL'],
        ['APPEND', 'n', '1'],
        ['SETRANGE', 'n', '0', '9'],
        ['DEL', 'n'],
        ['DEL', 'k'],
      ]);
    });

    it('what changes nothing has no effect', async () => {
      await t.call('SET', 'k', 'v');
      const { events, log } = await effectsOf(
        t,
        ['SET', 'k', 'w', 'NX'],
        ['SET', 'missing', 'w', 'XX', 'GET'],
        ['SETNX', 'k', 'w'],
        ['MSETNX', 'missing', '1', 'k', '2'],
        ['SETRANGE', 'k', 9, ''],
        ['GETEX', 'k'],
        ['GETEX', 'k', 'PERSIST'],
        ['GETDEL', 'missing'],
      );
      expect({ events, log }).toEqual({ events: [], log: [] });
    });

    it('WATCH sees writes, the same value again too, and no others', async () => {
      await t.call('SET', 'k', '1');
      expect(await dirties(t, 'SET', 'k', '1')).toBe(true);
      expect(await dirties(t, 'INCRBY', 'k', 0)).toBe(true);
      expect(await dirties(t, 'APPEND', 'k', '')).toBe(true);
      expect(await dirties(t, 'GETEX', 'k', 'EX', 10)).toBe(true);
      expect(await dirties(t, 'GETEX', 'k')).toBe(false);
      expect(await dirties(t, 'SETNX', 'k', '2')).toBe(false);
      expect(await dirties(t, 'SETRANGE', 'k', 0, '')).toBe(false);
      expect(await dirties(t, 'GETDEL', 'k')).toBe(true);
    });

    it('changes in place leave a raw string, counters a number', async () => {
      const peek = (key: string) => t.engine.space.dbs[0].peek(key);
      await t.call('APPEND', 'k', '5');
      expect(peek('k')).toBe('5');
      await t.call('APPEND', 'k', '6');
      expect(peek('k')).toBeInstanceOf(RawString);
      await t.call('INCR', 'k');
      expect(peek('k')).toBe(57);
      await t.call('SETRANGE', 'fresh', 0, '1');
      expect(peek('fresh')).toBeInstanceOf(RawString);
    });

    it('SET counts as an access', async () => {
      await t.call('SET', 'k', '1');
      clock.advance(50_000);
      expect(await t.call('OBJECT', 'IDLETIME', 'k')).toBe(50);
      await t.call('SET', 'k', '2');
      expect(await t.call('OBJECT', 'IDLETIME', 'k')).toBe(0);
    });

    it('a snapshot keeps its value while the key is appended to', async () => {
      const { space } = t.engine;
      await t.call('APPEND', 'k', 'a');
      await t.call('APPEND', 'k', 'b');
      const before = space.freeze();
      await t.call('APPEND', 'k', 'c');
      await t.call('SETRANGE', 'k', 0, 'X');
      expect(await t.call('GET', 'k')).toBe('Xbc');
      space.thaw(before);
      expect(await t.call('GET', 'k')).toBe('ab');
    });
  },
  { clock },
);

onEveryTarget(
  'strings under a low proto-max-bulk-len',
  (t) => {
    it('refuses to build a longer string', async () => {
      const tooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
      await t.call('CONFIG', 'SET', 'proto-max-bulk-len', 1024 * 1024);
      await t.call('SETRANGE', 'k', 1024 * 1024 - 2, 'x');
      expect(await t.call('APPEND', 'k', 'y')).toBe(1024 * 1024);
      expect(await t.fails('APPEND', 'k', 'z')).toBe(tooLong);
      expect(await t.fails('SETRANGE', 'k', 1024 * 1024, 'z')).toBe(tooLong);
      expect(await t.fails('SETBIT', 'k', 8 * 1024 * 1024, '1')).toBe(
        'ERR bit offset is not an integer or out of range',
      );
      expect(await t.call('STRLEN', 'k')).toBe(1024 * 1024);
      // 513 × 513 cells of four bytes are one byte row too many.
      await t.call('SET', 'a', 'a'.repeat(511));
      await t.call('SET', 'b', 'b'.repeat(512));
      expect(await t.call('LCS', 'a', 'a')).toBe('a'.repeat(511));
      expect(await t.fails('LCS', 'a', 'b')).toBe(
        'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len',
      );
    });
  },
  { clock },
);
