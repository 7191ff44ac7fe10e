// Duplicates of requests whose effect is outside of Redis: claimed while in flight, remembered when done. For users; the
// scripts are lua/dedup_*.lua. Effects within Redis need no claim: once-script.ts.

import { defineWorkflow } from './kit/card.ts';
import { checkBytes, checkInt, checkMs, checkText } from './kit/check.ts';
import { flag, int, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { newRequestId, REQUEST_TTL_MS } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { dedup_abandon_v1, dedup_claim_v1, dedup_done_v1 } from './lua/scripts.ts';
import { checkHorizon } from './once-script.ts';

const claim = defineScript({
  name: 'dedup_claim',
  version: 1,
  lua: dedup_claim_v1,
  mode: 'write',
  retry: 'always',
  keys: ['record'],
  args: { owner: text, leaseMs: int },
  reply: {
    claimed: ok({ replayed: flag, owner: text }),
    done: ok({ replayed: flag, result: text }),
    in_flight: denied({ replayed: flag, leaseLeftMs: int }),
  },
});

const done = defineScript({
  name: 'dedup_done',
  version: 1,
  lua: dedup_done_v1,
  mode: 'write',
  retry: 'always',
  keys: ['record'],
  args: { owner: text, result: text, windowMs: int },
  reply: { recorded: ok({ replayed: flag }), stale: denied({ replayed: flag }) },
});

const abandon = defineScript({
  name: 'dedup_abandon',
  version: 1,
  lua: dedup_abandon_v1,
  mode: 'write',
  retry: 'always',
  keys: ['record'],
  args: { owner: text },
  reply: { abandoned: ok({ replayed: flag }), stale: denied({ replayed: flag }) },
});

export interface DedupOptions {
  /** Keys begin with it. Default `dedup`. */
  readonly prefix?: string;
  /** How long a claim holds without being done, in milliseconds. Longer than the effect ever takes. */
  readonly leaseMs: number;
  /**
   * How long a request is known as done, in milliseconds: longer than anybody goes on repeating it, and at least twice
   * the deadline of a call. Default ten minutes.
   */
  readonly windowMs?: number;
  /** Longest result, in bytes. Default 65536. */
  readonly maxResultBytes?: number;
}

export interface ClaimOptions extends CallOptions {
  /** Token of the claim, 1 to 200 characters. Default a random one. Repeat an unknown `claim` with the same. */
  readonly owner?: string;
}

/** `claimed`: do it. `done` with the first result. `in_flight`: another is at it; it is not known to have happened. */
export type DedupClaimed = Result<OutcomeOf<typeof claim.spec.reply>>;
/** `recorded`, or `stale`: another claimed it meanwhile, or it is done with another result. */
export type DedupDone = Result<OutcomeOf<typeof done.spec.reply>>;
/** `abandoned`: the next claim gets it. `stale`: it is another's, or done. */
export type DedupAbandoned = Result<OutcomeOf<typeof abandon.spec.reply>>;

export interface Dedup {
  /** Claims a request id, or answers what is known of it. Safe to repeat. */
  claim(requestId: string, options?: ClaimOptions): Promise<DedupClaimed>;
  /** The effect has happened, with this result. Safe to repeat. */
  done(requestId: string, owner: string, result?: string, options?: CallOptions): Promise<DedupDone>;
  /** The effect has not happened and will not. Safe to repeat. */
  abandon(requestId: string, owner: string, options?: CallOptions): Promise<DedupAbandoned>;
}

/**
 * A request id has one live claim, and once it is done all later claims get its result.
 *
 * ```ts
 * const mails = dedup(driver, { prefix: 'mail', leaseMs: 60_000, windowMs: 86_400_000 });
 * const claim = await mails.claim(message.id);
 * if (claim.status === 'claimed') await mails.done(message.id, claim.owner, await send(message));
 * ```
 */
export function dedup(driver: Driver, options: DedupOptions): Dedup {
  const prefix = checkPrefix(options.prefix ?? 'dedup');
  const leaseMs = checkMs('leaseMs', options.leaseMs);
  const windowMs = checkMs('windowMs', options.windowMs ?? REQUEST_TTL_MS);
  const most = checkInt('maxResultBytes', options.maxResultBytes ?? 65_536, 0, 512 * 1024 * 1024);
  const keys = (requestId: string): { record: string } => ({ record: keysOf(prefix, requestId)() });
  return {
    async claim(requestId, { owner = newRequestId(), ...call } = {}) {
      checkHorizon(windowMs, call);
      const args = { owner: checkText('owner', owner, 200), leaseMs };
      return claim.run(driver, { keys: keys(requestId), args }, { ...call, requestId: owner });
    },
    async done(requestId, owner, result = '', call) {
      checkHorizon(windowMs, call);
      const args = {
        owner: checkText('owner', owner, 200),
        result: checkBytes('the result', result, most),
        windowMs,
      };
      return done.run(driver, { keys: keys(requestId), args }, call);
    },
    async abandon(requestId, owner, call) {
      return abandon.run(
        driver,
        { keys: keys(requestId), args: { owner: checkText('owner', owner, 200) } },
        call,
      );
    },
  };
}

export const dedupCard = defineWorkflow({
  name: 'dedup',
  invariant:
    'Within the window, the effect of a request id in Redis happens once, and one outside has one live claim and one result.',
  keys: {
    request: {
      pattern: '{firstKey}:request:requestId',
      layout: 'onceScript',
      holds: 'digest of keys and arguments, and the first answer (onceScript)',
      expires: 'windowMs after the effect',
    },
    record: {
      pattern: 'prefix:{requestId}',
      holds: 'claimed or done, owner and result',
      expires: 'leaseMs after the claim, windowMs after it was done',
    },
  },
  why: 'A record written before the effect loses it in a crash, one written after it repeats it: they must be one step.',
  operations: {
    onceScript: {
      does: 'runs any script once for each request id',
      mechanism: 'script',
      retry: 'same-request-id',
      outcomes: ["the effect's own", 'request_reused'],
    },
    claim: { does: 'claims a request id for an effect outside', script: claim },
    done: { does: 'records that it happened', script: done },
    abandon: { does: 'gives the claim up', script: abandon },
  },
  bounds: ['one record for each request id: the answer, or a result of at most maxResultBytes'],
  metrics: ['redis.atomic.operation.* of each script that onceScript wraps, under its own name'],
  tests: ['test/workflows/contracts/dedup.ts', 'test/workflows/clock-leases.test.ts'],
});
