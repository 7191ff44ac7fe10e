// What only the real storage has: system calls that take less, get interrupted or fail.
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeStorage } from './node.ts';
import { type Storage, StorageError } from './port.ts';

let directory: string;
let storage: Storage;

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'holdfast-node-'));
  storage = nodeStorage(directory);
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

function text(path: string): string {
  return fs.readFileSync(join(directory, path), 'latin1');
}

async function failure(work: () => unknown): Promise<StorageError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

test('files and folders have the permissions of Redis', async () => {
  const old = process.umask(0);
  try {
    const inner = nodeStorage(join(directory, 'made'));
    await inner.makeFolder('');
    await inner.makeFolder('f');
    await (await inner.open('f/a', 'create')).close();
  } finally {
    process.umask(old);
  }
  const mode = (path: string): string => (fs.statSync(join(directory, path)).mode & 0o777).toString(8);
  expect([mode('made'), mode('made/f'), mode('made/f/a')]).toEqual(['755', '755', '644']);
});

test('continues after short and interrupted writes', async () => {
  const { writeSync, writev } = fs;
  let calls = 0;
  vi.spyOn(fs, 'writeSync').mockImplementation(((
    fd: number,
    data: Uint8Array,
    from: number,
    length: number,
  ) => {
    if (++calls % 3 === 0) throw errno('EINTR');
    return writeSync(fd, data, from, Math.min(length, 2), null);
  }) as typeof fs.writeSync);
  vi.spyOn(fs, 'writev').mockImplementation(((
    fd: number,
    data: Uint8Array[],
    done: (error: Error | null, written: number) => void,
  ) => {
    if (++calls % 3 === 0) done(errno('EAGAIN'), 0);
    else writev(fd, [data[0].subarray(0, 2)], done);
  }) as typeof fs.writev);
  const file = await storage.open('a', 'create');
  expect(file.append(bytes('abcdefg'))).toBe(7);
  await file.appendDurably([bytes('hijkl'), bytes(''), bytes('m'), bytes('nop')]);
  await file.appendDurably([bytes('qrs'), bytes('tuvwxyz')]);
  expect(file.size).toBe(26);
  await file.close();
  expect(text('a')).toBe('abcdefghijklmnopqrstuvwxyz');
  expect(calls).toBeGreaterThan(18);
});

test('a call that is interrupted for ever fails', async () => {
  const file = await storage.open('a', 'create');
  vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw errno('EINTR');
  });
  vi.spyOn(fs, 'fdatasync').mockImplementation((_fd, done) => done(errno('EINTR')));
  vi.spyOn(fs, 'writev').mockImplementation(((...args: unknown[]) =>
    (args[2] as (error: null, written: number) => void)(null, 0)) as typeof fs.writev);
  expect((await failure(() => file.append(bytes('x')))).code).toBe('EINTR');
  expect((await failure(() => file.sync())).code).toBe('EINTR');
  expect((await failure(() => file.appendDurably([bytes('x')]))).code).toBe('EIO');
  await file.close();
});

test('a full disk: what it took counts, then it says why', async () => {
  const { writeSync, writev } = fs;
  let room = 5;
  vi.spyOn(fs, 'writeSync').mockImplementation(((
    fd: number,
    data: Uint8Array,
    from: number,
    length: number,
  ) => {
    if (room === 0) throw errno('ENOSPC');
    const count = writeSync(fd, data, from, Math.min(length, room), null);
    room -= count;
    return count;
  }) as typeof fs.writeSync);
  vi.spyOn(fs, 'writev').mockImplementation(((
    fd: number,
    data: Uint8Array[],
    done: (error: Error | null, written: number) => void,
  ) => {
    if (room === 0) return done(errno('ENOSPC'), 0);
    const part = data[0].subarray(0, room);
    room -= part.length;
    writev(fd, [part], done);
  }) as typeof fs.writev);
  const file = await storage.open('a', 'create');
  room = 5;
  expect(file.append(bytes('abcdefg'))).toBe(5);
  const error = await failure(() => file.append(bytes('fg')));
  expect(error).toMatchObject({ code: 'ENOSPC', operation: 'append', path: 'a' });
  expect([error.reason, file.size]).toEqual(['No space left on device', 5]);
  file.truncate(0);
  room = 5;
  expect((await failure(() => file.appendDurably([bytes('abc'), bytes('defg')]))).code).toBe('ENOSPC');
  expect(file.size).toBe(5);
  file.truncate(0);
  room = 100;
  await file.appendDurably([bytes('again')]);
  await file.close();
  expect(text('a')).toBe('again');
});

test('a device that is really full', async () => {
  if (!fs.existsSync('/dev/full')) return;
  fs.symlinkSync('/dev/full', join(directory, 'full'));
  const file = await storage.open('full', 'append');
  expect((await failure(() => file.append(bytes('x')))).code).toBe('ENOSPC');
  expect((await failure(() => file.appendDurably([bytes('x')]))).code).toBe('ENOSPC');
  await file.close();
});

test('a durable append covers what was appended before; a failed sync is reported', async () => {
  const file = await storage.open('a', 'create');
  const fdatasync = vi.spyOn(fs, 'fdatasync');
  file.append(bytes('1'));
  await file.appendDurably([bytes('2')]);
  expect(fdatasync.mock.calls.length).toBe(1);
  fdatasync.mockImplementation((_fd, done) => done(errno('EIO')));
  expect(await failure(() => file.sync())).toMatchObject({ code: 'EIO', operation: 'sync' });
  const error = await failure(() => file.appendDurably([bytes('345')]));
  expect(error).toMatchObject({ code: 'EIO', operation: 'appendDurably', path: 'a' });
  expect(file.size).toBe(5);
  await file.close();
});

test('a directory that is not there', async () => {
  const missing = nodeStorage(join(directory, 'missing'));
  expect(await missing.list('')).toEqual([]);
  expect((await failure(() => missing.lock())).code).toBe('ENOENT');
  expect((await failure(() => missing.open('a', 'append'))).code).toBe('ENOENT');
  expect((await failure(() => missing.syncFolder(''))).code).toBe('ENOENT');
});
