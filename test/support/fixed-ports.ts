// Ports for servers that come back on the same port after they died: below the range from which systems take the
// ports of outgoing connections, so that nobody gets them in between. Called by the cluster, Sentinel and
// restartable fixtures.

import { createServer } from 'node:net';

const FIRST = 12_000;
const COUNT = 10_000;
/** A cluster node listens for its peers this far above its port; the two bands do not overlap. */
const BUS = 10_000;
const TRIES = 200;
/** Handed out by this process already: a server may not have bound its port yet. */
const taken = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port that is free now, together with its cluster bus port, and that this process has not handed out yet. */
export async function fixedPort(): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (taken.has(port)) continue;
    taken.add(port);
    if ((await isFree(port)) && (await isFree(port + BUS))) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${FIRST + COUNT} after ${TRIES} tries`);
}
