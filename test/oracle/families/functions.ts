// FUNCTION, FCALL and FCALL_RO: libraries that come and go, functions with state, payloads of FUNCTION RESTORE.
// Called by generate.ts.

import {
  alt,
  counted,
  expand,
  type Family,
  type Gen,
  many,
  opt,
  type Part,
  pattern,
  value,
} from '../grammar.ts';
import { sealed } from '../payloads.ts';
import { command, type Step } from '../steps.ts';

const LIBRARIES = ['lib1', 'lib2', 'lib3', 'Lib1'];
const FUNCTIONS = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'F1'];
const FLAGS = ['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys', 'No-Writes'];

const HEADERS = [
  ...[
    '#!lua',
    '#!js name=lib1',
    '#!lua name=lib1 name=lib2',
    '#!lua name=a-b',
    '#!lua name=',
    '#!LUA NAME=lib2',
  ],
  ...[
    '#!lua name="lib1"',
    "#!lua 'name=lib2'",
    '#!lua name=lib1 x=1',
    '#! name=lib1',
    '#!lua name="lib1',
    '',
  ],
  ...['#!lua name=lib1\t ', '#!lua  "name=\\x6cib3"', '#!lua name=lib1\x00', 'x', '#!"lua" name=lib1'],
];

/** What stands before the functions. Nothing of it is the same in every library: functions share it. */
const LIBRARY_LOCALS = [
  ...[
    '',
    '',
    'local n = 10',
    'local list = {}',
    'local r, log = redis, redis.log',
    'local s = ("ab"):rep(2)',
  ],
  ...['local function helper(x) return redis.call("get", x) end', 'redis.log(redis.LOG_DEBUG, "loading")'],
];

const BODIES = [
  // Results
  ...[
    'return {keys, args}',
    'return #keys + #args',
    'return args[1]',
    'return 3.99',
    'return -3.99',
    'return true',
  ],
  ...['return false', 'return nil', 'return', 'return {1, 2, nil, 4}', 'return {a = 1}', 'return {{}, {{}}}'],
  ...['return {err = "My err"}', 'return {ok = "fine"}', 'return {double = 3.5}', 'return {map = {a = 1}}'],
  ...[
    'return redis.status_reply("fine")',
    'return redis.error_reply(args[1] or "bad")',
    'return print == nil',
  ],
  'redis.setresp(3) return {true, {double = 0.5}, {set = {a = true}}, {big_number = "123"}}',
  // State
  ...['n = (n or 0) + 1 return n', 'if list then list[#list + 1] = args[1] end return list', 'return s'],
  'local t = {} for i = 1, 5 do t[i] = i * i end return table.concat(t, ",")',
  // Commands
  ...[
    'return redis.call("get", keys[1] or "s:0")',
    'return redis.call("set", keys[1] or "s:0", args[1] or "v")',
  ],
  ...['return redis.call("incr", keys[1] or "s:1")', 'return redis.pcall("incr", keys[1] or "s:1")'],
  ...[
    'return redis.call("lrange", keys[1] or "l:0", 0, -1)',
    'return redis.call("rpush", "l:0", unpack(args))',
  ],
  ...['return redis.pcall("hset", keys[1] or "h:0", "f", #args)', 'return redis.call("del", unpack(keys))'],
  ...[
    'return {redis.call("type", "s:0"), redis.call("exists", "l:0", "h:0")}',
    'return helper and helper("s:0")',
  ],
  ...['redis.call("select", "1") return redis.call("set", "s:2", "in1")', 'return redis.call("type", "s:2")'],
  ...['redis.call("set", "s:3", "x") return redis.call("lpush", "s:3", "y")', 'return redis.call()'],
  ...[
    'return redis.call("nosuch", "x")',
    'return redis.call("get")',
    'return redis.call("fcall", "f1", "0")',
  ],
  ...[
    'return redis.call("multi")',
    'return redis.call("publish", "ch", "m")',
    'return redis.call("get", {})',
  ],
  'local ok, e = pcall(redis.call, "lpush", "s:0", "x") return {tostring(ok), tostring(e)}',
  // Errors, and what is not there
  ...[
    'error("boom")',
    'error({err = "My boom"})',
    'error("boom", 0)',
    'error()',
    'return nothing.here',
    'x = 1',
  ],
  ...[
    'return KEYS',
    'return ARGV[1]',
    'return _G.nothing',
    'redis.x = 1',
    'string.x = 1',
    'keys[1] = "k" return keys',
  ],
  ...[
    'return r and r.call("get", "s:0")',
    'return redis.register_function("late", function() end)',
    'return args.x.y',
  ],
  ...['return r and r.register_function("late", function() end)', 'return tostring(redis.register_function)'],
  ...['log(redis.LOG_DEBUG, "called")', 'return redis.sha1hex(args[1] or "")', 'return redis.breakpoint()'],
];

/** What makes FUNCTION LOAD fail, in place of a registration. */
const BROKEN = [
  ...[
    'x x x',
    'redis.register_function()',
    'redis.register_function("f1")',
    'redis.register_function("f1", 1)',
  ],
  ...['redis.register_function("f-1", function() end)', 'redis.register_function({}, function() end)'],
  ...['redis.register_function{}', 'redis.register_function{function_name = "f1"}', 'redis.call("get", "x")'],
  ...['redis.register_function{function_name = "f1", callback = 1}', 'redis.register_function{1}', 'y = 1'],
  'redis.register_function{function_name = "f1", callback = function() end, flags = {"bogus"}}',
  'redis.register_function{function_name = "f1", callback = function() end, flags = "no-writes"}',
  'redis.register_function{function_name = "f1", callback = function() end, description = {}}',
  'redis.register_function{function_name = "f1", callback = function() end, more = 1}',
  'redis.register_function("f1", function() end) redis.register_function("f1", function() end)',
  ...[
    'return math.pi',
    'return KEYS',
    'error("boom")',
    'local t = {} t.x.y = 1',
    'redis.log(9, "x")',
    'redis.log(1)',
  ],
  ...['return redis.nothing', 'redis.x = 1', 'local x = redis[true]', 'for i = 1, 3 do end', 'return ("x")'],
];

function registration(g: Gen, name: string): string {
  const r = g.random;
  const body = `function(keys, args) ${r.pick(BODIES)} end`;
  if (r.chance(0.5)) return `redis.register_function("${name}", ${body})`;
  const fields = [`function_name = "${name}"`, `callback = ${body}`];
  if (r.chance(0.4)) fields.push(`description = ${r.pick(['"what it does"', '12', '""', '"a\\0b\\r\\n"'])}`);
  if (r.chance(0.6)) {
    const flags = r.shuffle(FLAGS).slice(0, r.int(0, 3));
    fields.push(`flags = {${flags.map((flag) => `"${flag}"`).join(', ')}}`);
  }
  return `redis.register_function{${r.shuffle(fields).join(', ')}}`;
}

/** Two functions of one library whose names differ in case only would kill Redis 7.0 when the library goes. */
function names(g: Gen): string[] {
  const seen = new Set<string>();
  return g.random
    .shuffle(FUNCTIONS)
    .slice(0, g.random.int(1, 3))
    .filter((name) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}

function library(g: Gen): string {
  const r = g.random;
  const header = r.chance(0.92) ? `#!lua name=${r.pick(LIBRARIES)}` : r.pick(HEADERS);
  const lines = r.chance(0.92) ? names(g).map((name) => registration(g, name)) : [r.pick(BROKEN)];
  const padding = r.chance(0.1) ? [`-- ${'a long comment '.repeat(r.int(1, 40))}`] : [];
  const end = r.chance(0.97) ? '\n' : '';
  return [header, ...padding, r.pick(LIBRARY_LOCALS), ...r.shuffle(lines)].join('\n') + end;
}

const code: Part = (g) => [library(g)];
const libraryName: Part = (g) => [g.random.pick([...LIBRARIES, 'nosuch', ''])];
const functionName: Part = (g) => [
  g.random.chance(0.94) ? g.random.pick(FUNCTIONS) : g.random.pick(['nosuch', '', 'F3', '12']),
];
const keys = counted(0, 3, alt('s:0', 's:1', 'l:0', 'h:0', 's:3'));

// ---- payloads

function payload(g: Gen): string {
  const r = g.random;
  let body = '';
  for (let n = r.int(0, 3); n > 0; n--) {
    const text = library(g);
    const length =
      text.length < 64
        ? String.fromCharCode(text.length)
        : String.fromCharCode(0x40 | (text.length >> 8), text.length & 255);
    body += `\xf5${length}${text}`;
  }
  if (r.chance(0.08))
    body += r.pick(['\xf5', '\xf5\x20abc', '\x00\x01a', '\xf5\xc0\x05', '\xf5\xc3\x05\x10abcde']);
  const whole = sealed(body, r.pick([10, 10, 10, 9, 0, 12]));
  return r.chance(0.93) ? whole : whole.slice(0, r.int(0, whole.length));
}

const policy = opt(0.8, alt('FLUSH', 'APPEND', 'REPLACE', 'REPLACE', opt(0.2, 'bogus')));

/** A library and calls of what it may have brought, some of them inside MULTI. */
function loadAndCall(g: Gen): Step[] {
  const r = g.random;
  const { conn } = g;
  const call = (): string[] => [
    r.chance(0.7) ? 'FCALL' : 'FCALL_RO',
    ...expand([functionName, keys, many(0, 2, value)], g),
  ];
  const steps: Step[] = [];
  const multi = r.chance(0.3) && !g.inMulti;
  if (multi) steps.push(command(conn, 'MULTI'));
  steps.push(command(conn, 'FUNCTION', 'LOAD', ...(r.chance(0.8) ? ['REPLACE'] : []), library(g)));
  for (let n = r.int(1, 5); n > 0; n--) steps.push(command(conn, ...call()));
  if (multi) steps.push(command(conn, 'EXEC'));
  steps.push(command(conn, 'FUNCTION', 'LIST', 'WITHCODE'), command(conn, 'FUNCTION', 'STATS'));
  return steps;
}

export const functions: Family = {
  name: 'functions',
  commands: {
    FCALL: [8, functionName, keys, many(0, 3, value)],
    FCALL_RO: [4, functionName, keys, many(0, 3, value)],
    'FUNCTION LOAD': [3, opt(0.7, 'REPLACE'), opt(0.02, 'bogus'), code],
    'FUNCTION DELETE': [1, libraryName],
    'FUNCTION FLUSH': [0.2, opt(0.5, alt('ASYNC', 'SYNC', 'bogus'))],
    'FUNCTION LIST': [
      1,
      opt(0.5, 'LIBRARYNAME', opt(0.95, alt(pattern, 'lib*', 'LIB1', 'lib[1-2]'))),
      opt(0.5, 'WITHCODE'),
      opt(0.05, 'bogus'),
    ],
    'FUNCTION STATS': [1],
    'FUNCTION DUMP': [1],
    'FUNCTION RESTORE': [1, (g) => [payload(g)], policy],
    'FUNCTION KILL': [0.3],
  },
  scenarios: [{ weight: 4, make: loadAndCall }],
};
