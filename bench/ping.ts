// Starts pinger.ts, which feels a server's stalls, and collects what it found. Used by the benches of memory and of
// durability.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Latencies } from './pinger.ts';

/** In a process of its own: the load generator's pauses must not count as the server's. */
export async function startPinger(port: number): Promise<{ stop(): Promise<Latencies> }> {
  const child = fork(fileURLToPath(new URL('./pinger.ts', import.meta.url)), [String(port)]);
  const message = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      child.once('message', (value) => resolve(value as T));
      child.once('exit', (code) => reject(new Error(`the pinger ended with ${code}`)));
    });
  await message();
  return {
    stop: () => {
      const result = message<Latencies>();
      child.send('stop');
      return result;
    },
  };
}
