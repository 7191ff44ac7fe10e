import { describe, expect, test } from 'vitest';
import { Builder, heldBytes, heldNumber, hold, Lookup, MIN_LENGTH, searched } from './subject.ts';
import { LuaTable } from './table.ts';

const ascii = 'abcdefghij'.repeat(MIN_LENGTH / 5);

describe('hold', () => {
  test('fetches the bytes of a long ASCII string', () => {
    const number = hold(ascii);
    expect(number).toBe(heldNumber);
    expect(String.fromCharCode(...heldBytes.subarray(0, ascii.length))).toBe(ascii);
    // The same contents are the same string.
    expect(hold(`${ascii} `.slice(0, -1))).toBe(number);
    const other = hold(`${ascii}!`);
    expect(other).toBeGreaterThan(number);
    expect(heldNumber).toBe(other);
  });

  test('refuses what is short, too long or not ASCII', () => {
    expect(hold('short')).toBe(0);
    expect(hold('x'.repeat(2 ** 20 + 1))).toBe(0);
    expect(hold(`${ascii}\xe9`)).toBe(0);
    expect(hold(`${ascii}\xe9`)).toBe(0);
    expect(hold(`\x80${ascii}`)).toBe(0);
  });

  test('a string that is searched again and again is held', () => {
    const text = `${ascii}again`;
    let searches = 1;
    while (!searched(text)) searches++;
    expect(searches).toBeGreaterThan(3);
    expect(searches).toBeLessThan(20);
    const bytes = `${ascii}\xff`;
    for (let i = 0; i < 50; i++) expect(searched(bytes)).toBe(false);
  });
});

describe('Builder', () => {
  test('pieces of all lengths, of the subject and of others', () => {
    for (const subject of ['short', ascii, `${ascii}\xe9${ascii}`, ascii.repeat(100)]) {
      const builder = new Builder(subject);
      let expected = '';
      for (let i = 0; i < 3000; i++) {
        const from = (i * 7919) % subject.length;
        const to = Math.min(subject.length, from + ((i * 31) % (i % 100 === 0 ? 3000 : 90)));
        builder.copy(from, to);
        expected += subject.slice(from, to);
        const text = (i % 50 === 7 ? '\xff' : 'x').repeat((i * 13) % (i % 70 === 0 ? 500 : 20));
        builder.add(text);
        expected += text;
        // Others hold their strings now and then, and build.
        if (i % 500 === 499) {
          const inner = new Builder(`${ascii}${i}`);
          inner.copy(0, 10);
          inner.add('!');
          expect(inner.finish()).toBe(`${ascii.slice(0, 10)}!`);
        }
      }
      expect(builder.finish() === expected).toBe(true);
    }
  });
});

describe('Lookup', () => {
  test('finds what the table has, for keys of all lengths', () => {
    const keys = [
      '',
      'a',
      'ab',
      'abc',
      'abcd',
      'abcde',
      'abcdef',
      'abcdefg',
      'abcdefgh',
      'abcdefghi',
      'zz',
      '\0',
      'a\0',
    ];
    const text = `${keys.join('|')}|`.repeat(100);
    const few = new LuaTable();
    few.set('abcd', 1);
    few.set('abcdefghi', 2);
    few.set('a\0', 3);
    few.set('\xe9', 4);
    const many = new LuaTable();
    for (let i = 0; i < 500; i++) many.set(`k${i}`, i);
    for (const key of keys) many.set(key, `<${key}>`);
    const empty = new LuaTable();
    for (const table of [few, many, empty]) {
      const lookup = new Lookup(table, text, hold(text));
      let at = 0;
      for (let round = 0; round < 100; round++) {
        for (const key of keys) {
          expect(lookup.get(at, at + key.length)).toBe(table.get(key));
          at += key.length + 1;
        }
      }
    }
  });

  test('keys that do not repeat, and another string held meanwhile', () => {
    const text = Array.from({ length: 3000 }, (_, i) => `k${i}`).join(' ');
    const table = new LuaTable();
    for (let i = 0; i < 3000; i += 2) table.set(`k${i}`, i);
    const lookup = new Lookup(table, text, hold(text));
    let at = 0;
    for (let i = 0; i < 3000; i++) {
      if (i === 2000) hold(ascii);
      const length = `k${i}`.length;
      expect(lookup.get(at, at + length)).toBe(i % 2 === 0 ? i : undefined);
      at += length + 1;
    }
  });
});
