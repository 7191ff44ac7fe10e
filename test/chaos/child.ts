// Clients of a round in a process of their own, as another instance of an application would be. Forked by round.ts,
// which says what to run, when to begin and when to stop, and gets the counts.
import type { ClientName, EngineName } from '../workflows/columns.ts';
import { connect, type Running } from '../workflows/targets.ts';
import { runClients } from './clients.ts';
import { LOADS } from './kit-loads.ts';

/** What a child is told at first. */
export interface Orders {
  readonly client: ClientName;
  readonly engine: EngineName;
  readonly ports: readonly number[];
  readonly group?: string;
  readonly workflow: string;
  readonly prefix: string;
  readonly seed: number;
  readonly first: number;
  readonly clients: number;
}

let over = false;

async function work(orders: Orders): Promise<void> {
  const stress = LOADS.find(({ workflow }) => workflow === orders.workflow)!;
  const running: Running = { ports: orders.ports, group: orders.group, stop: async () => {} };
  const { driver, close } = await connect(orders.client, orders.engine, running);
  process.send!('ready');
  process.send!(await runClients([driver], { ...orders, stress }, () => over));
  await close();
  process.disconnect();
}

process.on('message', (message) => {
  if (message === 'stop') over = true;
  else
    work(message as Orders).catch((error) => {
      console.error(error);
      process.exit(1);
    });
});
// The parent has gone, or has all it wanted.
process.on('disconnect', () => process.exit());
