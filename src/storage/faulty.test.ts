// The faulty storage keeps what it must, loses what it may in every way it should, and all of it by its seed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Crashed, type FaultyStorage, faultyStorage, type Operation } from './faulty.ts';
import { type MemoryStorage, memoryStorage } from './memory.ts';
import { StorageError, type StorageFile, StorageLocked } from './port.ts';
import { chance } from './random.ts';

/** Bytes of which each says where it stands, so that nothing looks right at a wrong place; none is zero. */
function pattern(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 1 + ((from + index) % 251));
}

function isPattern(data: Uint8Array, from: number): boolean {
  return Buffer.compare(data, pattern(from, data.length)) === 0;
}

function dataOf(storage: MemoryStorage, path: string): Uint8Array | undefined {
  return storage.contents().files.get(path);
}

function names(storage: MemoryStorage): string {
  return [...storage.contents().files.keys()].toSorted().join(' ');
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (error) {
    return error instanceof StorageError ? error.code : (error as Error).name;
  }
}

const on =
  (name: string, path?: string) =>
  ({ operation, path: at }: Operation): boolean =>
    operation === name && (path === undefined || path === at);

/** What a program knows to be on disk, and what may be besides. */
interface Promises {
  /** Bytes of the log that no power cut takes; null until its name is synced. */
  log: number | null;
  /** The most it can have. */
  written: number;
  /** The manifest's synced version, and the latest that was begun. */
  version: number;
  begun: number;
}

/** A program such as persistence is, until the power goes: a log, and a manifest replaced by renaming. */
async function work(storage: FaultyStorage, seed: number, promises: Promises): Promise<void> {
  const pick = chance(seed);
  await storage.makeFolder('d');
  await storage.syncFolder('');
  const log = await storage.open('d/log', 'append');
  promises.written = log.size;
  const background: Promise<void>[] = [];
  const add = (): Uint8Array => {
    const data = pattern(promises.written, pick(4) === 0 ? pick(3000) : pick(60));
    promises.written += data.length;
    return data;
  };
  const keep = (size: number): void => {
    if (promises.log !== null) promises.log = Math.max(promises.log, size);
  };
  for (let step = 0; step < 25; step++) {
    const kind = pick(8);
    if (kind < 3) log.append(add());
    else if (kind === 3) {
      await log.appendDurably([add(), add()]);
      keep(promises.written);
    } else if (kind === 4) {
      const size = promises.written;
      const sync = log.sync().then(() => keep(size));
      // Awaited below, unless the power goes before.
      sync.catch(() => {});
      background.push(sync);
    } else if (kind === 5) {
      await log.sync();
      await storage.syncFolder('d');
      promises.log = Math.max(promises.log ?? 0, promises.written);
    } else if (kind === 6) await replaceManifest(storage, promises);
    else {
      await Promise.all(background);
      await cutBack(log, promises);
    }
  }
  await Promise.all(background);
}

async function replaceManifest(storage: FaultyStorage, promises: Promises): Promise<void> {
  const version = ++promises.begun;
  const file = await storage.open('d/temp', 'create');
  file.append(pattern(version, 700));
  await file.sync();
  await file.close();
  await storage.rename('d/temp', 'd/manifest');
  await storage.syncFolder('d');
  promises.version = version;
}

/** Back to what is synced, as after a failed write. */
async function cutBack(log: StorageFile, promises: Promises): Promise<void> {
  if (promises.log === null) return;
  log.truncate(promises.log);
  const written = promises.written;
  promises.written = promises.log;
  try {
    await log.sync();
  } catch (error) {
    promises.written = written;
    throw error;
  }
}

function checkDisk(disk: MemoryStorage, promises: Promises): void {
  const log = dataOf(disk, 'd/log') ?? new Uint8Array(0);
  expect(log.length).toBeGreaterThanOrEqual(promises.log ?? 0);
  const right = pattern(0, log.length);
  let zeroes = 0;
  for (const [index, byte] of log.entries()) {
    if (byte === 0 && index >= (promises.log ?? 0)) zeroes++;
    else if (byte !== right[index]) throw new Error(`byte ${index} is ${byte}, not ${right[index]}`);
  }
  expect(log.length).toBeLessThanOrEqual(promises.written);
  expect(zeroes).toBeLessThanOrEqual(promises.written - (promises.log ?? 0));
  const manifest = dataOf(disk, 'd/manifest');
  const possible = [promises.version, promises.begun].map((version) => pattern(version, 700).join());
  if (manifest !== undefined) expect(possible).toContain(manifest.join());
  else expect(promises.version).toBe(0);
}

test('what was synced is there after a power cut at any operation, and again after the next', async () => {
  let crashes = 0;
  let losses = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 90 }), async (seed, crashAt) => {
      let base = memoryStorage();
      const promises: Promises = { log: null, written: 0, version: 0, begun: 0 };
      for (let life = 0; life < 2; life++) {
        const storage = faultyStorage({ seed: seed + life, crashAt: life === 0 ? crashAt : 15, base });
        try {
          await work(storage, seed ^ life, promises);
        } catch (error) {
          if (!(error instanceof Crashed)) throw error;
          crashes++;
        }
        const disk = storage.afterCrash();
        try {
          checkDisk(disk, promises);
        } catch (error) {
          throw new Error(storage.log().join('\n'), { cause: error });
        }
        const log = dataOf(disk, 'd/log') ?? new Uint8Array(0);
        if (log.length < promises.written || log.includes(0)) losses++;
        // The next life begins as persistence would: what is whole stays.
        const whole = log.indexOf(0) < 0 ? log : log.subarray(0, log.indexOf(0));
        const files = new Map(disk.contents().files).set('d/log', whole);
        base = memoryStorage({ folders: ['d'], files });
        promises.log = Math.max(promises.log ?? 0, whole.length);
        const manifest = dataOf(disk, 'd/manifest');
        if (manifest !== undefined) {
          const isBegun = manifest.join() === pattern(promises.begun, 700).join();
          promises.version = isBegun ? promises.begun : promises.version;
        }
      }
    }),
    { numRuns: 2500 },
  );
  expect(crashes).toBeGreaterThan(2500);
  expect(losses).toBeGreaterThan(500);
}, 60_000);

/** How often each outcome came over so many seeds. */
async function tally(seeds: number, run: (seed: number) => Promise<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const outcome = await run(seed);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}

const START = memoryStorage({ folders: ['d'], files: new Map([['d/a', pattern(0, 700)]]) });

describe('every kind of loss occurs, none that should not', () => {
  test('of data', async () => {
    const counts = await tally(3000, async (seed) => {
      const storage = faultyStorage({ seed, base: START });
      const file = await storage.open('d/a', 'append');
      file.append(pattern(700, 1300));
      file.append(pattern(2000, 1300));
      return classify(dataOf(storage.afterCrash(), 'd/a')!);
    });
    const kinds = [
      'all lost',
      'all there',
      'longer by zeroes alone',
      'ends between the writes',
      'torn at a sector',
      'torn at a byte',
      'second write without the first',
      'sectors missing',
    ];
    expect([...counts.keys()].toSorted()).toEqual(kinds.toSorted());
    for (const count of counts.values()) expect(count).toBeGreaterThan(10);
  });

  test('none of what is synced', async () => {
    for (const kind of ['sync', 'durable'] as const) {
      const counts = await tally(500, async (seed) => {
        const storage = faultyStorage({ seed, base: START });
        const file = await storage.open('d/a', 'append');
        file.append(pattern(700, 1300));
        if (kind === 'durable') await file.appendDurably([pattern(2000, 1300)]);
        else {
          file.append(pattern(2000, 1300));
          await file.sync();
        }
        return classify(dataOf(storage.afterCrash(), 'd/a')!);
      });
      expect([...counts.keys()]).toEqual(['all there']);
    }
  });

  test('of what came while a sync was under way, not of what came before', async () => {
    const counts = await tally(500, async (seed) => {
      const storage = faultyStorage({ seed, base: START });
      const file = await storage.open('d/a', 'append');
      file.append(pattern(700, 100));
      const sync = file.sync();
      file.append(pattern(800, 100));
      await sync;
      const data = dataOf(storage.afterCrash(), 'd/a')!;
      expect(data.length).toBeGreaterThanOrEqual(800);
      expect(isPattern(data.subarray(0, 800), 0)).toBe(true);
      return data.length === 900 && data[899] !== 0 ? 'there' : 'lost';
    });
    expect([...counts.keys()].toSorted()).toEqual(['lost', 'there']);
  });

  test('of a truncation', async () => {
    const counts = await tally(200, async (seed) => {
      const storage = faultyStorage({ seed, base: START });
      const file = await storage.open('d/a', 'append');
      file.truncate(100);
      if (seed % 2 === 0) await file.sync();
      return `${seed % 2 === 0 ? 'synced' : 'not'} ${dataOf(storage.afterCrash(), 'd/a')!.length}`;
    });
    expect([...counts.keys()].toSorted()).toEqual(['not 100', 'not 700', 'synced 100']);
  });

  test('of names', async () => {
    const outcomes = (change: (storage: FaultyStorage) => Promise<unknown>): Promise<Map<string, number>> =>
      tally(400, async (seed) => {
        const storage = faultyStorage({ seed, base: START });
        await change(storage);
        return names(storage.afterCrash());
      });
    const seen = async (change: (storage: FaultyStorage) => Promise<unknown>): Promise<string[]> =>
      [...(await outcomes(change)).keys()].toSorted();
    const make = async (storage: FaultyStorage, path: string): Promise<void> => {
      const file = await storage.open(path, 'create');
      await file.appendDurably([pattern(0, 10)]);
      await file.close();
    };
    expect(await seen((storage) => make(storage, 'd/b'))).toEqual(['d/a', 'd/a d/b']);
    expect(await seen((storage) => storage.remove('d/a'))).toEqual(['', 'd/a']);
    expect(await seen((storage) => storage.rename('d/a', 'd/b'))).toEqual(['d/a', 'd/b']);
    const both = async (storage: FaultyStorage): Promise<void> => {
      await make(storage, 'd/b');
      await make(storage, 'd/c');
    };
    expect(await seen(both)).toEqual(['d/a', 'd/a d/b', 'd/a d/b d/c', 'd/a d/c']);
    const replaced = async (storage: FaultyStorage): Promise<void> => {
      await make(storage, 'd/b');
      await storage.rename('d/b', 'd/a');
    };
    expect(await seen(replaced)).toEqual(['d/a', 'd/a d/b']);
    // An old file may be back under the name of one that was renamed.
    const again = async (storage: FaultyStorage): Promise<void> => {
      await storage.remove('d/a');
      await make(storage, 'd/a');
      await storage.rename('d/a', 'd/b');
    };
    expect(await seen(again)).toEqual(['', 'd/a', 'd/a d/b', 'd/b']);
    const inFolder = async (storage: FaultyStorage): Promise<void> => {
      await storage.makeFolder('e');
      await make(storage, 'e/b');
      await storage.syncFolder('e');
    };
    expect(await seen(inFolder)).toEqual(['d/a', 'd/a e/b']);
    const wrongFolder = async (storage: FaultyStorage): Promise<void> => {
      await storage.remove('d/a');
      await storage.syncFolder('');
    };
    expect(await seen(wrongFolder)).toEqual(['', 'd/a']);
    const synced = async (storage: FaultyStorage): Promise<void> => {
      await inFolder(storage);
      await storage.syncFolder('');
      await storage.rename('d/a', 'd/c');
      await make(storage, 'd/a');
      await storage.remove('d/c');
      await storage.syncFolder('d');
    };
    expect(await seen(synced)).toEqual(['d/a e/b']);
  });

  test('a file whose name came before its data', async () => {
    const counts = await tally(400, async (seed) => {
      const storage = faultyStorage({ seed, base: START });
      const file = await storage.open('d/b', 'create');
      file.append(pattern(0, 100));
      await storage.rename('d/b', 'd/a');
      await storage.syncFolder('d');
      const data = dataOf(storage.afterCrash(), 'd/a')!;
      return data.length === 0 ? 'empty' : data.includes(0) ? 'zeroes' : `${data.length === 100}`;
    });
    expect([...counts.keys()].toSorted()).toEqual(['empty', 'false', 'true', 'zeroes']);
  });

  test('of what a failed sync has forgotten, though it can be read and the next sync succeeds', async () => {
    const counts = await tally(400, async (seed) => {
      const storage = faultyStorage({ seed, base: START });
      const file = await storage.open('d/a', 'append');
      const undo = storage.fail({ when: on('sync', 'd/a'), code: 'EIO' });
      file.append(pattern(700, 100));
      expect(await codeOf(() => file.sync())).toBe('EIO');
      undo();
      file.append(pattern(800, 100));
      await file.sync();
      const into = new Uint8Array(900);
      expect(file.read(0, into)).toBe(900);
      expect(isPattern(into, 0)).toBe(true);
      const data = dataOf(storage.afterCrash(), 'd/a')!;
      expect(data.length).toBe(900);
      expect(isPattern(data.subarray(800), 800)).toBe(true);
      return data.subarray(700, 800).includes(0) ? 'forgotten' : 'kept';
    });
    expect([...counts.keys()].toSorted()).toEqual(['forgotten', 'kept']);
  });

  test('truncating to the last good sync brings back firm ground', async () => {
    const counts = await tally(400, async (seed) => {
      const storage = faultyStorage({ seed, base: START });
      const file = await storage.open('d/a', 'append');
      const undo = storage.fail({ when: on('appendDurably'), code: seed % 2 ? 'EIO' : 'ENOSPC' });
      expect(await codeOf(() => file.appendDurably([new Uint8Array(500).fill(255)]))).toMatch(/^E/);
      const partly = file.size > 700 && file.size < 1200;
      undo();
      file.truncate(700);
      await file.appendDurably([pattern(700, 900)]);
      const data = dataOf(storage.afterCrash(), 'd/a')!;
      expect(data.length).toBe(1600);
      expect(isPattern(data, 0)).toBe(true);
      return partly ? 'partly' : 'wholly';
    });
    expect([...counts.keys()].toSorted()).toEqual(['partly', 'wholly']);
  });

  test('a killed process loses nothing the system took', async () => {
    const storage = faultyStorage({ seed: 1, base: START });
    const file = await storage.open('d/b', 'create');
    file.append(pattern(0, 100));
    await storage.rename('d/b', 'd/c');
    const killed = storage.afterKill();
    expect(names(killed)).toBe('d/a d/c');
    expect([...dataOf(killed, 'd/c')!]).toEqual([...pattern(0, 100)]);
    expect(names(START)).toBe('d/a');
  });
});

/** What is left of 700 synced bytes and two writes of 1300. */
function classify(data: Uint8Array): string {
  const isRight = (byte: number, index: number): boolean =>
    byte === pattern(index, 1)[0] || (index >= 700 && byte === 0);
  expect(data.length).toBeGreaterThanOrEqual(700);
  expect(data.every(isRight)).toBe(true);
  const survives = (from: number, to: number): boolean =>
    to <= data.length && !data.subarray(from, to).includes(0);
  const hole = data.indexOf(0);
  if (hole < 0) {
    if (data.length === 700) return 'all lost';
    if (data.length === 3300) return 'all there';
    if (data.length === 2000) return 'ends between the writes';
    return data.length % 512 === 0 ? 'torn at a sector' : 'torn at a byte';
  }
  if (data.subarray(700).every((byte) => byte === 0)) return 'longer by zeroes alone';
  return survives(2000, 3300) && data.subarray(700, 2000).every((byte) => byte === 0)
    ? 'second write without the first'
    : 'sectors missing';
}

describe('failures', () => {
  test('a rule fails the operations it names until it is taken back', async () => {
    const storage = faultyStorage({ seed: 1, failures: [{ when: on('remove', 'x'), code: 'EROFS' }] });
    expect(await codeOf(() => storage.remove('x'))).toBe('EROFS');
    expect(await codeOf(() => storage.remove('y'))).toBe('none');
    const seen: Operation[] = [];
    const undo = storage.fail({ when: (operation) => seen.push(operation) > 0, code: 'EIO' });
    const calls: [string, () => Promise<unknown>][] = [
      ['list', () => storage.list('')],
      ['makeFolder', () => storage.makeFolder('d')],
      ['open', () => storage.open('a', 'create')],
      ['rename', () => storage.rename('a', 'b')],
      ['syncFolder', () => storage.syncFolder('')],
      ['lock', () => storage.lock()],
    ];
    for (const [, call] of calls) expect(await codeOf(call)).toBe('EIO');
    expect(seen.map(({ operation }) => operation)).toEqual(calls.map(([name]) => name));
    expect(seen.map(({ count }) => count)).toEqual([3, 4, 5, 6, 7, 8]);
    undo();
    for (const [, call] of calls) expect(await codeOf(call)).toBe('none');
    await expect(storage.lock()).rejects.toBeInstanceOf(StorageLocked);
    expect(storage.operations).toBe(15);
    expect(storage.log()).toContain(`7 syncFolder '': EIO`);
  });

  test('those of an open file', async () => {
    const storage = faultyStorage({ seed: 1, base: START });
    const file = await storage.open('d/a', 'append');
    const undo = storage.fail({ when: () => true, code: 'EIO' });
    expect(await codeOf(() => file.append(pattern(0, 9)))).toBe('EIO');
    expect(await codeOf(() => file.read(0, new Uint8Array(9)))).toBe('EIO');
    expect(await codeOf(() => file.truncate(0))).toBe('EIO');
    expect(file.size).toBe(700);
    undo();
    await file.appendDurably([pattern(700, 9)]);
    storage.fail({ when: on('close'), code: 'EIO' });
    expect(await codeOf(() => file.close())).toBe('EIO');
    expect(await codeOf(() => file.sync())).toBe('EBADF');
  });

  test('a full disk takes a part, or says that it is full', async () => {
    const counts = await tally(300, async (seed) => {
      const storage = faultyStorage({ seed, failures: [{ when: on('append'), code: 'ENOSPC' }] });
      const file = await storage.open('a', 'create');
      try {
        const taken = file.append(pattern(0, 5));
        expect(file.size).toBe(taken);
        return `${taken}`;
      } catch (error) {
        expect([(error as StorageError).code, file.size]).toEqual(['ENOSPC', 0]);
        return 'full';
      }
    });
    expect([...counts.keys()].toSorted()).toEqual(['1', '2', '3', '4', 'full']);
  });

  test('of a failed durable append anything may be on disk', async () => {
    const counts = await tally(300, async (seed) => {
      const storage = faultyStorage({ seed, failures: [{ when: on('appendDurably'), code: 'EIO' }] });
      const file = await storage.open('a', 'create');
      await storage.syncFolder('');
      expect(await codeOf(() => file.appendDurably([pattern(0, 100), pattern(100, 100)]))).toBe('EIO');
      const data = dataOf(storage.afterCrash(), 'a')!;
      return data.length === 0 ? 'nothing' : data.includes(0) ? 'gaps' : data.length === 200 ? 'all' : 'part';
    });
    expect([...counts.keys()].toSorted()).toEqual(['all', 'gaps', 'nothing', 'part']);
  });
});

describe('the power goes', () => {
  test('at the operation that was named: before, in the middle of or after its work, for ever', async () => {
    const counts = await tally(300, async (seed) => {
      const storage = faultyStorage({ seed, crashAt: 2 });
      const file = await storage.open('a', 'create');
      expect(() => file.append(pattern(0, 100))).toThrow(Crashed);
      const calls = [
        () => file.append(pattern(0, 1)),
        () => file.appendDurably([]),
        () => file.read(0, new Uint8Array(1)),
        () => file.sync(),
        () => file.truncate(0),
        () => file.close(),
        () => storage.list(''),
        () => storage.open('a', 'read'),
        () => storage.lock(),
      ];
      for (const call of calls) expect(await codeOf(call)).toBe('Crashed');
      expect(storage.operations).toBe(2);
      const seen = storage.afterKill().contents().files.get('a')!.length;
      return seen === 0 ? 'before' : seen === 100 ? 'after' : 'middle';
    });
    expect([...counts.keys()].toSorted()).toEqual(['after', 'before', 'middle']);
  });

  test('and what is under way happens or not', async () => {
    const counts = await tally(300, async (seed) => {
      const storage = faultyStorage({ seed, base: START, crashAt: 4 });
      const file = await storage.open('d/a', 'append');
      file.append(pattern(700, 100));
      const sync = codeOf(() => file.sync());
      const rename = codeOf(() => storage.rename('d/a', 'd/b'));
      expect(await rename).toBe('Crashed');
      const outcome = await sync;
      const disk = storage.afterCrash();
      const data = dataOf(disk, 'd/a') ?? dataOf(disk, 'd/b')!;
      if (outcome === 'none') expect(data.length).toBe(800);
      return `${outcome}, ${names(disk)}, ${data.length}`;
    });
    expect(counts.size).toBeGreaterThan(3);
    expect([...counts.keys()].some((outcome) => outcome.startsWith('none'))).toBe(false);
  });

  test('other seeds show other disks of the same crash, the same seed the same one', async () => {
    const storage = faultyStorage({ seed: 7, base: START });
    const file = await storage.open('d/a', 'append');
    file.append(pattern(700, 5000));
    const disk = (seed?: number): string => dataOf(storage.afterCrash(seed), 'd/a')!.join();
    const disks = new Set(Array.from({ length: 50 }, (_, seed) => disk(seed)));
    expect(disks.size).toBeGreaterThan(10);
    expect([disk(3), disk()]).toEqual([disk(3), disk(7)]);
  });
});

test('the same seed does the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 60 }), async (seed, crashAt) => {
      const run = async (): Promise<unknown> => {
        const storage = faultyStorage({ seed, crashAt });
        await work(storage, seed, { log: null, written: 0, version: 0, begun: 0 }).catch(() => {});
        return [storage.log(), storage.afterCrash().contents()];
      };
      expect(await run()).toEqual(await run());
    }),
    { numRuns: 60 },
  );
});

test('background operations overlap and end in any order', async () => {
  const orders = await tally(200, async (seed) => {
    const storage = faultyStorage({ seed });
    const file = await storage.open('a', 'create');
    let order = '';
    const ended = (letter: string) => (): void => {
      order += letter;
    };
    await Promise.all([
      file.sync().then(ended('a')),
      file.appendDurably([pattern(0, 1)]).then(ended('b')),
      storage.list('').then(ended('c')),
    ]);
    return order;
  });
  expect([...orders.keys()].toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
});

test('what is kept for a crash and for the log is bounded', async () => {
  const storage = faultyStorage({ seed: 1 });
  const file = await storage.open('a', 'create');
  await storage.syncFolder('');
  for (let each = 0; each < 10_000; each++) file.append(pattern(each, 1));
  expect(storage.log().length).toBeLessThanOrEqual(200);
  expect(dataOf(storage.afterCrash(), 'a')!.length).toBeGreaterThan(7000);
});
