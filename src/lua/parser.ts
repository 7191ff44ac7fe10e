// Parses Lua 5.1 into the tree of ast.ts, names resolved: `load` and scripting call it, emitter.ts gets the tree. It
// follows Lua's own one-pass compiler closely, because scripts see its order of checks, its limits and its lines.
// Here are statements and functions; expressions.ts has the rest of the grammar, scopes.ts the names and the limits.
//
// A vararg function other than the main one has a variable `arg` behind its parameters: `func.scope.locals` holds it,
// `func.params` does not. If the function writes `...` it starts as nil; if not, `func.argTable` is that variable and
// has to start as the table of Lua 5.0.
import type { Block, Call, Expression, FunctionBody, MethodCall, Scope, Statement } from './ast.ts';
import { Expressions } from './expressions.ts';
import * as T from './lexer.ts';
import { Lexer } from './lexer.ts';
import { CALL, FIXED, INDEXED, LOCAL, Operand, RELOCATABLE } from './registers.ts';
import { type FunctionNode, Scopes, type Variable } from './scopes.ts';

class Parser {
  private readonly lexer: Lexer;
  private readonly scopes: Scopes;
  private readonly expressions: Expressions;
  /** Scope that new variables join. */
  private scope: Scope;

  constructor(lexer: Lexer, depth: number) {
    this.lexer = lexer;
    this.scopes = new Scopes(lexer, depth);
    this.expressions = new Expressions(lexer, this.scopes, this);
    this.scope = this.scopes.frame.node.scope;
  }

  chunk(): FunctionBody {
    const { lexer } = this;
    const main = this.scopes.frame.node;
    lexer.next();
    main.body = this.statements();
    lexer.expect(T.EOS);
    main.endLine = lexer.line;
    return main;
  }

  // Functions.

  private params(node: FunctionNode): void {
    const { lexer, scopes } = this;
    const { registers } = scopes;
    const { params } = node;
    const { scope } = node;
    const first = params.length;
    if (lexer.token !== T.CLOSE_PAREN) {
      do {
        if (lexer.token === T.NAME) {
          params.push(scopes.declare(lexer.name(), params.length - first, scope));
        } else if (lexer.token === T.DOTS) {
          lexer.next();
          node.argTable = scopes.declare('arg', params.length - first, scope);
          node.vararg = true;
        } else {
          throw lexer.unexpected("<name> or '...' expected");
        }
      } while (!node.vararg && lexer.accept(T.COMMA));
    }
    for (let i = first; i < params.length; i++) scopes.activate(params[i]);
    if (node.argTable !== null) scopes.activate(node.argTable);
    registers.reserve(registers.locals);
  }

  /** From the parameters to `end`; expressions.ts calls it too. */
  body(e: Operand, method: boolean, line: number): FunctionBody {
    const { lexer, scopes } = this;
    const node = scopes.beginFunction(line);
    lexer.skip(T.OPEN_PAREN);
    if (method) {
      const self = scopes.declare('self', 0, node.scope);
      node.params.push(self);
      scopes.activate(self);
    }
    this.params(node);
    lexer.skip(T.CLOSE_PAREN);
    node.body = this.statements();
    node.endLine = lexer.line;
    lexer.close(T.END, T.FUNCTION, line);
    scopes.endFunction();
    e.set(RELOCATABLE, 0);
    return node;
  }

  // Statements.

  private statements(): Block {
    const { lexer, scopes } = this;
    const { registers } = scopes;
    const outer = this.scope;
    const scope: Scope = { locals: [] };
    const statements: Statement[] = [];
    this.scope = scope;
    scopes.enter();
    let last = false;
    while (!last && !this.atBlockEnd()) {
      last = lexer.token === T.RETURN || lexer.token === T.BREAK;
      statements.push(this.statement());
      lexer.accept(T.SEMICOLON);
      registers.free = registers.locals;
    }
    scopes.leave();
    this.scope = outer;
    return { scope, statements };
  }

  /** Parses the statements of a block, with variables of its own. */
  private block(): Block {
    const { scopes } = this;
    const { size } = scopes;
    const { locals } = scopes.registers;
    const block = this.statements();
    scopes.endBlock(size, locals);
    return block;
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
        lexer.close(T.END, T.DO, line);
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
        return lexer.accept(T.FUNCTION) ? this.localFunction() : this.localStatement();
      case T.RETURN:
        return this.returnStatement();
      case T.BREAK:
        lexer.next();
        if (this.scopes.frame.loops === 0) throw lexer.unexpected('no loop to break');
        return { kind: 'break' };
      default:
        return this.callOrAssignment();
    }
  }

  private condition(): Expression {
    const e = new Operand();
    this.expressions.expression(e);
    this.scopes.registers.goIfTrue(e);
    return e.node;
  }

  private ifStatement(line: number): Statement {
    const { lexer } = this;
    const clauses: { condition: Expression; block: Block }[] = [];
    do {
      lexer.next();
      const condition = this.condition();
      lexer.skip(T.THEN);
      clauses.push({ condition, block: this.block() });
    } while (lexer.token === T.ELSEIF);
    const otherwise = lexer.accept(T.ELSE) ? this.block() : null;
    lexer.close(T.END, T.IF, line);
    return { kind: 'if', clauses, otherwise };
  }

  private whileStatement(line: number): Statement {
    this.lexer.next();
    const condition = this.condition();
    this.scopes.frame.loops++;
    this.lexer.skip(T.DO);
    const block = this.block();
    this.lexer.close(T.END, T.WHILE, line);
    this.scopes.frame.loops--;
    return { kind: 'while', condition, block, line };
  }

  private repeatStatement(line: number): Statement {
    const { scopes } = this;
    const { registers } = scopes;
    const { locals } = registers;
    const { size } = scopes;
    scopes.frame.loops++;
    this.lexer.next();
    const block = this.statements();
    this.lexer.close(T.UNTIL, T.REPEAT, line);
    const condition = this.condition();
    scopes.endBlock(size, locals);
    scopes.frame.loops--;
    return { kind: 'repeat', block, condition, line };
  }

  private forStatement(line: number): Statement {
    const { lexer, scopes } = this;
    const { registers } = scopes;
    const { locals } = registers;
    const { size } = scopes;
    const scope: Scope = { locals: [] };
    let statement: Statement;
    scopes.frame.loops++;
    lexer.next();
    const name = lexer.name();
    switch (lexer.token) {
      case T.ASSIGN:
        statement = this.numericFor(name, scope);
        break;
      case T.COMMA:
      case T.IN:
        statement = this.genericFor(name, scope);
        break;
      default:
        throw lexer.unexpected("'=' or 'in' expected");
    }
    lexer.close(T.END, T.FOR, line);
    scopes.endBlock(size, locals);
    scopes.frame.loops--;
    return statement;
  }

  private operandOfFor(): Expression {
    const e = new Operand();
    this.expressions.expression(e);
    this.scopes.registers.toNext(e);
    return e.node;
  }

  private numericFor(name: string, scope: Scope): Statement {
    const { scopes } = this;
    const { registers } = scopes;
    for (let i = 0; i < 3; i++) scopes.count(i);
    const variable = scopes.declare(name, 3, scope);
    this.lexer.next();
    const start = this.operandOfFor();
    this.lexer.skip(T.COMMA);
    const limit = this.operandOfFor();
    let step: Expression | null = null;
    if (this.lexer.accept(T.COMMA)) {
      step = this.operandOfFor();
    } else {
      registers.constant(1);
      registers.reserve(1);
    }
    registers.locals += 3;
    this.lexer.skip(T.DO);
    const line = this.lexer.lastLine;
    const block = this.forBlock([variable]);
    return { kind: 'for', variable, scope, start, limit, step, block, line };
  }

  private genericFor(name: string, scope: Scope): Statement {
    const { lexer, scopes } = this;
    const { registers } = scopes;
    for (let i = 0; i < 3; i++) scopes.count(i);
    const variables = [scopes.declare(name, 3, scope)];
    while (lexer.accept(T.COMMA)) variables.push(scopes.declare(lexer.name(), 3 + variables.length, scope));
    lexer.skip(T.IN);
    const { line } = lexer;
    const last = new Operand();
    const values = this.expressions.list(last);
    registers.adjust(3, values.length, last);
    registers.check(3);
    registers.locals += 3;
    lexer.skip(T.DO);
    return { kind: 'for-in', variables, scope, values, block: this.forBlock(variables), line };
  }

  private forBlock(variables: readonly Variable[]): Block {
    const { scopes } = this;
    const { registers } = scopes;
    const { locals } = registers;
    scopes.activateAll(variables);
    registers.reserve(variables.length);
    const block = this.block();
    registers.locals = locals;
    registers.free = locals;
    return block;
  }

  private functionStatement(line: number): Statement {
    const { lexer } = this;
    const { registers } = this.scopes;
    const target = new Operand();
    const value = new Operand();
    let method = false;
    lexer.next();
    this.expressions.variable(target);
    while (lexer.token === T.DOT) this.expressions.field(target);
    if (lexer.token === T.COLON) {
      method = true;
      this.expressions.field(target);
    }
    value.node = { kind: 'function', func: this.body(value, method, line) };
    registers.store(target, value);
    this.assigned(target, line);
    return { kind: 'assign', targets: [target.node], values: [value.node], line };
  }

  private localFunction(): Statement {
    const { scopes } = this;
    const { registers } = scopes;
    const local = scopes.declare(this.lexer.name(), 0, this.scope);
    const value = new Operand();
    registers.reserve(1);
    scopes.activate(local);
    return { kind: 'declare-function', local, func: this.body(value, false, this.lexer.line) };
  }

  private localStatement(): Statement {
    const { lexer, scopes } = this;
    const { registers } = scopes;
    const locals: Variable[] = [];
    const last = new Operand();
    let values: Expression[] = [];
    do {
      locals.push(scopes.declare(lexer.name(), locals.length, this.scope));
    } while (lexer.accept(T.COMMA));
    if (lexer.accept(T.ASSIGN)) values = this.expressions.list(last);
    registers.adjust(locals.length, values.length, last);
    scopes.activateAll(locals);
    return { kind: 'declare', locals, values, line: lexer.lastLine };
  }

  private returnStatement(): Statement {
    const { lexer } = this;
    const { registers } = this.scopes;
    let values: Expression[] = [];
    lexer.next();
    if (!this.atBlockEnd() && lexer.token !== T.SEMICOLON) {
      const last = new Operand();
      values = this.expressions.list(last);
      if (last.hasMany()) registers.several(last);
      else if (values.length === 1) registers.toAny(last);
      else registers.toNext(last);
    }
    return { kind: 'return', values, line: lexer.lastLine };
  }

  private callOrAssignment(): Statement {
    const e = new Operand();
    this.expressions.primary(e);
    if (e.kind === CALL) return { kind: 'call-statement', call: e.node as Call | MethodCall };
    return this.assignment(e);
  }

  private assignment(first: Operand): Statement {
    const { lexer, scopes } = this;
    const { registers } = scopes;
    const targets: Operand[] = [];
    for (let target = first; ; ) {
      if (target.kind < LOCAL || target.kind > INDEXED) throw lexer.unexpected('syntax error');
      targets.push(target);
      if (!lexer.accept(T.COMMA)) break;
      const next = new Operand();
      this.expressions.primary(next);
      if (next.kind === LOCAL) this.keepApart(targets, next.place);
      scopes.checkTargets(targets.length);
      target = next;
    }
    lexer.skip(T.ASSIGN);
    const value = new Operand();
    const values = this.expressions.list(value);
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
    const { registers } = this.scopes;
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
