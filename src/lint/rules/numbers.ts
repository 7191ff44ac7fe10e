// Rules about numbers that a double cannot hold: money with fractions, two numbers packed into one score. index.ts runs
// them.
import { keysOf } from '../commands.ts';
import type { Rule } from '../finding.ts';
import { hasAny, wordsFor, wordsOf } from '../names.ts';
import type { RedisCall, Run } from '../run.ts';
import { type Computed, contains, core, shown, textOf, type Value } from '../values.ts';
import { membersOf } from './time.ts';

const MONEY = new Set(
  'balance amount price prices money credit credits salary payment cost total stock'.split(' '),
);
/** Of these, the words that are never a share or a rate. */
const SURELY_MONEY = new Set('balance amount price prices money credit credits salary'.split(' '));

const floatMoney: Rule = {
  id: 'float-money',
  severity: 'error',
  why: 'A double has no exact tenths: sums drift, and a balance of 0.3 is not equal to 0.1 + 0.2.',
  remedy: 'Keep whole minor units (cents) and use INCRBY or HINCRBY.',
  wrong: "-- KEYS[1] = balance\nreturn redis.call('INCRBYFLOAT', KEYS[1], ARGV[1])",
  right: "-- KEYS[1] = balance in cents\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])",
  check({ runs }, tell) {
    for (const run of runs) {
      for (const call of run.calls) {
        if (!/^H?INCRBYFLOAT$/.test(call.name ?? '') || !isMoney(run, call)) continue;
        tell(
          { line: call.line, at: call.node.args[0] },
          `${call.name} on ${shown(call.args[1])}, which is money`,
        );
      }
      for (const computed of run.computed) {
        const what = fraction(run, computed);
        if (what !== null) tell({ line: computed.line }, `${what} makes fractions of money`);
      }
    }
  },
};

function isMoney(run: Run, call: RedisCall): boolean {
  const field = wordsOf(textOf(call.args[2]) ?? '');
  const values = [...keysOf(call).map(({ value }) => value), call.args.at(-1) as Value];
  return field.some((word) => MONEY.has(word)) || values.some((value) => hasAny(wordsFor(run, value), MONEY));
}

/** The computation as text where it makes fractions of money; null where it does not. */
function fraction(run: Run, computed: Computed): string | null {
  const { operator, operands } = computed;
  if (operator !== '*' && operator !== '/') return null;
  if ([...run.rounded].some((value) => contains(value, (part) => part === computed))) return null;
  const [left, right] = operands;
  const isShare = (value: Value): boolean =>
    value.kind === 'constant' && typeof value.value === 'number' && !Number.isInteger(value.value);
  const makes = operator === '/' ? core(right).kind !== 'unknown' : isShare(left) || isShare(right);
  const named = [left, ...(operator === '*' ? [right] : [])];
  return makes && named.some((value) => hasAny(wordsFor(run, value), SURELY_MONEY)) ? shown(computed) : null;
}

const packedScore: Rule = {
  id: 'packed-score',
  severity: 'warning',
  why: 'A score is exact up to 2^53 only, which the product soon passes; and a greater time ranks the later one first.',
  remedy: 'Keep the score alone and break ties in the member, or by a second sorted set.',
  wrong: `-- ARGV[1] = points
redis.call('ZADD', KEYS[1], ARGV[1] * 1000000 + redis.call('TIME')[1], ARGV[2])`,
  right: "-- ARGV[1] = points\nredis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])",
  check({ runs }, tell) {
    for (const run of runs) {
      for (const call of run.calls) {
        for (const { score, at } of membersOf(call)) {
          if (!isPacked(run, core(score))) continue;
          tell(
            { line: call.line, at: call.node.args[at - 1] },
            `the score packs two numbers: ${shown(score)}`,
          );
        }
      }
    }
  },
};

const DURATION = new Set(
  'ttl window sec secs second seconds lease timeout delay interval ms millis duration due time now expires expiry hold'.split(
    ' ',
  ),
);
const LEAST_FACTOR = 100_000;

function isPacked(run: Run, score: Value): boolean {
  if (score.kind !== 'computed' || (score.operator !== '+' && score.operator !== '-')) return false;
  // `… + n % factor` stays within its place.
  const isKept = score.operands.some((side) => side.kind === 'computed' && side.operator === '%');
  return !isKept && score.operands.some((side) => isShifted(run, core(side)));
}

/** A number times a power that makes room for another. */
function isShifted(run: Run, value: Value): boolean {
  if (value.kind !== 'computed' || value.operator !== '*') return false;
  const other = value.operands.find((each) => each.kind !== 'constant');
  const factors = value.operands.map((each) => (each.kind === 'constant' ? Number(each.value) : 0));
  if (other === undefined || Math.max(...factors) < LEAST_FACTOR) return false;
  // Seconds times 1000000 and microseconds are one time, not two numbers.
  const isTime = contains(other, (part) => part.kind === 'reply' && part.call.name === 'TIME');
  return !isTime && !hasAny(wordsFor(run, other), DURATION);
}

/** Numbers. */
export const NUMBER_RULES: readonly Rule[] = [floatMoney, packedScore];
