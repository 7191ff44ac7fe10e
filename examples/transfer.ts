// Transfer between accounts: many clerks move random amounts at the same time, each only what the account holds.
// Money is neither made nor lost, no balance is negative, and an auditor who reads all accounts with one MGET
// in the midst of it finds the same sum every time.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient, WatchError } from 'redis';
// In a project of your own: from 'holdfast'.
import { open } from '../src/index.ts';
import { dice, type Example, type Outcome, sum, think } from './support.ts';

const ACCOUNTS = Array.from({ length: 10 }, (_, i) => `account:${i + 1}`);
const START = 100;
const CLERKS = 20;
const TRANSFERS = 20;
const TOTAL = START * ACCOUNTS.length;

interface Order {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

interface Try {
  readonly done: boolean;
  readonly attempts: number;
}

export const transfer: Example = {
  name: 'transfer',
  invariant: `always ${TOTAL} in all accounts, none below 0`,

  async nodeRedis(port) {
    const connect = () => createClient({ socket: { host: '127.0.0.1', port } }).connect();
    const auditor = await connect();
    const clients = await Promise.all(Array.from({ length: CLERKS }, connect));
    async function move(client: typeof auditor, { from, to, amount }: Order): Promise<Try> {
      for (let attempts = 1; ; attempts++) {
        // The amount leaves `from` only if the balance that we saw is still the balance.
        await client.watch(from);
        if (Number(await client.get(from)) < amount) {
          await client.unwatch();
          return { done: false, attempts };
        }
        try {
          await client.multi().decrBy(from, amount).incrBy(to, amount).exec();
          return { done: true, attempts };
        } catch (error) {
          if (!(error instanceof WatchError)) throw error;
        }
      }
    }
    await auditor.mSet(Object.fromEntries(ACCOUNTS.map((account) => [account, String(START)])));
    const outcome = await work(
      CLERKS,
      (clerk, order) => move(clients[clerk], order),
      () => auditor.mGet(ACCOUNTS),
    );
    await Promise.all([auditor, ...clients].map((client) => client.close()));
    return outcome;
  },

  async ioredis(port) {
    const auditor = new Redis(port, '127.0.0.1');
    const clients = Array.from({ length: CLERKS }, () => new Redis(port, '127.0.0.1'));
    async function move(client: Redis, { from, to, amount }: Order): Promise<Try> {
      for (let attempts = 1; ; attempts++) {
        await client.watch(from);
        if (Number(await client.get(from)) < amount) {
          await client.unwatch();
          return { done: false, attempts };
        }
        const replies = await client.multi().decrby(from, amount).incrby(to, amount).exec();
        if (replies !== null) return { done: true, attempts };
      }
    }
    await auditor.mset(Object.fromEntries(ACCOUNTS.map((account) => [account, START])));
    const outcome = await work(
      CLERKS,
      (clerk, order) => move(clients[clerk], order),
      () => auditor.mget(ACCOUNTS),
    );
    await Promise.all([auditor, ...clients].map((client) => client.quit()));
    return outcome;
  },

  async inProcess() {
    const db = await open();
    const sessions = Array.from({ length: CLERKS }, () => db.session());
    async function move(clerk: number, { from, to, amount }: Order): Promise<Try> {
      const session = sessions[clerk];
      for (let attempts = 1; ; attempts++) {
        session.watch(from);
        if (Number(session.get(from)) < amount) {
          session.unwatch();
          return { done: false, attempts };
        }
        await think();
        session.multi();
        session.decrby(from, amount);
        session.incrby(to, amount);
        if (session.exec() !== null) return { done: true, attempts };
      }
    }
    // What needs no WATCH: a transaction is one unit, and a throw undoes all of it.
    function moveAtOnce({ from, to, amount }: Order): void {
      db.transaction((tx) => {
        tx.incrby(to, amount);
        if (tx.decrby(from, amount) < 0) throw new RangeError('not covered');
      });
    }
    for (const account of ACCOUNTS) db.set(account, START);
    assert.throws(() => moveAtOnce({ from: ACCOUNTS[0], to: ACCOUNTS[1], amount: START + 1 }), RangeError);
    assert.equal(db.get(ACCOUNTS[1]), String(START), 'the throw undid what came before it');
    const outcome = await work(CLERKS, move, async () => db.mget(...(ACCOUNTS as [string, ...string[]])));
    db.close();
    return outcome;
  },
};

/** Has all clerks carry out random orders at once while the auditor counts, and checks the end. */
async function work(
  clerks: number,
  move: (clerk: number, order: Order) => Promise<Try>,
  read: () => Promise<(string | null)[]>,
): Promise<Outcome> {
  const tries: Try[] = [];
  let working = true;
  let audits = 0;
  const audit = async (): Promise<void> => {
    const balances = (await read()).map(Number);
    assert.equal(sum(balances), TOTAL, 'money is neither made nor lost');
    assert.ok(Math.min(...balances) >= 0, 'no balance is negative');
    audits++;
  };
  const auditing = (async () => {
    while (working) {
      await audit();
      await think();
    }
  })();
  const clerk = async (_: unknown, number: number): Promise<void> => {
    for (let i = 0; i < TRANSFERS; i++) tries.push(await move(number, randomOrder()));
  };
  try {
    await Promise.all(Array.from({ length: clerks }, clerk));
  } finally {
    working = false;
    await auditing;
  }
  await audit();
  const done = tries.filter((each) => each.done).length;
  return {
    story: `${done} transfers done, ${tries.length - done} not covered, ${audits} audits`,
    attempts: sum(tries.map((each) => each.attempts)),
  };
}

function randomOrder(): Order {
  const from = dice(ACCOUNTS.length);
  const to = (from + 1 + dice(ACCOUNTS.length - 1)) % ACCOUNTS.length;
  return { from: ACCOUNTS[from], to: ACCOUNTS[to], amount: 1 + dice(START) };
}
