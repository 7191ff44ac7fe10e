// `holdfast serve`: reads the configuration, starts engine and server, says where it listens, and ends on a
// signal or SHUTDOWN once every reply is out.
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { seedTables } from '../data/table.ts';
import { Engine } from '../engine/engine.ts';
import { utf8Decode } from '../resp/bytes.ts';
import { ConfigurationError, type Files, readConfiguration } from '../server/configuration.ts';
import { processHeap } from '../server/heap.ts';
import { Server } from '../server/server.ts';
import { processSurroundings } from '../server/surroundings.ts';
import { version } from './version.ts';

/** Redis' usual loglevel: what scripts log below it is not shown. */
const NOTICE = 2;

const disk: Files = {
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
    configuration = readConfiguration(given, disk);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    fail(error.message);
    return;
  }
  for (const warning of configuration.warnings) console.error(`holdfast: warning: ${warning}`);

  const stop = (code: number): void => {
    void server.close().then(() => process.exit(code));
  };
  // Nobody outside can prepare keys that collide.
  seedTables(randomInt(2 ** 32));
  const engine = new Engine({
    config: configuration.values,
    onShutdown: () => stop(0),
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
    '  data:  in memory only; nothing is kept after the stop',
    '  stop:  Ctrl-C',
  ].join('\n');
}
