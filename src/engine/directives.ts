// The directives that Holdfast honours, one row each: default, what is accepted, what a change does. Config
// holds their values, server/configuration.ts reads them from redis.conf; unsupported-directives.ts has the rest.
import { parseEventFlags } from '../keyspace/events.ts';
import type { Space } from '../keyspace/space.ts';
import type { EncodingLimits } from '../keyspace/values.ts';
import {
  addresses,
  eventClasses,
  INT,
  integer,
  type Kind,
  LONG,
  memory,
  octal,
  oneOf,
  outputLimits,
  savePoints,
  text,
  yesNo,
} from './directive-kinds.ts';

export interface Directive {
  /** The default, in the form that CONFIG GET prints. */
  readonly initial: string;
  readonly kind: Kind;
  /** Older name. */
  readonly alias?: string;
  /** Set at the start only: CONFIG SET refuses it; `protected` is Redis' word for what could be misused. */
  readonly fixed?: boolean | 'protected';
  /** What CONFIG GET prints, where it is less than what was set. */
  readonly print?: (value: string) => string;
  /** Makes a value effective in the keyspace; who else follows it reads Config. */
  readonly apply?: (space: Space, value: string) => void;
}

function limit(name: keyof EncodingLimits): Directive['apply'] {
  return (space, value) => {
    space.limits[name] = Number(value);
  };
}

const MB = 1024n * 1024n;

export const DIRECTIVES: Readonly<Record<string, Directive>> = {
  // Where it listens.
  bind: { initial: '127.0.0.1 -::1', kind: addresses, fixed: true },
  port: { initial: '6379', kind: integer(0n, 65535n), fixed: true },
  unixsocket: { initial: '', kind: text('a path'), fixed: true },
  unixsocketperm: { initial: '0', kind: octal(0o777n), fixed: true },
  'tcp-backlog': { initial: '511', kind: integer(0n, INT), fixed: true },

  // Who may come in and how much each may take.
  maxclients: { initial: '10000', kind: integer(1n, 2n ** 32n - 1n) },
  'protected-mode': { initial: 'yes', kind: yesNo },
  requirepass: { initial: '', kind: text('a password; empty is none') },
  timeout: { initial: '0', kind: integer(0n, INT) },
  'tcp-keepalive': { initial: '300', kind: integer(0n, INT) },
  'client-query-buffer-limit': { initial: '1073741824', kind: memory(MB, LONG) },
  'client-output-buffer-limit': {
    initial: 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
    kind: outputLimits,
  },
  'proto-max-bulk-len': { initial: '536870912', kind: memory(MB, LONG) },
  'enable-debug-command': { initial: 'no', kind: oneOf('no', 'yes', 'local'), fixed: true },

  // The keyspace.
  databases: { initial: '16', kind: integer(1n, INT), fixed: true },
  hz: {
    initial: '10',
    // Out of 1 to 500 it is a wish that Redis brings into that range.
    kind: { ...integer(0n, INT), parse: (words, present) => clampHz(words, present) },
  },
  // On disk. In process only a database that was opened with a directory looks at them; the program gives other
  // defaults (cli/serve.ts).
  appendonly: { initial: 'no', kind: yesNo, fixed: true },
  dir: { initial: './data', kind: text('a directory'), fixed: 'protected' },
  dbfilename: { initial: 'dump.rdb', kind: text('a file name'), fixed: 'protected' },
  appendfilename: { initial: 'appendonly.aof', kind: text('a file name'), fixed: true },
  appenddirname: { initial: 'appendonlydir', kind: text('a file name'), fixed: true },
  appendfsync: { initial: 'everysec', kind: oneOf('everysec', 'always', 'no') },
  'auto-aof-rewrite-percentage': { initial: '100', kind: integer(0n, INT) },
  'auto-aof-rewrite-min-size': { initial: '67108864', kind: memory(0n, LONG) },
  'aof-load-truncated': { initial: 'yes', kind: yesNo },
  rdbcompression: { initial: 'yes', kind: yesNo },
  save: { initial: '', kind: savePoints },
  // Scripts.
  'busy-reply-threshold': { initial: '5000', kind: integer(0n, LONG), alias: 'lua-time-limit' },
  // Not a directive of Redis: SCRIPT KILL may end a script that has written, and then undoes it.
  'script-kill-rollback': { initial: 'no', kind: yesNo },
  'notify-keyspace-events': {
    initial: '',
    kind: eventClasses,
    // As Redis: behind `A` the class `n`, which is not part of it, is in force and not shown.
    print: (value) => (value.includes('A') ? value.replace('n', '') : value),
    apply: (space, value) => {
      space.eventFlags = parseEventFlags(value) ?? 0;
    },
  },
  'maxmemory-policy': {
    initial: 'noeviction',
    kind: oneOf(
      'volatile-lru',
      'volatile-lfu',
      'volatile-random',
      'volatile-ttl',
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-random',
      'noeviction',
    ),
    apply: (space, value) => {
      space.lfu = value.endsWith('lfu');
    },
  },
  'hash-max-listpack-entries': {
    initial: '512',
    kind: integer(0n, LONG),
    alias: 'hash-max-ziplist-entries',
    apply: limit('hashMaxListpackEntries'),
  },
  'hash-max-listpack-value': {
    initial: '64',
    kind: memory(0n, LONG),
    alias: 'hash-max-ziplist-value',
    apply: limit('hashMaxListpackValue'),
  },
  'list-max-listpack-size': {
    initial: '-2',
    kind: integer(-INT - 1n, INT),
    alias: 'list-max-ziplist-size',
    apply: limit('listMaxListpackSize'),
  },
  'set-max-intset-entries': {
    initial: '512',
    kind: integer(0n, LONG),
    apply: limit('setMaxIntsetEntries'),
  },
  'set-max-listpack-entries': {
    initial: '128',
    kind: integer(0n, LONG),
    apply: limit('setMaxListpackEntries'),
  },
  'set-max-listpack-value': {
    initial: '64',
    kind: memory(0n, LONG),
    apply: limit('setMaxListpackValue'),
  },
  'zset-max-listpack-entries': {
    initial: '128',
    kind: integer(0n, LONG),
    alias: 'zset-max-ziplist-entries',
    apply: limit('zsetMaxListpackEntries'),
  },
  'zset-max-listpack-value': {
    initial: '64',
    kind: memory(0n, LONG),
    alias: 'zset-max-ziplist-value',
    apply: limit('zsetMaxListpackValue'),
  },
};

const HZ = integer(0n, INT);

function clampHz(words: readonly string[], present: string): ReturnType<Kind['parse']> {
  const parsed = HZ.parse(words, present);
  return typeof parsed === 'string' ? String(Math.min(500, Math.max(1, Number(parsed)))) : parsed;
}

const ALIASES = new Map(
  Object.entries(DIRECTIVES).flatMap(([name, { alias }]) => (alias === undefined ? [] : [[alias, name]])),
);

/** The directive's present name, also of an older name; undefined where there is no such directive. */
export function directiveName(given: string): string | undefined {
  const lower = given.toLowerCase();
  return Object.hasOwn(DIRECTIVES, lower) ? lower : ALIASES.get(lower);
}

/** Every name that CONFIG GET knows, older ones too. */
export const DIRECTIVE_NAMES: readonly string[] = [...Object.keys(DIRECTIVES), ...ALIASES.keys()];
