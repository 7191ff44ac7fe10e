// The card of a workflow: what it promises and how it keeps it. Every workflow has one; `holdfast review` and the docs
// are filled from it, and a test compares it with what the contract suites see.
import { AtomicError } from './errors.ts';
import type { RetrySafety } from './result.ts';
import type { AnyScript } from './script.ts';

/** How a workflow is made atomic, weakest first. */
export type Mechanism = 'command' | 'multi' | 'watch' | 'script' | 'function';

export interface KeyCard {
  /** The key as a person writes it, with the part that decides the slot in braces: `prefix:{id}:stock`. */
  readonly pattern: string;
  /** What it holds. */
  readonly holds: string;
  /** When it goes away; `never` where it is the state itself. */
  readonly expires: string;
  /**
   * Where a workflow lays its keys out in more than one way, the name of the way this key belongs to. One operation
   * uses keys of one layout, which must share a slot.
   */
  readonly layout?: string;
}

export interface OperationCard {
  /** What it does, in a few words. */
  readonly does: string;
  /** Where it is a script: retry safety, version and outcomes come from there. */
  readonly script?: AnyScript;
  /** Where it is not: the mechanism, and what those would say. */
  readonly mechanism?: Mechanism;
  readonly retry?: RetrySafety;
  readonly outcomes?: readonly string[];
}

export interface WorkflowCard {
  /** As users call it: `boundedCounter`, `rateLimit.tokenBucket`. */
  readonly name: string;
  /** One sentence that is always true. */
  readonly invariant: string;
  readonly keys: Readonly<Record<string, KeyCard>>;
  /** Why this mechanism: what the weaker ones could not hold. */
  readonly why: string;
  readonly operations: Readonly<Record<string, OperationCard>>;
  /** What bounds memory, loops and sizes. */
  readonly bounds: readonly string[];
  /** Where its tests stand, from the root of its project. */
  readonly tests: readonly string[];
  /** How a new version goes out and comes back, where its data or scripts differ from the one before. */
  readonly rollout?: string;
  /** Metrics of its own, beside those of the toolkit. */
  readonly metrics?: readonly string[];
  /** Points of the review that do not apply here, by their id, each with the reason. */
  readonly waived?: Readonly<Record<string, string>>;
}

/** Marks a card, also one that another copy of this package has made. */
const CARD = Symbol.for('holdfast.workflow-card');

/** Is it what {@link defineWorkflow} has made? */
export function isWorkflowCard(value: unknown): value is WorkflowCard {
  return typeof value === 'object' && value !== null && CARD in value;
}

/**
 * Declares a workflow, so that `holdfast review` can print its checklist. For users' workflows as well.
 * @throws AtomicError BAD_ARGUMENT where something a review asks for is missing
 */
export function defineWorkflow(card: WorkflowCard): WorkflowCard {
  const missing = [
    ...(card.invariant.trim() === '' ? ['the invariant'] : []),
    ...(Object.keys(card.keys).length === 0 ? ['the keys'] : []),
    ...(Object.keys(card.operations).length === 0 ? ['the operations'] : []),
    ...Object.entries(card.operations).flatMap(([name, { script, mechanism, retry, outcomes }]) =>
      script === undefined && (mechanism === undefined || retry === undefined || outcomes === undefined)
        ? [`mechanism, retry and outcomes of ${name}`]
        : [],
    ),
  ];
  if (missing.length > 0) {
    throw new AtomicError('BAD_ARGUMENT', `the card of ${card.name} lacks ${missing.join(', ')}`);
  }
  return Object.defineProperty({ ...card }, CARD, { value: true });
}
