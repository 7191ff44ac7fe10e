// EVAL, EVALSHA, SCRIPT: what the project's semantics notes say of scripts, rule by rule. The texts are those of
// redis-server.
import { describe, expect, it } from 'vitest';
import { deaf } from '../../test/support/deaf.ts';
import { onEveryTarget, type TestClient } from '../../test/support/targets.ts';
import { sha1Hex } from '../data/sha1.ts';
import type { Op } from '../engine/effects.ts';
import { Engine } from '../engine/engine.ts';
import { VirtualClock } from '../engine/ports.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';

const clock = new VirtualClock();

onEveryTarget(
  'scripting',
  (t) => {
    const run = (script: string, ...args: (string | number)[]) => t.call('EVAL', script, 0, ...args);
    const fails = (script: string) => t.fails('EVAL', script, 0);
    const where = (script: string, line = 1): string =>
      ` script: ${sha1Hex(script)}, on @user_script:${line}.`;

    // ---- entry

    it('checks the number of keys before anything else', async () => {
      expect(await t.fails('EVAL', 'bad code', 'x')).toBe('ERR value is not an integer or out of range');
      expect(await t.fails('EVAL', 'bad code', 1)).toBe(
        "ERR Number of keys can't be greater than number of args",
      );
      expect(await t.fails('EVAL', 'bad code', -1)).toBe("ERR Number of keys can't be negative");
      expect(await t.fails('EVAL', 'return 1')).toBe("ERR wrong number of arguments for 'eval' command");
      expect(await t.fails('EVALSHA', 'x', 'x')).toBe('NOSCRIPT No matching script. Please use EVAL.');
      expect(await t.fails('EVALSHA', 'a'.repeat(40), 'x')).toBe(
        'ERR value is not an integer or out of range',
      );
    });

    it('gives keys and arguments, bytes and all', async () => {
      expect(await t.call('EVAL', 'return {KEYS, ARGV}', 1, '\x00\xff', 'a', '')).toEqual([
        ['\x00\xff'],
        ['a', ''],
      ]);
      expect(
        await t.call('EVAL', 'KEYS[1] = "own" ARGV[2] = "too" return {KEYS[1], ARGV[2]}', 1, 'k'),
      ).toEqual(['own', 'too']);
      expect(await t.call('EVAL', 'return {_G.KEYS[1], _G["ARGV"][1]}', 1, 'k', 'v')).toEqual(['k', 'v']);
    });

    it('a script that is no Lua is told where', async () => {
      expect(await fails('bad code')).toBe(
        "ERR Error compiling script (new function): user_script:1: '=' expected near 'code'",
      );
      expect(await fails('#!lua\n\nbad code')).toBe(
        "ERR Error compiling script (new function): user_script:3: '=' expected near 'code'",
      );
    });

    it('knows a script by its digest once it was evaluated or loaded', async () => {
      const script = `return 'known by ${t.name}'`;
      const digest = sha1Hex(script);
      expect(await t.call('SCRIPT', 'EXISTS', digest, 'x')).toEqual([0, 0]);
      expect(await t.fails('EVALSHA', digest, 0)).toBe('NOSCRIPT No matching script. Please use EVAL.');
      await run(script);
      expect(await t.call('EVALSHA', digest.toUpperCase(), 0)).toBe(`known by ${t.name}`);
      expect(await t.call('SCRIPT', 'LOAD', 'return 2')).toBe(sha1Hex('return 2'));
      expect(await t.call('SCRIPT', 'EXISTS', sha1Hex('return 2').toUpperCase(), digest)).toEqual([1, 1]);
      expect(await t.call('SCRIPT', 'SHOW', digest)).toBe(script);
      expect(await t.fails('SCRIPT', 'SHOW', 'a'.repeat(40))).toMatch(/^NOSCRIPT /);
      expect(await t.call('SCRIPT', 'FLUSH', 'ASYNC')).toBe('OK');
      expect(await t.call('SCRIPT', 'EXISTS', digest)).toEqual([0]);
      expect(await t.fails('SCRIPT', 'FLUSH', 'now')).toBe('ERR SCRIPT FLUSH only support SYNC|ASYNC option');
      expect(await t.fails('SCRIPT', 'FLUSH', 'SYNC', 'x')).toBe(
        'ERR SCRIPT FLUSH only support SYNC|ASYNC option',
      );
    });

    it('SCRIPT KILL finds nothing to end, SCRIPT DEBUG no debugger', async () => {
      expect(await t.fails('SCRIPT', 'KILL')).toBe('NOTBUSY No scripts in execution right now.');
      expect(await t.call('SCRIPT', 'DEBUG', 'no')).toBe('OK');
      expect(await t.fails('SCRIPT', 'DEBUG', 'yes')).toBe(
        "ERR 'SCRIPT DEBUG' is not supported by Holdfast (see docs/differences.md)",
      );
      expect(await t.fails('SCRIPT', 'DEBUG', 'x')).toBe('ERR Use SCRIPT DEBUG YES/SYNC/NO');
    });

    // ---- read-only scripts

    it('a script that says no-writes, and one that is run as _RO, cannot write', async () => {
      const refused = 'ERR Write commands are not allowed from read-only scripts.';
      const write = "return redis.call('set', 'k', 'v')";
      expect(await t.fails('EVAL', `#!lua flags=no-writes\n${write}`, 0)).toBe(
        refused + where(`#!lua flags=no-writes\n${write}`, 2),
      );
      expect(await t.fails('EVAL_RO', write, 0)).toBe(refused + where(write));
      await t.call('SCRIPT', 'LOAD', write);
      expect(await t.fails('EVALSHA_RO', sha1Hex(write), 0)).toBe(refused + where(write));
      for (const command of ['"publish", "c", "m"', '"spublish", "c", "m"']) {
        expect(await t.fails('EVAL_RO', `return redis.pcall(${command})`, 0)).toBe(refused);
      }
      expect(await t.call('EXISTS', 'k')).toBe(0);
      expect(await t.call('EVAL_RO', "return redis.call('get', 'k')", 0)).toBe(null);
      expect(await t.fails('EVAL_RO', '#!lua\nreturn 1', 0)).toBe(
        'ERR Can not execute a script with write flag using *_ro command.',
      );
      expect(await t.call('EVAL_RO', '#!lua flags=no-writes\nreturn 1', 0)).toBe(1);
    });

    // ---- commands

    it('runs commands in the database of the caller, and SELECT holds within the script only', async () => {
      await t.call('SELECT', 2);
      await t.call('SET', 'k', 'in 2');
      const script = `local before = redis.call('get', 'k') redis.call('select', 3) redis.call('set', 'k', 'in 3')
        return {before, redis.call('get', 'k')}`;
      expect(await run(script)).toEqual(['in 2', 'in 3']);
      expect(await t.call('GET', 'k')).toBe('in 2');
      expect(await run("return redis.call('get', 'k')")).toBe('in 2');
      await t.call('SELECT', 0);
    });

    it('turns numbers into arguments as they are', async () => {
      const script = `local out = {} for i, n in ipairs({1, 1e15, 2^53, -0.5, 0.1 + 0.2, 1e20, -0.0, 2^62}) do
        redis.call('set', 'n', n) out[i] = redis.call('get', 'n') end return out`;
      expect(await run(script)).toEqual([
        ...['1', '1000000000000000', '9007199254740992', '-0.5', '0.30000000000000004'],
        ...['1e+20', '0', '4611686018427387904'],
      ]);
    });

    it('refuses arguments that are neither strings nor numbers', async () => {
      const text = 'ERR Lua redis lib command arguments must be strings or integers';
      for (const script of ["redis.call('get', {})", "redis.call('get', nil)", 'redis.call(true)']) {
        expect(await fails(script)).toBe(text + where(script));
      }
      expect(await fails('return redis.pcall()')).toBe(
        'ERR Please specify at least one argument for this redis lib call',
      );
    });

    it('refuses commands that there are not, that are not for scripts, or have too few arguments', async () => {
      for (const [command, text] of [
        ["'nosuch'", 'ERR Unknown Redis command called from script'],
        ["'config', 'nosuch'", 'ERR Unknown Redis command called from script'],
        ["'get'", 'ERR Wrong number of args calling Redis command from script'],
        ["'object'", 'ERR Wrong number of args calling Redis command from script'],
        ["'multi'", 'ERR This Redis command is not allowed from script'],
        ["'eval', 'return 1', 0", 'ERR This Redis command is not allowed from script'],
        ["'config', 'get', 'x'", 'ERR This Redis command is not allowed from script'],
        ["'subscribe', 'c'", 'ERR This Redis command is not allowed from script'],
        ["'client', 'id'", 'ERR This Redis command is not allowed from script'],
      ]) {
        const script = `return redis.call(${command})`;
        expect(await fails(script)).toBe(text + where(script));
        expect(await fails(`return redis.pcall(${command})`)).toBe(text);
      }
      expect(await fails("return redis.pcall('xadd', 's', '*', 'f', 'v')")).toMatch(
        /^ERR 'XADD' is not supported by Holdfast yet/,
      );
    });

    it('a blocking command acts as if its time were over', async () => {
      expect(await run("return {type(redis.call('blpop', 'l', 0)), redis.call('wait', 1, 0)}")).toEqual([
        'boolean',
        0,
      ]);
      expect(await run("redis.call('rpush', 'l', 'a') return redis.call('blpop', 'l', 0)")).toEqual([
        'l',
        'a',
      ]);
    });

    it('answers what Lua cannot say in RESP2 as RESP2 says it', async () => {
      await t.call('HSET', 'h', 'f', 'v');
      await t.call('ZADD', 'z', '0.5', 'm');
      await t.call('SADD', 's', 'm');
      const script = `local out = {} for i, reply in ipairs({redis.call('hgetall', 'h'), redis.call('zscore', 'z', 'm'),
        redis.call('smembers', 's'), redis.call('get', 'none'), redis.call('exists', 'h'), redis.call('ping')}) do
        out[i] = cjson.encode(reply) end return out`;
      expect(await run(script)).toEqual(['["f","v"]', '"0.5"', '["m"]', 'false', '1', '{"ok":"PONG"}']);
      const rich = `redis.setresp(3) return {cjson.encode(redis.call('hgetall', 'h')),
        cjson.encode(redis.call('zscore', 'z', 'm')), cjson.encode(redis.call('smembers', 's')),
        type(redis.call('get', 'none'))}`;
      expect(await run(rich)).toEqual(['{"map":{"f":"v"}}', '{"double":0.5}', '{"set":{"m":true}}', 'nil']);
    });

    it('passes replies on in the protocol of the script', async () => {
      await t.call('HSET', 'h', 'f', 'v');
      const { type } = await t.rich('EVAL', "redis.setresp(3) return redis.call('hgetall', 'h')", 0);
      expect(type).toBe(t.protocol === 3 ? 'map' : 'array');
      expect((await t.rich('EVAL', "return redis.call('hgetall', 'h')", 0)).type).toBe('array');
      expect((await t.rich('EVAL', 'redis.setresp(3) return true', 0)).type).toBe(
        t.protocol === 3 ? 'boolean' : 'integer',
      );
      expect((await t.rich('EVAL', 'return true', 0)).type).toBe('integer');
      expect((await t.rich('EVAL', 'return {double = 0.5}', 0)).type).toBe(
        t.protocol === 3 ? 'double' : 'bulk',
      );
    });

    // ---- errors

    it('an error of a command ends the script where it was called', async () => {
      await t.call('SET', 's', 'x');
      const script = "local x = 1\n\nredis.call('set', 'done', 1) redis.call('incr', 's')\nreturn 1";
      expect(await fails(script)).toBe(`ERR value is not an integer or out of range${where(script, 3)}`);
      // What it wrote before stays.
      expect(await t.call('GET', 'done')).toBe('1');
      expect(await fails("return redis.pcall('incr', 's')")).toBe(
        'ERR value is not an integer or out of range',
      );
      const caught = "local t = redis.pcall('lpop', 's') return {t.err, t.line, t.source}";
      expect(await run(caught)).toEqual([
        'WRONGTYPE Operation against a key holding the wrong kind of value',
      ]);
      expect(await run("return select(2, pcall(redis.call, 'incr', 's'))")).toBe(
        'ERR value is not an integer or out of range',
      );
      expect(await run("return select(2, xpcall(function() redis.call('incr', 's') end, type))")).toBe(
        'table',
      );
    });

    it('an error that the script raises says where', async () => {
      for (const [script, text] of [
        ["error('boom')", 'ERR user_script:1: boom'],
        ["error('boom', 0)", 'ERR boom'],
        ["error({err = 'TAB boom'})", 'TAB boom'],
        ["error({err = 'TAB boom', source = 'x', line = 9})", 'TAB boom'],
        ['error(true)', 'ERR true'],
        ['error()', 'ERR nil'],
        ["error('a\\nb')", 'ERR user_script:1: a b'],
        ["error({err = 'a\\0b'})", 'a'],
        ['error({a = 1})', 'ERR unknown error'],
        ['error(setmetatable({}, {__index = function(_, k) return k end}))', 'err'],
        ['error(setmetatable({}, {__index = function() error(1) end}))', 'ERR unknown error'],
        [
          'return unknown',
          "ERR user_script:1: Script attempted to access nonexistent global variable 'unknown'",
        ],
        ['return _G[5]', "ERR user_script:1: Script attempted to access nonexistent global variable '5'"],
        [
          'return _G[{}]',
          'ERR user_script:1: Second argument to luaProtectedTableError must be a string or number',
        ],
        ['x = 1', 'ERR user_script:1: Attempt to modify a readonly table'],
        ['KEYS = 1', 'ERR user_script:1: Attempt to modify a readonly table'],
        ['redis.x = 1', 'ERR user_script:1: Attempt to modify a readonly table'],
        ["rawset(_G, 'x', 1)", 'ERR Attempt to modify a readonly table'],
        ['setmetatable(_G, {})', 'ERR Attempt to modify a readonly table'],
        ["getmetatable('').__index = 1", 'ERR user_script:1: Attempt to modify a readonly table'],
      ]) {
        expect(await fails(script)).toBe(text + where(script));
      }
      expect(await fails("string.gsub('x', 'x', redis.call)")).toMatch(/, on =\[C\]:-1\.$/);
    });

    it('pcall gives the text of an error table', async () => {
      expect(await run("return {pcall(error, {err = 'TAB x'})}")).toEqual([null, 'TAB x']);
      expect(await run('return {pcall(error, {err = 5})}')).toEqual([null, 5]);
      expect(await run('return type(select(2, pcall(error, {err = true})))')).toBe('table');
      expect(
        await run("return {select('#', pcall(error, {})), select(3, pcall(error, {err = true}))}"),
      ).toEqual([3, 1]);
      expect(await run('return {pcall()}')).toEqual([null, 'attempt to call a boolean value']);
      expect(await run('return {pcall(function(...) return 1, ... end, 2)}')).toEqual([1, 1, 2]);
      expect(
        await run("return {pcall(coroutine.wrap(function() return {pcall(error, {err = 'TAB x'})} end))}"),
      ).toEqual([1, [null, 'TAB x']]);
    });

    // ---- the table redis

    it('redis has what scripts of Redis 7.2 use, and goes by the name server as well', async () => {
      expect(
        await run('return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM, server == redis and 1}'),
      ).toEqual(['7.2.4', 0x070204, 1]);
      expect(
        await run(`return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING, redis.REPL_NONE,
          redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_ALL}`),
      ).toEqual([0, 1, 2, 3, 0, 1, 2, 2, 3]);
      expect(await run("return {redis.sha1hex('return 1'), redis.sha1hex(12), redis.sha1hex({})}")).toEqual([
        sha1Hex('return 1'),
        sha1Hex('12'),
        sha1Hex(''),
      ]);
      expect(await run('return {redis.breakpoint(), redis.debug(1), redis.replicate_commands()}')).toEqual([
        null,
      ]);
      expect(await run("return redis.acl_check_cmd('get', 'k')")).toBe(1);
    });

    it('redis.* says what was wrong', async () => {
      for (const [script, text] of [
        ['redis.sha1hex()', 'wrong number of arguments'],
        ['redis.log(1)', 'redis.log() requires two arguments or more.'],
        ["redis.log('x', 'y')", 'First argument must be a number (log level).'],
        ["redis.log(4, 'y')", 'Invalid log level.'],
        ['redis.setresp()', 'redis.setresp() requires one argument.'],
        ['redis.setresp(4)', 'RESP version must be 2 or 3.'],
        ['redis.set_repl()', 'redis.set_repl() requires one argument.'],
        [
          'redis.set_repl(4)',
          'Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.',
        ],
        ["redis.acl_check_cmd('nosuch')", 'Invalid command passed to redis.acl_check_cmd()'],
        ["redis.acl_check_cmd('config', 'nosuch')", 'Invalid command passed to redis.acl_check_cmd()'],
        ['redis.acl_check_cmd()', 'Please specify at least one argument for this redis lib call'],
      ]) {
        expect(await fails(script)).toBe(`ERR ${text}${where(script)}`);
      }
      for (const script of [
        "redis.log('1', 'x')",
        "redis.setresp('3')",
        'redis.setresp(2.9)',
        "redis.set_repl('x')",
      ]) {
        expect(await run(script)).toBe(null);
      }
    });

    it('makes replies', async () => {
      expect(await run("return redis.status_reply('fine')")).toBe('fine');
      for (const [script, text] of [
        ["redis.error_reply('My Err')", 'My Err'],
        ["redis.error_reply('single')", 'ERR single'],
        ["redis.error_reply('-CODE msg')", 'CODE msg'],
        ['redis.error_reply(5)', 'ERR wrong number or type of arguments'],
        ["redis.status_reply('a', 'b')", 'ERR wrong number or type of arguments'],
      ]) {
        expect(await fails(`return ${script}`)).toBe(text);
      }
      const mixed = "return {1, redis.error_reply('A b'), 'x'}";
      expect(await run(mixed)).toEqual([1, { error: 'A b' }, 'x']);
    });

    // ---- one unit

    it('one moment: no key expires in the middle, and TIME stands still', async () => {
      const at = clock.now();
      await t.call('SET', 'k', 'v', 'PX', 5);
      const script = `local a = redis.call('time') local before = redis.call('pttl', 'k') local x = 0
        for i = 1, 1000 do x = x + i end local b = redis.call('time')
        return {before, redis.call('pttl', 'k'), a[1] == b[1] and a[2] == b[2] and 1, a[1]}`;
      expect(await run(script)).toEqual([5, 5, 1, String(Math.floor(at / 1000))]);
      clock.advance(6);
      expect(await run("return redis.call('exists', 'k')")).toBe(0);
    });

    it('joins the transaction that it is in', async () => {
      await t.call('SET', 's', 'x');
      const replies = await t.exec([
        ['EVAL', "return redis.call('incr', KEYS[1])", 1, 'n'],
        ['EVAL', "redis.call('incr', KEYS[1]) return redis.call('incr', 's')", 1, 'n'],
        ['EVALSHA', 'x', 0],
        ['GET', 'n'],
      ]);
      expect(replies).toEqual([
        1,
        { error: expect.stringMatching(/^ERR value is not an integer/) },
        { error: 'NOSCRIPT No matching script. Please use EVAL.' },
        '2',
      ]);
    });

    it('what it writes dirties the watches of others, and of its own client', async () => {
      const other = await t.connect();
      await other.call('WATCH', 'k');
      await run("return redis.call('set', 'k', 1)");
      expect(await other.exec([['PING']])).toBe(null);
      await t.call('WATCH', 'k');
      await run("return redis.call('set', 'k', 1)");
      expect(await t.exec([['PING']])).toBe(null);
      await t.call('WATCH', 'k');
      await run("return redis.call('get', 'k')");
      expect(await t.exec([['PING']])).toEqual(['PONG']);
    });

    it('what it pushes serves who waits once it is over', async () => {
      const other: TestClient = await t.connect();
      const waits = other.call('BLPOP', 'list', 0);
      while (t.engine.blockedSessions === 0) await new Promise((done) => setImmediate(done));
      expect(
        await run(
          "redis.call('rpush', 'list', 'a') redis.call('lpop', 'list') return redis.call('rpush', 'list', 'b')",
        ),
      ).toBe(1);
      expect(await waits).toEqual(['list', 'b']);
    });

    it('publishes to who listens', async () => {
      const other = await t.connect();
      await other.call('SUBSCRIBE', 'c');
      await other.messages();
      expect(await run("return redis.call('publish', 'c', 'from a script')")).toBe(1);
      expect(await other.messages()).toEqual([['message', 'c', 'from a script']]);
    });

    // ---- statistics

    it('counts errors once, as Redis does', async () => {
      await t.call('SET', 's', 'x');
      const stats = async (script: string): Promise<string[]> => {
        await t.call('CONFIG', 'RESETSTAT');
        await t.call('EVAL', script, 0).catch(() => {});
        const text = String(await t.call('INFO', 'commandstats', 'errorstats'));
        const lines = text.split('\r\n').filter((line) => /^(cmd|error)stat_/.test(line));
        return lines.filter((line) => !/resetstat|info/.test(line)).sort();
      };
      const incr = 'cmdstat_incr:calls=1,rejected_calls=0,failed_calls=1';
      const failed = 'cmdstat_eval:calls=1,rejected_calls=0,failed_calls=1';
      const fine = 'cmdstat_eval:calls=1,rejected_calls=0,failed_calls=0';
      const once = 'errorstat_ERR:count=1';
      expect(await stats("redis.call('incr', 's')")).toEqual([failed, incr, once]);
      expect(await stats("redis.pcall('incr', 's')")).toEqual([fine, incr, once]);
      expect(await stats("return redis.pcall('incr', 's')")).toEqual([failed, incr, once]);
      expect(await stats("return {redis.pcall('incr', 's')}")).toEqual([failed, incr, once]);
      expect(await stats("local t = redis.pcall('incr', 's') t.err = 'OTHER x' return t")).toEqual([
        failed,
        incr,
        once,
      ]);
      expect(await stats("return {redis.error_reply('MY err')}")).toEqual([failed, 'errorstat_MY:count=1']);
      expect(await stats("return redis.error_reply('MY err')")).toEqual([failed, 'errorstat_MY:count=1']);
      expect(await stats("error('x')")).toEqual([failed, once]);
      expect(await stats("redis.call('nosuch')")).toEqual([failed, once]);
      expect(await stats("redis.pcall('get')")).toEqual([
        fine,
        'cmdstat_get:calls=0,rejected_calls=1,failed_calls=0',
        once,
      ]);
      expect(await stats("redis.pcall('multi')")).toEqual([
        fine,
        'cmdstat_multi:calls=0,rejected_calls=1,failed_calls=0',
        once,
      ]);
      expect(await stats('redis.call()')).toEqual([failed, once]);
      expect(await stats("return redis.call('get', 's')")).toEqual([
        fine,
        'cmdstat_get:calls=1,rejected_calls=0,failed_calls=0',
      ]);
    });

    it('INFO tells how many scripts there are', async () => {
      await t.call('SCRIPT', 'FLUSH');
      await t.call('CONFIG', 'RESETSTAT');
      await Promise.all(Array.from({ length: 502 }, (_, i) => run(`return ${i}`)));
      const text = `${await t.call('INFO', 'memory')}\r\n${await t.call('INFO', 'stats')}`;
      expect(text).toContain('number_of_cached_scripts:500\r\n');
      expect(text).toContain('evicted_scripts:2\r\n');
      expect(text).toMatch(/used_memory_scripts_eval:\d{5}\r\n/);
      await t.call('SCRIPT', 'FLUSH');
    });
  },
  { clock },
);

describe('what the log gets of a script', () => {
  function logged(...commands: string[][]): string[][] {
    const engine = new Engine({ clock: new VirtualClock(1_700_000_000_000), seed: 1 });
    const session = engine.connect(deaf);
    const units: string[][] = [];
    engine.effects.onUnit = (ops: readonly Op[]) => {
      units.push(ops.map(({ db, args }) => `${db}: ${args.join(' ')}`));
    };
    let reply: Reply = null;
    for (const command of commands) reply = engine.execute(session, command);
    if (reply instanceof ReplyError) units.push([`-${reply.text.split(' ')[0]}`]);
    engine.stop();
    return units;
  }

  it('is what its commands did, as one unit', () => {
    const script = `redis.call('set', 'k', 'v', 'EX', 10) redis.call('get', 'k') redis.call('select', 2)
      redis.call('incrbyfloat', 'f', '0.5') redis.call('del', 'none') redis.call('publish', 'c', 'm')`;
    expect(logged(['EVAL', script, '0'])).toEqual([
      ['0: set k v PXAT 1700000010000', '2: SET f 0.5 KEEPTTL'].map((line) =>
        expect.stringMatching(new RegExp(line, 'i')),
      ),
    ]);
  });

  it('is nothing where it only reads', () => {
    expect(logged(['EVAL', "return redis.call('get', 'k')", '0'])).toEqual([]);
  });

  it('joins the transaction', () => {
    const script = "return redis.call('incr', 'n')";
    expect(logged(['MULTI'], ['SET', 'a', '1'], ['EVAL', script, '0'], ['SET', 'b', '2'], ['EXEC'])).toEqual([
      ['0: SET a 1', '0: incr n', '0: SET b 2'],
    ]);
  });

  it('has what a script did before it failed', () => {
    expect(logged(['EVAL', "redis.call('set', 'a', 1) error('x')", '0'])).toEqual([['0: set a 1'], ['-ERR']]);
  });

  it('leaves out what redis.set_repl keeps from it', () => {
    const script = `redis.call('set', 'a', 1) redis.set_repl(redis.REPL_NONE) redis.call('set', 'b', 1)
      redis.call('incrbyfloat', 'f', 1) redis.set_repl(redis.REPL_REPLICA) redis.call('set', 'c', 1)
      redis.set_repl(redis.REPL_AOF) redis.call('set', 'd', 1)`;
    expect(logged(['EVAL', script, '0'], ['EVAL', "redis.call('set', 'e', 1)", '0'])).toEqual([
      ['0: set a 1', '0: set d 1'],
      ['0: set e 1'],
    ]);
  });
});
