// MULTI, EXEC, DISCARD, WATCH, UNWATCH. The queue itself is filled by the engine's dispatch; a session's
// watches live in Db (who changed what) and here only end.
import { InProtocol, Later, NULL_ARRAY, OK, type Reply, ReplyError } from '../resp/reply.ts';
import { EXECABORT } from './errors.ts';
import type { EnginePort, SessionPort } from './ports.ts';
import { type Arg, command, keysAt } from './spec.ts';

const FLAGS = ['noscript', 'loading', 'stale', 'fast', 'allow_busy'] as const;

export const transactions = {
  multi: command<[], 'OK'>({
    arity: 1,
    flags: FLAGS,
    group: 'transactions',
    since: '1.2.0',
    summary: 'Starts a transaction: commands are queued until EXEC.',
    complexity: 'O(1)',
    immediate: true,
    control: (session) => {
      if (session.multi !== null) return new ReplyError('ERR MULTI calls can not be nested');
      session.multi = [];
      session.refresh();
      return OK;
    },
  }),
  exec: command<[], unknown[] | null>({
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    group: 'transactions',
    since: '1.2.0',
    summary: 'Runs the queued commands as one unit.',
    complexity: 'Depends on the queued commands',
    immediate: true,
    aborts: true,
    control: exec,
  }),
  discard: command<[], 'OK'>({
    arity: 1,
    flags: FLAGS,
    group: 'transactions',
    since: '2.0.0',
    summary: 'Drops the queued commands and ends the transaction.',
    complexity: 'O(N) with the number of queued commands',
    immediate: true,
    control: (session, _args, engine) => {
      if (session.multi === null) return new ReplyError('ERR DISCARD without MULTI');
      engine.endTransaction(session);
      return OK;
    },
  }),
  watch: command<[...keys: Arg[]], 'OK'>({
    arity: -2,
    flags: FLAGS,
    group: 'transactions',
    since: '2.2.0',
    summary: 'Makes the next EXEC depend on these keys staying unchanged.',
    complexity: 'O(1) for every key',
    syntax: 'key [key ...]',
    keys: [keysAt('RO', 1, -1)],
    immediate: true,
    control: (session, args, engine) => {
      if (session.multi !== null) return new ReplyError('ERR WATCH inside MULTI is not allowed');
      // Nothing can save this transaction any more: more watches would only cost.
      if (session.dirtyCas) return OK;
      for (let i = 1; i < args.length; i++) engine.watch(session, args[i]);
      return OK;
    },
  }),
  unwatch: command<[], 'OK'>({
    arity: 1,
    flags: FLAGS,
    group: 'transactions',
    since: '2.2.0',
    summary: 'Forgets all watched keys.',
    complexity: 'O(1)',
    control: (session, _args, engine) => {
      engine.unwatch(session);
      session.dirtyCas = false;
      return OK;
    },
  }),
};

function exec(session: SessionPort, _args: readonly string[], engine: EnginePort): Reply {
  const queue = session.multi;
  if (queue === null) return new ReplyError('ERR EXEC without MULTI');
  // A watched key that has expired counts as changed even if nobody deleted it yet.
  const dirty = session.dirtyCas || engine.watchedExpired(session);
  const aborted = session.dirtyExec;
  // Ends the transaction before it runs: its own writes must not dirty it, and a queued command sees no MULTI.
  engine.endTransaction(session);
  if (aborted) return EXECABORT;
  if (dirty) return NULL_ARRAY;
  const replies: Reply[] = [];
  const { protocol } = session;
  session.running = queue.length;
  // HELLO in a transaction changes the protocol of its own element and of those behind it.
  const add = (reply: Reply): void => {
    replies.push(session.protocol === protocol ? reply : new InProtocol(reply, session.protocol));
  };
  // A script among them may go on later, and the rest of the queue behind it.
  const run = (): Reply => {
    while (replies.length < queue.length) {
      const reply = engine.callQueued(session, queue[replies.length]);
      if (reply instanceof Later) {
        return reply.map((last) => {
          add(last);
          return run();
        });
      }
      add(reply);
    }
    session.running = 0;
    return session.protocol === protocol ? replies : new InProtocol(replies, protocol);
  };
  return run();
}
