// SORT and SORT_RO: elements of a list, set or sorted set in order of themselves or of keys that a pattern names.
// The value files of the keyspace give the elements; STORE writes a list.
import { parseDouble } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { HashValue } from '../keyspace/hash-value.ts';
import { ListValue } from '../keyspace/list-value.ts';
import { SetValue } from '../keyspace/set-value.ts';
import { type Collection, stringOf, typeOf, WRONGTYPE } from '../keyspace/values.ts';
import { ZsetValue } from '../keyspace/zset-value.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';
import { integer } from './args.ts';
import { SYNTAX } from './errors.ts';
import { type Arg, command, type KeySpec, keysAt } from './spec.ts';

const NOT_DOUBLE = new ReplyError("ERR One or more scores can't be converted into double");
/** Numbers nearer to zero have fewer digits than they were given: C's strtod calls that a range error. */
const SMALLEST_NORMAL = 2.2250738585072014e-308;

const BY_AND_GET: KeySpec = {
  flags: ['RO', 'access'],
  begin: null,
  find: null,
  notes: 'Keys that BY and GET patterns name; which ones depends on the elements.',
};
const STORE_KEY: KeySpec = {
  flags: ['OW', 'update'],
  begin: null,
  find: null,
  notes: 'The key behind STORE, which may stand anywhere among the options.',
};

const ROW = {
  arity: -2,
  group: 'generic',
  complexity: 'O(N+M*log(M)) with N elements of which M are answered; O(N) where nothing is sorted',
  categories: ['-keyspace', 'set', 'sortedset', 'list', 'dangerous'],
} as const;

const SYNTAX_OF_BOTH =
  'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA]';

export const sort = {
  sort: command<[key: Arg, ...options: Arg[]], (string | null)[] | number>({
    ...ROW,
    flags: ['write', 'denyoom'],
    since: '1.0.0',
    summary: 'Sorts the elements of a list, set or sorted set; answers or stores them.',
    syntax: `${SYNTAX_OF_BOTH} [STORE destination]`,
    keys: [keysAt('RO access'), BY_AND_GET, STORE_KEY],
    keyPositions: (args) => {
      const source = { at: 1, flags: ['RO', 'access'] };
      const store = storeAt(args);
      return store === 0 ? [source] : [source, { at: store, flags: ['OW', 'update'] }];
    },
    run: (db, args) => runSort(db, args, true),
  }),
  sortRo: command<[key: Arg, ...options: Arg[]], (string | null)[]>({
    ...ROW,
    flags: ['readonly'],
    since: '7.0.0',
    summary: 'Sorts the elements of a list, set or sorted set as SORT does, without STORE.',
    syntax: SYNTAX_OF_BOTH,
    keys: [keysAt('RO access'), BY_AND_GET],
    keyPositions: () => [{ at: 1, flags: ['RO', 'access'] }],
    run: (db, args) => runSort(db, args, false),
  }),
};

interface Options {
  descending: boolean;
  alpha: boolean;
  offset: number;
  /** Negative: all. */
  count: number;
  /** Pattern, null to sort by the elements themselves. */
  by: Pattern | null;
  /** BY was given without an asterisk: nothing is sorted. */
  unsorted: boolean;
  readonly get: Pattern[];
  store: string | null;
}

/** A pattern cut at its first asterisk. */
interface Pattern {
  /** `#`: the element itself. */
  readonly self: boolean;
  /** null where there is no asterisk: such a pattern names nothing. */
  readonly prefix: string | null;
  readonly suffix: string;
  /** Field behind `->`, null where the key holds a string. */
  readonly field: string | null;
}

interface Entry {
  readonly element: string;
  readonly score: number;
  /** What ALPHA compares; null where BY found nothing. */
  readonly text: string | null;
}

function runSort(db: Db, args: readonly string[], mayStore: boolean): Reply {
  const options = parseOptions(args, mayStore);
  let value = db.lookup(args[1]);
  const kind = value === undefined ? 'list' : typeOf(value);
  if (kind !== 'list' && kind !== 'set' && kind !== 'zset') throw WRONGTYPE;
  // A set has no order: what is stored of it must not depend on how it happens to lie.
  if (options.unsorted && kind === 'set' && options.store !== null) {
    options.unsorted = false;
    options.alpha = true;
    options.by = null;
  }
  if (value instanceof ZsetValue) {
    // Redis turns it into a skiplist first, and OBJECT ENCODING shows that ever after; no change that anybody is told.
    value = db.edit(args[1], ZsetValue) as ZsetValue;
    (value as ZsetValue).grow();
  }
  const length = value === undefined ? 0 : (value as Collection).size;
  const start = Math.min(Math.max(options.offset, 0), length);
  const end = options.count < 0 ? length : Math.min(start + options.count, length);
  let elements: string[];
  if (options.unsorted) {
    elements = range(value as Collection | undefined, start, end, options.descending);
  } else {
    elements = range(value as Collection | undefined, 0, length, false);
    elements = sorted(db, elements, options).slice(start, end);
  }
  const found = options.get.length === 0 ? elements : fetch(db, elements, options.get);
  return options.store === null ? found : store(db, options.store, found);
}

function parseOptions(args: readonly string[], mayStore: boolean): Options {
  const options: Options = {
    descending: false,
    alpha: false,
    offset: 0,
    count: -1,
    by: null,
    unsorted: false,
    get: [],
    store: null,
  };
  for (let i = 2; i < args.length; i++) {
    const left = args.length - i - 1;
    const option = args[i].toLowerCase();
    if (option === 'asc') options.descending = false;
    else if (option === 'desc') options.descending = true;
    else if (option === 'alpha') options.alpha = true;
    else if (option === 'limit' && left >= 2) {
      options.offset = integer(args[++i]);
      options.count = integer(args[++i]);
    } else if (option === 'store' && mayStore && left >= 1) options.store = args[++i];
    else if (option === 'by' && left >= 1) {
      options.by = parsePattern(args[++i]);
      // Once one BY was constant nothing is sorted any more, even where a later one is not.
      if (options.by.prefix === null) options.unsorted = true;
    } else if (option === 'get' && left >= 1) options.get.push(parsePattern(args[++i]));
    else throw SYNTAX;
  }
  return options;
}

/** Position of the last STORE's key, 0 where there is none; other options' arguments are passed over. */
function storeAt(args: readonly string[]): number {
  let at = 0;
  for (let i = 2; i < args.length; i++) {
    const option = args[i].toLowerCase();
    if (option === 'limit') i += 2;
    else if (option === 'get' || option === 'by') i++;
    else if (option === 'store' && i + 1 < args.length) at = i + 1;
  }
  return at;
}

function parsePattern(text: string): Pattern {
  const star = text.indexOf('*');
  if (star < 0) return { self: text === '#', prefix: null, suffix: '', field: null };
  const arrow = text.indexOf('->', star + 1);
  const isField = arrow >= 0 && arrow + 2 < text.length;
  return {
    self: false,
    prefix: text.slice(0, star),
    suffix: isField ? text.slice(star + 1, arrow) : text.slice(star + 1),
    field: isField ? text.slice(arrow + 2) : null,
  };
}

/** What a pattern names for an element; null where it is missing or of another type. */
function lookUp(db: Db, pattern: Pattern, element: string): string | null {
  if (pattern.self) return element;
  if (pattern.prefix === null) return null;
  const value = db.lookup(pattern.prefix + element + pattern.suffix);
  if (value === undefined) return null;
  if (pattern.field === null) return typeOf(value) === 'string' ? stringOf(value) : null;
  return value instanceof HashValue ? (value.get(pattern.field) ?? null) : null;
}

// Elements `start` to before `end` in the value's own order, from its end where that matters. A set's order is
// arbitrary: DESC does not turn it.
function range(value: Collection | undefined, start: number, end: number, descending: boolean): string[] {
  if (value instanceof SetValue) return value.members().slice(start, end);
  if (value instanceof ListValue) {
    if (!descending) return value.slice(start, end);
    return value.slice(value.size - end, value.size - start).reverse();
  }
  const found: string[] = [];
  if (value instanceof ZsetValue) {
    const first = descending ? value.size - 1 - start : start;
    value.forEach(first, end - start, descending, (member) => {
      found.push(member);
    });
  }
  return found;
}

function sorted(db: Db, elements: readonly string[], { by, alpha, descending }: Options): string[] {
  let malformed = false;
  const entries = elements.map((element): Entry => {
    const text = by === null ? element : lookUp(db, by, element);
    if (alpha) return { element, score: 0, text };
    // What BY does not find weighs nothing.
    const score = text === null ? 0 : scoreOf(text);
    if (score === null) malformed = true;
    return { element, score: score ?? 0, text };
  });
  if (malformed) throw NOT_DOUBLE;
  const compare = alpha ? compareTexts : compareScores;
  entries.sort(descending ? (a, b) => compare(b, a) : compare);
  return entries.map((entry) => entry.element);
}

// C's strtod reads a weight: space in front is skipped, nothing at all is 0.
function scoreOf(text: string): number | null {
  const nul = text.indexOf('\0');
  const trimmed = (nul < 0 ? text : text.slice(0, nul)).replace(/^[ \t-\r]+/, '');
  if (trimmed === '' && (nul === 0 || text === '')) return 0;
  const value = parseDouble(trimmed);
  if (value === null || (value !== 0 && Math.abs(value) < SMALLEST_NORMAL)) return null;
  return value;
}

// Elements of equal weight are compared themselves, so that the order is always the same.
function compareScores(a: Entry, b: Entry): number {
  if (a.score !== b.score) return a.score > b.score ? 1 : -1;
  return a.element > b.element ? 1 : a.element < b.element ? -1 : 0;
}

// Byte order (the C locale); what was not found comes first.
function compareTexts(a: Entry, b: Entry): number {
  if (a.text === b.text) return 0;
  if (a.text === null) return -1;
  if (b.text === null) return 1;
  return a.text > b.text ? 1 : -1;
}

function fetch(db: Db, elements: readonly string[], patterns: readonly Pattern[]): (string | null)[] {
  const found: (string | null)[] = [];
  for (const element of elements) {
    for (const pattern of patterns) found.push(lookUp(db, pattern, element));
  }
  return found;
}

function store(db: Db, key: string, values: readonly (string | null)[]): Reply {
  if (values.length > 0) {
    const texts = values.map((value) => value ?? '');
    db.set(key, ListValue.of(texts, db.space.limits.listMaxListpackSize));
    db.signal(key, Event.list, 'sortstore');
  } else if (db.remove(key)) db.signal(key, Event.generic, 'del');
  return values.length;
}
