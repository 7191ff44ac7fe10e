// Lists: the commands that wait until there is an element. Each tries to pop; where there is nothing it answers a
// Block, and the engine runs it again when one of its keys has become a list (engine/blocking.ts).
import type { Db } from '../keyspace/db.ts';
import { Block, NULL_ARRAY, type Reply } from '../resp/reply.ts';
import { timeout } from './args.ts';
import { isLeft, move, parseMultiPop, popFirstOf, popOneOf, type Side } from './lists.ts';
import type { Env } from './ports.ts';
import { type Arg, command, keysAt, keysCounted, type Wait } from './spec.ts';

type Popped = Promise<[key: string, element: string] | null>;

export const listsBlocking = {
  blpop: command<[...keys: [Arg, ...Arg[]], timeout: Wait], Popped>({
    arity: -3,
    flags: ['write', 'blocking'],
    group: 'list',
    since: '2.0.0',
    summary:
      'Takes the first element off the first of several lists that has one, waiting for it if need be.',
    complexity: 'O(N) with the number of keys',
    syntax: 'key [key ...] timeout',
    keys: [keysAt('RW access delete', 1, -2)],
    run: (db, args, env) => blockingPop(db, args, true, env),
  }),
  brpop: command<[...keys: [Arg, ...Arg[]], timeout: Wait], Popped>({
    arity: -3,
    flags: ['write', 'blocking'],
    group: 'list',
    since: '2.0.0',
    summary: 'Takes the last element off the first of several lists that has one, waiting for it if need be.',
    complexity: 'O(N) with the number of keys',
    syntax: 'key [key ...] timeout',
    keys: [keysAt('RW access delete', 1, -2)],
    run: (db, args, env) => blockingPop(db, args, false, env),
  }),
  blmove: command<
    [source: Arg, destination: Arg, from: Side, to: Side, timeout: Wait],
    Promise<string | null>
  >({
    arity: 6,
    flags: ['write', 'denyoom', 'blocking'],
    group: 'list',
    since: '6.2.0',
    summary: 'Moves an element between the ends of two lists and returns it, waiting for it if need be.',
    complexity: 'O(1)',
    syntax: 'source destination <LEFT|RIGHT> <LEFT|RIGHT> timeout',
    keys: [keysAt('RW access delete'), keysAt('RW insert', 2)],
    run: (db, args, env) => {
      const from = isLeft(args[3]);
      const to = isLeft(args[4]);
      const ms = timeout(args[5]);
      const element = move(db, args[1], args[2], from, to);
      if (element === null) return waitForSource(args[1], ms);
      env.propagate(['LMOVE', args[1], args[2], args[3], args[4]]);
      return element;
    },
  }),
  brpoplpush: command<[source: Arg, destination: Arg, timeout: Wait], Promise<string | null>>({
    arity: 4,
    flags: ['write', 'denyoom', 'blocking'],
    group: 'list',
    since: '2.2.0',
    summary:
      'Moves the last element of a list in front of another and returns it, waiting for it if need be.',
    complexity: 'O(1)',
    syntax: 'source destination timeout',
    keys: [keysAt('RW access delete'), keysAt('RW insert', 2)],
    run: (db, args, env) => {
      const ms = timeout(args[3]);
      const element = move(db, args[1], args[2], false, true);
      if (element === null) return waitForSource(args[1], ms);
      env.propagate(['RPOPLPUSH', args[1], args[2]]);
      return element;
    },
  }),
  blmpop: command<
    [timeout: Wait, numkeys: number, ...keysSideAndCount: Arg[]],
    Promise<[key: string, elements: string[]] | null>
  >({
    arity: -5,
    flags: ['write', 'blocking'],
    group: 'list',
    since: '7.0.0',
    summary: 'Takes elements off the first of several lists that has any, waiting for them if need be.',
    complexity: 'O(N+M) with the number of keys and of elements taken',
    syntax: 'timeout numkeys key [key ...] <LEFT|RIGHT> [COUNT count]',
    keys: [keysCounted('RW access delete', 2)],
    run: (db, args, env) => {
      const { first, last, front, count } = parseMultiPop(args, 2);
      const ms = timeout(args[1]);
      const reply = popFirstOf(db, args, first, last, front, count, env);
      return reply ?? wait(args.slice(first, last + 1), ms);
    },
  }),
};

function blockingPop(db: Db, args: readonly string[], front: boolean, env: Env): Reply {
  const last = args.length - 1;
  const ms = timeout(args[last]);
  return popOneOf(db, args, 1, last - 1, front, env) ?? wait(args.slice(1, last), ms);
}

function wait(keys: readonly string[], ms: number): Block {
  return new Block(keys, 'list', ms, NULL_ARRAY, NULL_ARRAY);
}

// An instant timeout is a null bulk, as of LMOVE; a real one is a null array all the same.
function waitForSource(key: string, ms: number): Block {
  return new Block([key], 'list', ms, null, NULL_ARRAY);
}
