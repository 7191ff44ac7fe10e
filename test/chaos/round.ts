// One round: clients of one workflow under faults, then the check of its invariant. Everything that chance decides
// follows from the round's seed; only the order in which the machine does things does not. Called by run.ts.
import { Random } from '../oracle/random.ts';
import { type ClientName, enginesOf } from '../workflows/columns.ts';
import { type Connected, connect } from '../workflows/targets.ts';
import { type Stress, sleep } from '../workflows/world.ts';
import { Child } from './children.ts';
import { addUp, type Counts, noCounts, runClients } from './clients.ts';
import type { Engine } from './engines.ts';

const CLIENTS: readonly ClientName[] = ['ioredis', 'node-redis', 'iovalkey', 'glide'];
/** Clients in this process, and in each child. */
const HERE = 12;
const THERE = 4;
const CHILDREN = 2;
/** One round in so many has children: a process takes a second to start. */
const CHILDREN_EVERY = 4;
const FAULTS_MS = 2500;
/** After the faults, every operation ends within its deadline, and a client makes some dozens. */
const END_MS = 60_000;

export interface Plan {
  readonly seed: number;
  readonly client: ClientName;
  readonly drivers: number;
  readonly children: number;
  /** In the order they are done, each so long after the one before. */
  readonly faults: readonly { readonly name: string; readonly afterMs: number }[];
}

export interface Outcome {
  readonly counts: Counts;
  /** `held`, or how it was broken. */
  readonly verdict: string;
}

/** What the seed says for this engine. */
export function planOf(seed: number, engine: Engine): Plan {
  const random = new Random(seed);
  const client = random.pick(CLIENTS.filter((name) => enginesOf(name).includes(engine.name)));
  const drivers = random.int(3, 4);
  const children = random.int(1, CHILDREN_EVERY) === 1 ? CHILDREN : 0;
  const names = Object.keys(engine.faults);
  const faults = Array.from({ length: random.int(3, 8) }, () => ({
    name: random.pick(names),
    afterMs: random.int(20, 500),
  }));
  return { seed, client, drivers, children, faults };
}

/** @throws where the servers do not do what they are to do, which says nothing of the workflow */
export async function runRound(engine: Engine, stress: Stress, plan: Plan): Promise<Outcome> {
  const prefix = `c${plan.seed}x${Date.now().toString(36)}`;
  const connected: Connected[] = [];
  const children: Child[] = [];
  let over = false;
  try {
    const straight = await connect(plan.client, engine.name, engine.past);
    connected.push(straight);
    await stress.setup(straight.driver, prefix);
    for (let i = 0; i < plan.drivers; i++)
      connected.push(await connect(plan.client, engine.name, engine.reach(i)));
    for (let i = 0; i < plan.children; i++) children.push(await startChild(engine, stress, plan, prefix, i));
    const drivers = connected.slice(1).map(({ driver }) => driver);
    const load = { stress, prefix, seed: plan.seed, first: 0, clients: HERE };
    const work = runClients(drivers, load, () => over);
    await disturb(engine, plan, prefix);
    over = true;
    const all = await inTime([work, ...children.map((child) => child.end())]);
    return { counts: all, verdict: await judge(stress, straight, prefix, all) };
  } finally {
    over = true;
    for (const child of children) child.kill();
    for (const each of connected) await each.close();
  }
}

/** The faults, one after the other, with the clients going on for a while at either end. */
async function disturb(engine: Engine, plan: Plan, prefix: string): Promise<void> {
  const random = new Random(plan.seed, 1);
  const started = performance.now();
  await sleep(100);
  try {
    for (const { name, afterMs } of plan.faults) {
      await sleep(afterMs);
      await engine.faults[name]!(random, prefix);
    }
    await sleep(Math.max(0, FAULTS_MS - (performance.now() - started)));
  } finally {
    await engine.heal();
  }
  await sleep(100);
}

async function inTime(work: readonly Promise<Counts>[]): Promise<Counts> {
  const sum = noCounts();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), END_MS);
  });
  try {
    for (const each of work) {
      const counts = await Promise.race([each, late]);
      if (counts === null) {
        sum.thrown.push(`clients had not ended ${END_MS} ms after the faults`);
        break;
      }
      addUp(sum.tally, counts.tally);
      addUp(sum.retries, counts.retries);
      sum.operations += counts.operations;
      sum.thrown.push(...counts.thrown);
    }
  } finally {
    clearTimeout(timer);
  }
  return sum;
}

async function judge(
  stress: Stress,
  { driver }: Connected,
  prefix: string,
  { tally, thrown, operations }: Counts,
): Promise<string> {
  if (thrown.length > 0) return thrown[0]!;
  if (operations === 0) return 'no operation was made';
  try {
    await stress.check(driver, prefix, tally);
    return 'held';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Clients of the round in another process, at work. */
async function startChild(
  engine: Engine,
  stress: Stress,
  plan: Plan,
  prefix: string,
  n: number,
): Promise<Child> {
  const child = new Child();
  const { ports, group } = engine.reach(n);
  await child.begin({
    ...{ client: plan.client, engine: engine.name, ports, group, workflow: stress.workflow, prefix },
    ...{ seed: plan.seed, first: (n + 1) * 1_000_000, clients: THERE },
  });
  child.go();
  return child;
}
