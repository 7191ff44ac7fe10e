// The basic functions: type, tostring, pcall, next, ipairs, load… Opened by index.ts.
import { checkAny, checkInt, checkString, checkTable, optionalInt } from './arguments.ts';
import { badArgument, fail, wrongType } from './errors.ts';
import { isMemoryError, NeedsSuspendable } from './escalate.ts';
import { formatNumber, parseNumber } from './number.ts';
import { callFromNative, metatableOf, planToString, settle, settleG, toStringMeta } from './operations.ts';
import { siteAt } from './positions.ts';
import { callRequest } from './requests.ts';
import { isWhollySuspendable, type LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import {
  all,
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaValue,
  NOTHING,
  native,
  paced,
  type Suspendable,
  typeName,
} from './value.ts';

/** What a compiled chunk comes from: index.ts' compile, which knows the emitter. */
export type Loader = (source: string, chunkName: string) => LuaFunction;

/** Most results that unpack gives: what fits Lua's stack (LUAI_MAXCSTACK). */
const MAX_RESULTS = 8000;

/**
 * An error on its way out of protected code, as Lua sees it; errors that are not Lua's (a kill, a fault of
 * ours) go on.
 */
export function caughtValue(error: unknown): LuaValue {
  if (error instanceof LuaError) return error.value;
  if (error instanceof RangeError) {
    if (isMemoryError(error)) return 'not enough memory';
    // The suspendable form by itself takes JavaScript's stack for nothing but the arguments of a call.
    if (isWhollySuspendable()) return 'stack overflow';
    throw new NeedsSuspendable('depth');
  }
  throw error;
}

export const next = native(function next(table: LuaValue, key: LuaValue): LuaResult {
  const t = table instanceof LuaTable ? table : checkTable(table, 1, arguments.length);
  const following = t.next(key);
  return following === undefined ? undefined : [following, t.get(following)];
});

/** The iterator of pairs, which in Lua is another function than `next`. */
export const pairsNext = native(function pairsNext(table: LuaValue, key: LuaValue): LuaResult {
  return arguments.length === 1 ? next(table) : arguments.length === 0 ? next() : next(table, key);
});

/** The iterator of ipairs. */
export const ipairsNext = native(function ipairsNext(table: LuaValue, i: LuaValue): LuaResult {
  // Scripts can get hold of it and pass it anything.
  const count = arguments.length;
  const index = (typeof i === 'number' && (i | 0) === i ? i : checkInt(i, 2, count)) + 1;
  const t = table instanceof LuaTable ? table : checkTable(table, 1, count);
  const value = t.get(index);
  return value === undefined ? NOTHING : [index, value];
});

export function openBase(state: LuaState, load: Loader): void {
  const { globals } = state;
  const define = (name: string, f: LuaFunction): void => globals.set(name, f);
  globals.set('_G', globals);
  globals.set('_VERSION', 'Lua 5.1');

  define(
    'type',
    native(function type(value: LuaValue) {
      if (value === undefined) checkAny(1, arguments.length);
      return typeName(value);
    }),
  );
  const tostring = native(
    function tostring(value: LuaValue) {
      if (typeof value === 'string') return value;
      if (value === undefined) checkAny(1, arguments.length);
      return toStringMeta(value);
    },
    function* tostring(...args: LuaValue[]): Suspendable {
      checkAny(1, args.length);
      return yield* settleG(planToString(args[0]));
    },
  );
  // A metamethod needs a function, and whoever has one of its own is watched anyway.
  define('tostring', paced(tostring, 'quick'));
  define(
    'tonumber',
    native(function tonumber(value: LuaValue, base?: LuaValue) {
      const radix = base === undefined ? 10 : checkInt(base, 2, arguments.length);
      if (radix === 10) {
        if (typeof value === 'number') return value;
        if (typeof value === 'string') return parseNumber(value);
        checkAny(1, arguments.length);
        return undefined;
      }
      return inBase(checkString(value, 1, arguments.length), radix);
    }),
  );
  define('next', next);
  define(
    'pairs',
    native(function pairs(table: LuaValue) {
      return [pairsNext, checkTable(table, 1, arguments.length), undefined];
    }),
  );
  define(
    'ipairs',
    native(function ipairs(table: LuaValue) {
      return [ipairsNext, checkTable(table, 1, arguments.length), 0];
    }),
  );
  define(
    'rawget',
    native(function rawget(table: LuaValue, key: LuaValue) {
      const t = checkTable(table, 1, arguments.length);
      checkAny(2, arguments.length);
      return t.get(key);
    }),
  );
  define(
    'rawset',
    native(function rawset(table: LuaValue, key: LuaValue, value: LuaValue) {
      const t = checkTable(table, 1, arguments.length);
      checkAny(2, arguments.length);
      checkAny(3, arguments.length);
      t.rawSet(key, value);
      return t;
    }),
  );
  define(
    'rawequal',
    native(function rawequal(a: LuaValue, b: LuaValue) {
      checkAny(1, arguments.length);
      checkAny(2, arguments.length);
      return a === b;
    }),
  );
  define(
    'getmetatable',
    native(function getmetatable(value: LuaValue) {
      checkAny(1, arguments.length);
      const meta = metatableOf(value);
      return meta === null ? undefined : (meta.field('__metatable') ?? meta);
    }),
  );
  const setmetatable = native(function setmetatable(table: LuaValue, meta: LuaValue) {
    const t = checkTable(table, 1, arguments.length);
    if (!(meta instanceof LuaTable) && (meta !== undefined || arguments.length < 2)) {
      throw badArgument(2, 'nil or table expected');
    }
    if (t.metatable?.field('__metatable') !== undefined) throw fail('cannot change a protected metatable');
    t.writable();
    t.metatable = meta ?? null;
    return t;
  });
  // From here on any operation may call a function.
  define('setmetatable', paced(setmetatable, 'slow'));
  define(
    'assert',
    native(function assert(...args: LuaValue[]) {
      checkAny(1, args.length);
      const [value] = args;
      if (value !== undefined && value !== false) return args;
      if (args.length < 2 || args[1] === undefined) throw fail('assertion failed!');
      throw fail(checkString(args[1], 2, args.length));
    }),
  );
  define(
    'error',
    native(function error(message: LuaValue, level: LuaValue) {
      const l = optionalInt(level, 2, arguments.length, 1);
      if (typeof message !== 'string' && typeof message !== 'number') throw new LuaError(message, siteAt(1));
      if (l <= 0) throw new LuaError(message, siteAt(1));
      throw fail(String(settle(planToString(message))), l);
    }),
  );
  define(
    'select',
    native(function select(which: LuaValue, ...rest: LuaValue[]) {
      if (typeof which === 'string' && which.charCodeAt(0) === 35) return rest.length;
      const n = checkInt(which, 1, arguments.length);
      const from = n < 0 ? rest.length + 1 + n : n;
      if (from < 1) throw badArgument(1, 'index out of range');
      if (from > rest.length) return NOTHING;
      return from === rest.length ? rest[from - 1] : rest.slice(from - 1);
    }),
  );
  define('unpack', unpack);
  define('pcall', paced(pcall, 'pcall'));
  define('xpcall', xpcall);
  define(
    'collectgarbage',
    native(function collectgarbage(option: LuaValue) {
      const what = option === undefined ? 'collect' : checkString(option, 1, arguments.length);
      if (!['collect', 'stop', 'restart', 'count', 'step', 'setpause', 'setstepmul'].includes(what)) {
        throw badArgument(1, `invalid option '${what}'`);
      }
      return what === 'step' ? true : 0;
    }),
  );
  const loadstring = native(function loadstring(source: LuaValue, name: LuaValue) {
    const text = checkString(source, 1, arguments.length);
    return loaded(load, text, name === undefined ? text : checkString(name, 2, arguments.length));
  });
  define('loadstring', paced(loadstring, 'slow'));
  define(
    'load',
    native(
      function load_(reader: LuaValue, name: LuaValue) {
        if (typeof reader !== 'function') throw wrongType(reader, 1, 'function', arguments.length);
        const chunk = name === undefined ? '=(load)' : checkString(name, 2, arguments.length);
        let text = '';
        try {
          for (;;) {
            const piece = textOf(first(callFromNative(reader)));
            if (piece === undefined || piece === '') break;
            if (typeof piece !== 'string')
              return [undefined, fail('reader function must return a string').value];
            text += piece;
          }
        } catch (error) {
          return [undefined, caughtValue(error)];
        }
        return loaded(load, text, chunk);
      },
      function* load_(...args: LuaValue[]): Suspendable {
        const [reader, name] = args;
        if (typeof reader !== 'function') throw wrongType(reader, 1, 'function', args.length);
        const chunk = name === undefined ? '=(load)' : checkString(name, 2, args.length);
        let text = '';
        try {
          for (;;) {
            const piece = textOf(first(yield callRequest(reader, [])));
            if (piece === undefined || piece === '') break;
            if (typeof piece !== 'string')
              return [undefined, fail('reader function must return a string').value];
            text += piece;
          }
        } catch (error) {
          return [undefined, caughtValue(error)];
        }
        return loaded(load, text, chunk);
      },
    ),
  );
}

// A number is as good as a text.
function textOf(value: LuaValue): LuaValue {
  return typeof value === 'number' ? formatNumber(value) : value;
}

function loaded(load: Loader, source: string, name: string): LuaResult {
  try {
    return load(source, name);
  } catch (error) {
    if (error instanceof LuaError) return [undefined, error.value];
    throw error;
  }
}

const unpack = native(function unpack(table: LuaValue, from: LuaValue, to: LuaValue): LuaResult {
  const t = checkTable(table, 1, arguments.length);
  const i = optionalInt(from, 2, arguments.length, 1);
  const j = to === undefined ? t.length() : checkInt(to, 3, arguments.length);
  if (i > j) return NOTHING;
  const count = j - i + 1;
  if (count >= MAX_RESULTS) throw fail('too many results to unpack');
  if (count === 1) return t.get(i);
  const values: LuaValue[] = [];
  for (let k = i; k <= j; k++) values.push(t.get(k));
  return values;
});

const pcall = native(
  function pcall(f: LuaValue, ...args: LuaValue[]): LuaResult {
    checkAny(1, arguments.length);
    try {
      return [true, ...all(callFromNative(f, ...args))];
    } catch (error) {
      return [false, caughtValue(error)];
    }
  },
  function* pcall(...all_: LuaValue[]): Suspendable {
    checkAny(1, all_.length);
    const [f, ...args] = all_;
    try {
      return [true, ...all(yield callRequest(f, args))];
    } catch (error) {
      return [false, caughtValue(error)];
    }
  },
);

const xpcall = native(
  function xpcall(f: LuaValue, handler: LuaValue): LuaResult {
    checkAny(2, arguments.length);
    try {
      return [true, ...all(callFromNative(f))];
    } catch (error) {
      const value = caughtValue(error);
      try {
        return [false, first(callFromNative(handler, value))];
      } catch (again) {
        caughtValue(again);
        return [false, 'error in error handling'];
      }
    }
  },
  function* xpcall(...args: LuaValue[]): Suspendable {
    checkAny(2, args.length);
    const [f, handler] = args;
    try {
      return [true, ...all(yield callRequest(f, []))];
    } catch (error) {
      const value = caughtValue(error);
      try {
        return [false, first(yield callRequest(handler, [value]))];
      } catch (again) {
        caughtValue(again);
        return [false, 'error in error handling'];
      }
    }
  },
);

/** `tonumber(text, base)`: C's strtoul, whole text. */
function inBase(text: string, base: number): LuaValue {
  if (base < 2 || base > 36) throw badArgument(2, 'base out of range');
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  const parts = /^([+-]?)(0[xX])?([0-9a-zA-Z]+)$/.exec(trimmed);
  if (parts === null || (parts[2] !== undefined && base !== 16)) {
    // 0x is a prefix in base 16 only; elsewhere x may be a digit.
    const plain = /^([+-]?)([0-9a-zA-Z]+)$/.exec(trimmed);
    return plain === null ? undefined : digits(plain[1], plain[2], base);
  }
  return digits(parts[1], parts[3], base);
}

function digits(sign: string, text: string, base: number): LuaValue {
  let value = 0n;
  for (const c of text) {
    const digit = Number.parseInt(c, 36);
    if (digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
    if (value > 0xffff_ffff_ffff_ffffn) value = 0x1_ffff_ffff_ffff_ffffn;
  }
  if (value > 0xffff_ffff_ffff_ffffn) return Number(0xffff_ffff_ffff_ffffn);
  return Number(sign === '-' ? BigInt.asUintN(64, -value) : value);
}
