// Directives: names, defaults, what they accept and what a change does. CONFIG GET/SET and redis.conf go
// through it; the engine and the server read it.
import type { ConfigPort } from '../commands/ports.ts';
import { globMatch } from '../data/glob.ts';
import { formatEventFlags, parseEventFlags } from '../keyspace/events.ts';
import type { Space } from '../keyspace/space.ts';
import type { EncodingLimits } from '../keyspace/values.ts';
import { ReplyError } from '../resp/reply.ts';

/** What a directive holds. Values are kept in the form that CONFIG GET prints. */
interface Directive {
  readonly initial: string;
  /** Normalises a value or answers why it cannot be. */
  readonly parse: (value: string) => string | ReplyErrorText;
  /** CONFIG SET may not change it. */
  readonly immutable?: boolean;
  readonly alias?: string;
  /** Makes a change effective. */
  readonly apply?: (space: Space, value: string) => void;
}

class ReplyErrorText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const text = (value: string): string => value;

function integerIn(min: number, max: number): Directive['parse'] {
  return (value) => {
    if (!/^-?\d+$/.test(value)) return new ReplyErrorText("argument couldn't be parsed into an integer");
    const n = Number(value);
    if (n < min || n > max) return new ReplyErrorText(`argument must be between ${min} and ${max} inclusive`);
    return String(n);
  };
}

/** Bytes with the units of redis.conf (1k = 1000, 1kb = 1024, …). */
function memoryIn(min: number, max: number): Directive['parse'] {
  return (value) => {
    const bytes = parseMemory(value);
    if (bytes === null) return new ReplyErrorText('argument must be a memory value');
    if (bytes < min || bytes > max)
      return new ReplyErrorText(`argument must be between ${min} and ${max} inclusive`);
    return String(bytes);
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1e6,
  mb: 1024 ** 2,
  g: 1e9,
  gb: 1024 ** 3,
};

/** Bytes of `64mb`, `1k`, `100`; null when it is none of these. */
export function parseMemory(value: string): number | null {
  const found = /^(\d+)([a-z]*)$/i.exec(value);
  const unit = found === null ? undefined : UNITS[found[2].toLowerCase()];
  return found === null || unit === undefined ? null : Number(found[1]) * unit;
}

function oneOf(...values: string[]): Directive['parse'] {
  return (value) => {
    const lower = value.toLowerCase();
    if (values.includes(lower)) return lower;
    if (values[0] === 'yes') return new ReplyErrorText("argument must be 'yes' or 'no'");
    return new ReplyErrorText(`argument(s) must be one of the following: ${values.join(', ')}`);
  };
}

function limit(name: keyof EncodingLimits): Directive['apply'] {
  return (space, value) => {
    space.limits[name] = Number(value);
  };
}

const INT = Number.MAX_SAFE_INTEGER;

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  databases: { initial: '16', parse: integerIn(1, 2 ** 31 - 1), immutable: true },
  requirepass: { initial: '', parse: text },
  'proto-max-bulk-len': { initial: '536870912', parse: memoryIn(1024 * 1024, INT) },
  'notify-keyspace-events': {
    initial: '',
    parse: (value) => {
      const flags = parseEventFlags(value);
      if (flags === null) {
        return new ReplyErrorText("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
      }
      return formatEventFlags(flags);
    },
    apply: (space, value) => {
      space.eventFlags = parseEventFlags(value) ?? 0;
    },
  },
  'hash-max-listpack-entries': {
    initial: '128',
    parse: integerIn(0, INT),
    apply: limit('hashMaxListpackEntries'),
  },
  'hash-max-listpack-value': { initial: '64', parse: memoryIn(0, INT), apply: limit('hashMaxListpackValue') },
  'hash-max-ziplist-entries': { initial: '', parse: text, alias: 'hash-max-listpack-entries' },
  'hash-max-ziplist-value': { initial: '', parse: text, alias: 'hash-max-listpack-value' },
  'set-max-intset-entries': { initial: '512', parse: integerIn(0, INT), apply: limit('setMaxIntsetEntries') },
  'set-max-listpack-entries': {
    initial: '128',
    parse: integerIn(0, INT),
    apply: limit('setMaxListpackEntries'),
  },
  'set-max-listpack-value': { initial: '64', parse: memoryIn(0, INT), apply: limit('setMaxListpackValue') },
  'zset-max-listpack-entries': {
    initial: '128',
    parse: integerIn(0, INT),
    apply: limit('zsetMaxListpackEntries'),
  },
  'zset-max-listpack-value': { initial: '64', parse: memoryIn(0, INT), apply: limit('zsetMaxListpackValue') },
  'zset-max-ziplist-entries': { initial: '', parse: text, alias: 'zset-max-listpack-entries' },
  'zset-max-ziplist-value': { initial: '', parse: text, alias: 'zset-max-listpack-value' },
  'list-max-listpack-size': {
    initial: '-2',
    parse: integerIn(-(2 ** 31), 2 ** 31),
    apply: limit('listMaxListpackSize'),
  },
  'list-max-ziplist-size': { initial: '', parse: text, alias: 'list-max-listpack-size' },
  'maxmemory-policy': {
    initial: 'noeviction',
    parse: oneOf(
      'volatile-lru',
      'allkeys-lru',
      'volatile-lfu',
      'allkeys-lfu',
      'volatile-random',
      'allkeys-random',
      'volatile-ttl',
      'noeviction',
    ),
    apply: (space, value) => {
      space.lfu = value.endsWith('lfu');
    },
  },
  maxclients: { initial: '10000', parse: integerIn(1, 2 ** 32 - 1) },
  timeout: { initial: '0', parse: integerIn(0, 2 ** 31 - 1) },
  'tcp-keepalive': { initial: '300', parse: integerIn(0, 2 ** 31 - 1) },
  'protected-mode': { initial: 'yes', parse: oneOf('yes', 'no') },
  'client-query-buffer-limit': { initial: '1073741824', parse: memoryIn(1024 * 1024, INT) },
  'client-output-buffer-limit': {
    initial: 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
    parse: text,
  },
  'enable-debug-command': { initial: 'local', parse: oneOf('no', 'yes', 'local'), immutable: true },
};

export class Config implements ConfigPort {
  /** proto-max-bulk-len, at hand for the hot path. */
  maxBulk = 512 * 1024 * 1024;
  private readonly values = new Map<string, string>();
  private space: Space | null = null;
  private readonly listeners: ((name: string, value: string) => void)[] = [];

  /** @throws Error that names the directive when a name or value is wrong. */
  constructor(initial: Readonly<Record<string, string>>) {
    for (const [name, directive] of Object.entries(DIRECTIVES)) {
      if (directive.alias === undefined) this.values.set(name, directive.initial);
    }
    for (const [name, value] of Object.entries(initial)) {
      const error = this.store(name, value);
      if (error !== null) throw new Error(`${name}: ${error.text}`);
    }
  }

  /** Connects the directives that change the keyspace; applies their present values. */
  attach(engine: { space: Space }): void {
    this.space = engine.space;
    for (const [name, value] of this.values) this.apply(name, value);
  }

  /** Calls back after each change of any directive. */
  onChange(listener: (name: string, value: string) => void): void {
    this.listeners.push(listener);
  }

  get(globs: readonly string[]): [string, string][] {
    const found: [string, string][] = [];
    for (const name of Object.keys(DIRECTIVES)) {
      if (globs.some((glob) => globMatch(glob.toLowerCase(), name))) found.push([name, this.value(name)]);
    }
    return found;
  }

  value(name: string): string {
    return this.values.get(DIRECTIVES[name]?.alias ?? name) ?? '';
  }

  set(pairs: readonly (readonly [string, string])[]): ReplyError | null {
    const before = new Map(this.values);
    const seen = new Set<string>();
    for (const [given, value] of pairs) {
      const name = given.toLowerCase();
      const directive = DIRECTIVES[name];
      let error: { text: string } | null = null;
      if (directive === undefined) {
        this.restore(before);
        return new ReplyError(`ERR Unknown option or number of arguments for CONFIG SET - '${given}'`);
      }
      if (directive.immutable) error = { text: "can't set immutable config" };
      else if (seen.has(directive.alias ?? name)) error = { text: 'duplicate parameter' };
      else error = this.store(name, value);
      if (error !== null) {
        this.restore(before);
        return new ReplyError(
          `ERR CONFIG SET failed (possibly related to argument '${given}') - ${error.text}`,
        );
      }
      seen.add(directive.alias ?? name);
    }
    for (const name of seen) this.apply(name, this.value(name));
    return null;
  }

  /** client-output-buffer-limit, parsed. */
  outputLimits(): Record<'normal' | 'pubsub', { hard: number; soft: number; softSeconds: number }> {
    const words = this.value('client-output-buffer-limit').split(' ');
    const of = (name: string): { hard: number; soft: number; softSeconds: number } => {
      const at = words.indexOf(name);
      return { hard: Number(words[at + 1]), soft: Number(words[at + 2]), softSeconds: Number(words[at + 3]) };
    };
    return { normal: of('normal'), pubsub: of('pubsub') };
  }

  /** May a protected command (DEBUG) run for this client? */
  allowsProtected(name: string, local: boolean): boolean {
    const value = this.value(`enable-${name.split('|')[0]}-command`);
    return value === 'yes' || (value === 'local' && local);
  }

  private store(name: string, value: string): { text: string } | null {
    const directive = DIRECTIVES[name];
    if (directive === undefined) return { text: 'unknown directive' };
    const real = directive.alias ?? name;
    const parsed = DIRECTIVES[real].parse(value);
    if (parsed instanceof ReplyErrorText) return parsed;
    this.values.set(real, parsed);
    return null;
  }

  private restore(values: Map<string, string>): void {
    this.values.clear();
    for (const [name, value] of values) this.values.set(name, value);
  }

  private apply(name: string, value: string): void {
    if (name === 'proto-max-bulk-len') this.maxBulk = Number(value);
    if (this.space !== null) DIRECTIVES[name].apply?.(this.space, value);
    for (const listener of this.listeners) listener(name, value);
  }
}
