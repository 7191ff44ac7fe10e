// The linter: what is in a file, each rule over it, the findings in the order of lines. The program (cli/lint.ts) and
// the docs call it.
import type { Expression } from '../lua/ast.ts';
import { utf8Decode } from '../resp/bytes.ts';
import { APPLICATION_RULES, checkApplication } from './application.ts';
import { type Example, examplesIn, stringsIn } from './documents.ts';
import type { Finding, Place, Rule, RuleText, TellOf } from './finding.ts';
import { type Includes, withIncludes } from './includes.ts';
import { BOUND_RULES } from './rules/bounds.ts';
import { EXPIRY_RULES } from './rules/expiry.ts';
import { KEY_RULES } from './rules/keys.ts';
import { LOCK_RULES } from './rules/locks.ts';
import { NUMBER_RULES } from './rules/numbers.ts';
import { REPLY_RULES } from './rules/replies.ts';
import { TIME_RULES } from './rules/time.ts';
import { WRITE_RULES } from './rules/writes.ts';
import { readScript } from './script.ts';
import { SUPPRESSION, suppressed, switchedOff } from './suppressions.ts';

export type { Finding, RuleText, Severity } from './finding.ts';

const SYNTAX: RuleText = {
  id: 'syntax',
  severity: 'error',
  why: 'Redis does not load a text that is no Lua 5.1.',
  remedy: 'Correct the line.',
  wrong: "redis.call('INCR', KEYS[1]\nreturn 1",
  right: "redis.call('INCR', KEYS[1])\nreturn 1",
};

const LUA_RULES: readonly Rule[] = [
  ...KEY_RULES,
  ...REPLY_RULES,
  ...WRITE_RULES,
  ...EXPIRY_RULES,
  ...LOCK_RULES,
  ...TIME_RULES,
  ...NUMBER_RULES,
  ...BOUND_RULES,
];

/** What is said of every rule, in the order of docs/lint.md. */
export const RULES: readonly RuleText[] = [
  SYNTAX,
  ...LUA_RULES,
  ...APPLICATION_RULES.filter(({ id }) => !LUA_RULES.some((rule) => rule.id === id)),
  SUPPRESSION,
];

const TEXTS: ReadonlyMap<string, RuleText> = new Map(RULES.map((rule) => [rule.id, rule]));

/** Names of files that the linter reads. */
const LINTED = /\.(?:lua|md|txt|ts|mts|js|mjs|cjs|py|java)$/;

/** Can the linter read a file of this name? */
export function isLinted(path: string): boolean {
  return LINTED.test(path) && !path.endsWith('.d.ts');
}

/** Lints the text of a file; its name says what it is. `includes` gives the pieces of scripts that name them. */
export function lint(path: string, text: string, includes: Includes = () => null): Finding[] {
  const lines = text.split(/\r?\n/);
  const findings = new Map<string, Finding>();
  const add: TellOf = (rule) => (place, message) => {
    const finding = found(path, lines, rule, place, message);
    const key = `${rule} ${finding.line} ${finding.column}`;
    if (!findings.has(key)) findings.set(key, finding);
  };
  if (path.endsWith('.lua')) lintLua(withIncludes(text, includes), fileName(path), 1, add);
  else lintAround(path, text, lines, add);
  const { kept, faulty } = suppressed(lines, [...findings.values()], new Set(TEXTS.keys()));
  const all = [
    ...kept,
    ...faulty.map(({ line, message }) => found(path, lines, SUPPRESSION.id, { line }, message)),
  ];
  return all.sort((a, b) => a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : 1));
}

function lintLua(text: string, name: string, first: number, add: TellOf): void {
  const script = readScript(text, name, first);
  if ('message' in script) {
    add(SYNTAX.id)({ line: script.line }, script.message);
    return;
  }
  for (const rule of LUA_RULES) rule.check(script, add(rule.id));
}

function lintAround(path: string, text: string, lines: readonly string[], add: TellOf): void {
  const isDocument = /\.(?:md|txt)$/.test(path);
  const examples = isDocument ? examplesIn(text) : stringsIn(text, path.endsWith('.py'));
  const rest = [...lines];
  const ids = new Set(TEXTS.keys());
  for (const example of examples) {
    const { line: first, last = lines.length } = example;
    // A string may hold a script's lines on one line of the file, its comments included.
    const { off } = switchedOff(example.text.split('\n'), ids);
    // What has lines of its own ends on the last one that the file has for it.
    const within: TellOf = (rule) => (place, message) => {
      if (rule === SYNTAX.id && isDoubtful(example)) return;
      if (off.has(`${place.line - first + 1} ${rule}`)) return;
      add(rule)({ ...place, line: Math.min(place.line, last) }, message);
    };
    lintLua(example.text, '', first, within);
    const height = example.last === undefined ? example.text.split('\n').length : last - first + 1;
    rest.fill('', first - 1, first - 2 + height);
  }
  checkApplication(rest, add);
}

// A document may leave something out (`... the rest ...`), and a line of prose may begin like Lua.
function isDoubtful({ form, text }: Example): boolean {
  return /^\s*\.\.\./m.test(text) || (form === 'listing' && !/redis\.p?call\(/.test(text));
}

function fileName(path: string): string {
  return (path.split(/[/\\]/).at(-1) ?? '').replace(/\.lua$/, '');
}

function found(
  file: string,
  lines: readonly string[],
  rule: string,
  { line, at }: Place,
  message: string,
): Finding {
  const { severity, why, remedy } = TEXTS.get(rule) as RuleText;
  const column = columnOf(lines[line - 1] ?? '', at);
  // Strings of Lua are bytes; what is quoted in a message is text.
  return { file, line, column, rule, severity, message: asText(message), why, remedy };
}

function asText(message: string): string {
  return /[^\0-\xff]/.test(message) ? message : utf8Decode(message);
}

function columnOf(line: string, at: Place['at']): number {
  const first = line.search(/\S/) + 1 || 1;
  const pattern = typeof at === 'object' && !(at instanceof RegExp) ? spelling(at) : at;
  if (pattern === undefined) return first;
  const place = typeof pattern === 'string' ? line.indexOf(pattern) : line.search(pattern);
  return place < 0 ? first : place + 1;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** How an expression most likely stands in the text. */
function spelling(expression: Expression): RegExp | undefined {
  switch (expression.kind) {
    case 'string':
      return new RegExp(`["']${escaped(expression.value)}["']`);
    case 'local':
      return new RegExp(`\\b${escaped(expression.local.name)}\\b`);
    case 'global':
      return new RegExp(`\\b${escaped(expression.name)}\\b`);
    case 'number':
      return new RegExp(`\\b${expression.value}\\b`);
    case 'index':
      return spelling(expression.object);
    case 'binary':
      return spelling(expression.left);
    case 'call':
      return spelling(expression.callee);
    default:
      return undefined;
  }
}
