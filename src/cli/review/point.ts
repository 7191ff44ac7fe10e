// One point of the production checklist, and the review that they add up to. card.ts and script.ts fill them, review.ts
// prints them.

/** `yes` where it is there, `no` where something is missing, `waived` where the card says why it does not apply. */
type State = 'yes' | 'no' | 'waived';

/** What is missing, and what to do about it. */
export interface Gap {
  readonly missing: string;
  readonly remedy: string;
}

export interface Point {
  /** Stable, for `waived` of a card and for programs. */
  readonly id: string;
  readonly title: string;
  readonly state: State;
  /** What was found, a line each. */
  readonly found: readonly string[];
  readonly gaps: readonly Gap[];
}

/** The checklist of one workflow or script. */
export interface Review {
  readonly name: string;
  /** Where it stands: a file, or `holdfast`. */
  readonly source: string;
  /** No point is missing. */
  readonly complete: boolean;
  readonly points: readonly Point[];
}

/** A point: missing where there are gaps. */
export function point(id: string, title: string, found: readonly string[], gaps: readonly Gap[] = []): Point {
  return { id, title, state: gaps.length === 0 ? 'yes' : 'no', found, gaps };
}

/** The gap, where `isMissing`. */
export function gap(isMissing: boolean, missing: string, remedy: string): Gap[] {
  return isMissing ? [{ missing, remedy }] : [];
}

/** The review of these points. */
export function reviewOf(name: string, source: string, points: readonly Point[]): Review {
  return { name, source, complete: points.every(({ state }) => state !== 'no'), points };
}
