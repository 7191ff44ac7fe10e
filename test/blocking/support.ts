// Helpers of the tests of waiting: making clients wait in a known order, and seeing who still waits.
import { expect } from 'vitest';
import type { Plain, Target, TestClient } from '../support/targets.ts';

/** How many clients of the server wait. */
export async function blockedClients(t: Target): Promise<number> {
  const info = (await t.call('INFO', 'clients')) as string;
  return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
}

/** A further client that waits in a command. */
export interface Waiting {
  readonly client: TestClient;
  /** The reply of its command. */
  readonly reply: Promise<Plain>;
  /** Has the reply come? */
  done(): boolean;
}

/** Connects a client, sends a blocking command and returns once the server has parked it. */
export async function wait(t: Target, ...command: (string | number)[]): Promise<Waiting> {
  return waitOn(t, await t.connect(), ...command);
}

/** As {@link wait}, of a client that is connected already. */
export async function waitOn(
  t: Target,
  client: TestClient,
  ...command: (string | number)[]
): Promise<Waiting> {
  const before = await blockedClients(t);
  let done = false;
  const reply = client.call(...command).finally(() => {
    done = true;
  });
  // Awaited later, perhaps after it was rejected.
  reply.catch(() => {});
  await until(async () => (await blockedClients(t)) > before);
  return { client, reply, done: () => done };
}

/** The id that CLIENT UNBLOCK takes; ask before the client waits. */
export async function idOf(client: TestClient): Promise<number> {
  return (await client.call('CLIENT', 'ID')) as number;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 5000; !(await condition()); ) {
    expect(Date.now(), 'gave up waiting').toBeLessThan(end);
    await new Promise((next) => setTimeout(next, 1));
  }
}

/** Lets everything that is under way arrive: a round trip of its own, and a turn of the event loop. */
export async function settle(t: Target): Promise<void> {
  await t.call('PING');
  await new Promise((next) => setTimeout(next, 10));
}
