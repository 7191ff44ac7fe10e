// Contract of auditTrail: every committed change has one entry, and the entries replayed give the state.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AuditEntry, type AuditTrailOptions, auditTrail } from '../../../src/workflows/index.ts';
import {
  attempt,
  type Contract,
  count,
  freshPrefix,
  named,
  raw,
  type Stress,
  type Tally,
  unsure,
} from '../world.ts';

/** What the entries say that the state is. */
function replayed(entries: readonly AuditEntry[]): Record<string, string> {
  const fields = new Map<string, string>();
  for (const { set } of entries) {
    for (const [field, value] of Object.entries(set)) {
      if (value === null) fields.delete(field);
      else fields.set(field, value);
    }
  }
  return Object.fromEntries(fields);
}

export const auditTrailContract: Contract = {
  workflow: 'auditTrail',
  suite(world) {
    const make = (options: AuditTrailOptions = {}) => {
      const prefix = freshPrefix();
      return { prefix, key: `${prefix}:{a}`, trail: auditTrail(world().driver, { prefix, ...options }) };
    };

    it('changes the state and writes an entry with number, time and what was said', async () => {
      const { trail } = make();
      const first = await trail.change('a', { name: 'Ada', plan: 'free' }, { by: 'signup' });
      expect(first).toMatchObject({ ok: true, status: 'changed', number: 1 });
      const second = await trail.change('a', { plan: 'pro', name: null }, ['why', 7, null]);
      expect(second).toMatchObject({ number: 2 });
      expect(await trail.state('a')).toMatchObject({
        ok: true,
        status: 'state',
        number: 2,
        fields: { plan: 'pro' },
      });
      const page = (await trail.read('a')).orThrow();
      expect(page).toMatchObject({ status: 'done', lastNumber: 2, missed: 0 });
      expect(page.entries).toEqual([
        {
          number: 1,
          atMs: first.meta.serverTimeMs,
          set: { name: 'Ada', plan: 'free' },
          entry: { by: 'signup' },
        },
        {
          number: 2,
          atMs: second.meta.serverTimeMs,
          set: { plan: 'pro', name: null },
          entry: ['why', 7, null],
        },
      ]);
    });

    it('nothing is known of an id that never changed', async () => {
      const { trail } = make();
      expect(await trail.state('a')).toMatchObject({ ok: true, number: 0, fields: {} });
      expect(await trail.read('a')).toMatchObject({ status: 'done', lastNumber: 0, entries: [] });
    });

    it('a change that changes no value is a change, with an entry', async () => {
      const { trail } = make();
      await trail.change('a', { x: '1' }, 'once');
      await trail.change('a', { x: '1', y: null }, 'twice');
      expect((await trail.read('a')).orThrow().entries).toHaveLength(2);
    });

    it('keeps the newest entries, and says how many of the others it missed', async () => {
      const { trail, key } = make({ maxEntries: 3 });
      for (let i = 1; i <= 5; i++) await trail.change('a', { n: String(i) }, i);
      expect(await raw(world().driver, 'LLEN', `${key}:trail`)).toBe(3);
      const page = (await trail.read('a')).orThrow();
      expect(page).toMatchObject({ missed: 2, lastNumber: 5 });
      expect(page.entries.map(({ number }) => number)).toEqual([3, 4, 5]);
      expect(await trail.read('a', { after: 2 })).toMatchObject({ missed: 0 });
      expect(await trail.read('a', { after: 1 })).toMatchObject({ missed: 1 });
      expect(await trail.read('a', { after: 5 })).toMatchObject({ status: 'done', missed: 0, entries: [] });
      expect(await trail.read('a', { after: 99 })).toMatchObject({ status: 'done', missed: 0, entries: [] });
    });

    it('reads page by page', async () => {
      const { trail } = make();
      for (let i = 1; i <= 7; i++) await trail.change('a', { n: String(i) }, i);
      const numbers: number[] = [];
      const statuses: string[] = [];
      let after = 0;
      for (let more = true; more; ) {
        const page = (await trail.read('a', { after, limit: 3 })).orThrow();
        statuses.push(page.status);
        numbers.push(...page.entries.map(({ number }) => number));
        after = page.entries.at(-1)?.number ?? after;
        more = page.status === 'partial';
      }
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(statuses).toEqual(['partial', 'partial', 'done']);
    });

    it('a request id makes a repetition free', async () => {
      const { trail } = make();
      await trail.change('a', { n: '1' }, 'first', { requestId: 'r' });
      await trail.change('a', { n: '2' }, 'second');
      const again = await trail.change('a', { n: '1' }, 'first', { requestId: 'r' });
      expect(again).toMatchObject({
        status: 'changed',
        number: 1,
        meta: { replayed: true, retry: 'same-request-id' },
      });
      expect(await trail.change('a', { n: '3' }, 'first', { requestId: 'r' })).toMatchObject({
        ok: false,
        status: 'request_reused',
      });
      expect(await trail.state('a')).toMatchObject({ number: 2, fields: { n: '2' } });
      expect((await trail.change('a', { n: '4' }, '')).meta.retry).toBe('never');
    });

    it('refuses more fields than there may be, and writes neither change nor entry', async () => {
      const { trail } = make({ maxFields: 3 });
      await trail.change('a', { a: '1', b: '2', c: '3' }, null);
      expect(await trail.change('a', { d: '4' }, null)).toMatchObject({
        ok: false,
        status: 'too_many_fields',
        maxFields: 3,
      });
      expect(await trail.state('a')).toMatchObject({ number: 1, fields: { a: '1', b: '2', c: '3' } });
      expect((await trail.read('a')).orThrow().entries).toHaveLength(1);
      // Making room in the same change is fine, and so is going on with those that are there.
      expect(await trail.change('a', { d: '4', a: null }, null)).toMatchObject({ ok: true });
      expect(await trail.change('a', { d: '5' }, null)).toMatchObject({ ok: true });
    });

    it('a key of another type fails before the first write', async () => {
      const { trail, key } = make();
      await trail.change('a', { n: '1' }, null);
      await raw(world().driver, 'DEL', `${key}:trail`);
      await raw(world().driver, 'SET', `${key}:trail`, 'something else');
      await expect(trail.change('a', { n: '2' }, null)).rejects.toMatchObject({ code: expect.any(String) });
      expect(await raw(world().driver, 'HGET', key, 'n')).toBe('1');
      expect(await raw(world().driver, 'GET', `${key}:number`)).toBe('1');
    });

    it('keeps any text in fields, values and entries', async () => {
      const { trail } = make();
      const set = { 'a b': ' 1 2 ', ünï: 'é\n\u0000"\\', ['__proto__']: 'x', empty: '' };
      const entry = { nested: [{ deep: 'é\n', n: 1.5 }], none: null };
      await trail.change('a', set, entry);
      expect((await trail.read('a')).orThrow().entries[0]).toMatchObject({ set, entry });
      expect((await trail.state('a')).orThrow().fields).toEqual({ ...set });
    });

    it('a hundred fields in one change', async () => {
      const { trail } = make();
      const set = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, String(i)]));
      await trail.change('a', set, null);
      expect((await trail.state('a')).orThrow().fields).toEqual(set);
      const none = Object.fromEntries(Object.keys(set).map((field) => [field, null]));
      await trail.change('a', none, null);
      expect((await trail.state('a')).orThrow()).toMatchObject({ number: 2, fields: {} });
    });

    it('the entries replayed give the state, and there are as many as changes', async () => {
      const value = fc.option(fc.string({ maxLength: 4 }), { nil: null });
      const changes = fc.array(
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value, { minKeys: 1, noNullPrototype: true }),
        { maxLength: 12 },
      );
      const run = async (all: readonly Record<string, string | null>[]) => {
        const { trail } = make({ maxFields: 3 });
        let committed = 0;
        for (const set of all) if ((await trail.change('a', set, committed)).ok) committed++;
        const { entries, lastNumber } = (await trail.read('a')).orThrow();
        expect([entries.length, lastNumber]).toEqual([committed, committed]);
        expect(entries.map(({ entry }) => entry)).toEqual(entries.map((_, i) => i));
        expect((await trail.state('a')).orThrow().fields).toEqual(replayed(entries));
      };
      await fc.assert(fc.asyncProperty(changes, run), { numRuns: 30 });
    });

    it('refuses what makes no sense before anything is sent', async () => {
      const bad = { code: 'BAD_ARGUMENT' };
      const { trail } = make();
      await expect(trail.change('', { a: '1' }, null)).rejects.toMatchObject(bad);
      await expect(trail.change('a', {}, null)).rejects.toMatchObject(bad);
      await expect(trail.change('a', { '': '1' }, null)).rejects.toMatchObject(bad);
      await expect(trail.change('a', { a: 1 as never }, null)).rejects.toMatchObject(bad);
      await expect(trail.change('a', { a: '1' }, undefined)).rejects.toMatchObject(bad);
      await expect(trail.change('a', { a: '1' }, 1n)).rejects.toMatchObject(bad);
      await expect(trail.change('a', { a: 'x'.repeat(65_536) }, null)).rejects.toMatchObject(bad);
      const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, '']));
      await expect(trail.change('a', many, null)).rejects.toMatchObject(bad);
      await expect(trail.read('a', { limit: 1001 })).rejects.toMatchObject(bad);
      await expect(trail.read('a', { after: -1 })).rejects.toMatchObject(bad);
      expect(() => make({ maxEntries: 0 })).toThrow(expect.objectContaining(bad));
      expect(() => make({ maxFields: 1001 })).toThrow(expect.objectContaining(bad));
    });
  },
};

const LIMITS = { maxEntries: 1_000_000 };
const WRITERS = 50;

export const auditTrailStress: Stress = {
  workflow: 'auditTrail',
  async setup() {},
  async client(driver, prefix, index, random) {
    const tally: Tally = {};
    const trail = auditTrail(driver, { prefix, ...LIMITS });
    for (let i = 0; i < 20; i++) {
      const field = `f${Math.floor(random() * 5)}`;
      const requestId = `${index}-${i}`;
      const set = { [field]: random() < 0.2 ? null : requestId, [`by${index % WRITERS}`]: String(i) };
      const result = await attempt(tally, () => trail.change('hot', set, requestId, { requestId }));
      if (result === null) continue;
      if (result.ok) count(tally, `changed ${requestId}`);
      if (unsure(result)) count(tally, `unsure ${requestId}`);
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    const trail = auditTrail(driver, { prefix, ...LIMITS });
    const entries: AuditEntry[] = [];
    for (let more = true; more; ) {
      const page = (await trail.read('hot', { after: entries.length, limit: 500 })).orThrow();
      expect(page.missed).toBe(0);
      entries.push(...page.entries);
      more = page.status === 'partial';
    }
    expect(entries.map(({ number }) => number)).toEqual(entries.map((_, i) => i + 1));
    // Every change is there once; what is unknown is there or not.
    const there = new Set(entries.map(({ entry }) => String(entry)));
    expect(there.size).toBe(entries.length);
    const changed = named(tally, 'changed ');
    expect([...changed.keys()].filter((id) => !there.has(id))).toEqual([]);
    const unknown = named(tally, 'unsure ');
    expect([...there].filter((id) => !changed.has(id) && !unknown.has(id))).toEqual([]);
    const { fields, number } = (await trail.state('hot')).orThrow();
    expect(number).toBe(entries.length);
    expect(fields).toEqual(replayed(entries));
    expect(await raw(driver, 'LLEN', `${prefix}:{hot}:trail`)).toBe(entries.length);
  },
};
