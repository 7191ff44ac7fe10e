// The two servers under measurement: started without persistence on free loopback ports, observed through /proc,
// ended by pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Cpu {
  /** Seconds in the program and in the kernel on its behalf. */
  readonly user: number;
  readonly system: number;
}

export interface Running {
  readonly name: string;
  readonly port: number;
  /** One command without pipelining; the raw reply's first part. */
  call(...args: string[]): Promise<string>;
  cpu(): Cpu;
  /** Bytes in memory now and at most. */
  memory(): { readonly now: number; readonly peak: number };
  stop(): Promise<void>;
}

const NO_PERSISTENCE = ['--save', '', '--appendonly', 'no'];

export function startRedis(
  name = 'redis',
  options = ['--dir', tmpdir(), ...NO_PERSISTENCE],
): Promise<Running> {
  return start(name, 'redis-server', ['--bind', '127.0.0.1', ...options]);
}

export function startHoldfast(name = 'holdfast', options = NO_PERSISTENCE): Promise<Running> {
  const program = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
  return start(name, process.execPath, [program, 'serve', ...options]);
}

/** Redis and its rival, for the time of `work`. */
export async function withBoth<T>(
  noise: boolean,
  work: (pair: [Running, Running]) => Promise<T>,
): Promise<T> {
  const redis = await startRedis();
  try {
    const rival = noise ? await startRedis('redis again') : await startHoldfast();
    try {
      return await work([redis, rival]);
    } finally {
      await rival.stop();
    }
  } finally {
    await redis.stop();
  }
}

async function start(name: string, program: string, args: readonly string[]): Promise<Running> {
  const port = await freePort();
  const child = spawn(program, [...args, '--port', String(port)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`${name} does not start: ${error.message}`)));
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  failed.catch(() => {});
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const call = (...words: string[]): Promise<string> => Promise.race([request(port, words), failed]);
  for (let tries = 0; ; tries++) {
    const answer = await Promise.race([request(port, ['PING']).catch(() => ''), failed]);
    if (answer === '+PONG\r\n') break;
    // One that loads much takes its time.
    if (tries === 2000) throw new Error(`${name} does not answer on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pid = child.pid as number;
  return {
    name,
    port,
    call,
    cpu: () => cpuOf(pid),
    memory: () => memoryOf(pid),
    stop: async () => {
      process.off('exit', endWithUs);
      await stop(child);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A command as a client sends it. */
export function encode(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}

function request(port: number, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(encode(...args)));
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
  });
}

// Fields 14 and 15 of /proc/<pid>/stat, in clock ticks of 10 ms; the name in field 2 may contain spaces.
function cpuOf(pid: number): Cpu {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return { user: Number(fields[11]) / 100, system: Number(fields[12]) / 100 };
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
