// Scripts that do their work well, of every kind that the workflows need: the linter has nothing to say about them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lint } from '../../src/lint/index.ts';

const folder = fileURLToPath(new URL('correct', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.lua'));

describe('a correct script', () => {
  it.each(names)('%s', (name) => {
    const found = lint(name, readFileSync(join(folder, name), 'utf8'));
    expect(found.map(({ line, rule, message }) => `${line} ${rule}: ${message}`)).toEqual([]);
  });
});

describe('the same script with one thing done badly', () => {
  it.each([
    ['lock_release.lua', "redis.call('GET', KEYS[i]) == ARGV[1]", 'true', 'delete-without-token'],
    ['semaphore_acquire.lua', 'now + ARGV[3], ARGV[1])', 'now + ARGV[3], now)', 'timestamp-member'],
    ['gcra.lua', ", 'PX', math.ceil((new_tat - now) / 1000)", '', 'missing-ttl'],
    [
      'transfer.lua',
      "redis.call('SET', KEYS[4]",
      "redis.call('SET', 'request:' .. ARGV[2]",
      'undeclared-key',
    ],
    [
      'reservation_reserve.lua',
      "redis.call('HSET', KEYS[2], ARGV[1], quantity)",
      "redis.call('HSET', KEYS[2], ARGV[1], quantity) redis.call('EXPIRE', KEYS[2], 60)",
      'expiring-hold',
    ],
    ['lib.lua', "redis.call('GET', keys[1])", "redis.call('GETDEL', keys[1])", 'no-writes-writes'],
    ['queue_claim.lua', 'for _ = 1, 10 do', 'while true do', 'unbounded-loop'],
    ['leaderboard.lua', ", 'LIMIT', 0, 10", '', 'large-read'],
    ['leaderboard.lua', "'GT', ARGV[2], ARGV[1]", "'GT', ARGV[2] * 1e10 + n, ARGV[1]", 'packed-score'],
    ['session_touch.lua', "return {'touched', now}", 'return {touched = now}', 'lost-fields'],
  ])('%s: %s', (name, well, badly, rule) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toContain(well);
    expect(lint(name, text.replaceAll(well, badly)).map((finding) => finding.rule)).toContain(rule);
  });
});
