import { describe, expect, test } from 'vitest';
import { EOS, Lexer, NAME, NUMBER, STRING, spellToken } from './lexer.ts';
import { LuaError } from './value.ts';

/** Tokens as Lua spells them, with the value of names, strings and numbers. */
function tokens(source: string): (string | number)[] {
  const lexer = new Lexer(source, 'x');
  const found: (string | number)[] = [];
  for (lexer.next(); lexer.token !== EOS; lexer.next()) {
    const { token, value } = lexer;
    if (token === NUMBER) found.push(lexer.number);
    else
      found.push(token === STRING ? JSON.stringify(value) : token === NAME ? `$${value}` : spellToken(token));
  }
  return found;
}

/** Each token's line, as Lua counts: where it ends. */
function lines(source: string): number[] {
  const lexer = new Lexer(source, 'x');
  const found: number[] = [];
  for (lexer.next(); lexer.token !== EOS; lexer.next()) found.push(lexer.line);
  return found;
}

describe('tokens', () => {
  test('reserved words and names', () => {
    const words =
      'and break do else elseif end false for function if in local nil not or repeat return then true until while';
    expect(tokens(words)).toEqual(words.split(' '));
    expect(tokens('And _ a1 __x ends functional goto continue')).toEqual(
      ['And', '_', 'a1', '__x', 'ends', 'functional', 'goto', 'continue'].map((name) => `$${name}`),
    );
    expect(tokens('aé')).toEqual(['$a', 'é']);
  });

  test('operators', () => {
    const operators = '+ - * / % ^ # == ~= <= >= < > = ( ) { } [ ] ; : , . .. ...';
    expect(tokens(operators)).toEqual(operators.split(' '));
    expect(tokens('===~==<==>=.....~')).toEqual(['==', '=', '~=', '=', '<=', '=', '>=', '...', '..', '~']);
    expect(tokens('!@$&|\\?`')).toEqual([...'!@$&|\\?`']);
    expect(tokens('\x00\x01\x7f\xff')).toEqual(['char(0)', 'char(1)', 'char(127)', '\xff']);
  });

  test('white space', () => {
    expect(tokens(' \t\v\f\r\n\xa0')).toEqual(['\xa0']);
    expect(tokens('')).toEqual([]);
  });

  test('a zero byte after dots passes for a dot', () => {
    expect(tokens('.\0 .\0. .\0\0 ..\0 ...\0')).toEqual(['..', '...', '...', '...', '...', 'char(0)']);
  });

  test('comments', () => {
    expect(tokens('1--2\n3')).toEqual([1, 3]);
    expect(tokens('1--2\r3')).toEqual([1, 3]);
    expect(tokens('1--[[2\n]]3')).toEqual([1, 3]);
    expect(tokens('1--[==[2]]\n]=]]==]3')).toEqual([1, 3]);
    expect(tokens('1--[=2\n3')).toEqual([1, 3]);
    expect(tokens('1--[2\n3--')).toEqual([1, 3]);
    expect(tokens('1---[[2\n3')).toEqual([1, 3]);
    expect(tokens('1--[[2]]--[[\n]]3')).toEqual([1, 3]);
  });
});

describe('numbers', () => {
  test.each<[string, number]>([
    ['0', 0],
    ['007', 7],
    ['3.', 3],
    ['.5', 0.5],
    ['3.25', 3.25],
    ['1e3', 1000],
    ['1E+3', 1000],
    ['25e-1', 2.5],
    ['.5e1', 5],
    ['0x10', 16],
    ['0XfF', 255],
    ['999999999999999', 999999999999999],
    ['9007199254740993', 9007199254740992],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ['1e400', Number.POSITIVE_INFINITY],
    ['3\0abc', 3],
    ['3\0\0abc', 3],
  ])('%j', (source, value) => {
    expect(tokens(source)).toEqual([value]);
    expect(tokens(`${source} x`)).toEqual([value, '$x']);
  });

  test('where they end', () => {
    expect(tokens('1+2-3')).toEqual([1, '+', 2, '-', 3]);
    expect(tokens('1 ..2')).toEqual([1, '..', 2]);
    expect(tokens('1 .. 2')).toEqual([1, '..', 2]);
  });
});

describe('strings', () => {
  test.each([
    ['"abc"', 'abc'],
    ["'a\"b'", 'a"b'],
    ['""', ''],
    ['"\\a\\b\\f\\n\\r\\t\\v"', '\x07\b\f\n\r\t\v'],
    ['"\\\\ \\" \\\' \\q \\x41 \\z \\u"', '\\ " \' q x41 z u'],
    ['"\\65\\066\\0677\\0\\255"', 'ABC7\0\xff'],
    ['"\\9"', '\t'],
    ['"a\\\nb"', 'a\nb'],
    ['"a\\\r\nb\\\n\rc\\\rd"', 'a\nb\nc\nd'],
    ['"\0é\xff"', '\0é\xff'],
    ['[[abc]]', 'abc'],
    ['[[]]', ''],
    ['[[\nabc\n]]', 'abc\n'],
    ['[[\r\nabc]]', 'abc'],
    ['[[\n\nabc]]', '\nabc'],
    ['[[a\nb\rc\r\nd\n\re]]', 'a\nb\nc\nd\ne'],
    ['[[a\\n\\]]', 'a\\n\\'],
    ['[=[]]]=]', ']]'],
    ['[==[ [[ ]] ]=] ]==]', ' [[ ]] ]=] '],
    ['[=[a]]=]', 'a]'],
    ['[=[ [=[ ]=]', ' [=[ '],
    ['[==[]=]==]', ']='],
  ])('%j', (source, value) => {
    expect(tokens(source)).toEqual([JSON.stringify(value)]);
  });
});

describe('lines', () => {
  test('a token is on the line where it ends', () => {
    expect(lines('a\nb\n\nc')).toEqual([1, 2, 4]);
    expect(lines('a\r\nb\n\rc\rd\n\ne')).toEqual([1, 2, 3, 4, 6]);
    expect(lines('a [[\n\n]] b "\\\n" c')).toEqual([1, 3, 3, 4, 4]);
    expect(lines('--x\na--[[\r\n]]b')).toEqual([2, 3]);
  });

  test('lastLine is that of the token before', () => {
    const lexer = new Lexer('a\n\nb\nc', 'x');
    const found: number[] = [];
    for (lexer.next(); lexer.token !== EOS; lexer.next()) found.push(lexer.lastLine);
    expect(found).toEqual([1, 1, 3]);
    expect(lexer.lastLine).toBe(4);
  });

  test('looking ahead moves the line, but not the token', () => {
    const lexer = new Lexer('a\n"b" 5', 'x');
    lexer.next();
    expect(lexer.peek()).toBe(STRING);
    expect([lexer.token, lexer.value, lexer.line]).toEqual([NAME, 'a', 2]);
    lexer.next();
    expect([lexer.token, lexer.value, lexer.lastLine]).toEqual([STRING, 'b', 2]);
    lexer.next();
    expect([lexer.token, lexer.number]).toEqual([NUMBER, 5]);
  });
});

describe('errors', () => {
  const thrown = (f: () => unknown): unknown => {
    try {
      f();
    } catch (error) {
      return error instanceof LuaError ? error.value : error;
    }
    return undefined;
  };

  // Texts of lua5.1.
  test.each([
    ['3x', "x:1: malformed number near '3x'"],
    ['\n0x', "x:2: malformed number near '0x'"],
    ['1..2', "x:1: malformed number near '1..2'"],
    ['1e+', "x:1: malformed number near '1e+'"],
    ['3x\0y', "x:1: malformed number near '3x'"],
    ['"a', "x:1: unfinished string near '<eof>'"],
    ['"a\\', "x:1: unfinished string near '<eof>'"],
    ['"a\\65\nb"', "x:1: unfinished string near '\"aA'"],
    ["'a\0b\n", "x:1: unfinished string near ''a'"],
    ['"ab\\256"', "x:1: escape sequence too large near '\"ab'"],
    ['[[\n', "x:2: unfinished long string near '<eof>'"],
    ['--[[\n', "x:2: unfinished long comment near '<eof>'"],
    ['[[ [[', "x:1: nesting of [[...]] is deprecated near '['"],
    ['--[[ [[', "x:1: nesting of [[...]] is deprecated near '['"],
    ['[==x', "x:1: invalid long string delimiter near '[=='"],
  ])('%j', (source, text) => {
    expect(thrown(() => tokens(source))).toBe(text);
  });

  test.each([
    ['name', "x:1: oops near 'name'"],
    ['"a\\n\\"b"', 'x:1: oops near \'"a\n"b"\''],
    ["'a\\'b'", "x:1: oops near ''a'b''"],
    ['"a\0b"', "x:1: oops near '\"a'"],
    ['[==[\nab]==]', "x:2: oops near '[==[ab]==]'"],
    ['0x10', "x:1: oops near '0x10'"],
    ['while', "x:1: oops near 'while'"],
    ['..', "x:1: oops near '..'"],
    ['\x1b', "x:1: oops near 'char(27)'"],
    ['\0', 'x:1: oops'],
    ['', "x:1: oops near '<eof>'"],
  ])('at the current token, %j', (source, text) => {
    const lexer = new Lexer(source, 'x');
    lexer.next();
    expect(lexer.unexpected('oops').value).toBe(text);
  });

  test('without a token', () => {
    const lexer = new Lexer('\nname', 'x');
    lexer.next();
    expect(lexer.failure('oops').value).toBe('x:2: oops');
  });
});
