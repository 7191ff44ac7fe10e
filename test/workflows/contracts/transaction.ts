// Contract of transaction, of object transactions, and of the contention tracker.
import { expect, it } from 'vitest';
import {
  ContentionTracker,
  defineScript,
  type ObjectTransaction,
  ok,
  rejection,
  runTransaction,
  text,
  transaction,
} from '../../../src/workflows/index.ts';
import { type Contract, freshPrefix, raw } from '../world.ts';

const clear = defineScript({
  name: 'clear',
  version: 1,
  lua: "redis.call('SET', KEYS[1], 'by script') return {'cleared', 'script'}",
  mode: 'write',
  retry: 'always',
  keys: ['key'],
  args: {},
  reply: { cleared: ok({ by: text }) },
});

export const transactionContract: Contract = {
  workflow: 'transaction',
  suite(world) {
    const key = (): string => `${freshPrefix()}:{t}`;
    const get = (name: string) => raw(world().driver, 'GET', name);

    it('commits what it queued, with the replies and its own value', async () => {
      const { driver } = world();
      const [a, b] = [key(), key()];
      await raw(driver, 'SET', a, 5);
      const result = await transaction(driver, { watch: [a, b] }, async (tx) => {
        const [left, other] = await tx.read.mget(a, b);
        return tx.commit(
          (queue) => {
            queue.decrby(a, 2);
            queue.set(b, 'x', 'PX', 60_000);
          },
          { left, other },
        );
      });
      expect(result).toMatchObject({
        ok: true,
        status: 'committed',
        value: { left: '5', other: null },
        replies: [3, 'OK'],
        meta: { attempts: 1, conflicts: 0, retry: 'never' },
      });
    });

    it('a rejection writes nothing and says why', async () => {
      const name = key();
      const result = await transaction(world().driver, { watch: [name] }, async (tx) => {
        const value = await tx.read.get(name);
        return value === null ? tx.reject('missing', { name: 'it' }) : tx.commit((queue) => queue.del(name));
      });
      expect(result).toMatchObject({
        ok: false,
        status: 'rejected',
        reason: 'missing',
        data: { name: 'it' },
      });
    });

    it('begins again when a watched key changes, and sees the new value', async () => {
      const { driver, other } = world();
      const name = key();
      await raw(driver, 'SET', name, 1);
      const seen: (string | null)[] = [];
      const result = await transaction(driver, { watch: [name] }, async (tx) => {
        const value = await tx.read.get(name);
        seen.push(value);
        if (tx.attempt === 1) await raw(other, 'SET', name, 10);
        return tx.commit((queue) => queue.set(name, Number(value) + 1));
      });
      expect(seen).toEqual(['1', '10']);
      expect(result.meta).toMatchObject({ attempts: 2, conflicts: 1 });
      expect(await get(name)).toBe('11');
    });

    it('a watched key that expires before EXEC is a conflict', async () => {
      const { driver } = world();
      const name = key();
      await raw(driver, 'SET', name, 'soon gone', 'PX', 30);
      const values: (string | null)[] = [];
      await transaction(driver, { watch: [name] }, async (tx) => {
        values.push(await tx.read.get(name));
        if (tx.attempt === 1) await new Promise((resolve) => setTimeout(resolve, 80));
        return tx.commit((queue) => queue.set(name, 'written'));
      });
      expect(values.at(-1)).toBeNull();
      expect(values.length).toBeGreaterThan(1);
    });

    it('unbounded WATCH retry (redis-py#566): attempts are bounded and nothing is written', async () => {
      const { driver, other } = world();
      const name = key();
      const attempt = transaction(driver, { watch: [name], attempts: 3 }, async (tx) => {
        await tx.read.get(name);
        await raw(other, 'INCR', name);
        return tx.commit((queue) => queue.set(name, 'never'));
      });
      await expect(attempt).rejects.toMatchObject({ code: 'CONFLICT_EXHAUSTED' });
      expect(await get(name)).toBe('3');
    });

    it('WATCH on one shared connection (ioredis#266, ioredis#999, node-redis#1322): fifty at once count right', async () => {
      const { driver } = world();
      const name = key();
      const results = await Promise.all(
        Array.from({ length: 50 }, () =>
          transaction(driver, { watch: [name], attempts: 1000, deadlineMs: 20_000 }, async (tx) => {
            const value = Number(await tx.read.get(name));
            return tx.commit((queue) => queue.set(name, value + 1));
          }),
        ),
      );
      expect(results.every(({ ok }) => ok)).toBe(true);
      expect(await get(name)).toBe('50');
    });

    it('the WATCH is gone after a rejection, a throw and a commit: nobody inherits it', async () => {
      const { driver, other } = world();
      const [old, now] = [key(), key()];
      await transaction(driver, { watch: [old] }, async (tx) => {
        await tx.read.get(old);
        return tx.reject('no');
      });
      const thrown = transaction(driver, { watch: [old] }, async (tx) => {
        await tx.read.get(old);
        throw new Error('mine');
      });
      await expect(thrown).rejects.toThrow('mine');
      const result = await transaction(driver, { watch: [now], attempts: 1 }, async (tx) => {
        await tx.read.get(now);
        await raw(other, 'SET', old, 'changed');
        return tx.commit((queue) => queue.set(now, 1));
      });
      expect(result.status).toBe('committed');
    });

    it('a slow function is stopped at the deadline and writes nothing', async () => {
      const { driver } = world();
      const name = key();
      const slow = transaction(driver, { watch: [name], deadlineMs: 60 }, async (tx) => {
        await tx.read.get(name);
        await new Promise((resolve) => setTimeout(resolve, 150));
        return tx.commit((queue) => queue.set(name, 1));
      });
      await expect(slow).rejects.toMatchObject({ code: 'DEADLINE' });
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(await get(name)).toBeNull();
    });

    it('refuses reads of keys that are not watched, and writes to other slots', async () => {
      const { driver } = world();
      const name = key();
      const reads = transaction(driver, { watch: [name] }, async (tx) => {
        await tx.read.get(`${name}:other`);
        return tx.reject('not reached');
      });
      await expect(reads).rejects.toMatchObject({ code: 'UNDECLARED_KEY' });
      const writes = transaction(driver, { watch: [name] }, (tx) =>
        tx.commit((queue) => queue.set('{elsewhere}', 1)),
      );
      await expect(writes).rejects.toMatchObject({ code: 'CROSS_SLOT' });
      await expect(
        transaction(driver, { watch: ['{a}', '{b}'] }, (tx) => tx.reject('not reached')),
      ).rejects.toMatchObject({ code: 'CROSS_SLOT' });
    });

    it('a queued command that fails is told, for EXEC does not roll back', async () => {
      const { driver } = world();
      const [list, other] = [key(), key()];
      await raw(driver, 'LPUSH', list, 'x');
      const failing = transaction(driver, { watch: [list] }, (tx) =>
        tx.commit((queue) => {
          queue.incr(list);
          queue.set(other, 'in');
        }),
      );
      await expect(failing).rejects.toMatchObject({
        code: 'WRONGTYPE',
        message: expect.stringContaining('does not roll back'),
      });
      expect(await get(other)).toBe('in');
      // What the server refuses at once is not begun.
      const refused = transaction(driver, { watch: [list] }, (tx) =>
        tx.commit((queue) => {
          queue.set(other, 'again');
          queue.set(list);
        }),
      );
      await expect(refused).rejects.toMatchObject({ code: 'SERVER' });
      expect(await get(other)).toBe('in');
    });

    it('the contention tracker says when a script is better, and the fallback takes over', async () => {
      const { driver, other } = world();
      const name = key();
      const contention = new ContentionTracker();
      const run = () =>
        transaction(
          driver,
          {
            watch: [name],
            attempts: 30,
            backoff: { baseMs: 0 },
            contention,
            fallback: () => clear.run(driver, { keys: { key: name }, args: {} }),
          },
          async (tx) => {
            const value = await tx.read.get(name);
            await raw(other, 'SET', name, `${value}.`);
            return tx.commit((queue) => queue.set(name, 'by transaction'));
          },
        );
      expect(await run()).toMatchObject({ status: 'cleared', by: 'script' });
      const report = contention.report();
      expect(report).toMatchObject({ attempts: 30, conflicts: 30, rate: 1 });
      expect(report.hottest[0]).toMatchObject({ conflicts: 30, mostAttempts: 30 });
      expect(report.hottest[0].key).not.toContain(name);
      expect(report.advice).toContain('use a script');
      // Now it is known to be hot: not even tried.
      expect(await run()).toMatchObject({ status: 'cleared', meta: { attempts: 1 } });
      expect(contention.report().attempts).toBe(30);
    });

    it('object transactions compose into one WATCH and one EXEC, children seeing what their parents prepared', async () => {
      const { driver, other } = world();
      const base = key();
      const order: string[] = [];
      const stock: ObjectTransaction<undefined, { price: number }> = {
        name: 'stock',
        keys: () => [`${base}:stock`, `${base}:price`],
        async prepare(read) {
          order.push('prepare stock');
          const [left, price] = await Promise.all([read.get(`${base}:stock`), read.get(`${base}:price`)]);
          return Number(left) < 1 ? rejection('sold_out') : { price: Number(price) };
        },
        execute(queue) {
          order.push('execute stock');
          queue.decr(`${base}:stock`);
        },
        children: [
          {
            name: 'wallet',
            init: async () => `${base}:wallet`,
            keys: (wallet: string) => [wallet],
            async prepare(read, wallet: string, around) {
              const { price } = around.of(stock);
              order.push(`prepare wallet ${price}`);
              const money = Number(await read.get(wallet));
              if (around.attempt === 1) await raw(other, 'SET', wallet, 15);
              return money < price ? rejection('too_poor', { money }) : price;
            },
            execute(queue, price: number, wallet: string) {
              order.push('execute wallet');
              queue.decrby(wallet, price);
            },
          },
        ],
      };
      for (const [part, value] of [
        ['stock', 1],
        ['price', 12],
        ['wallet', 20],
      ] as const) {
        await raw(driver, 'SET', `${base}:${part}`, value);
      }
      const result = await runTransaction(driver, stock);
      expect(result).toMatchObject({ status: 'committed', value: { price: 12 }, meta: { conflicts: 1 } });
      expect(order.slice(-4)).toEqual([
        'prepare stock',
        'prepare wallet 12',
        'execute stock',
        'execute wallet',
      ]);
      expect([await get(`${base}:stock`), await get(`${base}:wallet`)]).toEqual(['0', '3']);
      expect(await runTransaction(driver, stock)).toMatchObject({ status: 'rejected', reason: 'sold_out' });
      await raw(driver, 'SET', `${base}:stock`, 1);
      expect(await runTransaction(driver, stock)).toMatchObject({
        reason: 'too_poor',
        data: { money: expect.any(Number) },
      });
      expect(await get(`${base}:stock`)).toBe('1');
    });
  },
};
