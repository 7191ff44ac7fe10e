// Small helpers shared by the server fixtures: a free loopback port, and waiting with a bound.
// Called by redis-server.ts and holdfast-server.ts.

import { createServer } from 'node:net';

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What every fixture server offers. */
export interface ServerHandle {
  readonly name: string;
  readonly port: number;
  readonly host: string;
  /** The last lines the process wrote; empty for a server that we did not start. */
  tail(): string;
  /** Set once the process is gone without having been asked to stop. */
  died(): string | null;
  stop(): Promise<void>;
}
