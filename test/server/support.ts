// A server of its own for each test file, and raw conversations with it. Called by the tests beside it.
import net from 'node:net';
import { Engine } from '../../src/engine/engine.ts';
import { type ListenOptions, Server } from '../../src/server/server.ts';
import { sleep } from '../support/ports.ts';
import { Wire } from '../support/wire.ts';

export interface Running {
  readonly engine: Engine;
  readonly server: Server;
  readonly port: number;
  connect(): Promise<Wire>;
  stop(): Promise<void>;
}

export async function start(
  config: Readonly<Record<string, string>> = {},
  listen: Partial<ListenOptions> = {},
): Promise<Running> {
  const engine = new Engine({ config });
  const server = new Server(engine);
  await server.listen({ port: 0, ...listen });
  const open: Wire[] = [];
  return {
    engine,
    server,
    port: server.port,
    connect: async () => {
      const wire = await Wire.open({ port: server.port });
      open.push(wire);
      return wire;
    },
    stop: async () => {
      for (const wire of open) wire.close();
      await server.close();
    },
  };
}

/**
 * Sends these pieces one after the other, ends its side, and answers everything that came back until the server
 * closed.
 */
export function converse(port: number, ...pieces: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let got = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the server neither answers nor closes; so far ${JSON.stringify(got.slice(-200))}`));
    }, 10_000);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    // The server may close before it has read everything.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(got);
    });
    socket.on('connect', async () => {
      for (const piece of pieces) {
        socket.write(piece, 'latin1');
        if (pieces.length > 1) await sleep(5);
      }
      socket.end();
    });
  });
}

/** Like {@link converse}, but keeps its side open: resolves only when the server closes by itself. */
export function untilClosed(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let got = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the server does not close; so far ${JSON.stringify(got.slice(-200))}`));
    }, 10_000);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(got);
    });
    socket.write(text, 'latin1');
  });
}

/** Waits until `holds` does, and fails with `what` when it does not. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 8000;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`never: ${what}`);
    await sleep(10);
  }
}

/** `k=v` fields of a CLIENT LIST line. */
export function fields(line: string): Record<string, string> {
  return Object.fromEntries(
    line
      .trim()
      .split(' ')
      .map((field) => {
        const at = field.indexOf('=');
        return [field.slice(0, at), field.slice(at + 1)];
      }),
  );
}
