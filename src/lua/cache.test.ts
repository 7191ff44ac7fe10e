import { expect, test } from 'vitest';
import { TextCache } from './cache.ts';

test('keeps what is in use, and no more than its size', () => {
  const cache = new TextCache<number>(8);
  cache.set('hot', 0);
  for (let i = 0; i < 1000; i++) {
    cache.set(`${i}`, i);
    expect(cache.get('hot')).toBe(0);
    expect(cache.get(`${i}`)).toBe(i);
  }
  let kept = 0;
  for (let i = 0; i < 1000; i++) if (cache.get(`${i}`) !== undefined) kept++;
  expect(kept).toBeLessThan(8);
  expect(cache.get('999')).toBe(999);
});
