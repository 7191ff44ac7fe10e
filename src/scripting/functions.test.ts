// What the wire alone does not show of libraries: the log, undo, snapshots, forks, limits. Replies are compared with
// redis-server by test/oracle/cases/functions.txt.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../engine/database.ts';
import type { Op } from '../engine/effects.ts';
import { HoldfastError } from '../engine/errors.ts';
import { dumpLibraries } from '../persistence/rdb/payload.ts';

let db: Database;
beforeEach(() => {
  db = new Database({ seed: 1 });
});
afterEach(() => db.close());

const counter = (name: string, start: number): string =>
  `#!lua name=${name}\nlocal n = ${start}\nredis.register_function('count', function() n = n + 1 return n end)`;

function errorOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof HoldfastError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('the log', () => {
  test('gets what changes libraries as it was sent, and of a call its effects', () => {
    const units: (readonly Op[])[] = [];
    db.engine.effects.onUnit = (ops) => units.push(ops);
    const code =
      "#!lua name=a\nredis.register_function('f', function(keys) redis.call('incr', keys[1]) redis.call('get', keys[1]) return redis.call('expire', keys[1], 100) end)";
    db.call('function', 'LOAD', code);
    db.call('FUNCTION', 'LOAD', 'replace', code);
    errorOf(() => db.call('FUNCTION', 'LOAD', code));
    errorOf(() => db.call('FUNCTION', 'DELETE', 'nope'));
    db.call('FUNCTION', 'LIST');
    db.select(3);
    db.fcall('f', { keys: ['n'] });
    const payload = db.functions.dump();
    db.functions.restore(payload, 'replace');
    db.functions.delete('a');
    db.functions.flush();
    db.functions.restore(payload);
    db.call('FLUSHALL');
    const words = units.map((ops) => ops.map((op) => op.args.map((arg) => (arg.length > 20 ? '…' : arg))));
    expect(words).toEqual([
      [['function', 'LOAD', '…']],
      [['FUNCTION', 'LOAD', 'replace', '…']],
      [
        ['incr', 'n'],
        ['PEXPIREAT', 'n', expect.stringMatching(/^\d+$/)],
      ],
      [['FUNCTION', 'RESTORE', '…', 'replace']],
      [['FUNCTION', 'DELETE', 'a']],
      [['FUNCTION', 'FLUSH']],
      [['FUNCTION', 'RESTORE', '…', 'append']],
      [['FLUSHALL']],
    ]);
    expect(units[2].map((op) => op.db)).toEqual([3, 3]);
    expect(units[0][0].args[2]).toBe(code);
  });

  test('has a transaction with FUNCTION LOAD in it as one unit', () => {
    const units: (readonly Op[])[] = [];
    db.engine.effects.onUnit = (ops) => units.push(ops);
    db.multi();
    db.call('FUNCTION', 'LOAD', counter('a', 0));
    db.call('FCALL', 'count', 0);
    db.call('SET', 'k', 'v');
    expect(db.exec()).toEqual(['a', 1, 'OK']);
    expect(units.map((ops) => ops.map((op) => op.args[0]))).toEqual([['FUNCTION', 'SET']]);
  });
});

describe('undo', () => {
  test('a transaction that throws takes its libraries back', () => {
    db.functions.load(counter('a', 0));
    const thrown = errorOf(() =>
      db.transaction((tx) => {
        tx.functions.load(counter('a', 100), { replace: true });
        expect(tx.fcall('count')).toBe(101);
        tx.functions.flush();
        throw new HoldfastError('X', 'undo');
      }),
    );
    expect(thrown).toBe('undo');
    expect(db.fcall('count')).toBe(1);
    db.transaction((tx) => {
      errorOf(() =>
        tx.transaction((inner) => {
          inner.functions.delete('a');
          throw new HoldfastError('X', 'undo');
        }),
      );
      expect(tx.fcall('count')).toBe(2);
      tx.functions.load(counter('a', 100), { replace: true });
    });
    expect(db.fcall('count')).toBe(101);
  });
});

test('variables of a library are no data: a transaction that throws does not take them back', () => {
  db.functions.load(counter('a', 0));
  errorOf(() =>
    db.transaction((tx) => {
      tx.fcall('count');
      throw new HoldfastError('X', 'undo');
    }),
  );
  expect(db.fcall('count')).toBe(2);
});

describe('snapshots and forks', () => {
  test('have the libraries of their moment', () => {
    db.functions.load(counter('a', 0));
    const snapshot = db.snapshot();
    db.functions.load(counter('a', 100), { replace: true });
    const copy = db.fork();
    db.functions.flush();
    expect(copy.fcall('count')).toBe(101);
    copy.functions.flush();
    db.revertTo(snapshot);
    expect(db.functions.list().map(({ name }) => name)).toEqual(['a']);
    expect(db.fcall('count')).toBe(1);
    copy.close();
  });

  test('a fork has variables of its own, which begin anew', () => {
    db.functions.load(counter('a', 0));
    db.fcall('count');
    const copy = db.fork();
    expect([copy.fcall('count'), copy.fcall('count'), db.fcall('count')]).toEqual([1, 2, 2]);
    copy.close();
  });
});

describe('loading', () => {
  test('runs for half a second and no longer, also from RESTORE', () => {
    const endless = "#!lua name=a\nredis.register_function('f', function() end)\nwhile true do end";
    const timeout = 'ERR Error registering functions: ERR FUNCTION LOAD timeout';
    const start = performance.now();
    expect(errorOf(() => db.functions.load(endless))).toBe(timeout);
    expect(performance.now() - start).toBeGreaterThan(450);
    const payload = Buffer.from(dumpLibraries([counter('b', 0), endless]), 'latin1');
    expect(errorOf(() => db.functions.restore(payload))).toBe(timeout);
    expect(db.functions.stats()).toEqual({ libraries: 0, functions: 0, running: null });
  });

  test('logs once', () => {
    const lines: [number, string][] = [];
    const logging = new Database({ seed: 1 });
    logging.engine.log = (level, message) => lines.push([level, message]);
    logging.functions.load(
      "#!lua name=a\nlocal log = redis.log\nlog(redis.LOG_WARNING, 'loading', 1)\nredis.register_function('f', function() log(redis.LOG_NOTICE, 'called') end)",
    );
    expect(lines).toEqual([[3, 'loading 1']]);
    logging.fcall('f');
    expect(lines[1]).toEqual([2, 'called']);
    const copy = logging.fork();
    copy.engine.log = (level, message) => lines.push([level, message]);
    copy.fcall('f');
    expect(lines).toHaveLength(3);
    for (const one of [logging, copy]) one.close();
  });

  test('recurses as deep as Lua does', () => {
    const deep = (depth: number): string =>
      `#!lua name=a\nlocal function sum(n) if n == 0 then return 0 end return 1 + sum(n - 1) end\nlocal total = sum(${depth})\nredis.register_function('f', function() return total end)`;
    db.functions.load(deep(15_000));
    expect(db.fcall('f')).toBe(15_000);
    expect(errorOf(() => db.functions.load(deep(25_000), { replace: true }))).toBe(
      'ERR Error registering functions: ERR user_function:2: stack overflow',
    );
    expect(db.fcall('f')).toBe(15_000);
  });

  test('all of RESTORE or nothing', () => {
    db.functions.load(counter('a', 0));
    const payload = Buffer.from(
      dumpLibraries([counter('b', 0).replace('count', 'other'), '#!lua name=c\nx y z']),
      'latin1',
    );
    expect(errorOf(() => db.functions.restore(payload, 'flush'))).toBe(
      "ERR Error compiling function: user_function:2: '=' expected near 'y'",
    );
    expect(db.functions.list().map(({ name }) => name)).toEqual(['a']);
  });

  test('a library of two functions that differ in case only is refused', () => {
    const code =
      "#!lua name=a\nredis.register_function('f', function() end) redis.register_function('F', function() end)";
    expect(errorOf(() => db.functions.load(code))).toBe('ERR Function F already exists');
    expect(db.functions.list()).toEqual([]);
  });
});
