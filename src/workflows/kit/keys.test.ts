// Names of keys: tags, slots, and that no two ids share a key. The slots are compared with a server's in
// test/workflows/faults/cluster.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOneSlot, checkPrefix, hashTag, hotTag, keysOf, slotOf, tagOf } from './keys.ts';

const ids = fc.oneof(
  fc.stringMatching(/^[ab%{}257BD]{1,8}$/),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
);

describe('hashTag', () => {
  it('is what stands in the first braces that are not empty, or else all of the key', () => {
    const cases = ['a', '{a}b', 'x{a}{b}', 'x{{a}}', 'x{}{a}', 'x{a', 'x}a{b}', '{}'];
    expect(cases.map(hashTag)).toEqual(['a', 'a', 'a', '{a', 'x{}{a}', 'x{a', 'b', '{}']);
  });

  it('decides the slot', () => {
    fc.assert(fc.property(ids, ids, (a, b) => slotOf(`${a.replaceAll('{', '')}{x}${b}`) === slotOf('x')));
  });
});

describe('keysOf', () => {
  it('gives all parts of one id one slot, whatever the id is', () => {
    fc.assert(
      fc.property(ids, (id) => {
        const key = keysOf('p', id);
        return slotOf(key()) === slotOf(key('stock')) && hashTag(key('{x}')) === tagOf(id);
      }),
    );
  });

  it('gives two ids two keys', () => {
    fc.assert(fc.property(ids, ids, (a, b) => (a === b) === (keysOf('p', a)() === keysOf('p', b)())));
    expect([tagOf('a}'), tagOf('a%7D'), tagOf('{')]).toEqual(['a%7D', 'a%257D', '%7B']);
  });

  it('an id has 1 to 512 characters, a prefix no braces', () => {
    for (const id of ['', 'x'.repeat(513), 7 as unknown as string]) expect(() => tagOf(id)).toThrow('an id');
    expect(tagOf('x'.repeat(512))).toHaveLength(512);
    for (const prefix of ['', 'a{', '}']) expect(() => checkPrefix(prefix)).toThrow('a prefix');
    expect(checkPrefix('shop:orders')).toBe('shop:orders');
  });
});

describe('checkOneSlot', () => {
  it('names what lies apart and where, at most six of them, and never a key', () => {
    checkOneSlot(['a'], ['only']);
    checkOneSlot(['x{a}', 'y{a}', 'a'], ['one', 'more']);
    const many = Array.from({ length: 9 }, (_, i) => `secret${i}`);
    expect(() => checkOneSlot(many, ['first', 'rest'])).toThrow(/first in \d+, rest in \d+.*3 more/);
    expect(() => checkOneSlot(many, ['first', 'rest'])).not.toThrow(/secret/);
  });
});

describe('hotTag', () => {
  it('warns of tags for everybody and of dates, not of ids', () => {
    for (const key of ['x:{global}', '{today}:n', 'x{v2}', 'x:{2026-01-31}', 'x:{202601}']) {
      expect(hotTag(key)).toContain(String(slotOf(key)));
    }
    for (const key of ['x:{user-7}', 'x:{42}', 'global', 'x:{globally}']) expect(hotTag(key)).toBe('');
  });
});
