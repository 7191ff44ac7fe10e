// `npm run chaos`: the workflows on real servers whose lines, processes and topology fail while clients are at work. Ends
// with a table of what happened, and whether every invariant held: otherwise the exit status is 1. docs/chaos.md.
import { findOracle } from '../support/redis-server.ts';
import { type Engine, KINDS, type Kind, startEngine } from './engines.ts';
import { LOADS } from './kit-loads.ts';
import { lineOf, Table } from './report.ts';
import { type Plan, planOf, runRound } from './round.ts';

const HELP = `npm run chaos -- [--minutes N] [--rounds N] [--seed S] [--only workflow,...] [--engine single,sentinel,cluster]

Runs the workflows on real servers while these fail, and checks that every invariant holds afterwards.

A round takes some seconds: one engine, one client library, one workflow. Twelve clients on three or four drivers, in
one round of four another eight in two processes of their own, do what the workflow's stress load does, while faults
come in an order that the seed decides. Then the faults end, the servers recover, the clients finish, and the workflow's
check compares the data with what the clients were told. The next round has the next seed.

  single    redis-server, appendonly yes, appendfsync always, behind four proxies: connections cut before a request or
            before its reply, replies delayed, lines stalled, scripts flushed, the server killed with -9 and restarted
  sentinel  a primary, a replica and three Sentinels: connections killed, clients paused, scripts flushed, failovers
            (writes stop until the replica has everything: otherwise Sentinel itself may lose what was confirmed)
  cluster   three primaries with a replica each, behind proxies: all faults of the line, scripts flushed, CLUSTER
            FAILOVER, and the slot of the very keys moving to another primary

  --minutes N   default 5. The round that runs then is finished.
  --rounds N    instead of minutes
  --seed S      seed of the first round; default by the clock
  --only ...    only these workflows, with commas
  --engine ...  only these engines

A line for a round: its number, seed, engine, client, workflow, faults, results (replayed: answers remembered from an
earlier send of the same request), what was sent again and why, errors by code (certainly not done), and the verdict.
The seed repeats the engine, the client, the load and the faults, but the machine decides on the order of things: what
broke may need several tries.
`;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return undefined;
  const value = process.argv[at + 1];
  if (value === undefined || value.startsWith('--')) throw new Error(`--${name} takes a value`);
  return value;
}

function number(name: string, otherwise: number): number {
  const value = Number(option(name) ?? otherwise);
  if (Number.isNaN(value) || value < 0) throw new Error(`--${name} takes a number`);
  return value;
}

/** Those of `all` that the option names; an unknown name is an error. */
function chosen<T>(name: string, all: readonly T[], nameOf: (each: T) => string): readonly T[] {
  const wanted = option(name)?.split(',');
  if (wanted === undefined) return all;
  const names = all.map(nameOf);
  const unknown = wanted.filter((each) => !names.includes(each));
  if (unknown.length > 0) throw new Error(`--${name} ${unknown}: there is ${names.join(', ')}`);
  return all.filter((each) => wanted.includes(nameOf(each)));
}

/** The servers that are running; each is started when it is first needed, and again when it was spoilt. */
class Engines {
  private readonly running = new Map<Kind, Engine>();

  async get(kind: Kind): Promise<Engine> {
    let engine = this.running.get(kind);
    if (engine === undefined) {
      engine = await startEngine(kind);
      this.running.set(kind, engine);
    }
    return engine;
  }

  async drop(kind: Kind): Promise<void> {
    const engine = this.running.get(kind);
    this.running.delete(kind);
    await engine?.stop();
  }

  async stop(): Promise<void> {
    for (const kind of [...this.running.keys()]) await this.drop(kind);
  }
}

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  if (findOracle() === null) throw new Error('chaos needs redis-server');
  const kinds = chosen('engine', KINDS, (kind) => kind);
  const loads = chosen('only', LOADS, ({ workflow }) => workflow);
  const first = number('seed', Date.now() % 1_000_000);
  const rounds = number('rounds', Number.POSITIVE_INFINITY);
  const minutes = Number.isFinite(rounds) ? Number.POSITIVE_INFINITY : number('minutes', 5);
  const until = Date.now() + minutes * 60_000;
  const engines = new Engines();
  const table = new Table();
  const failures: string[] = [];
  process.once('SIGINT', () => process.exit(130));
  console.log(`chaos: seed ${first}, ${Number.isFinite(rounds) ? `${rounds} rounds` : `${minutes} minutes`}`);
  for (let round = 0; round < rounds && Date.now() < until; round++) {
    const seed = first + round;
    // Every workflow once, on engines in turn, before any comes again on another one.
    const stress = loads[seed % loads.length]!;
    const kind = kinds[(seed + Math.floor(seed / loads.length)) % kinds.length]!;
    let plan: Plan | undefined;
    try {
      const engine = await engines.get(kind);
      plan = planOf(seed, engine);
      const outcome = await runRound(engine, stress, plan);
      table.add(stress.workflow, outcome);
      console.log(lineOf(round + 1, engine, plan, stress.workflow, outcome));
      if (outcome.verdict === 'held') continue;
      const again = `npm run chaos -- --seed ${seed} --rounds 1 --only ${stress.workflow} --engine ${kind}`;
      failures.push(`${stress.workflow}, seed ${seed}: ${outcome.verdict}\n  again: ${again}`);
    } catch (error) {
      // The servers' fault, not the workflow's: it says nothing, and the next round gets new ones.
      table.disturbed(stress.workflow);
      console.log(
        `${round + 1} seed ${seed} ${kind} ${plan?.client ?? ''} ${stress.workflow}: spoilt: ${error}`,
      );
      await engines.drop(kind);
    }
  }
  await engines.stop();
  console.log(`\n${table}\n`);
  for (const failure of failures) console.log(`BROKEN: ${failure}`);
  console.log(
    `chaos: ${table.broken === 0 ? 'every invariant held' : `${table.broken} rounds broken`} (seed ${first})`,
  );
  return table.broken === 0 ? 0 : 1;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`chaos: ${error.message}`);
  return 2;
});
