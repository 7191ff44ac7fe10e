// Contract of dedup: a request id's effect happens once, repeats return the first result.
import { expect, it } from 'vitest';
import { type Driver, dedup, denied, int, Lost, ok, onceScript, text } from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
import {
  attempt,
  type Contract,
  count,
  freshPrefix,
  raw,
  type Stress,
  sleep,
  type Tally,
  unsure,
} from '../world.ts';

const push = onceScript({
  name: 'dedup_test_push',
  version: 1,
  lua: `
    if ARGV[1] == 'refuse' then return {'refused', 'why'} end
    if ARGV[1] == 'fail' then return redis.call('INCR', KEYS[1]) end
    return {'pushed', redis.call('RPUSH', KEYS[1], ARGV[1]), ARGV[1]} -- a comment ends it`,
  keys: ['list'],
  args: { item: text },
  reply: { pushed: ok({ length: int, item: text }), refused: denied({ reason: text }) },
  windowMs: 60_000,
});

export const dedupContract: Contract = {
  workflow: 'dedup',
  suite(world) {
    const make = (leaseMs = 20_000, more: { windowMs?: number; maxResultBytes?: number } = {}) => {
      const prefix = freshPrefix();
      const mine = dedup(world().driver, { prefix, leaseMs, ...more });
      return { prefix, mine, theirs: dedup(world().other, { prefix, leaseMs, ...more }) };
    };
    const input = (list: string, item: string) => ({ keys: { list }, args: { item } });

    it('an effect in Redis happens once, and repetitions get the first answer', async () => {
      const list = `${freshPrefix()}:{a}`;
      const first = await push.run(world().driver, input(list, 'x'), 'r1');
      expect(first).toMatchObject({ ok: true, status: 'pushed', length: 1, item: 'x' });
      expect(first.meta).toMatchObject({ replayed: false, retry: 'same-request-id', requestId: 'r1' });
      await push.run(world().driver, input(list, 'y'), 'r2');
      const again = await push.run(world().other, input(list, 'x'), 'r1');
      expect(again).toMatchObject({ status: 'pushed', length: 1, item: 'x', meta: { replayed: true } });
      expect(await raw(world().driver, 'LRANGE', list, 0, -1)).toEqual(['x', 'y']);
    });

    it('the same id with other arguments or keys is refused', async () => {
      const prefix = freshPrefix();
      await push.run(world().driver, input(`${prefix}:{a}`, 'x'), 'r');
      const reused = await push.run(world().driver, input(`${prefix}:{a}`, 'y'), 'r');
      expect(reused).toMatchObject({ ok: false, status: 'request_reused' });
      expect(await raw(world().driver, 'LLEN', `${prefix}:{a}`)).toBe(1);
    });

    it('denials are remembered as well, errors are not', async () => {
      const list = `${freshPrefix()}:{a}`;
      const { driver } = world();
      expect(await push.run(driver, input(list, 'refuse'), 'r')).toMatchObject({ reason: 'why' });
      expect(await push.run(driver, input(list, 'refuse'), 'r')).toMatchObject({
        status: 'refused',
        reason: 'why',
        meta: { replayed: true },
      });
      await push.run(driver, input(list, 'x'), 's');
      const failing = push.run(driver, input(list, 'fail'), 't');
      await expect(failing).rejects.toMatchObject({ code: 'WRONGTYPE' });
      expect(await raw(driver, 'EXISTS', `${list}:request:t`)).toBe(0);
    });

    it('a lost reply is made up for by sending again, and the effect happens once', async () => {
      const list = `${freshPrefix()}:{a}`;
      const { driver } = world();
      let losses = 0;
      const forgetful: Driver = {
        ...driver,
        facts: driver.facts,
        async send(request) {
          const answer = await driver.send(request);
          if (losses++ === 0) throw new Lost('the reply');
          return answer;
        },
      };
      await push.run(driver, input(`${list}2`, 'warm'), 'w');
      const pushed = await push.run(forgetful, input(list, 'x'), 'r');
      expect(pushed).toMatchObject({ status: 'pushed', length: 1, meta: { attempts: 2, replayed: true } });
      expect(await raw(driver, 'LLEN', list)).toBe(1);
    });

    it('the record has a lifetime, and lies in the slot of a key without braces', async () => {
      const list = freshPrefix();
      await push.run(world().driver, input(list, 'x'), 'r');
      const ttl = Number(await raw(world().driver, 'PTTL', `{${list}}:request:r`));
      expect(ttl).toBeGreaterThan(30_000);
      expect(ttl).toBeLessThanOrEqual(60_000);
    });

    it('a window shorter than the whole retry horizon is refused', async () => {
      const list = `${freshPrefix()}:{a}`;
      const wrong = { code: 'BAD_ARGUMENT' };
      const late = push.run(world().driver, input(list, 'x'), 'r', { deadlineMs: 30_001 });
      await expect(late).rejects.toMatchObject(wrong);
      const { mine } = make(1000, { windowMs: 9_999 });
      await expect(mine.claim('r')).rejects.toMatchObject(wrong);
      expect((await mine.claim('r', { deadlineMs: 4_000 })).status).toBe('claimed');
    });

    it('in flight is not done', async () => {
      const { mine, theirs } = make();
      const claimed = await mine.claim('r');
      if (claimed.status !== 'claimed') throw new Error(claimed.status);
      const waiting = await theirs.claim('r');
      expect(waiting).toMatchObject({ ok: false, status: 'in_flight' });
      if (waiting.status === 'in_flight') expect(waiting.leaseLeftMs).toBeGreaterThan(10_000);
      expect((await mine.done('r', claimed.owner, 'sent')).status).toBe('recorded');
      expect(await theirs.claim('r')).toMatchObject({
        ok: true,
        status: 'done',
        result: 'sent',
        meta: { replayed: true },
      });
    });

    it('a claim that ran out goes to the next one, and the late one is stale', async () => {
      const { mine, prefix } = make(50);
      const theirs = dedup(world().other, { prefix, leaseMs: 20_000 });
      await mine.claim('r', { owner: 'slow' });
      await sleep(110);
      expect((await theirs.claim('r', { owner: 'fast' })).status).toBe('claimed');
      expect((await mine.done('r', 'slow', 'late')).status).toBe('stale');
      expect((await mine.abandon('r', 'slow')).status).toBe('stale');
      expect((await theirs.done('r', 'fast', 'good')).status).toBe('recorded');
    });

    it('who is late and alone is recorded, for it did happen', async () => {
      const { mine } = make(40);
      await mine.claim('r', { owner: 'me' });
      await sleep(90);
      expect((await mine.done('r', 'me', 'x')).status).toBe('recorded');
      expect(await mine.claim('r')).toMatchObject({ status: 'done', result: 'x' });
    });

    it('an abandoned claim is free at once', async () => {
      const { mine, theirs } = make();
      await mine.claim('r', { owner: 'me' });
      expect((await theirs.abandon('r', 'other')).status).toBe('stale');
      expect((await mine.abandon('r', 'me')).status).toBe('abandoned');
      expect((await theirs.claim('r')).status).toBe('claimed');
    });

    it('each call may be sent again', async () => {
      const { mine } = make();
      await mine.claim('r', { owner: 'me' });
      expect(await mine.claim('r', { owner: 'me' })).toMatchObject({
        status: 'claimed',
        meta: { replayed: true, retry: 'always' },
      });
      await mine.done('r', 'me', '1');
      expect(await mine.done('r', 'me', '1')).toMatchObject({ status: 'recorded', meta: { replayed: true } });
      expect((await mine.done('r', 'me', '2')).status).toBe('stale');
      await mine.claim('s', { owner: 'me' });
      await mine.abandon('s', 'me');
      expect(await mine.abandon('s', 'me')).toMatchObject({ status: 'abandoned', meta: { replayed: true } });
    });

    it('missing TTL (upstash#95): claims and results both have one', async () => {
      const { mine, prefix } = make(20_000, { windowMs: 90_000 });
      await mine.claim('r', { owner: 'me' });
      expect(await raw(world().driver, 'PTTL', `${prefix}:{r}`)).toBeLessThanOrEqual(20_000);
      await mine.done('r', 'me');
      const ttl = Number(await raw(world().driver, 'PTTL', `${prefix}:{r}`));
      expect(ttl).toBeGreaterThan(60_000);
      expect(ttl).toBeLessThanOrEqual(90_000);
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make(1000, { maxResultBytes: 3 });
      const wrong = { code: 'BAD_ARGUMENT' };
      await expect(mine.claim('')).rejects.toMatchObject(wrong);
      await expect(mine.done('r', 'me', 'long')).rejects.toMatchObject(wrong);
      await expect(push.run(world().driver, input('a', 'x'), '')).rejects.toMatchObject(wrong);
      const reply = { request_reused: ok() };
      const define = () =>
        onceScript({ name: 'x', version: 1, lua: 'return 1', keys: ['k'], args: {}, reply });
      expect(define).toThrow(expect.objectContaining(wrong));
    });
  },
};

const IDS = 150;

export const dedupStress: Stress = inGenerations({
  workflow: 'dedup',
  async open() {},
  async client(driver, prefix, { id: generation, index, random }) {
    const tally: Tally = {};
    // No claim ends while this runs.
    const claims = dedup(driver, { prefix, leaseMs: 3_600_000 });
    for (let i = 0; i < 20; i++) {
      const id = `${generation}-${Math.floor(random() * IDS)}`;
      const keys = { list: `${prefix}:{${generation}}` };
      const pushed = await attempt(tally, () => push.run(driver, { keys, args: { item: id } }, id));
      if (pushed?.status === 'request_reused') count(tally, 'reused');
      if (pushed?.status === 'pushed' && !pushed.meta.replayed) count(tally, `first ${id}`);
      if (pushed?.status === 'pushed') count(tally, `pushed ${id}`);
      if (pushed !== null && (unsure(pushed) || pushed.meta.attempts > 1)) count(tally, `unsure ${id}`);
      const claim = await attempt(tally, () => claims.claim(id, { owner: `${index}-${i}` }));
      if (claim === null) continue;
      if (claim.status === 'unknown') count(tally, `perhaps ${id}`);
      if (claim.status === 'done') count(tally, claim.result === id ? `done ${id}` : 'other');
      if (claim.status !== 'claimed') continue;
      count(tally, `claimed ${id}`);
      const recorded = await attempt(tally, () => claims.done(id, claim.owner, id));
      if (recorded?.status === 'stale') count(tally, 'stale');
      if (recorded?.ok) count(tally, `done ${id}`);
    }
    return tally;
  },
  async check(driver, prefix, generation, tally) {
    const items = (await raw(driver, 'LRANGE', `${prefix}:{${generation}}`, 0, -1)) as string[];
    expect(new Set(items).size).toBe(items.length);
    const of = (name: string, id: string): number => tally[`${name} ${id}`] ?? 0;
    for (const name of ['reused', 'stale', 'other']) expect(tally[name] ?? 0, name).toBe(0);
    const claims = dedup(driver, { prefix, leaseMs: 3_600_000 });
    for (let i = 0; i < IDS; i++) {
      const id = `${generation}-${i}`;
      // One of those who pushed was the first, unless that one did not hear of it.
      expect(of('first', id), id).toBeLessThanOrEqual(1);
      if (items.includes(id)) expect(of('first', id) + of('unsure', id), id).toBeGreaterThanOrEqual(1);
      else expect(of('pushed', id), id).toBe(0);
      expect(of('claimed', id), id).toBeLessThanOrEqual(1);
      const claim = (await claims.claim(id, { owner: 'check' })).status;
      if (of('done', id) > 0) expect(claim, id).toBe('done');
      if (claim !== 'claimed') expect(of('claimed', id) + of('perhaps', id), id).toBeGreaterThanOrEqual(1);
      else expect(of('claimed', id), id).toBe(0);
    }
  },
});
