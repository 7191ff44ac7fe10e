import { expect, it } from 'vitest';
import { onEveryTarget, type Plain, type Target } from '../../test/support/targets.ts';
import type { Collection } from '../keyspace/values.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

function encodingOf(t: Target, key: string): string {
  return (t.engine.space.dbs[0].peek(key) as Collection).encoding();
}

function exists(t: Target, key: string): boolean {
  return t.engine.space.dbs[0].exists(key);
}

/** Events of the changes that `work` makes. */
async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { event, key } of changes) events.push(`${event} ${key}`);
  });
  await work();
  stop();
  return events;
}

/** What the log records while `work` runs. */
async function loggedBy(t: Target, work: () => Promise<unknown>): Promise<string[][]> {
  const logged: string[][] = [];
  t.engine.effects.onUnit = (ops) => logged.push(...ops.map((op) => [...op.args]));
  await work();
  t.engine.effects.onUnit = null;
  return logged;
}

/** Does a command change the watched key `s`? */
async function dirties(t: Target, ...command: string[]): Promise<boolean> {
  const other = await t.connect();
  await other.call('WATCH', 's');
  await t.call(...command);
  return (await other.exec([['PING']])) === null;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m${i}`);
}

function sorted(reply: Plain): Plain {
  return [...(reply as string[])].sort();
}

onEveryTarget('sets', (t) => {
  it('adds, asks, counts and removes', async () => {
    expect(await t.call('SADD', 's', 'a', 'b', 'a')).toBe(2);
    expect(await t.call('SADD', 's', 'b', 'c\0\xff')).toBe(1);
    expect(await t.call('SCARD', 's')).toBe(3);
    expect([await t.call('SISMEMBER', 's', 'a'), await t.call('SISMEMBER', 's', 'z')]).toEqual([1, 0]);
    expect(await t.call('SMISMEMBER', 's', 'z', 'c\0\xff', 'a')).toEqual([0, 1, 1]);
    expect(await t.call('SMEMBERS', 's')).toEqual(['a', 'b', 'c\0\xff']);
    expect(await t.call('SREM', 's', 'a', 'z', 'a')).toBe(1);
    expect(await t.call('SREM', 's', 'b', 'c\0\xff')).toBe(2);
    expect(exists(t, 's')).toBe(false);
  });

  it('a missing set is an empty one', async () => {
    expect(await t.call('SCARD', 's')).toBe(0);
    expect(await t.call('SMEMBERS', 's')).toEqual([]);
    expect(await t.call('SMISMEMBER', 's', 'a', 'b')).toEqual([0, 0]);
    expect(await t.call('SREM', 's', 'a')).toBe(0);
    expect(await t.call('SPOP', 's')).toBe(null);
    expect(await t.call('SPOP', 's', '2')).toEqual([]);
    expect(await t.call('SRANDMEMBER', 's')).toBe(null);
    expect(await t.call('SRANDMEMBER', 's', '2')).toEqual([]);
    expect(await t.call('SSCAN', 's', '0', 'nonsense')).toEqual(['0', []]);
    expect(exists(t, 's')).toBe(false);
  });

  it('answers sets in RESP3 where Redis does', async () => {
    await t.call('SADD', 's', 'a', 'b');
    const set = t.protocol === 3 ? 'set' : 'array';
    for (const command of ['SMEMBERS s', 'SINTER s s', 'SUNION s', 'SDIFF s', 'SINTER s none', 'SPOP s 0']) {
      expect((await t.rich(...command.split(' '))).type).toBe(set);
    }
    expect((await t.rich('SRANDMEMBER', 's', '2')).type).toBe('array');
    expect((await t.rich('SPOP', 's', '1')).type).toBe(set);
    expect((await t.rich('SPOP', 's', '1')).type).toBe(set);
  });

  it('refuses other types', async () => {
    await t.call('SET', 'str', 'x');
    await t.call('SADD', 's', 'a');
    const commands = [
      'SADD str a',
      'SREM str a',
      'SISMEMBER str a',
      'SMISMEMBER str a',
      'SCARD str',
      'SMEMBERS str',
    ];
    commands.push('SPOP str', 'SPOP str 1', 'SRANDMEMBER str', 'SRANDMEMBER str 1', 'SSCAN str 0 nonsense');
    commands.push('SMOVE str s a', 'SMOVE s str a', 'SINTER none str', 'SUNION s str', 'SDIFF none str');
    commands.push('SINTERSTORE s none str', 'SUNIONSTORE s str', 'SDIFFSTORE s str', 'SINTERCARD 2 s str');
    for (const command of commands) expect(await t.fails(...command.split(' '))).toBe(WRONGTYPE);
    expect(await t.call('SMEMBERS', 's')).toEqual(['a']);
  });

  it('integers are an intset in numeric order, exact over all 64 bits', async () => {
    await t.call('SADD', 's', '9007199254740993', '-5', '9007199254740992', '10', '9', '9223372036854775807');
    await t.call('SADD', 's', '-9223372036854775808');
    expect(encodingOf(t, 's')).toBe('intset');
    expect(await t.call('SMEMBERS', 's')).toEqual([
      '-9223372036854775808',
      '-5',
      '9',
      '10',
      '9007199254740992',
      '9007199254740993',
      '9223372036854775807',
    ]);
    expect(await t.call('SADD', 's', '9007199254740993')).toBe(0);
    expect(await t.call('SMISMEMBER', 's', '9007199254740993', '9007199254740994', '010', '+9', '')).toEqual([
      1, 0, 0, 0, 0,
    ]);
    expect(await t.call('SREM', 's', '10', '010', 'x')).toBe(1);
    expect(await t.call('SCARD', 's')).toBe(6);
  });

  it('what only looks like an integer is a string', async () => {
    await t.call('SADD', 's', '1', '01', '9223372036854775808');
    expect(encodingOf(t, 's')).toBe('listpack');
    expect(await t.call('SMEMBERS', 's')).toEqual(['1', '01', '9223372036854775808']);
  });

  it('goes from intset to listpack to hashtable, and never back', async () => {
    await t.call('SADD', 's', '3', '1', '2');
    await t.call('SADD', 's', 'b', '0', 'a');
    expect(encodingOf(t, 's')).toBe('listpack');
    expect(await t.call('SMEMBERS', 's')).toEqual(['1', '2', '3', 'b', '0', 'a']);
    await t.call('SREM', 's', '2');
    expect(await t.call('SMEMBERS', 's')).toEqual(['1', '3', 'b', '0', 'a']);
    await t.call('SADD', 's', 'x'.repeat(64));
    expect(encodingOf(t, 's')).toBe('listpack');
    await t.call('SADD', 's', 'x'.repeat(65));
    expect(encodingOf(t, 's')).toBe('hashtable');
    await t.call('SREM', 's', 'x'.repeat(65));
    expect(encodingOf(t, 's')).toBe('hashtable');
  });

  it('converts at the limits of entries', async () => {
    for (const n of numbers(0, 512)) await t.call('SADD', 'ints', n);
    expect(encodingOf(t, 'ints')).toBe('intset');
    await t.call('SADD', 'ints', '512');
    expect(encodingOf(t, 'ints')).toBe('hashtable');
    for (const name of names(128)) await t.call('SADD', 'names', name);
    expect(encodingOf(t, 'names')).toBe('listpack');
    await t.call('SADD', 'names', 'm0');
    expect(encodingOf(t, 'names')).toBe('listpack');
    await t.call('SADD', 'names', 'one more');
    expect(encodingOf(t, 'names')).toBe('hashtable');
    // An intset too long for a listpack goes to a hash table at once.
    await t.call('SADD', 'mixed', ...numbers(0, 128));
    await t.call('SADD', 'mixed', 'x');
    expect(encodingOf(t, 'mixed')).toBe('hashtable');
    await t.call('SADD', 'mixed2', ...numbers(0, 127));
    await t.call('SADD', 'mixed2', 'x');
    expect(encodingOf(t, 'mixed2')).toBe('listpack');
  });

  it('chooses the form by how many members one command adds', async () => {
    await t.call('SADD', 'a', ...Array.from({ length: 129 }, () => 'same'));
    expect(encodingOf(t, 'a')).toBe('hashtable');
    await t.call('SADD', 'b', ...Array.from({ length: 513 }, () => '1'));
    expect(encodingOf(t, 'b')).toBe('hashtable');
    await t.call('SADD', 'c', ...numbers(0, 512));
    expect(encodingOf(t, 'c')).toBe('intset');
    await t.call('SADD', 'd', 'x');
    await t.call('SADD', 'd', ...Array.from({ length: 129 }, () => 'same'));
    expect(encodingOf(t, 'd')).toBe('hashtable');
  });

  it('SMOVE moves, and drops an emptied source', async () => {
    await t.call('SADD', 's', 'a', 'b');
    await t.call('SADD', 'd', 'b');
    expect(await t.call('SMOVE', 's', 'd', 'z')).toBe(0);
    expect(await t.call('SMOVE', 'none', 'd', 'a')).toBe(0);
    expect(await t.call('SMOVE', 's', 's', 'a')).toBe(1);
    expect(await t.call('SMOVE', 's', 's', 'z')).toBe(0);
    const events = await eventsOf(t, async () => {
      expect(await t.call('SMOVE', 's', 'd', 'b')).toBe(1);
      expect(await t.call('SMOVE', 's', 'e', 'a')).toBe(1);
    });
    expect(events).toEqual(['srem s', 'srem s', 'del s', 'sadd e']);
    expect(await t.call('SMEMBERS', 'd')).toEqual(['b']);
    expect(await t.call('SMEMBERS', 'e')).toEqual(['a']);
  });

  it('announces changes, and only changes', async () => {
    const events = await eventsOf(t, async () => {
      await t.call('SADD', 's', 'a', 'b');
      await t.call('SADD', 's', 'a');
      await t.call('SREM', 's', 'z');
      await t.call('SREM', 's', 'a');
      await t.call('SPOP', 's', '0');
      await t.call('SPOP', 's');
      await t.call('SADD', 's', 'a', 'b', 'c');
      await t.call('SPOP', 's', '1');
      await t.call('SPOP', 's', '9');
      await t.call('SUNIONSTORE', 'd', 's');
    });
    expect(events).toEqual(['sadd s', 'srem s', 'spop s', 'del s', 'sadd s', 'spop s', 'spop s', 'del s']);
  });

  it('dirties WATCH by changes only', async () => {
    await t.call('SADD', 's', 'a', 'b');
    expect(await dirties(t, 'SADD', 's', 'a')).toBe(false);
    expect(await dirties(t, 'SREM', 's', 'z')).toBe(false);
    expect(await dirties(t, 'SPOP', 's', '0')).toBe(false);
    expect(await dirties(t, 'SRANDMEMBER', 's')).toBe(false);
    expect(await dirties(t, 'SINTERSTORE', 'other', 's')).toBe(false);
    expect(await dirties(t, 'SUNIONSTORE', 's', 's')).toBe(true);
    expect(await dirties(t, 'SPOP', 's')).toBe(true);
    expect(await dirties(t, 'SINTERSTORE', 's', 'none')).toBe(true);
    expect(await dirties(t, 'SINTERSTORE', 's', 'none')).toBe(false);
  });

  it('SPOP takes random members out', async () => {
    for (const members of [numbers(0, 100), names(100), names(300)]) {
      await t.call('SADD', 's', ...members);
      const taken: string[] = [(await t.call('SPOP', 's')) as string];
      for (const count of ['5', '90', '1000']) {
        const left = (await t.call('SCARD', 's')) as number;
        const popped = (await t.call('SPOP', 's', count)) as string[];
        expect(popped).toHaveLength(Math.min(left, Number(count)));
        expect(await t.call('SCARD', 's')).toBe(left - popped.length);
        taken.push(...popped);
      }
      expect(taken.sort()).toEqual([...members].sort());
      expect(exists(t, 's')).toBe(false);
    }
  });

  it('SPOP of nearly all leaves a small encoding, and the deadline', async () => {
    await t.call('SADD', 's', ...names(300));
    t.engine.space.dbs[0].setDeadline('s', t.engine.space.now() + 1e6);
    const when = t.engine.space.dbs[0].deadline('s');
    expect(await t.call('SPOP', 's', '290')).toHaveLength(290);
    expect(encodingOf(t, 's')).toBe('listpack');
    expect(t.engine.space.dbs[0].deadline('s')).toBe(when);
  });

  it('SPOP refuses odd counts', async () => {
    await t.call('SADD', 's', 'a');
    expect(await t.fails('SPOP', 's', '-1')).toBe('ERR value is out of range, must be positive');
    expect(await t.fails('SPOP', 's', 'x')).toBe('ERR value is out of range, must be positive');
    expect(await t.fails('SPOP', 's', '1', '2')).toBe('ERR syntax error');
  });

  it('logs what SPOP took, not that it popped', async () => {
    await t.call('SADD', 's', ...names(3000));
    const logged = await loggedBy(t, async () => {
      await t.call('SPOP', 's');
      await t.call('SPOP', 's', '2000');
      await t.call('SPOP', 's', '5000');
      await t.call('SPOP', 's', '1');
      await t.call('SADD', 's', 'a');
      await t.call('SADD', 's', 'a');
    });
    expect(logged.map((op) => [op[0], op.length])).toEqual([
      ['SREM', 3],
      ['SREM', 1026],
      ['SREM', 978],
      ['DEL', 2],
      ['SADD', 3],
    ]);
    expect(new Set(logged.slice(0, 3).flatMap((op) => op.slice(2))).size).toBe(2001);
  });

  it('SRANDMEMBER gives one, several different, or any with repetition', async () => {
    await t.call('SADD', 's', 'a', 'b', 'c');
    expect(['a', 'b', 'c']).toContain(await t.call('SRANDMEMBER', 's'));
    expect(await t.call('SRANDMEMBER', 's', '0')).toEqual([]);
    expect(await t.call('SRANDMEMBER', 's', '99')).toEqual(['a', 'b', 'c']);
    const many = (await t.call('SRANDMEMBER', 's', '-100')) as string[];
    expect(many).toHaveLength(100);
    expect(new Set(many).size).toBe(3);
    expect(await t.call('SCARD', 's')).toBe(3);
    expect(await t.fails('SRANDMEMBER', 's', '1', '2')).toBe('ERR syntax error');
    expect(await t.fails('SRANDMEMBER', 's', 'x')).toBe('ERR value is not an integer or out of range');
    expect(await t.fails('SRANDMEMBER', 's', '-9223372036854775808')).toBe(
      'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
    );
  });

  it('SRANDMEMBER refuses to repeat beyond any memory, at once', async () => {
    await t.call('SADD', 's', 'a');
    expect(await t.fails('SRANDMEMBER', 's', '-9223372036854775807')).toBe('ERR value is out of range');
  });

  it('SINTER, SUNION and SDIFF, whatever the encodings', async () => {
    const forms: [string, string[]][] = [
      ['ints', ['3', '1', '2']],
      ['pack', ['2', 'a', '3']],
      ['table', ['3', 'a', 'x'.repeat(70)]],
    ];
    for (const [key, members] of forms) await t.call('SADD', key, ...members);
    expect(forms.map(([key]) => encodingOf(t, key))).toEqual(['intset', 'listpack', 'hashtable']);
    expect(await t.call('SINTER', 'ints', 'pack')).toEqual(['2', '3']);
    expect(await t.call('SINTER', 'ints', 'pack', 'table', 'ints')).toEqual(['3']);
    expect(await t.call('SINTER', 'ints', 'none')).toEqual([]);
    expect(sorted(await t.call('SUNION', 'ints', 'none', 'pack'))).toEqual(['1', '2', '3', 'a']);
    expect(await t.call('SUNION', 'none')).toEqual([]);
    expect(await t.call('SDIFF', 'ints', 'pack')).toEqual(['1']);
    expect(await t.call('SDIFF', 'pack', 'ints', 'none')).toEqual(['a']);
    expect(await t.call('SDIFF', 'pack', 'none', 'pack')).toEqual([]);
    expect(await t.call('SDIFF', 'none', 'ints')).toEqual([]);
  });

  it('SDIFF is the same by either way of working', async () => {
    await t.call('SADD', 'big', ...numbers(0, 400));
    for (const key of ['x', 'y', 'z', 'u', 'v']) await t.call('SADD', key, '5', '7');
    await t.call('SADD', 'big2', ...numbers(10, 1000));
    expect(await t.call('SDIFF', 'big', 'x', 'y', 'z', 'u', 'v')).toHaveLength(398);
    expect(await t.call('SDIFF', 'big', 'x', 'big2')).toEqual(['0', '1', '2', '3', '4', '6', '8', '9']);
  });

  it('STORE forms replace what was there, its type and its deadline', async () => {
    await t.call('SADD', 'a', '1', '2', 'x');
    await t.call('SADD', 'b', '2', '3');
    await t.call('SET', 'd', 'string', 'EX', '1000');
    const events = await eventsOf(t, async () => {
      expect(await t.call('SUNIONSTORE', 'd', 'a', 'b')).toBe(4);
      expect(t.engine.space.dbs[0].deadline('d')).toBe(0);
      expect(await t.call('SINTERSTORE', 'd', 'a', 'b', 'd')).toBe(1);
      expect(await t.call('SDIFFSTORE', 'a', 'a', 'b')).toBe(2);
      expect(await t.call('SDIFFSTORE', 'd', 'd', 'd')).toBe(0);
      expect(await t.call('SUNIONSTORE', 'd', 'none')).toBe(0);
    });
    expect(events).toEqual(['sunionstore d', 'sinterstore d', 'sdiffstore a', 'del d']);
    expect(exists(t, 'd')).toBe(false);
    expect(await t.call('SMEMBERS', 'a')).toEqual(['1', 'x']);
  });

  it('STORE forms choose the encoding by the result', async () => {
    await t.call('SADD', 'pack', '3', '1', 'x');
    await t.call('SADD', 'pack2', '1', '3', 'y');
    await t.call('SINTERSTORE', 'd', 'pack', 'pack2');
    expect(encodingOf(t, 'd')).toBe('intset');
    expect(await t.call('SMEMBERS', 'd')).toEqual(['1', '3']);
    await t.call('SUNIONSTORE', 'd', 'pack', 'pack2');
    expect(encodingOf(t, 'd')).toBe('listpack');
    await t.call('SADD', 'many', ...names(200));
    await t.call('SUNIONSTORE', 'd', 'pack', 'many');
    expect(encodingOf(t, 'd')).toBe('hashtable');
    await t.call('SADD', 'ints', ...numbers(0, 512));
    await t.call('SADD', 'ints2', 'x', ...numbers(0, 600));
    await t.call('SINTERSTORE', 'd', 'ints2', 'ints');
    expect(encodingOf(t, 'd')).toBe('intset');
    // The copy is taken, not shared.
    await t.call('SUNIONSTORE', 'd', 'pack');
    await t.call('SADD', 'd', 'new');
    expect(await t.call('SISMEMBER', 'pack', 'new')).toBe(0);
  });

  it('SINTERCARD counts up to a limit', async () => {
    await t.call('SADD', 'a', ...names(20));
    await t.call('SADD', 'b', ...names(10), 'other');
    expect(await t.call('SINTERCARD', '2', 'a', 'b')).toBe(10);
    expect(await t.call('SINTERCARD', '2', 'a', 'b', 'LIMIT', '3')).toBe(3);
    expect(await t.call('SINTERCARD', '2', 'a', 'b', 'limit', '0')).toBe(10);
    expect(await t.call('SINTERCARD', '2', 'a', 'none')).toBe(0);
    expect(await t.fails('SINTERCARD', '0', 'a')).toBe('ERR numkeys should be greater than 0');
    expect(await t.fails('SINTERCARD', 'x', 'a')).toBe('ERR numkeys should be greater than 0');
    expect(await t.fails('SINTERCARD', '3', 'a', 'b')).toBe(
      "ERR Number of keys can't be greater than number of args",
    );
    expect(await t.fails('SINTERCARD', '1', 'a', 'b')).toBe('ERR syntax error');
    expect(await t.fails('SINTERCARD', '1', 'a', 'LIMIT')).toBe('ERR syntax error');
    expect(await t.fails('SINTERCARD', '1', 'a', 'LIMIT', '-1')).toBe("ERR LIMIT can't be negative");
  });

  it('SSCAN gives small sets whole and walks a hash table in steps', async () => {
    await t.call('SADD', 'i', '10', '2', '1');
    expect(await t.call('SSCAN', 'i', '0', 'COUNT', '1')).toEqual(['0', ['1', '2', '10']]);
    expect(await t.call('SSCAN', 'i', '5', 'MATCH', '1*')).toEqual(['0', ['1', '10']]);
    await t.call('SADD', 's', ...names(300));
    const met = new Set<string>();
    let calls = 0;
    let cursor = '0';
    do {
      const [next, members] = (await t.call('SSCAN', 's', cursor, 'COUNT', '30')) as [string, string[]];
      for (const member of members) met.add(member);
      cursor = next;
      calls++;
      await t.call('SREM', 's', `m${calls}`, `m${299 - calls}`);
    } while (cursor !== '0');
    expect(calls).toBeGreaterThan(5);
    for (let i = calls + 1; i < 299 - calls; i++) expect(met).toContain(`m${i}`);
  });

  it('reads a cursor as strtoul does', async () => {
    await t.call('SADD', 's', 'a');
    for (const cursor of ['0', '', '+1', '-1', '18446744073709551615', '007', '5\0x']) {
      expect(await t.call('SSCAN', 's', cursor)).toEqual(['0', ['a']]);
    }
    for (const cursor of ['x', ' 1', '1 ', '-', '+', '0x1', '18446744073709551616', '1.5']) {
      expect(await t.fails('SSCAN', 's', cursor)).toBe('ERR invalid cursor');
    }
    expect(await t.fails('SSCAN', 'none', 'x')).toBe('ERR invalid cursor');
  });

  it('a rolled back unit leaves sets of every form as they were', async () => {
    await t.call('SADD', 'i', '1', '2');
    await t.call('SADD', 'p', 'a', 'b');
    await t.call('SADD', 'h', ...names(200));
    const session = t.engine.connect({ info: { trusted: true }, reply() {}, push() {}, close() {} } as never);
    expect(() =>
      t.engine.atomic(() => {
        for (const key of ['i', 'p', 'h']) {
          t.engine.execute(session, ['SADD', key, 'new', '9']);
          t.engine.execute(session, ['SPOP', key, '2']);
        }
        t.engine.execute(session, ['SMOVE', 'h', 'i', 'm7']);
        throw new Error('undo');
      }),
    ).toThrow('undo');
    t.engine.disconnect(session);
    expect(await t.call('SMEMBERS', 'i')).toEqual(['1', '2']);
    expect(encodingOf(t, 'i')).toBe('intset');
    expect(await t.call('SMEMBERS', 'p')).toEqual(['a', 'b']);
    expect(await t.call('SMEMBERS', 'h')).toEqual(names(200));
  });
});
