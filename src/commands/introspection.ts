// COMMAND and its subcommands: everything that clients ask of the table itself.
import { globMatch } from '../data/glob.ts';
import { EMPTY, MapReply, NULL_ARRAY, type Reply, ReplyError, SetReply, Status } from '../resp/reply.ts';
import { aclCategories, hasMovableKeys, keyPositions, legacyKeys } from './derive.ts';
import { type Argument, parseSyntax } from './docs.ts';
import { SYNTAX } from './errors.ts';
import type { EnginePort } from './ports.ts';
import { type Arg, command, container, type KeySpec } from './spec.ts';
import type { TableEntry } from './table.ts';

const FLAGS = ['loading', 'stale'] as const;
/** Flags that COMMAND INFO does not show. */
const HIDDEN: ReadonlySet<string> = new Set(['protected', 'may_replicate']);

const UNORDERED = ['nondeterministic_output_order'] as const;

export const introspection = {
  command: container(
    {
      arity: -1,
      flags: FLAGS,
      group: 'server',
      since: '2.8.13',
      summary: 'Describes all commands.',
      complexity: 'O(N) with the number of commands',
      categories: ['connection'],
      tips: UNORDERED,
      control: (_session, _args, engine) => [...engine.table.all()].map(describe),
    },
    {
      info: command<[...names: Arg[]], unknown[]>({
        ...row(
          -2,
          '2.8.13',
          'Describes some commands, all without arguments.',
          '[command-name [command-name ...]]',
        ),
        tips: UNORDERED,
        control: (_session, args, engine) => {
          if (args.length === 2) return [...engine.table.all()].map(describe);
          return args.slice(2).map((name) => {
            const entry = engine.table.findFull(name);
            return entry === undefined ? NULL_ARRAY : describe(entry);
          });
        },
      }),
      docs: command<[...names: Arg[]], Record<string, unknown>>({
        ...row(
          -2,
          '7.0.0',
          'Documents some commands, all without arguments.',
          '[command-name [command-name ...]]',
        ),
        tips: UNORDERED,
        control: (_session, args, engine) => {
          const entries =
            args.length === 2
              ? [...engine.table.all()]
              : args.slice(2).flatMap((name) => engine.table.findFull(name) ?? []);
          return new MapReply(entries.flatMap((entry) => [entry.name, documentation(entry)]));
        },
      }),
      count: command<[], number>({
        ...row(2, '2.8.13', 'Counts the commands.', ''),
        control: (_session, _args, engine) => engine.table.size,
      }),
      list: command<[...filter: Arg[]], string[]>({
        ...row(
          -2,
          '7.0.0',
          'Lists command names.',
          '[FILTERBY MODULE module-name|ACLCAT category|PATTERN pattern]',
        ),
        tips: UNORDERED,
        control: (_session, args, engine) => list(args, engine),
      }),
      getkeys: command<[...commandLine: Arg[]], string[]>({
        ...row(-4, '2.8.13', 'Finds the keys in a command line.', 'command [arg [arg ...]]'),
        control: (_session, args, engine) => {
          const keys = keysOf(args.slice(2), engine);
          return keys instanceof ReplyError ? keys : keys.map(({ key }) => key);
        },
      }),
      getkeysandflags: command<[...commandLine: Arg[]], unknown[]>({
        ...row(
          -4,
          '7.0.0',
          'Finds the keys in a command line, with what is done to them.',
          'command [arg [arg ...]]',
        ),
        control: (_session, args, engine) => {
          const keys = keysOf(args.slice(2), engine);
          if (keys instanceof ReplyError) return keys;
          return keys.map(({ key, flags }) => [key, new SetReply(flags.map(statusOf))]);
        },
      }),
      help: command<[], string[]>({
        ...row(2, '5.0.0', 'Lists the subcommands.', ''),
        control: () =>
          [
            'COMMAND [<subcommand> [<arg> ...]]',
            '(no subcommand): describes all commands',
            'COUNT: how many commands there are',
            'DOCS [name ...]: documentation',
            'GETKEYS <command line>, GETKEYSANDFLAGS <command line>: the keys in it',
            'INFO [name ...]: arity, flags, keys, categories',
            'LIST [FILTERBY MODULE|ACLCAT|PATTERN <value>]: names',
          ].map((line) => new Status(line)),
      }),
    },
  ),
};

function row(arity: number, since: string, summary: string, syntax: string) {
  return {
    arity,
    flags: FLAGS,
    group: 'server' as const,
    since,
    summary,
    syntax,
    complexity: 'O(N) with the number of commands',
    categories: ['connection'],
  };
}

const statusOf = (text: string): Status => new Status(text);

// RO, RW, OW, RM are printed in upper case, the others as they are written.
function keyFlag(flag: string): Status {
  return new Status(flag);
}

function describe(entry: TableEntry): Reply {
  const { row: spec } = entry;
  const [first, last, step] = legacyKeys(spec);
  const flags: string[] = [...spec.flags].filter((flag) => !HIDDEN.has(flag));
  if (hasMovableKeys(spec)) flags.push('movablekeys');
  return [
    entry.name,
    entry.arity,
    new SetReply(flags.map(statusOf)),
    first,
    last,
    step,
    new SetReply(aclCategories(spec).map((name) => new Status(`@${name}`))),
    new SetReply([...(spec.tips ?? [])]),
    new SetReply((spec.keys ?? []).map(describeKeys)),
    [...(entry.subcommands?.values() ?? [])].map(describe),
  ];
}

function describeKeys(spec: KeySpec): Reply {
  return new MapReply([
    ...(spec.notes === undefined ? [] : ['notes', spec.notes]),
    'flags',
    new SetReply(spec.flags.map(keyFlag)),
    'begin_search',
    beginOf(spec),
    'find_keys',
    findOf(spec),
  ]);
}

function beginOf({ begin }: KeySpec): Reply {
  if (begin === null) return new MapReply(['type', 'unknown', 'spec', new MapReply([])]);
  if ('index' in begin) return new MapReply(['type', 'index', 'spec', new MapReply(['index', begin.index])]);
  const spec = new MapReply(['keyword', begin.keyword, 'startfrom', begin.from]);
  return new MapReply(['type', 'keyword', 'spec', spec]);
}

function findOf({ find }: KeySpec): Reply {
  if (find === null) return new MapReply(['type', 'unknown', 'spec', new MapReply([])]);
  if ('last' in find) {
    const spec = new MapReply(['lastkey', find.last, 'keystep', find.step, 'limit', find.limit]);
    return new MapReply(['type', 'range', 'spec', spec]);
  }
  const spec = new MapReply(['keynumidx', find.keynum, 'firstkey', find.first, 'keystep', find.step]);
  return new MapReply(['type', 'keynum', 'spec', spec]);
}

function documentation(entry: TableEntry): MapReply {
  const { row: spec } = entry;
  const fields: Reply[] = ['summary', spec.summary, 'since', spec.since, 'group', spec.group];
  if (spec.complexity !== undefined) fields.push('complexity', spec.complexity);
  const parsed = parseSyntax(spec.syntax ?? '');
  if (parsed.length > 0) fields.push('arguments', parsed.map(describeArgument));
  if (entry.subcommands !== null) {
    const subs = [...entry.subcommands.values()].flatMap((sub) => [sub.name, documentation(sub)]);
    fields.push('subcommands', new MapReply(subs));
  }
  return new MapReply(fields);
}

function describeArgument(argument: Argument): MapReply {
  const fields: Reply[] = ['name', argument.name, 'type', argument.type];
  if (argument.token !== undefined) fields.push('token', argument.token);
  const flags = [...(argument.optional ? ['optional'] : []), ...(argument.multiple ? ['multiple'] : [])];
  if (flags.length > 0) fields.push('flags', flags.map(statusOf));
  if (argument.arguments !== undefined) fields.push('arguments', argument.arguments.map(describeArgument));
  return new MapReply(fields);
}

function everyEntry(engine: EnginePort): TableEntry[] {
  return [...engine.table.all()].flatMap((entry) => [entry, ...(entry.subcommands?.values() ?? [])]);
}

function list(args: readonly string[], engine: EnginePort): Reply {
  if (args.length === 2) return [...engine.table.all()].map((entry) => entry.name);
  if (args.length !== 5 || args[2].toLowerCase() !== 'filterby') return SYNTAX;
  const wanted = args[4].toLowerCase();
  switch (args[3].toLowerCase()) {
    case 'module':
      return EMPTY;
    case 'aclcat':
      return everyEntry(engine)
        .filter((entry) => aclCategories(entry.row).includes(wanted))
        .map((entry) => entry.name);
    case 'pattern':
      return everyEntry(engine)
        .filter((entry) => globMatch(args[4], entry.name, true))
        .map((entry) => entry.name);
    default:
      return SYNTAX;
  }
}

function keysOf(
  line: readonly string[],
  engine: EnginePort,
): { key: string; flags: readonly string[] }[] | ReplyError {
  let entry = engine.table.find(line[0]);
  if (entry?.subcommands != null && line.length > 1) entry = entry.subcommands.get(line[1].toLowerCase());
  if (entry === undefined) return new ReplyError('ERR Invalid command specified');
  if ((entry.row.keys ?? []).length === 0) return new ReplyError('ERR The command has no key arguments');
  const { arity } = entry;
  if (arity > 0 ? line.length !== arity : line.length < -arity) {
    return new ReplyError('ERR Invalid number of arguments specified for command');
  }
  const found = keyPositions(entry.row, line);
  if (found === null) {
    return entry.row.flags.includes('no_mandatory_keys')
      ? []
      : new ReplyError('ERR Invalid arguments specified for command');
  }
  return found.map(({ at, flags }) => ({ key: line[at], flags }));
}
