// Walks through a script as Lua would, with values that are only known in part (values.ts): both ways of an if, each
// loop once, into the script's own functions with the arguments they are called with. What it meets goes into a Run.
// script.ts calls it for every place where a script or function begins.
import type { Block, Expression, FunctionBody, Local, Statement } from '../lua/ast.ts';
import type { Calls } from './calls.ts';
import { isLibraryName, libraryValue } from './libraries.ts';
import type { Comparison, Exit, RedisCall, Run } from './run.ts';
import type { State } from './state.ts';
import { argument, elementOf, makeTable, setField } from './tables.ts';
import { walkBlock } from './tree.ts';
import { bounded, core, either, identity, NIL, UNKNOWN, type Value } from './values.ts';

/** Steps of one run, and depth of its functions: what is beyond them stays unknown. */
const MOST_STEPS = 60_000;
const DEEPEST = 12;

interface Frame {
  readonly func: FunctionBody;
  readonly exits: { readonly values: readonly Value[]; readonly state: State }[];
  readonly breaks: State[][];
  readonly varargs: readonly Value[];
}

const COMPARISONS = new Set(['==', '~=', '<', '<=', '>', '>=']);

export class Interpreter {
  readonly run: Run;
  readonly state: State;
  /** Functions that were walked through. */
  readonly entered: Set<FunctionBody>;
  /** Conditions of the branches around the present place. */
  guards: readonly Value[] = [];
  /** Within so many calls of pcall. */
  protection = 0;
  private readonly calls: Calls;
  private readonly frames: Frame[] = [];
  private steps = 0;
  private order = 0;

  constructor(run: Run, state: State, entered: Set<FunctionBody>, calls: Calls) {
    this.run = run;
    this.state = state;
    this.entered = entered;
    this.calls = calls;
  }

  /** Numbers the moments of a run. */
  next(): number {
    return ++this.order;
  }

  /** Walks through a function; answers what it returns. */
  enter(func: FunctionBody, args: readonly Value[]): readonly Value[] {
    const isRecursion = this.frames.some((frame) => frame.func === func);
    if (isRecursion || this.frames.length >= DEEPEST || this.steps > MOST_STEPS) return [UNKNOWN];
    this.entered.add(func);
    const frame: Frame = { func, exits: [], breaks: [], varargs: args.slice(func.params.length) };
    func.params.forEach((param, at) => {
      this.declare(param, argument(args, at));
    });
    this.frames.push(frame);
    this.block(func.body);
    this.frames.pop();
    const ways = frame.exits.map((exit) => exit.state);
    const results = frame.exits.map((exit) => exit.values);
    if (!this.state.dead) {
      ways.push(this.state.copy());
      results.push([]);
    }
    if (ways.length > 0) this.state.become(ways);
    const width = Math.max(0, ...results.map((values) => values.length));
    return Array.from({ length: width }, (_, at) => either(results.map((values) => argument(values, at))));
  }

  // ---- statements

  block(block: Block): void {
    for (const statement of block.statements) {
      if (this.state.dead) return;
      this.statement(statement);
    }
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case 'call-statement':
        this.several(statement.call);
        return;
      case 'declare': {
        const values = this.list(statement.values);
        statement.locals.forEach((local, at) => {
          this.declare(local, argument(values, at));
        });
        return;
      }
      case 'declare-function':
        this.state.locals.set(statement.local, { kind: 'function', func: statement.func });
        return;
      case 'assign':
        this.assign(statement.targets, this.list(statement.values));
        return;
      case 'do':
        this.block(statement.block);
        return;
      case 'if':
        this.branches(statement);
        return;
      case 'return':
        this.leave(this.list(statement.values), returnLine(statement), false);
        return;
      case 'break':
        this.frames.at(-1)?.breaks.at(-1)?.push(this.alive());
        this.state.dead = true;
        return;
      default:
        this.loop(statement);
    }
  }

  private declare(local: Local, value: Value): void {
    this.state.locals.set(local, value);
    this.name(value, local.name);
  }

  /** Notes what the script calls a value. */
  name(value: Value, name: string): void {
    const inner = core(value);
    if (inner.kind === 'constant' || inner.kind === 'unknown' || inner.kind === 'library') return;
    const key = identity(inner);
    const names = this.run.names.get(key) ?? new Set();
    names.add(name);
    this.run.names.set(key, names);
  }

  private assign(targets: readonly Expression[], values: readonly Value[]): void {
    targets.forEach((target, at) => {
      const value = argument(values, at);
      if (target.kind === 'local') this.declare(target.local, value);
      else if (target.kind === 'global') this.state.globals.set(target.name, value);
      else if (target.kind === 'index') {
        const object = this.value(target.object);
        setField(object, this.value(target.key), value, target.key.kind === 'binary');
      }
    });
  }

  private branches({ clauses, otherwise }: Extract<Statement, { kind: 'if' }>): void {
    const { guards, state } = this;
    const ways: State[] = [];
    for (const { condition, block } of clauses) {
      const value = this.value(condition);
      this.guards = [...this.guards, value];
      const before = state.copy();
      this.block(block);
      ways.push(state.copy());
      restore(state, before);
    }
    if (otherwise !== null) this.block(otherwise);
    ways.push(state.copy());
    this.guards = guards;
    state.become(ways);
  }

  private loop(statement: Extract<Statement, { kind: 'while' | 'repeat' | 'for' | 'for-in' }>): void {
    const { state, guards } = this;
    const breaks: State[] = [];
    if (statement.kind === 'for') this.declare(statement.variable, this.counter(statement));
    if (statement.kind === 'for-in') this.iterate(statement.variables, this.list(statement.values));
    if (statement.kind === 'while' || statement.kind === 'repeat') this.run.loops.add(statement);
    this.forget(statement.block);
    if (statement.kind === 'while') this.guards = [...guards, this.value(statement.condition)];
    const before = state.copy();
    this.frames.at(-1)?.breaks.push(breaks);
    this.block(statement.block);
    this.frames.at(-1)?.breaks.pop();
    if (statement.kind === 'repeat' && !state.dead) this.value(statement.condition);
    this.guards = guards;
    const skipped = statement.kind === 'repeat' ? [] : [before];
    state.become([...skipped, state.copy(), ...breaks]);
  }

  private counter(statement: Extract<Statement, { kind: 'for' }>): Value {
    for (const part of [statement.start, statement.limit]) this.value(part);
    if (statement.step !== null) this.value(statement.step);
    return UNKNOWN;
  }

  private iterate(variables: readonly Local[], values: readonly Value[]): void {
    // `pairs(t)` and `ipairs(t)` hand the table on as what they iterate over.
    const [iterator] = values;
    const isList = iterator?.kind === 'result' && (iterator.name === 'ipairs' || iterator.name === 'pairs');
    const items = isList ? elementOf(iterator.args[0] ?? UNKNOWN, UNKNOWN) : UNKNOWN;
    variables.forEach((variable, at) => {
      this.declare(variable, at === 1 ? items : UNKNOWN);
    });
  }

  // What a loop assigns may be anything of an earlier turn.
  private forget(block: Block): void {
    const { locals } = this.state;
    walkBlock(block, {
      statement: (statement) => {
        if (statement.kind !== 'assign') return;
        for (const target of statement.targets) {
          const value = target.kind === 'local' ? locals.get(target.local) : undefined;
          if (target.kind === 'local' && value !== undefined)
            locals.set(target.local, either([value, UNKNOWN]));
        }
      },
    });
  }

  /** Ends the present function (or, raised, the whole run). */
  leave(values: readonly Value[], line: number, raised: boolean): void {
    const { state, guards } = this;
    const isRoot = this.frames.length === 1;
    if ((isRoot || raised) && this.protection === 0) {
      const exit: Exit = { order: this.next(), line, values, raised, writes: state.writes, guards };
      this.run.exits.push(exit);
    }
    if (!raised) this.frames.at(-1)?.exits.push({ values, state: this.alive() });
    state.dead = true;
  }

  private alive(): State {
    return this.state.copy();
  }

  // ---- expressions

  /** A list of expressions, the last of which may be several values. */
  list(expressions: readonly Expression[]): Value[] {
    return expressions.flatMap((expression, at) =>
      at === expressions.length - 1 ? [...this.several(expression)] : [this.value(expression)],
    );
  }

  /** One value. */
  value(expression: Expression): Value {
    const [first] = this.several(expression);
    const value = first === undefined ? NIL : first.kind === 'several' ? elementOf(first.of, UNKNOWN) : first;
    const known = this.run.values.get(expression);
    this.run.values.set(expression, known === undefined ? value : either([known, value]));
    return value;
  }

  /** All values of an expression. */
  several(expression: Expression): readonly Value[] {
    this.steps++;
    if (expression.kind === 'call' || expression.kind === 'method') {
      const values = this.calls.call(this, expression);
      this.run.values.set(expression, values[0] ?? NIL);
      return values;
    }
    if (expression.kind === 'vararg') return this.frames.at(-1)?.varargs ?? [];
    return [this.single(expression)];
  }

  private single(expression: Expression): Value {
    switch (expression.kind) {
      case 'nil':
        return NIL;
      case 'true':
      case 'false':
        return { kind: 'constant', value: expression.kind === 'true' };
      case 'number':
      case 'string':
        return { kind: 'constant', value: expression.value };
      case 'function':
        return { kind: 'function', func: expression.func };
      case 'local':
        return this.state.locals.get(expression.local) ?? UNKNOWN;
      case 'global':
        return this.global(expression.name);
      case 'index':
        return this.index(expression);
      case 'paren':
        return this.value(expression.inner);
      case 'table':
        return makeTable(expression, this);
      case 'and':
      case 'or':
        return this.choice(expression);
      case 'binary':
        return this.binary(expression);
      case 'not':
      case 'negate':
      case 'length':
        return this.unary(expression);
      default:
        return UNKNOWN;
    }
  }

  private global(name: string): Value {
    const known = this.state.globals.get(name);
    if (known !== undefined) return known;
    if (name === 'KEYS' || name === 'ARGV') return { kind: 'inputs', of: name };
    return isLibraryName(name) ? libraryValue(name) : UNKNOWN;
  }

  private index({ object, key }: Extract<Expression, { kind: 'index' }>): Value {
    return elementOf(this.value(object), this.value(key));
  }

  private choice({ kind, left, right }: Extract<Expression, { kind: 'and' | 'or' }>): Value {
    const first = this.value(left);
    const { guards } = this;
    this.guards = [...guards, first];
    const before = this.state.copy();
    const second = this.value(right);
    this.state.become([before, this.state.copy()]);
    this.guards = guards;
    // `a and b` is a only where that is false or nil.
    return kind === 'and' ? second : either([first, second]);
  }

  private unary(expression: Extract<Expression, { kind: 'not' } | { kind: 'negate' | 'length' }>): Value {
    const operand = this.value(expression.operand);
    if (expression.kind === 'negate' && operand.kind === 'constant') {
      return { kind: 'constant', value: -Number(operand.value) };
    }
    const operator = { not: 'not ', negate: '-', length: '#' }[expression.kind];
    const line = expression.kind === 'not' ? 0 : expression.line;
    return bounded({ kind: 'computed', operator, operands: [operand], line });
  }

  private binary(expression: Extract<Expression, { kind: 'binary' }>): Value {
    const { operator, line } = expression;
    const left = this.value(expression.left);
    const right = this.value(expression.right);
    if (COMPARISONS.has(operator)) {
      const comparison: Comparison = { order: this.next(), line, operator, left, right };
      this.run.comparisons.push(comparison);
    }
    if (operator === '..' && left.kind === 'constant' && right.kind === 'constant') {
      return { kind: 'constant', value: `${left.value}${right.value}` };
    }
    const value: Value = { kind: 'computed', operator, operands: [left, right], line };
    this.run.computed.push(value);
    return bounded(value);
  }

  /** Notes a command: what it wrote counts for all that follows. */
  record(call: RedisCall, isWrite: boolean): void {
    this.run.calls.push(call);
    if (isWrite) this.state.writes = [...this.state.writes, call];
  }
}

function restore(state: State, before: State): void {
  state.locals = before.locals;
  state.globals = before.globals;
  state.writes = before.writes;
  state.dead = before.dead;
}

// A table over several lines begins where one would look for it.
function returnLine({ values, line }: Extract<Statement, { kind: 'return' }>): number {
  const [first] = values;
  return first !== undefined && (first.kind === 'table' || first.kind === 'call') ? first.line : line;
}
