// Directive values: normal forms, Redis' error texts, what is listed. The same against a real server: test/server/config.test.ts.
import { describe, expect, it } from 'vitest';
import type { ReplyError } from '../resp/reply.ts';
import { Config } from './config.ts';
import { Engine } from './engine.ts';

function set(config: Config, ...words: string[]): string {
  const pairs: [string, string][] = [];
  for (let i = 0; i < words.length; i += 2) pairs.push([words[i], words[i + 1]]);
  return (config.set(pairs) as ReplyError | null)?.text ?? 'OK';
}

const failed = (name: string, why: string): string =>
  `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`;

describe('CONFIG SET', () => {
  const normal: [name: string, given: string, kept: string][] = [
    ['hash-max-listpack-value', '1kb', '1024'],
    ['hash-max-listpack-value', '1K', '1000'],
    ['hash-max-listpack-value', '', '0'],
    ['client-query-buffer-limit', '2Gb', '2147483648'],
    ['client-query-buffer-limit', '5mb', '5242880'],
    ['protected-mode', 'NO', 'no'],
    ['maxmemory-policy', 'AllKeys-LFU', 'allkeys-lfu'],
    ['list-max-listpack-size', '-5', '-5'],
    ['hz', '0', '1'],
    ['hz', '1000', '500'],
    ['notify-keyspace-events', 'Eg$lshzxetdK', 'AKE'],
    ['notify-keyspace-events', 'Kgn', 'gnK'],
    [
      'client-output-buffer-limit',
      'NORMAL 1mb 2kb 3',
      'normal 1048576 2048 3 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
    ],
    ['client-output-buffer-limit', 'replica 1 2 3 pubsub 0 0 0', 'normal 0 0 0 slave 1 2 3 pubsub 0 0 0'],
  ];
  it.each(normal)('%s %j is kept as %j', (name, given, kept) => {
    const config = new Config({});
    expect(set(config, name, given)).toBe('OK');
    expect(config.get([name])).toEqual([[name, kept]]);
  });

  const wrong: [name: string, given: string, why: string][] = [
    ['timeout', 'abc', "argument couldn't be parsed into an integer"],
    ['timeout', '07', "argument couldn't be parsed into an integer"],
    ['timeout', '+3', "argument couldn't be parsed into an integer"],
    ['timeout', '2147483648', 'argument must be between 0 and 2147483647 inclusive'],
    ['maxclients', '0', 'argument must be between 1 and 4294967295 inclusive'],
    ['hash-max-listpack-entries', '-1', 'argument must be between 0 and 9223372036854775807 inclusive'],
    ['hash-max-listpack-value', '-1', 'argument must be a memory value'],
    ['hash-max-listpack-value', '5x', 'argument must be a memory value'],
    ['proto-max-bulk-len', '1', 'argument must be between 1048576 and 9223372036854775807 inclusive'],
    ['protected-mode', '1', "argument must be 'yes' or 'no'"],
    [
      'maxmemory-policy',
      'lru',
      'argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction',
    ],
    ['notify-keyspace-events', 'Kq', "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
    ['client-output-buffer-limit', 'normal 1 2', 'Wrong number of arguments in buffer limit configuration.'],
    [
      'client-output-buffer-limit',
      'master 1 2 3',
      'Invalid client class specified in buffer limit configuration.',
    ],
    [
      'client-output-buffer-limit',
      'pubsub 1 2 -3',
      'Error in hard, soft or soft_seconds setting in buffer limit configuration.',
    ],
    ['databases', '5', "can't set immutable config"],
    ['port', '5', "can't set immutable config"],
  ];
  it.each(wrong)('%s %j fails and changes nothing', (name, given, why) => {
    const config = new Config({});
    const before = config.value(name);
    expect(set(config, name, given)).toBe(failed(name, why));
    expect(config.value(name)).toBe(before);
  });

  it('sets all or none, names before values', () => {
    const config = new Config({});
    expect(set(config, 'timeout', '5', 'hz', 'x')).toBe(
      failed('hz', "argument couldn't be parsed into an integer"),
    );
    expect(config.value('timeout')).toBe('0');
    expect(set(config, 'timeout', 'x', 'nosuch', '1')).toBe(
      "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
    );
    expect(set(config, 'timeout', '5', 'TIMEOUT', '6')).toBe(failed('TIMEOUT', 'duplicate parameter'));
    expect(set(config, 'timeout', '5', 'HZ', '20')).toBe('OK');
    expect(config.get(['timeout', 'hz'])).toEqual([
      ['timeout', '5'],
      ['hz', '20'],
    ]);
  });

  it('refuses what is not supported and says what happens instead, but not what asks for nothing', () => {
    const config = new Config({});
    expect(set(config, 'maxmemory', '100mb')).toMatch(
      /^ERR CONFIG SET failed \(possibly related to argument 'maxmemory'\) - not supported by Holdfast: memory is not limited/,
    );
    expect(set(config, 'rdbchecksum', 'yes', 'timeout', '7')).toBe('OK');
    expect(config.value('timeout')).toBe('7');
  });

  it('calls back with what changed', () => {
    const config = new Config({});
    const seen: string[] = [];
    config.onChange((name, value) => seen.push(`${name}=${value}`));
    set(config, 'timeout', '5', 'hz', '20');
    set(config, 'timeout', 'x');
    expect(seen).toEqual(['timeout=5', 'hz=20']);
  });
});

describe('CONFIG GET', () => {
  const config = new Config({});
  it('takes a pattern only where there is one, and answers an exact name as it was spelled', () => {
    expect(config.get(['TIMEOUT'])).toEqual([['TIMEOUT', '0']]);
    expect(config.get(['Time?ut'])).toEqual([['timeout', '0']]);
    expect(config.get(['timeout', 'TIMEOUT', 't*t'])).toEqual([['timeout', '0']]);
    expect(config.get(['time'])).toEqual([]);
  });

  it('knows older names', () => {
    expect(config.get(['hash-max-z*'])).toEqual([
      ['hash-max-ziplist-entries', '512'],
      ['hash-max-ziplist-value', '64'],
    ]);
  });

  it('does not list what has no effect', () => {
    expect(config.get(['rdbchecksum', 'cluster-*', 'tls-*', 'syslog-*'])).toEqual([]);
  });

  it('lists as turned off what clients ask for', () => {
    const config = new Config({});
    expect(config.get(['maxmemory*'])).toEqual([
      ['maxmemory-policy', 'noeviction'],
      ['maxmemory', '0'],
    ]);
    expect(config.get(['AppendOnly'])).toEqual([['AppendOnly', 'no']]);
  });
});

describe('directives at the start', () => {
  it('are checked and named', () => {
    expect(() => new Config({ nosuch: '1' })).toThrow("unknown or unsupported directive 'nosuch'");
    expect(() => new Config({ timeout: 'x' })).toThrow(
      "directive 'timeout' takes an integer from 0 to 2147483647, not 'x'",
    );
    expect(new Config({ 'hash-max-ziplist-value': '1kb' }).value('hash-max-listpack-value')).toBe('1024');
  });

  it('reach the keyspace, and so do changes', () => {
    const engine = new Engine({ config: { 'set-max-intset-entries': '3' }, databases: 4 });
    const { space, config } = engine;
    expect(space.limits.setMaxIntsetEntries).toBe(3);
    expect(space.dbs).toHaveLength(4);
    expect(config.value('databases')).toBe('4');
    set(
      config,
      'zset-max-ziplist-entries',
      '9',
      'maxmemory-policy',
      'volatile-lfu',
      'proto-max-bulk-len',
      '1mb',
    );
    expect(space.limits.zsetMaxListpackEntries).toBe(9);
    expect(space.lfu).toBe(true);
    expect(config.maxBulk).toBe(1048576);
  });
});
