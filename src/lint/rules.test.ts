// Every rule speaks of its wrong example and is quiet on the right one; then the near misses that each rule must leave
// alone, and the detours that it must not be fooled by.
import { describe, expect, it } from 'vitest';
import { lint, RULES } from './index.ts';

const EXTENSIONS = { java: 'java', python: 'py' } as const;

/** The rules that speak of a script, in the order of lines. */
function rulesOf(text: string, file = 'script.lua'): string[] {
  return lint(file, text).map(({ rule }) => rule);
}

describe.each(RULES.map((rule) => [rule.id, rule] as const))('%s', (id, { wrong, right, language }) => {
  const file = `example.${language === undefined ? 'lua' : EXTENSIONS[language]}`;

  it('speaks of its wrong example', () => {
    expect(rulesOf(wrong, file)).toContain(id);
  });

  it('is quiet on the right one, as all rules are', () => {
    expect(rulesOf(right, file)).toEqual([]);
  });
});

/** What a rule must not speak of, by the rule. */
const NEAR_MISSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'undeclared-key': {
    'a local that holds a key': "local k = KEYS[1] return redis.call('GET', k)",
    'an element of a loop over KEYS': "for _, k in ipairs(KEYS) do redis.call('DEL', k) end",
    'a counted loop': "for i = 1, #KEYS do redis.call('INCR', KEYS[i]) end",
    'all keys unpacked': "redis.call('DEL', unpack(KEYS))",
    'a table of keys': "local t = {stock = KEYS[1]} return redis.call('GET', t.stock)",
    'a helper that is given a key': `local function read(k) return redis.call('GET', k) end
return read(KEYS[1])`,
    'a channel': "redis.call('PUBLISH', 'news:' .. ARGV[1], 'x')",
    'a pattern of another command': "redis.call('HSCAN', KEYS[1], 0, 'MATCH', 'a:*')",
    'a key with a default': "return redis.call('GET', KEYS[2] or KEYS[1])",
    'counted keys': "return redis.call('ZINTERCARD', 2, KEYS[1], KEYS[2], 'LIMIT', 10)",
  },
  'lost-fields': {
    'a status': "return {ok = 'DONE'}",
    'an error': "return {err = 'ERR no'}",
    JSON: 'return cjson.encode({a = 1})',
    'a table used inside': "local o = {a = 1} redis.call('SET', KEYS[1], o.a) return 1",
    'a helper that returns a record': `local function load() return {a = 1} end
return load().a`,
    'an empty list': 'return {}',
    'a typed reply': 'redis.setresp(3) return {double = 1.5}',
  },
  'nil-in-array': {
    'nil at the end': 'return {1, nil}',
    'nothing but nil': 'return {nil, nil}',
    'what HGET answers': "return {1, redis.call('HGET', KEYS[1], 'a'), 2}",
  },
  'unbounded-loop': {
    'a counter': "local n = 0 while n < 10 do n = n + 1 redis.call('LPOP', KEYS[1]) end",
    'a limit on turns': `local turns = 0
while true do
  turns = turns + 1
  if turns > 100 or not redis.call('LPOP', KEYS[1]) then break end
end`,
    'the keys': "local i = 1 while i <= #KEYS do redis.call('DEL', KEYS[i]) i = i + 1 end",
    text: "local s = ARGV[1] while s:find('  ') do s = s:gsub('  ', ' ') end return s",
  },
  'large-read': {
    'a page': "return redis.call('ZRANGE', KEYS[1], 0, 9)",
    'a limit': "return redis.call('ZRANGEBYSCORE', KEYS[1], 0, 9, 'LIMIT', 0, 10)",
    'a few fields': "return redis.call('HMGET', KEYS[1], 'a', 'b')",
    'the tail': "return redis.call('LRANGE', KEYS[1], -10, -1)",
  },
  'time-difference': {
    'a stored time': "local t = redis.call('TIME') return t[1] - redis.call('GET', KEYS[1])",
    'one reading': "local t = redis.call('TIME') return t[2] - t[1]",
  },
  'wrong-arity': {
    'unknown many': "redis.call('HSET', KEYS[1], unpack(ARGV))",
    'options in any order': "redis.call('SET', KEYS[1], 'x', 'PX', 5, 'NX')",
    pairs: "redis.call('ZADD', KEYS[1], 'CH', 1, 'a', 2, 'b')",
    'an unknown option': "redis.call('SET', KEYS[1], 'x', ARGV[1], 5)",
    'a subcommand': "return redis.call('OBJECT', 'ENCODING', KEYS[1])",
    'two options that go together': "redis.call('EXPIRE', KEYS[1], 5, 'XX', 'GT')",
  },
  'unknown-command': { 'one that Holdfast lacks': "redis.call('XADD', KEYS[1], '*', 'a', 1)" },
  'missing-ttl': {
    'a time to live in one branch': `-- KEYS[1] = rate key
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n`,
    'durable data': "-- KEYS[1] = stock of the product\nredis.call('SET', KEYS[1], 5, 'NX')",
    'a counter that stays': "-- KEYS[1] = fence\nreturn redis.call('INCR', KEYS[1])",
    'an update of what is there': `-- KEYS[1] = idempotency record
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'done')
return 1`,
    'a kept time to live': "-- KEYS[1] = session\nredis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')",
  },
  'expiring-hold': {
    'a record of the request': `-- KEYS[2] = request id
redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[1], 'EX', 60)`,
    'a hold without an end': `redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], 'quantity', ARGV[1])`,
  },
  'float-money': {
    'no money': "-- KEYS[1] = temperature\nredis.call('INCRBYFLOAT', KEYS[1], ARGV[1])",
    rounded: `local balance = tonumber(redis.call('GET', KEYS[1]))
return math.floor(balance / 2)`,
    'an amount in whole units': "local amount = tonumber(ARGV[1]) redis.call('DECRBY', KEYS[1], amount)",
  },
  'packed-score': {
    'a due time':
      "local now = redis.call('TIME')[1] redis.call('ZADD', KEYS[1], now + ARGV[1] * 1000, ARGV[2])",
    microseconds: `local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], t[1] * 1000000 + t[2], ARGV[2])`,
    'a lease in microseconds': `-- ARGV[1] = lease seconds
local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], t[1] + ARGV[1] * 1000000, ARGV[2])`,
  },
  'timestamp-member': {
    'a time with an id': `local now = redis.call('TIME')[1]
redis.call('ZADD', KEYS[1], now, now .. ':' .. ARGV[1])
redis.call('EXPIRE', KEYS[1], 60)`,
    'a number as its own score': "redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])",
  },
  'client-clock': {
    'a time that is only kept': "-- ARGV[1] = now millis\nredis.call('HSET', KEYS[1], 'at', ARGV[1])",
  },
  'timestamp-id': {
    'a time kept in a field': "redis.call('HSET', KEYS[1], 'at', redis.call('TIME')[1])",
    'the time of something with an id': `local id = ARGV[1]
redis.call('ZADD', KEYS[1], redis.call('TIME')[1], id)`,
  },
  'delete-without-token': {
    'no lock': "redis.call('DEL', KEYS[1])",
    'a block list': "-- KEYS[1] = block list\nredis.call('DEL', KEYS[1])",
    'an early return': `-- KEYS[1] = lock
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`,
    'the time to live of a new lock': `-- KEYS[1] = lock
if redis.call('HSETNX', KEYS[1], 'owner', ARGV[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end`,
  },
  'pcall-swallow': {
    returned: "return redis.pcall('INCR', KEYS[1])",
    'a read': "redis.pcall('GET', KEYS[1]) return 1",
    'redis.call': "redis.call('INCR', KEYS[1]) return 1",
  },
  'check-after-write': {
    'a write that is the check':
      "if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', 5) then return redis.error_reply('taken') end",
    'a denial': "local n = redis.call('INCR', KEYS[1]) if n > 5 then return {0, n} end return {1, n}",
    'after a clean-up': `redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 5)
if redis.call('ZCARD', KEYS[1]) > 5 then return redis.error_reply('full') end`,
    'the write of another branch': `if ARGV[1] == 'a' then
  redis.call('SET', KEYS[1], 1)
else
  if ARGV[2] == 'b' then return redis.error_reply('no') end
end`,
  },
  'no-writes-writes': {
    'another function of the library': `#!lua name=l
redis.register_function{function_name='r', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'}}
redis.register_function{function_name='w', callback=function(keys) return redis.call('DEL', keys[1]) end}`,
  },
};

describe.each(Object.entries(NEAR_MISSES))('%s is quiet on', (id, cases) => {
  it.each(Object.entries(cases))('%s', (_, text) => {
    const found = rulesOf(text);
    expect(found).not.toContain('syntax');
    expect(found).not.toContain(id);
  });
});

/** What a rule must see all the same. */
const DETOURS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'undeclared-key': {
    'another name for redis.call': "local call = redis.call return call('GET', 'a')",
    'an argument': "local user = ARGV[1] return redis.call('GET', user)",
    'a prefix from a variable': "local p = 'u:' return redis.call('GET', p .. ARGV[1])",
    'string.format': "return redis.call('GET', string.format('u:%s', ARGV[1]))",
    'a helper that is given an argument': `local function read(k) return redis.call('GET', k) end
return read(ARGV[1])`,
    'the store of a counted command': "redis.call('ZUNIONSTORE', 'sum', 2, KEYS[1], KEYS[2])",
    'lower case': "return redis.call('get', 'a')",
    'a function of a library': `#!lua name=l
redis.register_function('f', function(keys, args) return redis.call('GET', args[1]) end)`,
  },
  'lost-fields': {
    'a local': 'local r = {} r.a = 1 return r',
    'a table in a list': 'return {1, {a = 1}}',
    'ok that is no string': 'return {ok = true}',
    'an error with more': "return {err = 'ERR no', left = 3}",
    'a helper': `local function answer(n) return {left = n} end
return answer(5)`,
  },
  'no-writes-writes': {
    'through a helper': `#!lua name=l
local function save(k) redis.call('SET', k, 1) end
local function f(keys) save(keys[1]) return 1 end
redis.register_function{function_name='f', callback=f, flags={'no-writes'}}`,
    'the flags of a script': "#!lua flags=no-writes\nreturn redis.call('INCR', KEYS[1])",
  },
  'unbounded-loop': {
    'for ever': "while true do redis.call('GET', KEYS[1]) end",
    'a cursor': `local c = '0'
repeat local r = redis.call('HSCAN', KEYS[1], c) c = r[1] until c == '0'`,
    'a counter of what was found': `local c, n = '0', 0
repeat
  local r = redis.call('HSCAN', KEYS[1], c)
  c = r[1]
  for _ in ipairs(r[2]) do n = n + 1 end
until c == '0' or redis.call('GET', KEYS[2]) == 'stop'`,
  },
  'time-difference': {
    'a helper': `local function now() return redis.call('TIME')[1] end
local start = now()
return now() - start`,
  },
  'timestamp-id': {
    'a part of a key': "redis.call('HSET', 'order:' .. redis.call('TIME')[1], 'a', 1)",
    'an element of a set':
      "local order_id = tonumber(redis.call('TIME')[1]) redis.call('SADD', KEYS[1], order_id)",
  },
  'wrong-arity': {
    'an odd number of fields': "redis.call('HSET', KEYS[1], 'a', 1, 'b')",
    'an option that does not exist': "redis.call('SET', KEYS[1], 'x', 'FOR', 5)",
    'an option without its value': "redis.call('SET', KEYS[1], 'x', 'EX')",
  },
  'delete-without-token': {
    'a name in the key': "redis.call('DEL', 'lock:' .. ARGV[1])",
    'a variable': "local lock_key = KEYS[1] redis.call('UNLINK', lock_key)",
    'a comparison of something else': `-- KEYS[1] = lock
if ARGV[1] == 'x' then return 0 end
redis.call('PEXPIRE', KEYS[1], 500)`,
  },
  'missing-ttl': {
    SETNX: "return redis.call('SETNX', KEYS[1], 1)",
    'a window': "local window = KEYS[1] return redis.call('INCR', window)",
    'a plain SET of a session': "local session = KEYS[1] return redis.call('SET', session, ARGV[1])",
  },
  'float-money': {
    'a field': "redis.call('HINCRBYFLOAT', KEYS[1], 'balance', ARGV[1])",
    'a share': "local price = tonumber(redis.call('GET', KEYS[1])) return tostring(price * 0.2)",
  },
  'expiring-hold': {
    'a negative increment': `redis.call('HINCRBY', KEYS[1], 'left', -1)
local hold = KEYS[2]
redis.call('SET', hold, ARGV[1], 'PX', 5000)`,
  },
  'check-after-write': {
    'error()': `redis.call('INCR', KEYS[1])
if ARGV[1] == '' then error('empty') end`,
  },
};

describe.each(Object.entries(DETOURS))('%s sees', (id, cases) => {
  it.each(Object.entries(cases))('%s', (_, text) => {
    expect(rulesOf(text)).toContain(id);
  });
});

it('says nothing of names by which a file is called but once', () => {
  expect(rulesOf("return redis.call('INCR', KEYS[1])", 'scripts/rate_limit.lua')).toEqual(['missing-ttl']);
  expect(rulesOf("return redis.call('INCR', KEYS[1])", 'scripts/count.lua')).toEqual([]);
});

it('reads damaged scripts to their end', () => {
  for (const { wrong, right } of RULES) {
    for (const text of [wrong, right]) {
      for (let at = 0; at < text.length; at += 3) {
        const cut = text.slice(0, at) + text.slice(at + 1 + (at % 7));
        for (const file of ['a.lua', 'a.md', 'a.ts', 'a.py']) expect(lint(file, cut)).toBeInstanceOf(Array);
      }
    }
  }
});
