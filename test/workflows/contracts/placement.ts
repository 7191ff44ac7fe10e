// Contract of placement: two players never stand on one cell; script and transaction answer the same.
import { expect, it } from 'vitest';
import {
  AtomicError,
  type Placement,
  type PlacementOptions,
  placement,
} from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
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

const FORMS = ['script', 'watch'] as const;
const A = { x: 0, y: 0 };
const B = { x: 1, y: 0 };
const C = { x: 2, y: 1 };

type PlacementAnswer = Awaited<ReturnType<Placement['enter' | 'move' | 'leave']>>;

/** What an answer says, without what it took. */
function said(result: PlacementAnswer): unknown {
  const { meta, ...rest } = result;
  return { ...rest, replayed: meta.replayed };
}

export const placementContract: Contract = {
  workflow: 'placement',
  suite(world) {
    const make = (options: Partial<PlacementOptions> = {}) => {
      const prefix = options.prefix ?? freshPrefix();
      return { prefix, map: placement(world().driver, { width: 4, height: 3, ...options, prefix }) };
    };

    for (const mechanism of FORMS) {
      it(`${mechanism}: players enter, move and leave, and cell and player agree`, async () => {
        const { prefix, map } = make({ mechanism });
        const key = (part: string) => raw(world().driver, 'GET', `${prefix}:{m}:${part}`);
        expect(await map.enter('m', 'ada', A)).toMatchObject({ ok: true, status: 'entered', position: A });
        expect([await key('player:ada'), await key('cell:0,0')]).toEqual(['0,0', 'ada']);
        expect(await map.move('m', 'ada', { from: A, to: B })).toMatchObject({
          status: 'moved',
          position: B,
        });
        expect([await key('player:ada'), await key('cell:0,0'), await key('cell:1,0')]).toEqual([
          '1,0',
          null,
          'ada',
        ]);
        expect(await map.where('m', 'ada')).toMatchObject({ ok: true, status: 'inside', position: B });
        expect(await map.who('m', B)).toMatchObject({ status: 'taken', by: 'ada' });
        expect(await map.leave('m', 'ada')).toMatchObject({ status: 'left', position: B });
        expect([await key('player:ada'), await key('cell:1,0')]).toEqual([null, null]);
        expect(await map.where('m', 'ada')).toMatchObject({ ok: false, status: 'not_inside' });
        expect(await map.who('m', B)).toMatchObject({ status: 'free' });
      });

      it(`${mechanism}: a cell that is taken is blocked, and says by whom`, async () => {
        const { map } = make({ mechanism });
        await map.enter('m', 'ada', A);
        await map.enter('m', 'bo', B);
        expect(await map.move('m', 'bo', { from: B, to: A })).toMatchObject({
          ok: false,
          status: 'blocked',
          by: 'ada',
        });
        expect(await map.enter('m', 'cy', A)).toMatchObject({ ok: false, status: 'blocked', by: 'ada' });
        expect(await map.where('m', 'bo')).toMatchObject({ position: B });
        expect(await map.where('m', 'cy')).toMatchObject({ status: 'not_inside' });
      });

      it(`${mechanism}: off the map is an outcome, and nothing moves`, async () => {
        const { map } = make({ mechanism });
        await map.enter('m', 'ada', A);
        for (const to of [
          { x: -1, y: 0 },
          { x: 4, y: 0 },
          { x: 0, y: 3 },
        ]) {
          expect(await map.move('m', 'ada', { from: A, to })).toMatchObject({ ok: false, status: 'off_map' });
          expect(await map.enter('m', 'bo', to)).toMatchObject({ ok: false, status: 'off_map' });
        }
        expect(await map.where('m', 'ada')).toMatchObject({ position: A });
      });

      it(`${mechanism}: who moved meanwhile is told where he stands`, async () => {
        const { map } = make({ mechanism });
        await map.enter('m', 'ada', A);
        await map.move('m', 'ada', { from: A, to: C });
        expect(await map.move('m', 'ada', { from: A, to: B })).toMatchObject({
          ok: false,
          status: 'moved_meanwhile',
          position: C,
        });
        expect(await map.move('m', 'bo', { from: A, to: B })).toMatchObject({ status: 'not_inside' });
        expect(await map.who('m', B)).toMatchObject({ status: 'free' });
      });

      it(`${mechanism}: repeats change nothing`, async () => {
        const { map } = make({ mechanism });
        const twice = async (call: () => ReturnType<Placement['enter' | 'move' | 'leave']>) => [
          said(await call()),
          said(await call()),
        ];
        expect(await twice(() => map.enter('m', 'ada', A))).toMatchObject([
          { status: 'entered', replayed: false },
          { status: 'entered', replayed: true },
        ]);
        expect(await map.enter('m', 'ada', B)).toMatchObject({ status: 'already_inside', position: A });
        expect(await twice(() => map.move('m', 'ada', { from: A, to: B }))).toMatchObject([
          { status: 'moved', replayed: false },
          { status: 'moved', replayed: true },
        ]);
        expect(await twice(() => map.leave('m', 'ada'))).toMatchObject([
          { ok: true, status: 'left' },
          { ok: true, status: 'not_inside' },
        ]);
        expect((await map.move('m', 'ada', { from: A, to: B })).meta.retry).toBe('always');
      });

      it(`${mechanism}: of many who want one cell exactly one gets it`, async () => {
        const { prefix } = make();
        const sides = [world().driver, world().other].map((driver) =>
          placement(driver, { prefix, width: 30, height: 2, mechanism }),
        );
        const players = Array.from({ length: 30 }, (_, i) => `p${i}`);
        await Promise.all(players.map((name, i) => sides[i % 2].enter('m', name, { x: i, y: 0 })));
        const to = { x: 7, y: 1 };
        const moves = await Promise.all(
          players.map((name, i) =>
            sides[i % 2].move('m', name, { from: { x: i, y: 0 }, to }, { deadlineMs: 20_000 }),
          ),
        );
        const winners = players.filter((_, i) => moves[i].ok);
        expect(winners).toHaveLength(1);
        expect(moves.filter(({ status }) => status === 'blocked')).toHaveLength(29);
        expect(await sides[0].who('m', to)).toMatchObject({ by: winners[0] });
      });

      it(`${mechanism}: leaving while moving leaves no shadow on any cell`, async () => {
        const { prefix } = make();
        const [one, two] = [world().driver, world().other].map((driver) =>
          placement(driver, { prefix, width: 4, height: 3, mechanism }),
        );
        for (let i = 0; i < 20; i++) {
          await one.enter('m', 'ada', A);
          const [left] = await Promise.all([one.leave('m', 'ada'), two.move('m', 'ada', { from: A, to: B })]);
          expect(left.status).toBe('left');
          expect(await one.who('m', A)).toMatchObject({ status: 'free' });
          expect(await one.who('m', B)).toMatchObject({ status: 'free' });
        }
      });
    }

    it('script and transaction answer the same, whatever comes', async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      let state = seed;
      const random = (below: number) => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return (state >>> 8) % below;
      };
      const maps = FORMS.map((mechanism) => make({ mechanism, width: 3, height: 2 }).map);
      const anyCell = () => ({ x: random(4), y: random(2) });
      for (let i = 0; i < 120; i++) {
        const player = `p${random(4)}`;
        const kind = random(5);
        const [from, to] = [anyCell(), anyCell()];
        const seen = await maps[0].where('m', player);
        const start = kind > 1 && seen.status === 'inside' ? seen.position : from;
        const answers = await Promise.all(
          maps.map((map) => {
            if (kind === 0) return map.enter('m', player, to);
            if (kind === 1) return map.leave('m', player);
            return map.move('m', player, { from: start, to });
          }),
        );
        expect(said(answers[0]), `seed ${seed}, step ${i}`).toEqual(said(answers[1]));
      }
    });

    it('refuses what is no cell or player before sending it', async () => {
      const { map } = make();
      const calls = [
        () => map.enter('m', 'ada', { x: 0.5, y: 0 }),
        () => map.enter('m', '', A),
        () => map.enter('', 'ada', A),
        () => map.move('m', 'ada', { from: A, to: { x: Number.NaN, y: 0 } }),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      expect(() => make({ width: 0 })).toThrow(AtomicError);
    });
  },
};

const SIDE = 6;

export const placementStress: Stress = inGenerations({
  workflow: 'placement',
  async open() {},
  async client(driver, prefix, { id, index, random }) {
    const tally: Tally = {};
    const mechanism = FORMS[index % 2];
    const map = placement(driver, { prefix, width: SIDE, height: SIDE, mechanism });
    const player = `p${index}`;
    const anyCell = () => ({ x: Math.floor(random() * SIDE), y: Math.floor(random() * SIDE) });
    for (let i = 0; i < 25; i++) {
      const seen = await attempt(tally, () => map.where(id, player));
      if (seen === null || seen.status === 'unknown') continue;
      const done = await attempt<PlacementAnswer>(tally, () => {
        if (seen.status === 'not_inside') return map.enter(id, player, anyCell());
        if (random() < 0.2) return map.leave(id, player);
        return map.move(id, player, { from: seen.position, to: anyCell() });
      });
      if (done === null) continue;
      if (done.status === 'entered') count(tally, `inside ${player}`);
      if (done.status === 'left') count(tally, `inside ${player}`, -1);
      // Somebody who is not there although he was: an earlier send took him off.
      if (unsure(done) || (done.ok && done.status === 'not_inside')) count(tally, `unsure ${player}`);
    }
    return tally;
  },
  async check(driver, prefix, id, tally) {
    const there = new Set<string>();
    for (let x = 0; x < SIDE; x++) {
      for (let y = 0; y < SIDE; y++) {
        const player = (await raw(driver, 'GET', `${prefix}:{${id}}:cell:${x},${y}`)) as string | null;
        if (player === null) continue;
        expect(there.has(player), player).toBe(false);
        there.add(player);
        expect(await raw(driver, 'GET', `${prefix}:{${id}}:player:${player}`)).toBe(`${x},${y}`);
      }
    }
    const told = named(tally, 'inside ');
    const unknown = named(tally, 'unsure ');
    for (const player of new Set([...there, ...told.keys()])) {
      if (!unknown.has(player)) expect(told.get(player) ?? 0, player).toBe(there.has(player) ? 1 : 0);
    }
  },
});
