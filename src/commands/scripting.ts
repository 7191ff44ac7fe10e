// EVAL and its kin, SCRIPT. The scripts, their world and the run are in scripting/scripts.ts; FCALL and FUNCTION are in
// functions.ts.
import { parseInt64 } from '../data/numbers.ts';
import { OK, type Reply, ReplyError, Status } from '../resp/reply.ts';
import { NOT_INTEGER } from './errors.ts';
import type { EnginePort, SessionPort } from './ports.ts';
import { type ScriptInput, scriptWords } from './script-words.ts';
import { type Arg, command, container, type Flag, keysCounted } from './spec.ts';

const RUNS = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'] as const;

const TOO_MANY_KEYS = new ReplyError("ERR Number of keys can't be greater than number of args");
const NEGATIVE_KEYS = new ReplyError("ERR Number of keys can't be negative");
const NOSCRIPT = new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
const FLUSH_OPTION = new ReplyError('ERR SCRIPT FLUSH only support SYNC|ASYNC option');
const NO_DEBUGGER = new ReplyError(
  "ERR 'SCRIPT DEBUG' is not supported by Holdfast (see docs/differences.md)",
);
const DEBUG_OPTION = new ReplyError('ERR Use SCRIPT DEBUG YES/SYNC/NO');

const DIGEST_LENGTH = 40;

const KEYS_NOTES = 'How the keys are used depends on the script: the most is assumed';

export const scripting = {
  eval: command<[script: Arg, input?: ScriptInput], unknown>({
    ...evaluates('2.6.0', 'Runs a Lua script.', 'script'),
    keys: [{ ...keysCounted('RW access update', 2), notes: KEYS_NOTES }],
    control: (session, args, engine) => evaluate(session, args, engine, false, false),
  }),
  evalsha: command<[digest: Arg, input?: ScriptInput], unknown>({
    ...evaluates('2.6.0', 'Runs a Lua script that is known by its SHA1 digest.', 'sha1'),
    keys: [keysCounted('RW access update', 2)],
    control: (session, args, engine) => evaluate(session, args, engine, true, false),
  }),
  evalRo: command<[script: Arg, input?: ScriptInput], unknown>({
    ...evaluates('7.0.0', 'Runs a Lua script that only reads.', 'script', 'readonly'),
    keys: [{ ...keysCounted('RO access', 2), notes: KEYS_NOTES }],
    control: (session, args, engine) => evaluate(session, args, engine, false, true),
  }),
  evalshaRo: command<[digest: Arg, input?: ScriptInput], unknown>({
    ...evaluates(
      '7.0.0',
      'Runs a Lua script that only reads and is known by its SHA1 digest.',
      'sha1',
      'readonly',
    ),
    keys: [keysCounted('RO access', 2)],
    control: (session, args, engine) => evaluate(session, args, engine, true, true),
  }),
  script: container(
    {
      arity: -2,
      group: 'scripting',
      since: '2.6.0',
      summary: 'Manages the scripts that EVALSHA knows.',
      complexity: 'Depends on the subcommand',
    },
    {
      load: command<[script: Arg], string>({
        ...row(3, ['noscript', 'stale'], 'Keeps a script for EVALSHA; answers its SHA1 digest.', 'script'),
        complexity: 'O(N) with the length of the script',
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        control: (_session, args, engine) => engine.scripts.load(args[2]),
      }),
      exists: command<[...digests: Arg[]], (0 | 1)[]>({
        ...row(-3, ['noscript'], 'Tells which SHA1 digests belong to known scripts.', 'sha1 [sha1 ...]'),
        complexity: 'O(N) with the number of digests',
        tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'],
        control: (_session, args, engine) =>
          args.slice(2).map((digest) => (engine.scripts.show(digest) === null ? 0 : 1)),
      }),
      show: command<[digest: Arg], string>({
        ...row(3, ['noscript'], 'Answers the text of a known script.', 'sha1'),
        since: '8.0.0',
        complexity: 'O(1)',
        control: (_session, args, engine) => engine.scripts.show(args[2]) ?? NOSCRIPT,
      }),
      flush: command<[mode?: 'ASYNC' | 'SYNC'], 'OK'>({
        ...row(-2, ['noscript'], 'Forgets all scripts.', '[ASYNC|SYNC]'),
        complexity: 'O(N) with the number of scripts',
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        control: (_session, args, engine) => {
          const mode = args[2]?.toLowerCase();
          // Both modes are one here: the collector frees them later.
          if (args.length > 3 || (mode !== undefined && mode !== 'async' && mode !== 'sync'))
            return FLUSH_OPTION;
          engine.scripts.flush();
          return OK;
        },
      }),
      kill: command<[], 'OK'>({
        ...row(2, ['noscript', 'allow_busy'], 'Ends the script that runs, unless it has written.', ''),
        complexity: 'O(1)',
        tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
        control: (_session, _args, engine) => engine.scripts.kill(),
      }),
      debug: command<[mode: 'YES' | 'SYNC' | 'NO'], 'OK'>({
        ...row(3, ['noscript'], 'Turns the debugger of scripts off: there is none.', '<YES|SYNC|NO>'),
        since: '3.2.0',
        complexity: 'O(1)',
        control: (_session, args) => {
          const mode = args[2].toLowerCase();
          if (mode === 'no') return OK;
          return mode === 'yes' || mode === 'sync' ? NO_DEBUGGER : DEBUG_OPTION;
        },
      }),
      help: command<[], string[]>({
        ...row(2, ['loading', 'stale'], 'Lists the subcommands.', ''),
        since: '5.0.0',
        complexity: 'O(1)',
        control: () =>
          [
            'SCRIPT <subcommand> [<arg> ...]',
            'DEBUG NO: there is no debugger to turn on',
            'EXISTS <sha1> [<sha1> ...]: which digests belong to known scripts',
            'FLUSH [ASYNC|SYNC]: forgets all scripts',
            'KILL: ends the script that runs',
            'LOAD <script>: keeps a script for EVALSHA',
            'SHOW <sha1>: text of a known script',
          ].map((line) => new Status(line)),
      }),
    },
  ),
};

function evaluates(since: string, summary: string, first: string, ...flags: Flag[]) {
  return {
    arity: -3,
    flags: [...flags, ...RUNS],
    group: 'scripting' as const,
    since,
    summary,
    complexity: 'Depends on the script',
    syntax: `${first} numkeys [key [key ...]] [arg [arg ...]]`,
    words: scriptWords,
  };
}

function row(arity: number, flags: readonly Flag[], summary: string, syntax: string) {
  return { arity, flags, group: 'scripting' as const, since: '2.6.0', summary, syntax };
}

function evaluate(
  session: SessionPort,
  args: readonly string[],
  engine: EnginePort,
  known: boolean,
  readOnly: boolean,
): Reply {
  if (known && args[1].length !== DIGEST_LENGTH) return NOSCRIPT;
  const keys = parseInt64(args[2]);
  if (keys === null) return NOT_INTEGER;
  if (keys > args.length - 3) return TOO_MANY_KEYS;
  if (keys < 0) return NEGATIVE_KEYS;
  return engine.scripts.evaluate(session, args, Number(keys), known, readOnly);
}
