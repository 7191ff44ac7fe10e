// The library cjson (lua-cjson 2.1.0 as Redis ships it): its functions and their options. Every table of functions
// (scripts can make more with cjson.new) has settings of its own. index.ts opens it.
import { checkInt, checkString } from './arguments.ts';
import { decodeJson } from './cjson-decode.ts';
import { encodeJson } from './cjson-encode.ts';
import type { Settings } from './cjson-settings.ts';
import { badArgument } from './errors.ts';
import type { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaResult, type LuaValue, NULL_POINTER, native } from './value.ts';

const ON_OFF = ['off', 'on'];
const ON_OFF_NULL = ['off', 'on', 'null'];

/** The value of a setting that is chosen by name, or by true and false. */
function choice(
  value: LuaValue,
  index: number,
  count: number,
  now: number,
  names: readonly string[],
): number {
  if (value === undefined) return now;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const name = checkString(value, index, count);
  const chosen = names.indexOf(name);
  if (chosen < 0) throw badArgument(index, `invalid option '${name}'`);
  return chosen;
}

/** The value of a setting that is an integer. */
function integer(
  value: LuaValue,
  index: number,
  count: number,
  now: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return now;
  const n = checkInt(value, index, count);
  // The original blames the first argument, whichever it is.
  if (n < least || n > most) throw badArgument(1, `expected integer between ${least} and ${most}`);
  return n;
}

function atMost(most: number, count: number): void {
  if (count > most) throw badArgument(most + 1, 'found too many arguments');
}

const INT_MAX = 0x7fffffff;

function functionsOf(own: Settings): Record<string, (...args: never[]) => LuaResult> {
  function encode(value: LuaValue): LuaResult {
    if (arguments.length !== 1) throw badArgument(1, 'expected 1 argument');
    return encodeJson(value, own);
  }
  function decode(text: LuaValue): LuaResult {
    if (arguments.length !== 1) throw badArgument(1, 'expected 1 argument');
    return decodeJson(checkString(text, 1, 1), own);
  }
  function encode_sparse_array(convert: LuaValue, ratio: LuaValue, safe: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(3, count);
    own.sparseConvert = choice(convert, 1, count, own.sparseConvert, ON_OFF);
    own.sparseRatio = integer(ratio, 2, count, own.sparseRatio, 0, INT_MAX);
    own.sparseSafe = integer(safe, 3, count, own.sparseSafe, 0, INT_MAX);
    return [own.sparseConvert === 1, own.sparseRatio, own.sparseSafe];
  }
  function encode_max_depth(most: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.encodeDepth = integer(most, 1, count, own.encodeDepth, 1, INT_MAX);
    return own.encodeDepth;
  }
  function decode_max_depth(most: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.decodeDepth = integer(most, 1, count, own.decodeDepth, 1, INT_MAX);
    return own.decodeDepth;
  }
  function encode_number_precision(digits: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.precision = integer(digits, 1, count, own.precision, 1, 14);
    return own.precision;
  }
  function encode_keep_buffer(keep: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.keepBuffer = choice(keep, 1, count, own.keepBuffer, ON_OFF);
    return own.keepBuffer === 1;
  }
  function encode_invalid_numbers(how: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.encodeInvalid = choice(how, 1, count, own.encodeInvalid, ON_OFF_NULL);
    return own.encodeInvalid === 2 ? 'null' : own.encodeInvalid === 1;
  }
  function decode_invalid_numbers(how: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.decodeInvalid = choice(how, 1, count, own.decodeInvalid, ON_OFF);
    return own.decodeInvalid === 1;
  }
  return {
    encode,
    decode,
    encode_sparse_array,
    encode_max_depth,
    decode_max_depth,
    encode_number_precision,
    encode_keep_buffer,
    encode_invalid_numbers,
    decode_invalid_numbers,
    new() {
      return library(own.state);
    },
  };
}

function library(state: LuaState): LuaTable {
  const table = new LuaTable();
  const functions = functionsOf({
    state,
    sparseConvert: 0,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeDepth: 1000,
    decodeDepth: 1000,
    encodeInvalid: 0,
    decodeInvalid: 1,
    precision: 14,
    keepBuffer: 1,
  });
  for (const [name, f] of Object.entries(functions)) table.set(name, native(f));
  table.set('null', NULL_POINTER);
  table.set('_NAME', 'cjson');
  table.set('_VERSION', '2.1.0');
  return table;
}

export function openCjson(state: LuaState): LuaTable {
  return library(state);
}
