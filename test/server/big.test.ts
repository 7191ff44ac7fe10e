// Values of a hundred megabytes and more: they work, their copies are bounded, and what is too long is refused by
// its announced length.
import net from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { converse, type Running, start } from './support.ts';

const MB = 1024 * 1024;

let running: Running;
beforeAll(async () => {
  running = await start();
});
afterAll(() => running.stop());

/** Sends the pieces and counts the bytes that come back, until `expected` have come. */
function count(expected: number, ...pieces: Buffer[]): Promise<{ head: string; bytes: number }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port: running.port, host: '127.0.0.1' });
    let head = '';
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      if (head.length < 40) head += chunk.subarray(0, 40).toString('latin1');
      bytes += chunk.length;
      if (bytes >= expected) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ head, bytes }));
    for (const piece of pieces) socket.write(piece);
  });
}

it('a value of 100 MB is set, kept byte for byte and read', async () => {
  const value = Buffer.alloc(100 * MB);
  for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i);
  const set = Buffer.from(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${value.length}\r\n`);
  expect((await count(5, set, value, Buffer.from('\r\n'))).head).toBe('+OK\r\n');
  expect(await converse(running.port, `GETRANGE big ${50 * MB} ${50 * MB + 3}\r\n`)).toBe(
    `$4\r\n${value.toString('latin1', 50 * MB, 50 * MB + 4)}\r\n`,
  );
  const expected = value.length + 14;
  const got = await count(expected, Buffer.from('GET big\r\n'));
  expect(got.bytes).toBe(expected);
  expect(got.head).toMatch(/^\$104857600\r\n/);
}, 60_000);

it('a reply of more than half a gigabyte goes out in pieces', async () => {
  const one = 100 * MB + 14;
  const expected = 4 + 6 * one;
  const got = await count(expected, Buffer.from('MGET big big big big big big\r\n'));
  expect(got.bytes).toBe(expected);
  expect(got.head).toMatch(/^\*6\r\n\$104857600\r\n/);
}, 120_000);

it('longer than proto-max-bulk-len is refused by its length, before it comes', async () => {
  const error = '-ERR Protocol error: invalid bulk length\r\n';
  expect(await converse(running.port, '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870913\r\n')).toBe(error);
  expect(await converse(running.port, 'CONFIG SET proto-max-bulk-len 1mb\r\n')).toBe('+OK\r\n');
  expect(await converse(running.port, `*2\r\n$4\r\nECHO\r\n$${MB + 1}\r\n`)).toBe(error);
  expect((await converse(running.port, `*2\r\n$4\r\nECHO\r\n$${MB}\r\n${'x'.repeat(MB)}\r\n`)).length).toBe(
    MB + 12,
  );
  expect(await converse(running.port, `SETRANGE s ${MB} x\r\n`)).toBe(
    '-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n',
  );
  await converse(running.port, 'CONFIG SET proto-max-bulk-len 512mb\r\n');
});
