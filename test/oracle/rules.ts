// The list of everything that may differ between the oracle and Holdfast, with the reason. normalise.ts applies
// these rules and may apply no others; docs/differences.md lists the ones of kind 'dialect'.

export type RuleKind = 'order' | 'time' | 'random' | 'identity' | 'dialect';

export interface Rule {
  kind: RuleKind;
  why: string;
}

export const RULES = {
  // ---- order: Redis itself promises none
  'unordered-reply': {
    kind: 'order',
    why: 'members of a hash table come in hash order, which depends on a random seed; compared as a multiset',
  },
  'scan-cursor': {
    kind: 'order',
    why: 'cursors are opaque; the whole iteration is run on both sides and its elements are compared',
  },
  'sort-unordered': {
    kind: 'order',
    why: 'SORT by equal weights (ALPHA BY) or BY nosort over a hash table leaves the order open',
  },
  'message-order': {
    kind: 'order',
    why: 'one publication matches several patterns, and UNSUBSCRIBE without names ends all, in hash order',
  },
  'push-own-command': {
    kind: 'order',
    why: 'a message to the client that causes it comes before (7.0) or after (7.2) its reply; only their own order counts',
  },
  'dump-encoding': {
    kind: 'order',
    why: 'DUMP keeps the order of hash tables, and the encoding that the server has for a value; what both hold is compared',
  },
  // ---- time
  'ttl-tolerance': {
    kind: 'time',
    why: 'the two servers run the same command at slightly different moments',
  },
  'clock-reading': { kind: 'time', why: 'TIME and idle time are read from two clocks; compared by shape' },
  // ---- random
  'random-choice': {
    kind: 'random',
    why: 'the server chooses; count, distinctness and membership are checked instead',
  },
  // ---- identity: names the process or the connection
  'client-identity': { kind: 'identity', why: 'ids, addresses, ages and buffer sizes of a connection' },
  'server-identity': { kind: 'identity', why: 'version and id in the HELLO reply' },
  // ---- dialect: Holdfast speaks 7.2.4 on purpose, the oracle an older dialect
  'double-format': {
    kind: 'dialect',
    why: '7.2 prints the shortest decimal that reads back as the same double; 7.0 prints 17 digits',
  },
  'set-listpack': {
    kind: 'dialect',
    why: '7.2 keeps small sets with non-integers as listpack (insertion order); 7.0 as hashtable',
  },
  'spop-encoding': {
    kind: 'dialect',
    why: '7.0 builds a set anew when SPOP leaves few members, 7.2 keeps its listpack: both sides are built anew',
  },
  'list-listpack': {
    kind: 'dialect',
    why: '7.2 keeps small lists as listpack; 7.0 calls every list quicklist',
  },
  'hash-guess': {
    kind: 'dialect',
    why: '7.2 makes a hashtable at once for a HSET with more pairs than a listpack may have fields, also where some are the same; 7.0 counts afterwards',
  },
  'block-timeout-range': {
    kind: 'dialect',
    why: '7.2 says "timeout is out of range" where 7.0 overflows and says "timeout is negative"',
  },
  'blocked-reprocess': {
    kind: 'dialect',
    why: '7.2 runs a woken command again: its leftmost ready key wins, and a wrong type on the way is an error; 7.0 serves the key that became ready first. The round ends there',
  },
  'lpos-rank-min': { kind: 'dialect', why: '7.2 refuses LPOS RANK -9223372036854775808; 7.0 finds nothing' },
  'hello-auth-order': {
    kind: 'dialect',
    why: '7.2 reads all options of HELLO before it checks the password; 7.0 checks at the AUTH option',
  },
  'blocking-in-scripts': {
    kind: 'dialect',
    why: '7.2 lets scripts call blocking commands: their noscript flag is gone from COMMAND INFO',
  },
  'log-level-text': {
    kind: 'dialect',
    why: 'redis.log with a level that there is not: 7.0 calls it an invalid debug level, its successors a log level',
  },
  'script-clock': {
    kind: 'dialect',
    why: '7.2 stops the clock while a script runs; in 7.0 its second TIME may answer a later time than its first',
  },
  'kill-text': {
    kind: 'dialect',
    why: 'a script that SCRIPT KILL ended says so with three dots in 7.0, with one in its successors',
  },
  'command-7.2': { kind: 'dialect', why: 'the command, subcommand or option exists since 7.2 only' },
  'command-table': {
    kind: 'dialect',
    why: 'the set of commands differs (7.2 adds some; areas out of scope are absent); common rows are compared',
  },
  refcount: {
    kind: 'dialect',
    why: 'OBJECT REFCOUNT tells how Redis shares objects in memory; Holdfast answers by the value alone',
  },
  'shared-idle': {
    kind: 'dialect',
    why: 'Redis keeps one object for each integer from 0 to 9999: a key that just got one shows the idle time of that object; Holdfast counts by key',
  },
  'queue-dropped': {
    kind: 'dialect',
    why: 'a command refused inside MULTI drops what was queued (as Valkey does): CLIENT INFO then says multi=0',
  },
  'client-fields': { kind: 'dialect', why: '7.2 adds lib-name and lib-ver to CLIENT INFO and CLIENT LIST' },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;

/** Commands and options that 7.0 does not know. Generated outside MULTI only (a refusal dirties it). */
export const SINCE_7_2: readonly { command: string; refusal: RegExp }[] = [
  { command: 'CLIENT SETINFO', refusal: /^ERR (unknown subcommand|Unknown subcommand)/ },
  { command: 'CLIENT NO-TOUCH', refusal: /^ERR (unknown subcommand|Unknown subcommand)/ },
  { command: 'ZRANK', refusal: /^ERR wrong number of arguments/ },
  { command: 'ZREVRANK', refusal: /^ERR wrong number of arguments/ },
  { command: 'DEBUG STRINGMATCH-LEN', refusal: /^ERR unknown subcommand/ },
  { command: 'WAITAOF', refusal: /^ERR unknown command/ },
];

/** Rows of COMMAND INFO that 7.2 changed, so that they are not compared. */
export const CHANGED_ROWS = new Set([
  // An optional WITHSCORE: the arity is -3.
  'zrank',
  'zrevrank',
]);

/** Replies that differ by one named change of 7.2, told by the command and both replies (`kind:text`). */
export const REPLY_DIALECTS: readonly { id: RuleId; command: RegExp; left: RegExp; right: RegExp }[] = [
  {
    id: 'block-timeout-range',
    command: /^B(LPOP|RPOP|LMOVE|RPOPLPUSH|LMPOP|ZPOPMIN|ZPOPMAX|ZMPOP)$/,
    left: /^error:ERR timeout is negative$/,
    right: /^error:ERR timeout is out of range$/,
  },
  {
    id: 'lpos-rank-min',
    command: /^LPOS$/,
    left: /^/,
    right: /^error:ERR value is out of range, value must between /,
  },
  {
    id: 'log-level-text',
    command: /^FUNCTION (LOAD|RESTORE)$/,
    left: /^error:ERR Error registering functions: ERR Invalid debug level\.$/,
    right: /^error:ERR Error registering functions: ERR Invalid log level\.$/,
  },
  {
    id: 'hello-auth-order',
    command: /^HELLO$/,
    left: /^error:WRONGPASS /,
    right: /^error:ERR (Syntax error in HELLO option|Client names cannot contain) /,
  },
];
