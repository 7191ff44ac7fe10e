// In which order Lua walks a table's nodes; expectations are those of redis-server 7.0.15.
import { describe, expect, test } from 'vitest';
import { nodeOrder, nodesAfter } from './order.ts';
import { LuaTable } from './table.ts';

const FIELDS = ['id', 'name', 'price', 'active', 'tags', 'note', 'owner', 'created'];

describe('nodeOrder', () => {
  test('of a table that grew from nothing, and of one that a constructor sized', () => {
    const grown = ['created', 'note', 'name', 'active', 'price', 'owner', 'tags', 'id'];
    expect(nodeOrder(FIELDS, 0, 8)).toEqual(grown);
    const sized = ['created', 'note', 'name', 'active', 'id', 'owner', 'tags', 'price'];
    expect(nodeOrder(FIELDS, 8, 8)).toEqual(sized);
    expect(nodeOrder(['a', 'b', 'c'], 4, 4)).toEqual(['a', 'c', 'b']);
  });

  test('long strings are hashed by all their bytes', () => {
    const [a31, a32, b40, c100] = ['a'.repeat(31), 'a'.repeat(32), 'b'.repeat(40), 'c'.repeat(100)];
    expect(nodeOrder([a31, a32, b40, c100, 'x'], 0, 8)).toEqual(['x', a32, a31, b40, c100]);
  });

  test('numbers and booleans', () => {
    const keys = [0.5, -1, true, 'x', false, 0, 1e300, -7, 'y'];
    const walked = [false, true, 0.5, 1e300, 'y', 'x', -7, -1, 0];
    expect(nodeOrder(keys, 0, 16)).toEqual(walked);
    expect(nodeOrder(keys, 16, 16)).toEqual(walked);
  });

  test('loses no key, whatever the sizes say', () => {
    const keys = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? new LuaTable() : `key${i}`));
    for (const [initial, capacity] of [
      [0, 0],
      [0, 256],
      [4, 64],
      [1024, 8],
      [0, 4096],
    ]) {
      const order = nodeOrder(keys, initial, capacity);
      expect(order).toHaveLength(keys.length);
      expect(new Set(order)).toEqual(new Set(keys));
    }
    expect(nodeOrder([], 0, 0)).toEqual([]);
  });

  test('an object keeps its place', () => {
    const keys = Array.from({ length: 20 }, () => new LuaTable());
    expect(nodeOrder(keys, 0, 32)).toEqual(nodeOrder(keys, 0, 32));
  });
});

test('nodesAfter: a table doubles when it is full', () => {
  expect([1, 2, 3, 5, 9].map((count) => nodesAfter(0, count))).toEqual([1, 2, 4, 8, 16]);
  expect(nodesAfter(8, 3)).toBe(8);
  expect(nodesAfter(8, 9)).toBe(16);
});
