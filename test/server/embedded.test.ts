// An embedded database that is served as well: one set of data, and both ends end rightly.
import net from 'node:net';
import { expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { listen } from '../../src/server/index.ts';

function connect(port: number): Promise<{ socket: net.Socket; text: () => string; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      const closed = new Promise<void>((done) => socket.once('close', () => done()));
      resolve({ socket, text: () => text, closed });
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('error', reject);
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 5));
}

it('serves the data of the process, and goes on without the server', async () => {
  const db = await open();
  const server = await listen(db, { port: 0 });
  db.set('k', 'in process');
  const client = await connect(server.port);
  client.socket.write('GET k\r\nSET k wire\r\n');
  await until(() => client.text().endsWith('+OK\r\n'));
  expect(client.text()).toBe('$10\r\nin process\r\n+OK\r\n');
  await server.close();
  await client.closed;
  expect(db.get('k')).toBe('wire');
  db.close();
});

it('ends its connections when the database is closed', async () => {
  const db = await open();
  const server = await listen(db, { port: 0 });
  const client = await connect(server.port);
  client.socket.write('PING\r\n');
  await until(() => client.text() === '+PONG\r\n');
  db.close();
  await client.closed;
  const late = await connect(server.port);
  await late.closed;
  expect(late.text()).toBe('');
  await server.close();
});
