// Who is inside of what a lock or a semaphore guards, kept on the server by scripts that may be sent again, so that a
// lost reply spoils no books. Used by the stress loads of both.
import { expect } from 'vitest';
import { type Driver, defineScript, int, list, ok, text } from '../../src/workflows/index.ts';
import { attempt, count, named, raw, type Tally } from './world.ts';

const enter = defineScript({
  name: 'stress_enter',
  version: 1,
  lua: `
    redis.call('SADD', KEYS[1], ARGV[1])
    local fence, by = (redis.call('GET', KEYS[2]) or '0 nobody'):match('^(%d+) (.*)$')
    if tonumber(ARGV[2]) > tonumber(fence) then redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. ARGV[1]) end
    return {'inside', redis.call('SMEMBERS', KEYS[1]), fence, by}`,
  mode: 'write',
  retry: 'always',
  keys: ['inside', 'seen'],
  args: { who: text, fence: int },
  reply: { inside: ok({ all: list(text), fence: int, by: text }) },
});

const leave = defineScript({
  name: 'stress_leave',
  version: 1,
  lua: "return {redis.call('SREM', KEYS[1], ARGV[1]) == 1 and 'left' or 'was_out'}",
  mode: 'write',
  retry: 'always',
  keys: ['inside'],
  args: { who: text },
  reply: { left: ok(), was_out: ok() },
});

/** Goes in and out again, and counts whom it met (`crowd`), a fence that is not the greatest (`older`), and `unsure`. */
export async function visit(
  driver: Driver,
  base: string,
  { who, fence, most }: { readonly who: string; readonly fence: number; readonly most: number },
  tally: Tally,
): Promise<void> {
  const inside = `${base}:inside`;
  const keys = { inside, seen: `${base}:seen` };
  const entered = await attempt(tally, () => enter.run(driver, { keys, args: { who, fence } }));
  if (entered === null) return;
  if (entered.ok) {
    if (entered.all.length > most) count(tally, `crowd ${entered.all.join(' ')}`);
    if (entered.fence > fence || (entered.fence === fence && entered.by !== who && fence > 0))
      count(tally, 'older');
  }
  const left = await attempt(tally, () => leave.run(driver, { keys: { inside }, args: { who } }));
  // An entry that was lost on its way may come in behind its leave.
  if (!entered.ok || entered.meta.attempts > 1 || !left?.ok) count(tally, `unsure ${who}`);
}

/** Never more than so many inside, apart from those who may have left without being heard; and all are out. */
export async function checkVisits(driver: Driver, base: string, most: number, tally: Tally): Promise<void> {
  const unsure = named(tally, 'unsure ');
  const certain = (all: readonly string[]): string[] => all.filter((who) => !unsure.has(who));
  expect(tally.older ?? 0).toBe(0);
  for (const crowd of named(tally, 'crowd ').keys()) {
    const all = crowd.split(' ');
    const here = certain(all);
    // Of the unsure ones each may be gone; of the others none is.
    expect(here.length, `at once: ${here}`).toBeLessThanOrEqual(most);
  }
  expect(certain((await raw(driver, 'SMEMBERS', `${base}:inside`)) as string[])).toEqual([]);
}
