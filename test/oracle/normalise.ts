// The only place that decides whether two replies that are not the same bytes still agree. Every way to agree is
// a rule of rules.ts. What cannot be decided from the replies alone comes back as a `check` that execute.ts runs
// on its control connections. Called by execute.ts and walk.ts.

import { parseReply, type Value } from '../support/wire.ts';
import { dumped } from './payloads.ts';
import { CHANGED_ROWS, REPLY_DIALECTS, type RuleId, SINCE_7_2 } from './rules.ts';
import { passedOn } from './scripts.ts';
import { canon, doubleOf, kindOf, laidOutBy72, pairs, sameList, sameMultiset } from './values.ts';

/** A question to both servers that settles the comparison. */
export type Check =
  /** Equal as multisets: fine unless both keep the key in an encoding that has an order. */
  | { kind: 'order'; key: string }
  /** Different random members were removed: each side must still hold what the other removed. */
  | { kind: 'spop'; key: string; left: string[]; right: string[] }
  /** Different random members were read: they must exist on both sides. */
  | { kind: 'members'; probe: string[]; members: string[] }
  /** A cursor was returned: run the iteration to its end. */
  | { kind: 'scan' };

export type Verdict =
  | { ok: true; rule: RuleId | null }
  | { ok: false; why: string }
  | { ok: 'check'; rule: RuleId; check: Check };

export interface JudgeOptions {
  /** Apply the rules of kind 'dialect' (off when the oracle is compared with itself). */
  dialect: boolean;
  /** The reply is an element of an EXEC reply: no follow-up questions are possible. */
  nested: boolean;
}

export const TTL_TOLERANCE_MS = 500;

const SAME: Verdict = { ok: true, rule: null };
const agree = (rule: RuleId): Verdict => ({ ok: true, rule });
const differ = (why: string): Verdict => ({ ok: false, why });

/** Upper-case command name, with its subcommand when the command is a container. */
const CONTAINERS = new Set([
  'OBJECT',
  'CLIENT',
  'COMMAND',
  'CONFIG',
  'PUBSUB',
  'DEBUG',
  'SCRIPT',
  'FUNCTION',
  'MEMORY',
  'LATENCY',
  'SLOWLOG',
  'ACL',
  'CLUSTER',
  'XGROUP',
  'XINFO',
  'MODULE',
]);
export function commandName(args: readonly string[]): string {
  const first = (args[0] ?? '').toUpperCase();
  return CONTAINERS.has(first) && args.length > 1 ? `${first} ${args[1]!.toUpperCase()}` : first;
}

type Normaliser = (args: readonly string[], l: Value, r: Value, o: JudgeOptions) => Verdict | null;

const isAggregate = (v: Value): boolean => v.kind === 'array' || v.kind === 'set' || v.kind === 'map';

function bothAggregates(l: Value, r: Value): boolean {
  return l.kind === r.kind && isAggregate(l);
}

// ---- order -----------------------------------------------------------------------------------------------

const unordered: Normaliser = (_args, l, r) =>
  bothAggregates(l, r) && sameMultiset(l.items.map(canon), r.items.map(canon))
    ? agree('unordered-reply')
    : null;

const unorderedOfKey: Normaliser = (args, l, r, o) => {
  if (unordered(args, l, r, o) === null) return null;
  if (o.nested) return agree('unordered-reply');
  return { ok: 'check', rule: 'unordered-reply', check: { kind: 'order', key: args[1]! } };
};

const unorderedPairs: Normaliser = (_args, l, r) =>
  bothAggregates(l, r) && l.items.length === r.items.length && sameMultiset(pairs(l.items), pairs(r.items))
    ? agree('unordered-reply')
    : null;

const unorderedPairsOfKey: Normaliser = (args, l, r, o) => {
  if (unorderedPairs(args, l, r, o) === null) return null;
  if (o.nested) return agree('unordered-reply');
  return { ok: 'check', rule: 'unordered-reply', check: { kind: 'order', key: args[1]! } };
};

/** FUNCTION LIST: libraries in any order, their functions as well. */
function librariesOf(v: Value): string[] {
  return v.items.map((library) => {
    const at = library.items.findIndex((item) => item.text === 'functions') + 1;
    const members = library.items[at]?.items.map(canon).sort();
    return JSON.stringify([library.kind, library.items.map((item, i) => (i === at ? members : canon(item)))]);
  });
}

const functionList: Normaliser = (_args, l, r) =>
  bothAggregates(l, r) && sameMultiset(librariesOf(l), librariesOf(r)) ? agree('unordered-reply') : null;

/** Of several names that are taken already, the one that comes first in hash order is told. */
const nameTaken: Normaliser = (_args, l, r) => {
  const what = (v: Value): string | undefined =>
    v.kind === 'error' ? /^ERR (Function|Library) \w+ already exists$/.exec(v.text)?.[1] : undefined;
  return what(l) !== undefined && what(l) === what(r) ? agree('unordered-reply') : null;
};

/** FUNCTION DUMP: libraries in any order, and so another checksum. Each begins with the byte F5. */
const functionDump: Normaliser = (_args, l, r) => {
  if (l.kind !== 'bulk' || r.kind !== 'bulk' || l.text.length !== r.text.length) return null;
  const version = (v: Value): string => v.text.slice(-10, -8);
  const parts = (v: Value): string[] => v.text.slice(0, -10).split('\xf5');
  return version(l) === version(r) && sameMultiset(parts(l), parts(r)) ? agree('unordered-reply') : null;
};

/** DUMP: each side's own encoding of the same value. */
const dump: Normaliser = (_args, l, r) => {
  if (l.kind !== 'bulk' || r.kind !== 'bulk') return null;
  const holds = dumped(l.text);
  return holds !== null && holds === dumped(r.text) ? agree('dump-encoding') : null;
};

const isScanReply = (v: Value): boolean =>
  v.kind === 'array' &&
  v.items.length === 2 &&
  /^\d+$/.test(v.items[0]!.text) &&
  v.items[1]!.kind === 'array';

const scan: Normaliser = (_args, l, r, o) => {
  if (!isScanReply(l) || !isScanReply(r)) return null;
  return o.nested ? agree('scan-cursor') : { ok: 'check', rule: 'scan-cursor', check: { kind: 'scan' } };
};

const sort: Normaliser = (args, l, r) => {
  const words = args.map((a) => a.toUpperCase());
  const by = words.indexOf('BY', 2);
  if (by === -1 || !bothAggregates(l, r) || l.items.length !== r.items.length) return null;
  const limited = words.includes('LIMIT', 2);
  const sameElements = sameMultiset(l.items.map(canon), r.items.map(canon));
  const dontSort = !(args[by + 1] ?? '').includes('*');
  if (dontSort && (limited || sameElements)) return agree('sort-unordered');
  if (words.includes('ALPHA', 2) && (limited || sameElements)) return agree('sort-unordered');
  return null;
};

// ---- time ------------------------------------------------------------------------------------------------

const near =
  (tolerance: number): Normaliser =>
  (_args, l, r) => {
    if (l.kind !== 'int' || r.kind !== 'int') return null;
    const a = Number(l.text);
    const b = Number(r.text);
    return a >= 0 && b >= 0 && Math.abs(a - b) <= tolerance ? agree('ttl-tolerance') : null;
  };

const clock: Normaliser = (_args, l, r) => {
  const shape = (v: Value): boolean =>
    v.kind === 'array' &&
    v.items.length === 2 &&
    v.items.every((x) => x.kind === 'bulk' && /^\d+$/.test(x.text));
  if (!shape(l) || !shape(r)) return null;
  return Math.abs(Number(l.items[0]!.text) - Number(r.items[0]!.text)) <= 2 ? agree('clock-reading') : null;
};

const idle: Normaliser = (_args, l, r, o) => {
  if (l.kind !== 'int' || r.kind !== 'int') return null;
  const longer = Number(l.text) - Number(r.text);
  if (Math.abs(longer) <= 2) return agree('clock-reading');
  return o.dialect && longer > 0 ? agree('shared-idle') : null;
};

// ---- random ----------------------------------------------------------------------------------------------

const texts = (v: Value): string[] => v.items.map((x) => x.text);
const distinct = (list: readonly string[]): boolean => new Set(list).size === list.length;

/** SRANDMEMBER, HRANDFIELD, ZRANDMEMBER: the chosen names of one reply, or null when its shape is wrong. */
function chosen(args: readonly string[], v: Value): string[] | null {
  if (v.kind === 'bulk') return [v.text];
  if (v.kind !== 'array') return null;
  const withValues = args.length === 4;
  const names: string[] = [];
  if (!withValues) {
    if (v.items.some((x) => x.kind !== 'bulk')) return null;
    names.push(...texts(v));
  } else if (v.items.some((x) => x.kind === 'array')) {
    if (v.items.some((x) => x.kind !== 'array' || x.items.length !== 2)) return null;
    names.push(...v.items.map((x) => x.items[0]!.text));
  } else for (let i = 0; i < v.items.length; i += 2) names.push(v.items[i]!.text);
  return Number(args[2]) < 0 || distinct(names) ? names : null;
}

const randomMember =
  (probe: string): Normaliser =>
  (args, l, r, o) => {
    const a = chosen(args, l);
    const b = chosen(args, r);
    if (l.kind !== r.kind || a === null || b === null || a.length !== b.length) return null;
    if (l.items.length !== r.items.length) return null;
    if (o.nested) return agree('random-choice');
    const members = [...new Set([...a, ...b])];
    return {
      ok: 'check',
      rule: 'random-choice',
      check: { kind: 'members', probe: [probe, args[1]!], members },
    };
  };

const randomKey: Normaliser = (_args, l, r, o) => {
  if (l.kind !== 'bulk' || r.kind !== 'bulk') return null;
  if (o.nested) return agree('random-choice');
  return {
    ok: 'check',
    rule: 'random-choice',
    check: { kind: 'members', probe: ['EXISTS'], members: [...new Set([l.text, r.text])] },
  };
};

const spop: Normaliser = (args, l, r, o) => {
  if (l.kind !== r.kind || l.items.length !== r.items.length) return null;
  const a = l.kind === 'bulk' ? [l.text] : isAggregate(l) ? texts(l) : null;
  const b = r.kind === 'bulk' ? [r.text] : isAggregate(r) ? texts(r) : null;
  if (a === null || b === null || !distinct(a) || !distinct(b)) return null;
  if (o.nested) return sameMultiset(a, b) ? agree('random-choice') : null;
  const only = (x: string[], y: string[]): string[] => x.filter((m) => !y.includes(m));
  return {
    ok: 'check',
    rule: 'random-choice',
    check: { kind: 'spop', key: args[1]!, left: only(a, b), right: only(b, a) },
  };
};

// ---- identity --------------------------------------------------------------------------------------------

const hello: Normaliser = (_args, l, r) => {
  if (!bothAggregates(l, r)) return null;
  const hide = (v: Value): string[] => pairs(v.items).filter((p) => !/^bulk:\d+:(version|id)=/.test(p));
  return sameList(hide(l), hide(r)) ? agree('server-identity') : null;
};

const CLIENT_FIELDS = new Set(['name', 'db', 'sub', 'psub', 'ssub', 'multi', 'cmd', 'user', 'resp', 'flags']);

function clientLine(line: string): string {
  const fields = line.split(' ').filter((f) => CLIENT_FIELDS.has(f.split('=', 1)[0]!));
  // The flag u says that the client was unblocked and waits for its turn: a matter of moments.
  if (fields.length === CLIENT_FIELDS.size)
    return fields
      .join(' ')
      .replace(/(flags=\w*)u/, '$1')
      .replace('flags= ', 'flags=N ');
  return line === '' ? '' : `incomplete: ${line}`;
}

const clientInfo: Normaliser = (_args, l, r, o) => {
  if (l.kind !== r.kind || (l.kind !== 'bulk' && l.kind !== 'verbatim')) return null;
  const lines = (v: Value): string[] => v.text.replace(/^txt:/, '').split('\n').map(clientLine);
  const a = lines(l);
  const b = lines(r);
  if (sameMultiset(a, b)) return agree('client-identity');
  // A refused command drops what was queued.
  const dropped = a.map((line, i) =>
    b[i]?.includes(' multi=0 ') ? line.replace(/ multi=\d+ /, ' multi=0 ') : line,
  );
  return o.dialect && sameMultiset(dropped, b) ? agree('queue-dropped') : null;
};

const clientId: Normaliser = (_args, l, r) =>
  l.kind === 'int' && r.kind === 'int' && Number(l.text) > 0 && Number(r.text) > 0
    ? agree('client-identity')
    : null;

// ---- dialect ---------------------------------------------------------------------------------------------

function encodingVerdict(l: string, r: string): Verdict | null {
  if (l === 'hashtable' && r === 'listpack') return agree('set-listpack');
  if (l === 'quicklist' && r === 'listpack') return agree('list-listpack');
  return null;
}

const encoding: Normaliser = (args, l, r, o) => {
  // Of the generator's keys these are hashes.
  const type = args[2]?.startsWith('h:') ? 'hash' : '';
  const verdict = judgeEncodings(l.text, r.text, o.dialect, type);
  return verdict.ok === true ? verdict : null;
};

const refcount: Normaliser = (_args, l, r, o) =>
  o.dialect && l.kind === 'int' && r.kind === 'int' && Number(r.text) > 0 ? agree('refcount') : null;

/** COMMAND INFO rows without what 7.2 reworded: tips, notes, and the rows of subcommands. */
function commandRow(v: Value): string {
  if (v.kind !== 'array' || v.items.length !== 10) return canon(v);
  const sets = [2, 6].map((i) => texts(v.items[i]!).sort());
  if (sets[0]!.includes('blocking')) sets[0] = sets[0]!.filter((flag) => flag !== 'noscript');
  const plain = [0, 1, 3, 4, 5].map((i) => canon(v.items[i]!));
  const specs = v.items[8]!.items.map((spec) => {
    const out: string[] = [];
    for (let i = 0; i + 1 < spec.items.length; i += 2) {
      const name = spec.items[i]!.text;
      if (name === 'notes') continue;
      const value = spec.items[i + 1]!;
      out.push(name === 'flags' ? `flags=${texts(value).sort()}` : `${name}=${canon(value)}`);
    }
    return out.sort().join(';');
  });
  return JSON.stringify([plain, sets, specs]);
}

const commandInfo: Normaliser = (_args, l, r, o) => {
  if (!bothAggregates(l, r)) return null;
  const a = l.items.map(commandRow);
  const b = r.items.map(commandRow);
  if (sameList(a, b)) return agree(o.dialect ? 'command-table' : 'unordered-reply');
  if (!o.dialect) return null;
  // A row that one side does not have at all, or that 7.2 changed.
  return a.length === b.length &&
    a.every((row, i) => {
      const [x, y] = [l.items[i]!, r.items[i]!];
      if (row === b[i] || x.items.length === 0 || y.items.length === 0) return true;
      return x.items[0]!.text === y.items[0]!.text && CHANGED_ROWS.has(x.items[0]!.text);
    })
    ? agree('command-table')
    : null;
};

const commandCount: Normaliser = (_args, l, r, o) =>
  o.dialect && l.kind === 'int' && r.kind === 'int' && Number(r.text) > 100 ? agree('command-table') : null;

const commandList: Normaliser = (args, l, r, o) => {
  const same = unordered(args, l, r, o);
  if (same !== null) return same;
  return o.dialect && bothAggregates(l, r) ? agree('command-table') : null;
};

/** Commands whose replies carry doubles. */
const DOUBLES = new Set([
  ...['ZADD', 'ZINCRBY', 'ZSCORE', 'ZMSCORE', 'ZRANGE', 'ZREVRANGE', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE'],
  ...['ZPOPMIN', 'ZPOPMAX', 'BZPOPMIN', 'BZPOPMAX', 'ZMPOP', 'BZMPOP', 'ZUNION', 'ZINTER', 'ZDIFF'],
  ...['ZRANDMEMBER', 'ZRANK', 'ZREVRANK', 'ZSCAN', 'SORT', 'SORT_RO'],
  ...['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO'],
]);

/** Equal but for texts that print the same double, where the right one looks as 7.2 prints it. */
function sameDoubles(l: Value, r: Value): boolean {
  if (l.kind !== r.kind || l.items.length !== r.items.length) return false;
  if (l.items.length > 0) return l.items.every((x, i) => sameDoubles(x, r.items[i]!));
  if (l.text === r.text) return true;
  if (l.kind !== 'bulk' && l.kind !== 'double') return false;
  const a = doubleOf(l.text);
  const b = doubleOf(r.text);
  if (a === undefined || b === undefined || !Object.is(a, b)) return false;
  return laidOutBy72(r.text);
}

/** Texts that stand for the same double made the same text, so that multisets can be compared. */
export function canonDouble(text: string): string {
  const value = doubleOf(text);
  return value === undefined ? text : Object.is(value, -0) ? '-0' : String(value);
}

// ---- the table -------------------------------------------------------------------------------------------

const NORMALISERS: Record<string, Normaliser> = {
  SMEMBERS: unorderedOfKey,
  SINTER: unordered,
  SUNION: unordered,
  SDIFF: unordered,
  HKEYS: unorderedOfKey,
  HVALS: unorderedOfKey,
  HGETALL: unorderedPairsOfKey,
  KEYS: unordered,
  'PUBSUB CHANNELS': unordered,
  'PUBSUB SHARDCHANNELS': unordered,
  'CONFIG GET': unorderedPairs,
  'FUNCTION LIST': functionList,
  'FUNCTION LOAD': nameTaken,
  'FUNCTION RESTORE': nameTaken,
  'FUNCTION DUMP': functionDump,
  DUMP: dump,
  SCAN: scan,
  SSCAN: scan,
  HSCAN: scan,
  ZSCAN: scan,
  SORT: sort,
  SORT_RO: sort,
  TTL: near(1),
  PTTL: near(TTL_TOLERANCE_MS),
  EXPIRETIME: near(1),
  PEXPIRETIME: near(TTL_TOLERANCE_MS),
  TIME: clock,
  'OBJECT IDLETIME': idle,
  SRANDMEMBER: randomMember('SMISMEMBER'),
  HRANDFIELD: randomMember('HMGET'),
  ZRANDMEMBER: randomMember('ZMSCORE'),
  RANDOMKEY: randomKey,
  SPOP: spop,
  HELLO: hello,
  'CLIENT INFO': clientInfo,
  'CLIENT LIST': clientInfo,
  'CLIENT ID': clientId,
  'OBJECT ENCODING': encoding,
  'OBJECT REFCOUNT': refcount,
  COMMAND: commandList,
  'COMMAND INFO': commandInfo,
  'COMMAND COUNT': commandCount,
  'COMMAND LIST': commandList,
};

const FOLLOW_UPS = new Set([
  ...['SMEMBERS', 'HKEYS', 'HVALS', 'HGETALL', 'SCAN', 'SSCAN', 'HSCAN', 'ZSCAN'],
  ...['SPOP', 'SRANDMEMBER', 'HRANDFIELD', 'ZRANDMEMBER', 'RANDOMKEY'],
]);

/** May judging this command need a question about the state right after it? Then nothing is sent behind it. */
export const needsFollowUp = (name: string): boolean => FOLLOW_UPS.has(name);

const EMPTY_ARRAY = Buffer.from('*0\r\n');

/** Do two raw replies of one command agree? */
export function judge(args: readonly string[], left: Buffer, right: Buffer, options: JudgeOptions): Verdict {
  if (left.equals(right)) {
    if (options.nested || (left[0] !== 0x2a && left[0] !== 0x7e)) return SAME;
    // An unfinished iteration goes on even when both cursors happen to be equal.
    const name = commandName(args);
    // SPOP with a count may leave equal sets in two encodings.
    if (name === 'SPOP' && args.length === 3 && !left.equals(EMPTY_ARRAY))
      return {
        ok: 'check',
        rule: 'random-choice',
        check: { kind: 'spop', key: args[1]!, left: [], right: [] },
      };
    if (!name.endsWith('SCAN')) return SAME;
    const value = parseReply(left);
    return isScanReply(value) && value.items[0]!.text !== '0' ? scan(args, value, value, options)! : SAME;
  }
  return judgeValues(args, parseReply(left), parseReply(right), options);
}

// What a script answers of one command. Of a random choice it can still be checked that both were possible.
function judgeSingle(args: readonly string[], l: Value, r: Value, o: JudgeOptions): Verdict {
  return judgeValues(args, l, r, { ...o, nested: o.nested || commandName(args) !== 'SPOP' });
}

export function judgeValues(args: readonly string[], l: Value, r: Value, o: JudgeOptions): Verdict {
  if (canon(l) === canon(r)) return SAME;
  const passed = passedOn(args);
  if (passed !== null) {
    if (!passed.each) return judgeSingle(passed.commands[0]!, l, r, o);
    const { verdict, rules } = judgeExec(passed.commands, l, r, o);
    return verdict.ok === true ? { ok: true, rule: rules[0] ?? null } : verdict;
  }
  const name = commandName(args);
  const verdict = NORMALISERS[name]?.(args, l, r, o);
  if (verdict) return verdict;
  if (o.dialect) {
    if (DOUBLES.has(name) && sameDoubles(l, r)) return agree('double-format');
    const newer = SINCE_7_2.find((entry) => entry.command === name);
    const change = REPLY_DIALECTS.find(
      (d) =>
        d.command.test(name) && d.left.test(`${l.kind}:${l.text}`) && d.right.test(`${r.kind}:${r.text}`),
    );
    if (change) return agree(change.id);
    if (newer && l.kind === 'error' && newer.refusal.test(l.text)) return agree('command-7.2');
  }
  return differ(kindOf(l) === kindOf(r) ? kindOf(l) : `${kindOf(l)} vs ${kindOf(r)}`);
}

/** Both replies of an EXEC, judged element by element; `culprit` is the number of the one that differs. */
export function judgeExec(
  queued: readonly (readonly string[])[],
  l: Value,
  r: Value,
  o: JudgeOptions,
): { verdict: Verdict; rules: RuleId[]; culprit: number | null } {
  const rules: RuleId[] = [];
  if (l.kind !== 'array' || r.kind !== 'array' || l.items.length !== r.items.length)
    return { verdict: judgeValues(['EXEC'], l, r, o), rules, culprit: null };
  if (l.items.length !== queued.length)
    return { verdict: judgeValues(['EXEC'], l, r, o), rules, culprit: null };
  for (let i = 0; i < queued.length; i++) {
    const args = queued[i]!;
    const verdict = judgeValues(args, l.items[i]!, r.items[i]!, { ...o, nested: true });
    if (verdict.ok !== true) return { verdict, rules, culprit: i };
    if (verdict.rule !== null) rules.push(verdict.rule);
  }
  return { verdict: SAME, rules, culprit: null };
}

/**
 * Messages as canonical texts in an order that both servers must share. One publication reaches a client's
 * patterns in hash order, and UNSUBSCRIBE without arguments walks a hash table: such runs are sorted.
 */
export function orderMessages(messages: readonly Value[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < messages.length; ) {
    const word = messages[i]!.items[0]!.text;
    const same = (v: Value | undefined): boolean =>
      v !== undefined &&
      v.items[0]!.text === word &&
      (word !== 'pmessage' || sameList(v.items.slice(2).map(canon), messages[i]!.items.slice(2).map(canon)));
    let end = i + 1;
    while (same(messages[end])) end++;
    const run = messages.slice(i, end);
    if (word === 'pmessage') out.push(...run.map(canon).sort());
    else if (word.endsWith('unsubscribe')) {
      // The names in any order, the remaining counts in theirs.
      out.push(
        ...run.map((v) => canon(v.items[1]!)).sort(),
        ...run.map((v) => `${word} ${canon(v.items[2]!)}`),
      );
    } else out.push(...run.map(canon));
    i = end;
  }
  return out;
}

/**
 * Two replies of a command that waited for several keys: do they differ only because 7.2 runs it again?
 * `wrong` are the keys that hold a value of another type now.
 */
export function reprocessed(args: readonly string[], l: Value, r: Value, wrong: readonly string[]): boolean {
  const served = (v: Value): number =>
    args.indexOf(v.kind === 'array' ? (v.items[0]?.text ?? '') : '\0none', 1);
  if (served(l) < 0) return false;
  if (r.kind === 'error' && r.text.startsWith('WRONGTYPE '))
    return wrong.some((key) => args.indexOf(key, 1) < served(l));
  return served(r) > 0 && served(r) < served(l);
}

/** Encodings at the end of an 'order' check: may the two orders differ? */
export function orderMayDiffer(left: string, right: string, dialect: boolean): boolean {
  if (left === 'hashtable' && right === 'hashtable') return true;
  if (dialect && left === 'hashtable' && right === 'listpack') return true;
  return false;
}

/** What a follow-up says about a key's two encodings (walk.ts), and its type where that is known. */
export function judgeEncodings(left: string, right: string, dialect: boolean, type = ''): Verdict {
  if (left === right) return SAME;
  if (dialect && type === 'hash' && left === 'listpack' && right === 'hashtable') return agree('hash-guess');
  return (dialect ? encodingVerdict(left, right) : null) ?? differ(`encoding ${left} vs ${right}`);
}
