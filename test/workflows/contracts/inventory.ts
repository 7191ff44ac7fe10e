// Contract of inventory: stock is never negative; sold + left = what was put there.
import { expect, it } from 'vitest';
import { type Inventory, inventory } from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  raw,
  type Stress,
  sleep,
  type Tally,
  unsure,
} from '../world.ts';

const PLACE = 'north';

async function leftOf(stock: Inventory, product: string): Promise<number | null> {
  const { products } = (await stock.read(PLACE, [product])).orThrow();
  return products[0].left;
}

export const inventoryContract: Contract = {
  workflow: 'inventory',
  suite(world) {
    const make = async (initial: Record<string, number>, options: { orderTtlMs?: number | null } = {}) => {
      const prefix = freshPrefix();
      const stock = inventory(world().driver, { prefix, ...options });
      for (const [product, quantity] of Object.entries(initial)) {
        (await stock.setInitial(PLACE, product, quantity)).orThrow();
      }
      return { prefix, stock };
    };

    it('takes all lines of an order together and writes the order with them', async () => {
      const { stock } = await make({ lamp: 5, rug: 2 });
      const placed = await stock.order(PLACE, 'o1', [
        { product: 'rug', quantity: 2 },
        { product: 'lamp', quantity: 3 },
      ]);
      expect(placed).toMatchObject({
        ok: true,
        status: 'placed',
        meta: { replayed: false, retry: 'always' },
      });
      expect((await stock.read(PLACE, ['lamp', 'rug', 'sofa'])).orThrow().products).toEqual([
        { product: 'lamp', left: 2, sold: 3 },
        { product: 'rug', left: 0, sold: 2 },
        { product: 'sofa', left: null, sold: 0 },
      ]);
      const order = (await stock.get(PLACE, 'o1')).orThrow();
      expect(order).toMatchObject({
        state: 'placed',
        lines: [
          { product: 'lamp', quantity: 3 },
          { product: 'rug', quantity: 2 },
        ],
      });
      expect(order.atMs).toBeGreaterThan(1_600_000_000_000);
      expect(await stock.get(PLACE, 'o2')).toMatchObject({ ok: false, status: 'unknown_order' });
    });

    it('one line too many takes nothing of any and leaves no order behind', async () => {
      const { stock, prefix } = await make({ lamp: 5, rug: 2 });
      const lines = [
        { product: 'lamp', quantity: 1 },
        { product: 'rug', quantity: 3 },
      ];
      expect(await stock.order(PLACE, 'o1', lines)).toMatchObject({
        ok: false,
        status: 'insufficient',
        product: 'rug',
        left: 2,
      });
      expect([await leftOf(stock, 'lamp'), await leftOf(stock, 'rug')]).toEqual([5, 2]);
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{${PLACE}}:order:o1`)).toBe(0);
      (await stock.restock(PLACE, 'rug', 1)).orThrow();
      expect(await stock.order(PLACE, 'o1', lines)).toMatchObject({ status: 'placed' });
    });

    it('a product that is missing is not one of which nothing is left', async () => {
      const { stock } = await make({ lamp: 0 });
      const order = (product: string) => stock.order(PLACE, `o-${product}`, [{ product, quantity: 1 }]);
      expect(await order('lamp')).toMatchObject({ status: 'insufficient', left: 0 });
      expect(await order('sofa')).toMatchObject({ status: 'unknown_product', product: 'sofa' });
      expect(await stock.restock(PLACE, 'sofa', 1)).toMatchObject({ status: 'unknown_product' });
    });

    it('the same order id takes once, whatever the order of its lines, and refuses other lines', async () => {
      const { stock } = await make({ lamp: 5, rug: 5 });
      const lines = [
        { product: 'lamp', quantity: 2 },
        { product: 'rug', quantity: 1 },
      ];
      await stock.order(PLACE, 'o1', lines);
      const again = await stock.order(PLACE, 'o1', [...lines].reverse());
      expect(again).toMatchObject({ status: 'placed', meta: { replayed: true } });
      const other = await stock.order(PLACE, 'o1', [{ product: 'lamp', quantity: 1 }]);
      expect(other).toMatchObject({ ok: false, status: 'request_reused' });
      expect([await leftOf(stock, 'lamp'), await leftOf(stock, 'rug')]).toEqual([3, 4]);
    });

    it('cancelling gives back once, and a cancelled order is not placed again', async () => {
      const { stock } = await make({ lamp: 5 });
      const lines = [{ product: 'lamp', quantity: 4 }];
      await stock.order(PLACE, 'o1', lines);
      expect(await stock.cancel(PLACE, 'o1')).toMatchObject({
        status: 'cancelled',
        meta: { replayed: false },
      });
      expect(await stock.cancel(PLACE, 'o1')).toMatchObject({
        status: 'cancelled',
        meta: { replayed: true },
      });
      expect(await leftOf(stock, 'lamp')).toBe(5);
      expect(await stock.order(PLACE, 'o1', lines)).toMatchObject({ ok: false, status: 'cancelled' });
      expect(await leftOf(stock, 'lamp')).toBe(5);
      expect(await stock.cancel(PLACE, 'none')).toMatchObject({ ok: false, status: 'unknown_order' });
    });

    it('a first quantity never overwrites, and a repeated request adds once', async () => {
      const { stock } = await make({ lamp: 5 });
      expect(await stock.setInitial(PLACE, 'lamp', 9)).toMatchObject({ status: 'already_set', left: 5 });
      const more = () => stock.restock(PLACE, 'lamp', 2, { requestId: 'r1' });
      expect(await more()).toMatchObject({ status: 'restocked', left: 7, meta: { replayed: false } });
      expect(await more()).toMatchObject({ status: 'restocked', left: 7, meta: { replayed: true } });
      expect(await leftOf(stock, 'lamp')).toBe(7);
      expect(await stock.restock(PLACE, 'lamp', 3, { requestId: 'r1' })).toMatchObject({
        status: 'request_reused',
      });
    });

    it('counts exactly up to 2^53 and refuses more', async () => {
      const most = Number.MAX_SAFE_INTEGER;
      const { stock } = await make({ sand: most - 1 });
      await stock.order(PLACE, 'o1', [{ product: 'sand', quantity: most - 1 }]);
      expect(await stock.restock(PLACE, 'sand', 2)).toMatchObject({ status: 'too_many', left: 0 });
      expect(await stock.restock(PLACE, 'sand', 1)).toMatchObject({ status: 'restocked', left: 1 });
      await stock.cancel(PLACE, 'o1');
      expect(await leftOf(stock, 'sand')).toBe(most);
    });

    it('what is no integer is refused before anything is written', async () => {
      const { stock, prefix } = await make({ lamp: 5 });
      await raw(world().driver, 'HSET', `${prefix}:{${PLACE}}:stock`, 'rug', '1.5');
      const lines = ['lamp', 'rug'].map((product) => ({ product, quantity: 1 }));
      expect(await stock.order(PLACE, 'o1', lines)).toMatchObject({
        status: 'not_an_integer',
        product: 'rug',
      });
      expect(await leftOf(stock, 'lamp')).toBe(5);
    });

    it('an order is forgotten after its time, and only then', async () => {
      const { stock } = await make({ lamp: 5 }, { orderTtlMs: 60 });
      await stock.order(PLACE, 'o1', [{ product: 'lamp', quantity: 1 }]);
      await sleep(120);
      expect(await stock.cancel(PLACE, 'o1')).toMatchObject({ status: 'unknown_order' });
      expect(await leftOf(stock, 'lamp')).toBe(4);
      const kept = await make({ lamp: 5 }, { orderTtlMs: null });
      await kept.stock.order(PLACE, 'o1', [{ product: 'lamp', quantity: 1 }]);
      expect(await raw(world().driver, 'PTTL', `${kept.prefix}:{${PLACE}}:order:o1`)).toBe(-1);
    });

    it('refuses what is no order before sending it', async () => {
      const { stock } = await make({});
      const bad = [
        [],
        [{ product: 'a', quantity: 0 }],
        [{ product: 'a', quantity: -1 }],
        [{ product: 'a', quantity: 1.5 }],
        [{ product: '', quantity: 1 }],
        [
          { product: 'a', quantity: 1 },
          { product: 'a', quantity: 2 },
        ],
        Array.from({ length: 101 }, (_, i) => ({ product: `p${i}`, quantity: 1 })),
      ];
      for (const lines of bad) {
        await expect(stock.order(PLACE, 'o1', lines)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      }
      await expect(stock.order(PLACE, '', bad[1])).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      await expect(stock.order('', 'o1', bad[1])).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      await expect(stock.setInitial(PLACE, 'a', -1)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    });
  },
};

const INITIAL = { a: 400, b: 300 };

export const inventoryStress: Stress = inGenerations({
  workflow: 'inventory',
  async open(driver, prefix, place) {
    const stock = inventory(driver, { prefix });
    for (const [product, quantity] of Object.entries(INITIAL)) {
      await stock.setInitial(place, product, quantity, { requestId: product });
    }
  },
  async client(driver, prefix, { id: place, index, random }) {
    const tally: Tally = {};
    const stock = inventory(driver, { prefix });
    for (let i = 0; i < 25; i++) {
      const lines = ['a', 'b'].map((product) => ({ product, quantity: 1 + Math.floor(random() * 3) }));
      const add = (name: string, sign: 1 | -1): void => {
        for (const { product, quantity } of lines) count(tally, `${name} ${product}`, sign * quantity);
      };
      const placed = await attempt(tally, () => stock.order(place, `${index}-${i}`, lines));
      if (placed === null) continue;
      if (placed.ok) add('sold', 1);
      if (unsure(placed)) add('perhaps sold', 1);
      if (!placed.ok || random() < 0.5) continue;
      const back = await attempt(tally, () => stock.cancel(place, `${index}-${i}`));
      if (back?.ok) add('sold', -1);
      if (back !== null && unsure(back)) add('perhaps back', 1);
    }
    return tally;
  },
  async check(driver, prefix, place, tally) {
    for (const [product, initial] of Object.entries(INITIAL)) {
      const left = Number(await raw(driver, 'HGET', `${prefix}:{${place}}:stock`, product));
      const gone = Number((await raw(driver, 'HGET', `${prefix}:{${place}}:sold`, product)) ?? 0);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + gone).toBe(initial);
      const back = tally[`perhaps back ${product}`] ?? 0;
      const sold = tally[`sold ${product}`] ?? 0;
      expectWithin(gone, sold - back, back + (tally[`perhaps sold ${product}`] ?? 0));
    }
  },
});
