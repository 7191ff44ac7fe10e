// `holdfast functions` as its user meets it: what it prints and its exit status, on a Holdfast server and on a cluster of
// redis-server.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { listen, type Server } from '../../src/server/index.ts';
import { holdfastProgram } from '../support/holdfast-server.ts';
import { type Cluster, startCluster } from '../support/redis-cluster.ts';
import { oracleAvailable } from '../support/redis-server.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'holdfast-functions-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

// Not spawnSync: a server may live in this process.
function holdfast(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...holdfastProgram(), 'functions', ...args], { cwd: repository });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('close', (status) => resolve({ status, out, err }));
  });
}

/** A directory with these versions of a library whose function answers its version. */
function directory(name: string, versions: Readonly<Record<number, string>>): string {
  const folder = mkdtempSync(join(root, 'libs-'));
  mkdirSync(folder, { recursive: true });
  for (const [version, answer] of Object.entries(versions)) {
    writeFileSync(
      join(folder, `${name}_v${version}.lua`),
      `#!lua name=${name}_v${version}\nredis.register_function('${name}_say_v${version}', function() return ${answer} end)\n`,
    );
  }
  return folder;
}

describe('on a server', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = await listen(await open(), { port: 0 });
    url = `redis://127.0.0.1:${server.port}`;
  });
  afterAll(() => server.close());

  it('plan, apply, verify, list and rollback', async () => {
    const folder = directory('talk', { 1: '1', 2: '2' });
    const plan = await holdfast('plan', folder, '--url', url);
    expect(plan).toMatchObject({ status: 0, err: '' });
    expect(plan.out).toContain('load      talk_v1  is not there');
    expect((await holdfast('verify', folder, '--url', url)).status).toBe(1);
    expect((await holdfast('apply', folder, '--url', url)).out).toMatch(/Done\.\n$/);
    expect(await holdfast('verify', folder, '--url', url)).toMatchObject({
      status: 0,
      out: expect.stringContaining('Every primary has this code.'),
    });
    expect((await holdfast('list', '--url', url)).out).toMatch(/talk +\w{8} {2}talk_say {2}= version 2/);
    expect((await holdfast('rollback', 'talk', '--to', '1', '--url', url)).out).toContain('is version 1 now');
    const listed = JSON.parse((await holdfast('list', '--json', '--url', url)).out);
    expect(listed.find(({ library }: { library: string }) => library === 'talk').current).toBe(1);
  }, 60_000);

  it('other code under a known version is refused, and the remedy named', async () => {
    await holdfast('apply', directory('fixed', { 1: '1' }), '--url', url);
    const refused = await holdfast('apply', directory('fixed', { 1: '7' }), '--url', url);
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toMatch(/nothing was loaded: fixed_v1 .* raise the version/);
  }, 60_000);

  it('wrong use says what is wrong', async () => {
    const nowhere = await holdfast('plan', join(root, 'nowhere'), '--url', url);
    expect(nowhere).toMatchObject({ status: 2, err: expect.stringContaining('cannot be read: ENOENT') });
    const what = await holdfast('frob', '--url', url);
    expect(what).toMatchObject({
      status: 2,
      err: expect.stringContaining('plan, apply, verify, list, rollback'),
    });
    const silent = await holdfast('list', '--url', 'redis://127.0.0.1:1');
    expect(silent).toMatchObject({ status: 2, err: expect.stringContaining('127.0.0.1:1 does not answer') });
    expect((await holdfast('--help')).out).toContain('holdfast functions plan|apply|verify');
  }, 60_000);
});

describe.skipIf(!oracleAvailable())('on a cluster', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 60_000);
  afterAll(() => cluster?.stop());

  it('every primary gets the libraries', async () => {
    const folder = directory('wide', { 1: '1' });
    const url = `redis://127.0.0.1:${cluster.nodes[0].port}`;
    await holdfast('apply', folder, '--url', url, '--cluster');
    const plan = JSON.parse((await holdfast('verify', folder, '--url', url, '--cluster', '--json')).out);
    expect(plan.clean).toBe(true);
    expect(new Set(plan.steps.map(({ node }: { node: string }) => node)).size).toBe(3);
  }, 60_000);
});
