// redis-cli and redis-benchmark against our server: piped commands, both protocols, and no warning at the start.
import { spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { listen, type Server } from '../../src/server/index.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

let db: Database;
let server: Server;
beforeAll(async () => {
  db = await open();
  server = await listen(db, { port: 0 });
});
afterAll(async () => {
  await server.close();
  db.close();
});

interface Output {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

// The server lives in this process: the program must not be waited for in a blocking way.
function run(program: string, args: readonly string[], input: string | Buffer = ''): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['-p', String(server.port), ...args]);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ out, err, code }));
    child.stdin.end(input);
  });
}

describe.skipIf(!has('redis-cli'))('redis-cli (skipped where it is not on PATH)', () => {
  it('runs piped commands', async () => {
    const lines = [
      'SET stock 10',
      'WATCH stock',
      'MULTI',
      'DECR stock',
      'RPUSH orders "ada \\x00 lovelace"',
      'EXEC',
      'INCR orders',
      'NOSUCH',
      'LRANGE orders 0 -1',
    ];
    const { out, code } = await run('redis-cli', [], `${lines.join('\n')}\n`);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line !== '')).toEqual([
      'OK',
      'OK',
      'OK',
      'QUEUED',
      'QUEUED',
      '9',
      '1',
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      "ERR unknown command 'NOSUCH', with args beginning with: ",
      'ada \0 lovelace',
    ]);
  });

  it('shows maps and doubles of RESP3', async () => {
    db.hset('h', 'field', 'value');
    db.zadd('z', 1.5, 'm');
    const { out } = await run('redis-cli', ['-3', '--no-raw'], 'HGETALL h\nZSCORE z m\n');
    expect(out).toContain('1# "field" => "value"');
    expect(out).toContain('(double) 1.5');
  });

  it('loads commands in bulk (--pipe) and finds big keys by scanning', async () => {
    const commands = Array.from({ length: 2000 }, (_, i) => `SET bulk:${i} ${i}\r\n`).join('');
    const { out, code } = await run('redis-cli', ['--pipe'], commands);
    expect(out).toContain('errors: 0, replies: 2000');
    expect(code).toBe(0);
    const scanned = await run('redis-cli', ['--scan', '--pattern', 'bulk:*']);
    expect(new Set(scanned.out.trim().split('\n')).size).toBe(2000);
    expect((await run('redis-cli', ['--bigkeys'])).code).toBe(0);
  });
});

describe.skipIf(!has('redis-benchmark'))('redis-benchmark (skipped where it is not on PATH)', () => {
  it('starts without a warning', async () => {
    const { out, err, code } = await run('redis-benchmark', ['-n', '200', '-c', '5', '-q', '-t', 'set,get']);
    expect(err).toBe('');
    expect(out).not.toMatch(/WARN|ERROR/i);
    expect(out).toMatch(/SET: [\d.]+ requests per second/);
    expect(code).toBe(0);
  });
});
