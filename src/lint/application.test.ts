// What the linter says of the code around Redis, and what it leaves alone.
import { describe, expect, it } from 'vitest';
import { lint } from './index.ts';

const found = (file: string, text: string): string[] =>
  lint(file, text).map(({ line, rule }) => `${line} ${rule}`);

describe('get-then-set', () => {
  it('speaks of a read and a write of one key in one function', () => {
    const text = `async function take(redis, id) {
  const left = Number(await redis.get(\`stock:\${id}\`));
  if (left > 0) await redis.set(\`stock:\${id}\`, left - 1);
}`;
    expect(found('a.ts', text)).toEqual(['3 get-then-set']);
  });

  it('speaks of a DECR that rests on what was read', () => {
    expect(
      found('a.py', 'def f(r):  # redis\n    if int(r.get(key)) > 0:\n        r.decrby(key, 1)\n'),
    ).toEqual(['3 get-then-set']);
  });

  it.each([
    ['another key', 'await redis.get(a);\nawait redis.set(b, 1);'],
    ['a write with NX', "await redis.get(a);\nawait redis.set(a, 1, 'NX');"],
    ['a WATCH before', 'await redis.watch(a);\nawait redis.get(a);\nawait redis.multi().set(a, 1).exec();'],
    [
      'another function',
      'async function f() {\n  await redis.get(a);\n}\nasync function g() {\n  await redis.set(a, 1);\n}',
    ],
    ['a Map', 'const redisNames = 1;\nmap.get(a);\nmap.set(a, 1);'],
    ['a cache that is a Map', 'const cache = new Map(); // not redis\ncache.get(a);\ncache.set(a, 1);'],
    ['a comment', '// redis.get(a)\nawait redis.set(a, 1);'],
  ])('is quiet on %s', (_, text) => {
    expect(found('a.ts', text)).toEqual([]);
  });
});

describe('delete-without-token', () => {
  it('speaks of a client that deletes a lock', () => {
    expect(found('A.java', 'redis.del(lockKey);')).toEqual(['1 delete-without-token']);
    expect(found('a.ts', `await redis.unlink(\`lock:$\{id}\`);`)).toEqual(['1 delete-without-token']);
  });

  it('is quiet on other keys', () => {
    expect(found('a.ts', 'await redis.del(blockList);')).toEqual([]);
  });
});

describe('watch-left', () => {
  it('is quiet where the pipeline ends with its block, and behind EXEC', () => {
    const within =
      'def f(r):  # redis\n    with r.pipeline() as pipe:\n        pipe.watch(k)\n        return 1\n';
    expect(found('a.py', within)).toEqual([]);
    expect(found('a.ts', 'await redis.watch(k);\nawait redis.multi().exec();\nreturn 1;')).toEqual([]);
  });
});

describe('unbounded-retry', () => {
  it('knows the loops of Go and of JavaScript', () => {
    expect(found('a.md', 'With redis:\nfor {\n  client.Watch(ctx, fn, key)\n}\n')).toEqual([
      '2 unbounded-retry',
    ]);
    expect(found('a.ts', 'while (true) {\n  await redis.watch(k);\n}\n')).toEqual(['1 unbounded-retry']);
  });

  it('is quiet where attempts are counted, and on loops of another kind', () => {
    const counted = 'while (true) {\n  if (++attempt > 5) throw new Error();\n  await redis.watch(k);\n}\n';
    expect(found('a.ts', counted)).toEqual([]);
    expect(found('a.ts', 'while (true) {\n  await redis.blpop(k, 0);\n}\n')).toEqual([]);
  });
});

describe('read-before-watch', () => {
  it('is quiet where another key was read', () => {
    expect(
      found('a.ts', 'await redis.get(a);\nawait redis.watch(b);\nawait redis.multi().exec();\n'),
    ).toEqual([]);
  });
});

describe('lines of a program', () => {
  it.each([
    ['timestamp-id', 'order_id = int(time.time() * 1000)'],
    ['packed-score', 'composite = score * 1000000 + int(time.time())'],
    ['timestamp-member', 'pipe.zadd(key, {str(now): now})'],
    ['float-money', 'balance = float(pipe.get(key) or 0)'],
  ])('%s', (rule, line) => {
    expect(found('a.py', `import redis\n${line}\n`)).toEqual([`2 ${rule}`]);
  });

  it('say nothing where nobody speaks of Redis', () => {
    expect(found('a.py', 'order_id = int(time.time() * 1000)\n')).toEqual([]);
  });
});
