// The program as its user meets it: what it prints, its exit codes, and how it ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { holdfastProgram } from '../support/holdfast-server.ts';
import { freePort } from '../support/ports.ts';
import { Wire } from '../support/wire.ts';
import { eventually } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Program {
  readonly child: ChildProcess;
  out: string;
  err: string;
  readonly exit: Promise<number | null>;
}

function run(...args: string[]): Program {
  // Each in a directory of its own, unless it says otherwise.
  const own =
    args[0] === 'serve' && !args.includes('--dir') ? ['--dir', mkdtempSync(join(folder, 'data-'))] : [];
  const child = spawn(process.execPath, [...holdfastProgram(), ...args, ...own]);
  children.push(child);
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const program: Program = { child, out: '', err: '', exit };
  child.stdout.on('data', (chunk) => {
    program.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    program.err += chunk;
  });
  return program;
}

async function serve(...args: string[]): Promise<Program & { port: number }> {
  const port = await freePort();
  const program = run('serve', '--port', String(port), ...args);
  await eventually('it listens', () => {
    if (program.child.exitCode !== null) throw new Error(`it ended: ${program.err}`);
    return program.out.includes('listening on');
  });
  return Object.assign(program, { port });
}

async function ends(program: Program, code: number): Promise<void> {
  expect(await program.exit, program.err).toBe(code);
}

describe('holdfast', () => {
  it.each([
    [['--version'], /^holdfast \d+\.\d+\.\d+\n$/],
    [['--help'], /holdfast serve \[redis.conf\]/],
    [[], /holdfast serve \[redis.conf\]/],
    [['serve', '--help'], /--requirepass password/],
  ])('%j explains and succeeds', async (args, expected) => {
    const program = run(...args);
    await ends(program, 0);
    expect(program.out).toMatch(expected);
    expect(program.err).toBe('');
  });

  it.each([
    [['frobnicate'], "holdfast: there is no command 'frobnicate'; see holdfast --help\n"],
    [
      ['serve', '--prot', '1'],
      "holdfast: unknown directive 'prot' on the command line: did you mean 'port'?\n",
    ],
    [['serve', '--port', 'x'], "holdfast: --port takes an integer from 0 to 65535; not 'x'\n"],
    [['serve', '--port', '0'], 'holdfast: nothing to listen on: give --port N or --unixsocket path\n'],
    [['serve', 'nosuch.conf'], "holdfast: cannot read 'nosuch.conf': no such file\n"],
  ])('%j is an error in one line', async (args, expected) => {
    const program = run(...args);
    await ends(program, 1);
    expect(program.err).toBe(expected);
    expect(program.out).toBe('');
  });
});

describe('holdfast serve', () => {
  it('shows what scripts log', async () => {
    const program = await serve();
    const client = await Wire.open({ host: '127.0.0.1', port: program.port, timeoutMs: 5000 });
    await client.call(
      'EVAL',
      "redis.log(redis.LOG_NOTICE, 'n =', 1) redis.log(redis.LOG_VERBOSE, 'hidden')",
      '0',
    );
    await eventually('it is shown', () => program.out.includes('holdfast: script: n = 1\n'));
    expect(program.out).not.toContain('hidden');
    client.close();
  });

  it('says where it listens, and with --friendly what to do next', async () => {
    const plain = await serve();
    expect(plain.out).toMatch(
      new RegExp(
        `^holdfast: keeping data in .* \\(appendfsync everysec\\)\nholdfast: listening on 127.0.0.1:${plain.port}\n$`,
      ),
    );
    const friendly = await serve('--friendly');
    await eventually('it said all', () => friendly.out.split('\n').length > 4);
    expect(friendly.out.split('\n')).toEqual([
      expect.stringContaining('keeping data in'),
      `holdfast: listening on 127.0.0.1:${friendly.port}`,
      expect.stringContaining(`redis-cli -p ${friendly.port} `),
      expect.stringContaining('Ctrl-C'),
      '',
    ]);
    expect(plain.err + friendly.err).toBe('');
  });

  it('names the remedy when its port is taken', async () => {
    const first = await serve();
    const second = run('serve', '--port', String(first.port));
    await ends(second, 1);
    expect(second.err).toBe(
      `holdfast: port ${first.port} is in use by another program: stop it, or start with --port N\n`,
    );
    const third = run('serve', '--friendly', '--port', String(first.port));
    await ends(third, 1);
    expect(third.err).toContain('npm start -- --port N');
  });

  it('reads a redis.conf, warns of what has no effect, and reports itself in INFO', async () => {
    const path = join(folder, 'redis.conf');
    writeFileSync(path, '# mine\nmaxclients 17\nmaxmemory 1gb\nsave ""\nrequirepass "pass word"\n');
    const port = await freePort();
    const program = run('serve', path, '--port', String(port), '--databases', '3');
    await eventually('it listens', () => program.out.includes('listening on'));
    expect(program.err).toBe(
      `holdfast: warning: ${path}:3: maxmemory has no effect: memory is not limited and nothing is evicted yet\n`,
    );
    const wire = await Wire.open({ port });
    expect((await wire.call('AUTH', 'pass word')).text).toBe('OK');
    expect((await wire.call('CONFIG', 'GET', 'maxclients')).items[1].text).toBe('17');
    expect((await wire.call('SELECT', '3')).text).toBe('ERR DB index is out of range');
    const info = (await wire.call('INFO')).text;
    expect(info).toContain(`process_id:${program.child.pid}\r\n`);
    expect(info).toContain(`tcp_port:${port}\r\n`);
    expect(info).toContain(`config_file:${path}\r\n`);
    expect(info).toMatch(/used_memory:\d{6,}\r\n/);
    expect(info).toMatch(/used_memory_rss:\d{7,}\r\n/);
    expect(info).toMatch(/used_cpu_user:\d+\.\d{6}\r\n/);
    expect(info).toMatch(/arch_bits:(32|64)\r\n/);
    wire.close();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends on %s once replies are out', async (signal) => {
    const program = await serve();
    const wire = await Wire.open({ port: program.port });
    expect((await wire.call('SET', 'k', 'v')).text).toBe('OK');
    program.child.kill(signal);
    await ends(program, 0);
    expect(await wire.waitClosed(1000)).toBe(true);
  });

  it('ends at once on a second signal, whoever still has to read', async () => {
    const program = await serve();
    const wire = await Wire.open({ port: program.port });
    await wire.call('SET', 'big', 'x'.repeat(20_000_000));
    (wire as unknown as { socket: { pause(): void } }).socket.pause();
    for (let i = 0; i < 5; i++) wire.send('GET', 'big');
    const control = await Wire.open({ port: program.port });
    await eventually('the reply waits', async () =>
      /obl=\d{7}/.test((await control.call('CLIENT', 'LIST')).text),
    );
    program.child.kill('SIGTERM');
    await control.waitClosed(2000);
    expect(program.child.exitCode).toBeNull();
    program.child.kill('SIGTERM');
    await ends(program, 143);
    wire.close();
  });

  it('ends on SHUTDOWN without a reply', async () => {
    const program = await serve();
    const wire = await Wire.open({ port: program.port });
    wire.send('SHUTDOWN', 'NOSAVE');
    await ends(program, 0);
    expect(await wire.waitClosed(1000)).toBe(true);
    expect(wire.bytesIn).toBe(0);
  });

  it('listens on a unix socket, also where a killed one was, and takes it away', async () => {
    const path = join(folder, 'socket');
    const killed = await serve('--unixsocket', path, '--unixsocketperm', '700');
    killed.child.kill('SIGKILL');
    await killed.exit;
    const program = await serve('--unixsocket', path);
    const wire = await Wire.open({ path });
    expect((await wire.call('PING')).text).toBe('PONG');
    const other = run('serve', '--port', '0', '--unixsocket', path);
    await ends(other, 1);
    expect(other.err).toBe(
      `holdfast: ${path} is in use by another program: stop it, or give another --unixsocket\n`,
    );
    wire.close();
    program.child.kill('SIGTERM');
    await ends(program, 0);
    expect(execFileSync('ls', [folder]).toString()).not.toContain('socket');
  });
});
