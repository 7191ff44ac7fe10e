// What names say about keys and values: the words of variables, comments, fields and files. Some rules only speak where
// a name says that a key is a lock, that a number is money, that an argument is the time.
import type { Interpreter } from './interpreter.ts';
import type { Run } from './run.ts';
import { core, identity, textOf, type Value } from './values.ts';

const INPUT = /\b(KEYS|ARGV|keys|args|argv)\[(\d+)\]\s*(?:[=:,]|-+|is\b)?\s*/g;

/** Notes what comments such as `-- KEYS[1] = lock key` say of the inputs of a function or script. */
export function noteComments(interpreter: Interpreter, lines: readonly string[]): void {
  const { func } = interpreter.run.root;
  const first = func.parent === null ? 0 : startOfComments(lines, func.line);
  const last = func.endLine || lines.length;
  for (const line of lines.slice(first, last)) {
    const remark = /^\s*--+(.*)/.exec(line)?.[1] ?? '';
    const found = [...remark.matchAll(INPUT)];
    found.forEach((match, at) => {
      const of = /^k/i.test(match[1]) ? 'KEYS' : 'ARGV';
      // One line may speak of several: each has the words up to the next.
      const words = remark.slice(match.index + match[0].length, found[at + 1]?.index);
      interpreter.name({ kind: 'input', of, index: Number(match[2]) }, words);
    });
  }
}

// The comments right above a function speak of it.
function startOfComments(lines: readonly string[], line: number): number {
  let first = line - 1;
  while (first > 0 && /^\s*--/.test(lines[first - 1])) first--;
  return first;
}

/** The words of a name or remark: `lockKey`, `lock_key`, `the lock key` all have `lock` and `key`. */
export function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** Words of all that a run calls a value, with those of constant texts in it (`'lock:' .. id`). */
export function wordsFor(run: Run, value: Value): Set<string> {
  const words = new Set<string>();
  const add = (part: Value, depth: number): void => {
    const inner = core(part);
    for (const name of run.names.get(identity(inner)) ?? [])
      for (const word of wordsOf(name)) words.add(word);
    if (depth > 4) return;
    if (inner.kind === 'constant') for (const word of wordsOf(textOf(inner) ?? '')) words.add(word);
    if (inner.kind === 'computed' && inner.operator === '..') {
      for (const operand of inner.operands) add(operand, depth + 1);
    }
    if (inner.kind === 'either') for (const each of inner.values) add(each, depth + 1);
  };
  add(value, 0);
  return words;
}

/** Is one of these among the words? */
export function hasAny(words: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean {
  return [...words].some((word) => wanted.has(word));
}

const CLOCK = /^(?:now|timestamp|ts|(?:current|server|client)?_?time(?:stamp)?)$/i;

/** Do names say that a value is the present time? */
export function isNamedNow(run: Run, value: Value): boolean {
  const names = [...(run.names.get(identity(core(value))) ?? [])];
  return names.some((name) => {
    const words = wordsOf(name);
    const bare = words.filter(
      (word) => !/^(?:ms|millis|milliseconds|sec|secs|seconds|us|micros|in|s)$/.test(word),
    );
    return words[0] === 'now' || words.at(-1) === 'now' || (bare.length <= 2 && CLOCK.test(bare.join('_')));
  });
}
