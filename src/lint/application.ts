// Checks of the code around Redis (TypeScript, JavaScript, Java, Python, and listings in documents), by its text alone:
// reads and writes that belong into one step. index.ts runs them; what they cannot be sure of they leave alone.
import type { RuleText, TellOf } from './finding.ts';
import { wordsOf } from './names.ts';
import { DELETE_WITHOUT_TOKEN, LOCKS } from './rules/locks.ts';

const GET_THEN_SET: RuleText = {
  id: 'get-then-set',
  severity: 'error',
  why: 'Between the read and the write another client may change the key: both decide on the same old value.',
  remedy: 'Use one command (SET … NX, INCRBY), WATCH with MULTI, or a script.',
  language: 'java',
  wrong: 'if (redis.get(key) == null) {\n  redis.setex(key, 60, value);\n}',
  right: "redis.set(key, value, 'NX', 'EX', 60);",
};

const WATCH_LEFT: RuleText = {
  id: 'watch-left',
  severity: 'warning',
  why: 'The connection keeps watching, so the next transaction on it may fail for a key that it does not know.',
  remedy: 'Call UNWATCH on every way out that does not reach EXEC.',
  language: 'python',
  wrong: `import redis

def take(pipe: redis.client.Pipeline):
    pipe.watch("stock")
    if pipe.get("stock") == b"0":
        return False
    pipe.multi()`,
  right: `import redis

def take(pipe: redis.client.Pipeline):
    pipe.watch("stock")
    if pipe.get("stock") == b"0":
        pipe.unwatch()
        return False
    pipe.multi()`,
};

const READ_BEFORE_WATCH: RuleText = {
  id: 'read-before-watch',
  severity: 'error',
  why: 'A change between the read and the WATCH goes unseen: EXEC succeeds on the old value.',
  remedy: 'WATCH first, then read.',
  language: 'java',
  wrong: `String left = jedis.get(key);
jedis.watch(key);
Transaction tx = jedis.multi();`,
  right: `jedis.watch(key);
String left = jedis.get(key);
Transaction tx = jedis.multi();`,
};

const UNBOUNDED_RETRY: RuleText = {
  id: 'unbounded-retry',
  severity: 'warning',
  why: 'On a busy key most attempts fail, each retry makes it busier, and some caller never gets through.',
  remedy: 'Bound the attempts, wait longer each time with jitter, and tell the caller when they are used up.',
  language: 'python',
  wrong: `import redis

while True:
    pipe.watch("stock")
    pipe.multi()`,
  right: `import redis

for attempt in range(5):
    pipe.watch("stock")
    pipe.multi()`,
};

/** A call of a client: `redis.get(key)`. */
interface ClientCall {
  readonly line: number;
  readonly method: string;
  readonly args: readonly string[];
  readonly text: string;
}

const CLIENT = /redis|jedis|valkey|^(?:r|rdb|pipe)$/i;
const MAYBE_CLIENT = /^(?:client|conn|connection|cache|kv)$/i;
const FUNCTION =
  /^\s*(?:async\s+)?def\s|\bfunction\b|=>\s*\{?\s*$|^\s*(?:public|private|protected)\b.*\(|^\s*(?:static |async )*(?!if|for|while|switch|catch|else|do|try|return|with\b)[a-zA-Z_$][\w$]*\([^)]*\)[^;=]*\{\s*$/;
/** Functions of real code are short; further apart, in a listing, things have nothing to do with each other. */
const FURTHEST = 40;

/** Runs all checks over the lines; blank lines stand for what is not application code. */
export function checkApplication(lines: readonly string[], tell: TellOf): void {
  const text = lines.join('\n');
  if (!/[rj]edis|valkey|holdfast/i.test(text)) return;
  for (const [first, end] of functionsOf(lines)) {
    const calls = callsIn(lines.slice(first, end).join('\n'), first + 1, text);
    checkReadWrite(calls, tell);
    checkLocks(calls, tell);
    checkWatch(lines, first, end, calls, tell);
  }
  lines.forEach((line, at) => {
    checkLine(line, at + 1, tell);
    checkRetry(lines, at, tell);
  });
}

const FOR_EVER = /^\s*(?:for\s*\{|for\s*\(\s*;\s*;\s*\)|while\s*\(\s*(?:true|1)\s*\)|while\s+(?:True|1)\s*:)/;
/** How far behind its head a loop is looked into. */
const LOOP_LINES = 30;

function checkRetry(lines: readonly string[], at: number, tell: TellOf): void {
  if (!FOR_EVER.test(lines[at])) return;
  const body = lines.slice(at + 1, at + LOOP_LINES).join('\n');
  // Whoever counts or looks at the time stops at last.
  if (
    !/\.watch\(/i.test(body) ||
    /attempt|retr(?:y|ies)\w*\s*(?:[<>=+-]|\+\+)|tries|deadline|timeout|max/i.test(body)
  )
    return;
  tell('unbounded-retry')({ line: at + 1 }, 'a transaction is repeated until it succeeds');
}

function functionsOf(lines: readonly string[]): [first: number, end: number][] {
  const starts = lines.flatMap((line, at) => (FUNCTION.test(line) || /^(?:```|#+ )/.test(line) ? [at] : []));
  const edges = [0, ...starts, lines.length];
  return edges.slice(0, -1).map((first, at): [number, number] => [first, edges[at + 1]]);
}

function callsIn(text: string, firstLine: number, file: string): ClientCall[] {
  const found: ClientCall[] = [];
  for (const match of text.matchAll(/([A-Za-z_$][\w$]*)\s*\.\s*([A-Za-z]\w*)\s*\(/g)) {
    const [whole, receiver, method] = match;
    const isClient = CLIENT.test(receiver) || (MAYBE_CLIENT.test(receiver) && !/new (?:Weak)?Map/.test(file));
    if (!isClient || isComment(text, match.index)) continue;
    const args = argumentsAt(text, match.index + whole.length);
    const line = firstLine + text.slice(0, match.index).split('\n').length - 1;
    found.push({ line, method: method.toLowerCase(), args, text: whole.trim() });
  }
  return found;
}

function isComment(text: string, at: number): boolean {
  const start = text.lastIndexOf('\n', at) + 1;
  return /^\s*(?:\/\/|#|\*|--)/.test(text.slice(start, at));
}

/** The arguments up to the closing parenthesis, as they are written. */
function argumentsAt(text: string, from: number): string[] {
  const args: string[] = [''];
  let depth = 0;
  for (const char of text.slice(from, from + 2000)) {
    if (depth === 0 && char === ')') break;
    if ('([{'.includes(char)) depth++;
    if (')]}'.includes(char)) depth--;
    if (depth === 0 && char === ',') args.push('');
    else args[args.length - 1] += char;
  }
  return args.map((arg) => arg.replace(/\s+/g, ' ').trim()).filter((arg) => arg !== '');
}

const WRITES = /^(?:set|setex|psetex|getset|decr|decrby)$/;

function checkReadWrite(calls: readonly ClientCall[], tell: TellOf): void {
  const read = new Map<string, number>();
  for (const { line, method, args, text } of calls) {
    const late = method === 'watch' ? args.find((arg) => read.has(arg)) : undefined;
    if (late !== undefined) {
      tell('read-before-watch')(
        { line, at: text },
        `${late} was read on line ${read.get(late)}, before this WATCH`,
      );
    }
    // What follows is watched, or one step.
    if (/^(?:watch|multi|transaction)$/.test(method)) return;
    const [key] = args;
    if (key === undefined) continue;
    if (method === 'get') read.set(key, line);
    const since = read.get(key);
    if (!WRITES.test(method) || since === undefined || line - since > FURTHEST) continue;
    if (args.slice(1).some((arg) => /\bnx\b/i.test(arg))) continue;
    read.delete(key);
    tell('get-then-set')({ line, at: text }, `${key} is written by what GET of line ${since} answered`);
  }
}

function checkLocks(calls: readonly ClientCall[], tell: TellOf): void {
  for (const { line, method, args, text } of calls) {
    if (!/^(?:del|delete|unlink)$/.test(method)) continue;
    const lock = args.find((arg) => wordsOf(arg).some((word) => LOCKS.has(word)));
    if (lock === undefined) continue;
    tell('delete-without-token')(
      { line, at: text },
      `the lock ${lock} is deleted without a look at its owner`,
    );
  }
}

function checkWatch(
  lines: readonly string[],
  first: number,
  end: number,
  calls: readonly ClientCall[],
  tell: TellOf,
): void {
  const watch = calls.find(({ method }) => method === 'watch');
  if (watch === undefined) return;
  // A pipeline of `with` unwatches at its end.
  if (lines.slice(first, watch.line).some((line) => /^\s*with\b.*pipeline/.test(line))) return;
  const over = calls.find(
    ({ line, method }) => line >= watch.line && /^(?:unwatch|multi|exec|execute|reset|discard)$/.test(method),
  );
  for (let at = watch.line; at < (over?.line ?? end); at++) {
    if (!/^\s*return\b/.test(lines[at] ?? '') || /\.unwatch\(/.test(lines[at])) continue;
    tell('watch-left')({ line: at + 1, at: 'return' }, `returns while the WATCH of line ${watch.line} is on`);
    return;
  }
}

const CLOCK = String.raw`(?:time\.time\(\)|Date\.now\(\)|System\.currentTimeMillis\(\))`;
const ID_OF_TIME = new RegExp(
  String.raw`\b((?:\w+_)?id|\w+Id)\s*=\s*(?:f?["'\u0060][\w:]*\$?\{)?\s*(?:int\(|str\(|String\()?\s*${CLOCK}`,
);
const PACKED = /\b(\w+)\s*\*\s*(?:1_?000_?000\d*|1e[6-9]|1e1\d|10\s*\*\*\s*\d+)\s*[+-]\s*.*(?:time|now)/i;
const MEMBER_OF_TIME = /\.zadd\([^,]+,\s*\{\s*(?:str\()?(\w+)\)?\s*:\s*\1\s*\}/i;
const FLOAT_OF_MONEY = /\b(\w*balance\w*)\s*=\s*(?:float|parseFloat|Double\.parseDouble)\(/i;

function checkLine(line: string, number: number, tell: TellOf): void {
  const found = (rule: string, pattern: RegExp, message: (name: string) => string): void => {
    const match = pattern.exec(line);
    if (match !== null) tell(rule)({ line: number, at: match[0] }, message(match[1]));
  };
  found('timestamp-id', ID_OF_TIME, (name) => `${name} is only a time`);
  found('packed-score', PACKED, (name) => `${name} and a time are packed into one number`);
  found('timestamp-member', MEMBER_OF_TIME, (name) => `the member ${name} is only a time`);
  found('float-money', FLOAT_OF_MONEY, (name) => `${name} is read as a number with fractions`);
}

/** Rules that only this file has, or shares with Lua. */
export const APPLICATION_RULES: readonly RuleText[] = [
  GET_THEN_SET,
  WATCH_LEFT,
  READ_BEFORE_WATCH,
  UNBOUNDED_RETRY,
  DELETE_WITHOUT_TOKEN,
];
