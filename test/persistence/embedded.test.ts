// A database in a directory as a Node program has it: what it keeps over a close and an open.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { open, StorageLocked } from '../../src/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-embedded-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('going back to a snapshot is kept', async () => {
  const db = await open(directory);
  db.set('k', 'before', 'PX', 100_000);
  db.rpush('list', 'a', 'b');
  db.functions.load("#!lua name=one\nredis.register_function('f', function() return 1 end)");
  const snapshot = db.snapshot();
  db.set('k', 'after');
  db.set('new', '1');
  db.functions.load("#!lua name=two\nredis.register_function('g', function() return 2 end)");
  db.call('SELECT', '3');
  db.set('elsewhere', '1');
  db.call('SELECT', '0');
  db.revertTo(snapshot);
  const deadline = db.pexpiretime('k');
  db.rpush('list', 'c');
  await db.close();
  const again = await open(directory);
  expect(again.get('k')).toBe('before');
  expect(again.pexpiretime('k')).toBe(deadline);
  expect(again.lrange('list', 0, -1)).toEqual(['a', 'b', 'c']);
  expect(again.exists('new')).toBe(0);
  expect(again.fcall('f')).toBe(1);
  expect(() => again.fcall('g')).toThrow('Function not found');
  again.call('SELECT', '3');
  expect(again.dbsize()).toBe(0);
  await again.close();
});

it('a durable transaction is there although nobody closed', async () => {
  const db = await open(directory);
  expect(await db.transaction.durable((tx) => tx.incr('n'))).toBe(1);
  await expect(open(directory)).rejects.toThrow(StorageLocked);
  await db.close();
  const again = await open(directory);
  expect(again.get('n')).toBe('1');
  await again.close();
});

it('another snapshot of a fork is another database: the directory learns nothing of it', async () => {
  const db = await open(directory);
  db.set('k', '1');
  const copy = db.fork();
  copy.set('k', '2');
  copy.close();
  await db.close();
  const again = await open(directory);
  expect(again.get('k')).toBe('1');
  await again.close();
});
