// Contract of popLowest: the lowest element is popped once, by each of the three mechanisms.
import { describe, expect, it } from 'vitest';
import { type PopLowestOptions, popLowest } from '../../../src/workflows/index.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  named,
  raw,
  type Stress,
  type Tally,
  unsure,
  type World,
} from '../world.ts';

const MECHANISMS = ['script', 'command', 'watch'] as const;

export const popLowestContract: Contract = {
  workflow: 'popLowest',
  suite(world) {
    for (const mechanism of MECHANISMS) describe(mechanism, () => promises(mechanism, world));

    it('a repeated request gets the same element, and no other is lost', async () => {
      const jobs = popLowest(world().driver, { prefix: freshPrefix() });
      await jobs.add('s', 'a', 1);
      await jobs.add('s', 'b', 2);
      await jobs.pop('s', { requestId: 'r' });
      const again = await jobs.pop('s', { requestId: 'r' });
      expect(again).toMatchObject({ status: 'popped', member: 'a', score: 1, meta: { replayed: true } });
      expect(await jobs.pop('s', { requestId: 'r2' })).toMatchObject({ member: 'b' });
    });

    it('that nothing was there is not remembered', async () => {
      const jobs = popLowest(world().driver, { prefix: freshPrefix() });
      expect(await jobs.pop('s', { requestId: 'r' })).toMatchObject({ status: 'empty' });
      await jobs.add('s', 'a', 1);
      expect(await jobs.pop('s', { requestId: 'r' })).toMatchObject({ status: 'popped', member: 'a' });
    });

    it('the record of a request goes away', async () => {
      const prefix = freshPrefix();
      const jobs = popLowest(world().driver, { prefix, requestTtlMs: 60_000 });
      await jobs.add('s', 'a', 1);
      await jobs.pop('s', { requestId: 'r' });
      const ttl = Number(await raw(world().driver, 'PTTL', `${prefix}:{s}:request:r`));
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(60_000);
    });

    it('the mechanisms that forget refuse a request id, and say that they may not be repeated', async () => {
      for (const mechanism of ['command', 'watch'] as const) {
        const jobs = popLowest(world().driver, { prefix: freshPrefix(), mechanism });
        await expect(jobs.pop('s', { requestId: 'r' })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
        await jobs.add('s', 'a', 1);
        expect((await jobs.pop('s')).meta.retry).toBe('never');
      }
      const jobs = popLowest(world().driver, { prefix: freshPrefix() });
      const { meta } = await jobs.pop('s');
      expect(meta.retry).toBe('same-request-id');
      expect(meta.requestId).toMatch(/^[0-9a-f-]{36}$/);
    });
  },
};

function promises(mechanism: 'script' | 'command' | 'watch', world: () => World): void {
  const make = (options: PopLowestOptions = {}) => {
    const prefix = freshPrefix();
    return { prefix, jobs: popLowest(world().driver, { prefix, mechanism, ...options }) };
  };

  it('pops the lowest first, and of equal ones the first by its bytes', async () => {
    const { jobs } = make();
    for (const [member, score] of [
      ['b', 2],
      ['c', -1.5],
      ['a', 2],
    ] as const) {
      expect(await jobs.add('s', member, score)).toMatchObject({ ok: true, status: 'added' });
    }
    const first = await jobs.pop('s');
    expect(first).toMatchObject({ ok: true, status: 'popped', member: 'c', score: -1.5 });
    expect(first.orThrow().member).toBe('c');
    expect(await jobs.pop('s')).toMatchObject({ member: 'a', score: 2 });
    expect(await jobs.pop('s')).toMatchObject({ member: 'b', score: 2 });
    expect(await jobs.pop('s')).toMatchObject({ ok: false, status: 'empty' });
  });

  it('a member that is added again moves', async () => {
    const { jobs } = make();
    await jobs.add('s', 'a', 1);
    await jobs.add('s', 'b', 2);
    expect(await jobs.add('s', 'a', 3)).toMatchObject({ ok: true, status: 'moved' });
    expect(await jobs.pop('s')).toMatchObject({ member: 'b' });
  });

  it('two at once never get the same one', async () => {
    const { jobs, prefix } = make();
    const second = popLowest(world().other, { prefix, mechanism });
    for (let i = 0; i < 6; i++) await jobs.add('s', `m${i}`, i);
    const popped = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 ? jobs : second).pop('s', { deadlineMs: 15_000 })),
    );
    const members = popped.flatMap((result) => (result.status === 'popped' ? [result.member] : []));
    expect(members.toSorted()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
  });

  it('keeps scores exactly, infinite ones as well', async () => {
    const { jobs, prefix } = make();
    const scores = [0.1 + 0.2, 1e300, 5e-324, Number.MAX_SAFE_INTEGER];
    for (const score of scores) {
      await jobs.add('s', 'a', score);
      expect(await jobs.pop('s')).toMatchObject({ score });
    }
    await raw(world().driver, 'ZADD', `${prefix}:{s}`, '-inf', 'low', '+inf', 'high');
    expect(await jobs.pop('s')).toMatchObject({ member: 'low', score: Number.NEGATIVE_INFINITY });
    expect(await jobs.pop('s')).toMatchObject({ member: 'high', score: Number.POSITIVE_INFINITY });
  });

  it('leaves no key behind', async () => {
    const { jobs, prefix } = make();
    await jobs.add('s', 'a', 1);
    await jobs.pop('s');
    expect(await raw(world().driver, 'EXISTS', `${prefix}:{s}`)).toBe(0);
  });

  it('refuses what makes no sense before anything is sent', async () => {
    const bad = { code: 'BAD_ARGUMENT' };
    const { jobs } = make();
    await expect(jobs.add('s', 'a', Number.NaN)).rejects.toMatchObject(bad);
    await expect(jobs.add('s', '', 1)).rejects.toMatchObject(bad);
    await expect(jobs.pop('')).rejects.toMatchObject(bad);
    expect(() => make({ mechanism: 'lock' as never })).toThrow(expect.objectContaining(bad));
    expect(() => make({ requestTtlMs: 0 })).toThrow(expect.objectContaining(bad));
  });
}

const OWN = 8;

export const popLowestStress: Stress = {
  workflow: 'popLowest',
  async setup() {},
  async client(driver, prefix, index, random) {
    const tally: Tally = {};
    const mechanism = MECHANISMS[index % MECHANISMS.length];
    const jobs = popLowest(driver, { prefix, mechanism });
    for (let i = 0; i < OWN; i++) {
      const member = `${index}-${i}`;
      const added = await attempt(tally, () => jobs.add('hot', member, Math.floor(random() * 100)));
      if (added?.ok) count(tally, `added ${member}`);
      if (added?.status === 'unknown') count(tally, `perhaps ${member}`);
      const request = mechanism === 'script' ? { requestId: member } : {};
      const result = await attempt(tally, () => jobs.pop('hot', request));
      if (result === null) continue;
      if (unsure(result)) count(tally, 'unsure');
      if (result.status !== 'popped') continue;
      count(tally, `got ${result.member}`);
      // Now and then somebody asks twice, as after a lost reply.
      if (mechanism !== 'script' || random() > 0.2) continue;
      const again = await attempt(tally, () => jobs.pop('hot', request));
      if (again?.status === 'popped' && again.member !== result.member) count(tally, 'broken');
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    const left = new Set((await raw(driver, 'ZRANGE', `${prefix}:{hot}`, 0, -1)) as string[]);
    const got = named(tally, 'got ');
    const added = named(tally, 'added ');
    const perhaps = named(tally, 'perhaps ');
    expect(tally.broken ?? 0).toBe(0);
    for (const [member, times] of got) expect(times, `${member} more than once`).toBe(1);
    for (const member of left) expect(got.has(member), `${member} is still there`).toBe(false);
    for (const member of [...left, ...got.keys()]) {
      expect(added.has(member) || perhaps.has(member), `${member} was never added`).toBe(true);
    }
    // What neither anybody got nor is there was popped by a request whose answer is unknown.
    const gone = [...added.keys()].filter((member) => !left.has(member) && !got.has(member)).length;
    expectWithin(gone, 0, tally.unsure);
  },
};
