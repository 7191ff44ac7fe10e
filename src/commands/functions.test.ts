// Replies in both protocols; test/oracle/cases/functions.txt compares all texts with redis-server.
import { expect, it } from 'vitest';
import { onEveryTarget } from '../../test/support/targets.ts';

const LIBRARY = [
  '#!lua name=lib',
  'local n = 0',
  "redis.register_function('count', function() n = n + 1 return n end)",
  "redis.register_function{function_name = 'get', callback = function(keys) return redis.call('get', keys[1]) end,",
  "  flags = {'no-writes'}, description = 'reads'}",
].join('\n');

onEveryTarget('functions', (t) => {
  it('are loaded, called and deleted', async () => {
    await t.call('FUNCTION', 'FLUSH');
    expect(await t.call('FUNCTION', 'LOAD', LIBRARY)).toBe('lib');
    expect(await t.fails('FUNCTION', 'LOAD', LIBRARY)).toBe("ERR Library 'lib' already exists");
    expect(await t.call('FCALL', 'count', 0)).toBe(1);
    expect(await t.call('fcall', 'COUNT', 0)).toBe(2);
    const other = await t.connect();
    expect(await other.call('FCALL', 'count', 0)).toBe(3);
    await t.call('SET', 'k', 'v');
    expect(await t.call('FCALL', 'get', 1, 'k')).toBe('v');
    expect(await t.call('FCALL_RO', 'get', 1, 'k')).toBe('v');
    expect(await t.fails('FCALL_RO', 'count', 0)).toBe(
      'ERR Can not execute a script with write flag using *_ro command.',
    );
    expect(await t.call('FUNCTION', 'LOAD', 'REPLACE', LIBRARY)).toBe('lib');
    expect(await t.call('FCALL', 'count', 0)).toBe(1);
    expect(await t.call('FUNCTION', 'DELETE', 'lib')).toBe('OK');
    expect(await t.fails('FCALL', 'count', 0)).toBe('ERR Function not found');
  });

  it('are listed and counted in the forms of the protocol', async () => {
    await t.call('FUNCTION', 'FLUSH');
    await t.call('FUNCTION', 'LOAD', LIBRARY);
    expect(await t.call('FUNCTION', 'LIST', 'WITHCODE')).toEqual([
      [
        ...['library_name', 'lib', 'engine', 'LUA', 'functions'],
        [
          ['name', 'count', 'description', null, 'flags', []],
          ['name', 'get', 'description', 'reads', 'flags', ['no-writes']],
        ],
        ...['library_code', LIBRARY],
      ],
    ]);
    expect(await t.call('FUNCTION', 'STATS')).toEqual([
      ...['running_script', null, 'engines', ['LUA', ['libraries_count', 1, 'functions_count', 2]]],
    ]);
    const list = await t.rich('FUNCTION', 'LIST');
    const stats = await t.rich('FUNCTION', 'STATS');
    const isRich = t.protocol === 3;
    expect(stats.type).toBe(isRich ? 'map' : 'array');
    expect((list.value as { type: string }[])[0].type).toBe(isRich ? 'map' : 'array');
  });

  it('survive FLUSHALL, and a dump brings them back', async () => {
    await t.call('FUNCTION', 'FLUSH', 'SYNC');
    await t.call('FUNCTION', 'LOAD', LIBRARY);
    await t.call('FLUSHALL');
    const payload = (await t.call('FUNCTION', 'DUMP')) as string;
    await t.call('FUNCTION', 'FLUSH', 'ASYNC');
    expect(await t.call('FUNCTION', 'LIST')).toEqual([]);
    expect(await t.call('FUNCTION', 'RESTORE', payload)).toBe('OK');
    expect(await t.fails('FUNCTION', 'RESTORE', payload)).toBe('ERR Library lib already exists');
    expect(await t.call('FUNCTION', 'RESTORE', payload, 'REPLACE')).toBe('OK');
    expect(await t.call('FCALL', 'count', 0)).toBe(1);
  });

  it('run inside MULTI and not inside each other', async () => {
    await t.call('FUNCTION', 'FLUSH');
    const nested =
      "#!lua name=lib\nredis.register_function('f', function() return redis.call('fcall', 'f', 0) end)";
    expect(
      await t.exec([
        ['FUNCTION', 'LOAD', nested],
        ['FCALL', 'f', 0],
        ['FUNCTION', 'KILL'],
      ]),
    ).toEqual([
      'lib',
      { error: 'ERR This Redis command is not allowed from script script: f, on @user_function:2.' },
      { error: 'NOTBUSY No scripts in execution right now.' },
    ]);
  });
});
