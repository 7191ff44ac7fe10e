// `npm run fuzz -- --seconds 60 --seed 1`: streams of one seed after the other through the decoder, and, where a
// redis-server is installed, to both servers. `npm run fuzz -- lua` instead: programs that try to reach JavaScript
// from Lua. A failure prints the seed that repeats it; --rounds 1 runs just that one.
import { findOracle } from '../support/redis-server.ts';
import { broken, randomStream } from './decoder.ts';
import { Pair } from './wire.ts';

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const value = Number(process.argv[at + 1]);
  if (!Number.isFinite(value)) throw new Error(`--${name} takes a number`);
  return value;
}

/** Compared on the wire: one stream of so many, as each costs two connections. */
const WIRE_EVERY = 8;

async function main(): Promise<number> {
  const seconds = option('seconds', 60);
  const first = option('seed', Date.now() % 1_000_000);
  const rounds = option('rounds', Number.POSITIVE_INFINITY);
  console.log(`fuzz: seed ${first}, ${rounds === 1 ? 'one round' : `${seconds} s`}`);

  const pair = findOracle() === null ? null : await Pair.start();
  if (pair === null) console.log('fuzz: no redis-server, wire comparison skipped');

  const until = Date.now() + seconds * 1000;
  let compared = 0;
  let round = 0;
  let shown = Date.now();
  let failure: string | null = null;
  for (; round < rounds && (rounds === 1 || Date.now() < until) && failure === null; round++) {
    const seed = first + round;
    failure = broken(seed);
    if (failure === null && pair !== null && (rounds === 1 || round % WIRE_EVERY === 0)) {
      failure = await pair.difference(seed);
      compared++;
    }
    if (failure !== null) {
      console.log(
        `fuzz: FAILED at seed ${seed}\n  stream ${JSON.stringify(randomStream(seed).toString('latin1'))}`,
      );
      console.log(`  ${failure}\n  again: npm run fuzz -- --seed ${seed} --rounds 1`);
    }
    if (Date.now() - shown > 5000) {
      shown = Date.now();
      console.log(`fuzz: ${round} streams, ${compared} of them compared with redis-server`);
    }
  }
  await pair?.stop();
  if (failure !== null) return 1;
  console.log(`fuzz: ${round} streams, ${compared} compared with redis-server, 0 failures (seed ${first})`);
  return 0;
}

async function lua(): Promise<number> {
  const { broken: brokenProgram, randomProgram } = await import('./lua-escape.ts');
  const seconds = option('seconds', 60);
  const first = option('seed', Date.now() % 1_000_000);
  const rounds = option('rounds', Number.POSITIVE_INFINITY);
  console.log(`fuzz lua: seed ${first}, ${rounds === 1 ? 'one round' : `${seconds} s`}`);
  const until = Date.now() + seconds * 1000;
  let round = 0;
  let shown = Date.now();
  for (; round < rounds && (rounds === 1 || Date.now() < until); round++) {
    const seed = first + round;
    const failure = brokenProgram(seed);
    if (failure !== null) {
      console.log(`fuzz lua: FAILED at seed ${seed}\n  program ${JSON.stringify(randomProgram(seed))}`);
      console.log(`  ${failure}\n  again: npm run fuzz -- lua --seed ${seed} --rounds 1`);
      return 1;
    }
    if (Date.now() - shown > 5000) {
      shown = Date.now();
      console.log(`fuzz lua: ${round} programs`);
    }
  }
  console.log(`fuzz lua: ${round} programs, 0 failures (seed ${first})`);
  return 0;
}

process.exitCode = process.argv[2] === 'lua' ? await lua() : await main();
