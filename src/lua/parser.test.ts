// Error texts are what lua5.1 (5.1.5) answers to `loadstring(source, '=user_script')`, so are limits and lines.
import { describe, expect, test } from 'vitest';
import type { Expression, FunctionBody, Local, Statement } from './ast.ts';
import { chunkId, parse, SYNTAX_ID_SIZE } from './parser.ts';
import { enter, type LuaHost, LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { LuaError } from './value.ts';

/** C calls that the program lua5.1 is in when a script of its calls loadstring. */
const DEPTH = 2;

function failure(source: string, depth = DEPTH): unknown {
  try {
    parse(source, 'user_script', depth);
  } catch (error) {
    if (error instanceof LuaError) return error.value;
    throw error;
  }
  return undefined;
}

const SYNTAX_ERRORS: Record<string, [source: string, text: string][]> = {
  'the first unexpected token': [
    ['x', "1: '=' expected near '<eof>'"],
    ['x x', "1: '=' expected near 'x'"],
    ['x = ', "1: unexpected symbol near '<eof>'"],
    ['return (', "1: unexpected symbol near '<eof>'"],
    ['x = = 1', "1: unexpected symbol near '='"],
    ['x = 1 +', "1: unexpected symbol near '<eof>'"],
    ['x = 1 + + 1', "1: unexpected symbol near '+'"],
    ['x = a and', "1: unexpected symbol near '<eof>'"],
    ['x = )', "1: unexpected symbol near ')'"],
    ['x = 1 // 2', "1: unexpected symbol near '/'"],
    ['x = a & b', "1: unexpected symbol near '&'"],
    ['x = not', "1: unexpected symbol near '<eof>'"],
    ['x, y', "1: '=' expected near '<eof>'"],
    ['goto done', "1: '=' expected near 'done'"],
    ['::done::', "1: unexpected symbol near ':'"],
    ['local x <const> = 1', "1: unexpected symbol near '<'"],
    [';', "1: unexpected symbol near ';'"],
    ['x = 1;; y = 2', "1: unexpected symbol near ';'"],
    ['end', "1: '<eof>' expected near 'end'"],
    ['return 1 return 2', "1: '<eof>' expected near 'return'"],
    ['return; x', "1: '<eof>' expected near 'x'"],
    ['if x then return 1 end y', "1: '=' expected near '<eof>'"],
    ['#!lua\nx = 1', "1: unexpected symbol near '#'"],
  ],
  statements: [
    ['local', "1: '<name>' expected near '<eof>'"],
    ['local 1', "1: '<name>' expected near '1'"],
    ['local a,', "1: '<name>' expected near '<eof>'"],
    ['local a, 1', "1: '<name>' expected near '1'"],
    ['local a =', "1: unexpected symbol near '<eof>'"],
    ['local function', "1: '<name>' expected near '<eof>'"],
    ['local function a.b() end', "1: '(' expected near '.'"],
    ['function (x) end', "1: '<name>' expected near '('"],
    ['function a:b.c() end', "1: '(' expected near '.'"],
    ['function f(a', "1: ')' expected near '<eof>'"],
    ['function f(a b) end', "1: ')' expected near 'b'"],
    ['function f(a,) end', "1: <name> or '...' expected near ')'"],
    ['function f(..., a) end', "1: ')' expected near ','"],
    ['x = function', "1: '(' expected near '<eof>'"],
    ['for', "1: '<name>' expected near '<eof>'"],
    ['for 1', "1: '<name>' expected near '1'"],
    ['for i', "1: '=' or 'in' expected near '<eof>'"],
    ['for i.j = 1', "1: '=' or 'in' expected near '.'"],
    ['for i = 1', "1: ',' expected near '<eof>'"],
    ['for i = 1 do', "1: ',' expected near 'do'"],
    ['for i = 1, 2, 3, 4 do', "1: 'do' expected near ','"],
    ['for a, b = 1, 2', "1: 'in' expected near '='"],
    ['for i in', "1: unexpected symbol near '<eof>'"],
    ['for i in x', "1: 'do' expected near '<eof>'"],
    ['if x', "1: 'then' expected near '<eof>'"],
    ['while x', "1: 'do' expected near '<eof>'"],
    ['if x then break end', "1: no loop to break near 'end'"],
    ['break', "1: no loop to break near '<eof>'"],
    ['while x do local f = function() break end end', "1: no loop to break near 'end'"],
    ['while x do break x = 1 end', "1: 'end' expected near 'x'"],
  ],
  'calls and assignments': [
    ['(f)', "1: syntax error near '<eof>'"],
    ['(f) = 1', "1: syntax error near '='"],
    ['(f())', "1: syntax error near '<eof>'"],
    ['f() = 1', "1: unexpected symbol near '='"],
    ['a, f() = 1', "1: syntax error near '='"],
    ['f().x', "1: '=' expected near '<eof>'"],
    ['f:x = 1', "1: function arguments expected near '='"],
    ['f:x', "1: function arguments expected near '<eof>'"],
    ['f.1', "1: '=' expected near '.1'"],
    ['f.', "1: '<name>' expected near '<eof>'"],
    ['f[1', "1: ']' expected near '<eof>'"],
    ['f(1 2)', "1: ')' expected near '2'"],
    ['f\n(1)', "2: ambiguous syntax (function call x new statement) near '('"],
    ['x = f\n(1)', "2: ambiguous syntax (function call x new statement) near '('"],
    ['"x"', '1: unexpected symbol near \'"x"\''],
    ['"x".y = 1', '1: unexpected symbol near \'"x"\''],
    ['{}', "1: unexpected symbol near '{'"],
    ['x = {} .y', "1: unexpected symbol near '.'"],
    ['x = nil.y', "1: unexpected symbol near '.'"],
    ['x = true()', "1: unexpected symbol near ')'"],
  ],
  'what closes a block, and where it began': [
    ['if x then', "1: 'end' expected near '<eof>'"],
    ['\n\nif x then\n\n', "5: 'end' expected (to close 'if' at line 3) near '<eof>'"],
    ['if x then\nelse\n', "3: 'end' expected (to close 'if' at line 1) near '<eof>'"],
    ['while x do\n', "2: 'end' expected (to close 'while' at line 1) near '<eof>'"],
    ['for i = 1, 2 do\n', "2: 'end' expected (to close 'for' at line 1) near '<eof>'"],
    ['for k in x do\n', "2: 'end' expected (to close 'for' at line 1) near '<eof>'"],
    ['repeat\n', "2: 'until' expected (to close 'repeat' at line 1) near '<eof>'"],
    ['do\n', "2: 'end' expected (to close 'do' at line 1) near '<eof>'"],
    ['function f()\n', "2: 'end' expected (to close 'function' at line 1) near '<eof>'"],
    ['local f = function()\nreturn', "2: 'end' expected (to close 'function' at line 1) near '<eof>'"],
    ['x = {', "1: unexpected symbol near '<eof>'"],
    ['x = {\n1,\n2\n', "4: '}' expected (to close '{' at line 1) near '<eof>'"],
    ['f(\n1', "2: ')' expected (to close '(' at line 1) near '<eof>'"],
    ['x = (\n1', "2: ')' expected (to close '(' at line 1) near '<eof>'"],
    ['repeat end', "1: 'until' expected near 'end'"],
    ['if x then until', "1: 'end' expected near 'until'"],
    ['do until', "1: 'end' expected near 'until'"],
  ],
  constructors: [
    ['x = {,}', "1: unexpected symbol near ','"],
    ['x = {1, 2,, }', "1: unexpected symbol near ','"],
    ['x = {a = 1 b = 2}', "1: '}' expected near 'b'"],
    ['x = {a b}', "1: '}' expected near 'b'"],
    ['x = {a "b" 5}', "1: '}' expected near '5'"],
    ['x = {[1] 2}', "1: '=' expected near '2'"],
    ['x = {[1 = 2}', "1: ']' expected near '='"],
    ['x = {1; 2;;}', "1: unexpected symbol near ';'"],
  ],
  strings: [
    ['x = "abc', "1: unfinished string near '<eof>'"],
    ['x = "abc\ny = 1', "1: unfinished string near '\"abc'"],
    ["x = 'abc\\", "1: unfinished string near '<eof>'"],
    ["x = 'abc\\\n", "2: unfinished string near '<eof>'"],
    ["x = 'a\\\nb' y", "2: '=' expected near '<eof>'"],
    ['x = "\\300"', "1: escape sequence too large near '\"'"],
    ['x = "a\\65\\2560"', "1: escape sequence too large near '\"aA'"],
    ['x "a\\n\\"b\\066" y', "1: '=' expected near '<eof>'"],
    ['x = "a" "b\\65"', '1: unexpected symbol near \'"bA"\''],
    ['x = y "a\x00b" z', "1: '=' expected near '<eof>'"],
    ['x = 1 "a\x00b"', "1: unexpected symbol near '\"a'"],
  ],
  'long strings and comments': [
    ['x = [[abc', "1: unfinished long string near '<eof>'"],
    ['\nx = [==[ ]]\n]=]', "3: unfinished long string near '<eof>'"],
    ['x = [==x', "1: invalid long string delimiter near '[=='"],
    ['x = [=', "1: invalid long string delimiter near '[='"],
    ['x = [[ [[ ]]', "1: nesting of [[...]] is deprecated near '['"],
    ['x = [[\n[[', "2: nesting of [[...]] is deprecated near '['"],
    ['--[[ x', "1: unfinished long comment near '<eof>'"],
    ['--[==[ ]]\n\n', "3: unfinished long comment near '<eof>'"],
    ['--[[ [[ ]]', "1: nesting of [[...]] is deprecated near '['"],
    ['--[= x\ny', "2: '=' expected near '<eof>'"],
    ['x = 1 [==[\na]]b]==]', "2: unexpected symbol near '[==[a]]b]==]'"],
    ['x = 1 [[a\r\nb\n\rc]]', "3: unexpected symbol near '[[a\nb\nc]]'"],
  ],
  numbers: [
    ['x = 3a', "1: malformed number near '3a'"],
    ['x = 3..4', "1: malformed number near '3..4'"],
    ['x = 1.5.5', "1: malformed number near '1.5.5'"],
    ['x = 0x', "1: malformed number near '0x'"],
    ['x = 0xg', "1: malformed number near '0xg'"],
    ['x = 0x1_', "1: malformed number near '0x1_'"],
    ['x = 1e', "1: malformed number near '1e'"],
    ['x = 1e+', "1: malformed number near '1e+'"],
    ['x = 1 0x10', "1: unexpected symbol near '0x10'"],
    ['x = 08 .5', "1: unexpected symbol near '.5'"],
    ['x = 3\x00a 4', "1: unexpected symbol near '4'"],
  ],
  'other bytes': [
    ['x = @', "1: unexpected symbol near '@'"],
    ['x = !', "1: unexpected symbol near '!'"],
    ['x = ~', "1: unexpected symbol near '~'"],
    ['x = $y', "1: unexpected symbol near '$'"],
    ['x = \x07', "1: unexpected symbol near 'char(7)'"],
    ['x = \x7f', "1: unexpected symbol near 'char(127)'"],
    ['x = \xe9', "1: unexpected symbol near '\xe9'"],
    ['x\xa0= 1', "1: '=' expected near '\xa0'"],
    ['x = 1 \x00 2', '1: unexpected symbol'],
    ['\x00', '1: unexpected symbol'],
    ['x = \\n', "1: unexpected symbol near '\\'"],
  ],
  'lines of every kind': [
    ['x = 1 \n y', "2: '=' expected near '<eof>'"],
    ['x = 1 \r y', "2: '=' expected near '<eof>'"],
    ['x = 1 \r\n y', "2: '=' expected near '<eof>'"],
    ['x = 1 \n\r y', "2: '=' expected near '<eof>'"],
    ['x = 1 \r\r\n\n y', "4: '=' expected near '<eof>'"],
    ['-- x\n--[[\n\n]] y y', "4: '=' expected near 'y'"],
    ["x = 'a\\\r\nb'\ny", "3: '=' expected near '<eof>'"],
  ],
  varargs: [
    ['function f() return ... end', "1: cannot use '...' outside a vararg function near '...'"],
    [
      'function f(...) return function() return ... end end',
      "1: cannot use '...' outside a vararg function near '...'",
    ],
    ['x = function(a) f(...) end', "1: cannot use '...' outside a vararg function near '...'"],
  ],
};

for (const [group, cases] of Object.entries(SYNTAX_ERRORS)) {
  test.each(cases)(`syntax error, ${group}: %j`, (source, text) => {
    expect(failure(source)).toBe(`user_script:${text}`);
  });
}

describe('limits', () => {
  const many = (text: string, count: number) => text.repeat(count);
  const LEVELS = 'chunk has too many syntax levels';
  const COMPLEX = /^user_script:1: function or expression too complex near '/;
  const LIMITS: [what: string, last: number, source: (count: number) => string, text: string | RegExp][] = [
    ['parentheses', 196, (n) => `return ${many('(', n)}1${many(')', n)}`, LEVELS],
    ['constructors', 197, (n) => `return ${many('{', n)}${many('}', n)}`, LEVELS],
    ['function expressions', 98, (n) => `return ${many('function() return ', n)}1${many(' end', n)}`, LEVELS],
    ['function statements', 197, (n) => many('local function f() ', n) + many('end ', n), LEVELS],
    ['concatenations', 196, (n) => `return 1${many(' ..1', n)}`, LEVELS],
    ['powers', 196, (n) => `return 1${many('^1', n)}`, LEVELS],
    ['unary operators', 196, (n) => `return ${many('not ', n)}1`, LEVELS],
    ['blocks', 197, (n) => many('do ', n) + many('end ', n), LEVELS],
    ['loops', 197, (n) => many('while x do ', n) + many('end ', n), LEVELS],
    ['conditions', 197, (n) => many('if x then ', n) + many('end ', n), LEVELS],
    ['calls', 198, (n) => many('f(', n) + many(')', n), LEVELS],
    ['keys', 196, (n) => `return ${many('f[', n)}1${many(']', n)}`, LEVELS],
    [
      'targets of an assignment',
      198,
      (n) => `a${many(',a', n - 1)} = 1`,
      'main function has more than 197 variables in assignment',
    ],
    [
      'numeric loops',
      50,
      (n) => many('for i=1,2 do ', n) + many('end ', n),
      'main function has more than 200 local variables',
    ],
    ['local variables', 200, (n) => many('local a ', n), 'main function has more than 200 local variables'],
    [
      'names of one local',
      200,
      (n) => `local a${many(',a', n - 1)}`,
      'main function has more than 200 local variables',
    ],
    [
      'parameters',
      200,
      (n) => `function f(a${many(',a', n - 1)}) end`,
      'function at line 1 has more than 200 local variables',
    ],
    ['arguments', 248, (n) => `f(x${many(',x', n - 1)})`, COMPLEX],
    ['constant arguments of a method', 247, (n) => `f:m(1${many(',1', n - 1)})`, COMPLEX],
    ['results', 249, (n) => `return x${many(',x', n - 1)}`, COMPLEX],
    ['arguments that nest', 124, (n) => `${many('f(x,', n)}1${many(')', n)}`, COMPLEX],
  ];
  test.each(LIMITS)('%s: %d', (_, last, source, text) => {
    expect(failure(source(last))).toBeUndefined();
    const beyond = failure(source(last + 1));
    if (typeof text === 'string') expect(beyond).toBe(`user_script:1: ${text}`);
    else expect(beyond).toMatch(text);
  });

  test('upvalues count in every function on the way', () => {
    const locals = (n: number) => Array.from({ length: n }, (_, i) => `local a${i}\n`).join('');
    const sum = (n: number) => Array.from({ length: n }, (_, i) => `a${i}`).join('+');
    const nested = (n: number) => `${locals(n)}function f()\nreturn function() return ${sum(n)} end end`;
    expect(failure(nested(60))).toBeUndefined();
    expect(failure(nested(61))).toBe('user_script:63: function at line 62 has more than 60 upvalues');
  });

  test('constants beyond the 256th cannot be operands', () => {
    const fill = Array.from({ length: 257 }, (_, i) => `x = ${i} `).join('');
    const call = (n: number) => `f(x${many(',x', n - 1)}, {a = nil})`;
    expect(failure(call(246))).toBeUndefined();
    expect(failure(fill + call(246))).toMatch(COMPLEX);
  });

  test('a constructor of any length', () => {
    expect(failure(`x = {1${many(',1', 10000)}}`)).toBeUndefined();
    expect(failure(`x = {${many('a=1,', 10000)}}`)).toBeUndefined();
  });

  test('variables declared in one function', () => {
    expect(failure(many('do local a end ', 32767))).toBeUndefined();
    expect(failure(many('do local a end ', 32768))).toBe('too many local variables');
  });

  test('fewer levels deeper in C calls', () => {
    const source = (n: number) => `return ${many('(', n)}1${many(')', n)}`;
    for (const depth of [0, 1, 5]) {
      expect(failure(source(198 - depth), depth)).toBeUndefined();
      expect(failure(source(199 - depth), depth)).toBe(`user_script:1: ${LEVELS}`);
    }
    const targets = `a${many(',a', 200)} = 1`;
    expect(failure(targets, 0)).toBe(
      'user_script:1: main function has more than 199 variables in assignment',
    );
  });

  test.each([
    ['sums', (n: number) => `x = 1${many('+y', n)}`],
    ['disjunctions', (n: number) => `x = 1${many(' or y', n)}`],
    ['fields', (n: number) => `x = a${many('.b', n)}`],
    ['calls', (n: number) => `f${many('()', n)}`],
    ['methods', (n: number) => `f${many(':m{}', n)}`],
    ['statements', (n: number) => many('x = y ', n)],
    ['clauses', (n: number) => `if x then ${many('elseif x then ', n)} end`],
  ])('%s of any length', (_, source) => {
    expect(failure(source(50000))).toBeUndefined();
  });
});

/** What stands in a tree, in the order of the source; a line is given where the tree has one. */
function outline(func: FunctionBody): string[] {
  const found: string[] = [];
  const all = (list: readonly Expression[]) => {
    for (const e of list) expression(e);
  };
  const block = (statements: readonly Statement[]) => {
    for (const s of statements) statement(s);
  };
  function expression(e: Expression): void {
    switch (e.kind) {
      case 'global':
        found.push(`${e.name} ${e.line}`);
        break;
      case 'local':
        found.push(e.local.name);
        break;
      case 'index':
        expression(e.object);
        if (e.key.kind !== 'string') expression(e.key);
        found.push(`.${e.key.kind === 'string' ? e.key.value : ''} ${e.line}`);
        break;
      case 'call':
        expression(e.callee);
        all(e.args);
        found.push(`call ${e.line}`);
        break;
      case 'method':
        expression(e.object);
        all(e.args);
        found.push(`:${e.name} ${e.line}`);
        break;
      case 'binary':
        expression(e.left);
        expression(e.right);
        found.push(`${e.operator} ${e.line}`);
        break;
      case 'and':
      case 'or':
        expression(e.left);
        expression(e.right);
        found.push(e.kind);
        break;
      case 'negate':
      case 'length':
        expression(e.operand);
        found.push(`${e.kind} ${e.line}`);
        break;
      case 'not':
        expression(e.operand);
        found.push('not');
        break;
      case 'paren':
        found.push('(');
        expression(e.inner);
        found.push(')');
        break;
      case 'table':
        for (const { key, value } of e.items) {
          if (key !== null) expression(key);
          expression(value);
        }
        found.push(`table ${e.line}`);
        break;
      case 'function':
        found.push(`function ${e.func.line}-${e.func.endLine}`);
        block(e.func.body.statements);
        break;
      case 'number':
      case 'string':
        found.push(JSON.stringify(e.value));
        break;
      default:
        found.push(e.kind);
    }
  }
  function statement(s: Statement): void {
    switch (s.kind) {
      case 'call-statement':
        expression(s.call);
        break;
      case 'assign':
        all(s.targets);
        all(s.values);
        found.push(`assign ${s.line}`);
        break;
      case 'declare':
        all(s.values);
        found.push(`local ${s.locals.map(({ name }) => name)}`);
        break;
      case 'declare-function':
        found.push(`local ${s.local.name} ${s.func.line}-${s.func.endLine}`);
        block(s.func.body.statements);
        break;
      case 'do':
        block(s.block.statements);
        break;
      case 'while':
        expression(s.condition);
        block(s.block.statements);
        break;
      case 'repeat':
        block(s.block.statements);
        expression(s.condition);
        break;
      case 'if':
        for (const clause of s.clauses) {
          expression(clause.condition);
          block(clause.block.statements);
        }
        if (s.otherwise !== null) block(s.otherwise.statements);
        break;
      case 'for':
        all(s.step === null ? [s.start, s.limit] : [s.start, s.limit, s.step]);
        found.push(`for ${s.variable.name} ${s.line}`);
        block(s.block.statements);
        break;
      case 'for-in':
        all(s.values);
        found.push(`for ${s.variables.map(({ name }) => name)} ${s.line}`);
        block(s.block.statements);
        break;
      case 'return':
        all(s.values);
        found.push('return');
        break;
      case 'break':
        found.push('break');
    }
  }
  block(func.body.statements);
  return found;
}

describe('the tree', () => {
  // Lines as `luac5.1 -l` lists them for the instruction that can fail.
  test.each<[string, string]>([
    ['x = a.b\n+ c.d\n* e.f', 'x 3 | a 1 | .b 2 | c 2 | .d 3 | e 3 | .f 3 | * 3 | + 3 | assign 3'],
    ['x = {\na.b,\nc.d\n}', 'x 4 | a 2 | .b 2 | c 3 | .d 4 | table 1 | assign 4'],
    ['x = {\n[a]\n=\nb.c\n}', 'x 5 | a 2 | b 4 | .c 4 | table 1 | assign 5'],
    ['f(a.b\n,\nc.d\n)', 'f 1 | a 1 | .b 2 | c 3 | .d 4 | call 1'],
    ['f\n{a\n}', 'f 1 | a 3 | table 2 | call 2'],
    ['f\n[[\n\n]]', 'f 1 | "\\n" | call 4'],
    ['a.b\n.c\n.d = e\n.f', 'a 1 | .b 1 | .c 2 | .d 4 | e 3 | .f 4 | assign 4'],
    ['a.b, c[d\n] =\n1, 2', 'a 1 | .b 3 | c 1 | d 1 | . 3 | 1 | 2 | assign 3'],
    ['x = (a.b\n)\n.c', 'x 3 | a 1 | .b 2 | .c 3 | assign 3'],
    ['x = a\nor\nb\nand c', 'x 4 | a 2 | b 4 | c 4 | and | or | assign 4'],
    ['x = a .. b\n.. (c ..\nd\n)', 'x 4 | a 1 | b 2 | c 2 | d 3 | .. 3 | .. 3 | .. 3 | assign 4'],
    ['x = a .. (b ..\nf()\n)', 'x 3 | a 1 | b 1 | f 2 | call 2 | .. 2 | .. 2 | assign 3'],
    ['x = -\na.b\n, #c', 'x 3 | a 2 | .b 2 | negate 2 | c 3 | length 3 | assign 3'],
    ['for i =\n1,\nx\ndo end', '1 | x 3 | for i 4'],
    ['for k,\nv in\npairs(t)\ndo end', 'pairs 3 | t 3 | call 3 | for k,v 3'],
    ['function a.b:c(\n)\nend', 'a 1 | .b 1 | .c 1 | function 1-3 | assign 1'],
    ['local function f(\n)\nend', 'local f 1-3'],
    ['x = function\n(\n) end', 'x 3 | function 2-3 | assign 3'],
    [
      'return f()\n, (f()), ...\n, (...)',
      'f 1 | call 1 | ( | f 2 | call 2 | ) | vararg | ( | vararg | ) | return',
    ],
  ])('lines of %j', (source, expected) => {
    expect(outline(parse(source, 'x')).join(' | ')).toBe(expected);
  });

  test.each<[string, string]>([
    ['x = 1+2*3-4', 'x 1 | 1 | 2 | 3 | * 1 | + 1 | 4 | - 1 | assign 1'],
    ['x = 2^3^4', 'x 1 | 2 | 3 | 4 | ^ 1 | ^ 1 | assign 1'],
    ['x = -2^2', 'x 1 | 2 | 2 | ^ 1 | negate 1 | assign 1'],
    ['x = not a == b', 'x 1 | a 1 | not | b 1 | == 1 | assign 1'],
    ['x = a or b and c < d .. e', 'x 1 | a 1 | b 1 | c 1 | d 1 | e 1 | .. 1 | < 1 | and | or | assign 1'],
    ['x = (a or b) and c', 'x 1 | a 1 | b 1 | or | c 1 | and | assign 1'],
    ['x = a - b - c', 'x 1 | a 1 | b 1 | - 1 | c 1 | - 1 | assign 1'],
    ['f "a" {} :m "b" [1] (2)', 'f 1 | "a" | call 1 | table 1 | call 1 | "b" | :m 1 | 1 | . 1 | 2 | call 1'],
    ['x = {1; a = 2, [3] = 4; f(), }', 'x 1 | 1 | "a" | 2 | 3 | 4 | f 1 | call 1 | table 1 | assign 1'],
    [
      'if a then b() elseif c then d() else e() end',
      'a 1 | b 1 | call 1 | c 1 | d 1 | call 1 | e 1 | call 1',
    ],
    ['repeat local x = f() if x then break end until x', 'f 1 | call 1 | local x | x | break | x'],
    ['while a do return end', 'a 1 | return'],
    ['return;', 'return'],
  ])('structure of %j', (source, expected) => {
    expect(outline(parse(source, 'x')).join(' | ')).toBe(expected);
  });

  test('the line of a method is that of its name where loading the method fails', () => {
    const [statement] = parse('f.x\n:m\n[[\n]]', 'x').body.statements;
    expect(statement).toMatchObject({ call: { kind: 'method', line: 4, selfLine: 2 } });
  });

  test('an item of a table has the line of its end', () => {
    const [statement] = parse('return {\n1,\na\n=\n2}', 'x').body.statements;
    expect(statement).toMatchObject({ values: [{ items: [{ line: 2 }, { line: 5 }] }] });
  });

  test('the main function', () => {
    const main = parse('x = 1\n\n', 'x');
    expect(main).toMatchObject({
      parent: null,
      params: [],
      vararg: true,
      argTable: null,
      line: 0,
      endLine: 3,
    });
  });
});

describe('names', () => {
  type Node = Record<string, unknown>;
  /** The local variables that a source uses, in its order. */
  function uses(func: FunctionBody): Local[] {
    const found: Local[] = [];
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { kind, local } = node as Node;
      if (kind === 'local') {
        found.push(local as Local);
        return;
      }
      for (const [key, value] of Object.entries(node)) {
        // What is declared is not used.
        if (
          !['local', 'locals', 'variable', 'variables', 'scope', 'params', 'parent', 'argTable'].includes(key)
        ) {
          visit(value);
        }
      }
    };
    visit(func.body);
    return found;
  }

  /** The function of the first statement, which defines one. */
  function functionOf(source: string): FunctionBody {
    const [statement] = parse(source, 'x').body.statements;
    if (statement.kind === 'declare-function') return statement.func;
    if (statement.kind === 'assign' && statement.values[0].kind === 'function')
      return statement.values[0].func;
    throw new Error('the source does not define a function');
  }

  const declaredIn = (func: FunctionBody) => func.body.scope.locals;

  test('a variable begins behind its declaration', () => {
    const main = parse('local a = a; local a = a; local b, c = c, b; return a', 'x');
    const [first, second] = declaredIn(main);
    expect(declaredIn(main).map(({ name }) => name)).toEqual(['a', 'a', 'b', 'c']);
    const used = uses(main);
    expect(used).toHaveLength(2);
    expect(used[0]).toBe(first);
    expect(used[1]).toBe(second);
    expect(first).toMatchObject({ captured: false, reassigned: false });
    expect(first.func).toBe(main);
    expect(first.scope).toBe(main.body.scope);
  });

  test('a variable ends with its block', () => {
    const main = parse(
      'local a; do local a; x = a end; x = a; while a do local a end; if a then local a end x = a',
      'x',
    );
    const [outer] = declaredIn(main);
    expect(uses(main).map((local) => local === outer)).toEqual([false, true, true, true, true]);
  });

  test('the condition of repeat sees the variables of the block', () => {
    const main = parse('local a; repeat local a until a; x = a', 'x');
    const [, loop] = main.body.statements;
    if (loop.kind !== 'repeat') throw new Error('no loop');
    const used = uses(main);
    expect(used[0]).toBe(loop.block.scope.locals[0]);
    expect(used[1]).toBe(declaredIn(main)[0]);
  });

  test('loop variables have a scope of their own', () => {
    const main = parse('local i; for i = i, i do local i = i end; for k, v in i do v = k end x = i', 'x');
    const [, numeric, generic] = main.body.statements;
    if (numeric.kind !== 'for' || generic.kind !== 'for-in') throw new Error('no loops');
    expect(numeric.scope.locals).toEqual([numeric.variable]);
    expect(numeric.block.scope.locals).toHaveLength(1);
    expect(generic.scope.locals).toEqual(generic.variables);
    const outer = declaredIn(main)[0];
    const [k, v] = generic.variables;
    const expected = [outer, outer, numeric.variable, outer, v, k, outer];
    const used = uses(main);
    expect(used).toHaveLength(expected.length);
    for (const [i, local] of used.entries()) expect(local).toBe(expected[i]);
    expect(numeric.variable.reassigned).toBe(false);
    expect(k.reassigned).toBe(false);
    expect(v.reassigned).toBe(true);
  });

  test('which variables are captured, which reassigned', () => {
    const main = parse(
      `local read, written, inside, far, named, own = 1
       written = 2
       function named() inside = read end
       local function own2() return own2 end
       x = function() return function() return far end end
       own = own`,
      'x',
    );
    const flags = declaredIn(main).map(({ name, captured, reassigned }) => [name, captured, reassigned]);
    expect(flags).toEqual([
      ['read', true, false],
      ['written', false, true],
      ['inside', true, true],
      ['far', true, false],
      ['named', false, true],
      ['own', false, true],
      ['own2', true, false],
    ]);
  });

  test('parameters', () => {
    const func = functionOf('function t:m(a, a, b) local b = a; return self, b end');
    expect(func.params.map(({ name }) => name)).toEqual(['self', 'a', 'a', 'b']);
    expect(func.scope.locals).toEqual(func.params);
    expect(func.vararg).toBe(false);
    const used = uses(func);
    expect(used[0]).toBe(func.params[2]);
    expect(used[1]).toBe(func.params[0]);
    expect(used[2]).toBe(func.body.scope.locals[0]);
  });

  test('arg is a table where a vararg function does not write `...`', () => {
    const func = functionOf('function f(a, ...) return function() return arg end end');
    expect(func).toMatchObject({ vararg: true, params: [{ name: 'a' }] });
    expect(func.argTable).toMatchObject({ name: 'arg', captured: true });
    expect(func.scope.locals).toEqual([func.params[0], func.argTable]);
    expect(uses(func)[0]).toBe(func.argTable);
  });

  test('arg is nil where it does', () => {
    const func = functionOf('function f(arg, ...) local x = arg; return ... end');
    expect(func.argTable).toBeNull();
    expect(func.params).toHaveLength(1);
    expect(func.scope.locals.map(({ name }) => name)).toEqual(['arg', 'arg']);
    expect(uses(func)[0]).toBe(func.scope.locals[1]);
  });

  test('what an inner function writes does not count', () => {
    const func = functionOf('function f(...) return function(...) return ... end end');
    expect(func.argTable).not.toBeNull();
  });

  test('arg is global elsewhere', () => {
    expect(uses(parse('x = arg', 'x'))).toEqual([]);
    expect(uses(functionOf('function f() return arg end'))).toEqual([]);
  });
});

describe('the name of a chunk', () => {
  const n = (count: number) => 'n'.repeat(count);
  test.each([
    ['=user_script', 'user_script', 'user_script'],
    ['@user_script', 'user_script', 'user_script'],
    ['=', '', ''],
    ['@', '', ''],
    ['', '[string ""]', '[string ""]'],
    ['x = 1', '[string "x = 1"]', '[string "x = 1"]'],
    ['x = 1\ny = 2', '[string "x = 1..."]', '[string "x = 1..."]'],
    ['\nx', '[string "..."]', '[string "..."]'],
    ['x\r', '[string "x..."]', '[string "x..."]'],
    ['=a\nb', 'a\nb', 'a\nb'],
    ['a\0b', '[string "a"]', '[string "a"]'],
    ['=a\0b', 'a', 'a'],
    [`=${n(100)}`, n(59), n(79)],
    [`@a${n(50)}z`, `a${n(50)}z`, `a${n(50)}z`],
    [`@a${n(51)}z`, `...${n(51)}z`, `a${n(51)}z`],
    [`@a${n(71)}z`, `...${n(51)}z`, `...${n(71)}z`],
    [n(43), `[string "${n(43)}"]`, `[string "${n(43)}"]`],
    [n(44), `[string "${n(43)}..."]`, `[string "${n(44)}"]`],
    [n(64), `[string "${n(43)}..."]`, `[string "${n(63)}..."]`],
  ])('%j', (name, atRuntime, inSyntaxErrors) => {
    expect(chunkId(name)).toBe(atRuntime);
    expect(chunkId(name, SYNTAX_ID_SIZE)).toBe(inSyntaxErrors);
  });
});

describe('a script that loads sources', () => {
  function loading(
    source: string,
    limits: { ticks: number; bytes: number },
  ): { ticks: number; bytes: number } {
    const used = { ticks: 0, bytes: 0 };
    const host: LuaHost = {
      clock: () => 0,
      tick() {
        if (++used.ticks > limits.ticks) throw new LuaError('killed');
        return 100_000;
      },
      charge(bytes) {
        used.bytes += bytes;
        if (used.bytes > limits.bytes) throw new LuaError('not enough memory');
      },
    };
    const before = enter(new LuaState(host, new LuaTable()));
    try {
      parse(source, 'x');
    } finally {
      enter(before);
    }
    return used;
  }

  test('is charged for long ones', () => {
    expect(loading('x = 1 '.repeat(100), { ticks: 0, bytes: 0 })).toEqual({ ticks: 0, bytes: 0 });
    const used = loading('x = 1 '.repeat(20_000), { ticks: 1000, bytes: 1e9 });
    expect(used.ticks).toBeGreaterThan(5);
    expect(used.bytes).toBeGreaterThan(1e6);
  });

  test('can be stopped while they are parsed', () => {
    const source = 'x = 1 '.repeat(20_000);
    expect(() => loading(source, { ticks: 3, bytes: 1e9 })).toThrow(
      expect.objectContaining({ value: 'killed' }),
    );
    expect(() => loading(source, { ticks: 1000, bytes: 1e6 })).toThrow(
      expect.objectContaining({ value: 'not enough memory' }),
    );
  });
});
