// Public entry `holdfast/server`: serves an embedded database to any Redis client.
import type { Database } from '../engine/database.ts';
import { type ListenOptions, Server } from './server.ts';

export type { ListenOptions, Server };

/**
 * Serves an embedded database on TCP or a unix socket, beside its use in this process. Closing the server leaves
 * the database open; commands in process and over the wire see the same data.
 *
 *     const server = await listen(db, { port: 0 });
 *     console.log(server.port);
 *     await server.close();
 *
 * Rejects with the system's error when an address cannot be had.
 */
export async function listen(db: Database, options: ListenOptions): Promise<Server> {
  const server = new Server(db.engine);
  await server.listen(options);
  return server;
}
