// A script that never ends. Everybody else is told so (BUSY) instead of waiting in the dark, whoever is on duty ends it
// with SCRIPT KILL, and service goes on with the data as they were. In process, where nobody else could come in between,
// a script has a budget and is undone when it exceeds it.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
// In a project of your own: from 'holdfast'.
import { open } from '../src/index.ts';
import type { Example, Outcome } from './support.ts';

const ENDLESS = 'while true do end';
/** After so many milliseconds others get BUSY; Redis' default is 5000. */
const THRESHOLD = 200;

export const endless: Example = {
  name: 'endless script',
  invariant: 'others get BUSY, it can be ended, service goes on',

  async nodeRedis(port) {
    const clients = await Promise.all(
      [1, 2].map(() => createClient({ socket: { host: '127.0.0.1', port } }).connect()),
    );
    const [victim, other] = clients;
    await other.configSet('busy-reply-threshold', String(THRESHOLD));
    await other.set('stock', '7');
    const outcome = await observe({
      run: () => victim.eval(ENDLESS),
      read: () => other.get('stock'),
      kill: () => other.sendCommand(['SCRIPT', 'KILL']),
    });
    await Promise.all(clients.map((client) => client.close()));
    return outcome;
  },

  async ioredis(port) {
    const [victim, other] = [new Redis(port), new Redis(port)];
    await other.config('SET', 'busy-reply-threshold', THRESHOLD);
    await other.set('stock', '7');
    await victim.ping();
    const outcome = await observe({
      run: () => victim.eval(ENDLESS, 0),
      read: () => other.get('stock'),
      kill: () => other.script('KILL'),
    });
    victim.disconnect();
    other.disconnect();
    return outcome;
  },

  async inProcess() {
    const db = await open({ config: { 'busy-reply-threshold': String(THRESHOLD) } });
    db.set('stock', '7');
    const started = Date.now();
    assert.throws(() => db.eval(`redis.call('DECR', KEYS[1]) ${ENDLESS}`, { keys: ['stock'] }), /HF_BUDGET/);
    const ended = Date.now();
    assert.equal(db.get('stock'), '7');
    db.close();
    return { story: `thrown and undone after ${ended - started} ms`, attempts: 1 };
  },
};

interface Roles {
  readonly run: () => Promise<unknown>;
  readonly read: () => Promise<string | null>;
  readonly kill: () => Promise<unknown>;
}

async function observe({ run, read, kill }: Roles): Promise<Outcome> {
  const started = Date.now();
  const ended = run().then(
    () => assert.fail('the script cannot end by itself'),
    (error: Error) => error.message,
  );
  // The first reads may come before the script does: they are on another connection.
  await assert.rejects(async () => {
    while ((await read()) === '7');
  }, /BUSY/);
  const busy = Date.now();
  assert.equal(await kill(), 'OK');
  assert.match(await ended, /Script killed by user/);
  assert.equal(await read(), '7');
  return {
    story: `BUSY after ${busy - started} ms, ended and served ${Date.now() - busy} ms later`,
    attempts: 1,
  };
}
