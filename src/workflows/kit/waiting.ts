// Waits for a turn: asks again after jittered pauses until the answer is not `busy`, or the patience ends. Used by lock,
// semaphore and idempotency, whose scripts never block.
import { checkInt } from './check.ts';
import { AtomicError } from './errors.ts';
import { type CallOptions, sleep } from './perform.ts';

/** How long to wait for a turn. */
export interface WaitOptions extends CallOptions {
  /** How long to go on asking, in milliseconds. Default 0: ask once. */
  readonly waitMs?: number;
}

/** First pause between two questions, and the longest, in milliseconds. */
const FIRST_MS = 10;
const LONGEST_MS = 250;

/**
 * Asks until `isBusy` says no. The pauses grow from 10 to 250 ms, with jitter, so that a crowd does not come at once.
 * @param hintMs when the turn may come, if the answer knows: a pause is no longer than that
 * @throws AtomicError ABORTED where the signal fires in a pause: nothing is held then
 */
export async function waitFor<T>(
  ask: () => Promise<T>,
  isBusy: (answer: T) => boolean,
  hintMs: (answer: T) => number,
  { waitMs = 0, signal }: WaitOptions,
): Promise<T> {
  checkInt('waitMs', waitMs, 0, 86_400_000);
  const until = performance.now() + waitMs;
  for (let pause = FIRST_MS; ; pause = Math.min(LONGEST_MS, pause * 2)) {
    const answer = await ask();
    const left = until - performance.now();
    if (!isBusy(answer) || left <= 0) return answer;
    const hint = Math.max(1, hintMs(answer) + 1);
    const jittered = Math.min(pause, hint) * (0.5 + Math.random());
    if (await sleep(Math.min(left, jittered), signal)) {
      throw new AtomicError('ABORTED', 'the signal fired while waiting for a turn; nothing is held');
    }
  }
}
