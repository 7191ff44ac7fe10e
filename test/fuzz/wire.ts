// The same bytes to a real redis-server and to Holdfast: do they answer the same bytes and close alike? Both ask for
// a password, so that streams without one meet the limits for strangers. Called by run.ts and wire.test.ts.
import { connect } from 'node:net';
import { Engine } from '../../src/engine/engine.ts';
import { Server } from '../../src/server/server.ts';
import { startRedis } from '../support/redis-server.ts';
import { Wire } from '../support/wire.ts';
import { randomStream } from './decoder.ts';

const PASSWORD = 'secret';

export class Pair {
  private readonly ports: readonly number[];
  private readonly controls: readonly Wire[];
  private readonly ends: readonly (() => Promise<void>)[];

  private constructor(
    ports: readonly number[],
    controls: readonly Wire[],
    ends: readonly (() => Promise<void>)[],
  ) {
    this.ports = ports;
    this.controls = controls;
    this.ends = ends;
  }

  static async start(): Promise<Pair> {
    const redis = await startRedis();
    const server = new Server(new Engine());
    await server.listen({ port: 0 });
    const ports = [redis.port, server.port];
    const controls = await Promise.all(ports.map((port) => Wire.open({ port })));
    for (const control of controls) await control.call('CONFIG', 'SET', 'requirepass', PASSWORD);
    return new Pair(ports, controls, [() => redis.stop(), () => server.close()]);
  }

  /** How the two differ over this seed's stream; null when they do not. */
  async difference(seed: number): Promise<string | null> {
    const login = seed % 4 === 0 ? '' : `AUTH ${PASSWORD}\r\n`;
    const stream = Buffer.concat([Buffer.from(login), randomStream(seed)]);
    for (const control of this.controls) await control.call('FLUSHALL');
    const [expected, got] = await Promise.all(this.ports.map((port) => answer(port, stream)));
    // A mutated name may happen to be a command which Holdfast does not have.
    if (expected === got || got.includes('is not supported by Holdfast')) return null;
    return `redis-server answers ${JSON.stringify(expected)}\n  Holdfast answers     ${JSON.stringify(got)}`;
  }

  async stop(): Promise<void> {
    for (const control of this.controls) control.close();
    for (const end of this.ends) await end();
  }
}

// Everything a server answers until it closes; we close our side behind the last byte.
function answer(port: number, stream: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`port ${port} neither answers nor closes; so far ${JSON.stringify(got.slice(-200))}`));
    }, 10_000);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    // A server that closes before it has read everything resets the connection: that is a close like any other.
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(got);
    });
    socket.end(stream);
  });
}
