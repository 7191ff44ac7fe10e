// A load generator for what redis-benchmark cannot send (MULTI with its commands in one write, numbered keys).
// Requests are prepared buffers and replies have a fixed length, so that it only writes and counts bytes: the
// same small cost per batch whichever server answers.
import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** The bytes of the next batch, or null at the end. Reused: a batch is answered before the next is asked for. */
  readonly next: (connection: number) => Buffer | null;
  /** The reply to every batch. */
  readonly reply: Buffer;
}

/** Keeps one batch in flight per connection until `next` has no more; returns the seconds it took. */
export async function run(load: Load): Promise<number> {
  const lines = await Promise.all(Array.from({ length: load.connections }, (_, i) => openLine(load, i)));
  const began = performance.now();
  await Promise.all(lines.map((line) => line.drive()));
  return (performance.now() - began) / 1000;
}

interface Line {
  drive(): Promise<void>;
}

function openLine({ port, next, reply }: Load, number: number): Promise<Line> {
  return new Promise((opened, failed) => {
    let got = 0;
    let checked = false;
    let done: () => void = () => {};
    let fail: (error: Error) => void = failed;
    const step = (): void => {
      const batch = next(number);
      if (batch !== null) socket.write(batch);
      else {
        socket.destroy();
        done();
      }
    };
    const receive = (bytes: number, buffer: Uint8Array): boolean => {
      // The first reply is compared, later ones only measured.
      if (!checked) {
        const part = Buffer.from(buffer.buffer, buffer.byteOffset, Math.min(bytes, reply.length - got));
        const wrong = part.compare(reply, got, got + part.length) !== 0;
        if (wrong) fail(new Error(`unexpected reply: ${JSON.stringify(part.toString('latin1', 0, 200))}`));
      }
      got += bytes;
      if (got > reply.length) fail(new Error('a reply of another length'));
      if (got !== reply.length) return true;
      got = 0;
      checked = true;
      step();
      return true;
    };
    const socket: Socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.allocUnsafe(65536), callback: receive },
    });
    socket.once('error', (error) => fail(error));
    socket.once('connect', () =>
      opened({
        drive: () =>
          new Promise((resolve, reject) => {
            done = resolve;
            fail = reject;
            step();
          }),
      }),
    );
  });
}
