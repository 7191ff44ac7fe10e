// The log against its reader: what was added comes back in order, unit by unit, also around a turn to another file and
// after a failed sync.
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../../storage/memory.ts';
import { type Storage, StorageError, type StorageFile } from '../../storage/port.ts';
import { sourceOfFile } from './files.ts';
import { AppendLog, beginFile, type FsyncPolicy } from './log.ts';
import { type AofEnd, AofReader } from './reader.ts';

const NOW = 1_700_000_000_123;

function hostOf(policy: FsyncPolicy, reported: (StorageError | null)[] = []) {
  return {
    policy: () => policy,
    elapsed: () => performance.now(),
    now: () => NOW,
    soon: (action: () => void) => void setImmediate(action),
    settled: () => {},
    report: (problem: StorageError | null) => void reported.push(problem),
  };
}

/** A handle whose durable writes fail once `broken` says so. */
function breakable(file: StorageFile, broken: () => boolean): StorageFile {
  return {
    get size() {
      return file.size;
    },
    read: (at, into) => file.read(at, into),
    append: (data) => file.append(data),
    appendDurably: (data) => file.appendDurably(data),
    sync: async () => {
      await null;
      if (broken()) throw new StorageError('EIO', 'sync', 'log/1');
      await file.sync();
    },
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  };
}

async function twoFiles(): Promise<{ storage: Storage; begun: Awaited<ReturnType<typeof beginFile>>[] }> {
  const storage = memoryStorage();
  await storage.makeFolder('log');
  return { storage, begun: [await beginFile(storage, 'log/1', NOW), await beginFile(storage, 'log/2', NOW)] };
}

async function read(storage: Storage, path: string): Promise<{ units: string[]; end: AofEnd }> {
  const file = await storage.open(path, 'read');
  const reader = new AofReader(sourceOfFile(file));
  const units: string[] = [];
  for (let unit = reader.next(); unit !== null; unit = reader.next()) {
    units.push(unit.commands.map((args) => args.join(' ')).join('; '));
  }
  await file.close();
  return { units, end: reader.end() };
}

const set = (key: string, db = 3) => ({ db, args: ['SET', key, 'v'] });

describe('the log and its reader', () => {
  it.each(['always', 'everysec', 'no'] as const)('what was added comes back (%s)', async (policy) => {
    const { storage, begun } = await twoFiles();
    const log = new AppendLog(hostOf(policy), begun[0].file, begun[0].position);
    log.add([set('a'), set('b')]);
    log.flush();
    log.add([{ db: 3, args: ['SET', 'odd \r\n$5\r\n', '#HF1 1 0 0 0\xff\0'] }]);
    log.add([set('c', 0)]);
    await log.flushed();
    await log.close();
    const { units, end } = await read(storage, 'log/1');
    expect(units).toEqual([
      'select 3; SET a v; SET b v',
      'SET odd \r\n$5\r\n #HF1 1 0 0 0\xff\0',
      'select 0',
      'SET c v',
    ]);
    // Under always what is added while the log gets ready joins the first batch.
    expect(end).toMatchObject({ state: 'whole', chain: { sequence: policy === 'always' ? 3 : 4 } });
  });

  it.each(['idle', 'while a batch is under way'])('turns to another file: %s', async (when) => {
    const { storage, begun } = await twoFiles();
    const log = new AppendLog(hostOf('always'), begun[0].file, begun[0].position);
    log.add([set('a')]);
    if (when === 'idle') await log.flushed();
    else {
      log.flush();
      log.add([set('b')]);
    }
    const turned = log.turnTo(begun[1].file, begun[1].position, () => {});
    // Behind the boundary: the base that is written now does not hold it.
    log.add([set('c')]);
    const batch = log.gathering;
    await turned;
    await log.flushed();
    expect(log.accepted).toBe(batch);
    await log.close();
    const before = await read(storage, 'log/1');
    expect(before.units.slice(1)).toEqual(when === 'idle' ? ['SET a v'] : ['SET a v', 'SET b v']);
    // A file is read from database 0 on.
    expect((await read(storage, 'log/2')).units).toEqual(['select 3', 'SET c v']);
  });

  it('a write that fails while the log is to turn ends the turn, and a rewrite brings everything back', async () => {
    const { storage, begun } = await twoFiles();
    const reported: (StorageError | null)[] = [];
    let broken = true;
    const file = breakable(begun[0].file, () => broken);
    const log = new AppendLog(hostOf('always', reported), file, begun[0].position);
    log.add([set('a')]);
    log.flush();
    log.add([set('b')]);
    await expect(log.turnTo(begun[1].file, begun[1].position, () => {})).rejects.toThrow('EIO');
    expect(log.poisoned).toBe(true);
    broken = false;
    // Nothing is written to a file whose end is unknown, and nothing waits for it for ever.
    log.add([set('c')]);
    log.flush();
    await expect(log.flushed()).rejects.toThrow('EIO');
    let boundaries = 0;
    await log.turnTo(begun[1].file, begun[1].position, () => boundaries++);
    log.mended();
    log.add([set('d')]);
    await log.flushed();
    await log.close();
    expect(boundaries).toBe(1);
    expect(reported.map((problem) => problem?.code)).toEqual(['EIO', undefined]);
    expect((await read(storage, 'log/2')).units).toEqual(['select 3', 'SET d v']);
  });
});
