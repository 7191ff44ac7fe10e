// The rule about locks in Lua: only who holds one may release or prolong it. index.ts runs it.
import { keysOf, writes } from '../commands.ts';
import type { Rule, RuleText } from '../finding.ts';
import { hasAny, wordsFor, wordsOf } from '../names.ts';
import type { RedisCall, Run } from '../run.ts';
import { contains, core, identity, shown, type Value } from '../values.ts';

/** Names of what has one owner. */
export const LOCKS: ReadonlySet<string> = new Set(['lock', 'lease', 'mutex']);

/** What is said of it; application.ts has the same rule for code around Redis. */
export const DELETE_WITHOUT_TOKEN: RuleText = {
  id: 'delete-without-token',
  severity: 'error',
  why: 'When the lease ran out meanwhile, this takes away the lock of its next owner.',
  remedy: "Compare the owner's token in the same script: if redis.call('GET', key) == token then DEL.",
  wrong: "-- KEYS[1] = lock key\nreturn redis.call('DEL', KEYS[1])",
  right:
    "-- KEYS[1] = lock key\nif redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end\nreturn 0",
};

const RELEASES = /^(?:DEL|UNLINK|P?EXPIRE(?:AT)?)$/;

const deleteWithoutToken: Rule = {
  ...DELETE_WITHOUT_TOKEN,
  check({ runs, fileName }, tell) {
    for (const run of runs) {
      for (const call of run.calls) {
        if (!RELEASES.test(call.name ?? '')) continue;
        for (const { value, at } of keysOf(call)) {
          if (!isLock(run, value, fileName) || isOwned(run, call, value)) continue;
          const verb = /^P?EXPIRE/.test(call.name ?? '') ? 'prolongs' : 'deletes';
          tell(
            { line: call.line, at: call.node.args[at] },
            `${call.name} ${verb} the lock ${shown(value)} without a look at its owner`,
          );
        }
      }
    }
  },
};

function isLock(run: Run, key: Value, fileName: string): boolean {
  const names = wordsFor(run, key);
  const written = new Set(
    run.calls.filter(writes).flatMap((call) => keysOf(call).map(({ value }) => identity(core(value)))),
  );
  if (written.size === 1) {
    for (const word of wordsOf(`${run.root.name ?? ''} ${fileName}`)) names.add(word);
  }
  return hasAny(names, LOCKS) && core(key).kind !== 'unknown';
}

/** Has the script compared what the key holds, or made the key itself? */
function isOwned(run: Run, call: RedisCall, key: Value): boolean {
  const same = identity(core(key));
  const before = run.calls.filter(
    (other) => other.order < call.order && keysOf(other).some(({ value }) => identity(core(value)) === same),
  );
  const isRead = (part: Value): boolean => part.kind === 'reply' && before.includes(part.call);
  const isCompared = run.comparisons.some(
    ({ order, left, right }) => order < call.order && (contains(left, isRead) || contains(right, isRead)),
  );
  const isMade = before.some((other) => writes(other) && !RELEASES.test(other.name ?? ''));
  return isCompared || (isMade && /^P?EXPIRE/.test(call.name ?? ''));
}

/** Locks. */
export const LOCK_RULES: readonly Rule[] = [deleteWithoutToken];
