// What a finding and a rule are. Every rule of rules/ is written in these terms; index.ts collects them, the program
// and docs/lint.md print them.
import type { Expression } from '../lua/ast.ts';
import type { Script } from './script.ts';

export type Severity = 'error' | 'warning';

/** One place where a rule is broken. */
export interface Finding {
  readonly file: string;
  /** From 1, in the file (or document) itself. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly rule: string;
  readonly severity: Severity;
  /** What is there. */
  readonly message: string;
  /** One sentence: what goes wrong because of it. */
  readonly why: string;
  /** One sentence: what to write instead. */
  readonly remedy: string;
}

/** What is said of a rule: `holdfast lint --rules` and docs/lint.md show it. */
export interface RuleText {
  readonly id: string;
  readonly severity: Severity;
  readonly why: string;
  readonly remedy: string;
  /** Of the two examples; Lua where nothing else is said. */
  readonly language?: 'java' | 'python';
  /** The shortest code that breaks it, and the same done well. The tests run both. */
  readonly wrong: string;
  readonly right: string;
}

/** Where a rule points: a line of the script, and what on that line. */
export interface Place {
  readonly line: number;
  /** The first text on the line that matches; an expression stands for how it is most likely written. */
  readonly at?: string | RegExp | Expression;
}

/** Tells of a place where the rule is broken. */
export type Tell = (place: Place, message: string) => void;

/** Tells of a place where a rule of this id is broken. */
export type TellOf = (rule: string) => Tell;

/** A rule over Lua: its texts and the check. */
export interface Rule extends RuleText {
  check(script: Script, tell: Tell): void;
}
