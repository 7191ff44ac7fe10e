// Scripts that run for long, on a live server with several connections: who waits, who gets BUSY, how a script is
// ended, that nothing is left of one that was undone, and that a greedy one gets an error before the process dies.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { Database } from '../../src/server/embedded.ts';
import { startChild } from '../support/child.ts';
import { holdfastProgram } from '../support/holdfast-server.ts';
import { freePort, sleep } from '../support/ports.ts';
import { Wire } from '../support/wire.ts';
import { eventually, type Running, start } from './support.ts';

const BUSY = 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.';
const BUSY_FUNCTION =
  'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.';
const FOREVER = 'while true do end';
/** Longer than a stretch of direct code, so it is undone and run again in slices; about a tenth of a second. */
const SPIN = 'for i = 1, 2000000 do local x = i % 7 end';

const SUBJECT = "('a'):rep(60)";
const PATTERN = "('a*'):rep(30) .. 'b'";

let running: Running;
async function begin(config: Readonly<Record<string, string>> = {}): Promise<void> {
  running = await start({ 'busy-reply-threshold': '100', ...config });
}
beforeEach(() => begin());
afterEach(() => running.stop());

/** Starts a script that never ends, and waits until others get BUSY. */
async function occupy(script = FOREVER, ...args: string[]): Promise<{ busy: Wire; other: Wire }> {
  const busy = await running.connect();
  const other = await running.connect();
  busy.send('EVAL', script, String(args.length), ...args);
  await eventually('others get BUSY', async () => (await other.call('PING')).text === BUSY);
  return { busy, other };
}

describe('after busy-reply-threshold', () => {
  it('old and new connections get BUSY, SCRIPT KILL ends the script, service goes on', async () => {
    const old = await running.connect();
    await old.call('SET', 'k', 'v');
    const { busy, other } = await occupy();
    expect((await old.call('GET', 'k')).text).toBe(BUSY);
    const fresh = await running.connect();
    expect((await fresh.call('GET', 'k')).text).toBe(BUSY);
    expect((await fresh.call('HELLO', '2')).kind).toBe('array');
    expect((await fresh.call('nosuch')).text).toMatch(/^ERR unknown command/);
    expect((await fresh.call('FUNCTION', 'STATS')).text).toBe(BUSY);
    expect((await fresh.call('FUNCTION', 'KILL')).text).toBe(BUSY);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
    expect((await busy.reply()).text).toMatch(
      /^ERR Script killed by user with SCRIPT KILL\. script: [0-9a-f]{40}, on @user_script:1\.$/,
    );
    expect((await old.call('GET', 'k')).text).toBe('v');
    expect((await busy.call('GET', 'k')).text).toBe('v');
    expect((await old.call('SCRIPT', 'KILL')).text).toBe('NOTBUSY No scripts in execution right now.');
  });

  it('a pcall around the endless loop does not save it', async () => {
    const { busy, other } = await occupy(`while true do pcall(function() ${FOREVER} end) end`);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
    expect((await busy.reply()).text).toMatch(/^ERR Script killed/);
  });

  it.each([
    ['a coroutine', `coroutine.wrap(function() ${FOREVER} end)()`],
    ['a metamethod', `local x = setmetatable({}, {__index = function() ${FOREVER} end}).y`],
    ['a comparison of sort', `table.sort({1, 2, 3}, function() ${FOREVER} end)`],
    ['a replacement of gsub', `string.gsub('abc', '.', function() ${FOREVER} end)`],
    ['recursion without end', 'local function f() return f() end return f()'],
    ['loaded code', `loadstring('${FOREVER}')()`],
    ['find with a pattern that tries too many ways', `string.find(${SUBJECT}, ${PATTERN})`],
    ['match with one', `('x'):rep(2000):match(('x*'):rep(30) .. 'y')`],
    ['gmatch with one', `for s in string.gmatch(${SUBJECT}, ${PATTERN}) do end`],
    ['gsub with one', `string.gsub(${SUBJECT}, ${PATTERN}, '')`],
    ['gsub with one and a function', `string.gsub(${SUBJECT}, ${PATTERN}, function() end)`],
    ['redis.pcall', "while true do redis.pcall('GET', 'k') end"],
  ])('%s can be ended', async (_, script) => {
    const { busy, other } = await occupy(script);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
    expect((await busy.reply()).text).toMatch(/^ERR Script killed/);
  });

  it('a script that has written cannot be killed', async () => {
    const { busy, other } = await occupy(`redis.call('SET', KEYS[1], 'x') ${FOREVER}`, 'k');
    expect((await other.call('SCRIPT', 'KILL')).text).toMatch(
      /^UNKILLABLE Sorry the script already executed write/,
    );
    busy.close();
  });

  it('a MULTI that got BUSY for a command does not run', async () => {
    const wire = await running.connect();
    await wire.call('MULTI');
    expect((await wire.call('SET', 'a', '1')).text).toBe('QUEUED');
    const { other } = await occupy();
    expect((await wire.call('SET', 'b', '2')).text).toBe(BUSY);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
    expect((await wire.call('EXEC')).text).toMatch(/^EXECABORT/);
    expect((await wire.call('EXISTS', 'a', 'b')).text).toBe('0');
  });

  it('EXEC itself is refused and ends the transaction', async () => {
    const wire = await running.connect();
    await wire.call('MULTI');
    await wire.call('SET', 'a', '1');
    const { other } = await occupy();
    expect((await wire.call('EXEC')).text).toMatch(/^EXECABORT Transaction discarded because of: BUSY/);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
    expect((await wire.call('EXISTS', 'a')).text).toBe('0');
  });

  it('only SHUTDOWN NOSAVE is allowed', async () => {
    const { other } = await occupy();
    expect((await other.call('SHUTDOWN')).text).toBe(BUSY);
    expect((await other.call('SHUTDOWN', 'NOSAVE')).text).toMatch(/^ERR SHUTDOWN is for servers/);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
  });

  it('a function is ended by FUNCTION KILL, and FUNCTION STATS shows it', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    const code = `#!lua name=lib\nredis.register_function('spin', function(keys, args) ${FOREVER} end)`;
    expect((await wire.call('FUNCTION', 'LOAD', code)).text).toBe('lib');
    wire.send('FCALL', 'spin', '1', 'k', 'a');
    await eventually('others get BUSY', async () => (await other.call('PING')).text === BUSY_FUNCTION);
    const stats = await other.call('FUNCTION', 'STATS');
    const [, running_] = stats.items;
    expect(running_.items.slice(0, 4).map(({ text }) => text)).toEqual(['name', 'spin', 'command', '']);
    expect(running_.items[3].items.map(({ text }) => text)).toEqual(['FCALL', 'spin', '1', 'k', 'a']);
    expect(Number(running_.items[5].text)).toBeGreaterThanOrEqual(100);
    expect((await other.call('SCRIPT', 'KILL')).text).toBe(BUSY_FUNCTION);
    expect((await other.call('FUNCTION', 'KILL')).text).toBe('OK');
    expect((await wire.reply()).text).toMatch(
      /^ERR Script killed by user.* script: spin, on @user_function:2\.$/,
    );
    expect((await other.call('PING')).text).toBe('PONG');
  });

  it('in-process callers get BUSY at once, and can end it', async () => {
    const db = await open({ config: { 'busy-reply-threshold': '100' } });
    const { listen } = await import('../../src/server/index.ts');
    const server = await listen(db, { port: 0 });
    const wire = await Wire.open({ port: server.port });
    wire.send('EVAL', FOREVER, '0');
    await eventually('it runs', () => {
      try {
        db.ping();
        return false;
      } catch (error) {
        expect((error as Error).message).toContain('BUSY');
        return true;
      }
    });
    expect(() => db.transaction(() => 1)).toThrow(/transaction/);
    expect(db.scriptKill()).toBe('OK');
    expect((await wire.reply()).text).toMatch(/^ERR Script killed/);
    expect(db.ping()).toBe('PONG');
    wire.close();
    await server.close();
    db.close();
  });
});

describe('before busy-reply-threshold', () => {
  beforeEach(async () => {
    await running.stop();
    await begin({ 'busy-reply-threshold': '60000' });
  });

  it('others wait, and are served in order once the script is done', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    wire.send('EVAL', `${SPIN} return redis.call('INCR', 'n')`, '0');
    wire.send('INCR', 'n');
    await sleep(5);
    other.send('INCR', 'n');
    other.send('INCR', 'm');
    expect((await wire.replies(1)).map(String)).toEqual([':1\r\n']);
    const both = [...(await wire.replies(1)), ...(await other.replies(2))].map(String);
    expect(both.sort()).toEqual([':1\r\n', ':2\r\n', ':3\r\n']);
  });

  it('what a script does is done once, although it is run twice', async () => {
    const wire = await running.connect();
    const listener = await running.connect();
    listener.send('SUBSCRIBE', 'news');
    await listener.waitPushes(1);
    const script = `redis.call('INCR', 'n') redis.call('PUBLISH', 'news', 'once') redis.call('HSET', 'h', 'f', 'v')
      local before = math.random()
      ${SPIN}
      return {redis.call('GET', 'n'), tostring(before), redis.call('TIME')[1]}`;
    await wire.call('EVAL', 'math.randomseed(7)', '0');
    await wire.call('CONFIG', 'RESETSTAT');
    const first = await wire.call('EVAL', script, '0');
    await wire.call('EVAL', 'math.randomseed(7)', '0');
    const quick = await wire.call('EVAL', 'return tostring(math.random())', '0');
    expect(first.items[0].text).toBe('1');
    expect(first.items[1].text).toBe(quick.text);
    await listener.waitPushes(2);
    await listener.call('PING');
    expect(listener.pushes).toHaveLength(2);
    const stats = (await wire.call('INFO', 'commandstats')).text;
    expect(stats).toContain('cmdstat_incr:calls=1,');
    expect(stats).toContain('cmdstat_publish:calls=1,');
  });

  it("so is what a function's variables keep", async () => {
    const wire = await running.connect();
    const code = `#!lua name=lib
      local count, seen, list = 0, {}, {}
      local function bump() count = count + 1; return count end
      redis.register_function('f', function(keys, args)
        bump(); seen[args[1]] = (seen[args[1]] or 0) + 1; table.insert(list, args[1])
        ${SPIN}
        return {count, seen[args[1]], #list}
      end)`;
    await wire.call('FUNCTION', 'LOAD', code);
    for (let i = 1; i <= 3; i++) {
      const reply = await wire.call('FCALL', 'f', '0', 'a');
      expect(reply.items.map(({ text }) => text)).toEqual([String(i), String(i), String(i)]);
    }
  });

  it('a coroutine that a library keeps goes on where it was', async () => {
    const wire = await running.connect();
    const code = `#!lua name=lib
      local next
      local function numbers() local n = 0 while true do n = n + 1 coroutine.yield(n) end end
      redis.register_function('next', function()
        next = next or coroutine.wrap(numbers)
        return next()
      end)`;
    await wire.call('FUNCTION', 'LOAD', code);
    for (let i = 1; i <= 4; i++) expect((await wire.call('FCALL', 'next', '0')).text).toBe(String(i));
  });

  it('EXEC goes on behind a long script', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    await wire.call('MULTI');
    await wire.call('SET', 'a', '1');
    await wire.call('EVAL', `${SPIN} return redis.call('INCR', 'a')`, '0');
    await wire.call('EVAL', `${SPIN} return redis.call('INCR', 'a')`, '0');
    await wire.call('INCR', 'a');
    wire.send('EXEC');
    await sleep(5);
    other.send('INCR', 'a');
    expect((await wire.reply()).items.map(({ text }) => text)).toEqual(['OK', '2', '3', '4']);
    expect((await other.reply()).text).toBe('5');
  });

  it('a caller that leaves does not stop its script', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    wire.send('EVAL', `redis.call('SET', 'a', '1') ${SPIN} redis.call('SET', 'b', '2')`, '0');
    await sleep(30);
    wire.close();
    expect((await other.call('MGET', 'a', 'b')).items.map(({ text }) => text)).toEqual(['1', '2']);
  });

  it('a waiter is served once the script is done', async () => {
    const wire = await running.connect();
    const waiter = await running.connect();
    waiter.send('BLPOP', 'l', '0');
    await eventually('it waits', async () =>
      (await wire.call('INFO', 'clients')).text.includes('blocked_clients:1'),
    );
    await wire.call(
      'EVAL',
      `redis.call('RPUSH', 'l', 'a') redis.call('LPOP', 'l') ${SPIN} redis.call('RPUSH', 'l', 'b')`,
      '0',
    );
    expect((await waiter.reply()).items.map(({ text }) => text)).toEqual(['l', 'b']);
  });

  it('recursion is as deep as in Lua', async () => {
    const wire = await running.connect();
    const deep =
      'local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(tonumber(ARGV[1]))';
    expect((await wire.call('EVAL', deep, '0', '15000')).text).toBe('15000');
    expect((await wire.call('EVAL', deep, '0', '1000000')).text).toMatch(
      /^ERR user_script:1: stack overflow/,
    );
    const tail = 'local function f(n) if n == 0 then return "end" end return f(n - 1) end return f(200000)';
    expect((await wire.call('EVAL', tail, '0')).text).toBe('end');
  });
});

describe('with script-kill-rollback', () => {
  beforeEach(async () => {
    await running.stop();
    await begin({ 'script-kill-rollback': 'yes' });
  });

  it('a script that has written is killed and leaves no trace', async () => {
    const wire = await running.connect();
    const listener = await running.connect();
    await wire.call('SET', 'k', 'old');
    await wire.call('RPUSH', 'l', 'a', 'b');
    await wire.call('WATCH', 'k');
    listener.send('SUBSCRIBE', 'news');
    await listener.waitPushes(1);
    const { busy, other } = await occupy(
      `redis.call('SET', 'k', 'new') redis.call('DEL', 'l') redis.call('HSET', 'h', 'f', 'v')
       redis.call('PUBLISH', 'news', 'x') ${FOREVER}`,
    );
    expect((await other.call('SCRIPT', 'KILL')).text).toBe('OK');
    expect((await busy.reply()).text).toMatch(/^ERR Script killed by user/);
    expect((await other.call('GET', 'k')).text).toBe('old');
    expect((await other.call('LRANGE', 'l', '0', '-1')).items.map(({ text }) => text)).toEqual(['a', 'b']);
    expect((await other.call('EXISTS', 'h')).text).toBe('0');
    await listener.call('PING');
    expect(listener.pushes).toHaveLength(1);
  });

  it('so is a function, with the variables of its library', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    const code = `#!lua name=lib
      local n = 0
      redis.register_function('count', function() return n end)
      redis.register_function('spin', function() n = n + 1 redis.call('SET', 'k', n) ${FOREVER} end)`;
    await wire.call('FUNCTION', 'LOAD', code);
    wire.send('FCALL', 'spin', '0');
    await eventually('others get BUSY', async () => (await other.call('PING')).text === BUSY_FUNCTION);
    expect((await other.call('FUNCTION', 'KILL')).text).toBe('OK');
    expect((await wire.reply()).text).toMatch(/^ERR Script killed/);
    expect((await wire.call('FCALL', 'count', '0')).text).toBe('0');
    expect((await wire.call('EXISTS', 'k')).text).toBe('0');
  });
});

describe('in process', () => {
  it('a script over its budget throws and is undone', async () => {
    const db = await open({ config: { 'busy-reply-threshold': '50' } });
    expect(() => db.eval(`redis.call('SET', 'k', 'v') ${FOREVER}`)).toThrow(/^HF_BUDGET.*50 ms/);
    expect(() => db.eval(`coroutine.wrap(function() ${FOREVER} end)()`)).toThrow(/HF_BUDGET/);
    const pattern = { args: ['a'.repeat(40), 'a?'.repeat(40) + 'a'.repeat(40)] };
    expect(() => db.eval('return string.find(ARGV[1], ARGV[2])', pattern)).toThrow(/HF_BUDGET/);
    expect(db.exists('k')).toBe(0);
    expect(db.eval("return redis.call('INCR', 'n')")).toBe(1);
    db.close();
  });
});

describe('a script that takes all memory', () => {
  it('gets an error before the heap is full, after a collection that did not help', async () => {
    let collections = 0;
    const heap = { used: () => 900, limit: 1000, collect: () => collections++ };
    const db = new Database({ heap });
    const greedy = 'local t = {} for i = 1, 1e8 do t[i] = i end';
    expect(() => db.eval(greedy)).toThrow(/not enough memory script: [0-9a-f]{40}/);
    expect(collections).toBeGreaterThan(0);
    const caught = db.eval(`local ok, e = pcall(function() ${greedy} end) return {tostring(ok), e}`);
    expect(caught).toEqual(['false', 'not enough memory']);
    db.close();
  });

  it.each([
    ['a table', 'local t = {} for i = 1, 1e10 do t[i] = i end'],
    ['tables in tables', 'local t = {} for i = 1, 1e10 do t[i] = {i, {}} end'],
    ['fields', 'local t = {} for i = 1, 1e10 do t["k" .. i] = i end'],
    ['a text', 'local s = "x" while true do s = s .. s end'],
    ['texts', 'local t = {} for i = 1, 1e10 do t[i] = string.rep("x", 1000) .. i end'],
    ['a long text', 'local t = {} for i = 1, 1e10 do t[i] = string.upper(string.rep("x", 1e7)) end'],
    ['a list', 'local t = {} for i = 1, 1e10 do t = {t} end'],
    ['closures', 'local f for i = 1, 1e10 do local g = f f = function() return g, i end end'],
    ['coroutines', 'local t = {} for i = 1, 1e10 do t[i] = coroutine.wrap(function() end) end'],
    ['JSON', 'local s = "[1]" while true do s = cjson.encode({s, s}) end'],
  ])(
    '%s without end is an error, and the server lives',
    async (_, script) => {
      const port = await freePort();
      const child = await startChild({
        name: 'holdfast',
        command: process.execPath,
        args: [
          '--max-old-space-size=300',
          ...holdfastProgram(),
          'serve',
          '--appendonly',
          'no',
          '--port',
          String(port),
        ],
        port,
        ready: (output) => output.includes('listening on'),
        readyMs: 20_000,
      });
      try {
        const wire = await Wire.open({ port });
        wire.send('EVAL', script, '0');
        const reply = await wire.reply(50_000);
        expect(reply.text).toMatch(/not enough memory|Cannot serialise|overflow/);
        expect((await wire.call('PING')).text).toBe('PONG');
        wire.close();
      } finally {
        await child.stop();
      }
    },
    60_000,
  );
});
