// Contract of versioned: a stale version never overwrites a newer one, and a stale fence neither reads nor writes.
import { expect, it } from 'vitest';
import { type Driver, lock, versioned } from '../../../src/workflows/index.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  named,
  raw,
  type Stress,
  sleep,
  type Tally,
  unsure,
} from '../world.ts';

export const versionedContract: Contract = {
  workflow: 'versioned',
  suite(world) {
    const make = (options: Omit<Parameters<typeof versioned>[1] & {}, 'prefix'> = {}) => {
      const prefix = freshPrefix();
      const mine = versioned(world().driver, { prefix, ...options });
      return { prefix, mine, theirs: versioned(world().other, { prefix, ...options }) };
    };

    it('a newer version overwrites, an older one does not', async () => {
      const { mine, theirs } = make();
      expect(await mine.write('a', 'five', 5n)).toMatchObject({ ok: true, status: 'written', version: 5n });
      expect(await theirs.write('a', 'four', 4n)).toMatchObject({ ok: false, status: 'stale', version: 5n });
      expect((await theirs.write('a', 'ten', 10n)).status).toBe('written');
      expect(await mine.read('a')).toMatchObject({ ok: true, status: 'found', value: 'ten', version: 10n });
    });

    it('versions are compared as integers of 64 bits, not as text and not as doubles', async () => {
      const { mine } = make();
      const order = [
        -9223372036854775808n,
        -10n,
        -9n,
        0n,
        9n,
        10n,
        9007199254740992n,
        9007199254740993n,
        9223372036854775806n,
        9223372036854775807n,
      ];
      for (const [i, version] of order.entries()) {
        expect((await mine.write('a', `${i}`, version)).status, `${version}`).toBe('written');
        for (const older of order.slice(0, i)) {
          expect(await mine.write('a', 'old', older), `${older}`).toMatchObject({ status: 'stale', version });
        }
      }
      expect(await mine.read('a')).toMatchObject({ value: '9', version: 9223372036854775807n });
    });

    it('the same write again changes nothing, the same version with another value is stale', async () => {
      const { mine } = make();
      await mine.write('a', 'x', 1n);
      expect(await mine.write('a', 'x', 1n)).toMatchObject({
        status: 'written',
        meta: { replayed: true, retry: 'always' },
      });
      expect(await mine.write('a', 'y', 1n)).toMatchObject({ status: 'stale', version: 1n });
      expect(await mine.read('a')).toMatchObject({ value: 'x' });
    });

    it('a value that expired resets nothing: the floor outlives it', async () => {
      const { mine, prefix } = make({ ttlMs: 50 });
      await mine.write('a', 'seven', 7n);
      await sleep(110);
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{a}`)).toBe(0);
      expect(await raw(world().driver, 'PTTL', `${prefix}:{a}:floor`)).toBe(-1);
      expect(await mine.read('a')).toMatchObject({
        ok: false,
        status: 'missing',
        version: 7n,
        removed: false,
      });
      expect(await mine.write('a', 'six', 6n)).toMatchObject({ status: 'stale', version: 7n });
      // A cache is filled again with what it had.
      const longer = versioned(world().driver, { prefix, ttlMs: 60_000 });
      expect((await longer.write('a', 'seven', 7n)).status).toBe('written');
      expect(await mine.read('a')).toMatchObject({ value: 'seven' });
    });

    it('a removal is a version too: older ones do not come back', async () => {
      const { mine } = make();
      await mine.write('a', 'x', 1n);
      expect((await mine.remove('a', 2n)).status).toBe('written');
      expect(await mine.remove('a', 2n)).toMatchObject({ status: 'written', meta: { replayed: true } });
      expect(await mine.read('a')).toMatchObject({ status: 'missing', version: 2n, removed: true });
      expect((await mine.write('a', 'x', 1n)).status).toBe('stale');
      expect((await mine.write('a', 'x', 2n)).status).toBe('stale');
      expect((await mine.remove('a', 1n)).status).toBe('stale');
      expect((await mine.write('a', 'y', 3n)).status).toBe('written');
      expect((await mine.remove('a', 3n)).status).toBe('stale');
      expect(await mine.read('b')).toMatchObject({ status: 'missing', version: null, removed: false });
    });

    it('compareAndSet writes the next version of the expected one, and nothing else', async () => {
      const { mine, theirs } = make();
      expect(await mine.compareAndSet('a', 'x', { expected: 1n })).toMatchObject({
        ok: false,
        status: 'conflict',
        version: null,
      });
      expect(await mine.compareAndSet('a', 'x', { expected: null })).toMatchObject({ version: 1n });
      expect(await theirs.compareAndSet('a', 'y', { expected: null })).toMatchObject({
        status: 'conflict',
        version: 1n,
      });
      expect(await theirs.compareAndSet('a', 'y', { expected: 1n })).toMatchObject({
        ok: true,
        status: 'written',
        version: 2n,
      });
      const big = 9007199254740993n;
      await mine.write('a', 'big', big);
      const rounded = await mine.compareAndSet('a', 'z', { expected: big - 1n });
      expect(rounded).toMatchObject({ status: 'conflict', version: big });
      expect(await mine.compareAndSet('a', 'z', { expected: big })).toMatchObject({ version: big + 1n });
    });

    it('compareAndSet with a request id is answered as before, also when others have written since', async () => {
      const { mine, theirs } = make();
      const options = { expected: null, requestId: 'r1' };
      expect((await mine.compareAndSet('a', 'x', options)).meta).toMatchObject({
        replayed: false,
        retry: 'same-request-id',
      });
      await theirs.compareAndSet('a', 'y', { expected: 1n });
      expect(await mine.compareAndSet('a', 'x', options)).toMatchObject({
        status: 'written',
        version: 1n,
        meta: { replayed: true },
      });
      expect((await mine.compareAndSet('a', 'z', options)).status).toBe('request_reused');
      expect(await mine.read('a')).toMatchObject({ value: 'y', version: 2n });
      expect((await mine.compareAndSet('a', 'z', { expected: 2n })).meta.retry).toBe('never');
    });

    it('a stale fence is refused, on write and on read', async () => {
      const { mine, theirs } = make();
      await mine.write('a', 'x', 1n, { fence: 10 });
      await theirs.write('a', 'y', 2n, { fence: 11 });
      const refused = { ok: false, status: 'fenced', fence: 11 };
      expect(await mine.write('a', 'z', 3n, { fence: 10 })).toMatchObject(refused);
      expect(await mine.remove('a', 3n, { fence: 10 })).toMatchObject(refused);
      expect(await mine.read('a', { fence: 10 })).toMatchObject(refused);
      expect(await mine.compareAndSet('a', 'z', { expected: 2n, fence: 10 })).toMatchObject(refused);
      expect(await theirs.read('a', { fence: 11 })).toMatchObject({ value: 'y', version: 2n });
      expect(await theirs.read('b', { fence: 11 })).toMatchObject({ status: 'missing', version: null });
    });

    it('a read under a greater fence shuts the last owner out before the first write', async () => {
      const { mine, theirs } = make();
      await mine.write('a', 'x', 1n, { fence: 10 });
      await theirs.read('a', { fence: 11 });
      expect((await mine.write('a', 'late', 2n, { fence: 10 })).status).toBe('fenced');
      expect(await theirs.read('a', { fence: 11 })).toMatchObject({ value: 'x' });
    });

    it('the fence of a lock fits: an owner whose lock was lost cannot write', async () => {
      const { mine, theirs, prefix } = make({ fenced: true });
      const locks = lock(world().driver, { prefix: `${prefix}lock`, leaseMs: 20_000 });
      const first = (await locks.acquire('a')).orThrow();
      await raw(world().driver, 'DEL', `${prefix}lock:{a}`);
      const second = (await locks.acquire('a')).orThrow();
      expect((await theirs.write('a', 'new', 1n, second)).status).toBe('written');
      expect((await mine.write('a', 'old', 2n, first)).status).toBe('fenced');
      await expect(mine.read('a')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      await expect(mine.write('a', 'x', 3n)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    });

    it('keys go away only when they were told to', async () => {
      const { mine, prefix } = make({ ttlMs: 10_000, floorTtlMs: 60_000 });
      await mine.write('a', 'x', 1n);
      const value = Number(await raw(world().driver, 'PTTL', `${prefix}:{a}`));
      const floor = Number(await raw(world().driver, 'PTTL', `${prefix}:{a}:floor`));
      expect(value).toBeGreaterThan(5000);
      expect(value).toBeLessThanOrEqual(10_000);
      expect(floor).toBeGreaterThan(30_000);
      expect(floor).toBeLessThanOrEqual(60_000);
      await mine.read('b', { fence: 1 });
      expect(Number(await raw(world().driver, 'PTTL', `${prefix}:{b}:floor`))).toBeGreaterThan(30_000);
    });

    it('values are text of any kind, the empty one too', async () => {
      const { mine } = make();
      for (const [i, value] of ['', 'naïve ☃', '\0\n', '{"a":[1]}'].entries()) {
        await mine.write('a', value, BigInt(i));
        expect(await mine.read('a')).toMatchObject({ status: 'found', value });
      }
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make({ maxValueBytes: 4 });
      const wrong = { code: 'BAD_ARGUMENT' };
      const making = (options: object) => () => versioned(world().driver, options);
      expect(making({ floorTtlMs: 1000 })).toThrow(expect.objectContaining(wrong));
      expect(making({ ttlMs: 1000, floorTtlMs: 1999 })).toThrow(expect.objectContaining(wrong));
      await expect(mine.write('', 'x', 1n)).rejects.toMatchObject(wrong);
      await expect(mine.write('a', 'x', 2n ** 63n)).rejects.toMatchObject(wrong);
      await expect(mine.write('a', 'x', 1 as unknown as bigint)).rejects.toMatchObject(wrong);
      await expect(mine.write('a', '12345', 1n)).rejects.toMatchObject(wrong);
      await expect(mine.write('a', 'x', 1n, { fence: 1.5 })).rejects.toMatchObject(wrong);
      const last = { expected: 2n ** 63n - 1n };
      await expect(mine.compareAndSet('a', 'x', last)).rejects.toMatchObject(wrong);
    });
  },
};

/** Indices of clients grow and start at round numbers in other processes: versions are to grow alike in all. */
const FIRST = 9_007_199_254_740_000;

export const versionedStress: Stress = {
  workflow: 'versioned',
  async setup() {},
  async client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally> {
    const tally: Tally = {};
    const values = versioned(driver, { prefix });
    let last = 0n;
    for (let i = 0; i < 15; i++) {
      const version = BigInt(FIRST + (index % 1000) * 20) + BigInt(Math.floor(random() * 2000));
      const written = await attempt(tally, () => values.write('hot', `v${version}`, version));
      if (written?.ok) count(tally, `wrote ${version}`);
      if (written !== null && unsure(written)) count(tally, `perhaps ${version}`);
      if (written?.status === 'written') last = version > last ? version : last;
      const read = await attempt(tally, () => values.read('hot'));
      if (read?.status === 'found') {
        if (read.version < last) count(tally, 'back');
        if (read.value !== `v${read.version}`) count(tally, 'torn');
        last = read.version;
      }
      const before = await attempt(tally, () => values.read('counter'));
      if (before === null || before.status === 'unknown' || before.status === 'fenced') continue;
      const expected = before.version;
      const next = String(Number(expected ?? 0n) + 1);
      const added = await attempt(tally, () =>
        values.compareAndSet('counter', next, { expected, requestId: `${index}-${i}` }),
      );
      if (added?.ok) count(tally, 'added');
      if (added !== null && unsure(added)) count(tally, 'unsure');
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    expect(tally.back ?? 0).toBe(0);
    expect(tally.torn ?? 0).toBe(0);
    const read = async (id: string) =>
      (await raw(driver, 'HMGET', `${prefix}:{${id}}`, 'version', 'value')) as string[];
    const [count, value] = await read('counter');
    expect(value).toBe(count);
    expectWithin(Number(count), tally.added, tally.unsure);
    // The newest one that was written stands.
    const [newest, text] = await read('hot');
    expect(text).toBe(`v${newest}`);
    const wrote = [...named(tally, 'wrote ').keys()].map(BigInt);
    expect(wrote.filter((version) => version > BigInt(newest))).toEqual([]);
    const known = named(tally, `wrote ${newest}`).size + named(tally, `perhaps ${newest}`).size;
    expect(known).toBeGreaterThan(0);
  },
};
