// How single values travel as words of a command and back from an answer. A script's arguments and reply are declared
// with these (kit/script.ts), so both ends have types, and a value of the wrong form never leaves.
import type { Answer, Word } from './driver.ts';
import { AtomicError } from './errors.ts';

/** One kind of value. `where` names the place for messages. */
export interface Codec<T> {
  readonly kind: string;
  encode(value: T, where: string): Word;
  decode(answer: Answer | undefined, where: string): T;
}

/** What a codec carries. */
export type Carried<C> = C extends Codec<infer T> ? T : never;

function bad(where: string, wanted: string): never {
  throw new AtomicError('BAD_ARGUMENT', `${where} must be ${wanted}`);
}

function misshapen(where: string, wanted: string): never {
  throw new AtomicError(
    'REPLY_SHAPE',
    `${where} is not ${wanted}: does the server have another version of the script?`,
  );
}

const SAFE = /^-?\d{1,16}$/;

/** An integer that a JavaScript number holds exactly. */
export const int: Codec<number> = {
  kind: 'int',
  encode(value, where) {
    return Number.isSafeInteger(value) ? value : bad(where, 'an integer below 2^53');
  },
  decode(answer, where) {
    if (typeof answer === 'number') return answer;
    if (typeof answer === 'string' && SAFE.test(answer)) {
      const value = Number(answer);
      if (Number.isSafeInteger(value)) return value;
    }
    return misshapen(where, 'an integer below 2^53');
  },
};

/** Longest magnitude of a signed integer of 64 bits. */
const MAX64 = 9223372036854775807n;
const MIN64 = -9223372036854775808n;

/** A signed integer of 64 bits, as a bigint. */
export const int64: Codec<bigint> = {
  kind: 'int64',
  encode(value, where) {
    if (typeof value !== 'bigint' || value > MAX64 || value < MIN64) bad(where, 'a bigint of 64 bits');
    return value.toString();
  },
  decode(answer, where) {
    if (typeof answer === 'number' && Number.isSafeInteger(answer)) return BigInt(answer);
    if (typeof answer === 'string' && /^-?\d{1,19}$/.test(answer)) return BigInt(answer);
    return misshapen(where, 'an integer of 64 bits');
  },
};

/** Any number, written so that it comes back the same. */
export const decimal: Codec<number> = {
  kind: 'decimal',
  encode(value, where) {
    return Number.isFinite(value) ? String(value) : bad(where, 'a finite number');
  },
  decode(answer, where) {
    const value = typeof answer === 'string' && answer !== '' ? Number(answer) : answer;
    return typeof value === 'number' && !Number.isNaN(value) ? value : misshapen(where, 'a number');
  },
};

/** Text, in UTF-8. */
export const text: Codec<string> = {
  kind: 'text',
  encode(value, where) {
    return typeof value === 'string' ? value : bad(where, 'a string');
  },
  decode(answer, where) {
    if (typeof answer === 'string') return answer;
    return typeof answer === 'number' ? String(answer) : misshapen(where, 'a string');
  },
};

/** True or false, as 1 or 0. */
export const flag: Codec<boolean> = {
  kind: 'flag',
  encode(value, where) {
    return typeof value === 'boolean' ? (value ? 1 : 0) : bad(where, 'true or false');
  },
  decode(answer, where) {
    if (answer === 1 || answer === '1') return true;
    return answer === 0 || answer === '0' ? false : misshapen(where, '0 or 1');
  },
};

/** Any value that JSON keeps. */
export function json<T>(): Codec<T> {
  return {
    kind: 'json',
    encode(value, where) {
      return JSON.stringify(value) ?? bad(where, 'a value that JSON can hold');
    },
    decode(answer, where) {
      try {
        return JSON.parse(String(answer)) as T;
      } catch {
        return misshapen(where, 'JSON');
      }
    },
  };
}

/** A value or null, which travels as the empty string (and comes back from a nil as well). */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    kind: `${inner.kind}?`,
    encode: (value, where) => (value === null || value === undefined ? '' : inner.encode(value, where)),
    decode: (answer, where) =>
      answer === null || answer === undefined || answer === '' ? null : inner.decode(answer, where),
  };
}

/** Several of a kind. As an argument: how many, then each. In a reply: an array. */
export interface ListCodec<T> extends Codec<readonly T[]> {
  readonly items: Codec<T>;
}

export function list<T>(items: Codec<T>): ListCodec<T> {
  return {
    kind: `${items.kind}[]`,
    items,
    encode: (_value, where) => bad(where, 'encoded item by item'),
    decode(answer, where) {
      if (!Array.isArray(answer)) return misshapen(where, 'an array');
      return answer.map((item, i) => items.decode(item as Answer, `${where}[${i}]`));
    },
  };
}

export function isList(codec: Codec<unknown>): codec is ListCodec<unknown> {
  return 'items' in codec;
}
