// Splits a byte string into the tokens of Lua 5.1; parser.ts and expressions.ts pull them one by one. Counts lines and
// words its errors as Lua does, down to what a zero byte does to numbers, dots and error texts. Classes of bytes are
// those of the C locale.
import { parseNumber } from './number.ts';
import { charge, spend } from './state.ts';
import { LuaError } from './value.ts';

// A token is the code of its byte, or one of these. Their order is that of SPELLINGS.
const FIRST = 257;
export const AND = 257;
export const BREAK = 258;
export const DO = 259;
export const ELSE = 260;
export const ELSEIF = 261;
export const END = 262;
export const FALSE = 263;
export const FOR = 264;
export const FUNCTION = 265;
export const IF = 266;
export const IN = 267;
export const LOCAL = 268;
export const NIL = 269;
export const NOT = 270;
export const OR = 271;
export const REPEAT = 272;
export const RETURN = 273;
export const THEN = 274;
export const TRUE = 275;
export const UNTIL = 276;
export const WHILE = 277;
export const CONCAT = 278;
export const DOTS = 279;
export const EQUAL = 280;
export const AT_LEAST = 281;
export const AT_MOST = 282;
export const UNEQUAL = 283;
export const NUMBER = 284;
export const NAME = 285;
export const STRING = 286;
export const EOS = 287;

// Bytes that are tokens by themselves; some also begin or end longer ones.
export const HASH = 0x23;
export const OPEN_PAREN = 0x28;
export const CLOSE_PAREN = 0x29;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const LESS = 0x3c;
export const ASSIGN = 0x3d;
export const MORE = 0x3e;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

const SPELLINGS = [
  ...['and', 'break', 'do', 'else', 'elseif', 'end', 'false', 'for', 'function', 'if', 'in', 'local', 'nil'],
  ...['not', 'or', 'repeat', 'return', 'then', 'true', 'until', 'while'],
  ...['..', '...', '==', '>=', '<=', '~=', '<number>', '<name>', '<string>', '<eof>'],
];

const RESERVED = new Map<string, number>();
for (let token = AND; token <= WHILE; token++) RESERVED.set(SPELLINGS[token - FIRST], token);
const LONGEST_RESERVED = 8;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const PLUS = 0x2b;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;

// Classes of bytes, as bits.
const LETTER = 1;
const DIGIT = 2;
const SPACE = 4;
const NEWLINE = 8;
const WORD = LETTER | DIGIT;
const CLASS = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const char = String.fromCharCode(c);
  if (/[A-Za-z_]/.test(char)) CLASS[c] = LETTER;
  else if (/[0-9]/.test(char)) CLASS[c] = DIGIT;
  else if (c === LF || c === CR) CLASS[c] = NEWLINE;
  else if (/[ \t\v\f]/.test(char)) CLASS[c] = SPACE;
}

/** What `\a`, `\b`… stand for, by the letter's code. */
const ESCAPES = new Map<number, string>();
for (const [letter, value] of Object.entries({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 })) {
  ESCAPES.set(letter.charCodeAt(0), String.fromCharCode(value));
}

/** Integers of so many digits are exact when added up digit by digit. */
const EXACT_DIGITS = 15;

// What a script that loads sources is charged for, and how often: steps and bytes of the tree for each token.
const ACCOUNTED_TOKENS = 512;
const STEPS = 20;
const BYTES = 100;

/** A token as error texts spell it, without its own text. */
export function spellToken(token: number): string {
  if (token >= FIRST) return SPELLINGS[token - FIRST];
  return token < 0x20 || token === 0x7f ? `char(${token})` : String.fromCharCode(token);
}

/** Error texts are C strings: a zero byte ends what is quoted. */
function untilZero(text: string): string {
  const zero = text.indexOf('\0');
  return zero < 0 ? text : text.slice(0, zero);
}

export class Lexer {
  /** The current token. */
  token = EOS;
  /** Of a name its text, of a string its value. */
  value = '';
  /** Of a number its value. */
  number = 0;
  /** Where the lexer is: at the end of the last token read, which may be one ahead of the current one. */
  line = 1;
  /** Line on which the token before the current one ended. */
  lastLine = 1;
  private readonly source: string;
  private readonly chunkName: string;
  private at = 0;
  /** Where the last token read begins. */
  private start = 0;
  private ahead = EOS;
  private aheadValue = '';
  private unaccounted = 0;
  private accountedTo = 0;
  /** Tokens that have been charged for, before they were read. */
  private charged = ACCOUNTED_TOKENS;
  private tokens = 0;

  constructor(source: string, chunkName: string) {
    this.source = source;
    this.chunkName = chunkName;
  }

  /** Makes the next token the current one. */
  next(): void {
    if (++this.unaccounted === ACCOUNTED_TOKENS) this.account();
    this.lastLine = this.line;
    if (this.ahead === EOS) {
      this.token = this.read();
    } else {
      this.token = this.ahead;
      this.value = this.aheadValue;
      this.ahead = EOS;
    }
  }

  private account(): void {
    spend(this.unaccounted * STEPS + this.at - this.accountedTo);
    this.accountedTo = this.at;
    this.tokens += this.unaccounted;
    this.unaccounted = 0;
    if (this.tokens < this.charged) return;
    charge(this.charged * BYTES);
    this.charged *= 2;
  }

  /** The token after the current one, which has to be a name: the number of a current token would be lost. */
  peek(): number {
    const { value } = this;
    this.ahead = this.read();
    this.aheadValue = this.value;
    this.value = value;
    return this.ahead;
  }

  /** Takes the token if it is the current one. */
  accept(token: number): boolean {
    if (this.token !== token) return false;
    this.next();
    return true;
  }

  expect(token: number): void {
    if (this.token !== token) throw this.unexpected(`'${spellToken(token)}' expected`);
  }

  /** Takes the token, which has to be the current one. */
  skip(token: number): void {
    this.expect(token);
    this.next();
  }

  /** Takes the token that ends what `opening` began on a line: the error names both, unless they share it. */
  close(token: number, opening: number, line: number): void {
    if (this.token !== token && line !== this.line) {
      const what = `'${spellToken(token)}' expected (to close '${spellToken(opening)}' at line ${line})`;
      throw this.unexpected(what);
    }
    this.skip(token);
  }

  name(): string {
    this.expect(NAME);
    const { value } = this;
    this.next();
    return value;
  }

  /** An error at the current token. To be thrown. */
  unexpected(message: string): LuaError {
    const { token } = this;
    // As in C, a zero byte is taken for no token at all.
    if (token === 0) return this.failure(message);
    if (token === STRING) return this.near(message, this.stringAsRead());
    if (token !== NAME && token !== NUMBER) return this.near(message, spellToken(token));
    return this.near(message, this.source.slice(this.start, this.at));
  }

  /** An error at the current line. To be thrown. */
  failure(message: string): LuaError {
    return new LuaError(`${this.chunkName}:${this.line}: ${message}`);
  }

  private near(message: string, text: string): LuaError {
    return this.failure(`${message} near '${untilZero(text)}'`);
  }

  /** The last token, a string, with its delimiters: Lua shows what it has in its buffer, escapes resolved. */
  private stringAsRead(): string {
    const { source, start } = this;
    const first = source.charCodeAt(start);
    if (first !== OPEN_BRACKET) return source[start] + this.value + source[start];
    let end = start + 1;
    while (source.charCodeAt(end) === ASSIGN) end++;
    const level = source.slice(start + 1, end);
    return `[${level}[${this.value}]${level}]`;
  }

  private read(): number {
    const { source } = this;
    const { length } = source;
    let { at } = this;
    while (at < length) {
      const c = source.charCodeAt(at);
      const kind = CLASS[c];
      if (kind === SPACE) {
        at++;
        continue;
      }
      if (kind === LETTER) {
        this.start = at++;
        while (at < length && (CLASS[source.charCodeAt(at)] & WORD) !== 0) at++;
        this.at = at;
        const word = source.slice(this.start, at);
        if (word.length <= LONGEST_RESERVED) {
          const token = RESERVED.get(word);
          if (token !== undefined) return token;
        }
        this.value = word;
        return NAME;
      }
      if (kind === NEWLINE) {
        at = this.newline(at, c);
        continue;
      }
      this.start = at;
      this.at = at + 1;
      if (kind === DIGIT) return this.readNumber(at);
      const after = at + 1 < length ? source.charCodeAt(at + 1) : -1;
      switch (c) {
        case MINUS:
          if (after !== MINUS) return c;
          at = this.skipComment(at + 2);
          continue;
        case ASSIGN:
          return after === ASSIGN ? this.double(EQUAL) : c;
        case LESS:
          return after === ASSIGN ? this.double(AT_MOST) : c;
        case MORE:
          return after === ASSIGN ? this.double(AT_LEAST) : c;
        case TILDE:
          return after === ASSIGN ? this.double(UNEQUAL) : c;
        case QUOTE:
        case APOSTROPHE:
          this.readString(c);
          return STRING;
        case DOT:
          if (after >= 0 && (CLASS[after] & DIGIT) !== 0) return this.readNumber(at);
          // C's strchr finds the zero byte at the end of ".", too: `.\0` is `..`.
          if (after !== DOT && after !== 0) return c;
          if (at + 2 < length) {
            const third = source.charCodeAt(at + 2);
            if (third === DOT || third === 0) {
              this.at = at + 3;
              return DOTS;
            }
          }
          return this.double(CONCAT);
        case OPEN_BRACKET: {
          this.at = at;
          const level = this.bracket(c);
          if (level >= 0) {
            this.readLong(level, true);
            return STRING;
          }
          if (level === -1) return c;
          throw this.near('invalid long string delimiter', source.slice(at, this.at));
        }
        default:
          return c;
      }
    }
    this.at = at;
    return EOS;
  }

  /** The token has two bytes. */
  private double(token: number): number {
    this.at++;
    return token;
  }

  /** Counts the line that ends at `at`; answers where the next one begins. Both bytes of CRLF, or LFCR, are one end. */
  private newline(at: number, c: number): number {
    this.line++;
    const { source } = this;
    if (at + 1 === source.length) return at + 1;
    const after = source.charCodeAt(at + 1);
    return (after === LF || after === CR) && after !== c ? at + 2 : at + 1;
  }

  private readNumber(start: number): number {
    const { source } = this;
    const { length } = source;
    let at = start;
    let whole = 0;
    let c = source.charCodeAt(at);
    while ((CLASS[c] & DIGIT) !== 0) {
      whole = whole * 10 + (c - ZERO);
      if (++at === length) break;
      c = source.charCodeAt(at);
    }
    if (at === length || (c !== DOT && c !== 0 && (CLASS[c] & LETTER) === 0)) {
      if (at - start <= EXACT_DIGITS) {
        this.number = whole;
        this.at = at;
        return NUMBER;
      }
    }
    while (at < length && ((CLASS[(c = source.charCodeAt(at))] & DIGIT) !== 0 || c === DOT)) at++;
    // An exponent has a sign; as strchr in C looks for both, a zero byte passes for either.
    if (at < length && ((c = source.charCodeAt(at) | 0x20) === 0x65 || source.charCodeAt(at) === 0)) {
      at++;
      if (at < length && ((c = source.charCodeAt(at)) === PLUS || c === MINUS || c === 0)) at++;
    }
    while (at < length && (CLASS[source.charCodeAt(at)] & WORD) !== 0) at++;
    this.at = at;
    const text = source.slice(start, at);
    const value = parseNumber(text);
    if (value === undefined) throw this.near('malformed number', text);
    this.number = value;
    return NUMBER;
  }

  private readString(quote: number): void {
    const { source } = this;
    const { length } = source;
    let { at } = this;
    // What the escapes so far have become, and where the plain bytes after them begin.
    let text = '';
    let from = at;
    for (;;) {
      if (at >= length) throw this.near('unfinished string', spellToken(EOS));
      const c = source.charCodeAt(at);
      if (c === quote) break;
      if (c === LF || c === CR) {
        throw this.near('unfinished string', source[this.start] + text + source.slice(from, at));
      }
      if (c !== BACKSLASH) {
        at++;
        continue;
      }
      text += source.slice(from, at++);
      from = at;
      if (at >= length) continue;
      const escaped = source.charCodeAt(at);
      const kind = CLASS[escaped];
      if (kind === DIGIT) {
        let code = 0;
        const end = Math.min(at + 3, length);
        for (let d = escaped; (CLASS[d] & DIGIT) !== 0; d = source.charCodeAt(at)) {
          code = code * 10 + (d - ZERO);
          if (++at === end) break;
        }
        if (code > 0xff) throw this.near('escape sequence too large', source[this.start] + text);
        text += String.fromCharCode(code);
        from = at;
      } else if (kind === NEWLINE) {
        at = this.newline(at, escaped);
        text += '\n';
        from = at;
      } else {
        const meaning = ESCAPES.get(escaped);
        at++;
        if (meaning !== undefined) {
          text += meaning;
          from = at;
        }
      }
    }
    this.value = text === '' ? source.slice(from, at) : text + source.slice(from, at);
    this.at = at + 1;
  }

  /** Skips a bracket and the equal signs after it: answers how many if another such bracket follows, else less than 0
   *  (-1 for none). */
  private bracket(c: number): number {
    const { source } = this;
    const from = this.at + 1;
    let at = from;
    while (at < source.length && source.charCodeAt(at) === ASSIGN) at++;
    this.at = at;
    return at < source.length && source.charCodeAt(at) === c ? at - from : from - at - 1;
  }

  /** Reads a long string or comment from its second bracket on. */
  private readLong(level: number, isString: boolean): void {
    const { source } = this;
    const { length } = source;
    this.at++;
    if (this.at < length) {
      const c = source.charCodeAt(this.at);
      if (c === LF || c === CR) this.at = this.newline(this.at, c);
    }
    let text = '';
    let from = this.at;
    for (;;) {
      if (this.at >= length) {
        throw this.near(isString ? 'unfinished long string' : 'unfinished long comment', spellToken(EOS));
      }
      const { at } = this;
      const c = source.charCodeAt(at);
      if (c === CLOSE_BRACKET) {
        if (this.bracket(c) !== level) continue;
        this.at++;
        if (isString) this.value = text + source.slice(from, at);
        return;
      }
      if (c === OPEN_BRACKET) {
        if (this.bracket(c) !== level) continue;
        this.at++;
        if (level === 0) throw this.near('nesting of [[...]] is deprecated', '[');
      } else if (c === LF || c === CR) {
        this.at = this.newline(at, c);
        if (c === CR || this.at !== at + 1) {
          // Every end of line is one LF.
          if (isString) text += `${source.slice(from, at)}\n`;
          from = this.at;
        }
      } else {
        this.at++;
      }
    }
  }

  /** Skips a comment from behind its dashes on; answers where it ends. */
  private skipComment(from: number): number {
    const { source } = this;
    const { length } = source;
    let at = from;
    if (at < length && source.charCodeAt(at) === OPEN_BRACKET) {
      this.at = at;
      const level = this.bracket(OPEN_BRACKET);
      if (level >= 0) {
        this.readLong(level, false);
        return this.at;
      }
    }
    while (at < length && CLASS[source.charCodeAt(at)] !== NEWLINE) at++;
    return at;
  }
}
