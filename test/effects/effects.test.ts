// Two promises of the write door, checked with the oracle's random commands on an engine in process:
// the log of effects alone rebuilds the data (what the AOF will stand on), and no command changes a key that
// its spec row does not declare (what COMMAND GETKEYS, slot checks and the explorer stand on).
import { describe, expect, it } from 'vitest';
import { keyPositions } from '../../src/commands/derive.ts';
import { Engine } from '../../src/engine/engine.ts';
import { VirtualClock } from '../../src/engine/ports.ts';
import type { Session } from '../../src/engine/session.ts';
import { HashValue } from '../../src/keyspace/hash-value.ts';
import { ListValue } from '../../src/keyspace/list-value.ts';
import { RawString, type Value } from '../../src/keyspace/values.ts';
import { encode } from '../../src/resp/encode.ts';
import { Block, type Reply } from '../../src/resp/reply.ts';
import { CONNECTIONS, generateRound, pickFamilies } from '../oracle/generate.ts';
import { showStep } from '../oracle/steps.ts';
import { deaf } from '../support/deaf.ts';

const ROUNDS = 24;
const STEPS = 800;
const SEED = Number(process.env.EFFECTS_SEED ?? 20261121);
const FAMILIES = [
  'strings',
  'bitmaps',
  'keys',
  'hashes',
  'lists',
  'sets',
  'zsets',
  'transactions',
  'scripting',
  'blocking',
];

/** The data as text: every key of every database with its deadline and content. */
function contents(engine: Engine): string[] {
  const lines: string[] = [];
  for (const db of engine.space.dbs) {
    db.forEach((key, value, deadline) => {
      lines.push(`${db.index} ${JSON.stringify(key)} ${deadline} ${content(engine, db.index, key, value)}`);
    });
  }
  return lines.sort();
}

function content(engine: Engine, db: number, key: string, value: Value): string {
  if (typeof value !== 'object' || value instanceof RawString)
    return `string ${JSON.stringify(String(value))}`;
  if (value instanceof HashValue) {
    // The order of fields is not data: each stays with its value.
    const pairs = Array.from({ length: value.size }, (_, i) =>
      JSON.stringify([value.fieldAt(i), value.valueAt(i)]),
    );
    return `hash ${pairs.sort().join(' ')}`;
  }
  const read: Record<string, string[]> = {
    list: ['LRANGE', key, '0', '-1'],
    set: ['SMEMBERS', key],
    zset: ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
    stream: ['DUMP', key],
  };
  const session = engine.connect(deaf);
  session.db = engine.space.dbs[db];
  const reply = engine.execute(session, read[value.type]) as Reply;
  engine.disconnect(session);
  if (value instanceof ListValue || value.type === 'stream') return `${value.type} ${encode(reply, 2)}`;
  const parts = encode(reply, 2).split('\r\n').slice(1);
  return `${value.type} ${parts.sort().join(' ')}`;
}

interface Run {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  execute(conn: number, args: string[]): Reply;
}

function start(): Run {
  const clock = new VirtualClock();
  const engine = new Engine({ clock, seed: SEED });
  const sessions: Session[] = Array.from({ length: CONNECTIONS }, () => engine.connect(deaf));
  return {
    engine,
    clock,
    execute(conn, args) {
      let session = sessions[conn];
      // A generated program may end its session (QUIT, CLIENT KILL) or leave it waiting: go on with a new one.
      if (session.closing || session.isBlocked || !engine.sessions.has(session.id)) {
        engine.disconnect(session);
        session = sessions[conn] = engine.connect(deaf);
      }
      return engine.execute(session, args);
    },
  };
}

function* randomSteps(round: number) {
  for (const step of generateRound(SEED, round, pickFamilies(FAMILIES), STEPS).steps) {
    if (step.kind === 'sleep') yield { step, sleep: step.ms };
    if (step.kind === 'cmd' && !/^(debug|shutdown)$/i.test(step.args[0])) yield { step, sleep: 0 };
  }
}

const replay = `EFFECTS_SEED=${SEED} npx vitest run test/effects`;

describe('effects', () => {
  it('the log alone rebuilds the data', () => {
    let logged = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const original = start();
      const copy = new Engine({ clock: original.clock, seed: 1 });
      copy.space.mayExpire = false;
      const session = copy.connect(deaf);
      original.engine.effects.onUnit = (ops) => {
        for (const { db, args } of ops) {
          logged++;
          session.db = copy.space.dbs[db];
          const reply = copy.execute(session, args);
          const text = reply instanceof Block ? '-blocked' : encode(reply, 2);
          if (text.startsWith('-'))
            throw new Error(`log: ${JSON.stringify(args)} answered ${text} (${replay})`);
        }
      };
      let last = '';
      let count = 0;
      for (const { step, sleep } of randomSteps(round)) {
        if (sleep > 0) original.clock.advance(sleep);
        else if (step.kind === 'cmd') {
          last = showStep(step);
          original.execute(step.conn, step.args);
        }
        if (++count % 40 !== 0) continue;
        // What has expired is deleted by the original's own DELs: purge both views before they are compared.
        original.engine.purge();
        expect(contents(copy), `round ${round}, after ${last}: ${replay}`).toEqual(contents(original.engine));
      }
      original.engine.stop();
    }
    expect(logged).toBeGreaterThan(1000);
  });

  it('no command changes a key that it does not declare', () => {
    let checked = 0;
    for (let round = 100; round < 100 + ROUNDS; round++) {
      const { engine, clock, execute } = start();
      const changed: [key: string, event: string][] = [];
      engine.space.sink = (_db, key, event) => changed.push([key, event]);
      for (const { step, sleep } of randomSteps(round)) {
        if (sleep > 0) clock.advance(sleep);
        changed.length = 0;
        if (step.kind !== 'cmd') continue;
        execute(step.conn, step.args);
        let entry = engine.table.find(step.args[0]);
        entry = entry?.subcommands?.get(step.args[1]?.toLowerCase()) ?? entry;
        // EXEC and scripts run other commands' rows; expiry and waiters that are served are units of others.
        if (
          entry === undefined ||
          changed.length === 0 ||
          /^(exec|eval|evalsha|flushall|flushdb|swapdb)$/.test(entry.name)
        )
          continue;
        const declared = (keyPositions(entry.row, step.args) ?? [])
          .filter(({ flags }) => flags.some((flag) => ['RW', 'OW', 'RM'].includes(flag)))
          .map(({ at }) => step.args[at]);
        for (const [key, event] of changed) {
          if (event === 'expired' || declared.includes(key)) {
            checked++;
            continue;
          }
          if (servedAWaiter(event)) continue;
          throw new Error(
            `${showStep(step)} changed ${JSON.stringify(key)} (${event}) undeclared: ${replay}`,
          );
        }
      }
      engine.stop();
    }
    expect(checked).toBeGreaterThan(1000);
  });
});

// A push may serve a waiting pop, whose effects follow in the same call.
function servedAWaiter(event: string): boolean {
  return /^([lr]pop|[lr]push|zpopmin|zpopmax|del)$/.test(event);
}
