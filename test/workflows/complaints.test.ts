// What users of peers complain of and what has no place in a contract: the others stand there, by their names. One test
// each, named after the complaint.
import { expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { embedded, queue } from '../../src/workflows/index.ts';

it('Lua 5.3 in a mock (ioredis-mock#1193): scripts are Lua 5.1, as on a server', async () => {
  const db = await open();
  expect(db.eval('return _VERSION')).toBe('Lua 5.1');
  // One number type: 3 / 2 * 2 is 3 and not 3.0, and what is whole prints as such.
  expect(db.eval('return tostring(3 / 2 * 2)')).toBe('3');
  expect(db.eval('return tostring(2^53)')).toBe('9.007199254741e+15');
  // What 5.2 and 5.3 took away, and what they brought.
  expect(db.eval('return {unpack({1, 2})}')).toEqual([1, 2]);
  expect(db.eval('return {table.getn({1, 2}), math.mod and 1 or 0, math.pow(2, 3)}')).toEqual([2, 1, 8]);
  expect(db.eval('return table.pack and 1 or 0')).toBe(0);
  expect(() => db.eval('return 7 // 2')).toThrow(/compiling script/);
  expect(() => db.eval('return 1 & 1')).toThrow(/compiling script/);
  db.close();
});

it('in-memory BullMQ for tests (bullmq#3363): a queue with leases runs without a server', async () => {
  const db = await open();
  const jobs = queue(embedded(db), { prefix: 'jobs' });
  (await jobs.enqueue('mail', 'hello')).orThrow();
  const claimed = (await jobs.claim('mail', { worker: 'w1', leaseMs: 1000 })).orThrow();
  expect(claimed.jobs.map(({ payload }) => payload)).toEqual(['hello']);
  const [job] = claimed.jobs;
  expect((await jobs.complete('mail', job)).status).toBe('completed');
  db.close();
});
