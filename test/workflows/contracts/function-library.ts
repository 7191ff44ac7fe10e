// Contract of functionLibrary: versions stand side by side, and every primary has the code that its name promises.
import { expect, it } from 'vitest';
import {
  applyLibraries,
  defineScript,
  denied,
  functionLibrary,
  int,
  listInstalled,
  ok,
  planLibraries,
  readLibrary,
  rollbackLibrary,
} from '../../../src/workflows/index.ts';
import { type Contract, freshPrefix, raw } from '../world.ts';

/** Takes from a stock, and answers `factor` times what is left, so that versions can be told apart. */
function takeScript(factor: number) {
  return defineScript({
    name: 'take',
    version: factor,
    lua: `local left = tonumber(redis.call('GET', KEYS[1]) or '0')
if left < tonumber(ARGV[1]) then return {'short', left} end
return {'taken', redis.call('DECRBY', KEYS[1], ARGV[1]) * ${factor}}`,
    mode: 'write',
    retry: 'never',
    keys: ['stock'],
    args: { quantity: int },
    reply: { taken: ok({ left: int }), short: denied({ left: int }) },
  });
}

const look = defineScript({
  name: 'look',
  version: 1,
  lua: "return {'is', tonumber(redis.call('GET', KEYS[1]) or '0')}",
  mode: 'read',
  retry: 'always',
  keys: ['stock'],
  args: {},
  reply: { is: ok({ left: int }) },
});

export const functionLibraryContract: Contract = {
  workflow: 'functionLibrary',
  suite(world) {
    const versions = (missing?: 'load' | 'report') => {
      const name = freshPrefix();
      const of = (version: number, factor = version) =>
        functionLibrary({ name, version, functions: { take: takeScript(factor), look }, missing });
      return { name, of };
    };
    const fill = (key: string) => raw(world().driver, 'SET', key, 10);

    it('plan shows what is missing and changes nothing; apply loads it; verify is clean', async () => {
      const { driver } = world();
      const { name, of } = versions();
      const plan = await of(1).plan(driver);
      expect(new Set(plan.steps.map(({ library, action }) => `${action} ${library}`))).toEqual(
        new Set([`load ${name}_v1`, `load ${name}`]),
      );
      expect((await listInstalled(driver)).filter(({ library }) => library.startsWith(name))).toEqual([]);
      await of(1).apply(driver);
      expect((await of(1).verify(driver)).clean).toBe(true);
      const installed = (await listInstalled(driver)).filter(({ library }) => library.startsWith(name));
      const primaries = new Set(installed.map(({ node }) => node)).size;
      expect(installed).toHaveLength(2 * primaries);
      expect(installed.filter(({ current }) => current === 1)).toHaveLength(primaries);
    });

    it('runs functions, reading ones by FCALL_RO', async () => {
      const { driver } = world();
      const library = versions().of(1);
      const key = `${freshPrefix()}:{s}`;
      await library.apply(driver);
      await fill(key);
      expect(await library.call.take(driver, { keys: { stock: key }, args: { quantity: 4 } })).toMatchObject({
        status: 'taken',
        left: 6,
      });
      expect(await library.call.look(driver, { keys: { stock: key }, args: {} })).toMatchObject({ left: 6 });
      expect(await library.call.take(driver, { keys: { stock: key }, args: { quantity: 7 } })).toMatchObject({
        ok: false,
        status: 'short',
      });
    });

    it('two versions run side by side, and the newest is the current one', async () => {
      const { driver, other } = world();
      const { name, of } = versions();
      const key = `${freshPrefix()}:{s}`;
      await of(1).apply(driver);
      await of(2).apply(other);
      await fill(key);
      const ask = (version: number) =>
        of(version).call.take(driver, { keys: { stock: key }, args: { quantity: 1 } });
      expect(await ask(1)).toMatchObject({ left: 9 });
      expect(await ask(2)).toMatchObject({ left: 16 });
      expect(await driver.send(fcall(`${name}_take`, key))).toEqual(['taken', 14]);
      // An instance that still has version 1 starts again: the wheel is not turned back.
      await of(1).apply(driver);
      expect(await driver.send(fcall(`${name}_take`, key))).toEqual(['taken', 12]);
    });

    it('rollback makes an older version the current one, and keeps the newer', async () => {
      const { driver } = world();
      const { name, of } = versions();
      const key = `${freshPrefix()}:{s}`;
      await of(1).apply(driver);
      await of(2).apply(driver);
      await of(2).rollback(driver, { to: 1 });
      await fill(key);
      expect(await driver.send(fcall(`${name}_take`, key))).toEqual(['taken', 9]);
      expect(await of(2).call.take(driver, { keys: { stock: key }, args: { quantity: 1 } })).toMatchObject({
        left: 16,
      });
      await expect(rollbackLibrary(driver, name, 7)).rejects.toMatchObject({
        code: 'FUNCTION_MISSING',
        message: expect.stringContaining(`${name}_v1, ${name}_v2`),
      });
    });

    it('other code under the same version is a conflict, and nothing is loaded', async () => {
      const { driver } = world();
      const { name, of } = versions();
      await of(1).apply(driver);
      const changed = of(1, 5);
      expect((await changed.verify(driver)).conflicts[0]).toMatchObject({ library: `${name}_v1` });
      await expect(changed.apply(driver)).rejects.toMatchObject({ code: 'LIBRARY_MISMATCH' });
      expect((await of(1).verify(driver)).clean).toBe(true);
    });

    it('functions absent on new shards (valkey#58): a missing one is loaded and run, on every shard', async () => {
      const { driver } = world();
      const library = versions().of(1);
      const keys = ['a', 'b', 'c', 'd'].map((tag) => `${freshPrefix()}:{${tag}}`);
      for (const key of keys) {
        await fill(key);
        expect(
          await library.call.take(driver, { keys: { stock: key }, args: { quantity: 1 } }),
        ).toMatchObject({ left: 9 });
      }
    });

    it('or it is reported, where that is the policy', async () => {
      const { driver } = world();
      const library = versions('report').of(1);
      await expect(
        library.call.take(driver, { keys: { stock: '{s}' }, args: { quantity: 1 } }),
      ).rejects.toMatchObject({ code: 'FUNCTION_MISSING' });
    });

    it('libraries written by hand are deployed alike', async () => {
      const { driver } = world();
      const name = freshPrefix();
      const code = (version: number): string => `#!lua name=${name}_v${version}
local function twice(keys, args) return ${version} * tonumber(args[1]) end
redis.register_function('${name}_twice_v${version}', twice)
redis.register_function{function_name = '${name}_peek_v${version}', callback = function(keys) return redis.call('GET', keys[1]) end, flags = {'no-writes'}}
`;
      const libraries = [1, 2].map((version) => readLibrary(code(version)));
      await applyLibraries(driver, libraries);
      expect((await planLibraries(driver, libraries)).clean).toBe(true);
      expect(await driver.send(fcall(`${name}_twice`, 'k', '21'))).toBe(42);
      await raw(driver, 'SET', `{${name}}`, 'seen');
      expect(
        await driver.send({
          words: ['FCALL_RO', `${name}_peek`, 1, `{${name}}`],
          key: `{${name}}`,
          timeoutMs: 5000,
        }),
      ).toBe('seen');
      expect(() => readLibrary('return 1')).toThrow(/begins with/);
      expect(() => readLibrary(`#!lua name=${name}\n`)).toThrow(/must end in its version/);
    });
  },
};

function fcall(name: string, key: string, ...args: string[]) {
  return { words: ['FCALL', name, 1, key, ...(args.length > 0 ? args : ['1'])], key, timeoutMs: 5000 };
}
