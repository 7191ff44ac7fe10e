// BullMQ: which of its Lua scripts run here as they do in Redis, and which stop at a command that is missing. BullMQ's
// own Queue and Worker work on a redis-server; each script that they are about to call there is called, with the same
// words and on a copy of the same data, on a redis-server without the missing commands and on Holdfast: replies and
// data must be equal, down to the place where a script stops. Scripts inside MULTI are not looked at.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unsupportedCommand } from '../../src/commands/unsupported.ts';
import { type Database, open } from '../../src/index.ts';
import { listen, type Server } from '../../src/server/index.ts';
import { canon } from '../oracle/values.ts';
import { walk } from '../oracle/walk.ts';
import type { ServerHandle } from '../support/ports.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { type Value, Wire } from '../support/wire.ts';

interface BullScript {
  readonly name: string;
  readonly content: string;
  readonly sha: string;
  /** Commands that it names and that Holdfast does not have. */
  readonly missing: readonly string[];
}

const require = createRequire(import.meta.url);

function bullScripts(): BullScript[] {
  const folder = join(dirname(require.resolve('bullmq')), 'scripts');
  const files = readdirSync(folder).filter((file) => /-\d+\.js$/.test(file));
  return files.flatMap((file) =>
    Object.values(require(join(folder, file)) as Record<string, { name: string; content: string }>).map(
      ({ name, content }) => ({
        name,
        content,
        sha: createHash('sha1').update(content).digest('hex'),
        missing: missingIn(content),
      }),
    ),
  );
}

// `rcall("XADD", …)`; the few names that are variables are commands for lists, sets and hashes.
function missingIn(script: string): string[] {
  const code = script.replace(/--\[\[[\s\S]*?\]\]|--.*/g, '');
  const names = [...code.matchAll(/\b(?:rcall|redis\.p?call)\(\s*["'](\w+)["']/g)].map(([, name]) =>
    name.toUpperCase(),
  );
  return [...new Set(names)].filter((name) => unsupportedCommand(name) !== null).sort();
}

/** Each missing command with the scripts that name it. */
function missingCommands(scripts: readonly BullScript[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { name, missing } of scripts) for (const word of missing) (found[word] ??= []).push(name);
  return Object.fromEntries(Object.entries(found).sort());
}

const scripts = bullScripts();
const nameOf = new Map(scripts.map(({ sha, name }) => [sha, name]));
const STOPPED = /is not supported by Holdfast/;
/** What differs in the error of a script that meets a command which is not there. */
const unknown = (text: string): string =>
  text.replace(
    /^ERR (Unknown Redis command called from script|'\w+' is not supported by .*?\)) /,
    '(missing) ',
  );

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

describe('the scripts of BullMQ', () => {
  it('are found, and all of them load', async () => {
    expect(scripts.length).toBeGreaterThan(50);
    const wire = await Wire.open({ port: server.port });
    for (const { name, content, sha } of scripts)
      expect(await wire.call('SCRIPT', 'LOAD', Buffer.from(content)), name).toMatchObject({ text: sha });
    wire.close();
  });

  // When a family of commands arrives, this fails: then the table of docs/differences.md gets shorter too.
  it('miss streams, and nothing else', () => {
    expect(missingCommands(scripts)).toMatchInlineSnapshot(`
      {
        "XADD": [
          "addDelayedJob",
          "addJobScheduler",
          "addParentJob",
          "addPrioritizedJob",
          "addStandardJob",
          "changeDelay",
          "cleanJobsInSet",
          "drain",
          "moveJobFromActiveToWait",
          "moveJobsToWait",
          "moveStalledJobsToWait",
          "moveToActive",
          "moveToDelayed",
          "moveToFinished",
          "moveToWaitingChildren",
          "obliterate",
          "pause",
          "promote",
          "relayPublish",
          "releaseParentIfNoPendingDependencies",
          "removeChildDependency",
          "removeJob",
          "removeJobScheduler",
          "removeUnprocessedChildren",
          "reprocessJob",
          "retryJob",
          "updateJobScheduler",
          "updateProgress",
        ],
        "XDEL": [
          "relayTrimInbox",
        ],
        "XLEN": [
          "relayPublish",
          "relayTrimInbox",
        ],
        "XRANGE": [
          "relayPublish",
          "relayTrimInbox",
        ],
        "XREAD": [
          "relayReadInbox",
        ],
        "XTRIM": [
          "moveStalledJobsToWait",
          "moveToFinished",
          "relayPublish",
          "relayTrimInbox",
        ],
      }
    `);
  });

  it('that miss something are listed in docs/differences.md', () => {
    const page = readFileSync(
      fileURLToPath(new URL('../../docs/differences.md', import.meta.url)),
      'utf8',
    ).replace(/\s+/g, ' ');
    const rows = Object.entries(missingCommands(scripts)).map(
      ([command, names]) => `| \`${command}\` | ${names.map((name) => `\`${name}\``).join(', ')} |`,
    );
    const whole = scripts.filter(({ missing }) => missing.length === 0).length;
    const version = (require('bullmq/package.json') as { version: string }).version;
    rows.push(
      `All ${scripts.length} Lua scripts of BullMQ ${version} load, and ${whole} of them call nothing that is missing.`,
    );
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });
});

describe('BullMQ on Holdfast', () => {
  it('connects, reads and waits, but adds no job', async () => {
    const connection = { port: server.port, host: '127.0.0.1', maxRetriesPerRequest: null };
    const queue = new Queue('mail', { connection });
    const worker = new Worker('mail', async () => 'sent', { connection });
    const failures: string[] = [];
    worker.on('error', (error) => failures.push(error.message));
    await queue.waitUntilReady();
    await worker.waitUntilReady();
    expect(await queue.getJobCounts('waiting', 'active', 'delayed', 'completed')).toEqual({
      waiting: 0,
      active: 0,
      delayed: 0,
      completed: 0,
    });
    await expect(queue.add('welcome', { to: 'ada' })).rejects.toThrow(
      /^ERR 'XADD' is not supported by Holdfast yet: streams come later/,
    );
    // The script stopped in the middle, as it does in Redis: the job is stored, and waits in no list.
    expect(await queue.getJob('1')).toMatchObject({ name: 'welcome', data: { to: 'ada' } });
    expect(await queue.getWaitingCount()).toBe(0);
    expect(worker.isRunning()).toBe(true);
    await worker.close();
    await queue.close();
    // The sweep for stalled jobs trims the stream of events: nothing else may fail in a worker that waits.
    for (const message of failures) expect(message).toMatch(STOPPED);
  });
});

type Words = (string | Buffer)[];

/** An ioredis that tells before it runs a script, and waits until the listener is done. */
function watched(port: number, before: (words: Words) => Promise<void>): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null });
  const send = redis.sendCommand.bind(redis);
  // One script after the other, also when the worker's timer runs one.
  let turn: Promise<unknown> = Promise.resolve();
  redis.sendCommand = (command, stream) => {
    if (command.name !== 'evalsha' || stream !== undefined) return send(command, stream);
    const words = [...(command.args as unknown[])].map((word) =>
      Buffer.isBuffer(word) ? word : Buffer.from(String(word)),
    );
    turn = turn
      .then(() => before(['EVALSHA', ...words]))
      .then(
        () => send(command),
        (error: Error) => command.reject(error),
      );
    return command.promise;
  };
  return redis;
}

const READ: Record<string, (key: string) => string[]> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
};

/** Commands that write what the keys hold, streams left out. */
async function copyOf(wire: Wire): Promise<string[][]> {
  const commands: string[][] = [];
  for (const { text: key } of (await wire.call('KEYS', '*')).items) {
    const type = (await wire.call('TYPE', key)).text;
    if (type === 'stream') continue;
    const { text, items } = await wire.call(...READ[type]!(key));
    const words = items.map((item) => item.text);
    const pairs = Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i + 1]!, words[2 * i]!]);
    if (type === 'string') commands.push(['SET', key, text]);
    else if (type === 'zset') commands.push(['ZADD', key, ...pairs.flat()]);
    else commands.push([{ list: 'RPUSH', set: 'SADD', hash: 'HSET' }[type]!, key, ...words]);
    const ttl = (await wire.call('PTTL', key)).text;
    if (Number(ttl) > 0) commands.push(['PEXPIRE', key, ttl]);
  }
  return commands;
}

describe.skipIf(!oracleAvailable())('BullMQ beside redis-server', () => {
  let full: ServerHandle;
  let bare: ServerHandle;
  beforeAll(async () => {
    const missing = Object.keys(missingCommands(scripts));
    full = await startRedis();
    bare = await startRedis(missing.flatMap((name) => ['--rename-command', name, '']));
  });
  afterAll(async () => {
    await Promise.all([full?.stop(), bare?.stop()]);
  });

  it('its scripts answer and write the same, to the place where they stop', async () => {
    const [source, left, right] = await Promise.all(
      [full, bare, server].map(({ port }) => Wire.open({ port, timeoutMs: 20_000 })),
    );
    for (const wire of [source, left, right]) {
      for (const { content } of scripts) await wire.call('SCRIPT', 'LOAD', Buffer.from(content));
    }
    const outcomes = new Map<string, Set<'whole' | 'stopped'>>();
    const differences: unknown[] = [];
    const compare = async (words: Words): Promise<void> => {
      const name = nameOf.get(String(words[1])) ?? String(words[1]);
      const data = await copyOf(source);
      const replies: Value[] = [];
      for (const wire of [left, right]) {
        await wire.call('FLUSHALL');
        for (const command of data) expect((await wire.call(...command)).kind).not.toBe('error');
        replies.push(await wire.call(...words));
      }
      const stopped = STOPPED.test(replies[1]!.text);
      if (!outcomes.has(name)) outcomes.set(name, new Set());
      outcomes.get(name)?.add(stopped ? 'stopped' : 'whole');
      const [l, r] = replies.map((reply) => unknown(canonical(reply)));
      const found = l === r ? await walk(left, right, true) : { left: l, right: r };
      if (found !== null) differences.push({ name, words: words.map(String), found });
    };
    const redis = watched(full.port, compare);
    await bullmqAtWork(redis).finally(() => redis.disconnect());
    for (const wire of [source, left, right]) wire.close();

    expect(differences).toEqual([]);
    const those = (outcome: 'whole' | 'stopped'): string[] =>
      [...outcomes].flatMap(([name, seen]) => (seen.has(outcome) ? [name] : [])).sort();
    expect(those('whole')).toMatchInlineSnapshot(`
      [
        "addLog",
        "changePriority",
        "drain",
        "extendLock",
        "extendLocks",
        "getCounts",
        "getCountsPerPriority",
        "getDependencyCounts",
        "getJobScheduler",
        "getJobs",
        "getMetrics",
        "getRateLimitTtl",
        "getStateV2",
        "isMaxed",
        "moveToActive",
        "obliterate",
        "paginate",
        "removeJobScheduler",
        "removeOrphanedJobs",
        "updateData",
      ]
    `);
    expect(those('stopped')).toMatchInlineSnapshot(`
      [
        "addDelayedJob",
        "addJobScheduler",
        "addPrioritizedJob",
        "addStandardJob",
        "changeDelay",
        "cleanJobsInSet",
        "moveJobFromActiveToWait",
        "moveStalledJobsToWait",
        "moveToActive",
        "moveToDelayed",
        "moveToFinished",
        "pause",
        "promote",
        "removeJob",
        "reprocessJob",
        "updateProgress",
      ]
    `);
    const missing = scripts.filter((script) => script.missing.length > 0).map(({ name }) => name);
    expect(missing).toEqual(expect.arrayContaining(those('stopped')));
  }, 120_000);
});

const canonical = (reply: Value): string => (reply.kind === 'error' ? reply.text : canon(reply));

/** A queue with jobs of all kinds, worked off by hand, so that no client blocks. */
async function bullmqAtWork(connection: Redis): Promise<void> {
  const queue = new Queue('mail', { connection });
  const worker = new Worker('mail', null, { connection, autorun: false });
  worker.on('error', () => {});
  const token = 'worker-1';
  const next = async () => (await worker.getNextJob(token, { block: false }))!;

  expect(await worker.getNextJob(token, { block: false })).toBeUndefined();
  const first = await queue.add('welcome', { to: 'ada', text: 'näïve \u20ac' });
  await queue.add('urgent', { n: 1 }, { priority: 3, attempts: 2 });
  const bulk = await queue.add('bulk', {}, { priority: 9 });
  const later = await queue.add('later', {}, { delay: 60_000 });
  await queue.add('last', [1, null, 2.5], { lifo: true, removeOnComplete: true });
  await queue.add('once', {}, { deduplication: { id: 'only' } });
  await queue.add('once', {}, { deduplication: { id: 'only' } });
  await queue.add('same', {}, { jobId: 'same' });
  await queue.add('same', {}, { jobId: 'same' });

  await first.log('added');
  await first.log('again');
  await first.updateData({ to: 'grace' });
  await first.updateProgress({ done: 0.5 });
  await bulk.changePriority({ priority: 1 });
  await later.changeDelay(120_000);
  for (const job of [first, bulk, later]) await job.getState();
  await queue.getJobCounts();
  await queue.getCountsPerPriority([0, 1, 3]);
  await queue.getJobs(['waiting', 'prioritized', 'delayed'], 0, 10, true);
  await queue.getJobLogs(first.id!);
  await queue.isMaxed();
  await queue.getRateLimitTtl(5);
  await queue.getDependencies('mail:1', 'pending', 0, 10);
  await first.getDependenciesCount();
  await queue.removeDeduplicationKey('only');

  const job = await next();
  await job.extendLock(token, 60_000);
  await worker.extendJobLocks([job.id!], [token], 60_000);
  await job.moveToCompleted({ sent: true }, token, false);
  const failing = await next();
  await failing.moveToFailed(new Error('no such mailbox'), token, false);
  await failing.isFailed();
  await failing.retry('failed').catch(() => {});
  const back = await next();
  await back.moveToWait(token);
  const postponed = await next();
  await postponed.moveToDelayed(Date.now() + 60_000, token).catch(() => {});
  await later.promote();
  await queue.pause();
  await queue.resume();
  await queue.getMetrics('completed');
  await queue.upsertJobScheduler('hourly', { every: 3_600_000 }, { name: 'report' });
  await queue.getJobScheduler('hourly');
  await queue.getJobSchedulers();
  await queue.removeJobScheduler('hourly');
  await worker.startStalledCheckTimer();
  await queue.removeOrphanedJobs();
  await bulk.remove();
  await queue.clean(0, 100, 'completed');
  await queue.drain(true);
  await queue.obliterate({ force: true });
  await worker.close();
  await queue.close();
}
