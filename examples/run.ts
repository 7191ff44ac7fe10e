// `npm run examples`: starts a Holdfast server, runs every example with node-redis, with ioredis and in process,
// and prints for each whether its invariant held. Exits with 1 when one did not.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startHoldfast } from '../bench/servers.ts';
import { endless } from './endless.ts';
import { game } from './game.ts';
import { hotel } from './hotel.ts';
import { purchase } from './purchase.ts';
import { type Outcome, printTable } from './support.ts';
import { tornTransaction } from './torn-transaction.ts';
import { transfer } from './transfer.ts';

const EXAMPLES = [hotel, purchase, transfer, game, endless];
/** Longer than any example takes; one that hangs has failed. */
const PATIENCE = 30_000;

async function main(): Promise<boolean> {
  const build = fileURLToPath(new URL('../scripts/build.js', import.meta.url));
  if (spawnSync(process.execPath, [build, '--if-stale'], { stdio: 'inherit' }).status !== 0) return false;
  const rows: string[][] = [['example', 'variant', 'attempts', 'invariant', 'what happened']];
  let failures = 0;
  const server = await startHoldfast();
  try {
    for (const example of EXAMPLES) {
      const variants = {
        'node-redis': () => example.nodeRedis(server.port),
        ioredis: () => example.ioredis(server.port),
        'in-process': example.inProcess,
      };
      for (const [variant, run] of Object.entries(variants)) {
        try {
          await server.call('FLUSHALL');
          const { attempts, story } = await inTime(run());
          rows.push([example.name, variant, String(attempts), `held: ${example.invariant}`, story]);
        } catch (error) {
          failures++;
          rows.push([example.name, variant, '', `FAILED: ${example.invariant}`, (error as Error).message]);
        }
      }
    }
  } finally {
    await server.stop();
  }
  const { name, invariant } = tornTransaction;
  let compared: readonly (readonly string[])[] = [];
  try {
    const { attempts, story, table } = await inTime(tornTransaction.run());
    compared = table;
    rows.push([name, 'in-process', String(attempts), `held: ${invariant}`, story]);
  } catch (error) {
    failures++;
    rows.push([name, 'in-process', '', `FAILED: ${invariant}`, (error as Error).message]);
  }
  printTable(rows);
  if (compared.length > 0) {
    console.log(`\n${name}: what each server kept`);
    printTable(compared);
  }
  console.log(`\n${rows.length - 1 - failures} of ${rows.length - 1} invariants held`);
  return failures === 0;
}

function inTime<T extends Outcome>(run: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${PATIENCE / 1000} s`)), PATIENCE);
  });
  return Promise.race([run, late]).finally(() => clearTimeout(timer));
}

// Clients of an example that failed may still be connected: do not wait for them.
process.exit((await main()) ? 0 : 1);
