// Logs that end anywhere, hold changed bits or garbage: recovery gives back a prefix of the units or refuses, and a
// recovered database goes on as if nothing had been.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BASE,
  bytesOf,
  encodeCommand,
  engineFor,
  FOLDER,
  foreignLog,
  holdingsOf,
  INCREMENT,
  MANIFEST,
  type MadeLog,
  mixedLog,
  readBack,
  withFile,
} from '../../../test/support/logs.ts';
import { persist } from '../../engine/persistent.ts';
import { type MemoryStorage, memoryStorage } from '../../storage/memory.ts';
import type { OpenMode, Storage } from '../../storage/port.ts';
import { RecoveryError } from '../recovery.ts';
import { encodeBatch } from './batch.ts';
import { sourceOfFile } from './files.ts';
import { NO_SUM } from './format.ts';
import { AofReader } from './reader.ts';

let log: MadeLog;
beforeAll(async () => {
  log = await mixedLog();
});

/** Opens a directory with an engine: what it holds, then with another write, then once more after a kill. */
async function reopen(storage: MemoryStorage): Promise<{ holds: unknown; cut: number }> {
  const first = engineFor();
  const disk = await persist(first.engine, storage);
  const holds = holdingsOf(first.engine);
  first.send('SELECT', '7');
  first.send('MULTI');
  first.send('SET', 'after', 'v');
  first.send('INCR', 'counter');
  first.send('EXEC');
  await disk.flushed();
  const second = engineFor();
  const again = await persist(second.engine, storage.copy());
  expect(holdingsOf(second.engine)).toEqual(holdingsOf(first.engine));
  expect(again.recovery.cut).toBeNull();
  expect(second.engine.space.dbs[7].size).toBe(2);
  await again.close();
  await disk.close();
  return { holds, cut: disk.recovery.cut?.bytes ?? 0 };
}

async function refusal(storage: MemoryStorage, truncate = true): Promise<string> {
  const before = storage.contents().files;
  const error = await readBack(storage, truncate).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RecoveryError);
  expect(storage.contents().files).toEqual(before);
  return (error as Error).message;
}

describe('a log that ends anywhere', () => {
  it('is good up to the last whole batch, and goes on from there', async () => {
    const bytes = await bytesOf(log.closed, INCREMENT);
    const { states } = log;
    expect(states.length).toBeGreaterThan(10);
    expect(bytes.length).toBeGreaterThan(states.at(-1)!.end);
    for (let length = 0; length <= bytes.length; length++) {
      const { holds, cut } = await reopen(withFile(log.closed, INCREMENT, bytes.slice(0, length)));
      const state = states.findLast(({ end }) => end <= length) ?? states[0];
      const good = length === bytes.length ? length : state.end > length ? 0 : state.end;
      expect({ length, cut }).toEqual({ length, cut: length - good });
      expect(holds, `cut at ${length}`).toEqual(state.holds);
    }
  });

  it('may be of redis-server too', async () => {
    const commands = [
      ['SELECT', '0'],
      ['#TS:1700000000'],
      ['SET', 'a', '1'],
      ['MULTI'],
      ['INCR', 'a'],
      ['# any remark'],
      ['SET', 'b', 'odd \r\n*1\r\n\xff'],
      ['EXEC'],
      ['#TS:1700000001'],
      ['SELECT', '2'],
      ['RPUSH', 'l', 'x', 'y'],
      ['DEL', 'nothing'],
    ];
    const whole = foreignLog(commands);
    const bytes = await bytesOf(whole, INCREMENT);
    // Behind each unit: where it ends, and what an engine that ran all of them up to there holds.
    const ends: { end: number; holds: unknown }[] = [];
    const model = engineFor();
    ends.push({ end: 0, holds: holdingsOf(model.engine) });
    let end = 0;
    let isOpen = false;
    for (const args of commands) {
      end += args[0].startsWith('#') ? args[0].length + 2 : encodeCommand(args).length;
      isOpen = args[0] === 'MULTI' || (isOpen && args[0] !== 'EXEC');
      if (!args[0].startsWith('#')) model.send(...args);
      if (!isOpen) ends.push({ end, holds: holdingsOf(model.engine) });
    }
    expect(end).toBe(bytes.length);
    for (let length = 0; length <= bytes.length; length++) {
      const { holds, cut } = await reopen(withFile(whole, INCREMENT, bytes.slice(0, length)));
      const state = ends.findLast((each) => each.end <= length)!;
      expect({ length, cut }).toEqual({ length, cut: length - state.end });
      expect(holds, `cut at ${length}`).toEqual(state.holds);
    }
  });

  it('is refused under aof-load-truncated no, and left as it is', async () => {
    const bytes = await bytesOf(log.killed, INCREMENT);
    const cut = withFile(log.killed, INCREMENT, bytes.slice(0, -1));
    expect(await refusal(cut, false)).toMatch(/interrupted write of \d+ bytes\. aof-load-truncated is no/);
  });

  it('is refused where it is not the last file and others go on from it', async () => {
    const bytes = await bytesOf(log.killed, INCREMENT);
    const second = `${FOLDER}/appendonly.aof.2.incr.aof`;
    const { folders, files } = withFile(log.killed, INCREMENT, bytes.slice(0, -1)).contents();
    const both = [
      ...files,
      [
        MANIFEST,
        Buffer.from(`${Buffer.from(files.get(MANIFEST)!)}file ${second.split('/')[1]} seq 2 type i\n`),
      ] as const,
    ];
    const directory = (second_: Uint8Array): MemoryStorage =>
      memoryStorage({ folders, files: new Map([...both, [second, second_]]) });
    expect(await refusal(directory(bytes))).toContain('it is not the last file');
    // The log had just turned to it when the power went: nothing follows.
    const begun = encodeBatch(1, 0, 1, NO_SUM, '').bytes;
    for (const empty of [new Uint8Array(0), begun]) {
      const { holds, cut } = await reopen(directory(empty));
      expect(cut).toBeGreaterThan(0);
      expect(holds).toEqual(log.states.at(-2)!.holds);
    }
  });

  it.each([
    ['zeros', new Uint8Array(5000)],
    ['garbage', Buffer.from('garbage\r\n*2\r\n$3\r\nSET')],
    ['half a command', Buffer.from('*2\r\n$3\r\nSE')],
    [
      'a header without its batch',
      Buffer.from('#HF1 14 100 13 1700000000 0123456789abcdef 0123456789abcdef\r\n'),
    ],
    ['something like a header', Buffer.from('#HF1 nonsense\r\n')],
    ['an old piece of the file', 'old'],
  ])('%s behind its end are cut off', async (_, behind) => {
    for (const storage of [log.killed, log.closed]) {
      const bytes = await bytesOf(storage, INCREMENT);
      const garbage = behind === 'old' ? bytes.slice(300, 700) : (behind as Uint8Array);
      const { holds, cut } = await reopen(withFile(storage, INCREMENT, Buffer.concat([bytes, garbage])));
      expect(cut).toBe(garbage.length);
      expect(holds).toEqual(log.states.at(-1)!.holds);
    }
  });
});

it('what a killed process left unsynced is synced before the log goes on', async () => {
  const storage = log.killed.copy();
  const done: string[] = [];
  const watched: Storage = Object.assign(Object.create(storage), {
    name: 'watched',
    list: storage.list.bind(storage),
    makeFolder: storage.makeFolder.bind(storage),
    syncFolder: storage.syncFolder.bind(storage),
    lock: storage.lock.bind(storage),
    open: async (path: string, mode: OpenMode) => {
      const file = await storage.open(path, mode);
      const sync = file.sync.bind(file);
      const append = file.append.bind(file);
      file.sync = () => {
        done.push(`sync ${path}`);
        return sync();
      };
      file.append = (data) => {
        done.push(`append ${path}`);
        return append(data);
      };
      return file;
    },
  });
  const { engine, send } = engineFor();
  const disk = await persist(engine, watched);
  send('SET', 'more', 'v');
  await disk.flushed();
  await disk.close();
  expect(done.slice(0, 2)).toEqual([`sync ${INCREMENT}`, `append ${INCREMENT}`]);
});

describe('a log with a changed bit', () => {
  it.each(['killed', 'closed'] as const)('never loads anything else (%s)', async (how) => {
    const storage = log[how];
    const bytes = await bytesOf(storage, INCREMENT);
    const full = await readBack(storage.copy());
    const lastBatch = how === 'closed' ? log.states.at(-1)!.end : log.states.at(-2)!.end;
    let refused = 0;
    let cuts = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const copy = withFile(storage, INCREMENT, changed);
      try {
        const { read, recovery } = await readBack(copy);
        if (recovery.cut === null) throw new Error(`bit ${bit} passes unseen`);
        // Only what no later batch vouches for may go as an interrupted write.
        if (bit >> 3 < lastBatch) throw new Error(`bit ${bit} of a batch that was on disk is cut off`);
        if (read.length > full.read.length || read.some((each, i) => each !== full.read[i])) {
          throw new Error(`bit ${bit} loads other data`);
        }
        expect(recovery.cut.at).toBe(lastBatch);
        cuts++;
      } catch (error) {
        if (!(error instanceof RecoveryError)) throw error;
        refused++;
      }
    }
    expect([refused, cuts]).toEqual([lastBatch * 8, (bytes.length - lastBatch) * 8]);
  });

  it('never loads anything else (closed and gone on with)', async () => {
    const storage = log.closed.copy();
    const { engine, send } = engineFor();
    const disk = await persist(engine, storage);
    const { length: before } = await bytesOf(storage, INCREMENT);
    send('SET', 'more', 'v');
    await disk.flushed();
    const bytes = await bytesOf(storage, INCREMENT);
    const killed = storage.copy();
    await disk.close();
    for (let bit = 0; bit < before * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const isRefused = await readBack(withFile(killed, INCREMENT, changed)).then(
        () => false,
        (error: unknown) => error instanceof RecoveryError,
      );
      if (!isRefused) throw new Error(`bit ${bit} passes, though it was on disk`);
    }
  });

  it('is seen wherever the pieces end that a file is read in', () => {
    const batches: Uint8Array[] = [];
    let sum = NO_SUM;
    // The third is a clean end, which only the fourth vouches for.
    for (const [i, text] of [
      '',
      encodeCommand(['SET', 'a', '1']),
      '',
      encodeCommand(['SET', 'b', '2']),
    ].entries()) {
      const batch = encodeBatch(i + 1, i, 1, sum, text);
      sum = batch.sum;
      batches.push(batch.bytes);
    }
    const length = Buffer.from(batches[2]).indexOf('3 0 2') + 2;
    batches[2][length] ^= 1;
    const whole = Buffer.concat(batches);
    for (let cut = 1; cut < whole.length; cut++) {
      const pieces = [whole.subarray(0, cut), whole.subarray(cut)];
      const reader = new AofReader({ next: () => pieces.shift() ?? null });
      let units = 0;
      while (reader.next() !== null) units++;
      expect([cut, units, reader.end().state]).toEqual([cut, 1, 'damaged']);
    }
  });

  it('in the base refuses', async () => {
    const { engine, send } = engineFor();
    const storage = memoryStorage();
    for (let i = 0; i < 5; i++) send('SET', `key:${i}`, 'value');
    const disk = await persist(engine, storage);
    await disk.close();
    const bytes = await bytesOf(storage, BASE);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      await refusal(withFile(storage, BASE, changed));
    }
  });

  it('is cut off where nothing says that it was on disk', async () => {
    const { closed, killed, states } = await mixedLog('everysec');
    const bytes = await bytesOf(killed, INCREMENT);
    const changed = bytes.slice();
    changed[states[3].end + 100] ^= 1;
    const { holds } = await reopen(withFile(killed, INCREMENT, changed));
    expect(holds).toEqual(states[3].holds);
    // The clean end says so.
    const whole = (await bytesOf(closed, INCREMENT)).slice();
    whole[states[3].end + 100] ^= 1;
    expect(await refusal(withFile(closed, INCREMENT, whole))).toContain('wrong checksum');
  });

  it('is refused however far the batch is that says it was on disk', async () => {
    let [sum, text] = [NO_SUM, Buffer.alloc(0)];
    const pieces: Uint8Array[] = [];
    for (let i = 1; i <= 5000; i++) {
      const batch = encodeBatch(
        i,
        i === 5000 ? 4000 : 0,
        1,
        sum,
        i === 1 ? '' : encodeCommand(['SET', `k${i}`, '#HF1 ']),
      );
      pieces.push(batch.bytes);
      sum = batch.sum;
    }
    text = Buffer.concat(pieces);
    const at = text.indexOf('k9\r\n');
    text[at] ^= 1;
    expect(await refusal(withFile(log.killed, INCREMENT, text))).toContain('wrong checksum of batch 9');
  });

  it.each([
    ['the first header is gone', (bytes: Uint8Array) => bytes.slice(60)],
    ['a batch is missing', (bytes: Uint8Array) => without(bytes, log.states[2].end, log.states[3].end)],
    ['a batch stands twice', (bytes: Uint8Array) => twice(bytes, log.states[2].end, log.states[3].end)],
    ['a page of zeros', (bytes: Uint8Array) => bytes.slice().fill(0, 200, 400)],
  ])('%s: refused', async (_, change) => {
    const bytes = await bytesOf(log.closed, INCREMENT);
    await refusal(withFile(log.closed, INCREMENT, change(bytes)));
  });
});

const without = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  Buffer.concat([bytes.slice(0, from), bytes.slice(to)]);
const twice = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  Buffer.concat([bytes.slice(0, to), bytes.slice(from)]);

describe('logs of two writers', () => {
  it('redis-server may have gone on in our file, with times or without', async () => {
    const ours = await bytesOf(log.closed, INCREMENT);
    for (const time of ['', '#TS:1700000009\r\n']) {
      const theirs = Buffer.from(
        `${time}${encodeCommand(['SELECT', '4'])}${encodeCommand(['SET', 'theirs', 'v'])}`,
      );
      const storage = withFile(log.closed, INCREMENT, Buffer.concat([ours, theirs]));
      const { engine } = engineFor();
      const disk = await persist(engine, storage);
      expect(disk.recovery.cut).toBeNull();
      expect(engine.space.dbs[4].size).toBe(1);
      await disk.close();
    }
  });

  it('redis-server may have gone on behind an interrupted batch, which is refused', async () => {
    const [first, batch] = [encodeBatch(1, 0, 1, NO_SUM, ''), ['SET', 'a', '1']];
    const text = encodeCommand(batch) + encodeCommand(['SET', 'b', '2']);
    const second = encodeBatch(2, 1, 1, first.sum, text);
    const whole = Buffer.concat([first.bytes, second.bytes]);
    // It keeps what is whole and begins with a SELECT.
    const kept = whole.subarray(0, whole.length - encodeCommand(['SET', 'b', '2']).length);
    const select = Buffer.from(encodeCommand(['SELECT', '0']));
    for (const value of ['', 'long enough to fill what the batch says that it has']) {
      for (const time of ['', '#TS:1\r\n']) {
        const theirs = Buffer.from(encodeCommand(['SET', 'c', value]));
        const bytes = Buffer.concat([kept, Buffer.from(time), select, theirs]);
        expect(await refusal(withFile(log.closed, INCREMENT, bytes))).toContain('let it BGREWRITEAOF');
      }
    }
    expect((await readBack(withFile(log.closed, INCREMENT, kept))).recovery.cut).not.toBeNull();
  });

  it('a database that is not there is no other one', async () => {
    const storage = foreignLog([
      ['SELECT', '20'],
      ['SET', 'k', 'v'],
    ]);
    await expect(persist(engineFor().engine, storage)).rejects.toThrow(
      'SELECT 20: ERR DB index is out of range',
    );
    await expect(persist(engineFor().engine, foreignLog([['XADD', 's', '*', 'f', 'v']]))).rejects.toThrow(
      "a command before byte 42 cannot be run: unknown command 'XADD'",
    );
  });

  it('a single file of Redis 6 and older is the log where there is no manifest', async () => {
    const text = Buffer.from(encodeCommand(['SELECT', '1']) + encodeCommand(['SET', 'old', 'v']));
    const storage = memoryStorage({ folders: [], files: new Map([['appendonly.aof', text]]) });
    const { holds } = await reopen(storage);
    expect(JSON.stringify(holds)).toContain('old');
    expect(await storage.list(FOLDER)).toContain('appendonly.aof.1.base.rdb');
    expect(await bytesOf(storage, 'appendonly.aof')).toEqual(new Uint8Array(text));
  });
});

describe('random units', () => {
  const command = fc
    .array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 3 })
    .map((rest) => ['SET', ...rest.map((each) => Buffer.from(each, 'utf8').toString('latin1'))]);
  const unit = fc.array(command, { minLength: 1, maxLength: 3 });
  const batches = fc.array(fc.array(unit, { maxLength: 3 }), { minLength: 1, maxLength: 5 });

  it('come back in order; cut anywhere, a prefix of the batches does', async () => {
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        async (given, share, changes) => {
          const pieces: Uint8Array[] = [];
          const ends: { end: number; units: number }[] = [{ end: 0, units: 0 }];
          let [sum, end, units] = [NO_SUM, 0, 0];
          for (const [i, batch] of given.entries()) {
            const text = batch.map((each) => {
              const commands = each.map((args) => encodeCommand(args)).join('');
              return each.length === 1
                ? commands
                : encodeCommand(['MULTI']) + commands + encodeCommand(['EXEC']);
            });
            const encoded = encodeBatch(i + 1, i, 5, sum, text.join(''));
            sum = encoded.sum;
            pieces.push(encoded.bytes);
            units += batch.length;
            ends.push({ end: (end += encoded.bytes.length), units });
          }
          let bytes = Buffer.concat(pieces);
          const place = Math.min(bytes.length - 1, Math.floor(share * bytes.length));
          if (changes) bytes[place] ^= 0x10;
          else bytes = bytes.subarray(0, place);
          const storage = memoryStorage({ folders: [], files: new Map([['f', bytes]]) });
          const reader = new AofReader(sourceOfFile(await storage.open('f', 'read')));
          const found: (readonly (readonly string[])[])[] = [];
          for (let each = reader.next(); each !== null; each = reader.next()) found.push(each.commands);
          const good = ends.findLast((each) => each.end <= place)!;
          expect(found).toEqual(given.flat().slice(0, good.units));
          expect(reader.end().good).toBe(good.end);
          const { state } = reader.end();
          if (changes) expect(state).not.toBe('whole');
          else expect(state).toBe(good.end === place ? 'whole' : 'cut');
        },
      ),
      { numRuns: 300 },
    );
  });
});
