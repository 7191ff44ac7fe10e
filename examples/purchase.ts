// Purchase: a hundred customers, ten pieces in stock. Each looks at the stock, takes one piece and writes their
// name on the list of orders: two keys that must agree. Nothing is sold twice and nothing is left over.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient, WatchError } from 'redis';
// In a project of your own: from 'holdfast'.
import { open } from '../src/index.ts';
import { type Example, type Outcome, sum, think } from './support.ts';

const STOCK = 'stock:lamp';
const ORDERS = 'orders:lamp';
const PIECES = 10;
const CUSTOMERS = Array.from({ length: 100 }, (_, i) => `customer ${i + 1}`);

interface Try {
  readonly bought: boolean;
  readonly attempts: number;
}

export const purchase: Example = {
  name: 'purchase',
  invariant: `${PIECES} pieces, ${PIECES} different buyers`,

  async nodeRedis(port) {
    const clients = await Promise.all(
      CUSTOMERS.map(() => createClient({ socket: { host: '127.0.0.1', port } }).connect()),
    );
    async function buy(client: (typeof clients)[number], customer: string): Promise<Try> {
      for (let attempts = 1; ; attempts++) {
        await client.watch(STOCK);
        if (Number(await client.get(STOCK)) === 0) {
          await client.unwatch();
          return { bought: false, attempts };
        }
        try {
          await client.multi().decr(STOCK).rPush(ORDERS, customer).exec();
          return { bought: true, attempts };
        } catch (error) {
          if (!(error instanceof WatchError)) throw error;
        }
      }
    }
    await clients[0].set(STOCK, PIECES);
    const tries = await Promise.all(CUSTOMERS.map((customer, i) => buy(clients[i], customer)));
    const outcome = check(tries, await clients[0].get(STOCK), await clients[0].lRange(ORDERS, 0, -1));
    await Promise.all(clients.map((client) => client.close()));
    return outcome;
  },

  async ioredis(port) {
    const clients = CUSTOMERS.map(() => new Redis(port, '127.0.0.1'));
    async function buy(client: Redis, customer: string): Promise<Try> {
      for (let attempts = 1; ; attempts++) {
        await client.watch(STOCK);
        if (Number(await client.get(STOCK)) === 0) {
          await client.unwatch();
          return { bought: false, attempts };
        }
        const replies = await client.multi().decr(STOCK).rpush(ORDERS, customer).exec();
        if (replies !== null) return { bought: true, attempts };
      }
    }
    await clients[0].set(STOCK, PIECES);
    const tries = await Promise.all(CUSTOMERS.map((customer, i) => buy(clients[i], customer)));
    const outcome = check(tries, await clients[0].get(STOCK), await clients[0].lrange(ORDERS, 0, -1));
    await Promise.all(clients.map((client) => client.quit()));
    return outcome;
  },

  async inProcess() {
    const db = await open();
    async function buy(customer: string): Promise<Try> {
      const session = db.session();
      for (let attempts = 1; ; attempts++) {
        session.watch(STOCK);
        if (Number(session.get(STOCK)) === 0) {
          session.close();
          return { bought: false, attempts };
        }
        await think();
        session.multi();
        session.decr(STOCK);
        session.rpush(ORDERS, customer);
        if (session.exec() !== null) return { bought: true, attempts };
      }
    }
    db.set(STOCK, PIECES);
    const tries = await Promise.all(CUSTOMERS.map(buy));
    const outcome = check(tries, db.get(STOCK), db.lrange(ORDERS, 0, -1));
    db.close();
    return outcome;
  },
};

function check(tries: readonly Try[], stock: string | null, orders: readonly string[]): Outcome {
  assert.equal(stock, '0', 'nothing is left');
  assert.equal(orders.length, PIECES, 'every piece was ordered once');
  assert.equal(new Set(orders).size, PIECES, 'by different customers');
  assert.equal(tries.filter((each) => each.bought).length, PIECES, 'and nobody else thinks they bought one');
  const others = orders.length - 2;
  return {
    story: `${orders.slice(0, 2).join(', ')} and ${others} others bought`,
    attempts: sum(tries.map((each) => each.attempts)),
  };
}
