// EVAL, EVALSHA and SCRIPT: scripts that pass on the commands of other families, scripts put together of calls and
// values, scripts that fail. Called by generate.ts.

import { expand, type Family, type Gen, many, opt, type Part, value } from '../grammar.ts';
import { SINCE_7_2 } from '../rules.ts';
import { digestOf, PASSING } from '../scripts.ts';
import { command, type Step } from '../steps.ts';
import { bitmaps } from './bitmaps.ts';
import { hashes } from './hashes.ts';
import { keys } from './keys.ts';
import { lists } from './lists.ts';
import { sets } from './sets.ts';
import { strings } from './strings.ts';
import { zsets } from './zsets.ts';

// ---- commands of other families

const NEWER = new Set(SINCE_7_2.map((entry) => entry.command));
const INNER = [strings, bitmaps, keys, hashes, lists, sets, zsets].map((family) =>
  Object.entries(family.commands).filter(([name]) => !NEWER.has(name)),
);
const OTHERS: string[][] = [
  ...[['PING'], ['PING', 'x'], ['ECHO', 'x'], ['SELECT', '1'], ['SELECT', '99'], ['TIME'], ['DBSIZE']],
  ...[
    ['PUBLISH', 'ch:1', 'from a script'],
    ['SPUBLISH', 'sch:1', 'from a script'],
    ['SWAPDB', '0', '1'],
  ],
  // What scripts may not call, and what there is not.
  ...[['MULTI'], ['EXEC'], ['WATCH', 's:0'], ['UNWATCH'], ['SUBSCRIBE', 'c'], ['EVAL', 'return 1', '0']],
  ...[
    ['SCRIPT', 'FLUSH'],
    ['CLIENT', 'ID'],
    ['CONFIG', 'GET', 'x'],
    ['CONFIG'],
    ['CONFIG', 'NOSUCH'],
    ['RESET'],
  ],
  ...[['NOSUCH', 'x'], ['GET'], ['OBJECT', 'NOSUCH'], ['OBJECT', 'ENCODING'], ['HELLO', '3'], ['']],
];

function inner(g: Gen): string[] {
  const r = g.random;
  if (r.chance(0.08)) return r.pick(OTHERS);
  const [name, [, ...parts]] = r.weighted(r.pick(INNER), ([, [weight]]) => weight);
  return [...name.split(' '), ...expand(parts, { ...g, inMulti: true })];
}

const passing: Part = (g) => {
  const r = g.random;
  const first = (script: string): string => (r.chance(0.7) ? script : digestOf(script));
  if (r.chance(0.6)) return [first(r.pick(PASSING.one)), '0', ...inner(g)];
  const words: string[] = [];
  for (let n = r.int(0, 5); n > 0; n--) {
    const next = inner(g);
    // Among other replies nobody can tell which members it may have taken, as in MULTI.
    if (next[0] === 'SPOP') continue;
    words.push(String(next.length), ...next);
  }
  return [first(r.pick(PASSING.each)), '0', ...words];
};

// ---- values

const quoted = (text: string): string =>
  `'${[...text]
    .map((c) => (/[\w :.,*()-]/.test(c) ? c : `\\${c.charCodeAt(0).toString().padStart(3, '0')}`))
    .join('')}'`;

const NUMBERS = [
  '0',
  '1',
  '-1',
  '42',
  '3.99',
  '-3.99',
  '2^53',
  '-2^53',
  '2^63',
  '-2^63',
  '1e300',
  '-0.5',
  '1e15',
];
const DOUBLES = ['0.5', '-2.25', '3', '0', '1/0', '-1/0', '1e10'];
const TEXTS = [
  '',
  'x',
  'text',
  'ERR no',
  'CODE text',
  'a\r\nb',
  'a\0b',
  '-x y',
  '\xff\xfe',
  '123',
  'long '.repeat(30),
];

/** An expression without side effects. */
function literal(g: Gen, depth: number): string {
  const r = g.random;
  const text = (): string => quoted(r.pick(TEXTS));
  const inside = (): string => literal(g, depth - 1);
  const list = (most: number): string => Array.from({ length: r.int(0, most) }, inside).join(', ');
  const scalars = [
    () => r.pick(NUMBERS),
    text,
    () => r.pick(['true', 'false', 'nil']),
    () => r.pick(['KEYS', 'ARGV', 'KEYS[1]', 'ARGV[1]', '#ARGV', 'cjson.null', 'tostring']),
  ];
  if (depth === 0) return r.pick(scalars)();
  return r.pick([
    ...scalars,
    () => `{${list(4)}}`,
    () => `{${list(3)}}`,
    () => `{ok = ${text()}}`,
    () => `{err = ${text()}}`,
    () => `redis.${r.pick(['status', 'error'])}_reply(${r.chance(0.9) ? text() : inside()})`,
    () => `{double = ${r.pick(DOUBLES)}}`,
    () => `{big_number = ${text()}}`,
    () =>
      `{verbatim_string = {string = ${text()}, format = ${r.pick(["'txt'", "'mkd'", "'x'", "'longer'", '5'])}}}`,
    () => `{map = {${r.pick(['k', 'key', 'a1'])} = ${inside()}, [${r.int(1, 3)}] = ${inside()}}}`,
    () => `{map = {[${text()}] = ${inside()}}}`,
    () => `{set = {m = true, [${r.int(1, 9)}] = ${r.pick(['true', 'false', "'x'"])}}}`,
    () => `{${r.pick(['ok', 'err', 'double', 'map', 'set', 'a'])} = ${inside()}, ${inside()}}`,
  ])();
}

// ---- scripts put together

const NAMES = ['s:0', 's:1', 's:2', 'l:0', 'h:0', 'missing'];

/** A command whose reply says all in every encoding; as Lua arguments. */
function call(g: Gen): string {
  const r = g.random;
  const k = `'${r.pick(NAMES)}'`;
  return r.pick([
    () => `'get', ${k}`,
    () => `'set', ${k}, ${r.pick(['1', "'x'", '10', 'ARGV[1]', '1e15', '2^40'])}`,
    () => `'incr', ${k}`,
    () => `'incrby', ${k}, ${r.pick(['5', "'-3'", '2^31', '3'])}`,
    () => `'append', ${k}, 'y'`,
    () => `'strlen', ${k}`,
    () => `'rpush', ${k}, 'a', 2, 'c'`,
    () => `'lrange', ${k}, 0, -1`,
    () => `'lpop', ${k}`,
    () => `'del', ${k}`,
    () => `'exists', ${k}`,
    () => `'type', ${k}`,
    () => `'hset', ${k}, 'f', 'v'`,
    () => `'hget', ${k}, 'f'`,
    () => `'hmget', 'h:0', 'f', 'nosuch'`,
    () => `'mget', 's:0', ${k}, 's:1'`,
    () => `'expire', ${k}, 5000`,
    () => `'persist', ${k}`,
    () => `'ping'`,
    () => `'select', ${r.int(0, 1)}`,
    () =>
      r.pick(["'nosuch'", "'get'", "'get', {}", "'get', nil", "'get', true", '', "'multi'", "'config', 'x'"]),
  ])();
}

function statements(g: Gen): string {
  const r = g.random;
  const lines: string[] = [];
  const known: string[] = [];
  const some = (): string => (known.length > 0 ? r.pick(known) : '1');
  for (let n = r.int(1, 6); n > 0; n--) {
    const v = `r${known.length}`;
    const raising = r.chance(0.25) ? 'call' : 'pcall';
    const line = r.pick([
      () => `local ${v} = redis.${raising}(${call(g)})`,
      () => `local ${v} = redis.${raising}(${call(g)})`,
      () => `local ok, ${v} = pcall(redis.call${`, ${call(g)}`.replace(/, $/, '')})`,
      () => `local ${v} = select(2, pcall(function() return redis.call(${call(g)}) end))`,
      () => `local ok, ${v} = xpcall(function() return redis.call(${call(g)}) end, function(e) return e end)`,
      () => `local ${v} = {pcall(error, ${literal(g, 1)})}`,
      () => `local ${v} = ${literal(g, 2)}`,
      () => `local ${v} = type(${some()})`,
      () => `local ${v} = type(${known[0] ?? 'KEYS'}) == 'table' and #${known[0] ?? 'KEYS'} == 3`,
      () => `local ${v} = {redis.pcall(${call(g)}), redis.pcall(${call(g)})}`,
      () => `local ${v} = cjson.encode({${r.int(0, 9)}, 'x', {a = true}})`,
      () => `local ${v} = cjson.decode('${r.pick(['[1,2,{"a":null}]', '{"ok":"x"}', '[]', '[true', '5'])}')`,
      () => `local ${v} = redis.sha1hex(${r.pick(["''", "'x'", '12', 'ARGV[1]'])})`,
      () => `local ${v} = redis.acl_check_cmd(${call(g)})`,
      () => `redis.setresp(${r.pick(['2', '3', '3', '3', "'2'", '4'])}) local ${v} = 0`,
      () =>
        `local ${v} = {} for k, x in pairs(${r.pick(['ARGV', 'KEYS', `redis.pcall('lpop', 's:0')`])}) do ${v}[#${v} + 1] = tostring(k) end`,
      () =>
        `local ${v} = 0 for i = 1, 4 do ${v} = ${v} + redis.call('rpush', 'l:3', i) end redis.call('del', 'l:3')`,
      () => `if type(${some()}) == 'table' and ${some()}.err then return ${some()} end local ${v} = 1`,
    ])();
    lines.push(line);
    known.push(v);
  }
  const ends: [weight: number, make: () => string][] = [
    [10, () => `return {${known.join(', ')}}`],
    [6, () => `return ${some()}`],
    [4, () => `return {${known.map((v) => `{${v}}`).join(', ')}}`],
    [3, () => `return ${literal(g, 3)}`],
    [
      1,
      () =>
        `error(${r.pick([quoted(r.pick(TEXTS)), `{err = ${quoted(r.pick(TEXTS))}}`, '5', 'true', 'nil'])})`,
    ],
    [1, () => `return ${some()}.x.y`],
    [1, () => `return ${r.pick(['unknown', '_G.unknown', 'KEYS.x', 'redis.nosuch()'])}`],
    [1, () => r.pick(['unknown = 1', 'redis.x = 1', 'KEYS = 1', 'string.x = 1', 'rawset(_G, 1, 1)'])],
  ];
  lines.push(r.weighted(ends, ([weight]) => weight)[1]());
  return lines.join(r.chance(0.8) ? '\n' : ' ');
}

const SHEBANGS = [
  ...['#!lua\n', '#!lua flags=no-writes\n', '#!lua flags=allow-oom,no-cluster\n', '#!lua flags=\n'],
  ...[
    '#!lua flags=bogus\n',
    '#!lua name=x\n',
    '#!js\n',
    '#!lua',
    '#! lua\n',
    '#!lua "flags=no-writes"\n',
    '#!\n',
  ],
];

const script: Part = (g) => {
  const r = g.random;
  const body = r.chance(0.5) ? statements(g) : `return ${literal(g, 3)}`;
  if (r.chance(0.02)) return [r.pick(['return', '', 'bad code', 'return (', 'x =', '\x1bLua', "return '\\"])];
  return [r.chance(0.12) ? r.pick(SHEBANGS) + body : body];
};

const counted: Part = (g) => {
  const r = g.random;
  if (r.chance(0.04)) return [r.pick(['-1', 'x', '9', '', '1.5']), ...expand([many(0, 2, value)], g)];
  const keyCount = r.int(0, 2);
  const names = Array.from({ length: keyCount }, () => r.pick(NAMES));
  return [String(keyCount), ...names, ...expand([many(0, 2, value)], g)];
};

const SHORT = [
  'return 1',
  'return KEYS',
  'return ARGV',
  "return redis.call('get', KEYS[1])",
  'return {ok = ARGV[1]}',
];
const digest: Part = (g) => {
  const r = g.random;
  const known = digestOf(r.pick([...SHORT, ...PASSING.one]));
  return [r.weighted([known, known.toUpperCase(), 'x', '0'.repeat(40)], (d) => (d === known ? 10 : 1))];
};
const short: Part = (g) => [g.random.pick([...SHORT, ...PASSING.one])];

/** Somebody watches what a script changes, or waits for it; the script may be in a transaction itself. */
function among(g: Gen): Step[] {
  const r = g.random;
  const { conn } = g;
  const steps: Step[] = [];
  const other = (conn + 1) % 4;
  const run = (who: number): Step => command(who, 'EVAL', ...expand([passing], g));
  if (g.inMulti) return [run(conn)];
  if (r.chance(0.5)) {
    steps.push(command(conn, 'WATCH', 's:0', 'l:0'), run(r.chance(0.3) ? conn : other));
  }
  steps.push(command(conn, 'MULTI'));
  for (let n = r.int(1, 3); n > 0; n--) {
    steps.push(r.chance(0.7) ? run(conn) : command(conn, 'EVAL', ...expand([script, counted], g)));
  }
  steps.push(command(conn, 'EXEC'));
  return steps;
}

export const scripting: Family = {
  name: 'scripting',
  commands: {
    EVAL: [12, passing],
    EVALSHA: [3, passing],
    EVAL_RO: [3, passing],
    EVALSHA_RO: [1, digest, counted],
    'SCRIPT LOAD': [2, short, opt(0.03, value)],
    'SCRIPT EXISTS': [2, many(1, 3, digest)],
    'SCRIPT FLUSH': [0.1, opt(0.5, (g) => [g.random.pick(['ASYNC', 'SYNC', 'bogus'])])],
    'SCRIPT KILL': [0.1],
    'SCRIPT bogus': [0.1],
  },
  scenarios: [
    { weight: 12, make: (g) => [command(g.conn, 'EVAL', ...expand([script, counted], g))] },
    { weight: 2, make: (g) => [command(g.conn, 'EVAL_RO', ...expand([script, counted], g))] },
    { weight: 2, make: (g) => [command(g.conn, 'EVALSHA', ...expand([digest, counted], g))] },
    { weight: 3, make: among },
  ],
};
