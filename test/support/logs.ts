// Logs that tests of recovery damage and read again: made by a real engine, with what it held after each batch; and
// what a directory gives back. Used by the tests beside src/persistence/aof.
import { Engine } from '../../src/engine/engine.ts';
import { persist } from '../../src/engine/persistent.ts';
import { VirtualClock } from '../../src/engine/ports.ts';
import { DEFAULT_LIMITS } from '../../src/keyspace/values.ts';
import { type Recovery, recover } from '../../src/persistence/recovery.ts';
import type { Reply } from '../../src/resp/reply.ts';
import { ReplyError } from '../../src/resp/reply.ts';
import { type MemoryStorage, memoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/port.ts';
import { bareSession, contents } from './contents.ts';

/** A command as the wire and a log have it. */
export function encodeCommand(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

export const FOLDER = 'appendonlydir';
export const MANIFEST = `${FOLDER}/appendonly.aof.manifest`;
export const BASE = `${FOLDER}/appendonly.aof.1.base.rdb`;
export const INCREMENT = `${FOLDER}/appendonly.aof.1.incr.aof`;

const LIBRARY =
  '#!lua name=tools\nredis.register_function("two", function(keys) redis.call("SET", keys[1], "1") redis.call("INCR", keys[1]) end)';

/** Each is a batch: plain commands, transactions, scripts' effects, expiry, functions, several databases. */
const STEPS: readonly (readonly (readonly string[])[])[] = [
  [['SET', 'a', '1']],
  [
    ['RPUSH', 'list', 'x', 'y', ''],
    ['HSET', 'hash', 'field', 'odd \r\n$3\r\n*1\r\n\0\xff'],
  ],
  [
    ['MULTI'],
    ['INCR', 'a'],
    ['SELECT', '3'],
    ['SET', 'b', '#HF1 9 9 9'],
    ['ZADD', 'z', '1.5', 'm'],
    ['EXEC'],
  ],
  [['EVAL', "redis.call('SET', KEYS[1], 'one') redis.call('APPEND', KEYS[1], ' two')", '1', 'script']],
  [['FUNCTION', 'LOAD', LIBRARY]],
  [
    ['SELECT', '0'],
    ['FCALL', 'two', '1', 'called'],
  ],
  [
    ['SET', 'soon', 'v', 'PX', '40'],
    ['SET', 'later', 'v', 'PX', '100000000'],
  ],
  [['*', '50']],
  [['GET', 'soon']],
  [
    ['SETRANGE', 'string', '3', 'x'],
    ['SADD', 'set', '1', '2'],
  ],
  [['MULTI'], ['LPOP', 'list'], ['DEL', 'hash'], ['EXEC']],
  [
    ['SELECT', '15'],
    ['SET', 'last', 'v'],
  ],
];

export interface State {
  /** Size of the log's file when it held this. */
  readonly end: number;
  readonly holds: unknown;
}

export interface MadeLog {
  /** As it is when the process is killed, and when it ends as it should. */
  readonly killed: MemoryStorage;
  readonly closed: MemoryStorage;
  /** After each batch, beginning with the empty log. */
  readonly states: readonly State[];
}

export function engineFor(config: Readonly<Record<string, string>> = {}): {
  engine: Engine;
  clock: VirtualClock;
  send(...args: string[]): Reply;
} {
  const clock = new VirtualClock();
  const engine = new Engine({ clock, config: { appendonly: 'yes', appendfsync: 'always', ...config } });
  const session = bareSession(engine);
  return {
    engine,
    clock,
    send: (...args) => {
      const reply = engine.execute(session, args);
      if (reply instanceof ReplyError) throw new Error(`${args.join(' ')}: ${JSON.stringify(reply)}`);
      return reply;
    },
  };
}

export function holdingsOf(engine: Engine): unknown {
  return [contents(engine.space), [...engine.functions.libraries.all()].map(({ code }) => code)];
}

export async function mixedLog(policy: 'always' | 'everysec' = 'always'): Promise<MadeLog> {
  const storage = memoryStorage();
  const { engine, clock, send } = engineFor({ appendfsync: policy });
  const disk = await persist(engine, storage);
  const states: State[] = [];
  const note = async (): Promise<void> => {
    states.push({ end: (await bytesOf(storage, INCREMENT)).length, holds: holdingsOf(engine) });
  };
  await note();
  for (const step of STEPS) {
    for (const args of step) {
      if (args[0] === '*') clock.advance(Number(args[1]));
      else send(...args);
    }
    if (policy === 'always') await disk.flushed();
    else engine.effects.log?.flush();
    await note();
  }
  const killed = storage.copy();
  await disk.close();
  return { killed, closed: storage.copy(), states };
}

export async function bytesOf(storage: Storage, path: string): Promise<Uint8Array> {
  const file = await storage.open(path, 'read');
  const bytes = new Uint8Array(file.size);
  file.read(0, bytes);
  await file.close();
  return bytes;
}

/** A copy with another content of one file. */
export function withFile(storage: MemoryStorage, path: string, bytes: Uint8Array): MemoryStorage {
  const { folders, files } = storage.contents();
  return memoryStorage({ folders, files: new Map([...files, [path, bytes]]) });
}

/** Commands as redis-server writes them, in a file of their own with a manifest. */
export function foreignLog(commands: readonly (readonly string[])[]): MemoryStorage {
  const text = commands.map((args) =>
    args.length === 1 && args[0].startsWith('#') ? `${args[0]}\r\n` : encodeCommand(args),
  );
  return memoryStorage({
    folders: [FOLDER],
    files: new Map([
      [MANIFEST, Buffer.from('file appendonly.aof.1.incr.aof seq 1 type i\n')],
      [INCREMENT, Buffer.from(text.join(''), 'latin1')],
    ]),
  });
}

/** What recovery reads, without an engine: keys of the base, libraries and commands, in order. */
export async function readBack(
  storage: Storage,
  truncate = true,
): Promise<{ read: string[]; recovery: Recovery }> {
  const read: string[] = [];
  const recovery = await recover(
    storage,
    {
      visitor: {
        entry: (db, key) => void read.push(`${db} ${key}`),
        library: (code) => void read.push(code),
        aux: () => {},
      },
      limits: DEFAULT_LIMITS,
      replay: (args) => void read.push(JSON.stringify(args)),
      begin: () => {},
    },
    {
      folder: FOLDER,
      manifestName: 'appendonly.aof.manifest',
      useLog: true,
      rdbName: 'dump.rdb',
      truncate,
      progress: () => {},
      now: () => 0,
    },
  );
  await recovery.end?.file.close();
  return { read, recovery };
}
