// Stock of a warehouse: orders of several lines, taken all together or not at all. For users; the scripts are
// lua/inventory_*_v1.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { type Codec, flag, int, list, nullable, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { record } from './kit/record.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import {
  inventory_cancel_v1,
  inventory_get_v1,
  inventory_order_v1,
  inventory_put_v1,
  inventory_read_v1,
} from './lua/scripts.ts';

/** What is ordered of one product. */
export interface InventoryLine {
  readonly product: string;
  /** An integer, 1 or more. */
  readonly quantity: number;
}

/** Lines as the order's record has them: product and quantity alternating, in JSON. */
const lines: Codec<readonly InventoryLine[]> = {
  kind: 'lines',
  encode: (value) => JSON.stringify(value),
  decode(answer, where) {
    const words = JSON.parse(text.decode(answer, where)) as string[];
    return words.flatMap((product, i) =>
      i % 2 === 0 ? [{ product, quantity: int.decode(words[i + 1], where) }] : [],
    );
  },
};

const place = defineScript({
  name: 'inventory_order',
  version: 1,
  lua: inventory_order_v1,
  mode: 'write',
  retry: 'always',
  keys: ['stock', 'sold', 'order'],
  args: { orderTtlMs: int, lines: list(text) },
  reply: {
    placed: ok({ replayed: flag }),
    insufficient: denied({ replayed: flag, product: text, left: int }),
    unknown_product: denied({ replayed: flag, product: text }),
    cancelled: denied({ replayed: flag }),
    not_an_integer: denied({ replayed: flag, product: text }),
    request_reused: denied({ replayed: flag }),
  },
});

const cancel = defineScript({
  name: 'inventory_cancel',
  version: 1,
  lua: inventory_cancel_v1,
  mode: 'write',
  retry: 'always',
  keys: ['stock', 'sold', 'order'],
  args: {},
  reply: { cancelled: ok({ replayed: flag }), unknown_order: denied({ replayed: flag }) },
});

const put = defineScript({
  name: 'inventory_put',
  version: 1,
  lua: inventory_put_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['stock', 'sold', 'request[]'],
  args: { product: text, quantity: int, first: flag, requestTtlMs: int },
  reply: {
    set: ok({ replayed: flag, left: int }),
    already_set: denied({ replayed: flag, left: int }),
    restocked: ok({ replayed: flag, left: int }),
    unknown_product: denied({ replayed: flag, product: text }),
    too_many: denied({ replayed: flag, left: int }),
    not_an_integer: denied({ replayed: flag, product: text }),
    request_reused: denied({ replayed: flag }),
  },
});

const get = defineScript({
  name: 'inventory_get',
  version: 1,
  lua: inventory_get_v1,
  mode: 'read',
  retry: 'always',
  keys: ['order'],
  args: {},
  reply: { found: ok({ state: text, lines, atMs: int }), unknown_order: denied() },
});

const read = defineScript({
  name: 'inventory_read',
  version: 1,
  lua: inventory_read_v1,
  mode: 'read',
  retry: 'always',
  keys: ['stock', 'sold'],
  args: { products: list(text) },
  reply: { read: ok({ products: list(record({ product: text, left: nullable(int), sold: int })) }) },
});

export interface InventoryOptions {
  /** Keys begin with it. Default `inventory`. */
  readonly prefix?: string;
  /**
   * How long an order is remembered, in milliseconds; null for ever. Default 30 days. After that its id would order
   * anew, and it can no longer be cancelled.
   */
  readonly orderTtlMs?: number | null;
  /** How long a request id of `setInitial` and `restock` is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/**
 * `placed`; `insufficient` with the first product that falls short and what is left of it; `unknown_product`, which is
 * not the same as one of which nothing is left; `cancelled` where this order was placed and cancelled before;
 * `request_reused` where the id was used for other lines; `not_an_integer` where the stock holds something else.
 */
export type InventoryOrderResult = Result<OutcomeOf<typeof place.spec.reply>>;
/** `cancelled` (also when it was before: see `meta.replayed`) or `unknown_order`. */
export type InventoryCancelResult = Result<OutcomeOf<typeof cancel.spec.reply>>;
/** `set` or `restocked` with what is left now; `already_set`, `unknown_product`, `too_many` (beyond 2^53). */
export type InventoryPutResult = Result<OutcomeOf<typeof put.spec.reply>>;
/** `found` with its state (`placed` or `cancelled`), its lines and when it was placed, or `unknown_order`. */
export type InventoryGetResult = Result<OutcomeOf<typeof get.spec.reply>>;
/** `read`, with what is left (null where the product is not known) and sold of each product. */
export type InventoryReadResult = Result<OutcomeOf<typeof read.spec.reply>>;

export interface Inventory {
  /**
   * Takes all lines from the stock or none, and writes the order. 1 to 100 lines, integers from 1, no product twice.
   * The order id makes it safe to repeat: an order that was placed answers `placed` again and takes nothing. A denied
   * one leaves no trace, so it may be tried again with the same id.
   */
  order(
    warehouse: string,
    orderId: string,
    lines: readonly InventoryLine[],
    options?: CallOptions,
  ): Promise<InventoryOrderResult>;
  /** Gives an order's lines back, once however often it is called. */
  cancel(warehouse: string, orderId: string, options?: CallOptions): Promise<InventoryCancelResult>;
  /** Makes a product known with its first quantity, 0 or more. Never overwrites. */
  setInitial(
    warehouse: string,
    product: string,
    quantity: number,
    options?: RequestOptions,
  ): Promise<InventoryPutResult>;
  /** Adds to a product that is known, 1 or more. Safe to repeat with a request id only. */
  restock(
    warehouse: string,
    product: string,
    quantity: number,
    options?: RequestOptions,
  ): Promise<InventoryPutResult>;
  /** An order as it was written. */
  get(warehouse: string, orderId: string, options?: CallOptions): Promise<InventoryGetResult>;
  /** What is left and sold of 1 to 100 products, at one moment. */
  read(warehouse: string, products: readonly string[], options?: CallOptions): Promise<InventoryReadResult>;
}

const MOST_LINES = 100;

/**
 * Stock that is never negative, and of which sold and left always add up to what was put there.
 *
 * ```ts
 * const stock = inventory(driver);
 * await stock.setInitial('berlin', 'lamp', 3);
 * const order = await stock.order('berlin', 'order-1', [{ product: 'lamp', quantity: 2 }]);
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent
 */
export function inventory(driver: Driver, options: InventoryOptions = {}): Inventory {
  const { orderTtlMs = 30 * 86_400_000, requestTtlMs = REQUEST_TTL_MS } = options;
  const prefix = checkPrefix(options.prefix ?? 'inventory');
  const lifetime = orderTtlMs === null ? 0 : checkInt('orderTtlMs', orderTtlMs, 1, 2 ** 50);
  checkInt('requestTtlMs', requestTtlMs, 1, 2 ** 50);
  const stockOf = (warehouse: string) => {
    const key = keysOf(prefix, warehouse);
    return { key, stock: key('stock'), sold: key('sold') };
  };
  const orderOf = (warehouse: string, orderId: string) => {
    const { key, stock, sold } = stockOf(warehouse);
    return { stock, sold, order: key(`order:${checkName('an order id', orderId)}`) };
  };
  const add = (
    warehouse: string,
    [product, quantity, first]: readonly [string, number, boolean],
    request: RequestOptions | undefined,
  ) => {
    const { key, stock, sold } = stockOf(warehouse);
    const id = request?.requestId;
    const keys = { stock, sold, request: id === undefined ? [] : [key(`request:${checkRequestId(id)}`)] };
    checkName('a product', product);
    checkInt('quantity', quantity, first ? 0 : 1, Number.MAX_SAFE_INTEGER);
    return put.run(driver, { keys, args: { product, quantity, first, requestTtlMs } }, request);
  };
  return {
    async order(warehouse, orderId, wanted, call) {
      const args = { orderTtlMs: lifetime, lines: checkLines(wanted) };
      return place.run(driver, { keys: orderOf(warehouse, orderId), args }, call);
    },
    async cancel(warehouse, orderId, call) {
      return cancel.run(driver, { keys: orderOf(warehouse, orderId), args: {} }, call);
    },
    async setInitial(warehouse, product, quantity, request) {
      return add(warehouse, [product, quantity, true], request);
    },
    async restock(warehouse, product, quantity, request) {
      return add(warehouse, [product, quantity, false], request);
    },
    async get(warehouse, orderId, call) {
      const { order } = orderOf(warehouse, orderId);
      return get.run(driver, { keys: { order }, args: {} }, call);
    },
    async read(warehouse, products, call) {
      const { stock, sold } = stockOf(warehouse);
      checkInt('the number of products', products.length, 1, MOST_LINES);
      for (const product of products) checkName('a product', product);
      return read.run(driver, { keys: { stock, sold }, args: { products } }, call);
    },
  };
}

// In the order of their products, so that the same lines are the same order however they were put.
function checkLines(wanted: readonly InventoryLine[]): string[] {
  checkInt('the number of lines', wanted.length, 1, MOST_LINES);
  const quantities = new Map<string, number>();
  for (const { product, quantity } of wanted) {
    checkName('a product', product);
    checkInt('quantity', quantity, 1, Number.MAX_SAFE_INTEGER);
    if (quantities.has(product)) throw new AtomicError('BAD_ARGUMENT', 'a product stands in two lines');
    quantities.set(product, quantity);
  }
  return [...quantities.keys()].sort().flatMap((product) => [product, String(quantities.get(product))]);
}

export const inventoryCard = defineWorkflow({
  name: 'inventory',
  invariant: 'Stock is never negative, and of every product sold + left = what was put there.',
  keys: {
    stock: { pattern: 'prefix:{warehouse}:stock', holds: 'what is left, by product', expires: 'never' },
    sold: { pattern: 'prefix:{warehouse}:sold', holds: 'what was sold, by product', expires: 'never' },
    order: {
      pattern: 'prefix:{warehouse}:order:orderId',
      holds: 'state, lines and time of an order',
      expires: 'orderTtlMs after it was placed',
    },
    request: {
      pattern: 'prefix:{warehouse}:request:requestId',
      holds: 'what setInitial or restock was answered',
      expires: 'requestTtlMs after the first answer',
    },
  },
  why: 'Several products are checked and then written: a command sees one of them, and between a check and a write others buy.',
  operations: {
    order: { does: 'takes all lines or none', script: place },
    cancel: { does: 'gives an order back once', script: cancel },
    setInitial: { does: 'makes a product known', script: put },
    restock: { does: 'adds to a product', script: put },
    get: { does: 'reads an order', script: get },
    read: { does: 'reads what is left and sold', script: read },
  },
  bounds: [
    'at most 100 lines in an order and 100 products in a read',
    'quantities below 2^53; two hash fields for each product',
    'one hash for each order, for orderTtlMs',
  ],
  tests: ['test/workflows/contracts/inventory.ts'],
});
