// The parts of waiting that lists never need (they wait for missing keys only): commands that find nothing in a ready
// key, that want to know when a key goes, that run as something else the second time.
import { beforeEach, describe, expect, it } from 'vitest';
import type { TableEntry } from '../commands/table.ts';
import { ListValue } from '../keyspace/list-value.ts';
import { Space } from '../keyspace/space.ts';
import { Block, type Reply } from '../resp/reply.ts';
import { Blocking, type Waiter } from './blocking.ts';
import { Random, VirtualClock } from './ports.ts';
import type { Session } from './session.ts';

describe('Blocking', () => {
  let clock: VirtualClock;
  let space: Space;
  let blocking: Blocking;
  /** What was run and delivered, in order. */
  let log: string[];
  /** What a retried command answers; by the session's name. */
  let answers: Map<string, (waiter: Waiter) => Reply>;

  beforeEach(() => {
    clock = new VirtualClock();
    const random = new Random(1);
    space = new Space(
      { now: () => clock.now(), micros: () => clock.micros(), random: () => random.next() },
      2,
    );
    log = [];
    answers = new Map();
    blocking = new Blocking(space, clock, {
      retry: (waiter) => {
        log.push(`run ${waiter.session.name}: ${waiter.args.join(' ')}`);
        return answers.get(waiter.session.name)?.(waiter) ?? 'done';
      },
      deliver: (session, reply) => log.push(`${session.name} got ${reply}`),
    });
  });

  const block = (keys: string[], timeout = 0, gone = false, retryAs: string[] | null = null) =>
    new Block(keys, 'list', timeout, null, 'time over', gone, retryAs);
  const park = (name: string, what: Block): Session => {
    const session = { name, db: space.dbs[0], waiter: null } as unknown as Session;
    blocking.park(session, {} as TableEntry, ['READ', name], what);
    return session;
  };
  const fill = (key: string) => {
    space.dbs[0].put(key, ListValue.of(['x'], -2));
    blocking.serve();
  };

  it('puts a command that has to wait on behind the others, at all of its keys', () => {
    answers.set('a', () => block(['k', 'l']));
    park('a', block(['k', 'l']));
    park('b', block(['l']));
    fill('k');
    fill('l');
    expect(log).toEqual(['run a: READ a', 'run b: READ b', 'b got done', 'run a: READ a']);
  });

  it('keeps the first deadline of a command that has to wait on', () => {
    answers.set('a', () => block(['k'], 99_999));
    park('a', block(['k'], 1000));
    clock.advance(900);
    fill('k');
    clock.advance(99);
    expect(log).toEqual(['run a: READ a']);
    clock.advance(1);
    expect(log).toEqual(['run a: READ a', 'a got time over']);
    expect(blocking.count).toBe(0);
  });

  it('tries each waiter once per round although all of them wait on', () => {
    for (const name of ['a', 'b', 'c']) {
      answers.set(name, () => block(['k']));
      park(name, block(['k']));
    }
    fill('k');
    expect(log).toEqual(['run a: READ a', 'run b: READ b', 'run c: READ c']);
  });

  it('runs the second time what the block says', () => {
    let tries = 0;
    answers.set('a', () => (++tries === 1 ? block(['k'], 0, false, ['READ', 'from 2']) : 'done'));
    park('a', block(['k'], 0, false, ['READ', 'from 1']));
    fill('k');
    space.ready(space.dbs[0], 'k');
    blocking.serve();
    expect(log).toEqual(['run a: READ from 1', 'run a: READ from 2', 'a got done']);
  });

  it.each([
    ['is removed', () => space.dbs[0].remove('k')],
    ['becomes a string', () => space.dbs[0].set('k', 'v')],
    ['is flushed', () => space.dbs[0].clear()],
    ['goes to another database', () => space.dbs[0].exchange(space.dbs[1])],
    [
      'expires',
      () => {
        space.dbs[0].setDeadline('k', clock.now() + 1);
        clock.advance(5);
        space.endUnit();
        space.dbs[0].purgeExpired();
      },
    ],
  ])('tells who wants to know when the key %s, and nobody else', (_how, change) => {
    space.dbs[0].put('k', ListValue.of(['x'], -2));
    park('patient', block(['k']));
    park('nervous', block(['k'], 0, true));
    change();
    blocking.serve();
    expect(log).toEqual(['run nervous: READ nervous', 'nervous got done']);
    expect([blocking.count, space.goneWaiters]).toEqual([1, 0]);
  });

  it('forgets a session on all its keys', () => {
    const session = park('a', block(['k', 'l', 'k'], 50, true));
    expect(blocking.forget(session)).toBe(true);
    expect(blocking.forget(session)).toBe(false);
    fill('k');
    clock.advance(100);
    expect(log).toEqual([]);
    expect([blocking.count, space.goneWaiters, space.waited[0].size]).toEqual([0, 0, 0]);
  });

  it('leaves out a waiter whose session ended while another was served', () => {
    let second: Session | null = null;
    answers.set('a', () => {
      blocking.forget(second as Session);
      return 'done';
    });
    park('a', block(['k']));
    second = park('b', block(['k']));
    fill('k');
    expect(log).toEqual(['run a: READ a', 'a got done']);
  });
});
