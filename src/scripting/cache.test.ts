import { expect, test } from 'vitest';
import { Script, ScriptCache } from './cache.ts';

const shebang = { flags: 0, compatible: true, source: '' };
const script = (n: number, pinned = false): Script => {
  const made = new Script(`digest${n}`, `body ${n}`, shebang, () => undefined);
  made.pinned = pinned;
  return made;
};

function filled(count: number): { cache: ScriptCache; evicted: () => number } {
  let evicted = 0;
  const cache = new ScriptCache(() => {
    evicted++;
  });
  for (let i = 0; i < count; i++) cache.add(script(i));
  return { cache, evicted: () => evicted };
}

test('finds a script by its digest in any case and by its text', () => {
  const { cache } = filled(2);
  expect(cache.find('digest1')?.body).toBe('body 1');
  expect(cache.find('DIGEST1')?.body).toBe('body 1');
  expect(cache.withBody('body 0')?.name).toBe('digest0');
  expect(cache.find('digest2')).toBeUndefined();
});

test('the 501st script takes the place of the one that was not used for longest', () => {
  const { cache, evicted } = filled(500);
  expect(evicted()).toBe(0);
  for (const n of [0, 250, 499, 0]) cache.used(cache.find(`digest${n}`) as Script);
  cache.add(script(500));
  expect(evicted()).toBe(1);
  expect(cache.size).toBe(500);
  expect(cache.find('digest1')).toBeUndefined();
  expect(cache.withBody('body 1')).toBeUndefined();
  for (let n = 501; n < 999; n++) cache.add(script(n));
  // 250, 499 and 0 were used behind all others of the first 500.
  expect(cache.find('digest498')).toBeUndefined();
  expect(cache.find('digest250')).toBeUndefined();
  expect(cache.find('digest0')).toBeDefined();
  expect(cache.size).toBe(500);
});

test('what is pinned stays and takes no place of others', () => {
  const { cache, evicted } = filled(0);
  cache.add(script(0, true));
  for (let n = 1; n <= 500; n++) cache.add(script(n));
  cache.pin(cache.find('digest1') as Script);
  cache.pin(cache.find('digest500') as Script);
  cache.used(cache.find('digest1') as Script);
  expect(evicted()).toBe(0);
  for (let n = 501; n <= 1002; n++) cache.add(script(n));
  expect(evicted()).toBe(500);
  expect(['digest0', 'digest1', 'digest500'].every((name) => cache.find(name) !== undefined)).toBe(true);
  expect(cache.size).toBe(503);
});

test('counts the bytes of what it holds', () => {
  const { cache } = filled(501);
  const expected = Array.from({ length: 500 }, (_, i) => `digest${i + 1}body ${i + 1}`).join('').length;
  expect(cache.memory).toBe(expected);
  cache.clear();
  expect(cache.memory).toBe(0);
  expect(cache.size).toBe(0);
  cache.add(script(1));
  expect(cache.size).toBe(1);
});
