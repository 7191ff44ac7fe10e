// Attempts to reach JavaScript from Lua: programs made of hostile names, texts and sizes, token soup, mutated valid
// programs, and natives called with arguments they do not expect. Called by run.ts (for long) and
// lua-escape.test.ts (in short). What must hold after each program:
// - it ends with values or an error of Lua's, in both forms; nothing else is thrown;
// - every value that comes out is a Lua value, through and through;
// - the JavaScript that was compiled for it holds no name but those that the compilers use;
// - the built-in objects of JavaScript are as they were.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Random } from '../../src/engine/ports.ts';
import { HoldfastError, open } from '../../src/index.ts';
import { Coroutine } from '../../src/lua/driver.ts';
import { RUNTIME_NAMES } from '../../src/lua/emitter.ts';
import {
  all,
  begin,
  callLua,
  compile,
  LuaError,
  type LuaFunction,
  type LuaResult,
  LuaState,
  LuaTable,
  type LuaValue,
  NeedsSuspendable,
  NOTHING,
  native,
  openLibraries,
  resume,
  Userdata,
} from '../../src/lua/index.ts';
import { MathRandom } from '../../src/lua/lib-math.ts';
import { PROBE } from '../../src/lua/requests.ts';
import { FORM } from '../../src/lua/value.ts';

// ---- values

/** What is wrong with a value that Lua code may hold, or null. Looks into tables; `seen` are those done. */
export function foreign(value: unknown, seen = new Set<unknown>()): string | null {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
    case 'number':
      return null;
    case 'string':
      return /[^\0-\xff]/.test(value)
        ? `a string with characters beyond bytes: ${JSON.stringify(value)}`
        : null;
    case 'function': {
      const form = (value as LuaFunction)[FORM];
      if (form === null || typeof form === 'function') return null;
      return /^function\([^)]*\)\{if\(\w+(\[\d+\])?===P\)return form\(/.test(String(value))
        ? null
        : `a function that is neither native nor compiled: ${String(value).slice(0, 80)}`;
    }
    case 'object':
      break;
    default:
      return `a ${typeof value}`;
  }
  if (value === PROBE) return 'the probe';
  if (value instanceof Userdata || value instanceof Coroutine) return null;
  if (!(value instanceof LuaTable))
    return `an object of JavaScript: ${Object.prototype.toString.call(value)}`;
  if (seen.has(value)) return null;
  seen.add(value);
  if (value.metatable !== null) {
    const wrong = foreign(value.metatable, seen);
    if (wrong !== null) return `in a metatable, ${wrong}`;
  }
  for (let key = value.next(undefined); key !== undefined; key = value.next(key)) {
    const wrong = foreign(key, seen) ?? foreign(value.get(key), seen);
    if (wrong !== null) return `in a table, ${wrong}`;
  }
  return null;
}

function foreignResult(result: LuaResult): string | null {
  for (const value of all(result)) {
    const wrong = foreign(value);
    if (wrong !== null) return `the result is ${wrong}`;
  }
  return null;
}

// ---- compiled text

const KEYWORDS =
  'const let return function yield if else while for break continue typeof instanceof new true false null undefined';
// Of objects that the text uses: tables, arrays, the state, environments, strings (patterns).
const MEMBERS =
  'field get set setList metatable next length push inputs fuel direct ep n charCodeAt indexOf startsWith root list';
const SCOPE = `$r $c s S B K form va ${RUNTIME_NAMES.replaceAll(',', ' ')}`;
const PATTERNS = 'M pause raise steps n i e b s u from d q c w j S';
const NAMES: ReadonlySet<string> = new Set(`${KEYWORDS} ${MEMBERS} ${SCOPE} ${PATTERNS}`.split(' '));
/** Numbered names of the emitter (v1, e2, xv3…) and of the pattern compiler. */
const NUMBERED = /^([acegipqtvxzlfLN]|[nldfscr][vc]|x\d+[vc])\d+$/;
const TOKEN =
  /[\s]+|"(?:[^"\\\n]|\\.)*"|\/\*\d+\*\/|\/\/# sourceURL=holdfast-lua:\d+:[01]$|(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|([A-Za-z_$][\w$]*)|[-+*/%<>=!&|?:;,.(){}[\]]/y;

/** What is in compiled JavaScript beside names of the compilers, numbers, strings and marks; or null. */
export function leaked(text: string): string | null {
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    if (token === null) return `unknown token at ${JSON.stringify(text.slice(at, at + 60))}`;
    const [, name] = token;
    if (name !== undefined && !NAMES.has(name) && !NUMBERED.test(name)) {
      return `name ${name} at ${JSON.stringify(text.slice(at - 20, at + 40))}`;
    }
  }
  return null;
}

// ---- the built-in objects

const generator = Object.getPrototypeOf(function* () {});
const GUARDED: readonly object[] = [
  globalThis,
  Math,
  JSON,
  Reflect,
  ...[Object, Function, Array, String, Number, Boolean, Symbol, Map, Set, WeakMap, Error, RegExp, Promise],
  ...[
    Object,
    Function,
    Array,
    String,
    Number,
    Boolean,
    Symbol,
    Map,
    Set,
    WeakMap,
    Error,
    RegExp,
    Promise,
  ].map((one) => one.prototype as object),
  generator,
  generator.prototype,
  Object.getPrototypeOf(generator.prototype),
  LuaTable.prototype,
  Coroutine.prototype,
  Userdata.prototype,
];

type Picture = readonly (readonly unknown[])[];

// Keys and values. V8 keeps the last match in RegExp by itself, and a getter of the process is not to be run.
function picture(): Picture {
  return GUARDED.map((object) => {
    const parts: unknown[] = [Object.getPrototypeOf(object), Object.isExtensible(object)];
    for (const key of Reflect.ownKeys(object)) {
      const property = Object.getOwnPropertyDescriptor(object, key);
      parts.push(key, property?.value, property?.get, property?.set);
    }
    return parts;
  });
}

function changed(before: Picture): string | null {
  const now = picture();
  for (let i = 0; i < now.length; i++) {
    const [a, b] = [before[i], now[i]];
    const at = b.findIndex((part, k) => !Object.is(part, a[k]));
    if (at >= 0 || a.length !== b.length)
      return `built-in object ${i} changed near ${String(b[at - ((at - 2) % 4)])}`;
  }
  return null;
}

// ---- worlds

/** Ends a program that runs for too long; no error of Lua's. */
class Stop {}

const TICKS = 40;
const FUEL = 20_000;
const MEMORY = 64 * 2 ** 20;

export type Form = 'direct' | 'suspendable';

/** A plain world whose programs have an end. */
class World {
  readonly state: LuaState;
  private ticks = 0;
  private bytes = 0;
  private form: Form = 'direct';

  constructor() {
    const host = {
      clock: () => 0,
      tick: () => {
        if (++this.ticks > TICKS * (this.form === 'direct' ? 1 : 50)) throw new Stop();
        return this.form === 'direct' ? FUEL : -1;
      },
      charge: (bytes: number) => {
        this.bytes += bytes;
        if (this.bytes > MEMORY) throw new LuaError('not enough memory');
      },
    };
    this.state = new LuaState(host, new LuaTable());
    openLibraries(this.state, new MathRandom());
    this.state.globals.set(
      'print',
      native(() => NOTHING),
    );
  }

  /** What is wrong with what the function did, or null. */
  call(f: LuaFunction, args: readonly LuaValue[], form: Form, results?: LuaValue[]): string | null {
    const { state } = this;
    this.form = form;
    this.ticks = 0;
    this.bytes = 0;
    state.fuel = FUEL;
    try {
      let result: LuaResult;
      if (form === 'direct') result = callLua(state, f, args);
      else {
        const driver = begin(f, args);
        do state.fuel = 200;
        while (!resume(state, driver));
        result = driver.results;
      }
      results?.push(...all(result));
      return foreignResult(result);
    } catch (error) {
      if (error instanceof LuaError) {
        const wrong = foreign(error.value);
        return wrong === null ? null : `the error is ${wrong}`;
      }
      if (error instanceof Stop) return null;
      if (error instanceof NeedsSuspendable && form === 'direct') return null;
      return thrown(error);
    }
  }

  run(source: string, form: Form, name = 'fuzz'): string | null {
    let main: LuaFunction;
    this.ticks = 0;
    this.bytes = 0;
    try {
      main = compile(this.state, source, name);
    } catch (error) {
      return error instanceof LuaError ? foreign(error.value) : thrown(error);
    }
    const results: LuaValue[] = [];
    return this.call(main, [], form, results) ?? foreignResult(this.state.globals);
  }
}

function thrown(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${(error as object)?.constructor?.name ?? String(error)}`;
  return `threw ${(error.stack ?? String(error)).split('\n').slice(0, 6).join('\n    ')}`;
}

/** Does it in a way that shows what is compiled meanwhile; answers what is wrong with that. */
function watching(run: () => string | null): string | null {
  const texts: string[] = [];
  const Original = globalThis.Function;
  const before = picture();
  const watched = new Proxy(Original, {
    construct(target, args: string[]) {
      texts.push(args[args.length - 1]);
      return Reflect.construct(target, args) as object;
    },
  });
  globalThis.Function = watched;
  let wrong: string | null;
  try {
    wrong = run();
  } finally {
    globalThis.Function = Original;
  }
  wrong ??= changed(before);
  if (wrong !== null) return wrong;
  for (const text of texts) {
    const leak = leaked(text);
    if (leak !== null) return `compiled to ${leak}`;
  }
  return null;
}

// Deeper than JavaScript's stack: makes a script of Redis' world run again in the suspendable form.
const DEEP = 'do local function deep(n) if n>0 then deep(n-1) end return 1 end deep(15000) end ';

const database = await open({ config: { 'busy-reply-threshold': '150' } });

/** The world of EVAL: results arrive as replies, so only what is thrown can be looked at. */
function evaluate(source: string, form: Form): string | null {
  const text = form === 'direct' ? source : DEEP + source;
  try {
    database.call('EVAL', Buffer.from(text, 'latin1'), '2', 'k1', '__proto__', 'a1', 'constructor');
    return null;
  } catch (error) {
    return error instanceof HoldfastError ? null : thrown(error);
  } finally {
    database.call('FLUSHALL');
  }
}

/**
 * Runs a program everywhere; answers what is wrong, or null.
 * @param deep whether also in the suspendable form in the world of EVAL, which takes some 100 ms
 */
export function escaped(source: string, deep: boolean, name?: string): string | null {
  for (const form of ['direct', 'suspendable'] as const) {
    const plain = watching(() => new World().run(source, form, name));
    if (plain !== null) return `${form} form, plain world: ${plain}`;
    if (form === 'suspendable' && !deep) continue;
    const redis = watching(() => evaluate(source, form));
    if (redis !== null) return `${form} form, world of EVAL: ${redis}`;
  }
  return null;
}

// ---- natives

/** Odd values, fresh ones each time. `state` gives the libraries' own functions. */
const ODD: readonly ((state: LuaState) => LuaValue)[] = [
  () => undefined,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 3,
  () => 1.5,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => -(2 ** 31),
  () => 2 ** 53,
  () => '',
  () => 'constructor',
  () => '__proto__',
  () => '10',
  () => '%d%s%q',
  () => '(a*)%1[^%w]-$',
  () => '{"__proto__":{"constructor":[1,null]}}',
  () => '\x93\x01\xc0\x81\xa9__proto__\xff',
  () => 'return function() return __proto__ end',
  () => new LuaTable(),
  () => LuaTable.of([undefined, 'a', 2, true, 'toString']),
  () => {
    const table = new LuaTable();
    table.set('__proto__', 'valueOf');
    table.set('constructor', table);
    return table;
  },
  (state) => {
    const table = new LuaTable();
    const meta = new LuaTable();
    for (const event of ['__index', '__tostring', '__call', '__lt', '__eq', '__newindex', '__concat']) {
      meta.set(event, state.globals.field('type'));
    }
    table.metatable = meta;
    return table;
  },
  (state) => state.globals.field('tostring'),
  (state) => compile(state, 'local a, b = ... return b, a, nil', 'odd'),
  (state) => compile(state, 'error({...})', 'odd'),
  (state) => new Coroutine(state.globals.field('print') as LuaFunction, 1),
  (state) => (state.globals.field('cjson') as LuaTable).field('null'),
];

/** All functions that can be reached from the globals, by path. */
export function natives(state: LuaState): Map<string, LuaFunction> {
  const found = new Map<string, LuaFunction>();
  const seen = new Set<LuaValue>();
  const visit = (value: LuaValue, path: string): void => {
    if (seen.has(value)) return;
    if (typeof value === 'function') found.set(path, value);
    if (!(value instanceof LuaTable)) return;
    seen.add(value);
    for (let key = value.next(undefined); key !== undefined; key = value.next(key)) {
      visit(value.get(key), path === '' ? String(key) : `${path}.${String(key)}`);
    }
  };
  visit(state.globals, '');
  return found;
}

/** A world for one native after the other; a fresh one now and then, as calls leave traces. */
export class Calls {
  private world = new World();
  private made = 0;

  get paths(): string[] {
    return [...natives(this.world.state).keys()];
  }

  /** Calls the function at `path` with odd values by number, and what functions it gives with the same. */
  attempt(path: string, numbers: readonly number[], form: Form): string | null {
    if (++this.made % 500 === 0) this.world = new World();
    const { world } = this;
    const f = natives(world.state).get(path);
    if (f === undefined) return null;
    const results: LuaValue[] = [];
    const values = (): LuaValue[] => numbers.map((n) => ODD[n % ODD.length](world.state));
    const wrong = watching(() => {
      let answer = world.call(f, values(), form, results);
      for (const result of results) {
        if (typeof result !== 'function' || answer !== null) continue;
        answer = world.call(result, values(), form) ?? world.call(result, values().slice(1), form);
      }
      return answer;
    });
    return wrong === null ? null : `${path} with odd values ${numbers.join(' ')}, ${form} form: ${wrong}`;
  }
}

export const ODD_VALUES = ODD.length;

// ---- programs

/** Names that mean something in JavaScript or in compiled text. */
const HOSTILE =
  'constructor __proto__ prototype toString valueOf hasOwnProperty __defineGetter__ arguments eval this import ' +
  'await yield let static async globalThis process require module window self caller callee $r $c s S B form T P N ' +
  'K A TO G NX IP g0 e0 v0 t0 a0 c0 p0 q0 va x0 undefined NaN Infinity null typeof new class extends delete var ' +
  'const void with switch case default try catch throw finally instanceof debugger get set of index setIndex ' +
  '__holdfast_escaped metatable nodes items type fuel inputs globals length push';
export const NAMES_TO_TRY: readonly string[] = HOSTILE.split(' ');

const CODE = 'globalThis.__holdfast_escaped=1';
/** Contents of literals, as bytes. */
export const TEXTS: readonly string[] = [
  `");${CODE};//`,
  `\\");${CODE};("`,
  `');${CODE};//`,
  `*/${CODE}/*`,
  `//${CODE}`,
  `\n${CODE}\n`,
  `\r${CODE}\r`,
  `\u2028${CODE}`.replace('\u2028', '\xe2\x80\xa8'),
  `\xe2\x80\xa9${CODE}`,
  `\${${CODE}}`,
  `\`+${CODE}+\``,
  `</script><script>${CODE}</script>`,
  `<!--${CODE}\n-->`,
  '//# sourceURL=holdfast-lua:1:0',
  '/*0*/',
  'holdfast-lua:1:0',
  'use strict',
  'use asm',
  '\\',
  '\\u0022\\x22',
  '\0\x01\x7f\x80\xff',
  "$&$1$`$'%0%1",
  '[[]]',
  '--[[',
  '',
];

/** The text as a Lua literal. */
export function literal(text: string): string {
  let out = '"';
  for (const c of text) {
    const code = c.charCodeAt(0);
    out += code < 32 || c === '"' || c === '\\' ? `\\${String(code).padStart(3, '0')}` : c;
  }
  return `${out}"`;
}

function longLiteral(text: string): string {
  return text.includes(']=]') ? literal(text) : `[=[${text}]=]`;
}

/** The fixed attempts: sources by what they try. */
export function corpus(): Map<string, string> {
  const programs = new Map<string, string>();
  const add = (what: string, source: string): void => {
    programs.set(what, source);
  };
  const objects =
    '{"", 1, 0/0, true, print or type, coroutine.create(type), cjson.null, {}, false, function() end, ' +
    'setmetatable({}, {__index=type}), string.gmatch("a","a")}';
  for (const name of NAMES_TO_TRY) {
    const key = literal(name);
    add(
      `key ${name}`,
      `local out, all = {}, ${objects}
      for i = 1, #all do
        local o = all[i]
        out[#out+1] = {pcall(function() return o[${key}] end)}
        out[#out+1] = {pcall(function() o[${key}] = 1 end)}
        out[#out+1] = {pcall(function() return o[${key}](o) end)}
        out[#out+1] = {pcall(function() o[${key}].${key.slice(1, -1).replace(/^[^A-Za-z_].*/, 'x')} = o end)}
      end
      local t = {[${key}]=1} t[${key}] = t[${key}] + 1 rawset(t, ${key}, {t}) out.t = t out[${key}] = t
      for k, v in pairs(t) do out[k] = v end
      out.j = {pcall(cjson.decode, cjson.encode({[${key}]={[${key}]=${key}}}))}
      out.m = {pcall(cmsgpack.unpack, cmsgpack.pack({[${key}]={[${key}]=${key}}}))}
      out.s = {pcall(string.gsub, ${key}, "%w+", {[${key}]=${key}})}
      out.m2 = setmetatable({}, {[${key}]=function() return ${key} end, __index=function(_, k) return k end})[${key}]
      return cjson.encode({[${key}]=out.j[1]}), out`,
    );
    // Not all are names in Lua: then it is a syntax error, which is fine.
    add(
      `name ${name}`,
      `local ${name}, f = 1, function(${name}, ...) local function g() ${name} = ${name} return ${name} end return g() end
      local r = {pcall(f, {})}
      do local ${name} = {${name}=${name}} ${name}.${name} = ${name} function ${name}:${name}() return self end
      r[3] = ${name}:${name}() end
      for ${name} = 1, 2 do r[${name}] = function() return ${name} end end
      for ${name}, v in pairs({1}) do r[4] = ${name} end
      local function ${name}(a) return a end
      return r, ${name}(f)`,
    );
    add(
      `global ${name}`,
      `local a = {pcall(function() return ${name} end)} local b = {pcall(function() ${name} = 1 return ${name} end)}
      local c = {pcall(function() ${name}(1) end)} local d = {pcall(function() return ${name}.${name} end)}
      local e = {pcall(function() function ${name}() end end)} return {a, b, c, d, e}`,
    );
    add(`label ${name}`, `::${name}:: goto ${name}`);
  }
  TEXTS.forEach((text, i) => {
    const quoted = literal(text);
    add(
      `text ${i}`,
      `local a, b = ${quoted}, ${longLiteral(text)} --[=[ ${text.replaceAll(']=]', '')} ]=]
      local t = {[a]=b, ${quoted}, a..${quoted}..1, #${quoted}}
      local x = ${quoted} < a, a == ${quoted}, -#a, ${quoted} .. ${quoted}
      t[#t+1] = {pcall(function() return ${quoted} + 1 end)} t[#t+1] = {pcall(function() return -${quoted} end)}
      t[#t+1] = {pcall(function() return (${quoted}):rep(2) end)} t[#t+1] = {pcall(function() return (${quoted})[${quoted}] end)}
      t[#t+1] = {pcall(error, ${quoted})} t[#t+1] = {pcall(error, {[${quoted}]=${quoted}})}
      t[#t+1] = {pcall(loadstring, ${quoted}, ${quoted})} t[#t+1] = {pcall(loadstring, "error(1)", ${quoted})}
      t[#t+1] = {pcall(function() loadstring("local x = nil + 1", ${quoted})() end)}
      t[#t+1] = {pcall(function() loadstring("return " .. ${literal(quoted)}, "=" .. ${quoted})() end)}
      t[#t+1] = {pcall(load, function() return nil end, "@" .. ${quoted})}
      t[#t+1] = {pcall(string.find, ${quoted}, ${quoted})} t[#t+1] = {pcall(string.gsub, ${quoted}, ".", ${quoted})}
      t[#t+1] = {pcall(string.format, ${quoted}, 1, 2, 3)} t[#t+1] = {pcall(string.format, "%q %s %5.2s", a, a, a)}
      t[#t+1] = {pcall(cjson.decode, ${quoted})} t[#t+1] = {pcall(cmsgpack.unpack, ${quoted})}
      t[#t+1] = {pcall(cjson.decode, cjson.encode({[a]=a:gsub("[\\128-\\255]", "")}))}
      local long = a:rep(60) for i = 1, 25 do t.n = {pcall(string.find, long, a .. "()(.-)" .. i)} end
      for i = 1, 8 do t.g = {pcall(string.gsub, long, "[" .. a .. "]-(.)%1*$?", "%1" .. a)} end
      return t, b, x`,
    );
  });
  add(
    'numbers',
    'return {1e999, -1e999, 0x0, 0xffffffffffffffffff, 1e-999, .5, 5., 3e10, 1e21, 1e-7, 0/0, -0, - -1, 2^-1, 5 - -5}',
  );
  for (const n of ['0x', '1e', '1..2', '0x1p4', '1e+', '3x', '08', '1_000', '1n', '0b1', '0o7', "1'2"]) {
    add(`number ${n}`, `return ${n}`);
  }
  add('number methods', 'return (1):foo(), (5).x');
  add('errors of all types', errorsOfAllTypes);
  add(
    'one result or not',
    `local function f(n)
      local function g() return f(n - 1) end
      if n == 5 then local y = f(0) end
      if n == 4 then local x = g() return {x, type(x)} end
      if n == 3 then return g() end
      return 1, 2
    end
    return f(5), f(4), f(3)`,
  );
  add(
    'the iterator of ipairs',
    `local it, t = ipairs({}) t["[object Object]1"] = 7 t["1"] = 8
    local out = {}
    for _, a in pairs(${objects}) do for _, b in pairs(${objects}) do
      out[#out+1] = {pcall(it, a, b)}
      out[#out+1] = {pcall(function() for k, v in it, a, b do return k, v end end)}
      out[#out+1] = {pcall(function() for k, v in it, t, b do return k, v end end)}
      out[#out+1] = {pcall(function() for k, v in next, a, b do return k, v end end)}
      out[#out+1] = {pcall(function() for i = a, b do return i end end)}
      out[#out+1] = {pcall(function() return a + b end)} out[#out+1] = {pcall(function() return a .. b end)}
      out[#out+1] = {pcall(function() return a < b end)} out[#out+1] = {pcall(function() return a <= b end)}
      out[#out+1] = {pcall(function() return a == b, a ~= b end)} out[#out+1] = {pcall(function() a[b] = b return a[b] end)}
      out[#out+1] = {pcall(function() return -a, #b end)} out[#out+1] = {pcall(function() return a(b) end)}
      out[#out+1] = {pcall(table.sort, {a, b, a})} out[#out+1] = {pcall(table.concat, {a, b}, "x")}
      out[#out+1] = {pcall(function() return a % b, a ^ b end)} out[#out+1] = {pcall(function() return a:x(b) end)}
    end end
    for k, v in it, t, "0" do out.k = k break end
    return out`,
  );
  add(
    'more arguments than JavaScript can pass',
    `local function r(n, ...) if n == 0 then return select("#", ...) end return r(n - 1, ${'1,'.repeat(240)} ...) end
    local function s(n, ...) if n == 0 then return ... end return s(n - 1, ${'1,'.repeat(240)} ...) end
    return {pcall(r, 600)}, {pcall(function() return (select("#", s(600))) end)}, s(600)`,
  );
  for (const [what, source] of huge()) add(what, source);
  return programs;
}

const errorsOfAllTypes = `
  local out = {}
  for _, e in pairs({1, "x", true, {}, function() end, coroutine.create(type), cjson.null, {err="__proto__"},
      setmetatable({}, {__tostring=function() return {} end}), setmetatable({}, {__index=function(_, k) return k end})}) do
    out[#out+1] = {pcall(error, e)} out[#out+1] = {pcall(error, e, 2)}
    out[#out+1] = {xpcall(function() error(e) end, function(x) return x end)}
    out[#out+1] = {xpcall(function() error(e) end, e)}
    out[#out+1] = {coroutine.resume(coroutine.create(function() error(e) end))}
    out[#out+1] = {pcall(coroutine.wrap(function() error(e) end))}
    out[#out+1] = {pcall(assert, false, e)} out[#out+1] = {pcall(assert, e)}
    out[#out+1] = {pcall(tostring, e)} out[#out+1] = {pcall(string.format, "%s %q %d %c", e, e, e, e)}
  end
  out[#out+1] = {pcall(error)} out[#out+1] = {pcall(error, nil)}
  return out`;

function huge(): [string, string][] {
  const repeat = (n: number, f: (i: number) => string): string =>
    Array.from({ length: n }, (_, i) => f(i)).join('');
  const nested = (n: number, before: string, middle: string, after: string): string =>
    before.repeat(n) + middle + after.repeat(n);
  return [
    ...[150, 250, 20_000].flatMap((n): [string, string][] => [
      [`${n} parentheses`, `return ${nested(n, '(', '1', ')')}`],
      [`${n} tables`, `return ${nested(n, '{', '1', '}')}`],
      [`${n} blocks`, nested(n, 'do ', 'local x = 1 ', 'end ')],
      [`${n} functions`, nested(n, 'local function f() ', 'return 1 ', 'end ')],
      [`${n} calls in calls`, `return ${nested(n, 'type(', '1', ')')}`],
      [`${n} negations`, `return ${'not '.repeat(n)}1, ${'- '.repeat(n)}1`],
      [`${n} loops`, nested(n, 'for i = 1, 1 do ', 'local x = i ', 'end ')],
      [`${n} ifs`, nested(n, 'if type then ', 'local x ', 'end ')],
    ]),
    ['8,000 terms', `local a = 1 return a${'+a'.repeat(8000)}`],
    ['8,000 fields', `local a = {} a.a = a return a${'.a'.repeat(8000)}`],
    ['8,000 calls', `local a a = function() return a end return a${'()'.repeat(8000)}`],
    ['5,000 concatenations', `return 1${'.."a"'.repeat(5000)}`],
    ['100 concatenations', `return 1${'.."a"'.repeat(100)}`],
    ['5,000 powers', `return 1${'^1'.repeat(5000)}`],
    ['10,000 ands', `local a = 1 return a${' and a'.repeat(10_000)}`],
    ['10,000 ors', `local a return a${' or a'.repeat(10_000)}`],
    ['10,000 comparisons', `local a = 1 return 1${' == a'.repeat(10_000)}`],
    ['a long literal', `return #"${'\\"*/`'.repeat(250_000)}"`],
    ['a long name', `local ${'x'.repeat(200_000)} = 1`],
    [
      '10,000 locals in blocks',
      repeat(100, (i) => `do ${repeat(100, (k) => `local v${i}_${k} = ${k} `)}end `),
    ],
    ['300 locals', repeat(300, (k) => `local v${k} = ${k} `)],
    [
      '5,000 elseifs',
      `local a = 1 if a == 0 then ${repeat(5000, (i) => `elseif a == -${i} then a = ${i} `)}end return a`,
    ],
    ['60,000 elements', `return {${'1,'.repeat(60_000)}}`],
    ['60,000 fields', `return {${repeat(60_000, (i) => `a${i}=${i},`)}}`],
    ['60,000 computed fields', `local x = 1 return {${repeat(60_000, (i) => `[x+${i}]=x,`)}}`],
    [
      '250 parameters',
      `local function f(${repeat(249, (i) => `p${i},`)}z) return z end return f(${'1,'.repeat(249)}2)`,
    ],
    [
      '190 parameters',
      `local function f(${repeat(189, (i) => `p${i},`)}z) return z end return f(${'1,'.repeat(189)}2)`,
    ],
    ['300 arguments', `return type(${'1,'.repeat(299)}2)`],
    ['300 results', `return ${'1,'.repeat(299)}2`],
    ['300 targets', `local t = {} ${'t.x,'.repeat(299)}t.y = 1, 2`],
    ['30,000 functions', `local f ${'f = function() return f end '.repeat(30_000)}return f()`],
    [
      '70 upvalues',
      `${repeat(70, (k) => `local v${k} = ${k} `)}return (function() return ${repeat(69, (k) => `v${k}+`)}v69 end)()`,
    ],
    [
      'many items of a pattern',
      'local p = ("a*"):rep(5000) return {pcall(string.find, "", p)}, {pcall(string.find, "", ("(a"):rep(50))}',
    ],
    [
      'nested patterns',
      `local out = {} for n = 1, 40 do local p, s = ("a-b*"):rep(n) .. "%f[c]", ("c"):rep(900)
      for i = 1, 30 do out[n] = {pcall(string.find, s, p .. "x")} end end return out`,
    ],
    ['deep recursion', 'local function f(n) return 1 + f(n + 1) end return {pcall(f, 1)}'],
    [
      'deep metamethods',
      `local t = {} for i = 1, 3000 do local u = t t = setmetatable({}, {__index=function(_, k) return u[k] end}) end
      return {pcall(function() return t.x end)}`,
    ],
    ['deep JSON', 'return {pcall(cjson.decode, ("["):rep(5000))}, {pcall(cjson.decode, ("[0,"):rep(50000))}'],
    [
      'deep tables',
      `local t = {} for i = 1, 20000 do t = {t} end
      return {pcall(cjson.encode, t)}, #cmsgpack.pack(t), {pcall(tostring, t)}`,
    ],
    [
      'coroutines in coroutines',
      `local function f(n) return coroutine.wrap(function() return f(n + 1) end)() end return {pcall(f, 1)}`,
    ],
  ];
}

// ---- random programs

function int(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[int(random, list.length)];
}

const TOKENS = (
  'and break do else elseif end false for function if in local nil not or repeat return then true until while + - * / % ' +
  '^ # == ~= <= >= < > = ( ) { } [ ] ; : , . .. ... 1 0 1e999 0x7f -1 2^53 x y z self arg "a" "" [[b]] --c\n _G pcall ' +
  'type pairs ipairs next select unpack error tostring tonumber setmetatable getmetatable rawget rawset loadstring ' +
  'coroutine.wrap coroutine.yield coroutine.create coroutine.resume string.rep string.gsub string.find string.format ' +
  'table.concat table.sort table.insert cjson.encode cjson.decode cmsgpack.pack cmsgpack.unpack struct.pack bit.tohex ' +
  'redis.call KEYS ARGV'
).split(' ');

const programsDirectory = new URL('../oracle/lua/programs/', import.meta.url);
let valid: string[] | null = null;

// Valid programs to be mutated: those of the comparison with lua5.1, in pieces.
function validPrograms(): readonly string[] {
  if (valid === null) {
    valid = [...corpus().values()].filter((source) => source.length < 3000);
    if (existsSync(programsDirectory)) {
      for (const name of readdirSync(programsDirectory).filter((file) => file.endsWith('.lua'))) {
        const lines = readFileSync(new URL(name, programsDirectory), 'latin1').split('\n');
        for (let at = 0; at < lines.length; at += 40) valid.push(lines.slice(at, at + 40).join('\n'));
      }
    }
  }
  return valid;
}

function soup(random: Random): string {
  let out = '';
  for (let n = 3 + int(random, 40); n > 0; n--) out += `${atom(random)} `;
  return out;
}

function atom(random: Random): string {
  const roll = int(random, 10);
  if (roll < 6) return pick(random, TOKENS);
  if (roll < 8) return pick(random, NAMES_TO_TRY);
  return random.next() < 0.5 ? literal(pick(random, TEXTS)) : longLiteral(pick(random, TEXTS));
}

function expression(random: Random, depth: number): string {
  const inner = (): string => expression(random, depth - 1);
  const name = pick(random, [...'xyz', ...NAMES_TO_TRY]);
  if (depth <= 0)
    return pick(random, [
      'x',
      'y',
      'z',
      '...',
      'nil',
      'true',
      '1',
      '0/0',
      '1e999',
      literal(pick(random, TEXTS)),
      name,
      '{}',
    ]);
  switch (int(random, 14)) {
    case 0:
      return `(${inner()} ${pick(random, ['+', '-', '*', '/', '%', '^', '..', '==', '~=', '<', '<=', 'and', 'or'])} ${inner()})`;
    case 1:
      return `(${pick(random, ['not ', '- ', '#'])}${inner()})`;
    case 2:
      return `(${inner()})[${inner()}]`;
    case 3:
      return `(${inner()}).${name}`;
    case 4:
      return `(${inner()}):${name}(${inner()})`;
    case 5:
      return `{${inner()}, [${inner()}]=${inner()}, ${name}=${inner()}, ${inner()}}`;
    case 6:
      return `function(x, ...) ${statements(random, depth - 1)} end`;
    case 7:
      return `setmetatable({}, {__${pick(random, ['index', 'newindex', 'call', 'add', 'concat', 'lt', 'le', 'eq', 'unm', 'tostring', 'metatable', 'proto__'])}=${inner()}})`;
    case 8:
      return `${pick(
        random,
        TOKENS.filter((token) => token.includes('.') && token.length > 3),
      )}(${inner()}, ${inner()})`;
    case 9:
      return `pcall(${inner()}, ${inner()})`;
    case 10:
      return `loadstring(${literal(statements(random, 1))}, ${literal(pick(random, TEXTS))})`;
    case 11:
      return `(${inner()})(${inner()}, ${inner()})`;
    case 12:
      return `coroutine.wrap(function(...) ${statements(random, depth - 1)} end)(${inner()})`;
    default:
      return pick(random, ['x', 'y', 'z']);
  }
}

function statements(random: Random, depth: number): string {
  let out = '';
  for (let n = 1 + int(random, 3); n > 0; n--) out += `${statement(random, depth)} `;
  if (random.next() < 0.5) out += `return ${expression(random, depth)}, ${expression(random, depth)} `;
  return out;
}

function statement(random: Random, depth: number): string {
  const e = (): string => expression(random, depth);
  const body = (): string => (depth <= 0 ? 'local x = y' : statements(random, depth - 1));
  const v = pick(random, [...'xyz']);
  switch (int(random, 12)) {
    case 0:
      return `local ${v} = ${e()}`;
    case 1:
      return `local x, y, z = ${e()}, ${e()}`;
    case 2:
      return `${v} = ${e()}`;
    case 3:
      return `${v}, ${pick(random, [...'xyz'])} = ${e()}, ${e()}`;
    case 4:
      return `pcall(function(...) ${v}[${e()}], y = ${e()}, ${e()} end)`;
    case 5:
      return `if ${e()} then ${body()} else ${body()} end`;
    case 6:
      return `for x = ${e()}, ${e()}, ${e()} do ${body()} if true then break end end`;
    case 7:
      return `for x, y in ${pick(random, ['pairs', 'ipairs', 'next,', '(ipairs{}),', 'string.gmatch'])}(${e()}, ${e()}) do ${body()} end`;
    case 8:
      return `local function ${v}(${pick(random, ['', 'x', 'x, y', '...', 'x, ...'])}) ${body()} end`;
    case 9:
      return `repeat local z = ${e()} ${depth > 0 ? `local y = ${e()}` : ''} until true or z`;
    case 10:
      return `local z = {pcall(function(...) ${body()} end, ${e()})}`;
    default:
      return `do ${body()} end`;
  }
}

function mutated(random: Random): string {
  const programs = validPrograms();
  let source = pick(random, programs);
  for (let n = 1 + int(random, 4); n > 0; n--) {
    const words = source.split(/(?<=[\s(){},.;:[\]])|(?=[\s(){},.;:[\]])/);
    const at = int(random, words.length);
    const roll = int(random, 5);
    if (roll === 0) words.splice(at, 1 + int(random, 3));
    else if (roll === 1) words.splice(at, 0, ` ${atom(random)} `);
    else if (roll === 2) words[at] = ` ${atom(random)} `;
    else if (roll === 3) words.splice(at, 0, ...words.slice(int(random, words.length)).slice(0, 10));
    else words[at] = pick(random, pick(random, programs).split(/\s+/));
    source = words.join('');
  }
  return source;
}

/** The program of a seed. */
export function randomProgram(seed: number): string {
  const random = new Random(seed);
  const roll = int(random, 10);
  if (roll < 2) return soup(random);
  if (roll < 5) return mutated(random);
  return `local x, y, z = ..., {}, "toString" ${statements(random, 3)}`;
}

/** Seeds between two that also try the suspendable form in the world of EVAL. */
const DEEP_EVERY = 16;

/** One round of the fuzzer: a program everywhere, and some calls of natives; null or what is wrong. */
export function broken(seed: number): string | null {
  const source = randomProgram(seed);
  const wrong = escaped(source, seed % DEEP_EVERY === 0, pick(new Random(seed + 1), TEXTS));
  if (wrong !== null) return wrong;
  const random = new Random(seed);
  const calls = new Calls();
  const { paths } = calls;
  for (let n = 0; n < 20; n++) {
    const numbers = Array.from({ length: int(random, 5) }, () => int(random, ODD_VALUES));
    const failure = calls.attempt(
      pick(random, paths),
      numbers,
      random.next() < 0.7 ? 'direct' : 'suspendable',
    );
    if (failure !== null) return failure;
  }
  return null;
}
