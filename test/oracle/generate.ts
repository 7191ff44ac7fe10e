// Turns (seed, round) into the steps of that round: always the same ones, so that every difference can be
// replayed. A round leans on one family, mixes in the others, and damages some arguments. Called by run.ts.

import { families as allFamilies } from './families/index.ts';
import { expand, type Family, type Gen, type Part } from './grammar.ts';
import { Random } from './random.ts';
import { command, type Step } from './steps.ts';

export const CONNECTIONS = 6;
/** Connections that take part in everything; the two behind them listen to messages. */
const SPEAKERS = 4;
const RESP3 = [2, 3, 5];
const WALK_EVERY = 500;
const PING_EVERY = 40;

interface Entry {
  name: string;
  weight: number;
  parts: readonly Part[];
}

export interface RoundPlan {
  steps: Step[];
  focus: string;
  events: boolean;
}

export function pickFamilies(names: readonly string[] | null): Family[] {
  if (names === null) return [...allFamilies];
  return names.map((name) => {
    const family = allFamilies.find((f) => f.name === name);
    if (family === undefined)
      throw new Error(`unknown family '${name}'; there are ${allFamilies.map((f) => f.name).join(', ')}`);
    return family;
  });
}

export function generateRound(
  seed: number,
  round: number,
  families: readonly Family[],
  length: number,
): RoundPlan {
  const random = new Random(seed, round);
  const withCommands = families.filter((family) => Object.keys(family.commands).length > 0);
  const focus = withCommands[round % withCommands.length]!;
  const lean = (family: Family): number => (family === focus ? 5 : 1) / weightOf(family);
  const entries: Entry[] = withCommands.flatMap((family) =>
    Object.entries(family.commands).map(([name, [weight, ...parts]]) => ({
      name,
      weight: weight * lean(family),
      parts,
    })),
  );
  const scenarios = withCommands.flatMap((family) =>
    (family.scenarios ?? []).map((s) => ({ make: s.make, weight: s.weight * lean(family) })),
  );
  const commandWeight = entries.reduce((sum, e) => sum + e.weight, 0);
  const scenarioWeight = scenarios.reduce((sum, s) => sum + s.weight, 0);
  const events = families.some((f) => f.name === 'events') && round % 2 === 1;
  const steps: Step[] = [];
  const later: { at: number; steps: Step[] }[] = [];
  const inMulti = new Array<boolean>(CONNECTIONS).fill(false);

  const gen: Gen = {
    random,
    connections: CONNECTIONS,
    conn: 0,
    inMulti: false,
    any() {
      const usable = (e: Entry): number => (e.name.startsWith('COMMAND GETKEYS') ? 0 : e.weight);
      const entry = random.weighted(entries, usable);
      return [...spelled(entry.name, random), ...expand(entry.parts, this)];
    },
    later(distance, ...list) {
      later.push({ at: steps.length + distance, steps: list });
    },
  };

  function add(given: Step): void {
    const step = framed(given, inMulti);
    steps.push(step);
    if (step.kind === 'closed' && !step.maybe) inMulti[step.conn] = false;
    if (step.kind !== 'cmd') return;
    const name = (step.args[0] ?? '').toUpperCase();
    if (name === 'MULTI' && step.args.length === 1) inMulti[step.conn] = true;
    else if (name === 'EXEC' || name === 'QUIT') inMulti[step.conn] = false;
    else if ((name === 'DISCARD' || name === 'RESET') && step.args.length === 1) inMulti[step.conn] = false;
  }

  for (const conn of RESP3) add(command(conn, 'HELLO', '3'));
  if (round % 3 === 2) for (const line of smallEncodings(random)) add(command(0, ...line));
  if (events) {
    add(
      command(
        0,
        'CONFIG',
        'SET',
        'notify-keyspace-events',
        random.pick(['KEA', 'KEA', 'KA', 'EA', 'KElsz', 'KE$ghx']),
      ),
    );
    for (const conn of [SPEAKERS, SPEAKERS + 1]) add(command(conn, 'PSUBSCRIBE', '__key*__:*'));
  }
  const listening = events || families.some((f) => f.name === 'pubsub');
  let nextWalk = WALK_EVERY;
  let nextPing = PING_EVERY;
  while (steps.length < length) {
    if (steps.length >= nextWalk) {
      add({ kind: 'walk' });
      nextWalk += WALK_EVERY;
    }
    if (listening && steps.length >= nextPing) {
      for (const conn of [SPEAKERS, SPEAKERS + 1]) add(command(conn, 'PING', `n${steps.length}`));
      nextPing += PING_EVERY;
    }
    for (let i = later.length - 1; i >= 0; i--) {
      if (later[i]!.at <= steps.length) for (const step of later.splice(i, 1)[0]!.steps) add(step);
    }
    if (random.chance(0.25)) gen.conn = random.chance(0.95) ? random.int(0, SPEAKERS - 1) : SPEAKERS + 1;
    gen.inMulti = inMulti[gen.conn]!;
    if (random.chance(scenarioWeight / (scenarioWeight + commandWeight))) {
      const made = random.weighted(scenarios, (s) => s.weight).make(gen);
      made.forEach((step, i) => {
        add(i === 0 ? step : { ...step, glue: true });
      });
    } else add(command(gen.conn, ...damage(gen.any(), random)));
  }
  for (const { steps: late } of later) late.forEach(add);
  for (let conn = 0; conn < CONNECTIONS; conn++) add(command(conn, 'PING', 'end'));
  add({ kind: 'walk' });
  return { steps, focus: focus.name, events };
}

function weightOf(family: Family): number {
  let sum = 0;
  for (const [weight] of Object.values(family.commands)) sum += weight;
  for (const scenario of family.scenarios ?? []) sum += scenario.weight;
  return sum;
}

function spelled(name: string, random: Random): string[] {
  const words = name.split(' ');
  return random.chance(0.93) ? words : words.map((w) => (random.chance(0.5) ? w.toLowerCase() : w));
}

/** Now and then: an argument lost, doubled, added or replaced. Blocking commands keep their timeout. */
function damage(args: string[], random: Random): string[] {
  if (random.chance(0.95) || args.length === 0) return args;
  const name = args[0]!.toUpperCase();
  if (FRAGILE.has(name)) return args;
  const at = random.int(1, Math.max(1, args.length - 1));
  const out = [...args];
  switch (random.int(0, 3)) {
    case 0:
      out.splice(at, 1);
      break;
    case 1:
      out.splice(at, 0, out[at] ?? 'extra');
      break;
    case 2:
      out.push(random.pick(['extra', '', '0', 'NX']));
      break;
    default:
      if (args.length > 1)
        out[at] = random.pick(['', '0', '-1', 'x', '\x00\xff', '9223372036854775807', '*', '1.5']);
  }
  return out.filter((arg) => arg !== undefined);
}

/**
 * Not damaged: commands that would then choose at random without a follow-up, expire within the round, wait
 * for long, name a member twice (see manyDistinct), print by the gigabyte, or leave the connection without the replies that are counted on.
 */
const FRAGILE = new Set([
  ...['BLPOP', 'BRPOP', 'BLMOVE', 'BRPOPLPUSH', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX', 'BZMPOP', 'WAIT', 'SPOP'],
  ...[
    'SET',
    'SETEX',
    'PSETEX',
    'GETEX',
    'EXPIRE',
    'PEXPIRE',
    'EXPIREAT',
    'PEXPIREAT',
    'CLIENT',
    'QUIT',
    'SORT',
  ],
  ...[
    'HRANDFIELD',
    'SRANDMEMBER',
    'ZRANDMEMBER',
    'SCAN',
    'SORT_RO',
    'SETRANGE',
    'SETBIT',
    'BITFIELD',
    'ZRANK',
  ],
  ...['ZREVRANK', 'CONFIG', 'COMMAND', 'SADD', 'HELLO', 'MULTI', 'EXEC', 'DISCARD', 'RESET'],
]);

/** Small limits, so that a handful of elements already changes the encoding. */
function smallEncodings(random: Random): string[][] {
  const limit = (): string => String(random.int(1, 8));
  return [
    ['CONFIG', 'SET', 'hash-max-listpack-entries', limit()],
    ['CONFIG', 'SET', 'zset-max-listpack-entries', limit()],
    ['CONFIG', 'SET', 'set-max-intset-entries', limit()],
    ['CONFIG', 'SET', 'hash-max-listpack-value', '10'],
    ['CONFIG', 'SET', 'zset-max-listpack-value', '10'],
  ];
}

/**
 * In an EXEC reply each confirmation of a subscribe command is one element, so a command with several channels
 * breaks the frame of the reply (in every version of Redis); and 7.0 writes messages into the EXEC reply, which
 * can be told from elements only under RESP3. The directed cases have the forms that are well defined.
 */
function framed(step: Step, inMulti: readonly boolean[]): Step {
  if (step.kind !== 'cmd' || !inMulti[step.conn]) return step;
  const name = step.args[0]!.toUpperCase();
  const unframed = name.endsWith('SUBSCRIBE') || (name === 'HELLO' && step.conn >= SPEAKERS);
  return unframed ? { ...step, args: ['PING'] } : step;
}
