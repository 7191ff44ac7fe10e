// The vocabulary in which families/*.ts describe commands: a part turns the generator's state into zero or more
// arguments. Parts give mostly valid arguments and, at a low rate, wrong ones. Called by families and generate.ts.

import type { Random } from './random.ts';
import type { Step } from './steps.ts';

/** What a part may look at while it makes arguments. */
export interface Gen {
  random: Random;
  /** Connections of this round, and the one that speaks now. */
  connections: number;
  conn: number;
  /** Has this connection sent MULTI and not yet EXEC, DISCARD or RESET? */
  inMulti: boolean;
  /** A whole random command of the families in play. */
  any(): string[];
  /** Steps to run after about `distance` other steps. */
  later(distance: number, ...steps: Step[]): void;
}

export type Part = string | ((g: Gen) => string[]);

export interface Scenario {
  weight: number;
  /** Several steps that belong together (their glue is set by the generator). */
  make(g: Gen): Step[];
}

export interface Family {
  name: string;
  /** `NAME` or `NAME SUB`: weight, then the parts after the name. */
  commands: Record<string, [number, ...Part[]]>;
  scenarios?: Scenario[];
}

export function expand(parts: readonly Part[], g: Gen): string[] {
  const out: string[] = [];
  for (const part of parts) {
    if (typeof part === 'string') out.push(mixCase(part, g));
    else out.push(...part(g));
  }
  return out;
}

function mixCase(word: string, g: Gen): string {
  if (g.random.chance(0.9)) return word;
  return [...word].map((c) => (g.random.chance(0.5) ? c.toLowerCase() : c.toUpperCase())).join('');
}

// ---- combinators -----------------------------------------------------------------------------------------

export const seq =
  (...parts: Part[]): Part =>
  (g) =>
    expand(parts, g);

export const alt =
  (...parts: Part[]): Part =>
  (g) =>
    expand([g.random.pick(parts)], g);

/** The parts with the given probability. */
export const opt =
  (p: number, ...parts: Part[]): Part =>
  (g) =>
    g.random.chance(p) ? expand(parts, g) : [];

/** Each option with probability p, in any order. */
export const options =
  (p: number, ...parts: Part[]): Part =>
  (g) =>
    expand(
      g.random.shuffle(parts).filter(() => g.random.chance(p)),
      g,
    );

export const many =
  (min: number, max: number, ...parts: Part[]): Part =>
  (g) => {
    const out: string[] = [];
    for (let n = g.random.int(min, max); n > 0; n--) out.push(...expand(parts, g));
    return out;
  };

/**
 * Like many, but every group ends in another word. 7.2 chooses the encoding of a new collection by the number
 * of arguments, 7.0 by the number of distinct members: with distinct ones both choose alike.
 */
export const manyDistinct =
  (min: number, max: number, by: 'first' | 'last', ...parts: Part[]): Part =>
  (g) => {
    const groups = new Map<string, string[]>();
    for (let n = g.random.int(min, max); n > 0; n--) {
      const group = expand(parts, g);
      groups.set((by === 'first' ? group[0] : group[group.length - 1]) ?? '', group);
    }
    return [...groups.values()].flat();
  };

/** A count, then that many times the parts; the count is wrong now and then. */
export const counted =
  (min: number, max: number, ...parts: Part[]): Part =>
  (g) => {
    const n = g.random.int(min, max);
    const out: string[] = [];
    for (let i = 0; i < n; i++) out.push(...expand(parts, g));
    const said = g.random.chance(0.06)
      ? g.random.pick(['0', '-1', 'x', String(n + 1), '99999999999'])
      : String(n);
    return [said, ...out];
  };

const oneOf =
  (list: readonly string[]): Part =>
  (g) => [g.random.pick(list)];

/** Mostly from the first list, now and then from the second. */
const mostly =
  (p: number, usual: readonly string[], odd: readonly string[]): Part =>
  (g) => [g.random.pick(g.random.chance(p) ? usual : odd)];

// ---- keys ------------------------------------------------------------------------------------------------

export type Type = 's' | 'b' | 'h' | 'l' | 'e' | 'z';
const TYPES: readonly Type[] = ['s', 'b', 'h', 'l', 'e', 'z'];
const ODD_KEYS = ['', '\x00\xff\r\n', 'a*b', '{t}x', 'k'.repeat(300), 'missing', 'w_1', 'w_2', 'w_a'];
const NAMES = TYPES.flatMap((t) => [0, 1, 2, 3].map((i) => `${t}:${i}`));

/** A key that mostly holds the given type, so that most commands find what they need and some do not. */
export const key =
  (type: Type): Part =>
  (g) => {
    const r = g.random;
    if (r.chance(0.86)) return [`${type}:${r.int(0, 3)}`];
    return [r.pick(r.chance(0.75) ? NAMES : ODD_KEYS)];
  };
export const anyKey: Part = (g) => [g.random.pick(g.random.chance(0.93) ? NAMES : ODD_KEYS)];
export const keyName = (g: Gen, type: Type): string => `${type}:${g.random.int(0, 3)}`;
export const anyKeyName = (g: Gen): string => g.random.pick(NAMES);

// ---- values ----------------------------------------------------------------------------------------------

const SMALL = ['a', 'b', 'c', 'd', 'e', 'f', '1', '2', '3', '10', '-1'];
const ODD_VALUES = [
  ...['', '0', '-0', '00', '+1', ' 1', '1 ', '1.5', '-1.5', '3.0e2', '0x10', 'inf', '-inf', 'nan', 'abc'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '-9223372036854775809'],
  ...['\x00', '\xff\xfe', 'a\r\nb', '*', '[a-c]', 'é'.normalize(), 'y'.repeat(44), 'y'.repeat(45)],
  ...['x'.repeat(64), 'x'.repeat(65), 'long '.repeat(200)],
].map((v) => Buffer.from(v, v === 'é' ? 'utf8' : 'latin1').toString('latin1'));
export const value: Part = mostly(0.75, SMALL, ODD_VALUES);
/** A member or field: few of them, so that they meet again. */
export const member: Part = mostly(0.88, SMALL, ODD_VALUES);

const INTS = ['0', '1', '-1', '2', '3', '5', '10', '-2', '-3', '100'];
const ODD_INTS = [
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '-9223372036854775809'],
  ...['abc', '', ' 1', '1 ', '01', '+1', '-0', '1.0', '1e3', '0x1', '4294967296', '2147483648'],
];
export const int: Part = mostly(0.88, INTS, ODD_INTS);
export const index: Part = mostly(0.93, [...INTS, '4', '-4', '-5', '7'], ODD_INTS);
export const count: Part = mostly(0.93, ['1', '2', '3', '5', '10', '0', '-1', '-2'], ODD_INTS);
export const positive: Part = mostly(0.93, ['1', '2', '3', '4', '10'], ['0', '-1', ...ODD_INTS]);

/** None too small or too large for a double: they leave an errno behind that makes a later SORT of Redis fail. */
const FLOATS = ['0', '1', '-1', '0.5', '1.5', '-2.5', '3', '10', '0.25', '100', '3.75'];
const ODD_FLOATS = [
  ...[
    'inf',
    '-inf',
    '+inf',
    'Infinity',
    'nan',
    '-nan',
    '',
    'abc',
    '1e10',
    '1e-3',
    '1e100',
    '1.7e308',
    '-1.7e308',
  ],
  ...['0.1', '0.2', '1.1', '3.3', '-0', '-0.0', '1e-7', '0.00001', '123456789012345678'],
  ...[
    ' 1',
    '1 ',
    '0x1p3',
    '0x10',
    '1.',
    '.5',
    '+5',
    '1_000',
    '9007199254740993',
    '1e17',
    '1e21',
    '1e15',
    '12345.678',
  ],
];
export const float: Part = mostly(0.85, FLOATS, ODD_FLOATS);
/** Without -0: whether it survives depends on the encoding, and so on the version. */
export const score: Part = mostly(
  0.85,
  FLOATS,
  ODD_FLOATS.filter((text) => !text.startsWith('-0')),
);

export const scoreBound: Part = mostly(
  0.9,
  ['-inf', '+inf', 'inf', '0', '1', '(1', '2', '(2', '-1', '3', '1.5', '(0.5', '10', '(10', '100', '5'],
  ['(inf', '(-inf', '(', 'nan', 'abc', '', '((1', '1e3', '(nan', ' 1'],
);
export const lexBound: Part = mostly(
  0.92,
  ['-', '+', '[a', '(a', '[b', '(c', '[d', '[f', '[1', '(2', '[', '('],
  ['a', '', 'abc', '--', '[\xff', '(\x00', '++'],
);
export const pattern: Part = oneOf([
  ...[
    '*',
    '?',
    'a*',
    '[a-c]',
    '[^a]',
    's:*',
    '*:1',
    'h:?',
    '\\*',
    '[',
    '[a',
    '',
    '**',
    '*a*',
    'x',
    '[z-a]',
    '\\',
    '?:[0-2]',
  ],
]);
export const bitOffset: Part = mostly(
  0.93,
  ['0', '1', '7', '8', '9', '15', '31', '63', '64', '100', '1000', '20000'],
  ['-1', '4294967296', '9223372036854775807', 'abc', '', '1.5'],
);
/** Never in the near past or future: TTLs must be far from every border. */
export const seconds: Part = (g) =>
  g.random.chance(0.88)
    ? [String(1000 + 7 * g.random.int(0, 100_000))]
    : [g.random.pick(['0', '-1', '-100', '9223372036854775807', '9223372036854775', 'abc', '', '1.5'])];
export const millis: Part = (g) =>
  g.random.chance(0.88)
    ? [String(1_000_000 + 7001 * g.random.int(0, 100_000))]
    : [g.random.pick(['0', '-1', '-100', '9223372036854775807', '-9223372036854775808', 'abc', '', '1.5'])];
/** Absolute times: around the year 2100. Past ones are for commands that delete at once. */
export const atSeconds: Part = (g) => [String(4_102_444_800 + 7 * g.random.int(0, 100_000))];
export const atMillis: Part = (g) => [String(4_102_444_800_000 + 7001 * g.random.int(0, 100_000))];
export const past: Part = oneOf(['1', '1000', '0', '-5', '1577836800']);

export const junk: Part = oneOf(['bogus', '', 'XX', 'NX', '1', 'LIMIT', 'WITHSCORES', '\x00', '0', 'COUNT']);

/** Many distinct members: makes small encodings grow. */
export const crowd =
  (min: number, max: number, each: (i: number, g: Gen) => string[]): Part =>
  (g) => {
    const n = g.random.int(min, max);
    const start = g.random.int(0, 50);
    const out: string[] = [];
    for (let i = 0; i < n; i++) out.push(...each(start + i, g));
    return out;
  };

/** Usually a few, seldom a crowd. */
export const fewOrCrowd =
  (few: Part, big: Part, p = 0.01): Part =>
  (g) =>
    expand([g.random.chance(p) ? big : few], g);
