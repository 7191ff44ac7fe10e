// Contract of uniqueEvent: an event id is seen once per window, in bounded memory.
import { expect, it } from 'vitest';
import { type Driver, Lost, uniqueEvent } from '../../../src/workflows/index.ts';
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

const LONG = 60_000;

export const uniqueEventContract: Contract = {
  workflow: 'uniqueEvent',
  suite(world) {
    const make = (windowMs = LONG, maxEvents?: number) => {
      const prefix = freshPrefix();
      const options = { prefix, windowMs, maxEvents };
      return {
        prefix,
        mine: uniqueEvent(world().driver, options),
        theirs: uniqueEvent(world().other, options),
      };
    };
    /** A driver that loses the reply of the first thing it sends. */
    const forgetful = (): Driver => {
      const { driver } = world();
      let sent = 0;
      return {
        ...driver,
        facts: driver.facts,
        async send(request) {
          const answer = await driver.send(request);
          if (sent++ === 0) throw new Lost('the reply');
          return answer;
        },
      };
    };

    for (const maxEvents of [undefined, 100]) {
      const kind = maxEvents === undefined ? 'a key for each' : 'a bounded stream';

      it(`${kind}: an event is first once, and then a duplicate that knows since when`, async () => {
        const { mine, theirs } = make(LONG, maxEvents);
        const first = await mine.seen('s', 'e1');
        expect(first).toMatchObject({ ok: true, status: 'first', forgotten: 0 });
        const second = await theirs.seen('s', 'e1');
        expect(second).toMatchObject({
          ok: false,
          status: 'duplicate',
          firstSeenMs: first.meta.serverTimeMs,
          meta: { retry: 'always', replayed: false },
        });
        expect((await mine.seen('s', 'e2')).status).toBe('first');
        expect((await mine.seen('t', 'e1')).status).toBe('first');
      });

      it(`${kind}: when the window is over it is first again, and nothing is left behind`, async () => {
        const { mine, prefix } = make(60, maxEvents);
        await mine.seen('s', 'e');
        await sleep(120);
        for (const key of [`${prefix}:s:{e}`, `${prefix}:{s}:events`, `${prefix}:{s}:tokens`]) {
          expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
        }
        expect((await mine.seen('s', 'e')).status).toBe('first');
      });

      it(`${kind}: a lost reply that is made up for does not make a duplicate of itself`, async () => {
        const { mine, prefix } = make(LONG, maxEvents);
        await mine.seen('s', 'warm');
        const lossy = uniqueEvent(forgetful(), { prefix, windowMs: LONG, maxEvents });
        expect(await lossy.seen('s', 'e')).toMatchObject({
          status: 'first',
          meta: { attempts: 2, replayed: true },
        });
        expect((await lossy.seen('s', 'e')).status).toBe('duplicate');
        await mine.seen('s', 'f', { token: 't' });
        expect((await mine.seen('s', 'f', { token: 't' })).status).toBe('first');
      });

      it(`${kind}: a duplicate does not lengthen the window`, async () => {
        const { mine } = make(400, maxEvents);
        const start = performance.now();
        await mine.seen('s', 'e');
        let status = '';
        while (status !== 'first' && performance.now() - start < 10_000) {
          await sleep(40);
          ({ status } = await mine.seen('s', 'e'));
        }
        expect(status).toBe('first');
        expect(performance.now() - start).toBeGreaterThan(300);
      });

      it(`${kind}: what could not be dealt with is forgotten, by the one who saw it first`, async () => {
        const { mine, theirs } = make(LONG, maxEvents);
        const { token } = (await mine.seen('s', 'e')).orThrow();
        expect((await theirs.forget('s', 'e', 'other')).status).toBe('not_first');
        expect((await mine.forget('s', 'e', token)).status).toBe('forgotten');
        expect(await mine.forget('s', 'e', token)).toMatchObject({ ok: true, meta: { replayed: true } });
        expect((await theirs.seen('s', 'e')).status).toBe('first');
      });
    }

    it('memory is bounded: the oldest is forgotten first, and the result says so', async () => {
      const { mine, prefix } = make(LONG, 3);
      for (const id of ['a', 'b', 'c']) expect(await mine.seen('s', id)).toMatchObject({ forgotten: 0 });
      expect(await mine.seen('s', 'd')).toMatchObject({ status: 'first', forgotten: 1 });
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{s}:events`)).toBe(3);
      expect(await raw(world().driver, 'HLEN', `${prefix}:{s}:tokens`)).toBe(3);
      expect((await mine.seen('s', 'd')).status).toBe('duplicate');
      expect((await mine.seen('s', 'c')).status).toBe('duplicate');
    });

    it('a smaller bound than before is reached step by step, with bounded work', async () => {
      const { mine, prefix } = make(LONG, 1000);
      await Promise.all(Array.from({ length: 250 }, (_, i) => mine.seen('s', `e${i}`)));
      const fewer = uniqueEvent(world().driver, { prefix, windowMs: LONG, maxEvents: 10 });
      expect(await fewer.seen('s', 'x')).toMatchObject({ status: 'first', forgotten: 100 });
      expect(await fewer.seen('s', 'y')).toMatchObject({ forgotten: 100 });
      await fewer.seen('s', 'z');
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{s}:events`)).toBe(10);
      expect(await raw(world().driver, 'HLEN', `${prefix}:{s}:tokens`)).toBe(10);
    });

    it('member = timestamp (rolling-rate-limiter#11): events of one instant are told apart', async () => {
      const { mine, prefix } = make(LONG, 100);
      const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => mine.seen('s', `e${i}`)));
      expect(seen.every(({ status }) => status === 'first')).toBe(true);
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{s}:events`)).toBe(20);
    });

    it('ids with braces, spaces and other alphabets are ids', async () => {
      const { mine } = make();
      for (const id of ['{a}', 'a}b{', ' ', 'naïve ☃', 'a:b']) {
        expect((await mine.seen('{s}', id)).status).toBe('first');
        expect((await mine.seen('{s}', id)).status).toBe('duplicate');
      }
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make();
      const wrong = { code: 'BAD_ARGUMENT' };
      const making = (options: object) => () => uniqueEvent(world().driver, { windowMs: 100, ...options });
      expect(making({ windowMs: 0 })).toThrow(expect.objectContaining(wrong));
      expect(making({ maxEvents: 0 })).toThrow(expect.objectContaining(wrong));
      expect(making({ prefix: '{a}' })).toThrow(expect.objectContaining(wrong));
      await expect(mine.seen('', 'e')).rejects.toMatchObject(wrong);
      await expect(mine.seen('s', '')).rejects.toMatchObject(wrong);
      await expect(mine.seen('s', 'e', { token: '' })).rejects.toMatchObject(wrong);
    });
  },
};

const EVENTS = 150;

export const uniqueEventStress: Stress = inGenerations({
  workflow: 'uniqueEvent',
  async open() {},
  async client(driver, prefix, { id: stream, random }) {
    const tally: Tally = {};
    const kinds = kindsOf(driver, prefix);
    for (let i = 0; i < 20; i++) {
      const id = `e${Math.floor(random() * EVENTS)}`;
      for (const [kind, events] of kinds) {
        const seen = await attempt(tally, () => events.seen(stream, id));
        if (seen?.ok) count(tally, `first ${kind} ${id}`);
        if (seen?.status === 'duplicate') count(tally, `again ${kind} ${id}`);
        if (seen !== null && unsure(seen)) count(tally, `unsure ${kind} ${id}`);
      }
    }
    return tally;
  },
  async check(driver, prefix, stream, tally) {
    const key = `${prefix}:{${stream}}`;
    const kept = (await raw(driver, 'ZRANGE', `${key}:events`, 0, -1)) as string[];
    expect(kept.toSorted()).toEqual(((await raw(driver, 'HKEYS', `${key}:tokens`)) as string[]).toSorted());
    for (const [kind, events] of kindsOf(driver, prefix)) {
      for (let i = 0; i < EVENTS; i++) {
        const name = `${kind} e${i}`;
        const first = tally[`first ${name}`] ?? 0;
        expect(first, name).toBeLessThanOrEqual(1);
        // It was seen first by one, unless that one did not hear of it.
        const isKnown = (await events.seen(stream, `e${i}`)).status === 'duplicate';
        if (isKnown) expect(first + (tally[`unsure ${name}`] ?? 0), name).toBeGreaterThanOrEqual(1);
        else expect(first + (tally[`again ${name}`] ?? 0), name).toBe(0);
      }
    }
  },
});

function kindsOf(driver: Driver, prefix: string) {
  const options = { prefix, windowMs: 3_600_000 };
  const capped = uniqueEvent(driver, { ...options, maxEvents: EVENTS });
  return [['sparse', uniqueEvent(driver, options)] as const, ['capped', capped] as const];
}
