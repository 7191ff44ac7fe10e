import { afterEach, beforeEach, expect, test } from 'vitest';
import { Database } from './database.ts';
import { HoldfastError } from './errors.ts';

let db: Database;
beforeEach(() => {
  db = new Database({ seed: 1 });
});
afterEach(() => db.close());

const CODE = `#!lua name=shop
redis.register_function{
  function_name = 'price',
  description = 'what it costs',
  callback = function(keys, args) return redis.call('get', keys[1]) or args[1] end,
  flags = {'no-writes', 'allow-stale'},
}
redis.register_function('put', function(keys, args) return redis.call('set', keys[1], args[1]) end)`;

const SHOP = {
  name: 'shop',
  engine: 'LUA',
  functions: [
    { name: 'price', description: 'what it costs', flags: ['no-writes', 'allow-stale'] },
    { name: 'put', description: null, flags: [] },
  ],
};

test('a library is loaded, listed, called and deleted', () => {
  expect(db.functions.load(CODE)).toBe('shop');
  expect(() => db.functions.load(CODE)).toThrow(
    new HoldfastError('ERR', "ERR Library 'shop' already exists"),
  );
  expect(db.functions.load(new TextEncoder().encode(CODE), { replace: true })).toBe('shop');
  expect(db.functions.list()).toEqual([SHOP]);
  expect(db.functions.list({ name: 'S*', code: true })).toEqual([{ ...SHOP, code: CODE }]);
  expect(db.functions.list({ name: 'x*' })).toEqual([]);
  expect(db.functions.stats()).toEqual({ libraries: 1, functions: 2, running: null });

  expect(db.fcall('put', { keys: ['lamp'], args: [12] })).toBe('OK');
  expect(db.fcallRo('price', { keys: ['lamp'] })).toBe('12');
  expect(db.fcall('price', { keys: ['sofa'], args: ['é'] })).toBe('é');
  expect(db.buffers.fcall('price', { keys: ['lamp'] })).toEqual(Buffer.from('12'));
  expect(() => db.fcallRo('put', { keys: ['lamp'] })).toThrow(
    /^ERR Can not execute a script with write flag/,
  );
  expect(() => db.fcall('nope')).toThrow('ERR Function not found');

  db.functions.delete('shop');
  expect(() => db.functions.delete('shop')).toThrow('ERR Library not found');
  expect(db.functions.stats()).toEqual({ libraries: 0, functions: 0, running: null });
});

test('a dump is restored, here or in another database', () => {
  db.functions.load(CODE);
  const payload = db.functions.dump();
  expect(() => db.functions.restore(payload)).toThrow('ERR Library shop already exists');
  db.functions.restore(payload, 'replace');
  db.functions.flush();
  db.functions.restore(payload);
  db.functions.restore(payload, 'flush');
  const other = new Database();
  other.functions.restore(payload);
  expect(other.functions.list({ code: true })).toEqual([{ ...SHOP, code: CODE }]);
  other.close();
});

test('code and descriptions are UTF-8', () => {
  const code =
    "#!lua name=a\nredis.register_function{function_name='f', description='größer', callback=function(keys, args) return 'é' .. #'é' .. args[1] end}";
  db.functions.load(code);
  expect(db.fcall('f', { args: ['ü'] })).toBe('é2ü');
  expect(db.functions.list({ code: true })[0]).toMatchObject({
    code,
    functions: [{ description: 'größer' }],
  });
});

test('a session and a transaction have the libraries of their database', () => {
  const session = db.session();
  session.functions.load(CODE);
  expect(db.functions.list()).toHaveLength(1);
  db.transaction((tx) => {
    tx.functions.flush();
  });
  expect(session.functions.list()).toEqual([]);
});
