// What check-aof says of sound, cut and damaged logs, ours and those of redis-server, and what it cuts off.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BASE,
  bytesOf,
  encodeCommand,
  engineFor,
  FOLDER,
  foreignLog,
  INCREMENT,
  MANIFEST,
  type MadeLog,
  mixedLog,
  readBack,
  withFile,
} from '../../../test/support/logs.ts';
import { persist } from '../../engine/persistent.ts';
import { type MemoryStorage, memoryStorage } from '../../storage/memory.ts';
import { encodeBatch } from './batch.ts';
import { checkAof, cutOff } from './check.ts';
import { NO_SUM } from './format.ts';

let log: MadeLog;
beforeAll(async () => {
  log = await mixedLog();
});

async function changedAt(storage: MemoryStorage, path: string, at: number): Promise<MemoryStorage> {
  const bytes = (await bytesOf(storage, path)).slice();
  bytes[at] ^= 1;
  return withFile(storage, path, bytes);
}

/** A second increment behind the first, which the manifest names. */
async function followed(storage: MemoryStorage, content: Uint8Array): Promise<MemoryStorage> {
  const manifest = Buffer.from(await bytesOf(storage, MANIFEST)).toString();
  const more = `${manifest}file appendonly.aof.2.incr.aof seq 2 type i\n`;
  return withFile(
    withFile(storage, MANIFEST, Buffer.from(more)),
    `${FOLDER}/appendonly.aof.2.incr.aof`,
    content,
  );
}

describe('checkAof', () => {
  it('looks at all files of a manifest, however they are named', async () => {
    const { length: size } = await bytesOf(log.closed, INCREMENT);
    const full = await readBack(log.closed.copy());
    for (const path of ['', FOLDER, MANIFEST]) {
      const report = await checkAof(log.closed, path);
      expect(report).toMatchObject({ valid: true, manifest: MANIFEST, problem: '', remedy: '', fix: null });
      expect(report.files).toMatchObject([
        { path: BASE, role: 'base', format: 'rdb', state: 'valid', keys: 0 },
        {
          path: INCREMENT,
          role: 'increment',
          format: 'commands',
          state: 'valid',
          size,
          good: size,
          checked: size,
          batches: log.states.length,
          units: full.recovery.units,
          commands: full.recovery.commands,
          time: 1_700_000_000,
        },
      ]);
    }
  });

  it('finds the end of the last whole unit wherever a file ends', async () => {
    const bytes = await bytesOf(log.closed, INCREMENT);
    for (let length = 0; length < bytes.length; length += 7) {
      const storage = withFile(log.closed, INCREMENT, bytes.slice(0, length));
      const good = log.states.findLast(({ end }) => end <= length)?.end ?? 0;
      const report = await checkAof(storage, '');
      expect(report.files[1]).toMatchObject({ good, size: length, state: good === length ? 'valid' : 'cut' });
      if (good === length) continue;
      expect(report.fix).toEqual({ path: INCREMENT, size: length, at: good, bytes: length - good });
      await cutOff(storage, report.fix!);
      expect((await checkAof(storage, '')).valid).toBe(true);
      expect((await readBack(storage)).recovery.cut).toBeNull();
    }
  });

  it('knows damage from an interrupted write', async () => {
    const end = log.states[4].end;
    const storage = await changedAt(log.closed, INCREMENT, end + 90);
    const report = await checkAof(storage, '');
    expect(report.valid).toBe(false);
    expect(report.files[1]).toMatchObject({
      state: 'damaged',
      good: end,
      offset: end,
      why: 'wrong checksum of batch 6',
    });
    expect(report.remedy).toMatch(/backup or a replica.*--fix: it cuts \d+ bytes off/);
    await cutOff(storage, report.fix!);
    expect((await readBack(storage)).recovery.cut).toBeNull();
    // Somebody wrote in between.
    await expect(cutOff(storage, report.fix!)).rejects.toThrow('EBUSY');
  });

  it('cuts no file that others go on from', async () => {
    const bytes = await bytesOf(log.killed, INCREMENT);
    const short = withFile(log.killed, INCREMENT, bytes.slice(0, -1));
    const storage = await followed(short, bytes);
    for (const path of ['', INCREMENT]) {
      const report = await checkAof(storage, path);
      expect(report).toMatchObject({ valid: false, fix: null });
      expect(report.remedy).toContain('It is not the last file');
    }
    const begun = await followed(short, encodeBatch(1, 0, 1, NO_SUM, '').bytes);
    expect((await checkAof(begun, '')).fix).toMatchObject({ path: INCREMENT, size: bytes.length - 1 });
  });

  it('tells of a missing file, a damaged base and a manifest that is none', async () => {
    const { folders, files } = log.closed.contents();
    const lost = memoryStorage({ folders, files: new Map([...files].filter(([path]) => path !== BASE)) });
    const report = await checkAof(lost, '');
    expect(report).toMatchObject({ valid: false, fix: null });
    expect(report.files.map(({ state }) => state)).toEqual(['missing', 'valid']);
    const base = await checkAof(await changedAt(log.closed, BASE, 30), '');
    expect(base).toMatchObject({ valid: false, fix: null });
    expect(base.files[0]).toMatchObject({
      state: 'damaged',
      why: expect.stringContaining('in the RDB part'),
    });
    const manifest = await checkAof(withFile(log.closed, MANIFEST, Buffer.from('file x seq 1\n')), '');
    expect(manifest).toMatchObject({ valid: false, problem: expect.stringContaining('line 1'), fix: null });
    await expect(checkAof(log.closed, 'elsewhere')).rejects.toThrow(
      'no append-only file in (memory)/elsewhere',
    );
    await expect(checkAof(memoryStorage(), '')).rejects.toThrow('no append-only file in (memory)');
  });

  it('reads files of redis-server: single ones, with an RDB part, with open transactions', async () => {
    const text = [['SELECT', '0'], ['SET', 'a', '1'], ['MULTI'], ['SET', 'b', '2']]
      .map(encodeCommand)
      .join('');
    const good = [
      ['SELECT', '0'],
      ['SET', 'a', '1'],
    ]
      .map(encodeCommand)
      .join('').length;
    const files = (content: Uint8Array): MemoryStorage =>
      memoryStorage({ folders: [], files: new Map([['appendonly.aof', content]]) });
    const plain = await checkAof(files(Buffer.from(text)), '');
    expect(plain.files).toMatchObject([
      {
        role: 'log',
        state: 'cut',
        good,
        offset: good,
        why: 'the end of the file before EXEC',
        units: 2,
        batches: 0,
        checked: 0,
      },
    ]);
    const { engine, send } = engineFor();
    send('SET', 'k', 'v');
    const storage = memoryStorage();
    await (await persist(engine, storage)).close();
    const rdb = await bytesOf(storage, BASE);
    const both = await checkAof(files(Buffer.concat([rdb, Buffer.from(text)])), 'appendonly.aof');
    expect(both.files[0]).toMatchObject({
      format: 'rdb and commands',
      keys: 1,
      state: 'cut',
      good: rdb.length + good,
    });
    const odd = await checkAof(files(Buffer.from(text.replace('$1', '%1'))), '');
    expect(odd.files[0]).toMatchObject({ state: 'damaged', good: 0 });
    expect((await checkAof(files(new Uint8Array(0)), '')).valid).toBe(true);
  });
});

describe('going back to a point in time', () => {
  /** One batch for each of these seconds. */
  function timed(...seconds: number[]): { bytes: Uint8Array; ends: number[] } {
    let [sum, end] = [NO_SUM, 0];
    const ends: number[] = [];
    const pieces = seconds.map((second, i) => {
      const batch = encodeBatch(i + 1, i, second, sum, encodeCommand(['SET', `k${i}`, 'v']));
      sum = batch.sum;
      ends.push((end += batch.bytes.length));
      return batch.bytes;
    });
    return { bytes: Buffer.concat(pieces), ends };
  }

  it('cuts behind the last unit of that time', async () => {
    const { bytes, ends } = timed(100, 100, 200, 300);
    const storage = withFile(foreignLog([]), INCREMENT, bytes);
    const cutAt = async (time: number) => (await checkAof(storage, '', time)).until;
    expect((await cutAt(250))?.cut).toEqual({
      path: INCREMENT,
      size: bytes.length,
      at: ends[2],
      bytes: bytes.length - ends[2],
    });
    expect((await cutAt(100))?.cut?.at).toBe(ends[1]);
    expect(await cutAt(300)).toEqual({ cut: null, refusal: '' });
    expect(await cutAt(99)).toEqual({ cut: null, refusal: `${INCREMENT} holds nothing up to that time` });
    await cutOff(storage, (await cutAt(200))!.cut!);
    expect((await readBack(storage)).read).toHaveLength(3);
  });

  it('refuses where the time lies in an earlier file or cannot be told', async () => {
    const first = withFile(foreignLog([]), INCREMENT, timed(100, 200).bytes);
    const { bytes } = timed(300, 400);
    const storage = await followed(first, bytes);
    expect((await checkAof(storage, '', 150)).until).toEqual({
      cut: null,
      refusal: `that time lies before the end of ${INCREMENT}, and only the last file can be cut`,
    });
    // All of the last file is later: what the one before ends with.
    expect((await checkAof(storage, '', 250)).until?.cut).toMatchObject({ at: 0, bytes: bytes.length });
    expect((await checkAof(storage, INCREMENT, 150)).until?.refusal).toContain('is not the last file');
    const timeless = foreignLog([['SET', 'a', '1']]);
    expect((await checkAof(timeless, '', 150)).until?.refusal).toContain('does not say when');
    const damaged = withFile(foreignLog([]), INCREMENT, bytes.slice(0, -3));
    expect((await checkAof(damaged, '', 350)).until?.refusal).toContain('--fix first');
  });

  it('reads the times of redis-server', async () => {
    const storage = foreignLog([['#TS:100'], ['SET', 'a', '1'], ['#TS:200'], ['SET', 'b', '1']]);
    const { until } = await checkAof(storage, '', 150);
    expect(until?.cut?.at).toBe('#TS:100\r\n'.length + encodeCommand(['SET', 'a', '1']).length);
  });
});
