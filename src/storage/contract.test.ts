// What the port promises, on each of the storages.
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { faultyStorage } from './faulty.ts';
import { memoryStorage } from './memory.ts';
import { nodeStorage } from './node.ts';
import { type Storage, StorageError, type StorageFile, StorageLocked } from './port.ts';

const directories: string[] = [];

function temporary(): string {
  const directory = fs.mkdtempSync(join(tmpdir(), 'holdfast-storage-'));
  directories.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of directories.splice(0)) fs.rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function textOf(file: StorageFile): string {
  const into = new Uint8Array(file.size + 10);
  return Buffer.from(into.subarray(0, file.read(0, into))).toString('latin1');
}

async function written(storage: Storage, path: string, text: string): Promise<void> {
  const file = await storage.open(path, 'create');
  await file.appendDurably([bytes(text)]);
  await file.close();
}

async function content(storage: Storage, path: string): Promise<string> {
  const file = await storage.open(path, 'read');
  const text = textOf(file);
  await file.close();
  return text;
}

/** The code of the StorageError, whether thrown or rejected with. */
async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StorageError) return error.code;
    throw error;
  }
  return 'none';
}

const STORAGES: readonly (readonly [string, () => Storage])[] = [
  ['node', () => nodeStorage(temporary())],
  ['memory', () => memoryStorage()],
  ...[1, 2, 3].map((seed) => [`faulty, seed ${seed}`, () => faultyStorage({ seed })] as const),
];

describe.each(STORAGES)('%s', (_name, make) => {
  test('modes of opening', async () => {
    const storage = make();
    expect(await codeOf(() => storage.open('a', 'read'))).toBe('ENOENT');
    expect(await codeOf(() => storage.open('folder/a', 'append'))).toBe('ENOENT');
    const made = await storage.open('a', 'append');
    expect(made.append(bytes('one'))).toBe(3);
    await made.close();
    const more = await storage.open('a', 'append');
    expect(more.size).toBe(3);
    more.append(bytes('two'));
    expect([more.size, textOf(more)]).toEqual([6, 'onetwo']);
    await more.close();
    const anew = await storage.open('a', 'create');
    expect([anew.size, textOf(anew)]).toEqual([0, '']);
    await anew.close();
    const readOnly = await storage.open('a', 'read');
    expect(await codeOf(() => readOnly.append(bytes('x')))).toBe('EBADF');
    expect(await codeOf(() => readOnly.appendDurably([bytes('x')]))).toBe('EBADF');
    expect(await codeOf(() => readOnly.truncate(0))).toBe('EBADF');
    await readOnly.sync();
    await readOnly.close();
  });

  test('reads parts, fewer only at the end', async () => {
    const storage = make();
    const file = await storage.open('a', 'create');
    const data = Buffer.alloc(100_000, 'abcdefghij');
    expect(file.append(data)).toBe(data.length);
    const into = new Uint8Array(30);
    expect(file.read(50_005, into)).toBe(30);
    expect(Buffer.from(into).toString()).toBe('fghijabcdefghijabcdefghijabcde');
    expect(file.read(99_990, into)).toBe(10);
    expect(file.read(100_000, into)).toBe(0);
    expect(file.read(200_000, into)).toBe(0);
    expect(file.read(0, new Uint8Array(0))).toBe(0);
    await file.close();
  });

  test('appends of all kinds come one behind the other', async () => {
    const storage = make();
    const file = await storage.open('a', 'create');
    file.append(bytes('1'));
    await file.appendDurably([bytes('2'), bytes(''), bytes('3')]);
    await file.appendDurably([bytes('4')]);
    await file.sync();
    await file.appendDurably([bytes('5'), bytes('6')]);
    await file.appendDurably([]);
    file.append(bytes('7'));
    const syncs = [file.sync(), file.sync()];
    file.append(bytes('8'));
    await Promise.all(syncs);
    await file.appendDurably(Array.from({ length: 3000 }, () => bytes('9')));
    const all = `12345678${'9'.repeat(3000)}`;
    expect([file.size, textOf(file)]).toEqual([all.length, all]);
    await file.close();
    expect(await content(storage, 'a')).toBe(all);
  });

  test('bytes stay as they are taken', async () => {
    const storage = make();
    const file = await storage.open('a', 'create');
    const data = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    file.append(data);
    data.fill(0);
    const into = new Uint8Array(256);
    file.read(0, into);
    expect([...into]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
    await file.close();
  });

  test('one writer at a time while a durable append is under way', async () => {
    const storage = make();
    const file = await storage.open('a', 'create');
    const first = file.appendDurably([bytes('first')]);
    expect(await codeOf(() => Promise.race([file.appendDurably([bytes('x')])]))).toBe('EBUSY');
    await first;
    const second = file.appendDurably([bytes(' second')]);
    const codes = [codeOf(() => file.append(bytes('x'))), codeOf(() => file.truncate(0))];
    const sync = file.sync();
    expect(await Promise.all(codes)).toEqual(['EBUSY', 'EBUSY']);
    await Promise.all([second, sync]);
    expect(textOf(file)).toBe('first second');
    await file.close();
  });

  test('truncates, and appends at the new end', async () => {
    const storage = make();
    const file = await storage.open('a', 'create');
    await file.appendDurably([bytes('0123456789')]);
    file.truncate(4);
    expect([file.size, textOf(file)]).toEqual([4, '0123']);
    await file.appendDurably([bytes('x')]);
    file.truncate(5);
    file.append(bytes('y'));
    expect(textOf(file)).toBe('0123xy');
    for (const size of [7, -1, 1.5, Number.NaN]) {
      expect(await codeOf(() => file.truncate(size))).toBe('EINVAL');
    }
    file.truncate(0);
    expect([file.size, textOf(file)]).toEqual([0, '']);
    await file.close();
  });

  test('close waits for what is under way, and then nothing goes', async () => {
    const storage = make();
    const file = await storage.open('a', 'create');
    const append = file.appendDurably([bytes('kept')]);
    const close = file.close();
    expect(await codeOf(() => file.sync())).toBe('EBADF');
    await Promise.all([append, close]);
    await file.close();
    expect(await codeOf(() => file.append(bytes('x')))).toBe('EBADF');
    expect(await codeOf(() => file.read(0, new Uint8Array(1)))).toBe('EBADF');
    expect(await content(storage, 'a')).toBe('kept');
  });

  test('folders', async () => {
    const storage = make();
    await storage.makeFolder('');
    expect([await storage.list(''), await storage.list('missing')]).toEqual([[], []]);
    await storage.makeFolder('f');
    await storage.makeFolder('f');
    await storage.makeFolder('f/g');
    await written(storage, 'f/b', '');
    await written(storage, 'f/a', '');
    await written(storage, 'f/g/c', '');
    await written(storage, 'z', '');
    expect([await storage.list(''), await storage.list('f'), await storage.list('f/g')]).toEqual([
      ['z'],
      ['a', 'b'],
      ['c'],
    ]);
    for (const folder of ['', 'f', 'f/g']) await storage.syncFolder(folder);
    expect(await codeOf(() => storage.syncFolder('missing'))).toBe('ENOENT');
    expect(await codeOf(() => storage.makeFolder('missing/f'))).toBe('ENOENT');
    expect(await codeOf(() => storage.makeFolder('z'))).toBe('EEXIST');
    expect(await codeOf(() => storage.list('z'))).toBe('ENOTDIR');
    expect(await codeOf(() => storage.open('z/a', 'append'))).toBe('ENOTDIR');
    for (const mode of ['read', 'append', 'create'] as const) {
      expect(await codeOf(() => storage.open('f', mode))).toBe('EISDIR');
    }
  });

  test('renames and removes; open files stay what they are', async () => {
    const storage = make();
    await storage.makeFolder('f');
    await written(storage, 'f/new', 'new');
    await written(storage, 'f/old', 'old');
    const file = await storage.open('f/new', 'append');
    const old = await storage.open('f/old', 'append');
    await storage.rename('f/new', 'f/old');
    await storage.rename('f/old', 'f/old');
    expect(await storage.list('f')).toEqual(['old']);
    await file.sync();
    await file.appendDurably([bytes('er')]);
    await old.appendDurably([bytes('er')]);
    expect([textOf(old), await content(storage, 'f/old')]).toEqual(['older', 'newer']);
    await storage.remove('f/old');
    await storage.remove('f/old');
    expect([await storage.list('f'), textOf(file)]).toEqual([[], 'newer']);
    expect(await codeOf(() => storage.rename('f/old', 'f/x'))).toBe('ENOENT');
    await written(storage, 'x', '');
    expect(await codeOf(() => storage.rename('x', 'f/x'))).toBe('EXDEV');
    expect(await codeOf(() => storage.rename('x', 'f'))).toBe('EISDIR');
    expect(['EISDIR', 'EPERM']).toContain(await codeOf(() => storage.remove('f')));
    await file.close();
    await old.close();
  });

  test('nothing leads outside or to the lock', async () => {
    const storage = make();
    const odd = ['..', '../a', 'a/../b', '/a', './a', 'a//b', 'a/', 'a\0', '..\\a', 'holdfast.lock'];
    for (const path of odd) {
      const calls = [
        () => storage.open(path, 'create'),
        () => storage.remove(path),
        () => storage.rename(path, 'a'),
        () => storage.rename('a', path),
        () => storage.list(path),
        () => storage.makeFolder(path),
        () => storage.syncFolder(path),
      ];
      for (const call of calls) expect([path, await codeOf(call)]).toEqual([path, 'EINVAL']);
    }
    expect(await codeOf(() => storage.open('', 'create'))).toBe('EINVAL');
    expect(await codeOf(() => storage.remove(''))).toBe('EINVAL');
  });

  test('the lock is there once', async () => {
    const storage = make();
    const lock = await storage.lock();
    const second = await storage.lock().catch((error: unknown) => error);
    expect(second).toBeInstanceOf(StorageLocked);
    expect((second as StorageLocked).pid).toBe(process.pid);
    expect(await storage.list('')).toEqual([]);
    await lock.release();
    const next = await storage.lock();
    await lock.release();
    await expect(storage.lock()).rejects.toBeInstanceOf(StorageLocked);
    await next.release();
    await (await storage.lock()).release();
  });
});

test('copies of memory go their own ways', async () => {
  const storage = memoryStorage();
  await storage.makeFolder('empty');
  await written(storage, 'a', 'same');
  const lock = await storage.lock();
  const copy = storage.copy();
  await (await copy.lock()).release();
  await written(storage, 'a', 'other');
  await written(storage, 'b', '');
  expect([await content(copy, 'a'), await copy.list('')]).toEqual(['same', ['a']]);
  await written(copy, 'empty/c', '');
  const given = memoryStorage({ folders: [], files: new Map([['f/g/a', bytes('given')]]) });
  expect([await content(given, 'f/g/a'), await given.list('f/g')]).toEqual(['given', ['a']]);
  expect(storage.contents().folders).toEqual(['empty']);
  await lock.release();
});
