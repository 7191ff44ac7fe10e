// Every Lua script of the toolkit by itself: state before, one call, exact reply, exact state after, on the embedded
// engine (with a clock that stands still, so that times are exact) and on redis-server, as raw commands.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptTexts } from '../../scripts/lua.ts';
import { open, VirtualClock } from '../../src/index.ts';
import * as toolkit from '../../src/workflows/index.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { type Value, Wire } from '../support/wire.ts';
import { type Expected, evalOf, type Fixture, type Words } from './fixtures/fixture.ts';
import { FIXTURES } from './fixtures/index.ts';

const DAY_MS = 86_400_000;
/** How late redis-server may be behind the clock that the fixture was made with. */
const SLACK_MS = 5000;

/** An engine to run fixtures on. */
interface Target {
  call(words: Words): Promise<unknown>;
  now(): Promise<number>;
  /** Whether its clock stands still. */
  readonly exact: boolean;
}

const monthOf = (now: number, months: number): number =>
  Date.UTC(new Date(now).getUTCFullYear(), new Date(now).getUTCMonth() + months, 1);

/** Each kind of time: its value, and how far a clock that goes on may take it (microseconds count by the thousand). */
const TIMES: Readonly<Record<string, { of(now: number, by: number): number; drift: number }>> = {
  at: { of: (now, by) => now + by, drift: SLACK_MS },
  micros: { of: (now, by) => (now + by) * 1000, drift: SLACK_MS * 1000 },
  left: { of: (_, by) => by, drift: -SLACK_MS },
  dayAt: { of: (now, by) => now - (now % DAY_MS) + by, drift: 0 },
  dayMicros: { of: (now, by) => (now - (now % DAY_MS) + by) * 1000, drift: 0 },
  dayLeft: { of: (now, by) => DAY_MS - (now % DAY_MS) + by, drift: -SLACK_MS },
  day: { of: (now, by) => Math.floor(now / DAY_MS) + by, drift: 0 },
  monthAt: { of: monthOf, drift: 0 },
  monthLeft: { of: (now, by) => monthOf(now, 1) - now + by, drift: -SLACK_MS },
};
const TIME = /<(\w+):(-?\d+)>/g;

function timed(text: string, now: number): string {
  return text.replace(TIME, (_, kind: string, by: string) => String(TIMES[kind].of(now, Number(by))));
}

function wordsAt(words: Words, now: number): Words {
  return words.map((word) => (typeof word === 'string' ? timed(word, now) : word));
}

/** What was expected, with the times of the answer where those are near enough. */
function settled(expected: Expected, actual: unknown, now: number, exact: boolean): unknown {
  if (expected === null || typeof expected === 'number') return expected;
  if (typeof expected === 'string') {
    return !exact && typeof actual === 'string' && isNear(expected, actual, now)
      ? actual
      : timed(expected, now);
  }
  if ('int' in expected) {
    const near = !exact && typeof actual === 'number' && isNear(expected.int, String(actual), now);
    return near ? actual : Number(timed(expected.int, now));
  }
  const items = Array.isArray(actual) ? actual : [];
  return expected.map((item, i) => settled(item, items[i], now, exact));
}

function isNear(expected: string, actual: string, now: number): boolean {
  const times = [...expected.matchAll(TIME)];
  const plain = expected.split(/<\w+:-?\d+>/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const found = new RegExp(`^${plain.join('(-?\\d+)')}$`, 's').exec(actual);
  return (
    found !== null &&
    times.every(([, kind, by], i) => {
      const { of, drift } = TIMES[kind];
      const off = Number(found[i + 1]) - of(now, Number(by));
      return off >= Math.min(drift, 0) && off <= Math.max(drift, 0);
    })
  );
}

async function run(target: Target, fixture: Fixture): Promise<void> {
  const now = await target.now();
  const call = (words: Words): Promise<unknown> => target.call(wordsAt(words, now));
  await target.call(['FLUSHALL']);
  for (const words of fixture.given) await call(words);
  const answer = await call(evalOf(fixture.script, fixture.keys, fixture.argv, fixture.effect));
  expect(answer).toEqual(settled(fixture.answers, answer, now, target.exact));
  for (const [words, expected] of fixture.leaves) {
    const state = await call(words);
    expect([words, state]).toEqual([words, settled(expected, state, now, target.exact)]);
  }
}

async function engine(): Promise<Target> {
  // Within a second, so that a script that forgets the fraction is found out.
  const clock = new VirtualClock(1_700_000_000_123);
  const db = await open({ clock });
  return { call: async (words) => db.resp2(words), now: async () => clock.now(), exact: true };
}

function plainOf({ kind, text, items }: Value): unknown {
  if (kind === 'error') throw new Error(text);
  if (kind === 'int') return Number(text);
  if (kind === 'nullbulk' || kind === 'nullarray') return null;
  return kind === 'array' ? items.map(plainOf) : text;
}

const name = ({ script, says }: Fixture): string => `${script}: ${says}`;

describe('on the engine', () => {
  it.each(FIXTURES.map((fixture) => [name(fixture), fixture] as const))('%s', async (_, fixture) => {
    await run(await engine(), fixture);
  });
});

describe.runIf(oracleAvailable())('on redis-server', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let wire: Wire;
  const redis: Target = {
    call: async (words) => plainOf(await wire.call(...words)),
    async now() {
      for (;;) {
        const { items } = await wire.call('TIME');
        const now = Number(items[0].text) * 1000 + Math.floor(Number(items[1].text) / 1000);
        // A day must not end amid a fixture.
        if (DAY_MS - (now % DAY_MS) > 1000) return now;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    },
    exact: false,
  };
  beforeAll(async () => {
    server = await startRedis();
    wire = await Wire.open({ port: server.port });
  });
  afterAll(async () => {
    wire.close();
    await server.stop();
  });
  it.each(FIXTURES.map((fixture) => [name(fixture), fixture] as const))('%s', async (_, fixture) => {
    await run(redis, fixture);
  });
});

/** All scripts that the workflows declare. Several may have the same text. */
const declared = Object.values(toolkit)
  .filter(toolkit.isWorkflowCard)
  .flatMap(({ operations }) => Object.values(operations).flatMap(({ script }) => script ?? []));

/** Statuses that a script declares and that no fixture can reach, each with the reason. */
const UNREACHED: Readonly<Record<string, string>> = {
  'placement_enter_v1 off_map': 'the map is known to the caller, who asks no script about such a cell',
  'placement_move_v1 off_map': 'the map is known to the caller, who asks no script about such a cell',
  'rate_token_bucket_take_v1 request_reused':
    'a plain take has no request id; it shares its declaration with rate_token_bucket_take_once_v1',
};

describe('all scripts', () => {
  it('have two fixtures at least, of different names', () => {
    const few = [...scriptTexts().keys()].filter(
      (script) => FIXTURES.filter((fixture) => fixture.script === script).length < 2,
    );
    expect(few).toEqual([]);
    expect(new Set(FIXTURES.map(name)).size).toBe(FIXTURES.length);
  });

  it('have a fixture for every status that is declared, but for those with a reason', () => {
    const reached = new Set(FIXTURES.map(({ script, answers }) => `${script} ${(answers as Words)[0]}`));
    const missing = [...scriptTexts()].flatMap(([script, text]) => {
      const replies = declared.filter(({ spec }) => spec.lua === text).map(({ spec }) => spec.reply);
      const statuses = new Set(replies.flatMap((reply) => Object.keys(reply)));
      return [...statuses].map((status) => `${script} ${status}`).filter((one) => !reached.has(one));
    });
    expect(missing.sort()).toEqual(Object.keys(UNREACHED).sort());
  });

  it('answer what some declaration of theirs can read', async () => {
    const texts = scriptTexts();
    // Around a user's effect the user declares the answers.
    for (const fixture of FIXTURES.filter(({ effect }) => effect === undefined)) {
      const target = await engine();
      const now = await target.now();
      for (const words of fixture.given) await target.call(wordsAt(words, now));
      const words = wordsAt(evalOf(fixture.script, fixture.keys, fixture.argv, fixture.effect), now);
      const answer = (await target.call(words)) as toolkit.Answer[];
      const scripts = declared.filter(
        ({ spec }) => spec.lua === texts.get(fixture.script) && Object.hasOwn(spec.reply, String(answer[0])),
      );
      expect(scripts.map((script) => script.decode(answer).outcome.status)[0], name(fixture)).toBe(answer[0]);
    }
  });
});
