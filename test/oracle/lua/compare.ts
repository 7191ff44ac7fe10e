// What counts as equal: runs a program in lua5.1 and in both forms of Holdfast's Lua, and says what differs.
// Called by run.ts, shrink.ts and lua.test.ts.
import type { Form } from '../../../src/lua/plain.ts';
import { runHoldfast } from './holdfast.ts';
import type { Outcome, Reference } from './reference.ts';

export interface Difference {
  /** `reference` stands for lua5.1 against itself. */
  readonly form: Form | 'reference';
  readonly expected: Outcome;
  readonly actual: Outcome;
  /** First lines that are not the same, as compared. */
  readonly lines: readonly [expected: string, actual: string];
  /** Equal for differences that look like the same defect. */
  readonly key: string;
}

/** `skipped`: nothing to compare with, lua5.1 did not come to an end. */
export type Verdict = 'equal' | 'skipped' | Difference;

/**
 * What is not compared: addresses; which C function found the stack full; how many variables one assignment may have,
 * which depends on the C stack, too; the sign of NaN, which JavaScript hides (a format's blanks go with it); and what
 * a string has behind a zero, where lua5.1's print ends it.
 */
export function normalise(text: string): string {
  return text
    .replace(/\b(table|function|thread|userdata): 0x[0-9a-f]+/g, '$1: 0x')
    .replace(/\0[^\t\n]*/g, '')
    .replace(/more than \d+ variables in assignment/g, 'more than 0 variables in assignment')
    .replace(/ *-?\b(nan|NAN)\b */g, 'nan')
    .replace(/(C )?stack overflow[^\n]*/g, 'stack overflow');
}

const ending = (outcome: Outcome): string =>
  outcome.ending === 'ok'
    ? 'ok'
    : outcome.ending === 'died'
      ? `died: ${outcome.error}`
      : `error: ${outcome.error}`;

const text = (outcome: Outcome): string => normalise(`${outcome.output}\n${ending(outcome)}`);

/** Null where the two are equal. */
export function difference(form: Difference['form'], expected: Outcome, actual: Outcome): Difference | null {
  const left = text(expected);
  const right = text(actual);
  if (left === right) return null;
  const a = left.split('\n');
  const b = right.split('\n');
  let at = 0;
  while (a[at] === b[at]) at++;
  // What made it die says more than that the rest is missing.
  const last = actual.ending === 'died' ? ending(actual).split('\n')[0]! : (b[at] ?? '(nothing)');
  const lines = [a[at] ?? '(nothing)', last] as const;
  return { form, expected, actual, lines, key: `${form}: ${lines.map(sameKind).join(' | ')}` };
}

/** A line without what is the program's own: texts of errors are kept, values are not. */
function sameKind(line: string): string {
  const found = /(prog:\d+:|attempt to|bad argument|expected|died:).*/.exec(line);
  if (found === null) return 'value';
  return found[0]
    .replace(/\d+/g, 'N')
    .replace(/'[^']*'/g, "''")
    .slice(0, 120);
}

/** Cannot be told from what lua5.1 does by anybody who does not see the sign of NaN. */
const NAN_LENGTH = /(^|[^-])nan/;

export class Comparison {
  private readonly reference: Reference;
  /** lua5.1 in Holdfast's place: a check of the comparison. */
  private readonly other: Reference | null;

  constructor(reference: Reference, other: Reference | null = null) {
    this.reference = reference;
    this.other = other;
  }

  async judge(source: string): Promise<Verdict> {
    return this.against(source, await this.reference.run(source));
  }

  /** As {@link judge}, where lua5.1's outcome is known already. */
  async against(source: string, expected: Outcome): Promise<Verdict> {
    if (!comparable(expected)) return 'skipped';
    const found = await this.compare(source, expected);
    if (found === null) return 'equal';
    // Addresses decide what some programs do: not the same twice.
    if (NAN_LENGTH.test(expected.output)) return 'skipped';
    for (let i = 0; i < 3; i++) {
      if (difference('reference', expected, await this.reference.run(source)) !== null) return 'skipped';
    }
    return found;
  }

  private async compare(source: string, expected: Outcome): Promise<Difference | null> {
    if (this.other !== null) return difference('reference', expected, await this.other.run(source));
    return (
      difference('direct', expected, runHoldfast(source, 'direct')) ??
      difference('mixed', expected, runHoldfast(source, 'mixed')) ??
      difference('suspendable', expected, runHoldfast(source, 'suspendable'))
    );
  }
}

function comparable(outcome: Outcome): boolean {
  if (outcome.ending === 'limit' || outcome.ending === 'died') return false;
  return !/not enough memory/.test(outcome.output + outcome.error);
}
