// The short version of `npm run fuzz -- lua`: all fixed attempts, each native with each odd value, and about two
// seconds of random programs.
import { describe, expect, it } from 'vitest';
import { broken, Calls, corpus, escaped, foreign, leaked, ODD_VALUES } from './lua-escape.ts';

describe('code compiled from Lua', () => {
  it('reaches nothing of JavaScript by any of the fixed attempts', { timeout: 120_000 }, () => {
    let number = 0;
    for (const [what, source] of corpus()) {
      expect(escaped(source, number++ % 16 === 0), what).toBeNull();
    }
  });

  it('passes natives nothing that makes them fail or answer anything but Lua values', {
    timeout: 60_000,
  }, () => {
    const calls = new Calls();
    const { paths } = calls;
    expect(paths).toContain('string.gsub');
    paths.forEach((path, i) => {
      expect(calls.attempt(path, [], 'direct')).toBeNull();
      for (let odd = 0; odd < ODD_VALUES; odd++) {
        const form = (odd + i) % 4 === 0 ? 'suspendable' : 'direct';
        const numbers = [odd, odd * 7 + i, odd * 5 + i, odd * 3 + 1].slice(0, 1 + ((odd + i) % 4));
        expect(calls.attempt(path, numbers, form)).toBeNull();
      }
    });
  });

  it('survives two seconds of random programs', { timeout: 60_000 }, () => {
    const until = Date.now() + 2000;
    for (let seed = 1; Date.now() < until; seed++) {
      expect(broken(seed), `npm run fuzz -- lua --seed ${seed} --rounds 1`).toBeNull();
    }
  });
});

describe('the checks', () => {
  it('see what is no Lua value', () => {
    for (const value of [
      null,
      [],
      {},
      () => 1,
      Symbol.iterator,
      1n,
      '\u2028',
      new Map(),
      /x/,
      new Error('x'),
    ]) {
      expect(foreign(value)).not.toBeNull();
    }
  });

  it('see what does not belong into compiled text', () => {
    expect(leaked('return (t0=g0.field("process"),t0);\n/*12*/index(v1,"*/")')).toBeNull();
    for (const text of [
      'process',
      'v1.constructor',
      'a0["x"]`x`',
      "'x'",
      '/*x*/',
      'globalThis',
      '"a\nb"',
      '// x',
    ]) {
      expect(leaked(text), text).not.toBeNull();
    }
  });
});
