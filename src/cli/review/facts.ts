// What can be read off a Lua text without running it, for the checklist: which keys it uses how, how it ends, whether
// times to live stand beside the writes, what the linter finds. Called by card.ts and script.ts.
import { hasWord, keysOf, writes } from '../../lint/commands.ts';
import { type Finding, lint } from '../../lint/index.ts';
import type { RedisCall, Run } from '../../lint/run.ts';
import { readScript } from '../../lint/script.ts';
import { core, shown, textOf, type Value } from '../../lint/values.ts';

export interface KeyUse {
  /** `KEYS[1]`, as the script names it. */
  readonly key: string;
  /** What a comment or variable calls it; '' for nothing. */
  readonly name: string;
  readonly commands: readonly string[];
  readonly isWritten: boolean;
}

export interface ScriptFacts {
  readonly findings: readonly Finding[];
  readonly isLibrary: boolean;
  readonly keys: readonly KeyUse[];
  /** Commands that write, once each. */
  readonly writes: readonly string[];
  /** Every place that calls Redis. */
  readonly calls: number;
  /** Commands that set a time to live. */
  readonly deadlines: readonly string[];
  /** Words that stand first in a reply. */
  readonly statuses: readonly string[];
  /** Returns that begin with no such word. */
  readonly untagged: number;
  /** Names of arguments that look like a token of an owner or request. */
  readonly tokens: readonly string[];
  /** Names of its functions, for a library. */
  readonly functions: readonly string[];
}

/**
 * Reads a script or library.
 * @param includes gives the pieces that it names
 */
export function factsOf(
  path: string,
  text: string,
  includes: (name: string) => string | null = () => null,
): ScriptFacts {
  const findings = lint(path, text, includes);
  const whole = text.replace(/^--include (\w+)[ \t]*$/gm, (line, name: string) => includes(name) ?? line);
  const name = (path.split(/[/\\]/).at(-1) ?? '').replace(/\.lua$/, '');
  const script = readScript(whole, name);
  const runs = 'runs' in script ? script.runs : [];
  const calls = runs.flatMap((run) => run.calls);
  const ends = runs
    .filter(({ root }) => root.kind === 'script' || root.flagsLine > 0)
    .flatMap(({ exits }) => exits)
    .filter(({ raised, values }) => !raised && values.length > 0);
  const statuses = ends.map(({ values }) => statusOf(values[0]));
  return {
    findings,
    isLibrary: 'isLibrary' in script && script.isLibrary,
    keys: keyUses(runs),
    writes: distinct(calls.filter(writes).map(({ name }) => name ?? 'a computed command')),
    calls: new Set(calls.map(({ node }) => node)).size,
    deadlines: distinct(calls.filter(setsDeadline).map(({ name }) => name ?? '')),
    statuses: distinct(statuses.filter((status) => status !== null)),
    untagged: statuses.filter((status) => status === null).length,
    tokens: tokensOf(runs),
    functions: distinct(runs.flatMap(({ root }) => (root.flagsLine > 0 && root.name ? [root.name] : []))),
  };
}

function distinct(words: readonly string[]): string[] {
  return [...new Set(words)];
}

// Through helpers such as `remember`, a reply comes back as what may be one of several.
function statusOf(value: Value): string | null {
  const parts = value.kind === 'either' ? value.values : [value];
  const first = parts.map((part) => (part.kind === 'table' ? textOf(part.table.items[0]) : null));
  return first.find((word) => word !== null && /^[A-Za-z]/.test(word)) ?? null;
}

function setsDeadline(call: RedisCall): boolean {
  const name = call.name ?? '';
  if (/^(?:P?EXPIRE(?:AT)?|P?SETEX|GETEX)$/.test(name)) return true;
  return name === 'SET' && (call.open || hasWord(call, 'EX', 'PX', 'EXAT', 'PXAT'));
}

function keyUses(runs: readonly Run[]): KeyUse[] {
  const uses = new Map<string, { names: Set<string>; commands: Set<string>; isWritten: boolean }>();
  for (const run of runs) {
    for (const call of run.calls) {
      for (const { value, flags } of keysOf(call)) {
        const key = shown(core(value));
        const use = uses.get(key) ?? { names: new Set(), commands: new Set(), isWritten: false };
        uses.set(key, use);
        use.commands.add(call.name ?? '?');
        use.isWritten ||= writes(call) && !flags.includes('RO');
        for (const name of run.names.get(key) ?? []) use.names.add(tidied(name));
      }
    }
  }
  return [...uses]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([key, { names, commands, isWritten }]) => ({
      key,
      name: longest(names),
      commands: [...commands],
      isWritten,
    }));
}

// Remarks end where the next input begins: `-- KEYS[1] the counter, KEYS[2] the record`.
const tidied = (remark: string): string => remark.trim().replace(/[\s,.;:]+$/, '');

const longest = (names: Iterable<string>): string =>
  [...names].reduce((best, name) => (name.length > best.length ? name : best), '');

const TOKEN = /\b(?:owner|token|request|requestid|idempotency|nonce|fence|fencing)\b/i;

function tokensOf(runs: readonly Run[]): string[] {
  const names = runs.flatMap((run) =>
    [...run.names].flatMap(([input, words]) =>
      /^(?:ARGV|KEYS)\[/.test(input) ? [...words].map(tidied) : [],
    ),
  );
  return distinct(names.filter((name) => TOKEN.test(name.replace(/([a-z])([A-Z])|_/g, '$1 $2'))));
}
