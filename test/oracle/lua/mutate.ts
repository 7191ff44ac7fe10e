// Programs made from other programs: reflow puts line breaks where Lua does not mind them (lines in error texts
// follow), mutate changes tokens or bytes, mostly to what does not compile. Called by programs.ts.
import type { Random } from '../random.ts';
import { isBlank, tokens } from './tokens.ts';

/** The same program with other line breaks. */
export function reflow(random: Random, source: string): string {
  const all = tokens(source);
  const often = random.pick([0.02, 0.1, 0.3]);
  let out = '';
  for (let i = 0; i < all.length; i++) {
    const token = all[i]!;
    const next = all[i + 1] ?? '';
    // A parenthesis that begins a line might be taken for a call, or no longer be one.
    const free = /^\s+$/.test(token) && !next.startsWith('(');
    if (free && token.includes('\n') && random.chance(often) && !(all[i - 1] ?? '').startsWith('--'))
      out += ' ';
    else if (free && random.chance(often))
      out += random.pick(['\n', '\n\n', '\r\n', ' -- c\n', ' --[[ c\n ]] ', '\t', '\n  ']);
    else out += token;
    if (!isBlank(token) && !isBlank(next) && !next.startsWith('(') && random.chance(often / 4)) out += '\n';
  }
  return out;
}

const SPARE = [
  ...[
    'and',
    'break',
    'do',
    'else',
    'elseif',
    'end',
    'false',
    'for',
    'function',
    'if',
    'in',
    'local',
    'nil',
    'not',
  ],
  ...[
    'or',
    'repeat',
    'return',
    'then',
    'true',
    'until',
    'while',
    '+',
    '-',
    '*',
    '/',
    '%',
    '^',
    '#',
    '==',
    '~=',
    '<=',
  ],
  ...[
    '>=',
    '<',
    '>',
    '=',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ';',
    ':',
    ',',
    '.',
    '..',
    '...',
    'x',
    '1',
    "'s'",
    '"q"',
  ],
  ...[
    '~',
    '!',
    '@',
    '$',
    '&',
    '|',
    '?',
    '`',
    '\\',
    '\0',
    '\x80',
    '\xff',
    '"',
    "'",
    '[[',
    '[=',
    ']]',
    '--[[',
    '--',
  ],
  ...[
    '1e',
    '0x',
    '1..2',
    '3x',
    '.5.',
    '1e+',
    '0xg',
    '1.2.3',
    "'\\300'",
    "'\\x41'",
    "'a\nb'",
    '[=[x]=]',
    '[==',
    'goto',
  ],
  ...[
    'local function',
    'function a.b:c()',
    'a.b.c',
    'x = 1',
    '::l::',
    '//',
    '>>',
    '!=',
    '+=',
    '\n',
    '\t',
    'arg',
  ],
];

/** The same program with something wrong; it may still compile. */
export function mutate(random: Random, source: string): string {
  if (random.chance(0.1)) return source.slice(0, random.int(0, source.length));
  if (random.chance(0.1)) {
    const at = random.int(0, source.length - 1);
    return (
      source.slice(0, at) + String.fromCharCode(random.int(0, 255)) + source.slice(at + random.int(0, 1))
    );
  }
  const all = tokens(source);
  for (let n = random.pick([1, 1, 1, 2, 4]); n > 0 && all.length > 1; n--) {
    const at = significant(random, all);
    switch (random.int(0, 5)) {
      case 0:
        all.splice(at, 1);
        break;
      case 1:
        all.splice(at, 0, ` ${all[significant(random, all)]!} `);
        break;
      case 2:
        all[at] = all[significant(random, all)]!;
        break;
      case 3:
        all.splice(at, 0, ` ${random.pick(SPARE)} `);
        break;
      case 4:
        all[at] = ` ${random.pick(SPARE)} `;
        break;
      default: {
        const other = significant(random, all);
        [all[at], all[other]] = [all[other]!, all[at]!];
      }
    }
  }
  return all.join('');
}

function significant(random: Random, all: readonly string[]): number {
  for (let tries = 0; tries < 20; tries++) {
    const at = random.int(0, all.length - 1);
    if (!isBlank(all[at]!)) return at;
  }
  return random.int(0, all.length - 1);
}
