// Accounts of a ledger and transfers between them, in integers of 64 bits. For users, and with payment.ts for one ledger
// with the outside; the scripts are lua/transfer_v1.lua and lua/ledger_*_v1.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { type Codec, flag, int, int64, list, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { ledger_balance_v1, ledger_entries_v1, ledger_open_v1, transfer_v1 } from './lua/scripts.ts';

/** A change of balances, as the ledger keeps it. */
export interface LedgerEntry {
  readonly kind: 'open' | 'transfer' | 'payment';
  /** Unix milliseconds, by the server's clock. */
  readonly atMs: number;
  /** The account it came from; '' where it came from outside. */
  readonly from: string;
  /** The account it went to; '' where it left the ledger. */
  readonly to: string;
  readonly amount: bigint;
  /** What the caller wrote, or the id of the payment. */
  readonly note: string;
}

const entry: Codec<LedgerEntry> = {
  kind: 'entry',
  encode: (value) => JSON.stringify(value),
  decode(answer, where) {
    const [kind, at, from, to, amount, note] = JSON.parse(text.decode(answer, where)) as string[];
    const atMs = int.decode(at, where);
    return {
      kind: kind as LedgerEntry['kind'],
      atMs,
      from,
      to,
      amount: int64.decode(amount, where),
      note,
    };
  },
};

const openAccount = defineScript({
  name: 'ledger_open',
  version: 1,
  lua: ledger_open_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['balances', 'floors', 'entries', 'request[]'],
  args: { account: text, balance: int64, floor: int64, maxEntries: int, requestTtlMs: int },
  reply: {
    opened: ok({ replayed: flag, balance: int64 }),
    exists: denied({ replayed: flag, balance: int64 }),
    request_reused: denied({ replayed: flag }),
  },
});

const move = defineScript({
  name: 'transfer',
  version: 1,
  lua: transfer_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['balances', 'floors', 'entries', 'request[]'],
  args: { from: text, to: text, amount: int64, note: text, maxEntries: int, requestTtlMs: int },
  reply: {
    transferred: ok({ replayed: flag, fromBalance: int64, toBalance: int64 }),
    insufficient: denied({ replayed: flag, balance: int64, floor: int64 }),
    missing_account: denied({ replayed: flag, account: text }),
    overflow: denied({ replayed: flag, account: text, balance: int64 }),
    not_an_integer: denied({ replayed: flag, account: text }),
    request_reused: denied({ replayed: flag }),
  },
});

const readBalance = defineScript({
  name: 'ledger_balance',
  version: 1,
  lua: ledger_balance_v1,
  mode: 'read',
  retry: 'always',
  keys: ['balances', 'floors'],
  args: { account: text },
  reply: { found: ok({ balance: int64, floor: int64 }), missing_account: denied({ account: text }) },
});

const readEntries = defineScript({
  name: 'ledger_entries',
  version: 1,
  lua: ledger_entries_v1,
  mode: 'read',
  retry: 'always',
  keys: ['entries'],
  args: { limit: int },
  reply: { entries: ok({ entries: list(entry) }) },
});

export interface TransferOptions {
  /** Keys begin with it. Default `ledger`, as for payments: with one prefix they share accounts. */
  readonly prefix?: string;
  /** How many entries a ledger keeps, the newest; 1 to 1,000,000. Default 1000. */
  readonly maxEntries?: number;
  /** How long a request id is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/** `opened`, `exists` with the balance that stays, or `request_reused`. */
export type LedgerOpenResult = Result<OutcomeOf<typeof openAccount.spec.reply>>;
/**
 * `transferred` with both balances; `insufficient` with balance and floor of the account it should come from;
 * `missing_account`; `overflow` where the other would leave 64 bits; `not_an_integer` where something else wrote to the
 * balances; `request_reused`.
 */
export type TransferResult = Result<OutcomeOf<typeof move.spec.reply>>;
/** `found` with balance and floor, or `missing_account`. */
export type LedgerBalanceResult = Result<OutcomeOf<typeof readBalance.spec.reply>>;
/** `entries`, the newest first. */
export type LedgerEntriesResult = Result<OutcomeOf<typeof readEntries.spec.reply>>;

export interface Transfer {
  /**
   * Opens an account with a balance (default 0) and a floor below which it never goes (default 0). Never overwrites.
   * Safe to repeat with a request id.
   */
  open(
    ledger: string,
    account: string,
    options?: RequestOptions & { readonly balance?: bigint; readonly floor?: bigint },
  ): Promise<LedgerOpenResult>;
  /**
   * Moves `amount`, 1 or more minor units, between two accounts. Safe to repeat with a request id only: without one,
   * a lost answer is `unknown`.
   */
  transfer(
    ledger: string,
    order: { readonly from: string; readonly to: string; readonly amount: bigint; readonly note?: string },
    options?: RequestOptions,
  ): Promise<TransferResult>;
  balance(ledger: string, account: string, options?: CallOptions): Promise<LedgerBalanceResult>;
  /** The newest entries, at most `limit` (1 to 1000, default 100). */
  entries(ledger: string, limit?: number, options?: CallOptions): Promise<LedgerEntriesResult>;
}

const MAX64 = 2n ** 63n - 1n;

/**
 * Transfers that keep the sum of all balances, and no account below its floor. Accounts of one ledger share a slot, so
 * that accounts of two ledgers cannot even be named in one call: see docs/workflows/transfer.md for those.
 *
 * ```ts
 * const ledger = transfer(driver);
 * await ledger.open('eu', 'ada', { balance: 100n });
 * await ledger.open('eu', 'bo');
 * await ledger.transfer('eu', { from: 'ada', to: 'bo', amount: 30n }, { requestId: 'order-7' });
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent
 */
export function transfer(driver: Driver, options: TransferOptions = {}): Transfer {
  const { maxEntries = 1000, requestTtlMs = REQUEST_TTL_MS } = options;
  const prefix = checkPrefix(options.prefix ?? 'ledger');
  checkInt('maxEntries', maxEntries, 1, 1_000_000);
  checkInt('requestTtlMs', requestTtlMs, 1, 2 ** 50);
  const keysFor = (ledger: string, request: RequestOptions | undefined) => {
    const key = keysOf(prefix, ledger);
    const id = request?.requestId;
    const ids = id === undefined ? [] : [key(`request:${checkRequestId(id)}`)];
    return { balances: key('balances'), floors: key('floors'), entries: key('entries'), request: ids };
  };
  return {
    async open(ledger, account, wanted = {}) {
      const { balance = 0n, floor = 0n } = wanted;
      checkName('an account', account);
      if (balance < floor) throw new AtomicError('BAD_ARGUMENT', 'the balance is below the floor');
      const args = { account, balance, floor, maxEntries, requestTtlMs };
      return openAccount.run(driver, { keys: keysFor(ledger, wanted), args }, wanted);
    },
    async transfer(ledger, { from, to, amount, note = '' }, request) {
      checkName('an account', from);
      checkName('an account', to);
      if (from === to) throw new AtomicError('BAD_ARGUMENT', 'an account cannot pay itself');
      checkAmount(amount);
      if (note !== '') checkName('a note', note, 500);
      const args = { from, to, amount, note, maxEntries, requestTtlMs };
      return move.run(driver, { keys: keysFor(ledger, request), args }, request);
    },
    async balance(ledger, account, call) {
      const { balances, floors } = keysFor(ledger, undefined);
      checkName('an account', account);
      return readBalance.run(driver, { keys: { balances, floors }, args: { account } }, call);
    },
    async entries(ledger, limit = 100, call) {
      const { entries } = keysFor(ledger, undefined);
      checkInt('limit', limit, 1, 1000);
      return readEntries.run(driver, { keys: { entries }, args: { limit } }, call);
    },
  };
}

function checkAmount(amount: bigint): void {
  if (typeof amount !== 'bigint' || amount < 1n || amount > MAX64) {
    throw new AtomicError('BAD_ARGUMENT', 'an amount is a bigint from 1 to 2^63 - 1, in minor units');
  }
}

export const transferCard = defineWorkflow({
  name: 'transfer',
  invariant: 'A transfer keeps the sum of balances, and no account goes below its floor.',
  keys: {
    balances: { pattern: 'prefix:{ledger}:balances', holds: 'balance by account', expires: 'never' },
    floors: { pattern: 'prefix:{ledger}:floors', holds: 'floors other than 0, by account', expires: 'never' },
    entries: {
      pattern: 'prefix:{ledger}:entries',
      holds: 'the newest maxEntries changes',
      expires: 'never; trimmed',
    },
    request: {
      pattern: 'prefix:{ledger}:request:requestId',
      holds: 'what open or transfer was answered',
      expires: 'requestTtlMs after the first answer',
    },
  },
  why: 'Two balances, an entry and the request id change together after both accounts were checked: MULTI cannot check.',
  operations: {
    open: { does: 'opens an account', script: openAccount },
    transfer: { does: 'moves an amount between two accounts', script: move },
    balance: { does: 'reads an account', script: readBalance },
    entries: { does: 'reads the newest entries', script: readEntries },
  },
  bounds: [
    'at most maxEntries entries',
    'one or two hash fields for each account',
    'one record of some 100 bytes for each request id, for requestTtlMs',
  ],
  tests: ['test/workflows/contracts/transfer.ts'],
});
