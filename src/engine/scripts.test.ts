// Scripts as in-process methods: keys and arguments in, JavaScript values out, transactions around them.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Database } from './database.ts';
import { HoldfastError } from './errors.ts';
import { VirtualClock } from './ports.ts';

let db: Database;

beforeEach(() => {
  db = new Database({ clock: new VirtualClock(), seed: 7 });
});
afterEach(() => db.close());

function errorOf(work: () => unknown): HoldfastError {
  try {
    work();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('no error');
}

it('takes keys and arguments of any kind', () => {
  const all = 'return {KEYS, ARGV}';
  expect(db.eval(all)).toEqual([[], []]);
  expect(db.eval(all, {})).toEqual([[], []]);
  expect(db.eval(all, { keys: ['k'] })).toEqual([['k'], []]);
  expect(db.eval(all, { keys: ['é', 'b'], args: [1.5, 2n, 'ü', new Uint8Array([0xc3, 0xbc])] })).toEqual([
    ['é', 'b'],
    ['1.5', '2', 'ü', 'ü'],
  ]);
  expect(db.evalRo(all, { args: ['x'] })).toEqual([[], ['x']]);
  expect(db.call('EVAL', all, 1, 'k', 'a')).toEqual([['k'], ['a']]);
  expect(errorOf(() => db.eval(all, { args: [{} as never] })).code).toBe('HF_ARGUMENT');
});

it('takes scripts with characters beyond ASCII, long or short', () => {
  expect(db.eval("return 'é'")).toBe('é');
  const long = `return 'é ${'x'.repeat(60)}'`;
  for (let i = 0; i < 3; i++) expect(db.eval(long)).toBe(`é ${'x'.repeat(60)}`);
});

it('answers JavaScript values', () => {
  expect(db.eval('return 3.99')).toBe(3);
  expect(db.eval('return 2^60')).toBe(2n ** 60n);
  expect(db.eval('return true')).toBe(1);
  expect(db.eval('redis.setresp(3) return {true, false}')).toEqual([true, false]);
  expect(db.eval('return nil')).toBe(null);
  expect(db.eval('return {double = 0.5}')).toBe(0.5);
  expect(db.eval("return {big_number = '123456789012345678901234567890'}")).toBe(
    123456789012345678901234567890n,
  );
  expect(db.eval("return {verbatim_string = {string = 'text', format = 'txt'}}")).toBe('text');
  expect(db.eval('return {map = {a = 1, b = {map = {c = 2}}}}')).toEqual({ a: 1, b: { c: 2 } });
  expect(db.eval('return {set = {m = true}}')).toEqual(['m']);
  const mixed = db.eval("return {1, redis.error_reply('MY error')}") as [number, HoldfastError];
  expect(mixed[1]).toBeInstanceOf(HoldfastError);
  expect(mixed[1].code).toBe('MY');
  expect([...(db.buffers.eval("return '\\255\\0'") as Uint8Array)]).toEqual([255, 0]);
});

it('answers what is nested deeper than recursion can go', () => {
  let depth = 0;
  let value = db.eval('local t for i = 1, 7000 do t = {t} end return t');
  while (Array.isArray(value)) {
    depth++;
    value = value[0];
  }
  expect(depth).toBe(7000);
  depth = 0;
  let map = db.eval('local t = 1 for i = 1, 2600 do t = {map = {k = t}} end return t');
  while (typeof map === 'object') {
    depth++;
    map = (map as { k: unknown }).k;
  }
  expect(depth).toBe(2600);
});

it('throws the errors of scripts', () => {
  db.set('s', 'x');
  expect(errorOf(() => db.eval("redis.call('lpush', 's', 1)")).code).toBe('WRONGTYPE');
  expect(errorOf(() => db.eval('bad code')).message).toMatch(/^ERR Error compiling script/);
  expect(errorOf(() => db.evalsha('0'.repeat(40))).code).toBe('NOSCRIPT');
});

it('is known by its digest to all sessions', () => {
  const digest = db.scriptLoad("return redis.call('incr', KEYS[1])");
  expect(db.session().evalsha(digest, { keys: ['n'] })).toBe(1);
  expect(db.evalsha(digest.toUpperCase(), { keys: ['n'] })).toBe(2);
  expect(db.scriptExists(digest, 'x')).toEqual([1, 0]);
});

it('is undone with the transaction around it', () => {
  const move =
    "redis.call('set', KEYS[1], 1) redis.call('rpush', KEYS[2], 'a') return redis.call('incr', KEYS[1])";
  const changes: string[] = [];
  const stop = db.engine.effects.onChanges((made) => changes.push(...made.map(({ key }) => key)));
  expect(() =>
    db.transaction((tx) => {
      expect(tx.eval(move, { keys: ['a', 'l'] })).toBe(2);
      expect(tx.get('a')).toBe('2');
      throw new Error('back');
    }),
  ).toThrow('back');
  expect(db.exists('a', 'l')).toBe(0);
  expect(changes).toEqual([]);
  db.transaction((tx) => {
    tx.set('before', 1);
    expect(errorOf(() => tx.eval("redis.call('set', 'a', 1) error('x')")).message).toMatch(
      /^ERR user_script:1: x/,
    );
  });
  // An error that is caught leaves what the script did.
  expect(db.mget('before', 'a')).toEqual(['1', '1']);
  expect(changes).toEqual(['before', 'a']);
  stop();
});

it('has the same chance in every database', () => {
  const chance = 'return tostring(math.random())';
  expect(db.eval(chance)).toBe('0.39646477363839');
  expect(db.eval(chance)).toBe('0.84048536971234');
  expect(db.eval('math.randomseed(5) return math.random(1000)')).toBe(525);
  const other = new Database({ seed: 9 });
  expect(other.eval(chance)).toBe('0.39646477363839');
  other.close();
});

it('runs in the database that the session has selected', () => {
  const session = db.session();
  session.select(3);
  session.eval("redis.call('set', 'k', 'in 3')");
  expect(db.get('k')).toBe(null);
  expect(session.eval("redis.call('select', 0) return redis.call('get', 'k')")).toBe(null);
  expect(session.get('k')).toBe('in 3');
});
