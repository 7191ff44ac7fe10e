// Parses the expressions of Lua 5.1 for parser.ts, which lends it the functions among them. Each goes to an operand:
// its node in the tree, and where the code generator of Lua would have its value.
import type { BinaryOperator, Expression, FunctionBody } from './ast.ts';
import * as T from './lexer.ts';
import { type Lexer, spellToken } from './lexer.ts';
import { arithmetic } from './operations.ts';
import {
  CALL,
  CONSTANT,
  FALSE,
  GLOBAL,
  LOCAL,
  NIL,
  NUMBER,
  Operand,
  RELOCATABLE,
  TRUE,
  UPVALUE,
  VARARG,
  VOID,
} from './registers.ts';
import type { Scopes } from './scopes.ts';

/** A constructor puts its positional items into the table in packs. */
const PACK = 50;

/** Binary operators by their token: how strongly they bind on either side, 0 for other tokens. */
const BINDS_LEFT = new Uint8Array(T.EOS + 1);
const BINDS_RIGHT = new Uint8Array(T.EOS + 1);
const UNARY = 8;

const OPERATORS: readonly [operators: string, left: number, right: number][] = [
  ['or', 1, 1],
  ['and', 2, 2],
  ['== ~= < <= > >=', 3, 3],
  ['..', 5, 4],
  ['+ -', 6, 6],
  ['* / %', 7, 7],
  ['^', 10, 9],
];
const SPELLED: BinaryOperator[] = [];
for (const [operators, left, right] of OPERATORS) {
  for (const operator of operators.split(' ')) {
    let token = operator.charCodeAt(0);
    if (operator.length > 1) for (token = T.AND; spellToken(token) !== operator; ) token++;
    BINDS_LEFT[token] = left;
    BINDS_RIGHT[token] = right;
    SPELLED[token] = operator as BinaryOperator;
  }
}

/** What an operator makes of two numerals; NaN where Lua leaves it to be computed. */
function fold(operator: BinaryOperator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return arithmetic.add(a, b);
    case '-':
      return arithmetic.sub(a, b);
    case '*':
      return arithmetic.mul(a, b);
    case '/':
      return b === 0 ? Number.NaN : arithmetic.div(a, b);
    case '%':
      return b === 0 ? Number.NaN : arithmetic.mod(a, b);
    default:
      return arithmetic.pow(a, b);
  }
}

/** Who parses functions: they hold statements, and importing those here would make a cycle. */
interface FunctionParser {
  body(e: Operand, method: boolean, line: number): FunctionBody;
}

export class Expressions {
  private readonly lexer: Lexer;
  private readonly scopes: Scopes;
  private readonly functions: FunctionParser;

  constructor(lexer: Lexer, scopes: Scopes, functions: FunctionParser) {
    this.lexer = lexer;
    this.scopes = scopes;
    this.functions = functions;
  }

  /** The variable that the next token names. */
  variable(e: Operand): void {
    const { scopes } = this;
    const name = this.lexer.name();
    const variable = scopes.find(name);
    if (variable === null) {
      e.set(GLOBAL, scopes.registers.constant(name));
      e.node = { kind: 'global', name, line: 0 };
      return;
    }
    if (variable.func === scopes.frame.node) {
      e.set(LOCAL, variable.slot);
    } else {
      scopes.capture(variable);
      e.set(UPVALUE, 0);
    }
    e.node = { kind: 'local', local: variable };
  }

  /** The field of `e` that is named behind the current dot or colon. */
  field(e: Operand): void {
    const { registers } = this.scopes;
    registers.toAny(e);
    this.lexer.next();
    const value = this.lexer.name();
    const key = new Operand();
    key.set(CONSTANT, registers.constant(value));
    registers.index(e, key);
    e.node = { kind: 'index', object: e.node, key: { kind: 'string', value }, line: 0 };
  }

  private bracketed(key: Operand): void {
    this.lexer.next();
    this.expression(key);
    this.scopes.registers.toValue(key);
    this.lexer.skip(T.CLOSE_BRACKET);
  }

  private table(e: Operand): void {
    const { lexer } = this;
    const { registers } = this.scopes;
    const { line } = lexer;
    const items: { key: Expression | null; value: Expression; line: number }[] = [];
    const item = new Operand();
    const key = new Operand();
    let pending = 0;
    e.set(RELOCATABLE, 0);
    registers.toNext(e);
    e.node = { kind: 'table', items, line };
    lexer.skip(T.OPEN_BRACE);
    do {
      const { token } = lexer;
      if (token === T.CLOSE_BRACE) break;
      if (item.kind !== VOID) {
        registers.toNext(item);
        item.kind = VOID;
        if (pending === PACK) {
          pending = 0;
          registers.free = e.place + 1;
        }
      }
      if (token === T.OPEN_BRACKET || (token === T.NAME && lexer.peek() === T.ASSIGN)) {
        const { free } = registers;
        if (token === T.NAME) this.string(key, lexer.name());
        else this.bracketed(key);
        lexer.skip(T.ASSIGN);
        registers.toOperand(key);
        const node = key.node;
        this.expression(key);
        registers.toOperand(key);
        items.push({ key: node, value: key.node, line: lexer.lastLine });
        registers.free = free;
      } else {
        this.expression(item);
        items.push({ key: null, value: item.node, line: lexer.lastLine });
        pending++;
      }
    } while (lexer.accept(T.COMMA) || lexer.accept(T.SEMICOLON));
    lexer.close(T.CLOSE_BRACE, T.OPEN_BRACE, line);
    if (pending === 0) return;
    if (item.hasMany()) registers.several(item);
    else if (item.kind !== VOID) registers.toNext(item);
    registers.free = e.place + 1;
  }

  private string(e: Operand, value: string): void {
    e.set(CONSTANT, this.scopes.registers.constant(value));
    e.node = { kind: 'string', value };
  }

  /** Expressions with commas in between; the last one is left in `e`, those before it in registers. */
  list(e: Operand): Expression[] {
    this.expression(e);
    const nodes = [e.node];
    while (this.lexer.accept(T.COMMA)) {
      this.scopes.registers.toNext(e);
      this.expression(e);
      nodes.push(e.node);
    }
    return nodes;
  }

  /** The arguments of a call. `e` is the function, in a register; the node is made here, of a method if it has a name. */
  private call(e: Operand, method: string | null): void {
    const { lexer } = this;
    const { registers } = this.scopes;
    const { token, line, lastLine } = lexer;
    const last = new Operand();
    let args: Expression[];
    switch (token) {
      case T.OPEN_PAREN:
        if (line !== lastLine) {
          throw lexer.unexpected('ambiguous syntax (function call x new statement)');
        }
        lexer.next();
        if (lexer.token === T.CLOSE_PAREN) {
          args = [];
        } else {
          args = this.list(last);
          registers.several(last);
        }
        lexer.close(T.CLOSE_PAREN, T.OPEN_PAREN, line);
        break;
      case T.OPEN_BRACE:
        this.table(last);
        args = [last.node];
        break;
      case T.STRING:
        this.string(last, lexer.value);
        lexer.next();
        args = [last.node];
        break;
      default:
        throw lexer.unexpected('function arguments expected');
    }
    const { place } = e;
    if (last.kind !== VOID && !last.hasMany()) registers.toNext(last);
    registers.free = place + 1;
    e.set(CALL, place);
    if (method === null) {
      e.node = { kind: 'call', callee: e.node, args, line };
    } else {
      const node = { kind: 'method', object: e.node, name: method, args, line, selfLine: lastLine } as const;
      e.node = node;
    }
  }

  /** A name or an expression in parentheses, with all the fields and calls behind it. */
  primary(e: Operand): void {
    const { lexer } = this;
    const { registers } = this.scopes;
    const { token, line } = lexer;
    if (token === T.OPEN_PAREN) {
      lexer.next();
      this.expression(e);
      lexer.close(T.CLOSE_PAREN, T.OPEN_PAREN, line);
      if (e.hasMany()) e.node = { kind: 'paren', inner: e.node };
      registers.discharge(e);
    } else if (token === T.NAME) {
      this.variable(e);
    } else {
      throw lexer.unexpected('unexpected symbol');
    }
    for (;;) {
      switch (lexer.token) {
        case T.DOT:
          this.field(e);
          break;
        case T.OPEN_BRACKET: {
          const key = new Operand();
          registers.toAny(e);
          this.bracketed(key);
          registers.index(e, key);
          e.node = { kind: 'index', object: e.node, key: key.node, line: 0 };
          break;
        }
        case T.COLON: {
          lexer.next();
          const name = lexer.name();
          registers.self(e, name);
          this.call(e, name);
          break;
        }
        case T.OPEN_PAREN:
        case T.STRING:
        case T.OPEN_BRACE:
          registers.toNext(e);
          this.call(e, null);
          break;
        default:
          return;
      }
    }
  }

  private simple(e: Operand): void {
    const { lexer } = this;
    switch (lexer.token) {
      case T.NUMBER:
        e.set(NUMBER, 0);
        e.value = lexer.number;
        e.node = { kind: 'number', value: lexer.number };
        break;
      case T.STRING:
        this.string(e, lexer.value);
        break;
      case T.NIL:
        e.set(NIL, 0);
        e.node = { kind: 'nil' };
        break;
      case T.TRUE:
        e.set(TRUE, 0);
        e.node = { kind: 'true' };
        break;
      case T.FALSE:
        e.set(FALSE, 0);
        e.node = { kind: 'false' };
        break;
      case T.DOTS: {
        const func = this.scopes.frame.node;
        if (!func.vararg) throw lexer.unexpected("cannot use '...' outside a vararg function");
        func.argTable = null;
        e.set(VARARG, 0);
        e.node = { kind: 'vararg' };
        break;
      }
      case T.OPEN_BRACE:
        this.table(e);
        return;
      case T.FUNCTION:
        lexer.next();
        e.node = { kind: 'function', func: this.functions.body(e, false, lexer.line) };
        return;
      default:
        this.primary(e);
        return;
    }
    lexer.next();
  }

  expression(e: Operand, limit = 0): void {
    const { lexer, scopes } = this;
    scopes.enter();
    const unary = lexer.token;
    if (unary === T.NOT) {
      lexer.next();
      this.expression(e, UNARY);
      scopes.registers.not(e);
      e.node = { kind: 'not', operand: e.node };
    } else if (unary === T.MINUS) {
      lexer.next();
      this.expression(e, UNARY);
      scopes.registers.negate(e);
      e.node = { kind: 'negate', operand: e.node, line: lexer.lastLine };
    } else if (unary === T.HASH) {
      lexer.next();
      this.expression(e, UNARY);
      scopes.registers.length(e);
      e.node = { kind: 'length', operand: e.node, line: lexer.lastLine };
    } else {
      this.simple(e);
    }
    for (let token = lexer.token; BINDS_LEFT[token] > limit; token = lexer.token) {
      lexer.next();
      this.binary(e, token);
    }
    scopes.leave();
  }

  /** The operator and its right operand, behind `e`. */
  private binary(e: Operand, token: number): void {
    const { lexer } = this;
    const { registers } = this.scopes;
    const right = new Operand();
    const left = e.node;
    switch (token) {
      case T.AND:
        registers.goIfTrue(e);
        this.expression(right, BINDS_RIGHT[token]);
        registers.join(e, right);
        e.node = { kind: 'and', left, right: right.node };
        return;
      case T.OR:
        registers.goIfFalse(e);
        this.expression(right, BINDS_RIGHT[token]);
        registers.join(e, right);
        e.node = { kind: 'or', left, right: right.node };
        return;
      case T.CONCAT: {
        registers.toNext(e);
        this.expression(right, BINDS_RIGHT[token]);
        const merged = registers.concat(e, right);
        const line = merged && right.node.kind === 'binary' ? right.node.line : lexer.lastLine;
        e.node = { kind: 'binary', operator: '..', left, right: right.node, line };
        return;
      }
      case T.EQUAL:
      case T.UNEQUAL:
      case T.AT_LEAST:
      case T.AT_MOST:
      case T.LESS:
      case T.MORE:
        registers.toOperand(e);
        this.expression(right, BINDS_RIGHT[token]);
        registers.compare(e, right);
        break;
      default:
        registers.beforeArithmetic(e);
        this.expression(right, BINDS_RIGHT[token]);
        registers.arithmetic(
          e,
          right,
          e.isNumeral() && right.isNumeral() ? fold(SPELLED[token], e.value, right.value) : Number.NaN,
        );
    }
    e.node = { kind: 'binary', operator: SPELLED[token], left, right: right.node, line: lexer.lastLine };
  }
}
