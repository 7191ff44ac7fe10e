// What the functions of `math` answer; expectations are lua5.1's, those of random numbers redis-server's.
import { describe, expect, test } from 'vitest';
import { MathRandom, openMath } from './lib-math.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { all, LuaError, type LuaFunction, type LuaValue } from './value.ts';

const state = new LuaState({ clock: () => 0, tick: () => 1e6, charge: () => {} }, new LuaTable());

function open(random = new MathRandom()): (name: string, ...args: LuaValue[]) => LuaValue | LuaValue[] {
  const library = openMath(state, random);
  return (name, ...args) => {
    const results = all((library.get(name) as LuaFunction)(...args));
    return results.length === 1 ? results[0] : [...results];
  };
}
const call = open();

function raised(run: () => unknown): LuaValue {
  try {
    run();
  } catch (error) {
    if (error instanceof LuaError) return error.value;
    throw error;
  }
  return undefined;
}

test('fields come in the order of the C library', () => {
  const library = openMath(state, new MathRandom());
  const names: LuaValue[] = [];
  for (let key = library.next(undefined); key !== undefined; key = library.next(key)) names.push(key);
  expect(names.join(' ')).toBe(
    'log max acos huge ldexp pi cos tanh pow deg tan cosh sinh random randomseed frexp ceil floor rad abs sqrt ' +
      'modf asin min mod fmod log10 atan2 exp sin atan',
  );
  expect([library.get('pi'), library.get('huge')]).toEqual([Math.PI, Number.POSITIVE_INFINITY]);
});

describe('functions of numbers', () => {
  test.each([
    ['abs', [-3], 3],
    ['abs', ['-0x10'], 16],
    ['ceil', [1.2], 2],
    ['ceil', [-0.5], -0],
    ['floor', [-0.5], -1],
    ['floor', ['7.9'], 7],
    ['sqrt', [2], Math.SQRT2],
    ['deg', [1], 57.295779513082323],
    ['rad', [180], Math.PI],
    ['exp', [1], Math.E],
    ['log', [8], 2.0794415416798357],
    ['log10', [1000], 3],
    ['log', [0], Number.NEGATIVE_INFINITY],
    ['sin', [1], 0.8414709848078965],
    ['cos', [1], 0.54030230586813977],
    ['tan', [1], 1.5574077246549023],
    ['asin', [1], 1.5707963267948966],
    ['acos', [0.5], 1.0471975511965979],
    ['atan', [1], 0.78539816339744828],
    ['atan2', [1, -1], 2.3561944901923448],
    ['atan2', [-0, -1], -Math.PI],
    ['sinh', [1], 1.1752011936438014],
    ['cosh', [1], 1.5430806348152437],
    ['tanh', [1], 0.76159415595576485],
    ['fmod', [-5, 3], -2],
    ['fmod', [-6, 3], -0],
    ['mod', [5.5, -2], 1.5],
    ['pow', [2, 10], 1024],
    ['pow', [1, Number.NaN], 1],
    ['pow', [-1, Number.POSITIVE_INFINITY], 1],
    ['pow', [Number.NaN, 0], 1],
    ['pow', [-8, 1 / 3], Number.NaN],
    ['max', [5], 5],
    ['max', [1, 2, '3', 2], 3],
    ['max', [Number.NaN, 1], Number.NaN],
    ['max', [1, Number.NaN], 1],
    ['min', [3, 1, 2], 1],
    ['min', [Number.NaN, 1], Number.NaN],
    ['modf', [3.7], [3, 0.70000000000000018]],
    ['modf', [-3], [-3, -0]],
    ['modf', [-0.5], [-0, -0.5]],
    ['modf', [Number.NEGATIVE_INFINITY], [Number.NEGATIVE_INFINITY, -0]],
    ['modf', [Number.NaN], [Number.NaN, Number.NaN]],
    ['frexp', [0], [0, 0]],
    ['frexp', [1], [0.5, 1]],
    ['frexp', [-0.1], [-0.8, -3]],
    ['frexp', [5e-324], [0.5, -1073]],
    ['frexp', [1e308], [0.55626846462680035, 1024]],
    ['frexp', [Number.NEGATIVE_INFINITY], [Number.NEGATIVE_INFINITY, 0]],
    ['ldexp', [3, 2.9], 12],
    ['ldexp', [0.5, 1024], 2 ** 1023],
    ['ldexp', [1, 1024], Number.POSITIVE_INFINITY],
    ['ldexp', [-1, 2000], Number.NEGATIVE_INFINITY],
    ['ldexp', [1, -1074], 5e-324],
    ['ldexp', [1, -1075], 0],
    ['ldexp', [1.5, -1075], 5e-324],
    ['ldexp', [-1, -5000], -0],
    // 2^31 is a negative int.
    ['ldexp', [1, 2 ** 31], 0],
    ['ldexp', [5e-324, 2097], 2 ** 1023],
    ['ldexp', [1 + 2 ** -52, -1022], (1 + 2 ** -52) * 2 ** -1022],
    ['ldexp', [Number.POSITIVE_INFINITY, -5000], Number.POSITIVE_INFINITY],
  ] as const)('%s(%j)', (name, args, expected) => {
    expect(call(name, ...args)).toEqual(expected);
  });

  test('arguments are checked', () => {
    const refusal = (name: string, ...args: LuaValue[]) => raised(() => call(name, ...args));
    const wrong = (i: number, got: string) => `bad argument #${i} to '?' (number expected, got ${got})`;
    for (const name of 'abs acos asin atan ceil cos cosh deg exp floor frexp log log10 max min modf rad'.split(
      ' ',
    )) {
      expect(refusal(name)).toBe(wrong(1, 'no value'));
      expect(refusal(name, undefined)).toBe(wrong(1, 'nil'));
    }
    expect(refusal('floor', 'x')).toBe(wrong(1, 'string'));
    for (const name of ['atan2', 'fmod', 'ldexp', 'pow']) {
      expect(refusal(name)).toBe(wrong(2, 'no value'));
      expect(refusal(name, true, true)).toBe(wrong(2, 'boolean'));
      expect(refusal(name, true, 1)).toBe(wrong(1, 'boolean'));
    }
    expect(refusal('max', 1, 2, 3, new LuaTable())).toBe(wrong(4, 'table'));
    expect(refusal('min', 1, 'x')).toBe(wrong(2, 'string'));
    expect(refusal('min', 1, undefined)).toBe(wrong(2, 'nil'));
  });
});

describe('random numbers', () => {
  test('begin as those of a new server', () => {
    const random = open();
    expect(random('random')).toBeCloseTo(0.39646477363839, 13);
    expect(random('random')).toBeCloseTo(0.84048536971234, 13);
    expect(random('randomseed', 5)).toEqual([]);
    expect(random('random', 1000)).toBe(525);
  });

  test('follow the seed', () => {
    const random = open();
    random('randomseed', 42);
    expect([1, 2, 3, 4, 5].map(() => random('random'))).toEqual([
      0.74452500033403046, 0.34270147855519384, 0.11108528222473585, 0.42233895809498567,
      0.081111170854936895,
    ]);
    expect([1, 2, 3, 4].map(() => random('random', 10))).toEqual([9, 5, 5, 7]);
    expect([1, 2, 3].map(() => random('random', -5, 5))).toEqual([4, 0, 1]);
    random('randomseed', 1);
    for (let i = 1; i < 100_000; i++) random('random');
    expect(random('random')).toBe(0.01969413367085817);
  });

  test.each([
    [0, 0.1708280361121651],
    [-1, 0.3000257272739083],
    [2147483647, 0.80002572750673895],
    [-2147483648, 0.67082803634499577],
    [2 ** 31 + 7.9, 0.76644419681580933],
    [-1e15, 0.67271249679509204],
    [1e300, 0.1708280361121651],
    ['12', 0.62045574030860129],
  ])('seed %s', (seed, expected) => {
    const random = open();
    random('randomseed', seed);
    expect(random('random')).toBe(expected);
  });

  test('widths overflow as ints do', () => {
    const random = open();
    const three = (...limits: number[]) => {
      random('randomseed', 5);
      return [1, 2, 3].map(() => random('random', ...limits));
    };
    expect(three(-2147483648, 2147483647)).toEqual([-2147483648, -2147483648, -2147483648]);
    expect(three(-2147483648, 0)).toEqual([-3274568062, -2733433799, -3840988111]);
    expect(three(-10, 2147483647)).toEqual([-1127084420, -585950159, -1693504466]);
    expect(three(2147483647)).toEqual([1127084415, 585950152, 1693504464]);
  });

  test('wrong arguments are told, and a number is drawn nevertheless', () => {
    const random = open();
    random('randomseed', 3);
    expect(raised(() => random('random', 0))).toBe("bad argument #1 to '?' (interval is empty)");
    expect(raised(() => random('random', 1, 2, 3))).toBe('wrong number of arguments');
    expect(random('random')).toBe(0.31170834336043723);
    expect(raised(() => random('random', 1, 0))).toBe("bad argument #2 to '?' (interval is empty)");
    expect(raised(() => random('random', new LuaTable()))).toBe(
      "bad argument #1 to '?' (number expected, got table)",
    );
    expect(raised(() => random('randomseed'))).toBe("bad argument #1 to '?' (number expected, got no value)");
  });

  test('the state can be put back', () => {
    const generator = new MathRandom();
    for (let i = 0; i < 1000; i++) {
      const saved = generator.save();
      const next = [generator.next(), generator.next()];
      generator.restore(saved);
      expect([generator.next(), generator.next()]).toEqual(next);
    }
  });
});
