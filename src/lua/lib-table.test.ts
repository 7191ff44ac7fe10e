// What the functions of `table` do; expectations are lua5.1's.
import { describe, expect, test } from 'vitest';
import { openTable } from './lib-table.ts';
import { formatNumber } from './number.ts';
import { LuaState } from './state.ts';
import { beginEpoch, LuaTable, switchEpoch, undoEpoch } from './table.ts';
import {
  all,
  FORM,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaValue,
  NOTHING,
  native,
  type Suspendable,
} from './value.ts';

const state = new LuaState({ clock: () => 0, tick: () => 1e6, charge: () => {} }, new LuaTable());
const library = openTable(state);

function call(name: string, ...args: LuaValue[]): readonly LuaValue[] {
  return all((library.get(name) as LuaFunction)(...args));
}

/** The same through the suspendable form. */
function callSuspendable(name: string, ...args: LuaValue[]): readonly LuaValue[] {
  const form = (library.get(name) as LuaFunction)[FORM] as (...args: LuaValue[]) => Suspendable;
  const run = form(...args);
  let step = run.next(undefined);
  while (!step.done) {
    const { f, args: given } = step.value as unknown as { f: LuaFunction; args: LuaValue[] };
    let result: LuaResult;
    try {
      result = f(...given);
    } catch (error) {
      step = run.throw(error);
      continue;
    }
    step = run.next(result);
  }
  return all(step.value);
}

/** A function that may call back: a suspendable caller must not call it directly. */
function slow(f: (...args: never[]) => LuaResult): LuaFunction {
  // biome-ignore lint/correctness/useYield: it is a form without anything to wait for
  return native(f, function* () {
    return NOTHING;
  });
}

const forms = [
  ['direct form', call, native],
  ['suspendable form', callSuspendable, native],
  ['suspendable form, slow functions', callSuspendable, slow],
] as const;

function list(...values: LuaValue[]): LuaTable {
  return LuaTable.of([undefined, ...values]);
}

function items(table: LuaTable): string {
  return Array.from({ length: table.length() }, (_, i) => text(table.get(i + 1))).join(' ');
}

function text(value: LuaValue): string {
  return typeof value === 'number' ? formatNumber(value) : String(value ?? 'nil');
}

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
  const names: LuaValue[] = [];
  for (let key = library.next(undefined); key !== undefined; key = library.next(key)) names.push(key);
  expect(names.join(' ')).toBe('setn insert getn foreachi maxn foreach concat sort remove');
});

describe('concat', () => {
  test('joins strings and numbers', () => {
    expect(call('concat', list(1, 2.5, 'x', 1e15, 0.1), ', ')).toEqual(['1, 2.5, x, 1e+15, 0.1']);
    expect(call('concat', list('a', 'b', 'c'), '-', 2)).toEqual(['b-c']);
    expect(call('concat', list('a', 'b', 'c'), 7, 2, 3)).toEqual(['b7c']);
    expect(call('concat', list('a', 'b', 'c'), undefined, '1', '2.9')).toEqual(['ab']);
    expect(call('concat', list('a', 'b', 'c'), ',', 3, 2)).toEqual(['']);
    expect(call('concat', list())).toEqual(['']);
  });

  test('takes elements from both parts of the table', () => {
    const table = list('b', 'c');
    table.set(0, 'a');
    table.set(-1, 'z');
    expect(call('concat', table, ' ', -1)).toEqual(['z a b c']);
  });

  test('joins long lists', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => `item ${i}`);
    expect(call('concat', list(...values), '; ')).toEqual([values.join('; ')]);
  });

  test('asks for memory before it joins much', () => {
    const table = list(...new Array(600).fill('x'.repeat(1 << 20)));
    expect(raised(() => call('concat', table))).toBe('not enough memory');
  });

  test('refuses other values', () => {
    const refusal = (...args: LuaValue[]) => raised(() => call('concat', ...args));
    const invalid = (type: string, i: number) =>
      `invalid value (${type}) at index ${i} in table for 'concat'`;
    expect(refusal(list(1, 2, new LuaTable()))).toBe(invalid('table', 3));
    expect(refusal(list('a'), ',', 1, 3)).toBe(invalid('nil', 2));
    expect(refusal(list(), '', 2 ** 31 - 1, 2 ** 31 - 1)).toBe(invalid('nil', 2147483647));
    // 2^31 is a negative int.
    expect(call('concat', list(), '', 1, 2 ** 31)).toEqual(['']);
    expect(refusal()).toBe("bad argument #1 to '?' (table expected, got no value)");
    expect(refusal(undefined, new LuaTable())).toBe("bad argument #2 to '?' (string expected, got table)");
    expect(refusal(list(1), undefined, 'x')).toBe("bad argument #3 to '?' (number expected, got string)");
  });
});

describe('insert', () => {
  test('appends', () => {
    const table = new LuaTable();
    for (let i = 1; i <= 100; i++) expect(call('insert', table, i * i)).toEqual([]);
    expect(items(table)).toBe(Array.from({ length: 100 }, (_, i) => (i + 1) ** 2).join(' '));
  });

  test('moves up what follows', () => {
    const table = list(1, 2, 3);
    call('insert', table, 1, 'a');
    call('insert', table, 3, 'b');
    call('insert', table, '6', 'c');
    expect(items(table)).toBe('a 1 b 2 3 c');
    call('insert', table, 2, undefined);
    expect([1, 2, 3, 7].map((i) => text(table.get(i)))).toEqual(['a', 'nil', '1', 'c']);
  });

  test('takes positions outside the list', () => {
    const table = list(1, 2, 3);
    call('insert', table, 7, 'x');
    expect([table.length(), table.get(7)]).toEqual([3, 'x']);
    call('insert', table, -1, 'y');
    expect(table.length()).toBe(4);
    expect([-1, 0, 1, 2, 3, 4].map((i) => text(table.get(i)))).toEqual(['y', 'nil', 'nil', '1', '2', '3']);
  });

  test('moves what little there is in a long range', () => {
    const table = list('a', 'b');
    table.set(-3, 'c');
    table.set(-2, 'd');
    table.set(-70_000, 'e');
    table.set(0.5, 'f');
    call('insert', table, -(2 ** 31), 'x');
    const at = [-(2 ** 31), -70_000, -69_999, -3, -2, -1, 0, 0.5, 1, 2, 3].map((i) => text(table.get(i)));
    expect(at.join(' ')).toBe('x nil e nil c d nil f nil a b');
  });

  test('counts its arguments', () => {
    const wrong = "wrong number of arguments to 'insert'";
    expect(raised(() => call('insert', list()))).toBe(wrong);
    expect(raised(() => call('insert', list(), 1, 2, 3))).toBe(wrong);
    expect(raised(() => call('insert', list(), undefined, 1))).toBe(
      "bad argument #2 to '?' (number expected, got nil)",
    );
    expect(raised(() => call('insert'))).toBe("bad argument #1 to '?' (table expected, got no value)");
    const table = new LuaTable();
    call('insert', table, undefined);
    expect(table.length()).toBe(0);
  });
});

describe('remove', () => {
  test('takes the last element or the one asked for', () => {
    const table = list(10, 20, 30, 40);
    expect(call('remove', table, 2)).toEqual([20]);
    expect(call('remove', table, 1.9)).toEqual([10]);
    expect(items(table)).toBe('30 40');
    expect(call('remove', table)).toEqual([40]);
    expect(call('remove', table, undefined)).toEqual([30]);
    expect(table.next(undefined)).toBe(undefined);
  });

  test('answers nothing outside the list', () => {
    expect(call('remove', new LuaTable())).toEqual([]);
    const table = list(1, 2);
    expect(call('remove', table, 0)).toEqual([]);
    expect(call('remove', table, 3)).toEqual([]);
    expect(raised(() => call('remove', list(), 'x'))).toBe(
      "bad argument #2 to '?' (number expected, got string)",
    );
  });

  test('works through the node part', () => {
    const table = new LuaTable(0, 8);
    for (let i = 8; i >= 1; i--) table.set(i, i);
    expect(call('remove', table, 3)).toEqual([3]);
    expect(items(table)).toBe('1 2 4 5 6 7 8');
  });
});

test('remove moves what little there is in a long range', () => {
  // As by { 1, [2] = 2, [4] = 4, … }: none of them moves to the array part.
  const table = new LuaTable(1, 20);
  for (let i = 1; i <= 2 ** 19; i *= 2) table.set(i, i);
  expect(call('getn', table)).toEqual([2 ** 19]);
  expect(call('remove', table, 1)).toEqual([1]);
  expect([1, 2, 3, 4, 7, 8, 2 ** 19 - 1, 2 ** 19].map((i) => text(table.get(i))).join(' ')).toBe(
    '2 nil 4 nil 8 nil 524288 nil',
  );
});

test('getn, maxn, setn', () => {
  expect(call('getn', list(1, 2, 3))).toEqual([3]);
  const table = list(1, 2);
  table.set(7.5, 1);
  table.set('x', 1);
  expect(call('maxn', table)).toEqual([7.5]);
  const negative = new LuaTable();
  negative.set(-1, 1);
  expect(call('maxn', negative)).toEqual([0]);
  expect(raised(() => call('setn', list(), 1))).toBe("'setn' is obsolete");
});

describe.each(forms)('%s', (_, run, define) => {
  test('foreach and foreachi call until something comes back', () => {
    const seen: string[] = [];
    const note = define((key: LuaValue, value: LuaValue) => {
      seen.push(`${key}=${value}`);
      return value === 'stop' ? [key, value] : [];
    });
    const table = list('a', 'b', 'stop', 'c');
    expect(run('foreachi', table, note)).toEqual([3]);
    table.set(3, 'd');
    table.set('x', 'y');
    expect(run('foreach', table, note)).toEqual([]);
    expect(seen.join(' ')).toBe('1=a 2=b 3=stop 1=a 2=b 3=d 4=c x=y');
    for (const name of ['foreach', 'foreachi']) {
      expect(raised(() => run(name, list(1)))).toBe(
        "bad argument #2 to '?' (function expected, got no value)",
      );
    }
  });

  test('sort without comparator', () => {
    const sorted = (...values: LuaValue[]) => {
      const table = list(...values);
      expect(run('sort', table)).toEqual([]);
      return items(table);
    };
    expect(sorted(3, 1, 2)).toBe('1 2 3');
    expect(sorted(5, 40, 300, 2000, 10, 9, 8, 7, 6, -1, 0.5, -1e9, 2 ** 40)).toBe(
      '-1000000000 -1 0.5 5 6 7 8 9 10 40 300 2000 1099511627776',
    );
    expect(sorted(9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2, -3)).toBe('-3 -2 -1 0 1 2 3 4 5 6 7 8 9');
    expect(sorted(...'the quick brown \xff fox jumps over a lazy \0 dog Dog'.split(' '))).toBe(
      '\0 Dog a brown dog fox jumps lazy over quick the \xff',
    );
    // Where the order of comparisons shows.
    expect(sorted(0, -0, 1, -0, 0, -1, 0, -0, 3, 4, 5, 6, 7, 8)).toBe('-1 0 -0 0 0 -0 -0 1 3 4 5 6 7 8');
    expect(sorted(3, Number.NaN, 1, 2, Number.NaN, 5, 7, 8, 9, 11, 10, 4, 6)).toBe(
      '1 2 3 4 5 6 -nan -nan 7 8 9 10 11',
    );
  });

  test('sort refuses what cannot be compared', () => {
    const refusal = (...values: LuaValue[]) => raised(() => run('sort', list(...values)));
    expect(refusal(1, 'a')).toBe('attempt to compare string with number');
    expect(refusal(new LuaTable(), new LuaTable())).toBe('attempt to compare two table values');
    expect(refusal(true, false)).toBe('attempt to compare two boolean values');
    expect(raised(() => run('sort', list(1), 1))).toBe(
      "bad argument #2 to '?' (function expected, got number)",
    );
  });

  test('sort uses __lt', () => {
    const meta = new LuaTable();
    const value = (table: LuaValue) => (table as LuaTable).get(1) as number;
    meta.set(
      '__lt',
      define((a: LuaValue, b: LuaValue) => value(a) < value(b)),
    );
    const wrapped = [3, 1, 4, 2, 0].map((n) => {
      const table = list(n);
      table.metatable = meta;
      return table;
    });
    const table = list(...wrapped);
    run('sort', table);
    expect([1, 2, 3, 4, 5].map((i) => value(table.get(i)))).toEqual([0, 1, 2, 3, 4]);
    expect(raised(() => run('sort', list(wrapped[0], new LuaTable())))).toBe(
      'attempt to compare two table values',
    );
  });

  /** Sorts and tells what the comparator was asked. */
  const asked = (values: LuaValue[], before: (a: never, b: never) => LuaResult) => {
    const pairs: string[] = [];
    const table = list(...values);
    const comparator = define((a: LuaValue, b: LuaValue) => {
      pairs.push(`${text(a)}<${text(b)}`);
      return before(a as never, b as never);
    });
    const error = raised(() => run('sort', table, comparator));
    return [items(table), pairs.join(' '), ...(error === undefined ? [] : [error])];
  };

  test("sort asks a comparator in Lua's order", () => {
    const ascending = (a: number, b: number) => a < b;
    expect(asked([5, 2, 8, 1, 9, 3], ascending)).toEqual([
      '1 2 3 5 8 9',
      '3<5 8<3 5<8 2<5 9<5 5<1 9<5 5<1 8<9 1<3 2<1 3<2',
    ]);
    expect(asked([1, 2, 3, 4], ascending)).toEqual(['1 2 3 4', '4<1 2<1 4<2 3<2 2<3 2<1 4<3']);
    expect(asked([2, 1], ascending)).toEqual(['1 2', '1<2']);
    const byRest = (a: number, b: number) => [a % 3 < b % 3, 'ignored'];
    expect(asked([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], byRest)[0]).toBe('12 9 3 6 1 4 7 10 2 8 11 5');
  });

  test('sort tells senseless comparators', () => {
    expect(asked([1, 2, 3, 4, 5, 6, 7, 8], () => 0)).toEqual([
      '4 2 3 7 5 6 8 1',
      '8<1 4<8 2<8 3<8 7<8 5<8 6<8 8<8 1<8 nil<8',
      'invalid order function for sorting',
    ]);
    // Answers nothing: nothing is before anything.
    expect(asked([3, 3, 3, 3, 3], () => [])).toEqual(['3 3 3 3 3', '3<3 3<3 3<3 3<3 3<3 3<3 3<3 3<3 3<3']);
  });

  test('an error of the comparator leaves the list as it was by then', () => {
    let calls = 0;
    const table = list(4, 3, 2, 1);
    const comparator = define((a: number, b: number) => {
      if (++calls === 3) throw new LuaError('enough');
      return a < b;
    });
    expect(raised(() => run('sort', table, comparator))).toBe('enough');
    expect(items(table)).toBe('1 3 2 4');
  });
});

describe('a read-only table', () => {
  const fixed = list(3, 2, 1);
  fixed.makeReadOnly();
  const refusal = 'Attempt to modify a readonly table';

  test('is refused where something would change', () => {
    expect(raised(() => call('insert', fixed, 1))).toBe(refusal);
    expect(raised(() => call('insert', fixed, 1, 1))).toBe(refusal);
    expect(raised(() => call('remove', fixed))).toBe(refusal);
    expect(raised(() => call('remove', fixed, 1))).toBe(refusal);
    expect(raised(() => call('sort', fixed))).toBe(refusal);
    const long = list(...Array.from({ length: 20 }, (_, i) => i));
    long.makeReadOnly();
    expect(raised(() => call('sort', long))).toBe(refusal);
    expect(items(fixed)).toBe('3 2 1');
  });

  test('serves where nothing would', () => {
    expect(call('concat', fixed)).toEqual(['321']);
    const empty = new LuaTable();
    empty.makeReadOnly();
    expect(call('remove', empty)).toEqual([]);
    expect(call('sort', empty)).toEqual([]);
  });
});

test('changes of older tables can be undone', () => {
  const values = Array.from({ length: 20 }, (_, i) => (i * 7) % 20);
  const tables = ['insert', 'remove', 'sort'].map(() => list(...values));
  const before = beginEpoch(true);
  call('insert', tables[0], 3, 99);
  call('remove', tables[1], 3);
  call('sort', tables[2]);
  expect(tables.map((table) => table.get(4))).toEqual([values[2], values[4], 3]);
  undoEpoch();
  switchEpoch(before);
  expect(tables.map(items)).toEqual(tables.map(() => values.join(' ')));
});
