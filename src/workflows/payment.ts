// Payments that are applied to an account once, however often they are delivered. For users; shares its accounts with
// transfer.ts; the scripts are lua/payment_*_v1.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { flag, int, int64, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { payment_apply_v1, payment_get_v1 } from './lua/scripts.ts';

const apply = defineScript({
  name: 'payment_apply',
  version: 1,
  lua: payment_apply_v1,
  mode: 'write',
  retry: 'always',
  keys: ['balances', 'floors', 'entries', 'payment'],
  args: { account: text, amount: int64, paymentId: text, maxEntries: int, paymentTtlMs: int },
  reply: {
    applied: ok({ replayed: flag, balance: int64, atMs: int }),
    already_processed: ok({ replayed: flag, balance: int64, atMs: int }),
    declined: denied({ replayed: flag, reason: text, balance: int64, atMs: int }),
    conflict: denied({ replayed: flag }),
    missing_account: denied({ replayed: flag, account: text }),
    not_an_integer: denied({ replayed: flag, account: text }),
  },
});

const get = defineScript({
  name: 'payment_get',
  version: 1,
  lua: payment_get_v1,
  mode: 'read',
  retry: 'always',
  keys: ['payment'],
  args: {},
  reply: {
    found: ok({ outcome: text, account: text, amount: int64, balance: int64, atMs: int }),
    unknown_payment: denied(),
  },
});

export interface PaymentOptions {
  /** Keys begin with it. Default `ledger`, as for transfers: with one prefix they share accounts. */
  readonly prefix?: string;
  /** How many entries a ledger keeps, the newest; 1 to 1,000,000. Default 1000; the same as for transfers. */
  readonly maxEntries?: number;
  /** How long a payment's id is remembered, in milliseconds. Default 90 days. */
  readonly paymentTtlMs?: number;
}

/**
 * `applied` with the new balance; `already_processed` with the balance and the time of when it was applied; `declined`
 * with the reason (`insufficient` or `overflow`) and the balance that stayed, also when it was declined before;
 * `conflict` where the id was used with another account or amount; `missing_account`; `not_an_integer`.
 */
export type PaymentResult = Result<OutcomeOf<typeof apply.spec.reply>>;
/** `found` with its outcome (`applied`, `insufficient` or `overflow`) and the balance after it, or `unknown_payment`. */
export type PaymentGetResult = Result<OutcomeOf<typeof get.spec.reply>>;

export interface Payment {
  /**
   * Adds `amount` to an account that `transfer` opened, or takes it where it is negative. Safe to repeat always: the
   * id sees to it. A declined payment stays declined; try again with a new id.
   */
  apply(
    ledger: string,
    payment: { readonly paymentId: string; readonly account: string; readonly amount: bigint },
    options?: CallOptions,
  ): Promise<PaymentResult>;
  /** What became of a payment. */
  get(ledger: string, paymentId: string, options?: CallOptions): Promise<PaymentGetResult>;
}

const MAX64 = 2n ** 63n - 1n;

/**
 * Payments by id: each is applied once.
 *
 * ```ts
 * const payments = payment(driver);
 * await payments.apply('eu', { paymentId: 'psp-81', account: 'ada', amount: -1999n });
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent
 */
export function payment(driver: Driver, options: PaymentOptions = {}): Payment {
  const { maxEntries = 1000, paymentTtlMs = 90 * 86_400_000 } = options;
  const prefix = checkPrefix(options.prefix ?? 'ledger');
  checkInt('maxEntries', maxEntries, 1, 1_000_000);
  checkInt('paymentTtlMs', paymentTtlMs, 1, 2 ** 50);
  const keyOf = (key: (part: string) => string, id: string) =>
    key(`payment:${checkName('a payment id', id)}`);
  return {
    async apply(ledger, { paymentId, account, amount }, call) {
      const key = keysOf(prefix, ledger);
      const keys = {
        balances: key('balances'),
        floors: key('floors'),
        entries: key('entries'),
        payment: keyOf(key, paymentId),
      };
      checkName('an account', account);
      checkAmount(amount);
      return apply.run(
        driver,
        { keys, args: { account, amount, paymentId, maxEntries, paymentTtlMs } },
        call,
      );
    },
    async get(ledger, paymentId, call) {
      const keys = { payment: keyOf(keysOf(prefix, ledger), paymentId) };
      return get.run(driver, { keys, args: {} }, call);
    },
  };
}

function checkAmount(amount: bigint): void {
  if (typeof amount !== 'bigint' || amount === 0n || amount > MAX64 || amount < -MAX64) {
    throw new AtomicError('BAD_ARGUMENT', 'an amount is a bigint other than 0, below 2^63, in minor units');
  }
}

export const paymentCard = defineWorkflow({
  name: 'payment',
  invariant:
    'A payment id changes its account once, and every delivery of it answers with the first outcome.',
  keys: {
    balances: { pattern: 'prefix:{ledger}:balances', holds: 'balance by account', expires: 'never' },
    floors: { pattern: 'prefix:{ledger}:floors', holds: 'floors other than 0, by account', expires: 'never' },
    entries: {
      pattern: 'prefix:{ledger}:entries',
      holds: 'the newest maxEntries changes',
      expires: 'never; trimmed',
    },
    payment: {
      pattern: 'prefix:{ledger}:payment:paymentId',
      holds: 'account, amount, outcome and balance of a payment',
      expires: 'paymentTtlMs after it was processed',
    },
  },
  why: 'The id, the balance and the entry must be written together: a crash between them pays twice or never.',
  operations: {
    apply: { does: 'applies a payment once', script: apply },
    get: { does: 'reads what became of a payment', script: get },
  },
  bounds: ['at most maxEntries entries', 'some 100 bytes for each payment, for paymentTtlMs'],
  tests: ['test/workflows/contracts/payment.ts'],
});
