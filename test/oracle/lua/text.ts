// Random pieces of Lua source that stand alone: names, literals, patterns, formats. Called by the other files of
// the generator.
import type { Random } from '../random.ts';

/** Some are words of JavaScript, or names its objects have: a compiler to JavaScript must not mix them up. */
const NAMES = [
  ...[
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'g',
    'h',
    'i',
    'j',
    'k',
    'n',
    'o',
    'p',
    'q',
    's',
    't',
    'u',
    'v',
    'w',
    'x',
    'y',
  ],
  ...['count', 'total', 'list', 'name', 'self', 'value', '_', '__', 'X', 'L1', 'item'],
  ...[
    'var',
    'new',
    'class',
    'this',
    'arguments',
    'eval',
    'await',
    'let',
    'const',
    'null',
    'undefined',
    'default',
  ],
  ...[
    'delete',
    'switch',
    'case',
    'constructor',
    'prototype',
    'toString',
    'NaN',
    'Infinity',
    'async',
    'static',
  ],
  ...['void', 'typeof', 'try', 'catch', 'throw', 'enum', 'super', 'with', 'yield'],
];

export const FIELDS = [
  ...[
    'a',
    'b',
    'c',
    'x',
    'y',
    'z',
    'n',
    'name',
    'key',
    'value',
    'len',
    'size',
    'k1',
    'k2',
    'k3',
    'first',
    'last',
  ],
  ...[
    'constructor',
    '__proto__',
    'toString',
    'length',
    'hasOwnProperty',
    'valueOf',
    'prototype',
    'get',
    'set',
  ],
];

export const GLOBALS = ['ga', 'gb', 'gc', 'G1', 'G2', 'globalName', 'window', 'process'];

export function freshName(random: Random): string {
  return random.chance(0.6) ? NAMES[random.int(0, 21)]! : random.pick(NAMES);
}

export function intLiteral(random: Random): string {
  if (random.chance(0.8)) return String(random.int(0, 9));
  return random.pick([
    '10',
    '12',
    '16',
    '31',
    '64',
    '100',
    '255',
    '256',
    '1000',
    '65535',
    '0x10',
    '0xff',
    '1e2',
  ]);
}

export function numberLiteral(random: Random): string {
  if (random.chance(0.4)) return intLiteral(random);
  return random.pick([
    ...[
      '0.5',
      '1.5',
      '2.25',
      '.125',
      '3.',
      '0.1',
      '0.2',
      '0.3',
      '1e3',
      '1E-3',
      '1e15',
      '1e16',
      '1e100',
      '1e-7',
    ],
    ...[
      '123456789',
      '123456789012',
      '1234567890123456',
      '0xFFFFFFFF',
      '2147483647',
      '2147483648',
      '4294967296',
    ],
    ...[
      '9007199254740992',
      '9007199254740993',
      '1e308',
      '5e-324',
      '0.1e1',
      '3.14159265358979',
      '1e14',
      '1e13',
    ],
    ...['99999999999999', '999999999999999', '0.30000000000000004', '100000000000000', '123456.789e3'],
  ]);
}

const PLAIN = [
  ...['', 'a', 'b', 'ab', 'abc', 'hello', 'Hello World', 'x y z', '10', '0x10', ' 5 ', '3.5', '-7', '1e2'],
  ...[
    'a,b,c',
    'key=value',
    'foo.bar',
    'AbC',
    '  pad  ',
    '100%',
    '(paren)',
    '[set]',
    'aaa',
    'abab',
    'the end',
  ],
];

/** A string without line breaks, of printable characters, not quoted. */
export function plainText(random: Random): string {
  return random.pick(PLAIN);
}

const ESCAPES = [
  ...[
    '\\n',
    '\\t',
    '\\\\',
    '\\"',
    "\\'",
    '\\065',
    '\\0',
    '\\255',
    '\\9.',
    '\\0010',
    '\\a',
    '\\r',
    '\\x',
    '\\z',
    '\\127',
  ],
];

export function stringLiteral(random: Random): string {
  const text = plainText(random);
  switch (random.int(0, 9)) {
    case 0:
      return `"${text}"`;
    case 1:
      // The space keeps it apart from a bracket before it.
      return ` [[${text.replace(/[[\]]/g, '')}]]`;
    case 2:
      return ` [==[${text.endsWith(']') ? '' : text}]==]`;
    case 3:
      return `"${text.slice(0, 2)}${random.pick(ESCAPES)}${text.slice(2, 4)}"`;
    case 4:
      return `'${random.pick(ESCAPES)}${random.pick(ESCAPES)}'`;
    default:
      return `'${text}'`;
  }
}

/** A string of the characters that patterns are about. */
export function subjectLiteral(random: Random): string {
  const alphabet = 'aabbcABC012 .,-_()%x';
  let text = '';
  for (let n = random.int(0, 14); n > 0; n--) text += alphabet[random.int(0, alphabet.length - 1)];
  return `'${text}'`;
}

const CLASSES = [...'acdlpsuwxzADSWX'].map((c) => `%${c}`);

function charSet(random: Random): string {
  const parts = [
    'a',
    'b',
    'c',
    '0-9',
    'a-c',
    'A-Z',
    '%d',
    '%s',
    '%w',
    '%a',
    '_',
    '%-',
    '.',
    '%.',
    '-',
    '^',
    ']',
    '%]',
  ];
  let body = '';
  for (let n = random.int(1, 3); n > 0; n--) body += random.pick(parts);
  return `[${random.chance(0.25) ? '^' : ''}${body}]`;
}

function single(random: Random): string {
  switch (random.int(0, 6)) {
    case 0:
    case 1:
      return random.pick(['a', 'b', 'c', 'A', '0', '1', ' ', 'x', '-', '_', ',']);
    case 2:
      return '.';
    case 3:
    case 4:
      return random.pick(CLASSES);
    case 5:
      return charSet(random);
    default:
      return `%${random.pick([...'.-()%+*[]^$'])}`;
  }
}

interface Captures {
  closed: number;
}

function items(random: Random, depth: number, captures: Captures): string {
  let out = '';
  for (let n = random.int(1, 3); n > 0; n--) {
    const choice = random.int(0, 19);
    if (choice < 3 && depth > 0 && captures.closed < 6) {
      const inner = random.chance(0.15) ? '' : items(random, depth - 1, captures);
      captures.closed++;
      out += `(${inner})`;
    } else if (choice === 3) out += '%b()';
    else if (choice === 4) out += `%f${charSet(random)}`;
    else if (choice === 5 && captures.closed > 0) out += `%${random.int(1, captures.closed)}`;
    else out += single(random) + random.pick(['', '', '', '*', '+', '-', '?']);
  }
  return out;
}

/** A pattern, now and then a malformed one, without quotes or line breaks. */
export function pattern(random: Random): string {
  if (random.chance(0.04))
    return random.pick([
      '%',
      '[a',
      '(a',
      'a)',
      '%b',
      '%bx',
      '%f',
      '[%',
      '%1',
      '(a%1)',
      '[]',
      '[^]',
      '(()',
      '%9',
      '[a-',
    ]);
  const start = random.chance(0.15) ? '^' : '';
  const end = random.chance(0.12) ? '$' : '';
  return start + items(random, 2, { closed: 0 }) + end;
}

/** A format for one number. */
export function numberFormat(random: Random): string {
  const flags = random.pick(['', '', '', '-', '0', '+', ' ', '#', '-+']);
  const width = random.pick(['', '', '', '1', '5', '8', '12']);
  if (random.chance(0.5)) return `%${flags.replace('#', '')}${width}${random.pick(['d', 'd', 'i'])}`;
  if (random.chance(0.3)) return `%${flags.replace(/[+ ]/g, '')}${width}${random.pick(['x', 'X', 'o', 'u'])}`;
  const precision = random.pick(['', '', '.0', '.1', '.3', '.10', '.14', '.17']);
  return `%${flags}${width}${precision}${random.pick(['g', 'g', 'f', 'e', 'G', 'E'])}`;
}

/** A format for one string. */
export function stringFormat(random: Random): string {
  return random.pick(['%s', '%s', '%q', '%10s', '%-10s|', '%.2s', '%5.1s', '%.0s', '%-3s|']);
}
