// Rules about what a script returns: what the wire has no place for is lost without a word. index.ts runs them.
import type { Rule, Tell } from '../finding.ts';
import type { Exit } from '../run.ts';
import type { Script } from '../script.ts';
import { alternatives, type TableFacts, type Value } from '../values.ts';

/** Tables with exactly one of these fields are replies of their own kind. */
const REPLIES = new Set(['ok', 'err', 'double', 'map', 'set', 'big_number', 'verbatim_string']);

function returned(exit: Exit): readonly Value[] {
  return exit.raised || exit.values.length === 0 ? [] : alternatives(exit.values[0]);
}

/** What of the table's fields is lost; null where nothing is. */
function lost({ fields, items }: TableFacts): string | null {
  const names = [...fields.keys()];
  if (names.length === 0) return null;
  const [only] = names;
  if (names.length === 1 && items.length === 0 && REPLIES.has(only)) {
    const value = fields.get(only);
    const isBoolean = value?.kind === 'constant' && typeof value.value === 'boolean';
    return isBoolean && (only === 'ok' || only === 'err')
      ? `${only} is no string: the reply is an empty list`
      : null;
  }
  const reply = names.find((name) => name === 'err' || name === 'ok');
  const kept = reply === undefined ? null : fields.get(reply);
  if (kept?.kind === 'constant' && typeof kept.value === 'string') {
    const rest = names.filter((name) => name !== reply).join(', ');
    return rest === ''
      ? null
      : `only ${reply} reaches the client, ${rest} do${rest.includes(',') ? '' : 'es'} not`;
  }
  return `the fields ${names.join(', ')} do not reach the client`;
}

function checkTable(value: Value, exit: Exit, tell: Tell, depth: number): void {
  if (value.kind !== 'table' || depth > 4) return;
  const { table } = value;
  const problem = lost(table);
  const isDirect = exit.values[0] === value;
  const line = isDirect || depth > 0 ? table.line : exit.line;
  const made = line === table.line ? '' : ` (the table of line ${table.line})`;
  if (problem !== null) tell({ line, at: isDirect ? 'return' : undefined }, `${problem}${made}`);
  for (const item of [...table.items, ...table.others]) {
    for (const each of alternatives(item)) checkTable(each, exit, tell, depth + 1);
  }
}

const lostFields: Rule = {
  id: 'lost-fields',
  severity: 'error',
  why: 'A table becomes a list up to its first nil: what stands under a name is dropped without a word.',
  remedy: 'Return a positional list such as {1, value}, or a string made with cjson.encode.',
  wrong: "return {ok = true, left = redis.call('DECR', KEYS[1])}",
  right: "return {1, redis.call('DECR', KEYS[1])}",
  check(script, tell) {
    for (const exit of answers(script)) {
      for (const value of returned(exit)) checkTable(value, exit, tell, 0);
    }
  },
};

/** The places where a client gets its reply: what a library's main part or a callback returns goes elsewhere. */
function answers({ runs, isLibrary }: Script): Exit[] {
  return runs
    .filter(({ root }) => {
      const isMain = root.func.parent === null;
      // A function that nobody registers or calls answers a client if it takes keys like one that is registered.
      return isMain ? !isLibrary : root.flagsLine > 0 || /^keys$/i.test(root.func.params[0]?.name ?? '');
    })
    .flatMap((run) => run.exits);
}

const nilInArray: Rule = {
  id: 'nil-in-array',
  severity: 'error',
  why: 'A list ends at its first nil on the wire, so the values behind it are lost.',
  remedy: 'Return false in its place: it becomes a null on the wire.',
  wrong: 'return {1, nil, ARGV[1]}',
  right: 'return {1, false, ARGV[1]}',
  check(script, tell) {
    for (const value of answers(script).flatMap(returned)) {
      if (value.kind !== 'table') continue;
      const { items, line } = value.table;
      const at = items.findIndex(isNil);
      if (at < 0 || items.slice(at).every(isNil)) continue;
      tell({ line, at: /\bnil\b/ }, `item ${at + 1} of ${items.length} is nil`);
    }
  },
};

const isNil = (value: Value): boolean => value.kind === 'constant' && value.value === null;

/** What is returned. */
export const REPLY_RULES: readonly Rule[] = [lostFields, nilInArray];
