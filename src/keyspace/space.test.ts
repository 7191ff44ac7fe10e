// Snapshots: freeze, thaw and forks against what was there when they were taken; the unit's clock; access words.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyWrite, bareSession, type Command, contents } from '../../test/support/contents.ts';
import { Engine } from '../engine/engine.ts';
import { Random, VirtualClock } from '../engine/ports.ts';
import { type FrozenSpace, Space } from './space.ts';

const START = 1_700_000_000_000;

/** An engine with a session, on a clock that all of a test share. */
function world(clock: VirtualClock) {
  const engine = new Engine({ seed: 1, clock, databases: 3 });
  const session = bareSession(engine);
  return { engine, run: (command: Command) => engine.execute(session, command) };
}

type World = ReturnType<typeof world>;

type Step =
  | { readonly do: 'run'; readonly where: number; readonly command: Command }
  | { readonly do: 'snapshot' | 'restore' | 'fork'; readonly where: number; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number };

const where = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('run' as const), where, command: anyWrite }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('snapshot' as const, 'restore', 'fork'),
      where,
      which: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 4 }) }),
  },
);

describe('freeze and thaw', () => {
  test('snapshots never change, and no fork sees what another does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const clock = new VirtualClock(START);
        const worlds: World[] = [world(clock)];
        const snapshots: { frozen: FrozenSpace; holds: unknown }[] = [];
        const now = () => worlds.map(({ engine }) => contents(engine.space));
        for (const one of steps) {
          if (one.do === 'advance') {
            clock.advance(one.ms);
            continue;
          }
          const at = one.where % worlds.length;
          const { engine, run } = worlds[at];
          const before = now();
          if (one.do === 'run') run(one.command);
          else if (one.do === 'snapshot' || snapshots.length === 0) {
            snapshots.push({ frozen: engine.space.freeze(), holds: before[at] });
            expect(contents(engine.space)).toEqual(before[at]);
          } else {
            const { frozen, holds } = snapshots[one.which % snapshots.length];
            if (one.do === 'restore') engine.restore(frozen);
            else if (worlds.length < 4) {
              worlds.push(world(clock));
              worlds[worlds.length - 1].engine.restore(frozen);
            }
            const changed = one.do === 'restore' ? at : worlds.length - 1;
            if (one.do === 'restore' || before.length < worlds.length) {
              expect(contents(worlds[changed].engine.space)).toEqual(holds);
            }
          }
          const changes = one.do === 'run' || one.do === 'restore' ? at : -1;
          const after = now();
          for (const [i, held] of before.entries()) if (i !== changes) expect(after[i]).toEqual(held);
        }
        for (const { frozen, holds } of snapshots) {
          const fresh = world(clock);
          fresh.engine.restore(frozen);
          expect(contents(fresh.engine.space)).toEqual(holds);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a snapshot of many keys outlives splits, removals and overwrites', () => {
    const { engine, run } = world(new VirtualClock(START));
    for (let i = 0; i < 3000; i++) run(['SET', `k${i}`, String(i)]);
    for (let i = 0; i < 300; i++) run(['RPUSH', `l${i}`, 'a', 'b']);
    const held = contents(engine.space);
    const frozen = engine.space.freeze();
    for (let i = 0; i < 9000; i++) run(['SET', `k${i}`, 'new', 'PX', '100000']);
    for (let i = 0; i < 300; i++) run(i % 2 === 0 ? ['RPUSH', `l${i}`, 'c'] : ['DEL', `l${i}`]);
    for (let i = 0; i < 3000; i += 3) run(['DEL', `k${i}`]);
    const later = contents(engine.space);
    engine.restore(frozen);
    expect(contents(engine.space)).toEqual(held);
    run(['SET', 'k1', 'other']);
    engine.restore(frozen);
    expect(contents(engine.space)).toEqual(held);
    expect(later).not.toEqual(held);
  });

  test('a keyspace with fewer databases than it has snapshots of keeps the rest empty', () => {
    const small = new Engine({ databases: 1 });
    small.execute(bareSession(small), ['SET', 'k', '1']);
    const large = new Engine({ databases: 2 });
    const session = bareSession(large);
    large.execute(session, ['SELECT', '1']);
    large.execute(session, ['SET', 'k', '2']);
    large.restore(small.space.freeze());
    expect(contents(large.space)).toEqual([{ k: ['1', 0] }, {}]);
  });
});

describe('the clock of a unit', () => {
  test('milliseconds and microseconds are read once and agree', () => {
    let micros = 1_000_999;
    const space = new Space(
      { now: () => Math.floor(micros / 1000), micros: () => micros, random: () => 0 },
      1,
    );
    expect(space.now()).toBe(1000);
    micros += 5000;
    expect(Math.floor(space.micros() / 1000)).toBe(1000);
    const first = space.micros();
    micros += 5000;
    expect([space.now(), space.micros()]).toEqual([1000, first]);
    space.endUnit();
    expect([space.now(), Math.floor(space.micros() / 1000)]).toEqual([1010, 1010]);
  });
});

describe('access words', () => {
  test('LFU: a new key counts 5, hits raise it by chance, idle minutes lower it', () => {
    let time = 60_000_000;
    const random = new Random(3);
    const space = new Space({ now: () => time, micros: () => time * 1000, random: () => random.next() }, 1);
    space.lfu = true;
    const [db] = space.dbs;
    const frequency = (): number => space.frequency(db.accessWord('k') as number);
    db.put('k', 1);
    expect(frequency()).toBe(5);
    db.lookup('k');
    expect(frequency()).toBe(6);
    for (let i = 0; i < 1000; i++) db.lookup('k');
    const busy = frequency();
    expect(busy).toBeGreaterThan(10);
    expect(busy).toBeLessThan(60);
    time += 4 * 60_000;
    space.endUnit();
    expect(frequency()).toBe(busy - 4);
    time += 1000 * 60_000;
    space.endUnit();
    expect(frequency()).toBe(0);
  });
});
