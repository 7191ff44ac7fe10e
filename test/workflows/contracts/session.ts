// Contract of session: sessions and the index by user agree, and what is gone stays gone.
import { expect, it } from 'vitest';
import { type Driver, session } from '../../../src/workflows/index.ts';
import {
  attempt,
  type Contract,
  count,
  freshPrefix,
  named,
  raw,
  type Stress,
  sleep,
  type Tally,
  unsure,
} from '../world.ts';

const LONG = 60_000;

/** The ids in the index, after a check that they are those that hold data. */
async function indexed(driver: Driver, prefix: string, user: string): Promise<string[]> {
  const index = (await raw(driver, 'ZRANGE', `${prefix}:{${user}}`, 0, -1)) as string[];
  const data = (await raw(driver, 'HKEYS', `${prefix}:{${user}}:data`)) as string[];
  expect([...data].sort()).toEqual([...index].sort());
  return index;
}

export const sessionContract: Contract = {
  workflow: 'session',
  suite(world) {
    const make = (options: Partial<Parameters<typeof session>[1]> = {}) => {
      const prefix = freshPrefix();
      const all = { prefix, ttlMs: LONG, ...options };
      const mine = session<{ n: number }>(world().driver, all);
      const theirs = session<{ n: number }>(world().other, all);
      return { prefix, mine, theirs, index: (user = 'u') => indexed(world().driver, prefix, user) };
    };

    it('creates, reads, saves and revokes, and the index follows', async () => {
      const { mine, theirs, index } = make();
      const { sessionId, expiresAtMs } = (await mine.create('u', { n: 1 })).orThrow();
      expect(sessionId).toMatch(/^[0-9a-f-]{36}$/);
      const found = await theirs.read('u', sessionId);
      expect(found).toMatchObject({ ok: true, status: 'found', data: { n: 1 }, expiresAtMs });
      if (found.status === 'found') expect(found.expiresAtMs - found.createdAtMs).toBe(LONG);
      expect((await theirs.save('u', sessionId, { n: 2 })).status).toBe('saved');
      expect(await mine.read('u', sessionId)).toMatchObject({ data: { n: 2 } });
      expect(await index()).toEqual([sessionId]);
      expect((await theirs.read('v', sessionId)).status).toBe('gone');
      expect(await mine.revoke('u', sessionId)).toMatchObject({ status: 'revoked', existed: true });
      expect(await mine.revoke('u', sessionId)).toMatchObject({ status: 'revoked', existed: false });
      expect(await index()).toEqual([]);
    });

    it('touch and save never revive a session that was revoked', async () => {
      const { mine, index } = make();
      await mine.create('u', { n: 1 }, { sessionId: 's' });
      await mine.revoke('u', 's');
      expect(await mine.touch('u', 's')).toMatchObject({ ok: false, status: 'gone' });
      expect((await mine.save('u', 's', { n: 2 })).status).toBe('gone');
      expect((await mine.rotate('u', 's')).status).toBe('gone');
      expect(await index()).toEqual([]);
    });

    it('a session ends when it is not touched, and touching does not revive it', async () => {
      const { mine, prefix } = make({ ttlMs: 60 });
      await mine.create('u', { n: 1 }, { sessionId: 's' });
      await session(world().driver, { prefix, ttlMs: LONG }).create('u', 0, { sessionId: 'other' });
      await sleep(120);
      expect((await mine.read('u', 's')).status).toBe('gone');
      expect((await mine.touch('u', 's')).status).toBe('gone');
      expect((await mine.rotate('u', 's')).status).toBe('gone');
      expect(await mine.list('u')).toMatchObject({ sessions: [{ sessionId: 'other' }], nextCursor: null });
    });

    it('touch prolongs, but not beyond the greatest age', async () => {
      const { mine, prefix } = make({ ttlMs: 30_000, maxAgeMs: 40_000 });
      const created = (await mine.create('u', { n: 1 }, { sessionId: 's' })).orThrow();
      await sleep(20);
      const touched = (await mine.touch('u', 's')).orThrow();
      expect(touched.expiresAtMs).toBeGreaterThan(created.expiresAtMs);
      const longer = session(world().driver, { prefix, ttlMs: LONG, maxAgeMs: 40_000 });
      expect((await longer.touch('u', 's')).orThrow().expiresAtMs).toBe(created.expiresAtMs + 10_000);
      await sleep(20);
      const older = session(world().driver, { prefix, ttlMs: LONG, maxAgeMs: 20 });
      expect((await older.touch('u', 's')).status).toBe('gone');
      expect((await mine.read('u', 's')).status).toBe('gone');
    });

    it('rotating moves data and index, keeps age and end, and ends the old id', async () => {
      const { mine, index } = make();
      const { expiresAtMs } = (await mine.create('u', { n: 7 }, { sessionId: 'old' })).orThrow();
      const before = (await mine.read('u', 'old')).orThrow();
      expect(await mine.rotate('u', 'old', { newId: 'new' })).toMatchObject({
        status: 'rotated',
        sessionId: 'new',
        expiresAtMs,
      });
      expect((await mine.read('u', 'old')).status).toBe('gone');
      expect(await mine.read('u', 'new')).toMatchObject({ data: { n: 7 }, createdAtMs: before.createdAtMs });
      expect(await index()).toEqual(['new']);
      await mine.create('u', { n: 8 }, { sessionId: 'third' });
      expect((await mine.rotate('u', 'third', { newId: 'new' })).status).toBe('exists');
      expect(await mine.read('u', 'new')).toMatchObject({ data: { n: 7 } });
    });

    it('each call may be sent again', async () => {
      const { mine } = make();
      await mine.create('u', { n: 1 }, { sessionId: 's' });
      expect(await mine.create('u', { n: 1 }, { sessionId: 's' })).toMatchObject({
        status: 'created',
        meta: { replayed: true, retry: 'always' },
      });
      expect((await mine.create('u', { n: 2 }, { sessionId: 's' })).status).toBe('exists');
      await mine.rotate('u', 's', { newId: 't' });
      expect(await mine.rotate('u', 's', { newId: 't' })).toMatchObject({
        status: 'rotated',
        sessionId: 't',
        meta: { replayed: true },
      });
      expect((await mine.create('u', { n: 1 }, { sessionId: 't' })).status).toBe('exists');
    });

    it('a user has at most so many: a new one is refused, or the one that ends first goes', async () => {
      const { mine, prefix, index } = make({ maxSessions: 2 });
      for (const sessionId of ['a', 'b']) {
        await mine.create('u', { n: 1 }, { sessionId });
        await sleep(5);
      }
      expect(await mine.create('u', { n: 1 })).toMatchObject({ ok: false, status: 'too_many', count: 2 });
      expect((await mine.create('v', { n: 1 })).status).toBe('created');
      await mine.touch('u', 'a');
      const evicting = session(world().driver, { prefix, ttlMs: LONG, maxSessions: 2, whenFull: 'evict' });
      expect(await evicting.create('u', 0, { sessionId: 'c' })).toMatchObject({
        status: 'created',
        evicted: 1,
      });
      expect((await index()).sort()).toEqual(['a', 'c']);
    });

    it('sessions that have ended do not count', async () => {
      const { mine, prefix, index } = make({ maxSessions: 2, ttlMs: 50 });
      await mine.create('u', { n: 1 });
      await mine.create('u', { n: 1 });
      await session(world().driver, { prefix, ttlMs: LONG }).create('u', 0, { sessionId: 'long' });
      await sleep(110);
      expect((await mine.create('u', { n: 1 }, { sessionId: 'new' })).status).toBe('created');
      expect((await index()).sort()).toEqual(['long', 'new']);
    });

    it('revokes all, but for one if asked, so many in one call', async () => {
      const { mine, index } = make();
      for (let i = 0; i < 7; i++) await mine.create('u', { n: i }, { sessionId: `s${i}` });
      const except = { except: 's3', limit: 4 };
      expect(await mine.revokeAll('u', except)).toMatchObject({
        ok: true,
        status: 'partial',
        count: 4,
        left: 2,
      });
      expect(await index()).toHaveLength(3);
      expect(await mine.revokeAll('u', except)).toMatchObject({ status: 'revoked', count: 2, left: 0 });
      expect(await index()).toEqual(['s3']);
      expect(await mine.revokeAll('u')).toMatchObject({ status: 'revoked', count: 1, left: 0 });
      expect(await mine.revokeAll('u')).toMatchObject({ status: 'revoked', count: 0, left: 0 });
    });

    it('lists in pages, and leaves none out when the last one of a page is gone or touched', async () => {
      const { mine, theirs } = make();
      await Promise.all(
        Array.from({ length: 23 }, (_, i) => mine.create('u', { n: i }, { sessionId: `s${i}` })),
      );
      const seen = new Set<string>();
      let cursor: string | undefined;
      for (let page = 0; page < 30; page++) {
        const listed = (await theirs.list('u', { limit: 5, cursor })).orThrow();
        for (const { sessionId, data } of listed.sessions) {
          expect(sessionId).toBe(`s${data.n}`);
          seen.add(sessionId);
        }
        const last = listed.sessions.at(-1)?.sessionId ?? '';
        if (page === 1) await mine.revoke('u', last);
        if (page === 2) await mine.touch('u', last);
        if (listed.nextCursor === null) break;
        cursor = listed.nextCursor;
      }
      expect(seen.size).toBe(23);
      expect(await mine.list('nobody')).toMatchObject({ ok: true, sessions: [], nextCursor: null });
    });

    it('prunes what has ended, so many in one call', async () => {
      const { mine, prefix, index } = make({ ttlMs: 40 });
      for (let i = 0; i < 5; i++) await mine.create('u', { n: i });
      await session(world().driver, { prefix, ttlMs: LONG }).create('u', 0, { sessionId: 'long' });
      await sleep(100);
      const first = await mine.prune('u', { limit: 1 });
      expect(first.status).toMatch(/partial|pruned/);
      for (let i = 0; i < 5; i++) await mine.prune('u', { limit: 1 });
      expect(await mine.prune('u')).toMatchObject({ status: 'pruned', count: 0, left: 0 });
      expect(await index()).toEqual(['long']);
    });

    it('missing TTL (upstash#95): both keys go away with the last session', async () => {
      const { mine, prefix } = make({ ttlMs: 60 });
      await mine.create('u', { n: 1 });
      await sleep(120);
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{u}`)).toBe(0);
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{u}:data`)).toBe(0);
    });

    it('data is any JSON, bars and line ends too', async () => {
      const prefix = freshPrefix();
      const sessions = session(world().driver, { prefix, ttlMs: LONG });
      for (const [i, data] of [null, '', 'a|b\n|c', [1, { x: '☃' }], false].entries()) {
        await sessions.create('{u}', data, { sessionId: `s${i}` });
        expect((await sessions.read('{u}', `s${i}`)).orThrow().data).toEqual(data);
      }
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make({ maxDataBytes: 10 });
      const wrong = { code: 'BAD_ARGUMENT' };
      const making = (options: object) => () => session(world().driver, { ttlMs: 1, ...options });
      expect(making({ ttlMs: 0 })).toThrow(expect.objectContaining(wrong));
      expect(making({ maxSessions: 1001 })).toThrow(expect.objectContaining(wrong));
      expect(making({ maxAgeMs: 0.5 })).toThrow(expect.objectContaining(wrong));
      await expect(mine.create('', { n: 1 })).rejects.toMatchObject(wrong);
      await expect(mine.create('u', { n: 123456789 })).rejects.toMatchObject(wrong);
      await expect(mine.create('u', undefined as never)).rejects.toMatchObject(wrong);
      await expect(mine.read('u', 'a|b')).rejects.toMatchObject(wrong);
      await expect(mine.rotate('u', 'a', { newId: 'a' })).rejects.toMatchObject(wrong);
      await expect(mine.list('u', { cursor: 'x' })).rejects.toMatchObject(wrong);
      await expect(mine.list('u', { limit: 0 })).rejects.toMatchObject(wrong);
      await expect(mine.revokeAll('u', { except: '' })).rejects.toMatchObject(wrong);
    });
  },
};

const USERS = 3;
const SESSIONS = 4;

export const sessionStress: Stress = {
  workflow: 'session',
  async setup() {},
  async client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally> {
    const tally: Tally = {};
    const options = { prefix, ttlMs: 3_600_000, maxSessions: SESSIONS, whenFull: 'evict' } as const;
    const sessions = session<string>(driver, options);
    const user = `u${index % USERS}`;
    let id = `c${index}-0`;
    let dead = '';
    for (let i = 0; i < 25; i++) {
      const turn = random();
      if (turn < 0.35) {
        id = `c${index}-${i}`;
        const own = id;
        const created = await attempt(tally, () => sessions.create(user, own, { sessionId: own }));
        // Only such may be there in the end.
        if (created !== null && (created.ok || unsure(created))) count(tally, `made ${own}`);
      } else if (turn < 0.6) {
        const [oldId, newId] = [id, `r${index}-${i}`];
        const rotated = await attempt(tally, () => sessions.rotate(user, oldId, { newId }));
        if (rotated !== null && (rotated.ok || unsure(rotated))) count(tally, `made ${newId}`);
        if (rotated?.status === 'rotated') [dead, id] = [oldId, newId];
      } else if (turn < 0.7) {
        const own = id;
        const revoked = await attempt(tally, () => sessions.revoke(user, own));
        if (revoked?.status === 'revoked') dead = own;
      } else if (turn < 0.75) {
        await attempt(tally, () => sessions.revokeAll(user, { limit: 2 }));
      } else if (turn < 0.85) {
        const listed = await attempt(tally, () => sessions.list(user));
        if (listed?.ok && listed.sessions.length > SESSIONS) count(tally, 'too many');
      } else {
        const own = id;
        await attempt(tally, () => sessions.save(user, own, own));
      }
      if (dead === '') continue;
      // Nobody else knows this id: once it is gone, nothing may bring it back.
      const gone = dead;
      count(tally, `dead ${gone}`);
      const touched = await attempt(tally, () => sessions.touch(user, gone));
      if (touched?.status === 'touched') count(tally, `revived ${gone}`);
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    expect([...named(tally, 'revived ').keys()]).toEqual([]);
    expect(tally['too many'] ?? 0).toBe(0);
    const made = named(tally, 'made ');
    expect(made.size).toBeGreaterThan(0);
    const dead = named(tally, 'dead ');
    for (let u = 0; u < USERS; u++) {
      const ids = await indexed(driver, prefix, `u${u}`);
      expect(ids.length).toBeLessThanOrEqual(SESSIONS);
      expect(ids.filter((id) => dead.has(id))).toEqual([]);
      expect(ids.filter((id) => !made.has(id))).toEqual([]);
    }
  },
};
