// What is in scope while a chunk is parsed: the functions begun, their variables, upvalues and registers. parser.ts
// and expressions.ts share one; Lua's limits on variables, upvalues and nesting are checked here.
import type { Block, FunctionBody, Local, Scope } from './ast.ts';
import type { Lexer } from './lexer.ts';
import { Registers } from './registers.ts';
import { LuaError } from './value.ts';

/** Depth of blocks, expressions and C calls. */
const MAX_LEVELS = 200;
const MAX_LOCALS = 200;
const MAX_UPVALUES = 60;
/** Local variables of a function in all, in scope or not. */
const MAX_DECLARED = 32767;

export class Variable implements Local {
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

export class FunctionNode implements FunctionBody {
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
  /** Variables of the functions around it that were in scope where it began. */
  readonly around: number;

  constructor(outer: Frame | null, node: FunctionNode, around: number, lexer: Lexer) {
    this.outer = outer;
    this.node = node;
    this.around = around;
    this.registers = new Registers(lexer);
  }
}

export class Scopes {
  private readonly lexer: Lexer;
  /** The innermost function, and its registers. */
  frame: Frame;
  registers: Registers;
  private level: number;
  /** Variables in scope, of all functions, and the innermost one of each name. */
  private readonly visible: Variable[] = [];
  private readonly names = new Map<string, Variable | null>();

  constructor(lexer: Lexer, depth: number) {
    this.lexer = lexer;
    this.level = depth;
    const main = new FunctionNode(null, 0);
    main.vararg = true;
    this.frame = new Frame(null, main, 0, lexer);
    this.registers = this.frame.registers;
  }

  // Levels and functions.

  enter(): void {
    if (++this.level > MAX_LEVELS) throw this.lexer.failure('chunk has too many syntax levels');
  }

  leave(): void {
    this.level--;
  }

  beginFunction(line: number): FunctionNode {
    const outer = this.frame;
    const node = new FunctionNode(outer.node, line);
    this.frame = new Frame(outer, node, this.visible.length, this.lexer);
    this.registers = this.frame.registers;
    return node;
  }

  endFunction(): void {
    const { around, outer } = this.frame;
    this.forget(around);
    this.frame = outer!;
    this.registers = outer!.registers;
  }

  // Variables.

  /** How many variables are in scope: endBlock is told what it was before the block. */
  get size(): number {
    return this.visible.length;
  }

  /** Announces a variable, the `pending`-th of those not yet in scope. */
  count(pending: number): void {
    this.checkLimit(this.frame, this.registers.locals + pending + 1, MAX_LOCALS, 'local variables');
    if (this.frame.declared++ === MAX_DECLARED) throw new LuaError('too many local variables');
  }

  declare(name: string, pending: number, scope: Scope): Variable {
    this.count(pending);
    return new Variable(name, this.frame.node, scope);
  }

  /** From here on the variable is in scope. */
  activate(variable: Variable): void {
    const { names } = this;
    variable.slot = this.registers.locals++;
    variable.hidden = names.get(variable.name) ?? null;
    names.set(variable.name, variable);
    this.visible.push(variable);
    variable.scope.locals.push(variable);
  }

  activateAll(variables: readonly Variable[]): void {
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

  /** Ends a block: leaves the first `size` variables in scope and takes the registers after `locals` back. */
  endBlock(size: number, locals: number): void {
    const { registers } = this;
    this.forget(size);
    registers.locals = locals;
    registers.free = locals;
  }

  find(name: string): Variable | null {
    return this.names.get(name) ?? null;
  }

  /** A variable of a function further out is used here. */
  capture(variable: Variable): void {
    variable.captured = true;
    this.addUpvalue(this.frame, variable);
  }

  /** Makes it an upvalue of the functions between it and here, from the outside in. */
  private addUpvalue(frame: Frame, variable: Variable): void {
    if (frame.node === variable.func) return;
    this.addUpvalue(frame.outer!, variable);
    const { upvalues } = frame;
    if (upvalues.includes(variable)) return;
    this.checkLimit(frame, upvalues.length + 1, MAX_UPVALUES, 'upvalues');
    upvalues.push(variable);
  }

  // Limits.

  /** Lua's parser calls itself for each target of an assignment, on what the levels leave of C's stack. */
  checkTargets(count: number): void {
    this.checkLimit(this.frame, count, MAX_LEVELS - this.level, 'variables in assignment');
  }

  private checkLimit(frame: Frame, count: number, limit: number, what: string): void {
    if (count <= limit) return;
    const { line } = frame.node;
    const where = line === 0 ? 'main function' : `function at line ${line}`;
    throw this.lexer.failure(`${where} has more than ${limit} ${what}`);
  }
}
