// The border between Lua and commands, without any wire bytes: arguments of redis.call, replies as Lua values,
// Lua values as replies. Everything follows what Redis' own parser and writer make of them, protocol by protocol.
import { formatDouble } from '../data/numbers.ts';
import { formatNumber } from '../lua/number.ts';
import { charge } from '../lua/state.ts';
import { LuaTable } from '../lua/table.ts';
import type { LuaValue } from '../lua/value.ts';
import type { Protocol } from '../resp/encode.ts';
import {
  BigNumber,
  Double,
  Kind,
  MapReply,
  type Reply,
  ReplyError,
  SetReply,
  Status,
  type TaggedReply,
  Verbatim,
} from '../resp/reply.ts';

// ---- Lua → argument

/** What a command gets for an argument of redis.call; null for what is neither string nor number. */
export function toArgument(value: LuaValue): string | null {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return null;
  return Number.isSafeInteger(value) ? String(value) : bigArgument(value);
}

// Redis prints a double that is a whole number up to 2^62 as an integer, others by its own printer of doubles.
function bigArgument(value: number): string {
  return Number.isNaN(value) ? formatNumber(value) : formatDouble(value);
}

/** A fresh table of `strings[from..to)`, as KEYS and ARGV are. */
export function listTable(strings: readonly string[], from: number, to: number): LuaTable {
  // Most scripts have one or two of either: an array that is pushed to would have room for many more.
  switch (to - from) {
    case 0:
      return new LuaTable();
    case 1:
      return LuaTable.of([undefined, strings[from]]);
    case 2:
      return LuaTable.of([undefined, strings[from], strings[from + 1]]);
  }
  const items: LuaValue[] = [undefined];
  for (let i = from; i < to; i++) items.push(strings[i]);
  return listOf(items);
}

// Lua's array part has grown by doubling while the elements came one after the other.
function listOf(items: LuaValue[]): LuaTable {
  const count = items.length - 1;
  if (count > 4096) charge(count * 8);
  let size = 1;
  while (size < count) size *= 2;
  return LuaTable.of(items, 0, count === 0 ? 0 : size);
}

// ---- reply → Lua

/** A command's reply as the script sees it. A Block must have been replaced before. */
export function toLua(reply: Reply, protocol: Protocol): LuaValue {
  switch (typeof reply) {
    case 'number':
    case 'string':
      return reply;
    case 'boolean':
      return protocol === 3 ? reply : reply ? 1 : 0;
    case 'bigint':
      return Number(reply);
  }
  if (reply === null) return protocol === 3 ? undefined : false;
  if (Array.isArray(reply)) return arrayToLua(reply, protocol);
  return taggedToLua(reply as TaggedReply, protocol);
}

function arrayToLua(replies: readonly Reply[], protocol: Protocol): LuaTable {
  const items: LuaValue[] = [undefined];
  let holes = false;
  for (let i = 0; i < replies.length; i++) {
    const value = toLua(replies[i], protocol);
    if (value === undefined) holes = true;
    items.push(value);
  }
  if (!holes) return listOf(items);
  // Where its elements end and what `#` says of it depends on how the table grew.
  const table = new LuaTable();
  for (let i = 1; i < items.length; i++) table.set(i, items[i]);
  return table;
}

function single(field: string, value: LuaValue): LuaTable {
  const table = new LuaTable(0, 1);
  table.set(field, value);
  return table;
}

function taggedToLua(reply: TaggedReply, protocol: Protocol): LuaValue {
  switch (reply.kind) {
    case Kind.Status:
      return single('ok', lineOf(reply.text));
    case Kind.Error:
      return errorTable(lineOf(reply.text), true);
    case Kind.NullArray:
      return protocol === 3 ? undefined : false;
    case Kind.Double:
      return protocol === 3 ? single('double', reply.value) : reply.text;
    case Kind.Map:
      return protocol === 3 ? single('map', mapToLua(reply.items, 3)) : arrayToLua(reply.items, 2);
    case Kind.Set:
      return protocol === 3 ? single('set', setToLua(reply.items, 3)) : arrayToLua(reply.items, 2);
    case Kind.Verbatim: {
      if (protocol === 2) return reply.text;
      const parts = new LuaTable(0, 2);
      parts.set('string', reply.text);
      parts.set('format', reply.format);
      return single('verbatim_string', parts);
    }
    case Kind.BigNumber:
      return protocol === 3 ? single('big_number', lineOf(reply.text)) : reply.text;
    case Kind.Push:
    case Kind.Sequence:
      return arrayToLua(reply.items, protocol);
    case Kind.InProtocol:
      return toLua(reply.reply, reply.protocol);
    case Kind.None:
    case Kind.Block:
      return protocol === 3 ? undefined : false;
  }
}

function mapToLua(items: readonly Reply[], protocol: Protocol): LuaTable {
  const table = new LuaTable();
  for (let i = 0; i < items.length; i += 2) {
    table.set(toLua(items[i], protocol), toLua(items[i + 1], protocol));
  }
  return table;
}

function setToLua(items: readonly Reply[], protocol: Protocol): LuaTable {
  const table = new LuaTable();
  for (const item of items) table.set(toLua(item, protocol), true);
  return table;
}

/**
 * The table in which scripts meet errors. A text without a code gets ERR; Redis handles it as a C string and cuts
 * line breaks off.
 * @param counted statistics have counted the error: passing it on does not count again
 */
export function errorTable(text: string, counted: boolean): LuaTable {
  const table = new LuaTable(0, counted ? 2 : 1);
  table.set('err', text.includes(' ') && !UNCLEAN.test(text) ? text : withCode(cText(text)));
  if (counted) table.set(COUNTED, true);
  return table;
}

function withCode(text: string): string {
  const space = text.indexOf(' ');
  const code = space < 0 ? 'ERR' : text.slice(0, space);
  return `${code} ${text.slice(space + 1).replace(/^[\r\n]+|[\r\n]+$/g, '')}`;
}

const UNCLEAN = /[\r\n\0]/;
const COUNTED = 'ignore_error_stats_update';

/** Has INFO errorstats counted the error of this table? */
export function isCounted(error: LuaTable): boolean {
  return error.field(COUNTED) === true;
}

// A line of the protocol cannot contain a line break: on the way there were spaces in their place.
function lineOf(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
}

/** A text as C passes it on: up to its first NUL byte. */
export function cText(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

// ---- Lua → reply

const INT64_MIN = -(2n ** 63n);
/** Slots that Redis lets the conversion take on Lua's stack, and those that one step of it wants free. */
const STACK = 8000;
const STEP = 4;
const TOO_DEEP = 'ERR reached lua stack limit';

/**
 * What a script answers.
 * @param protocol what the script has set by redis.setresp: true and false are then booleans
 * @param inner called for each error inside of a table
 */
export function toReply(value: LuaValue, protocol: Protocol, inner: (error: ReplyError) => void): Reply {
  if (!(value instanceof LuaTable)) return scalarToReply(value, protocol);
  open.length = 0;
  const reply = opened(value, ROOT_SLOT, protocol);
  if (open.length > 0) finish(protocol, inner);
  return reply;
}

function scalarToReply(value: LuaValue, protocol: Protocol): Reply {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return integerOf(value);
    case 'boolean':
      return protocol === 3 ? value : value ? 1 : null;
    default:
      return null;
  }
}

// As C converts a double on x86-64: towards zero, and the smallest integer for all that does not fit.
function integerOf(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value + 0;
  const whole = Math.trunc(value) + 0;
  if (Number.isSafeInteger(whole)) return whole;
  return whole >= -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : INT64_MIN;
}

/** A table whose elements are being converted. */
interface Open {
  readonly kind: 'array' | 'map' | 'set';
  readonly table: LuaTable;
  readonly items: Reply[];
  /** Slot of Lua's stack where Redis has it. */
  readonly slot: number;
  /** Last index or key; of a map, whether its value is still to come. */
  at: LuaValue;
  hasValue: boolean;
}

/** The script's result lies behind the error handler. */
const ROOT_SLOT = 2;

// The tables that are not done yet, innermost last: there is no recursion, for the nesting goes to some 8,000.
const open: Open[] = [];

function finish(protocol: Protocol, inner: (error: ReplyError) => void): void {
  while (open.length > 0) {
    const top = open[open.length - 1];
    const { kind, table, items, slot } = top;
    if (kind === 'array') {
      const index = (top.at as number) + 1;
      const value = table.get(index);
      if (value === undefined) open.pop();
      else {
        top.at = index;
        items.push(element(value, slot + 1, protocol, inner));
      }
    } else if (top.hasValue) {
      top.hasValue = false;
      items.push(element(table.get(top.at), slot + 3, protocol, inner));
    } else {
      const key = table.next(top.at);
      if (key === undefined) open.pop();
      else {
        top.at = key;
        top.hasValue = kind === 'map';
        items.push(element(key, slot + (kind === 'map' ? 4 : 3), protocol, inner));
      }
    }
  }
}

function element(
  value: LuaValue,
  slot: number,
  protocol: Protocol,
  inner: (error: ReplyError) => void,
): Reply {
  let reply: Reply;
  if (slot + STEP > STACK) reply = new ReplyError(TOO_DEEP);
  else if (value instanceof LuaTable) reply = opened(value, slot, protocol);
  else return scalarToReply(value, protocol);
  if (reply instanceof ReplyError) inner(reply);
  return reply;
}

// The reply that a table stands for; where it has elements that are tables, they are converted afterwards.
function opened(table: LuaTable, slot: number, protocol: Protocol): Reply {
  const err = table.field('err');
  if (typeof err === 'string') return errorReply(err, isCounted(table));
  const ok = table.field('ok');
  if (typeof ok === 'string') return new Status(lineOf(cText(ok)));
  const double = table.field('double');
  if (typeof double === 'number') return new Double(double, formatDouble(double));
  const big = table.field('big_number');
  if (typeof big === 'string') return new BigNumber(lineOf(big));
  const verbatim = table.field('verbatim_string');
  if (verbatim instanceof LuaTable) {
    const text = verbatim.field('string');
    const format = verbatim.field('format');
    if (typeof text === 'string' && typeof format === 'string') {
      return new Verbatim(text, cText(format).padEnd(3).slice(0, 3));
    }
  }
  const items: Reply[] = [];
  const map = table.field('map');
  if (map instanceof LuaTable) {
    open.push({ kind: 'map', table: map, items, slot, at: undefined, hasValue: false });
    return new MapReply(items);
  }
  const set = table.field('set');
  if (set instanceof LuaTable) {
    open.push({ kind: 'set', table: set, items, slot, at: undefined, hasValue: false });
    return new SetReply(items);
  }
  let last = 0;
  if (slot + 1 + STEP <= STACK) {
    for (;;) {
      const value = table.get(last + 1);
      if (value === undefined) return items;
      if (value instanceof LuaTable) break;
      items.push(scalarToReply(value, protocol));
      last++;
    }
  }
  open.push({ kind: 'array', table, items, slot, at: last, hasValue: false });
  return items;
}

/** An error reply with this text as it is: its first word is the code. */
export function errorReply(text: string, counted: boolean): ReplyError {
  const clean = UNCLEAN.test(text) ? lineOf(cText(text).replace(/[\r\n]+$/, '')) : text;
  return new ReplyError(clean, counted);
}
