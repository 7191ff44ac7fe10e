// Chance that a seed decides, for faulty.ts and disk.ts.

/** Below `limit`, a whole number from 0. */
export type Chance = (limit: number) => number;

/** Mulberry32. */
export function chance(seed: number): Chance {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
