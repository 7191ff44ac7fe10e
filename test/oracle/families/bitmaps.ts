// Bitmaps: SETBIT to BITFIELD on string keys. Called by generate.ts.

import { alt, bitOffset, type Family, index, int, junk, key, many, opt, type Part, seq } from '../grammar.ts';

const k = key('b');
const bit: Part = (g) => [
  g.random.chance(0.95) ? g.random.pick(['0', '1']) : g.random.pick(['2', '-1', 'x', '']),
];
const type: Part = (g) => [
  g.random.chance(0.93)
    ? g.random.pick(['u8', 'i8', 'u1', 'i5', 'u16', 'i16', 'u32', 'i32', 'u63', 'i64', 'u4', 'i1'])
    : g.random.pick(['u64', 'i65', 'u0', 'i0', 'x8', 'u', '8', '', 'U8', 'u-1']),
];
const place: Part = (g) => [
  g.random.chance(0.93)
    ? g.random.pick(['0', '1', '5', '8', '100', '#0', '#1', '#3', '63'])
    : g.random.pick(['-1', '#-1', '#', 'x', '', '4294967296', '#9223372036854775807']),
];
const get = seq('GET', type, place);
const change = alt(seq('SET', type, place, int), seq('INCRBY', type, place, int));
const overflow = seq('OVERFLOW', alt('WRAP', 'SAT', 'FAIL', 'WRAP', 'SAT', 'FAIL', 'bogus'));

export const bitmaps: Family = {
  name: 'bitmaps',
  commands: {
    SETBIT: [6, k, bitOffset, bit],
    GETBIT: [4, k, bitOffset],
    BITCOUNT: [4, k, opt(0.6, index, index, opt(0.5, alt('BYTE', 'BIT', junk)))],
    BITPOS: [4, k, bit, opt(0.6, index, opt(0.6, index, opt(0.5, alt('BYTE', 'BIT', junk))))],
    BITOP: [4, alt('AND', 'OR', 'XOR', 'NOT', 'bogus'), k, many(1, 3, k)],
    BITFIELD: [6, k, many(0, 4, alt(get, change, change, overflow))],
    BITFIELD_RO: [2, k, many(0, 3, alt(get, get, get, change))],
    GET: [2, k],
    STRLEN: [1, k],
  },
};
