// `holdfast serve`: reads the configuration, starts engine and server, says where it listens, and ends on a
// signal or SHUTDOWN once every reply is out.
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { seedTables } from '../data/table.ts';
import { Engine } from '../engine/engine.ts';
import { type Persistence, persist } from '../engine/persistent.ts';
import { RecoveryError } from '../persistence/recovery.ts';
import { recovered } from '../persistence/report.ts';
import { utf8Decode } from '../resp/bytes.ts';
import { ConfigurationError, type Files, readConfiguration } from '../server/configuration.ts';
import { processHeap } from '../server/heap.ts';
import { Server } from '../server/server.ts';
import { processSurroundings } from '../server/surroundings.ts';
import { nodeStorage } from '../storage/node.ts';
import { StorageError, StorageLocked } from '../storage/port.ts';
import { version } from './version.ts';

/** Redis' usual loglevel: what scripts log below it is not shown. */
const NOTICE = 2;

const files: Files = {
  read: (path) => readFileSync(path, 'latin1'),
  list: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
};

/** @param args what follows `serve`; `--friendly` (from `npm start`) asks for words on what to do next. */
export async function serve(args: readonly string[]): Promise<void> {
  const friendly = args.includes('--friendly');
  const given = args.filter((arg) => arg !== '--friendly');
  let configuration: ReturnType<typeof readConfiguration>;
  try {
    configuration = readConfiguration(given, files);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    fail(error.message);
    return;
  }
  for (const warning of configuration.warnings) console.error(`holdfast: warning: ${warning}`);

  let disk: Persistence | null = null;
  const stop = (code: number, save: boolean | null = null): void => {
    void server
      .close()
      .then(() => disk?.close(save))
      .then(
        () => process.exit(code),
        (error: Error) => {
          console.error(`holdfast: the log could not be written to its end: ${error.message}`);
          process.exit(1);
        },
      );
  };
  // Nobody outside can prepare keys that collide.
  seedTables(randomInt(2 ** 32));
  const engine = new Engine({
    config: { appendonly: 'yes', ...configuration.values },
    onShutdown: (save) => stop(0, save),
    onLog: (level, message) => {
      if (level >= NOTICE) console.log(`holdfast: script: ${utf8Decode(message)}`);
    },
    heap: processHeap,
    surroundings: processSurroundings(() => ({
      tcpPort: server.port,
      configFile: given[0]?.startsWith('-') ? '' : (given[0] ?? ''),
      version: version(),
    })),
  });
  const server = new Server(engine);
  const { config } = engine;
  const port = Number(config.value('port'));
  const unixSocket = utf8Decode(config.value('unixsocket'));
  const bind = config.value('bind').split(' ');
  const hasTcp = port !== 0 && bind[0] !== '';
  if (!hasTcp && unixSocket === '') {
    fail('nothing to listen on: give --port N or --unixsocket path');
    return;
  }
  const directory = resolve(utf8Decode(config.value('dir')));
  // Where nothing is to be kept, and nobody named a directory, none is touched.
  const wantsDisk =
    config.value('appendonly') === 'yes' ||
    config.value('save') !== '' ||
    configuration.values.dir !== undefined;
  try {
    if (wantsDisk) disk = await openDisk(engine, directory);
    else console.log('holdfast: in memory only (appendonly no): nothing is kept after the stop');
  } catch (error) {
    if (
      !(error instanceof RecoveryError || error instanceof StorageLocked || error instanceof StorageError)
    ) {
      throw error;
    }
    fail(error.message + (error instanceof StorageLocked ? ': stop it, or give another --dir' : ''));
    return;
  }
  const permissions = Number.parseInt(config.value('unixsocketperm'), 8);
  try {
    await server.listen({
      port: hasTcp ? port : undefined,
      bind,
      unixSocket: unixSocket === '' ? undefined : unixSocket,
      unixSocketPermissions: permissions === 0 ? undefined : permissions,
      backlog: Number(config.value('tcp-backlog')),
    });
  } catch (error) {
    fail(whyNotListening(error as NodeJS.ErrnoException, { port, unixSocket, friendly }));
    return;
  }
  if (hasTcp && server.port === 0) {
    fail(`none of the addresses '${bind.join(' ')}' is of this machine`);
    await server.close();
    return;
  }
  endOnSignals(stop);
  const host = hostOf(bind[0]);
  if (hasTcp) console.log(`holdfast: listening on ${host}:${port}`);
  if (unixSocket !== '') console.log(`holdfast: listening on ${unixSocket}`);
  if (friendly) console.log(nextSteps(hasTcp ? clientArguments(host, port) : `-s ${unixSocket}`));
}

async function openDisk(engine: Engine, directory: string): Promise<Persistence> {
  let told = 0;
  const disk = await persist(engine, nodeStorage(directory), {
    say: (message) => console.log(`holdfast: ${message}`),
    progress: (read, total) => {
      const now = performance.now();
      if (now - told < 1000) return;
      told = now;
      console.log(`holdfast: loading, ${Math.floor((read / Math.max(1, total)) * 100)} %`);
    },
  });
  const found = recovered(disk.recovery);
  if (found !== '') console.log(`holdfast: ${found}`);
  const policy = engine.config.value('appendfsync');
  const isKept = engine.config.value('appendonly') === 'yes';
  console.log(
    isKept
      ? `holdfast: keeping data in ${directory} (appendfsync ${policy})`
      : 'holdfast: appendonly is no: what is done is lost at the end, but for what SAVE writes',
  );
  return disk;
}

function fail(message: string): void {
  console.error(`holdfast: ${message}`);
  process.exitCode = 1;
}

// The first signal ends the server once replies are out, a second one at once.
function endOnSignals(stop: (code: number) => void): void {
  let asked = false;
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      if (asked) process.exit(128 + number);
      asked = true;
      stop(0);
    });
  }
}

function whyNotListening(
  error: NodeJS.ErrnoException & { address?: string },
  { port, unixSocket, friendly }: { port: number; unixSocket: string; friendly: boolean },
): string {
  const isSocket = unixSocket !== '' && error.address === unixSocket;
  switch (error.code) {
    case 'EADDRINUSE': {
      if (isSocket)
        return `${unixSocket} is in use by another program: stop it, or give another --unixsocket`;
      const remedy = friendly ? 'start with: npm start -- --port N' : 'start with --port N';
      return `port ${port} is in use by another program: stop it, or ${remedy}`;
    }
    case 'EACCES':
      return isSocket
        ? `no permission to create ${unixSocket}: give another --unixsocket`
        : `no permission to listen on port ${port}: start with a --port above 1023`;
    case 'EADDRNOTAVAIL':
      return `address ${error.address} is not of this machine: give another --bind`;
    case 'ENOTFOUND':
      return `no address for this --bind: ${error.message}`;
    default:
      return `cannot listen: ${error.message}`;
  }
}

function hostOf(address: string): string {
  const name = address.replace(/^-/, '');
  if (name === '*') return '0.0.0.0';
  if (name === '::*') return '[::]';
  return name.includes(':') ? `[${name}]` : name;
}

function clientArguments(host: string, port: number): string {
  const isDefault = host === '127.0.0.1' || host === '0.0.0.0' || host === '[::]';
  return `${isDefault ? '' : `-h ${host.replace(/[[\]]/g, '')} `}-p ${port}`;
}

function nextSteps(clientArgs: string): string {
  return [
    `  try:   redis-cli ${clientArgs} set greeting hello   (any Redis client works)`,
    '  stop:  Ctrl-C',
  ].join('\n');
}
