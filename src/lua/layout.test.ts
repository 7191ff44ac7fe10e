// Which tables share a layout, and that the number of layouts is bounded.
import { expect, test } from 'vitest';
import { emptyLayout, type Layout, MOST_KEYS } from './layout.ts';
import { nodeOrder } from './order.ts';

function layoutOf(keys: readonly string[]): Layout | null {
  let layout: Layout | null = emptyLayout();
  for (const key of keys) layout = layout === null ? null : layout.follow(key);
  return layout;
}

test('the same keys in the same order share a layout', () => {
  const layout = layoutOf(['one', 'two', 'three']);
  expect(layoutOf(['one', 'two', 'three'])).toBe(layout);
  expect(layoutOf(['two', 'one', 'three'])).not.toBe(layout);
  expect(layout?.keys()).toEqual(['one', 'two', 'three']);
});

test('a walk is in the order of Lua', () => {
  const keys = ['id', 'name', 'price', 'active', 'tags', 'note', 'owner', 'created'];
  const layout = layoutOf(keys) as Layout;
  for (const initial of [0, 8, 16]) {
    const walk = layout.walk(initial);
    expect(walk.map((step) => step.key)).toEqual(nodeOrder(keys, initial, Math.max(8, initial)));
    for (const step of walk) expect(keys[step.slot]).toBe(step.key);
    expect(layout.walk(initial)).toBe(walk);
  }
});

test('no layout for a key that is there already, an empty or very long one, or too many', () => {
  expect(layoutOf(['a', 'b', 'a'])).toBeNull();
  expect(layoutOf(['a', ''])).toBeNull();
  expect(layoutOf(['x'.repeat(257)])).toBeNull();
  const many = Array.from({ length: MOST_KEYS + 1 }, (_, i) => `m${i}`);
  expect(layoutOf(many.slice(0, MOST_KEYS))).not.toBeNull();
  expect(layoutOf(many)).toBeNull();
});

test('keys that are data soon get none, and later all begin anew', () => {
  const first = emptyLayout();
  let refused = 0;
  for (let i = 0; i < 5000; i++) if (layoutOf([`user:${i}`]) === null) refused++;
  expect(refused).toBeGreaterThan(4700);
  expect(emptyLayout()).toBe(first);
  for (let i = 0; i < 10_000; i++) layoutOf([`order:${i}`]);
  expect(emptyLayout()).not.toBe(first);
});
