// FUNCTION with its subcommands, FCALL and FCALL_RO. Libraries, their engine and the run are in scripting/functions.ts.
import { globMatch } from '../data/glob.ts';
import { MapReply, OK, type Reply, ReplyError, SetReply, Status } from '../resp/reply.ts';
import { busyError, toNul } from './errors.ts';
import type { EnginePort, LibraryInfo, RestorePolicy } from './ports.ts';
import { type ScriptInput, scriptWords } from './script-words.ts';
import { type Arg, command, container, type Flag, keysCounted } from './spec.ts';

const READS = ['noscript'] as const;
const WRITES = ['write', 'noscript'] as const;
const GROWS = ['write', 'denyoom', 'noscript'] as const;
const CALLS = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'] as const;

const ALL_SHARDS = ['request_policy:all_shards', 'response_policy:all_succeeded'] as const;

const NO_LIBRARY = new ReplyError('ERR Library not found');
const FLUSH_OPTION = new ReplyError('ERR FUNCTION FLUSH only supports SYNC|ASYNC option');
const PATTERN_MISSING = new ReplyError('ERR library name argument was not given');
const RESTORE_POLICY = new ReplyError(
  'ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
);

const KEYS_NOTES = 'How the keys are used depends on the function: the most is assumed';

/** A library as FUNCTION LIST answers it. */
export interface ListedLibrary {
  readonly library_name: string;
  readonly engine: string;
  readonly functions: readonly {
    readonly name: string;
    readonly description: string | null;
    readonly flags: readonly string[];
  }[];
  /** With WITHCODE. */
  readonly library_code?: string;
}

/** What FUNCTION STATS answers. */
export interface FunctionStats {
  readonly running_script: {
    readonly name: string;
    readonly command: readonly string[];
    readonly duration_ms: number;
  } | null;
  readonly engines: Readonly<
    Record<string, { readonly libraries_count: number; readonly functions_count: number }>
  >;
}

export const functions = {
  fcall: command<[name: Arg, input?: ScriptInput], unknown>({
    arity: -3,
    flags: CALLS,
    group: 'scripting',
    since: '7.0.0',
    summary: 'Calls a function of a library.',
    complexity: 'Depends on the function',
    syntax: 'function numkeys [key ...] [arg ...]',
    words: scriptWords,
    keys: [{ ...keysCounted('RW access update', 2), notes: KEYS_NOTES }],
    control: (session, args, engine) => engine.functions.call(session, args, false),
  }),
  fcallRo: command<[name: Arg, input?: ScriptInput], unknown>({
    arity: -3,
    flags: ['readonly', ...CALLS],
    group: 'scripting',
    since: '7.0.0',
    summary: 'Calls a function of a library that only reads.',
    complexity: 'Depends on the function',
    syntax: 'function numkeys [key ...] [arg ...]',
    words: scriptWords,
    keys: [{ ...keysCounted('RO access', 2), notes: KEYS_NOTES }],
    control: (session, args, engine) => engine.functions.call(session, args, true),
  }),
  function: container(
    {
      arity: -2,
      group: 'scripting',
      since: '7.0.0',
      summary: 'Manages function libraries.',
      complexity: 'Depends on the subcommand',
    },
    {
      load: command<[...replaceAndCode: Arg[]], string>({
        ...row(-3, GROWS, 'Loads a library, and with it its functions.', '[REPLACE] function-code'),
        complexity: 'O(N) with the length of the code',
        tips: ALL_SHARDS,
        control: (session, args, engine) => {
          const last = args.length - 1;
          for (let i = 2; i < last; i++) {
            if (args[i].toLowerCase() !== 'replace') {
              // Of this message Redis cuts line breaks off its end.
              const option = toNul(args[i]).replace(/[\r\n]+$/, '');
              return new ReplyError(`ERR Unknown option given: ${option}`);
            }
          }
          const name = engine.functions.load(args[last], last > 2);
          engine.changed(session, args);
          return name;
        },
      }),
      delete: command<[libraryName: Arg], 'OK'>({
        ...row(3, WRITES, 'Deletes a library and its functions.', 'library-name'),
        complexity: 'O(N) with the number of functions in all libraries',
        tips: ALL_SHARDS,
        control: (session, args, engine) => {
          if (!engine.functions.delete(args[2])) return NO_LIBRARY;
          engine.changed(session, args);
          return OK;
        },
      }),
      flush: command<[mode?: 'ASYNC' | 'SYNC'], 'OK'>({
        ...row(-2, WRITES, 'Deletes all libraries.', '[ASYNC|SYNC]'),
        complexity: 'O(1)',
        tips: ALL_SHARDS,
        control: (session, args, engine) => {
          if (args.length > 3) return wrongSyntax(args);
          const mode = args[2]?.toLowerCase();
          // Both modes are one here: the collector frees them later.
          if (mode !== undefined && mode !== 'async' && mode !== 'sync') return FLUSH_OPTION;
          engine.functions.flush();
          engine.changed(session, args);
          return OK;
        },
      }),
      list: command<[...options: Arg[]], ListedLibrary[]>({
        ...row(-2, READS, 'Lists libraries and their functions.', '[LIBRARYNAME pattern] [WITHCODE]'),
        complexity: 'O(N) with the number of functions',
        tips: ['nondeterministic_output_order'],
        control: (_session, args, engine) => list(args, engine),
      }),
      stats: command<[], FunctionStats>({
        ...row(2, ['noscript', 'allow_busy'], 'Tells which function runs, and how many there are.', ''),
        complexity: 'O(1)',
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        control: (_session, _args, engine) => {
          const { libraries, functions: count } = engine.functions.counts;
          const lua = new MapReply(['libraries_count', libraries, 'functions_count', count]);
          const work = engine.longWork;
          if (work?.kind === 'script') return busyError(work.kind);
          const running =
            work === null
              ? null
              : new MapReply([
                  'name',
                  work.name,
                  'command',
                  work.command,
                  'duration_ms',
                  Math.floor(engine.longDuration),
                ]);
          return new MapReply(['running_script', running, 'engines', new MapReply(['LUA', lua])]);
        },
      }),
      dump: command<[], string>({
        ...row(2, READS, 'Answers all libraries as one binary text, for FUNCTION RESTORE.', ''),
        complexity: 'O(N) with the length of the libraries',
        control: (_session, _args, engine) => engine.functions.dump(),
      }),
      restore: command<[payload: Arg, policy?: 'FLUSH' | 'APPEND' | 'REPLACE'], 'OK'>({
        ...row(
          -3,
          GROWS,
          'Loads the libraries that FUNCTION DUMP answered.',
          'serialized-value [FLUSH|APPEND|REPLACE]',
        ),
        complexity: 'O(N) with the length of the libraries',
        tips: ALL_SHARDS,
        control: (session, args, engine) => {
          if (args.length > 4) return wrongSyntax(args);
          const policy = (args[3] ?? 'append').toLowerCase();
          if (!isPolicy(policy)) return RESTORE_POLICY;
          engine.functions.restore(args[2], policy);
          engine.changed(session, args);
          return OK;
        },
      }),
      kill: command<[], 'OK'>({
        ...row(2, ['noscript', 'allow_busy'], 'Stops the function that runs.', ''),
        complexity: 'O(1)',
        tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
        control: (_session, _args, engine) => engine.functions.kill(),
      }),
      help: command<[], string[]>({
        ...row(2, ['loading', 'stale'], 'Lists the subcommands.', ''),
        complexity: 'O(1)',
        control: () =>
          [
            'FUNCTION <subcommand> [<arg> ...]',
            'DELETE <library-name>: deletes a library',
            'DUMP: all libraries as one binary text',
            'FLUSH [ASYNC|SYNC]: deletes all libraries',
            'KILL: stops the function that runs',
            'LIST [LIBRARYNAME <pattern>] [WITHCODE]: the libraries and their functions',
            'LOAD [REPLACE] <code>: loads a library, in place of the one of its name with REPLACE',
            'RESTORE <dump> [FLUSH|APPEND|REPLACE]: loads what DUMP answered',
            'STATS: which function runs, how many there are',
          ].map((line) => new Status(line)),
      }),
    },
  ),
};

function row(arity: number, flags: readonly Flag[], summary: string, syntax: string) {
  return { arity, flags, group: 'scripting' as const, since: '7.0.0', summary, syntax };
}

// Too many arguments where the arity alone does not say so.
function wrongSyntax(args: readonly string[]): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand or wrong number of arguments for '${toNul(args[1]).slice(0, 128)}'. Try FUNCTION HELP.`,
  );
}

function isPolicy(word: string): word is RestorePolicy {
  return word === 'flush' || word === 'append' || word === 'replace';
}

function list(args: readonly string[], engine: EnginePort): Reply {
  let withCode = false;
  let pattern: string | null = null;
  for (let i = 2; i < args.length; i++) {
    const word = args[i].toLowerCase();
    if (!withCode && word === 'withcode') withCode = true;
    else if (pattern === null && word === 'libraryname') {
      if (i === args.length - 1) return PATTERN_MISSING;
      pattern = args[++i];
    } else return new ReplyError(`ERR Unknown argument ${toNul(args[i])}`);
  }
  return engine.functions
    .list()
    .filter(({ name }) => pattern === null || globMatch(pattern, name, true))
    .map((library) => describe(library, withCode));
}

function describe({ name, code, functions: members }: LibraryInfo, withCode: boolean): Reply {
  const described = members.map(
    (f) =>
      new MapReply([
        'name',
        f.name,
        'description',
        f.description,
        'flags',
        new SetReply(f.flags.map((flag) => new Status(flag))),
      ]),
  );
  const fields: Reply[] = ['library_name', name, 'engine', 'LUA', 'functions', described];
  if (withCode) fields.push('library_code', code);
  return new MapReply(fields);
}
