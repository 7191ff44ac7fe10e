// Contract of defineScript and batch: typed both ways, sent by digest, found again by itself.
import { expect, it } from 'vitest';
import {
  AtomicError,
  batch,
  decimal,
  defineScript,
  denied,
  flag,
  int,
  int64,
  json,
  list,
  nullable,
  ok,
  text,
} from '../../../src/workflows/index.ts';
import { type Contract, freshPrefix, raw } from '../world.ts';

const echo = defineScript({
  name: 'echo',
  version: 1,
  lua: `local items, at = {}, 8
for i = 1, tonumber(ARGV[7]) do items[i] = ARGV[at]; at = at + 1 end
return {'echoed', tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], items}`,
  mode: 'write',
  retry: 'always',
  keys: ['any'],
  args: { int, int64, text, decimal, flag, nothing: nullable(text), items: list(text) },
  reply: {
    echoed: ok({ int, int64, text, decimal, flag, nothing: nullable(text), items: list(text) }),
  },
});

const add = defineScript({
  name: 'add',
  version: 1,
  lua: `local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if n > 10 then return {'over', n} end
return {'added', n}`,
  mode: 'write',
  retry: 'never',
  keys: ['counter'],
  args: { by: int },
  reply: { added: ok({ value: int }), over: denied({ value: int }) },
});

const peek = defineScript({
  name: 'peek',
  version: 1,
  lua: "return {'is', redis.call('GET', KEYS[1])}",
  mode: 'read',
  retry: 'always',
  keys: ['counter'],
  args: {},
  reply: { is: ok({ value: nullable(text) }) },
});

const sum = defineScript({
  name: 'sum',
  version: 1,
  lua: "local n = 0 for i = 1, #KEYS do n = n + (tonumber(redis.call('GET', KEYS[i])) or 0) end return {'is', n}",
  mode: 'read',
  retry: 'always',
  keys: ['first', 'more[]'],
  args: {},
  reply: { is: ok({ sum: int }) },
});

export const scriptContract: Contract = {
  workflow: 'script',
  suite(world) {
    it('values come back as they went: integers of 64 bits, decimals, text of any language, nothing, lists', async () => {
      const args = {
        int: -42,
        int64: 9223372036854775807n,
        text: 'grüße 你好 \u0000\r\n',
        decimal: 0.1,
        flag: true,
        nothing: null,
        items: ['a', '', 'ü'],
      };
      const result = await echo.run(world().driver, { keys: { any: freshPrefix() }, args });
      expect(result).toMatchObject({ ok: true, status: 'echoed', ...args });
    });

    it('orThrow gives the success, and throws on a denial with the result', async () => {
      const key = freshPrefix();
      const first = await add.run(world().driver, { keys: { counter: key }, args: { by: 9 } });
      expect(first.orThrow().value).toBe(9);
      const second = await add.run(world().driver, { keys: { counter: key }, args: { by: 9 } });
      const error = await Promise.resolve()
        .then(() => second.orThrow())
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AtomicError);
      expect(error).toMatchObject({ code: 'DENIED', result: { status: 'over', value: 18 } });
    });

    it('recovers when the server has forgotten it (SCRIPT FLUSH)', async () => {
      const { driver, other } = world();
      const key = freshPrefix();
      await add.run(driver, { keys: { counter: key }, args: { by: 1 } });
      await other.everyPrimary(['SCRIPT', 'FLUSH'], 5000);
      const again = await add.run(driver, { keys: { counter: key }, args: { by: 1 } });
      expect(again).toMatchObject({ status: 'added', value: 2, meta: { attempts: 1 } });
    });

    it('NOSCRIPT inside a pipeline (ioredis#536, upstash#122, bullmq#1253): order and results hold', async () => {
      const { driver, other } = world();
      const keys = ['a', 'b', 'c'].map((tag) => `${freshPrefix()}:{${tag}}`);
      for (let round = 0; round < 2; round++) {
        await other.everyPrimary(['SCRIPT', 'FLUSH'], 5000);
        const calls = keys.flatMap((counter) => [
          add.call({ keys: { counter }, args: { by: 1 } }),
          add.call({ keys: { counter }, args: { by: 2 } }),
          peek.call({ keys: { counter }, args: {} }),
        ]);
        const results = await batch(driver, calls);
        const values = results.map((result) => (result instanceof AtomicError ? result.code : result.status));
        expect(values).toEqual(keys.flatMap(() => ['added', 'added', 'is']));
        const sums = results.filter((_, i) => i % 3 === 2);
        expect(sums.map((result) => (result as { value?: unknown }).value)).toEqual(
          keys.map(() => String(3 * (round + 1))),
        );
      }
    });

    it('one failure in a batch is that one only', async () => {
      const { driver } = world();
      const [good, bad] = [freshPrefix(), freshPrefix()].map((each) => `${each}:{x}`);
      await raw(driver, 'SET', bad, 'text');
      const [first, second, third] = await batch(driver, [
        add.call({ keys: { counter: good }, args: { by: 1 } }),
        add.call({ keys: { counter: bad }, args: { by: 1 } }),
        add.call({ keys: { counter: good }, args: { by: 1 } }),
      ]);
      expect(first).toMatchObject({ status: 'added', value: 1 });
      expect(second).toMatchObject({ code: 'SERVER', message: expect.stringContaining('not an integer') });
      expect(third).toMatchObject({ status: 'added', value: 2 });
      expect(await batch(driver, [])).toEqual([]);
    });

    it('a reading script cannot write', async () => {
      const writer = defineScript({
        name: 'sly',
        version: 1,
        lua: "redis.call('SET', KEYS[1], '1') return {'done'}",
        mode: 'read',
        retry: 'always',
        keys: ['key'],
        args: {},
        reply: { done: ok({}) },
      });
      const key = freshPrefix();
      await expect(writer.run(world().driver, { keys: { key }, args: {} })).rejects.toMatchObject({
        code: 'SERVER',
        message: expect.stringContaining('Write commands are not allowed'),
      });
      expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
    });

    it('a reply of another shape is an error that says so', async () => {
      const wrong = defineScript({
        name: 'wrong',
        version: 3,
        lua: "return {'surprise', 1}",
        mode: 'read',
        retry: 'always',
        keys: ['key'],
        args: {},
        reply: { expected: ok({ value: json<{ a: number }>() }) },
      });
      await expect(wrong.run(world().driver, { keys: { key: 'k' }, args: {} })).rejects.toMatchObject({
        code: 'REPLY_SHAPE',
        message: "wrong_v3: answered 'surprise', which is none of expected",
      });
    });

    it('keys of several slots are refused by name before anything is sent (rueidis#974, bullmq#2463)', async () => {
      const call = sum.run(world().driver, { keys: { first: '{a}1', more: ['{a}2', '{b}1'] }, args: {} });
      await expect(call).rejects.toMatchObject({
        code: 'CROSS_SLOT',
        message: expect.stringMatching(/first in 15495, more in 15495, more in 3300/),
      });
    });

    it('any number of keys, none included', async () => {
      const { driver } = world();
      await raw(driver, 'MSET', '{q}1', 1, '{q}2', 2, '{q}3', 3);
      expect(await sum.run(driver, { keys: { first: '{q}1', more: [] }, args: {} })).toMatchObject({
        sum: 1,
      });
      expect(
        await sum.run(driver, { keys: { first: '{q}1', more: ['{q}2', '{q}3'] }, args: {} }),
      ).toMatchObject({ sum: 6 });
    });

    it('arguments of a wrong form never leave', async () => {
      const { driver } = world();
      const run = (by: number) => add.run(driver, { keys: { counter: 'k' }, args: { by } });
      for (const by of [1.5, Number.NaN, 2 ** 53, '1' as unknown as number]) {
        await expect(run(by)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      }
      await expect(add.run(driver, { keys: { counter: '' }, args: { by: 1 } })).rejects.toMatchObject({
        code: 'BAD_ARGUMENT',
      });
    });

    it('errors of the server have codes', async () => {
      const { driver } = world();
      const key = freshPrefix();
      await raw(driver, 'LPUSH', key, 'x');
      await expect(peek.run(driver, { keys: { counter: key }, args: {} })).rejects.toMatchObject({
        name: 'AtomicError',
        code: 'WRONGTYPE',
      });
    });
  },
};
