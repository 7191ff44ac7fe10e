// What a durable database promises, kept through power cuts, kills and failing disks: runs of test/crash by seed, each
// operation of a rewrite, and what such runs have found.
import { describe, expect, it } from 'vitest';
import { Process } from '../../test/crash/machine.ts';
import { type Blow, powerRun, rewriteRun, tally } from '../../test/crash/power.ts';
import { Engine } from '../engine/engine.ts';
import { type Persistence, persist } from '../engine/persistent.ts';
import { VirtualClock } from '../engine/ports.ts';
import { NOBODY } from '../engine/session.ts';
import { type FaultyStorage, faultyStorage } from '../storage/faulty.ts';
import { memoryStorage } from '../storage/memory.ts';
import type { Storage } from '../storage/port.ts';
import type { AppendLog } from './aof/log.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Opened {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly persistence: Persistence;
  readonly log: AppendLog;
  run(...args: string[]): unknown;
  rewritten(): Promise<void>;
}

async function opened(storage: Storage, config: Readonly<Record<string, string>> = {}): Promise<Opened> {
  const clock = new VirtualClock();
  const engine = new Engine({
    clock,
    config: { appendonly: 'yes', appendfsync: 'always', save: '', ...config },
  });
  const persistence = await persist(engine, storage);
  const session = engine.connect(NOBODY);
  return {
    engine,
    clock,
    persistence,
    log: engine.effects.log as AppendLog,
    run: (...args) => engine.execute(session, args),
    rewritten: async () => {
      persistence.beginRewrite();
      for (let turns = 0; turns < 1000; turns++) {
        if (new Map(persistence.info()).get('aof_rewrite_in_progress') === 0) return;
        await turn();
      }
      throw new Error('the rewrite does not end');
    },
  };
}

/** Operations of a kind fail until what it answers is called. */
function broken(storage: FaultyStorage, kind: string, path = ''): () => void {
  return storage.fail({ code: 'EIO', when: (each) => each.operation === kind && each.path.includes(path) });
}

describe('a machine that loses power, processes and writes', () => {
  for (let block = 0; block < 4; block++) {
    it(`keeps what it promised, seeds ${block * 75 + 1} to ${block * 75 + 75}`, async () => {
      const count = tally();
      for (let seed = block * 75 + 1; seed <= block * 75 + 75; seed++) {
        const wrong = await powerRun(seed, count);
        expect(wrong, `npm run crash -- --power --seed ${seed} --seeds 1`).toBeNull();
      }
      expect(count.acknowledged).toBeGreaterThan(5000);
      expect(count.rewrites).toBeGreaterThan(100);
    });
  }
});

describe('each operation of a rewrite', () => {
  const blows: readonly Blow[] = [
    { kind: 'power' },
    { kind: 'failure', code: 'EIO' },
    { kind: 'failure', code: 'ENOSPC' },
  ];
  for (const policy of ['always', 'everysec'] as const) {
    for (const blow of blows) {
      it(`may meet ${blow.kind === 'power' ? 'a power cut' : blow.code} (${policy})`, async () => {
        const { operations: all } = await rewriteRun(1, policy, 0, blow);
        expect(all).toBeGreaterThan(25);
        let last = all;
        for (let at = 1; at <= last; at++) {
          for (let seed = 1; seed <= 5; seed++) {
            const { wrong, operations } = await rewriteRun(seed, policy, at, blow);
            expect(wrong, `seed ${seed}`).toBeNull();
            last = Math.max(last, operations);
          }
        }
      });
    }
  }
});

describe('the log', () => {
  it('does not lose what comes while the file before a rewrite is still written', async () => {
    const storage = memoryStorage();
    const { run, persistence, rewritten } = await opened(storage);
    run('SET', 'a', '1');
    await turn();
    // The write of `a` is under way when the rewrite turns, and these come before it has ended.
    const done = rewritten();
    for (let i = 0; i < 50; i++) {
      run('INCR', 'n');
      await Promise.resolve();
    }
    await done;
    await persistence.close();
    expect((await opened(storage)).run('GET', 'n')).toBe('50');
  });

  it('names the database anew in the file that a rewrite begins', async () => {
    const storage = faultyStorage({ seed: 1 });
    const { run, rewritten, persistence } = await opened(storage);
    run('SELECT', '1');
    run('SET', 'a', '1');
    const done = rewritten();
    for (let i = 0; i < 60; i++) {
      run('SET', 'b', String(i));
      await turn();
    }
    await done;
    await persistence.close();
    const again = await opened(storage);
    again.run('SELECT', '1');
    expect([again.run('GET', 'a'), again.run('GET', 'b')]).toEqual(['1', '59']);
  });

  it('refuses writes once a sync has failed, never syncs that file again, and a rewrite heals it', async () => {
    const storage = faultyStorage({ seed: 2 });
    const { run, engine, log, clock, persistence, rewritten } = await opened(storage, {
      appendfsync: 'everysec',
    });
    run('SET', 'a', '1');
    await turn();
    const mend = broken(storage, 'sync', 'incr.aof');
    clock.advance(1500);
    for (let turns = 0; turns < 10; turns++) await turn();
    mend();
    expect(engine.writeRefusal?.text).toBe('MISCONF Errors writing to the AOF file: Input/output error');
    expect(String((run('SET', 'a', '2') as Error & { text: string }).text)).toContain('MISCONF');
    await expect(persistence.flushed()).rejects.toThrow('EIO');
    const before = storage.operations;
    clock.advance(5000);
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(storage.operations).toBe(before);
    await rewritten();
    expect(engine.writeRefusal).toBeNull();
    run('SET', 'b', '3');
    await persistence.flushed();
    expect(log.durable).toBeGreaterThan(0);
    const again = await opened(faultyStorage({ seed: 3, base: storage.afterCrash() }));
    expect([again.run('GET', 'a'), again.run('GET', 'b')]).toEqual(['1', '3']);
  });

  it('is not taken for well by a rewrite that began before it broke', async () => {
    const storage = faultyStorage({ seed: 4 });
    const { run, engine, persistence, rewritten } = await opened(storage);
    for (let i = 0; i < 5; i++) run('SET', `k${i}`, 'v');
    await persistence.flushed();
    // The rewrite begins its own file in one operation; units are written and synced in two.
    broken(storage, 'sync', '2.incr.aof');
    const done = rewritten();
    for (let i = 0; i < 40; i++) {
      run('SET', 'after', String(i));
      await turn();
    }
    await done;
    expect(new Map(persistence.info()).get('aof_last_bgrewrite_status')).toBe('ok');
    expect(engine.writeRefusal).not.toBeNull();
  });

  it('tells at its end what it could not keep', async () => {
    const storage = faultyStorage({ seed: 5 });
    const { run, persistence } = await opened(storage, { appendfsync: 'everysec' });
    const mend = broken(storage, 'append', 'incr.aof');
    run('SET', 'a', '1');
    await turn();
    await expect(persistence.close()).rejects.toThrow('EIO');
    mend();
    const second = faultyStorage({ seed: 6 });
    const full = await opened(second, { appendfsync: 'everysec' });
    const room = broken(second, 'append', 'incr.aof');
    full.run('SET', 'a', '1');
    await turn();
    room();
    await full.persistence.close();
    expect((await opened(second)).run('GET', 'a')).toBe('1');
  });

  it('lets readers go while it is mended, also those who find expired keys', async () => {
    const storage = faultyStorage({ seed: 9 });
    const { run, clock, engine, log, persistence, rewritten } = await opened(storage, {
      appendfsync: 'everysec',
    });
    for (let i = 0; i < 60; i++) run('SET', `k${i}`, 'v', 'PX', String(2000 + i));
    await turn();
    const mend = broken(storage, 'sync', 'incr.aof');
    clock.advance(2000);
    for (let turns = 0; turns < 10; turns++) await turn();
    mend();
    const done = rewritten();
    for (let i = 0; i < 60; i++) {
      if (log.problem === null) break;
      clock.advance(1);
      expect(run('GET', `k${i}`)).toBeNull();
      expect(engine.replyAfter).toBeLessThanOrEqual(log.accepted);
      await turn();
    }
    await done;
    expect(log.problem).toBeNull();
    run('SET', 'new', 'v');
    expect(engine.replyAfter).toBeGreaterThan(log.accepted);
    await persistence.flushed();
    expect((await opened(storage.afterCrash())).run('GET', 'new')).toBe('v');
  });

  it('is rewritten at its end where a sync had failed', async () => {
    const storage = faultyStorage({ seed: 8 });
    const { run, clock, engine, persistence } = await opened(storage, { appendfsync: 'everysec' });
    run('SET', 'a', '1');
    await turn();
    const mend = broken(storage, 'sync', 'incr.aof');
    clock.advance(1500);
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(engine.writeRefusal).not.toBeNull();
    mend();
    await persistence.close();
    for (let seed = 1; seed <= 10; seed++) {
      expect((await opened(storage.afterCrash(seed))).run('GET', 'a')).toBe('1');
    }
  });

  it('is rewritten after a failure also when keys expire meanwhile', async () => {
    const storage = faultyStorage({ seed: 7 });
    const { run, engine, clock, persistence, rewritten } = await opened(storage);
    run('SET', 'short', 'v', 'PX', '100');
    run('SET', 'long', 'v');
    await persistence.flushed();
    const mend = broken(storage, 'appendDurably', 'incr.aof');
    run('SET', 'a', '1');
    for (let turns = 0; turns < 10; turns++) await turn();
    mend();
    clock.advance(1000);
    engine.purge();
    for (let turns = 0; turns < 10; turns++) await turn();
    await rewritten();
    expect(engine.writeRefusal).toBeNull();
    await persistence.close();
    const again = await opened(storage);
    expect([again.run('DBSIZE'), again.run('GET', 'long')]).toEqual([2, 'v']);
  });
});

describe('replies', () => {
  it('wait for what an embedded transaction has changed', async () => {
    const { run, engine, log, persistence } = await opened(memoryStorage());
    run('SET', 'a', '1');
    await persistence.flushed();
    engine.atomic(() => run('SET', 'a', '2'));
    run('GET', 'a');
    expect(engine.replyAfter).toBeGreaterThan(log.accepted);
    await persistence.flushed();
    run('GET', 'a');
    expect(engine.replyAfter).toBeLessThanOrEqual(log.accepted);
  });

  it('wait for the log to have what they tell also beside `always`', async () => {
    const { run, engine, log, persistence } = await opened(memoryStorage(), { appendfsync: 'everysec' });
    run('SET', 'a', '1');
    run('GET', 'a');
    expect(engine.replyAfter).toBeGreaterThan(log.accepted);
    await turn();
    run('GET', 'a');
    expect(engine.replyAfter).toBe(0);
    // While the log turns to the file of a rewrite.
    persistence.beginRewrite();
    for (let turns = 0; turns < 50; turns++) {
      run('SET', 'a', String(turns));
      log.flush();
      const { accepted } = log;
      run('GET', 'a');
      expect(Math.max(accepted, engine.replyAfter)).toBeGreaterThanOrEqual(log.unaccepted);
      await turn();
    }
  });

  it('wait for their own write also where it woke somebody who writes nothing', async () => {
    const { run, engine, log, persistence } = await opened(memoryStorage(), { appendfsync: 'everysec' });
    run('SET', 'no list', 'v');
    await persistence.flushed();
    const waiting = engine.connect({ ...NOBODY, canWait: true });
    engine.execute(waiting, ['BLMOVE', 'q', 'no list', 'LEFT', 'LEFT', '0']);
    expect(waiting.isBlocked).toBe(true);
    run('LPUSH', 'q', 'e');
    expect(waiting.isBlocked).toBe(false);
    expect(engine.replyAfter).toBe(log.gathering);
  });
});

describe('recovery', () => {
  it('takes what a killed process wrote for unsynced until it has synced it', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const storage = faultyStorage({ seed });
      const first = await opened(storage, { appendfsync: 'everysec' });
      for (let i = 0; i < 5; i++) {
        first.run('SET', `first:${i}`, 'x'.repeat(700));
        await turn();
      }
      // The storage's lock is the dead process's.
      const second = await opened(new Process(storage, false));
      second.run('SET', 'second', 'v');
      await second.persistence.flushed();
      const third = await opened(storage.afterCrash());
      expect(third.run('GET', 'second')).toBe('v');
      expect(third.run('DBSIZE')).toBe(6);
    }
  });

  it('cuts off the file before one that holds nothing, and refuses where it holds something', async () => {
    const disk = memoryStorage();
    const first = await opened(disk);
    first.run('SET', 'a', '1');
    first.run('SET', 'b', '2');
    await first.persistence.close();
    const folder = 'appendonlydir';
    const torn = await disk.open(`${folder}/appendonly.aof.1.incr.aof`, 'append');
    torn.append(Buffer.from('#HF1 5 100 '));
    const { beginFile } = await import('./aof/log.ts');
    const next = await beginFile(disk, `${folder}/appendonly.aof.2.incr.aof`, 0);
    const manifest = await disk.open(`${folder}/appendonly.aof.manifest`, 'append');
    manifest.append(Buffer.from('file appendonly.aof.2.incr.aof seq 2 type i\n'));
    const second = await opened(disk.copy());
    expect(second.persistence.recovery.cut).toMatchObject({
      file: `${folder}/appendonly.aof.1.incr.aof`,
      bytes: 11,
    });
    expect([second.run('GET', 'a'), second.run('GET', 'b')]).toEqual(['1', '2']);
    next.file.append(Buffer.from('*1\r\n$8\r\nFLUSHALL\r\n'));
    await expect(opened(disk)).rejects.toThrow('it is not the last file');
  });

  it('finds one base where a rewrite ran without a log', async () => {
    const disk = memoryStorage();
    const first = await opened(disk);
    first.run('INCR', 'n');
    await first.persistence.close();
    const second = await opened(disk, { appendonly: 'no' });
    second.run('INCR', 'n');
    await second.rewritten();
    await second.persistence.close();
    expect((await opened(disk)).run('GET', 'n')).toBe('2');
  });
});
