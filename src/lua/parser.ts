// Parses Lua 5.1 into the tree of ast.ts, names resolved: `load` and scripting call it, emitter.ts gets the tree. It
// follows Lua's own one-pass compiler closely, because scripts see its order of checks, its limits and its lines.
//
// A vararg function other than the main one has a variable `arg` behind its parameters: `func.scope.locals` holds it,
// `func.params` does not. If the function writes `...` it starts as nil; if not, `func.argTable` is that variable and
// has to start as the table of Lua 5.0.
import type {
  BinaryOperator,
  Block,
  Call,
  Expression,
  FunctionBody,
  Local,
  MethodCall,
  Scope,
  Statement,
} from './ast.ts';
import * as T from './lexer.ts';
import { Lexer, spellToken } from './lexer.ts';
import { arithmetic } from './operations.ts';
import {
  CALL,
  CONSTANT,
  FALSE,
  FIXED,
  GLOBAL,
  INDEXED,
  LOCAL,
  NIL,
  NUMBER,
  Operand,
  RELOCATABLE,
  Registers,
  TRUE,
  UPVALUE,
  VARARG,
  VOID,
} from './registers.ts';
import { LuaError } from './value.ts';

/** Depth of blocks, expressions and C calls. */
const MAX_LEVELS = 200;
const MAX_LOCALS = 200;
const MAX_UPVALUES = 60;
/** Local variables of a function in all, in scope or not. */
const MAX_DECLARED = 32767;
/** A constructor puts its positional items into the table in packs. */
const PACK = 50;

const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const LESS = 0x3c;
const MORE = 0x3e;
const SEMICOLON = 0x3b;
const ASSIGN = 0x3d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const HASH = 0x23;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

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

class Variable implements Local {
  readonly name: string;
  readonly func: FunctionNode;
  readonly scope: Scope;
  captured = false;
  reassigned = false;
  /** Its register. */
  slot = -1;
  /** The variable of the same name that it hides. */
  hidden: Variable | null = null;

  constructor(name: string, func: FunctionNode, scope: Scope) {
    this.name = name;
    this.func = func;
    this.scope = scope;
  }
}

class FunctionNode implements FunctionBody {
  readonly parent: FunctionNode | null;
  readonly params: Variable[] = [];
  readonly scope: Scope = { locals: [] };
  vararg = false;
  argTable: Variable | null = null;
  body: Block = { scope: this.scope, statements: [] };
  readonly line: number;
  endLine = 0;

  constructor(parent: FunctionNode | null, line: number) {
    this.parent = parent;
    this.line = line;
  }
}

/** A function being parsed. */
class Frame {
  readonly outer: Frame | null;
  readonly node: FunctionNode;
  readonly registers: Registers;
  readonly upvalues: Variable[] = [];
  /** Loops around the current statement. */
  loops = 0;
  /** Variables so far. */
  declared = 0;

  constructor(outer: Frame | null, node: FunctionNode, lexer: Lexer) {
    this.outer = outer;
    this.node = node;
    this.registers = new Registers(lexer);
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

class Parser {
  private readonly lexer: Lexer;
  private frame: Frame;
  private registers: Registers;
  /** Scope that new variables join. */
  private scope: Scope;
  private level: number;
  /** Variables in scope, of all functions, and the innermost one of each name. */
  private readonly visible: Variable[] = [];
  private readonly names = new Map<string, Variable | null>();

  constructor(lexer: Lexer, depth: number) {
    this.lexer = lexer;
    this.level = depth;
    const main = new FunctionNode(null, 0);
    main.vararg = true;
    this.frame = new Frame(null, main, lexer);
    this.registers = this.frame.registers;
    this.scope = main.scope;
  }

  chunk(): FunctionBody {
    const { lexer } = this;
    const main = this.frame.node;
    lexer.next();
    main.body = this.statements();
    this.expect(T.EOS);
    main.endLine = lexer.line;
    return main;
  }

  // Tokens.

  private accept(token: number): boolean {
    if (this.lexer.token !== token) return false;
    this.lexer.next();
    return true;
  }

  private expect(token: number): void {
    if (this.lexer.token !== token) throw this.lexer.unexpected(`'${spellToken(token)}' expected`);
  }

  private skip(token: number): void {
    this.expect(token);
    this.lexer.next();
  }

  /** Expects the token that ends what `opening` began. */
  private close(token: number, opening: number, line: number): void {
    if (this.lexer.token !== token && line !== this.lexer.line) {
      const what = `'${spellToken(token)}' expected (to close '${spellToken(opening)}' at line ${line})`;
      throw this.lexer.unexpected(what);
    }
    this.skip(token);
  }

  private name(): string {
    this.expect(T.NAME);
    const { value } = this.lexer;
    this.lexer.next();
    return value;
  }

  private enter(): void {
    if (++this.level > MAX_LEVELS) throw this.lexer.failure('chunk has too many syntax levels');
  }

  private checkLimit(frame: Frame, count: number, limit: number, what: string): void {
    if (count <= limit) return;
    const { line } = frame.node;
    const where = line === 0 ? 'main function' : `function at line ${line}`;
    throw this.lexer.failure(`${where} has more than ${limit} ${what}`);
  }

  // Variables.

  /** Announces a variable, the `pending`-th of those not yet in scope. */
  private count(pending: number): void {
    this.checkLimit(this.frame, this.registers.locals + pending + 1, MAX_LOCALS, 'local variables');
    if (this.frame.declared++ === MAX_DECLARED) throw new LuaError('too many local variables');
  }

  private declare(name: string, pending: number, scope: Scope): Variable {
    this.count(pending);
    return new Variable(name, this.frame.node, scope);
  }

  /** From here on the variable is in scope. */
  private activate(variable: Variable): void {
    const { names } = this;
    variable.slot = this.registers.locals++;
    variable.hidden = names.get(variable.name) ?? null;
    names.set(variable.name, variable);
    this.visible.push(variable);
    variable.scope.locals.push(variable);
  }

  private activateAll(variables: readonly Variable[]): void {
    for (let i = 0; i < variables.length; i++) this.activate(variables[i]);
  }

  /** Ends the scope of all variables but the first `count`. */
  private forget(count: number): void {
    const { visible, names } = this;
    while (visible.length > count) {
      const variable = visible.pop()!;
      names.set(variable.name, variable.hidden);
    }
  }

  /** Parses the statements of a block, with variables of its own. */
  private block(): Block {
    const { registers } = this;
    const { locals } = registers;
    const count = this.visible.length;
    const block = this.statements();
    this.forget(count);
    registers.locals = locals;
    registers.free = locals;
    return block;
  }

  private variable(e: Operand): void {
    const name = this.name();
    const variable = this.names.get(name) ?? null;
    if (variable === null) {
      e.set(GLOBAL, this.registers.constant(name));
      e.node = { kind: 'global', name, line: 0 };
      return;
    }
    if (variable.func === this.frame.node) {
      e.set(LOCAL, variable.slot);
    } else {
      variable.captured = true;
      this.capture(this.frame, variable);
      e.set(UPVALUE, 0);
    }
    e.node = { kind: 'local', local: variable };
  }

  /** Makes it an upvalue of the functions between it and here, from the outside in. */
  private capture(frame: Frame, variable: Variable): void {
    if (frame.node === variable.func) return;
    this.capture(frame.outer!, variable);
    const { upvalues } = frame;
    if (upvalues.includes(variable)) return;
    this.checkLimit(frame, upvalues.length + 1, MAX_UPVALUES, 'upvalues');
    upvalues.push(variable);
  }

  // Expressions.

  private field(e: Operand): void {
    const { registers } = this;
    registers.toAny(e);
    this.lexer.next();
    const value = this.name();
    const key = new Operand();
    key.set(CONSTANT, registers.constant(value));
    registers.index(e, key);
    e.node = { kind: 'index', object: e.node, key: { kind: 'string', value }, line: 0 };
  }

  private bracketed(key: Operand): void {
    this.lexer.next();
    this.expression(key);
    this.registers.toValue(key);
    this.skip(CLOSE_BRACKET);
  }

  private table(e: Operand): void {
    const { lexer, registers } = this;
    const { line } = lexer;
    const items: { key: Expression | null; value: Expression; line: number }[] = [];
    const item = new Operand();
    const key = new Operand();
    let pending = 0;
    e.set(RELOCATABLE, 0);
    registers.toNext(e);
    e.node = { kind: 'table', items, line };
    this.skip(OPEN_BRACE);
    do {
      const { token } = lexer;
      if (token === CLOSE_BRACE) break;
      if (item.kind !== VOID) {
        registers.toNext(item);
        item.kind = VOID;
        if (pending === PACK) {
          pending = 0;
          registers.free = e.place + 1;
        }
      }
      if (token === OPEN_BRACKET || (token === T.NAME && lexer.peek() === ASSIGN)) {
        const { free } = registers;
        if (token === T.NAME) this.string(key, this.name());
        else this.bracketed(key);
        this.skip(ASSIGN);
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
    } while (this.accept(COMMA) || this.accept(SEMICOLON));
    this.close(CLOSE_BRACE, OPEN_BRACE, line);
    if (pending === 0) return;
    if (item.hasMany()) registers.several(item);
    else if (item.kind !== VOID) registers.toNext(item);
    registers.free = e.place + 1;
  }

  private string(e: Operand, value: string): void {
    e.set(CONSTANT, this.registers.constant(value));
    e.node = { kind: 'string', value };
  }

  private list(e: Operand): Expression[] {
    this.expression(e);
    const nodes = [e.node];
    while (this.accept(COMMA)) {
      this.registers.toNext(e);
      this.expression(e);
      nodes.push(e.node);
    }
    return nodes;
  }

  /** The arguments of a call. `e` is the function, in a register; the node is made here, of a method if it has a name. */
  private call(e: Operand, method: string | null): void {
    const { lexer, registers } = this;
    const { token, line, lastLine } = lexer;
    const last = new Operand();
    let args: Expression[];
    switch (token) {
      case OPEN_PAREN:
        if (line !== lastLine) {
          throw lexer.unexpected('ambiguous syntax (function call x new statement)');
        }
        lexer.next();
        if (lexer.token === CLOSE_PAREN) {
          args = [];
        } else {
          args = this.list(last);
          registers.several(last);
        }
        this.close(CLOSE_PAREN, OPEN_PAREN, line);
        break;
      case OPEN_BRACE:
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
  private primary(e: Operand): void {
    const { lexer, registers } = this;
    const { token, line } = lexer;
    if (token === OPEN_PAREN) {
      lexer.next();
      this.expression(e);
      this.close(CLOSE_PAREN, OPEN_PAREN, line);
      if (e.hasMany()) e.node = { kind: 'paren', inner: e.node };
      registers.discharge(e);
    } else if (token === T.NAME) {
      this.variable(e);
    } else {
      throw lexer.unexpected('unexpected symbol');
    }
    for (;;) {
      switch (lexer.token) {
        case DOT:
          this.field(e);
          break;
        case OPEN_BRACKET: {
          const key = new Operand();
          registers.toAny(e);
          this.bracketed(key);
          registers.index(e, key);
          e.node = { kind: 'index', object: e.node, key: key.node, line: 0 };
          break;
        }
        case COLON: {
          lexer.next();
          const name = this.name();
          registers.self(e, name);
          this.call(e, name);
          break;
        }
        case OPEN_PAREN:
        case T.STRING:
        case OPEN_BRACE:
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
        const func = this.frame.node;
        if (!func.vararg) throw lexer.unexpected("cannot use '...' outside a vararg function");
        func.argTable = null;
        e.set(VARARG, 0);
        e.node = { kind: 'vararg' };
        break;
      }
      case OPEN_BRACE:
        this.table(e);
        return;
      case T.FUNCTION:
        lexer.next();
        e.node = { kind: 'function', func: this.body(e, false, lexer.line) };
        return;
      default:
        this.primary(e);
        return;
    }
    lexer.next();
  }

  private expression(e: Operand, limit = 0): void {
    const { lexer, registers } = this;
    this.enter();
    const unary = lexer.token;
    if (unary === T.NOT) {
      lexer.next();
      this.expression(e, UNARY);
      registers.not(e);
      e.node = { kind: 'not', operand: e.node };
    } else if (unary === MINUS) {
      lexer.next();
      this.expression(e, UNARY);
      registers.negate(e);
      e.node = { kind: 'negate', operand: e.node, line: lexer.lastLine };
    } else if (unary === HASH) {
      lexer.next();
      this.expression(e, UNARY);
      registers.length(e);
      e.node = { kind: 'length', operand: e.node, line: lexer.lastLine };
    } else {
      this.simple(e);
    }
    for (let token = lexer.token; BINDS_LEFT[token] > limit; token = lexer.token) {
      lexer.next();
      this.binary(e, token);
    }
    this.level--;
  }

  /** The operator and its right operand, behind `e`. */
  private binary(e: Operand, token: number): void {
    const { lexer, registers } = this;
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
      case LESS:
      case MORE:
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

  // Functions.

  private params(node: FunctionNode): void {
    const { lexer, registers } = this;
    const { params } = node;
    const { scope } = node;
    const first = params.length;
    if (lexer.token !== CLOSE_PAREN) {
      do {
        if (lexer.token === T.NAME) {
          params.push(this.declare(this.name(), params.length - first, scope));
        } else if (lexer.token === T.DOTS) {
          lexer.next();
          node.argTable = this.declare('arg', params.length - first, scope);
          node.vararg = true;
        } else {
          throw lexer.unexpected("<name> or '...' expected");
        }
      } while (!node.vararg && this.accept(COMMA));
    }
    for (let i = first; i < params.length; i++) this.activate(params[i]);
    if (node.argTable !== null) this.activate(node.argTable);
    registers.reserve(registers.locals);
  }

  private body(e: Operand, method: boolean, line: number): FunctionBody {
    const outer = this.frame;
    const count = this.visible.length;
    const node = new FunctionNode(outer.node, line);
    this.frame = new Frame(outer, node, this.lexer);
    this.registers = this.frame.registers;
    this.skip(OPEN_PAREN);
    if (method) {
      const self = this.declare('self', 0, node.scope);
      node.params.push(self);
      this.activate(self);
    }
    this.params(node);
    this.skip(CLOSE_PAREN);
    node.body = this.statements();
    node.endLine = this.lexer.line;
    this.close(T.END, T.FUNCTION, line);
    this.forget(count);
    this.frame = outer;
    this.registers = outer.registers;
    e.set(RELOCATABLE, 0);
    return node;
  }

  // Statements.

  private statements(): Block {
    const { lexer, registers } = this;
    const outer = this.scope;
    const scope: Scope = { locals: [] };
    const statements: Statement[] = [];
    this.scope = scope;
    this.enter();
    let last = false;
    while (!last && !this.atBlockEnd()) {
      last = lexer.token === T.RETURN || lexer.token === T.BREAK;
      statements.push(this.statement());
      this.accept(SEMICOLON);
      registers.free = registers.locals;
    }
    this.level--;
    this.scope = outer;
    return { scope, statements };
  }

  private atBlockEnd(): boolean {
    switch (this.lexer.token) {
      case T.ELSE:
      case T.ELSEIF:
      case T.END:
      case T.UNTIL:
      case T.EOS:
        return true;
      default:
        return false;
    }
  }

  private statement(): Statement {
    const { lexer } = this;
    const { line } = lexer;
    switch (lexer.token) {
      case T.IF:
        return this.ifStatement(line);
      case T.WHILE:
        return this.whileStatement(line);
      case T.DO: {
        lexer.next();
        const block = this.block();
        this.close(T.END, T.DO, line);
        return { kind: 'do', block };
      }
      case T.FOR:
        return this.forStatement(line);
      case T.REPEAT:
        return this.repeatStatement(line);
      case T.FUNCTION:
        return this.functionStatement(line);
      case T.LOCAL:
        lexer.next();
        return this.accept(T.FUNCTION) ? this.localFunction() : this.localStatement();
      case T.RETURN:
        return this.returnStatement();
      case T.BREAK:
        lexer.next();
        if (this.frame.loops === 0) throw lexer.unexpected('no loop to break');
        return { kind: 'break' };
      default:
        return this.callOrAssignment();
    }
  }

  private condition(): Expression {
    const e = new Operand();
    this.expression(e);
    this.registers.goIfTrue(e);
    return e.node;
  }

  private ifStatement(line: number): Statement {
    const { lexer } = this;
    const clauses: { condition: Expression; block: Block }[] = [];
    do {
      lexer.next();
      const condition = this.condition();
      this.skip(T.THEN);
      clauses.push({ condition, block: this.block() });
    } while (lexer.token === T.ELSEIF);
    const otherwise = this.accept(T.ELSE) ? this.block() : null;
    this.close(T.END, T.IF, line);
    return { kind: 'if', clauses, otherwise };
  }

  private whileStatement(line: number): Statement {
    this.lexer.next();
    const condition = this.condition();
    this.frame.loops++;
    this.skip(T.DO);
    const block = this.block();
    this.close(T.END, T.WHILE, line);
    this.frame.loops--;
    return { kind: 'while', condition, block, line };
  }

  private repeatStatement(line: number): Statement {
    const { registers } = this;
    const { locals } = registers;
    const count = this.visible.length;
    this.frame.loops++;
    this.lexer.next();
    const block = this.statements();
    this.close(T.UNTIL, T.REPEAT, line);
    const condition = this.condition();
    this.forget(count);
    registers.locals = locals;
    registers.free = locals;
    this.frame.loops--;
    return { kind: 'repeat', block, condition, line };
  }

  private forStatement(line: number): Statement {
    const { lexer, registers } = this;
    const { locals } = registers;
    const count = this.visible.length;
    const scope: Scope = { locals: [] };
    let statement: Statement;
    this.frame.loops++;
    lexer.next();
    const name = this.name();
    switch (lexer.token) {
      case ASSIGN:
        statement = this.numericFor(name, scope);
        break;
      case COMMA:
      case T.IN:
        statement = this.genericFor(name, scope);
        break;
      default:
        throw lexer.unexpected("'=' or 'in' expected");
    }
    this.close(T.END, T.FOR, line);
    this.forget(count);
    registers.locals = locals;
    registers.free = locals;
    this.frame.loops--;
    return statement;
  }

  private operandOfFor(): Expression {
    const e = new Operand();
    this.expression(e);
    this.registers.toNext(e);
    return e.node;
  }

  private numericFor(name: string, scope: Scope): Statement {
    const { registers } = this;
    for (let i = 0; i < 3; i++) this.count(i);
    const variable = this.declare(name, 3, scope);
    this.lexer.next();
    const start = this.operandOfFor();
    this.skip(COMMA);
    const limit = this.operandOfFor();
    let step: Expression | null = null;
    if (this.accept(COMMA)) {
      step = this.operandOfFor();
    } else {
      registers.constant(1);
      registers.reserve(1);
    }
    registers.locals += 3;
    this.skip(T.DO);
    const line = this.lexer.lastLine;
    const block = this.forBlock([variable]);
    return { kind: 'for', variable, scope, start, limit, step, block, line };
  }

  private genericFor(name: string, scope: Scope): Statement {
    const { lexer, registers } = this;
    for (let i = 0; i < 3; i++) this.count(i);
    const variables = [this.declare(name, 3, scope)];
    while (this.accept(COMMA)) variables.push(this.declare(this.name(), 3 + variables.length, scope));
    this.skip(T.IN);
    const { line } = lexer;
    const last = new Operand();
    const values = this.list(last);
    registers.adjust(3, values.length, last);
    registers.check(3);
    registers.locals += 3;
    this.skip(T.DO);
    return { kind: 'for-in', variables, scope, values, block: this.forBlock(variables), line };
  }

  private forBlock(variables: readonly Variable[]): Block {
    const { registers } = this;
    const { locals } = registers;
    this.activateAll(variables);
    registers.reserve(variables.length);
    const block = this.block();
    registers.locals = locals;
    registers.free = locals;
    return block;
  }

  private functionStatement(line: number): Statement {
    const { lexer, registers } = this;
    const target = new Operand();
    const value = new Operand();
    let method = false;
    lexer.next();
    this.variable(target);
    while (lexer.token === DOT) this.field(target);
    if (lexer.token === COLON) {
      method = true;
      this.field(target);
    }
    value.node = { kind: 'function', func: this.body(value, method, line) };
    registers.store(target, value);
    this.assigned(target, line);
    return { kind: 'assign', targets: [target.node], values: [value.node], line };
  }

  private localFunction(): Statement {
    const { registers } = this;
    const local = this.declare(this.name(), 0, this.scope);
    const value = new Operand();
    registers.reserve(1);
    this.activate(local);
    return { kind: 'declare-function', local, func: this.body(value, false, this.lexer.line) };
  }

  private localStatement(): Statement {
    const { lexer, registers } = this;
    const locals: Variable[] = [];
    const last = new Operand();
    let values: Expression[] = [];
    do {
      locals.push(this.declare(this.name(), locals.length, this.scope));
    } while (this.accept(COMMA));
    if (this.accept(ASSIGN)) values = this.list(last);
    registers.adjust(locals.length, values.length, last);
    this.activateAll(locals);
    return { kind: 'declare', locals, values, line: lexer.lastLine };
  }

  private returnStatement(): Statement {
    const { lexer, registers } = this;
    let values: Expression[] = [];
    lexer.next();
    if (!this.atBlockEnd() && lexer.token !== SEMICOLON) {
      const last = new Operand();
      values = this.list(last);
      if (last.hasMany()) registers.several(last);
      else if (values.length === 1) registers.toAny(last);
      else registers.toNext(last);
    }
    return { kind: 'return', values, line: lexer.lastLine };
  }

  private callOrAssignment(): Statement {
    const e = new Operand();
    this.primary(e);
    if (e.kind === CALL) return { kind: 'call-statement', call: e.node as Call | MethodCall };
    return this.assignment(e);
  }

  private assignment(first: Operand): Statement {
    const { lexer, registers } = this;
    const targets: Operand[] = [];
    for (let target = first; ; ) {
      if (target.kind < LOCAL || target.kind > INDEXED) throw lexer.unexpected('syntax error');
      targets.push(target);
      if (!this.accept(COMMA)) break;
      const next = new Operand();
      this.primary(next);
      if (next.kind === LOCAL) this.keepApart(targets, next.place);
      this.checkLimit(this.frame, targets.length, MAX_LEVELS - this.level, 'variables in assignment');
      target = next;
    }
    this.skip(ASSIGN);
    const value = new Operand();
    const values = this.list(value);
    const line = lexer.lastLine;
    let rest = targets.length;
    if (values.length === rest) {
      registers.one(value);
      registers.store(targets[--rest], value);
    } else {
      registers.adjust(rest, values.length, value);
      if (values.length > rest) registers.free -= values.length - rest;
    }
    while (rest > 0) {
      value.set(FIXED, registers.free - 1);
      registers.store(targets[--rest], value);
    }
    for (const target of targets) this.assigned(target, line);
    return { kind: 'assign', targets: targets.map((target) => target.node), values, line };
  }

  /** A local variable that is assigned to is also a table or key in targets before it: they use a copy. */
  private keepApart(targets: readonly Operand[], place: number): void {
    const { registers } = this;
    let conflict = false;
    for (const target of targets) {
      if (target.kind !== INDEXED) continue;
      if (target.place === place) {
        target.place = registers.free;
        conflict = true;
      }
      if (target.key === place) {
        target.key = registers.free;
        conflict = true;
      }
    }
    if (conflict) registers.reserve(1);
  }

  private assigned(target: Operand, line: number): void {
    const { node } = target;
    if (node.kind === 'local') node.local.reassigned = true;
    else (node as { line: number }).line = line;
  }
}

/**
 * Parses a chunk; throws a LuaError with Lua's text. `chunkName` is the form that error texts show (see chunkId);
 * `depth` counts the C calls that Lua would be in, which take from the levels that the chunk may nest: none for a script
 * that the server loads, one for `loadstring` called by a script, and one more for each pcall, sort… in between.
 */
export function parse(source: string, chunkName: string, depth = 0): FunctionBody {
  return new Parser(new Lexer(source, chunkName), depth).chunk();
}

/** Size of a chunk's name where an error at run time shows it, and where a syntax error does. */
const RUNTIME_ID_SIZE = 60;
export const SYNTAX_ID_SIZE = 80;

/** A chunk's name as error texts show it: `=name` and `@name` as they are, else the first line of what is a source;
 *  cut to less than `size` bytes. */
export function chunkId(name: string, size = RUNTIME_ID_SIZE): string {
  const zero = name.indexOf('\0');
  const source = zero < 0 ? name : name.slice(0, zero);
  if (source[0] === '=') return source.slice(1, size);
  if (source[0] === '@') {
    // The end of a path says more than its beginning. C takes its space from the size of " '...' ".
    const room = size - 8;
    return source.length - 1 > room ? `...${source.slice(-room)}` : source.slice(1);
  }
  const line = source.search(/[\n\r]/);
  const length = Math.min(line < 0 ? source.length : line, size - 17);
  return `[string "${length < source.length ? `${source.slice(0, length)}...` : source}"]`;
}
