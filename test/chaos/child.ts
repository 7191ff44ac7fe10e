// Clients in a process of their own, as another instance of an application would be: what to run and when to stop it is
// told, one load after the other, and it answers the counts. Forked by children.ts.
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
  /** As in `Load`. */
  readonly runs?: number;
}

let over = false;
let go = (): void => {};

async function work(orders: Orders): Promise<void> {
  over = false;
  const stress = LOADS.find(({ workflow }) => workflow === orders.workflow)!;
  const running: Running = { ports: orders.ports, group: orders.group, stop: async () => {} };
  const { driver, close } = await connect(orders.client, orders.engine, running);
  const told = new Promise<void>((resolve) => {
    go = resolve;
  });
  process.send!('ready');
  await told;
  const counts = await runClients([driver], { ...orders, stress }, () => over);
  await close();
  process.send!(counts);
}

process.on('message', (message) => {
  if (message === 'stop') over = true;
  else if (message === 'go') go();
  else
    work(message as Orders).catch((error) => {
      console.error(error);
      process.exit(1);
    });
});
// The parent has gone, or has all it wanted.
process.on('disconnect', () => process.exit());
