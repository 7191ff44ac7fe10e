// A crash in the midst of writing a transfer to the log: the file ends inside of a command of a MULTI. Holdfast and, where
// it is installed, redis-server start from the same file, go on writing, and start again. What each of them kept is
// shown in a table; of Holdfast it is asserted. examples/run.ts runs it; so does `npx tsx examples/torn-transaction.ts`.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
// In a project of your own: from 'holdfast'.
import { open } from '../src/index.ts';
import { findOracle, startRedis } from '../test/support/redis-server.ts';
import { type Outcome, printTable } from './support.ts';

const BEFORE = 100;
const TOTAL = 2 * BEFORE;

export interface Compared extends Outcome {
  /** Who kept what, with a line of headings. */
  readonly table: readonly (readonly string[])[];
}

export const tornTransaction = {
  name: 'torn transaction',
  invariant: `${TOTAL} in both accounts and every acknowledged write there, also after a torn log`,
  run,
};

/** Starts a server on a directory's log; `end` stops it as an operator does. */
type Start = (directory: string) => Promise<{ readonly client: Redis; end(): Promise<void> }>;

const holdfast: Start = async (directory) => {
  const db = await open(directory, { appendfsync: 'always' });
  const client = new Redis({ Connector: db.connector() });
  return {
    client,
    end: async () => {
      await client.quit();
      await db.close();
    },
  };
};

const redisServer: Start = async (directory) => {
  const server = await startRedis(['--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always']);
  const client = new Redis(server.port, '127.0.0.1');
  return {
    client,
    end: async () => {
      client.disconnect();
      await server.stop();
    },
  };
};

/** What clients do between the two starts; each step is acknowledged. */
const SCENARIOS: Readonly<Record<string, (client: Redis) => Promise<void>>> = {
  'two SETs': async (client) => {
    await client.set('order:1', 'paid');
    await client.set('order:2', 'paid');
  },
  'two SETs, a transfer of 30': async (client) => {
    await client.set('order:1', 'paid');
    await client.set('order:2', 'paid');
    await client.multi().decrby('account:1', 30).incrby('account:2', 30).exec();
  },
};

async function run(): Promise<Compared> {
  const servers: [string, Start][] = [['Holdfast', holdfast]];
  const hasRedis = findOracle() !== null;
  if (hasRedis) servers.push([await redisName(), redisServer]);
  const table = [['server', 'written after the crash', 'account:1', 'account:2', 'sum', 'SETs kept']];
  for (const [written, go] of Object.entries(SCENARIOS)) {
    for (const [name, start] of servers) {
      const kept = await survive(start, go);
      table.push([name, written, ...kept.balances.map(String), String(kept.sum), `${kept.orders} of 2`]);
      if (start !== holdfast) continue;
      assert.equal(kept.sum, TOTAL, 'money is neither made nor lost');
      assert.equal(kept.orders, 2, 'what was acknowledged is there');
    }
  }
  const others = hasRedis
    ? 'redis-server beside it in the table below'
    : 'no redis-server here to compare with';
  return { story: `the torn transfer is gone as a whole; ${others}`, attempts: servers.length * 2, table };
}

async function survive(
  start: Start,
  go: (client: Redis) => Promise<void>,
): Promise<{ readonly balances: readonly number[]; readonly sum: number; readonly orders: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-torn-'));
  try {
    writeTornLog(directory);
    const first = await start(directory);
    await go(first.client);
    await first.end();
    const second = await start(directory);
    const balances = (await second.client.mget('account:1', 'account:2')).map(Number);
    const orders = await second.client.exists('order:1', 'order:2');
    await second.end();
    return { balances, sum: balances[0] + balances[1], orders };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The log of a server that died while it wrote a transfer of 100: 18 bytes of the last command are missing. */
function writeTornLog(directory: string): void {
  const folder = join(directory, 'appendonlydir');
  mkdirSync(folder);
  const whole = [
    ['SELECT', '0'],
    ['SET', 'account:1', String(BEFORE)],
    ['SET', 'account:2', String(BEFORE)],
    ['MULTI'],
    ['DECRBY', 'account:1', '100'],
    ['INCRBY', 'account:2', '100'],
  ]
    .map((args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`)
    .join('');
  writeFileSync(join(folder, 'appendonly.aof.1.incr.aof'), whole.slice(0, -18));
  writeFileSync(join(folder, 'appendonly.aof.manifest'), 'file appendonly.aof.1.incr.aof seq 1 type i\n');
}

async function redisName(): Promise<string> {
  const server = await startRedis();
  const client = new Redis(server.port, '127.0.0.1');
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? '';
  client.disconnect();
  await server.stop();
  return `redis-server ${version}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { story, table } = await run();
  printTable(table);
  console.log(`\n${story}`);
}
