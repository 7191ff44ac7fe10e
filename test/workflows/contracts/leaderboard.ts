// Contract of leaderboard: rank is score, then who had it first, or last; board and index of ids never part.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type LeaderboardOptions, leaderboard } from '../../../src/workflows/index.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  raw,
  type Stress,
  type Tally,
  unsure,
} from '../world.ts';

export const leaderboardContract: Contract = {
  workflow: 'leaderboard',
  suite(world) {
    const make = (options: LeaderboardOptions = {}) => {
      const prefix = freshPrefix();
      return { prefix, board: leaderboard(world().driver, { prefix, ...options }) };
    };
    type Board = ReturnType<typeof leaderboard>;
    const order = async (board: Board): Promise<string[]> => {
      const page = (await board.top('b', { count: 1000 })).orThrow();
      expect(page.entries.map(({ rank }) => rank)).toEqual(page.entries.map((_, i) => i + 1));
      return page.entries.map(({ id }) => id);
    };

    it('ranks by score, and says where one was before', async () => {
      const { board } = make();
      const first = await board.submit('b', 'ada', 10);
      expect(first).toMatchObject({ ok: true, status: 'ranked', score: 10, rank: 1, previousRank: null });
      expect(await board.submit('b', 'bo', 30)).toMatchObject({ rank: 1, previousRank: null });
      expect(await board.submit('b', 'cy', 20)).toMatchObject({ rank: 2 });
      expect(await board.submit('b', 'ada', 40)).toMatchObject({ score: 40, rank: 1, previousRank: 3 });
      expect(await order(board)).toEqual(['ada', 'bo', 'cy']);
    });

    it('who had a score first is ahead, in all four orders', async () => {
      for (const by of ['highest', 'lowest'] as const) {
        for (const ties of ['first', 'last'] as const) {
          const { board } = make({ order: by, ties });
          // Names against the order of the alphabet, and enough of them for numbers of two digits.
          const names = Array.from({ length: 12 }, (_, i) => `${'zyxwvutsrqpo'[i]}`);
          for (const name of names) await board.submit('b', name, 7);
          await board.submit('b', 'best', by === 'highest' ? 8 : 6);
          const tied = ties === 'first' ? names : names.toReversed();
          expect(await order(board), `${by} ${ties}`).toEqual(['best', ...tied]);
        }
      }
    });

    it('ties are exact at the largest scores, where score and time in one number are not', async () => {
      const { board } = make();
      const most = Number.MAX_SAFE_INTEGER;
      for (const id of ['z', 'm', 'a']) await board.submit('b', id, most);
      await board.submit('b', 'less', most - 1);
      await board.submit('b', 'least', -most);
      const page = (await board.top('b')).orThrow();
      expect(page.entries.map(({ id, score }) => [id, score])).toEqual([
        ['z', most],
        ['m', most],
        ['a', most],
        ['less', most - 1],
        ['least', -most],
      ]);
    });

    it('best only improves, and an equal score keeps its place', async () => {
      const { board } = make();
      await board.submit('b', 'ada', 10);
      await board.submit('b', 'bo', 10);
      expect(await board.submit('b', 'ada', 9)).toMatchObject({
        ok: true,
        status: 'kept',
        score: 10,
        rank: 1,
      });
      expect(await board.submit('b', 'ada', 10)).toMatchObject({ status: 'kept', rank: 1 });
      expect(await order(board)).toEqual(['ada', 'bo']);
      const low = make({ order: 'lowest' }).board;
      await low.submit('b', 'ada', 10);
      expect(await low.submit('b', 'ada', 11)).toMatchObject({ status: 'kept', score: 10 });
      expect(await low.submit('b', 'ada', 9)).toMatchObject({ status: 'ranked', score: 9 });
    });

    it('sum adds, and refuses what would leave 2^53', async () => {
      const { board } = make({ mode: 'sum' });
      await board.submit('b', 'ada', 10);
      expect(await board.submit('b', 'ada', -15)).toMatchObject({ status: 'ranked', score: -5 });
      expect(await board.submit('b', 'ada', 0)).toMatchObject({ status: 'kept', score: -5 });
      await board.submit('b', 'bo', Number.MAX_SAFE_INTEGER);
      const beyond = await board.submit('b', 'bo', 1);
      expect(beyond).toMatchObject({ ok: false, status: 'out_of_range', score: Number.MAX_SAFE_INTEGER });
      expect(await board.rank('b', 'bo')).toMatchObject({ entries: [{ score: Number.MAX_SAFE_INTEGER }] });
    });

    it('latest replaces, downwards as well', async () => {
      const { board } = make({ mode: 'latest' });
      await board.submit('b', 'ada', 10);
      await board.submit('b', 'bo', 8);
      expect(await board.submit('b', 'ada', 5)).toMatchObject({
        status: 'ranked',
        score: 5,
        rank: 2,
        previousRank: 1,
      });
    });

    it('a board with a bound keeps the best and forgets the others in both of its keys', async () => {
      for (const by of ['highest', 'lowest'] as const) {
        const { board, prefix } = make({ most: 3, order: by });
        const sign = by === 'highest' ? 1 : -1;
        for (let i = 1; i <= 3; i++) await board.submit('b', `p${i}`, sign * i);
        expect(await board.submit('b', 'late', sign * 1)).toMatchObject({
          ok: false,
          status: 'below',
          previousRank: null,
        });
        expect(await board.submit('b', 'p9', sign * 9)).toMatchObject({ status: 'ranked', rank: 1 });
        expect(await order(board)).toEqual(['p9', 'p3', 'p2']);
        expect(await raw(world().driver, 'ZCARD', `${prefix}:{b}`)).toBe(3);
        expect(await raw(world().driver, 'HLEN', `${prefix}:{b}:members`)).toBe(3);
        expect(await board.rank('b', 'p1')).toMatchObject({ ok: false, status: 'not_ranked' });
      }
    });

    it('a board that has become smaller shrinks by a bounded number at a time', async () => {
      const { board, prefix } = make({ mode: 'latest' });
      for (let i = 1; i <= 120; i++) await board.submit('b', `p${i}`, i);
      const smaller = leaderboard(world().driver, { prefix, mode: 'latest', most: 5 });
      await smaller.submit('b', 'x', 1000);
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{b}`)).toBe(21);
      await smaller.submit('b', 'x', 1001);
      expect(await raw(world().driver, 'HLEN', `${prefix}:{b}:members`)).toBe(5);
      expect(await order(smaller)).toEqual(['x', 'p120', 'p119', 'p118', 'p117']);
    });

    it('reads pages, and the neighbours of an id', async () => {
      const { board } = make();
      for (let i = 1; i <= 9; i++) await board.submit('b', `p${i}`, i);
      const page = (await board.top('b', { from: 4, count: 2 })).orThrow();
      expect(page).toMatchObject({ total: 9 });
      expect(page.entries).toEqual([
        { rank: 4, id: 'p6', score: 6 },
        { rank: 5, id: 'p5', score: 5 },
      ]);
      const ids = async (id: string, n: number) =>
        (await board.around('b', id, n)).orThrow().entries.map((entry) => `${entry.rank} ${entry.id}`);
      expect(await ids('p5', 1)).toEqual(['4 p6', '5 p5', '6 p4']);
      expect(await ids('p9', 2)).toEqual(['1 p9', '2 p8', '3 p7']);
      expect(await ids('p1', 1)).toEqual(['8 p2', '9 p1']);
      expect(await board.rank('b', 'p7')).toMatchObject({ entries: [{ rank: 3, id: 'p7', score: 7 }] });
      expect(await board.around('b', 'nobody', 1)).toMatchObject({ ok: false, status: 'not_ranked' });
      expect(await board.top('b', { from: 100 })).toMatchObject({ ok: true, total: 9, entries: [] });
      expect(await board.top('empty')).toMatchObject({ total: 0, entries: [] });
    });

    it('removes an id from both of its keys', async () => {
      const { board, prefix } = make();
      await board.submit('b', 'ada', 1);
      expect(await board.remove('b', 'ada')).toMatchObject({ ok: true, status: 'removed' });
      expect(await board.remove('b', 'ada')).toMatchObject({ ok: false, status: 'not_ranked' });
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{b}`)).toBe(0);
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{b}:members`)).toBe(0);
    });

    it('a request id makes a repetition free', async () => {
      const { board } = make({ mode: 'sum' });
      await board.submit('b', 'ada', 5, { requestId: 'r' });
      const again = await board.submit('b', 'ada', 5, { requestId: 'r' });
      expect(again).toMatchObject({
        status: 'ranked',
        score: 5,
        previousRank: null,
        meta: { replayed: true },
      });
      expect(await board.submit('b', 'ada', 6, { requestId: 'r' })).toMatchObject({
        status: 'request_reused',
      });
      expect(await board.rank('b', 'ada')).toMatchObject({ entries: [{ score: 5 }] });
      await board.remove('b', 'ada', { requestId: 'x' });
      await board.submit('b', 'ada', 1);
      expect(await board.remove('b', 'ada', { requestId: 'x' })).toMatchObject({ meta: { replayed: true } });
      expect(await board.rank('b', 'ada')).toMatchObject({ ok: true });
    });

    it('takes any id, colons and digits as well', async () => {
      const { board } = make();
      const ids = ['0000000000000001:x', 'a:b:c', 'ünï', ' '];
      for (const id of ids) await board.submit('b', id, 1);
      expect(await order(board)).toEqual(ids);
    });

    it('is the order that sorting by hand gives', async () => {
      const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: -3, max: 3 })), {
        maxLength: 15,
      });
      const setting = fc.record({
        mode: fc.constantFrom('best' as const, 'sum' as const, 'latest' as const),
        order: fc.constantFrom('highest' as const, 'lowest' as const),
        ties: fc.constantFrom('first' as const, 'last' as const),
      });
      const run = async (options: LeaderboardOptions, entered: readonly (readonly [string, number])[]) => {
        const { board } = make(options);
        const model = new Map<string, { score: number; since: number }>();
        const sign = options.order === 'highest' ? 1 : -1;
        for (const [since, [id, value]] of entered.entries()) {
          await board.submit('b', id, value);
          const old = model.get(id);
          const score = options.mode === 'sum' ? (old?.score ?? 0) + value : value;
          const worse = options.mode === 'best' && old !== undefined && sign * score <= sign * old.score;
          if (old === undefined || (!worse && score !== old.score)) model.set(id, { score, since });
        }
        const late = options.ties === 'first' ? 1 : -1;
        const sorted = [...model].sort(
          ([, a], [, b]) => sign * (b.score - a.score) || late * (a.since - b.since),
        );
        expect(await order(board)).toEqual(sorted.map(([id]) => id));
      };
      await fc.assert(fc.asyncProperty(setting, steps, run), { numRuns: 40 });
    });

    it('refuses what makes no sense before anything is sent', async () => {
      const bad = { code: 'BAD_ARGUMENT' };
      const { board } = make();
      for (const score of [1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
        await expect(board.submit('b', 'a', score)).rejects.toMatchObject(bad);
      }
      await expect(board.submit('', 'a', 1)).rejects.toMatchObject(bad);
      await expect(board.submit('b', '', 1)).rejects.toMatchObject(bad);
      await expect(board.top('b', { count: 1001 })).rejects.toMatchObject(bad);
      await expect(board.top('b', { from: 0 })).rejects.toMatchObject(bad);
      await expect(board.around('b', 'a', 501)).rejects.toMatchObject(bad);
      expect(() => make({ mode: 'sum', most: 3 })).toThrow(expect.objectContaining(bad));
      expect(() => make({ most: 0 })).toThrow(expect.objectContaining(bad));
      expect(() => make({ order: 'up' as never })).toThrow(expect.objectContaining(bad));
    });
  },
};

const PLAYERS = 8;

export const leaderboardStress: Stress = {
  workflow: 'leaderboard',
  async setup() {},
  async client(driver, prefix, index, random) {
    const tally: Tally = {};
    const board = leaderboard(driver, { prefix, mode: 'sum' });
    for (let i = 0; i < 25; i++) {
      const points = 1 + Math.floor(random() * 9);
      const id = `p${Math.floor(random() * PLAYERS)}`;
      const result = await attempt(tally, () =>
        board.submit('hot', id, points, { requestId: `${index}-${i}` }),
      );
      if (result?.ok) count(tally, `points ${id}`, points);
      else if (result !== null && unsure(result)) count(tally, `unsure ${id}`, points);
      else if (result !== null) count(tally, 'denied');
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    const key = `${prefix}:{hot}`;
    expect(tally.denied ?? 0).toBe(0);
    const { entries } = (await leaderboard(driver, { prefix }).top('hot', { count: 1000 })).orThrow();
    const scores = new Map(entries.map(({ id, score }) => [id, score]));
    for (let i = 0; i < PLAYERS; i++) {
      expectWithin(scores.get(`p${i}`) ?? 0, tally[`points p${i}`], tally[`unsure p${i}`]);
    }
    // Board and index name the same members, one for each id.
    const members = (await raw(driver, 'ZRANGE', key, 0, -1)) as string[];
    const index = (await raw(driver, 'HVALS', `${key}:members`)) as string[];
    expect(index.toSorted()).toEqual(members.toSorted());
    expect(scores.size).toBe(entries.length);
    expect(entries.length).toBeLessThanOrEqual(PLAYERS);
  },
};
