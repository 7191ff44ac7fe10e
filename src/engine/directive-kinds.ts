// Kinds of values that directives take, with Redis' rules and error texts: yes/no, numbers, bytes, choices and
// the few with a grammar of their own. directives.ts builds its rows from them.
import { parseInt64 } from '../data/numbers.ts';
import { formatEventFlags, parseEventFlags } from '../keyspace/events.ts';

/** Why a value cannot be, in Redis' words. */
export class Unfit {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface Kind {
  /** What is accepted, for people: `an integer from 0 to 65535`. */
  readonly accepts: string;
  /** Takes any number of words instead of exactly one. */
  readonly many?: boolean;
  /** In a file, several lines count together; an empty value forgets those before. */
  readonly addsUp?: boolean;
  /** The value in the form that CONFIG GET prints; `present` is what it changes. */
  readonly parse: (words: readonly string[], present: string) => string | Unfit;
}

function single(accepts: string, parse: (value: string) => string | Unfit): Kind {
  return { accepts, parse: (words) => parse(words[0]) };
}

export const text = (accepts = 'a text'): Kind => single(accepts, (value) => value);

export const yesNo: Kind = single('yes or no', (value) => {
  const lower = value.toLowerCase();
  return lower === 'yes' || lower === 'no' ? lower : new Unfit("argument must be 'yes' or 'no'");
});

export function oneOf(...values: string[]): Kind {
  return single(`one of ${values.join(', ')}`, (value) => {
    const lower = value.toLowerCase();
    if (values.includes(lower)) return lower;
    return new Unfit(`argument(s) must be one of the following: ${values.join(', ')}`);
  });
}

/** Longest `long` of C. */
export const LONG = 2n ** 63n - 1n;
export const INT = 2n ** 31n - 1n;

function between(value: bigint, min: bigint, max: bigint, radix = 10): string | Unfit {
  if (value >= min && value <= max) return value.toString(radix);
  return new Unfit(`argument must be between ${min.toString(radix)} and ${max.toString(radix)} inclusive`);
}

const limits = (min: bigint, max: bigint): string => `from ${min}${max === LONG ? ' on' : ` to ${max}`}`;

export function integer(min: bigint, max: bigint): Kind {
  return single(`an integer ${limits(min, max)}`, (value) => {
    const n = parseInt64(value);
    if (n === null) return new Unfit("argument couldn't be parsed into an integer");
    return between(BigInt(n), min, max);
  });
}

/** File permissions. */
export const octal = (max: bigint): Kind =>
  single(`an octal number up to ${max.toString(8)}`, (value) => {
    if (!/^\s*[+-]?[0-7]*$/.test(value)) return new Unfit("argument couldn't be parsed as an octal number");
    const digits = value.trim().replace(/^[+-]/, '') || '0';
    const n = BigInt(`0o${digits}`);
    return between(/^\s*-/.test(value) && n > 0n ? 2n ** 64n - n : n, 0n, max, 8);
  });

/** Bytes, with the units of redis.conf (1k = 1000, 1kb = 1024, …). */
export function memory(min: bigint, max: bigint): Kind {
  return single('a number of bytes such as 100, 64kb or 1gb', (value) => {
    const bytes = parseMemory(value);
    return bytes === null ? new Unfit('argument must be a memory value') : between(bytes, min, max);
  });
}

/** `3600 1 300 100`: pairs of seconds and changes; empty is never. */
export const savePoints: Kind = {
  accepts: 'pairs of seconds and changes, or ""',
  many: true,
  addsUp: true,
  parse: (words) => {
    if (words.length === 1 && words[0] === '') return '';
    const numbers = words.flatMap((word) => word.split(' ')).map((word) => (word === '' ? '0' : word));
    const isPair = numbers.length % 2 === 0;
    const fit = numbers.every((word, i) => {
      const n = parseInt64(word.replace(/^[\t-\r ]*\+?/, ''));
      return n !== null && n >= (i % 2 === 0 ? 1 : 0);
    });
    return isPair && fit
      ? numbers.map((word) => String(Number(word))).join(' ')
      : new Unfit('Invalid save parameters');
  },
};

const UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000_000n,
  mb: 1024n ** 2n,
  g: 1000_000_000n,
  gb: 1024n ** 3n,
};

/** Bytes of `64mb`, `1k`, `100`, also of nothing at all (0, as Redis has it); null when it is none of these. */
function parseMemory(value: string): bigint | null {
  const found = /^(\d{0,127})([a-z]*)$/i.exec(value);
  const unit = found === null ? undefined : UNITS[found[2].toLowerCase()];
  return found === null || unit === undefined ? null : BigInt(found[1] || '0') * unit;
}

/** notify-keyspace-events. */
export const eventClasses: Kind = single('event classes, letters of Ag$lshzxeKEtmdn', (value) => {
  const flags = parseEventFlags(value);
  if (flags === null) return new Unfit("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  return formatEventFlags(flags);
});

/** `bind`: up to 16 addresses; one empty word is none. */
export const addresses: Kind = {
  accepts: 'up to 16 addresses; * is all, a leading - means that it may be missing',
  many: true,
  parse: (words) => (words.length > 16 ? new Unfit('Too many bind addresses specified.') : words.join(' ')),
};

/** Output limits of one class of clients; 0 is no limit. */
export interface OutputLimit {
  readonly hard: number;
  readonly soft: number;
  readonly softSeconds: number;
}

const OUTPUT_CLASSES: readonly string[] = ['normal', 'slave', 'pubsub'];

/** client-output-buffer-limit: `<class> <hard> <soft> <soft seconds>`, once or more; other classes stay. */
export const outputLimits: Kind = {
  accepts: '<normal|replica|pubsub> <hard limit> <soft limit> <soft seconds>, once or more',
  many: true,
  parse: (words, present) => {
    if (words.length % 4 !== 0) {
      return new Unfit('Wrong number of arguments in buffer limit configuration.');
    }
    const classes = present.split(' ');
    for (let i = 0; i < words.length; i += 4) {
      const given = words[i].toLowerCase();
      const at = OUTPUT_CLASSES.indexOf(given === 'replica' ? 'slave' : given) * 4;
      if (at < 0) return new Unfit('Invalid client class specified in buffer limit configuration.');
      const hard = parseMemory(words[i + 1]);
      const soft = parseMemory(words[i + 2]);
      const seconds = /^\d*$/.test(words[i + 3]) ? BigInt(words[i + 3] || '0') : null;
      if (hard === null || soft === null || seconds === null || seconds > INT) {
        return new Unfit('Error in hard, soft or soft_seconds setting in buffer limit configuration.');
      }
      classes[at + 1] = String(hard);
      classes[at + 2] = String(soft);
      classes[at + 3] = String(seconds);
    }
    return classes.join(' ');
  },
};

/** The limits of one class out of the directive's value. */
export function outputLimitOf(value: string, name: 'normal' | 'pubsub'): OutputLimit {
  const words = value.split(' ');
  const at = words.indexOf(name);
  return { hard: Number(words[at + 1]), soft: Number(words[at + 2]), softSeconds: Number(words[at + 3]) };
}
