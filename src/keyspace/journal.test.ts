// Rollback: whatever a unit did, nothing of it stays, and nobody has heard of it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyWrite, bareSession, type Command, contents } from '../../test/support/contents.ts';
import { Engine } from '../engine/engine.ts';
import { VirtualClock } from '../engine/ports.ts';
import type { Reply } from '../resp/reply.ts';

const START = 1_700_000_000_000;
const KEYS = ['a', 'b', 'c', 'd', 'e'];

class Undo extends Error {}

function world(clock = new VirtualClock(START)) {
  const engine = new Engine({ seed: 1, clock, databases: 3, config: { 'notify-keyspace-events': 'KEAmn' } });
  const session = bareSession(engine);
  const run = (...commands: Command[]): void => {
    for (const command of commands) engine.execute(session, command);
  };
  /** Runs as one unit and undoes it. */
  const undone = (work: () => void): void => {
    expect(() =>
      engine.atomic(() => {
        work();
        throw new Undo();
      }),
    ).toThrow(Undo);
  };
  return { engine, session, clock, run, undone };
}

/** Watches every key of every database from a session of its own. */
function watchAll(engine: Engine): { execute(...command: string[]): Reply } {
  const watcher = bareSession(engine);
  const execute = (...command: string[]): Reply => engine.execute(watcher, command);
  for (const db of ['0', '1', '2']) {
    execute('SELECT', db);
    execute('WATCH', ...KEYS);
  }
  return { execute };
}

const commands = fc.array(anyWrite, { maxLength: 40, size: 'max' });

describe('rollback', () => {
  test('leaves the contents as they were, and nobody has heard of it', () => {
    fc.assert(
      fc.property(commands, commands, fc.integer({ min: 0, max: 6 }), (before, inside, wait) => {
        const { engine, run, undone, clock } = world();
        run(...before);
        clock.advance(wait);
        const watcher = watchAll(engine);
        const heard: Reply[] = [];
        const listener = bareSession(engine, heard);
        for (const line of ['HELLO 3', 'PSUBSCRIBE __key*']) engine.execute(listener, line.split(' '));
        const told: unknown[] = [];
        engine.effects.onUnit = (ops) => told.push(ops);
        engine.effects.onChanges((changes) => told.push(changes));
        const held = contents(engine.space);

        undone(() => run(...inside));
        expect(contents(engine.space)).toEqual(held);
        expect([heard, told]).toEqual([[], []]);
        // Keys that have expired since dirty it; none had a deadline to come.
        watcher.execute('MULTI');
        expect(watcher.execute('EXEC')).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('what follows is as if it had never happened', () => {
    fc.assert(
      fc.property(commands, commands, commands, (before, inside, after) => {
        const one = world();
        const twin = world();
        one.run(...before);
        twin.run(...before);
        const selected = one.session.db;
        one.undone(() => one.run(...inside));
        one.session.db = selected;
        one.run(...after);
        twin.run(...after);
        expect(contents(one.engine.space)).toEqual(contents(twin.engine.space));
      }),
      { numRuns: 200 },
    );
  });

  test('a savepoint undoes its own part only', () => {
    fc.assert(
      fc.property(commands, commands, commands, commands, (before, first, inner, last) => {
        const one = world();
        const twin = world();
        one.run(...before);
        twin.run(...before);
        one.engine.atomic(() => {
          one.run(...first);
          const held = contents(one.engine.space);
          const selected = one.session.db;
          one.undone(() => one.run(...inner));
          one.session.db = selected;
          expect(contents(one.engine.space)).toEqual(held);
          one.run(...last);
        });
        twin.engine.atomic(() => twin.run(...first, ...last));
        expect(contents(one.engine.space)).toEqual(contents(twin.engine.space));
        // And what was committed can be changed further, without touching what the other holds.
        one.run(...inner);
        twin.run(...inner);
        expect(contents(one.engine.space)).toEqual(contents(twin.engine.space));
      }),
      { numRuns: 150 },
    );
  });

  test('a snapshot taken inside an undone unit keeps what it saw', () => {
    fc.assert(
      fc.property(commands, commands, commands, (before, first, last) => {
        const { engine, run, undone } = world();
        run(...before);
        const held = contents(engine.space);
        let frozen = engine.space.freeze();
        let seen: unknown;
        undone(() => {
          run(...first);
          seen = contents(engine.space);
          frozen = engine.space.freeze();
          run(...last);
        });
        expect(contents(engine.space)).toEqual(held);
        run(...last);
        engine.restore(frozen);
        expect(contents(engine.space)).toEqual(seen);
      }),
      { numRuns: 100 },
    );
  });

  test('many keys: splits inside an undone unit cost nothing but room', () => {
    const { engine, run, undone } = world();
    for (let i = 0; i < 3000; i++) run(['SET', `k${i}`, String(i)]);
    const held = contents(engine.space);
    undone(() => {
      for (let i = 0; i < 6000; i++) run(['SET', `new${i}`, 'x', 'PX', '1000']);
      for (let i = 0; i < 3000; i += 2) run(['DEL', `k${i}`]);
      run(['SWAPDB', '0', '1'], ['FLUSHDB'], ['SET', 'k1', 'other'], ['FLUSHALL'], ['SET', 'k2', 'other']);
    });
    expect(contents(engine.space)).toEqual(held);
  });

  test('a key that was over at WATCH is so again once its removal is undone', () => {
    for (const way of [['GET', 'a'], ['FLUSHALL'], ['SWAPDB', '0', '1']]) {
      const { engine, run, undone, clock } = world();
      run(['SET', 'a', '1', 'PX', '5']);
      clock.advance(6);
      const watcher = watchAll(engine);
      undone(() => run(way));
      watcher.execute('MULTI');
      expect(watcher.execute('EXEC')).toEqual([]);
    }
  });

  test('a commit tells others once, at its end', () => {
    const { engine, run } = world();
    const watcher = watchAll(engine);
    const heard: Reply[] = [];
    const listener = bareSession(engine, heard);
    for (const line of ['HELLO 3', 'PSUBSCRIBE __keyevent*']) engine.execute(listener, line.split(' '));
    const units: unknown[] = [];
    engine.effects.onUnit = (ops) => units.push(ops);
    engine.atomic(() => {
      run(['SET', 'a', '1'], ['SET', 'b', '2']);
      expect([heard.length, units.length]).toEqual([0, 0]);
    });
    expect(units).toEqual([
      [
        { db: 0, args: ['SET', 'a', '1'] },
        { db: 0, args: ['SET', 'b', '2'] },
      ],
    ]);
    // `new` and `set` of each.
    expect(heard).toHaveLength(4);
    watcher.execute('MULTI');
    expect(contents(engine.space)[0]).toEqual({ a: ['1', 0], b: ['2', 0] });
    expect(watcher.execute('EXEC')).not.toEqual([]);
  });
});
