// The table `redis` of scripts, alias `server`: commands, replies, settings of the run. world.ts opens it for EVAL,
// functions.ts for libraries.
import { REPORTED_VERSION } from '../commands/connection.ts';
import { sha1Hex } from '../data/sha1.ts';
import { type LuaFunction, LuaTable, type LuaValue, NOTHING, native } from '../lua/index.ts';
import { formatNumber, parseNumber } from '../lua/number.ts';
import { errorTable } from './convert.ts';
import { failed, type Runner } from './runner.ts';

/** What redis.set_repl takes; a replica would be the other one. */
const TO_LOG = 1;
const TO_REPLICAS = 2;

const LOG_LEVELS = ['DEBUG', 'VERBOSE', 'NOTICE', 'WARNING'];

const WRONG_REPLY = 'ERR wrong number or type of arguments';

/** What EVAL and functions have in common, in Redis' order. */
export function openRedis(runner: Runner): LuaTable {
  const table = new LuaTable();
  table.set(
    'call',
    native(function call(...args: LuaValue[]) {
      return runner.call(args, true);
    }),
  );
  table.set(
    'pcall',
    native(function pcall(...args: LuaValue[]) {
      return runner.call(args, false);
    }),
  );
  openLog(table, runner);
  openVersion(table);
  table.set('setresp', setresp(runner));
  table.set('sha1hex', native(sha1hex));
  table.set('error_reply', native(errorReply));
  table.set('status_reply', native(statusReply));
  table.set('set_repl', setRepl(runner));
  table.set('REPL_NONE', 0);
  table.set('REPL_AOF', TO_LOG);
  table.set('REPL_SLAVE', TO_REPLICAS);
  table.set('REPL_REPLICA', TO_REPLICAS);
  table.set('REPL_ALL', TO_LOG | TO_REPLICAS);
  table.set(
    'acl_check_cmd',
    native((...args: LuaValue[]) => runner.mayCall(args)),
  );
  return table;
}

/** What only scripts of EVAL have. There is no debugger, and effects are what is always replicated. */
export function openEvalOnly(table: LuaTable): void {
  table.set(
    'breakpoint',
    native(() => false),
  );
  table.set(
    'debug',
    native(() => NOTHING),
  );
  table.set(
    'replicate_commands',
    native(() => true),
  );
}

/** redis.log and its levels. */
export function openLog(table: LuaTable, runner: Pick<Runner, 'log'>): void {
  table.set(
    'log',
    native((...args: LuaValue[]) => {
      if (args.length < 2) raise('redis.log() requires two arguments or more.');
      const level = numberOf(args[0]);
      if (level === undefined) raise('First argument must be a number (log level).');
      const chosen = Math.trunc(level as number);
      if (!(chosen >= 0 && chosen < LOG_LEVELS.length)) raise('Invalid log level.');
      const words = args.slice(1).map(textOf);
      runner.log(chosen, words.filter((word) => word !== undefined).join(' '));
      return NOTHING;
    }),
  );
  LOG_LEVELS.forEach((name, level) => {
    table.set(`LOG_${name}`, level);
  });
}

/** redis.REDIS_VERSION and its number, a byte for each part. */
export function openVersion(table: LuaTable): void {
  const [major, minor, patch] = REPORTED_VERSION.split('.').map(Number);
  table.set('REDIS_VERSION_NUM', (major << 16) | (minor << 8) | patch);
  table.set('REDIS_VERSION', REPORTED_VERSION);
}

function raise(text: string): never {
  failed(`ERR ${text}`, false, true);
  throw new Error('not reached');
}

// lua_tonumber: also of a string that spells a number.
function numberOf(value: LuaValue): number | undefined {
  return typeof value === 'number' ? value : typeof value === 'string' ? parseNumber(value) : undefined;
}

// lua_tostring
function textOf(value: LuaValue): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? formatNumber(value) : undefined;
}

function setresp(runner: Runner): LuaFunction {
  return native((...args: LuaValue[]) => {
    if (args.length !== 1) raise('redis.setresp() requires one argument.');
    const version = Math.trunc(numberOf(args[0]) ?? 0);
    if (version !== 2 && version !== 3) raise('RESP version must be 2 or 3.');
    runner.session.protocol = version as 2 | 3;
    return NOTHING;
  });
}

function setRepl(runner: Runner): LuaFunction {
  return native((...args: LuaValue[]) => {
    if (args.length !== 1) raise('redis.set_repl() requires one argument.');
    const flags = Math.trunc(numberOf(args[0]) ?? 0);
    if (!(flags >= 0 && flags <= (TO_LOG | TO_REPLICAS))) {
      raise('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.');
    }
    runner.logged = (flags & TO_LOG) !== 0;
    return NOTHING;
  });
}

function sha1hex(...args: LuaValue[]): LuaValue {
  if (args.length !== 1) raise('wrong number of arguments');
  return sha1Hex(textOf(args[0]) ?? '');
}

function errorReply(...args: LuaValue[]): LuaValue {
  const [text] = args;
  if (args.length !== 1 || typeof text !== 'string') return errorTable(WRONG_REPLY, false);
  return errorTable(text.startsWith('-') ? text.slice(1) : text, false);
}

function statusReply(...args: LuaValue[]): LuaValue {
  const [text] = args;
  if (args.length !== 1 || typeof text !== 'string') return errorTable(WRONG_REPLY, false);
  const table = new LuaTable(0, 1);
  table.set('ok', text);
  return table;
}
