// What the emitter wants to know of a function before it writes code: which variables always hold numbers,
// which always the same function, and which functions always give one result. Wrong guesses are not possible:
// whatever is not certain counts as unknown.
import type { Block, Expression, FunctionBody, Local, Statement } from './ast.ts';
import { blocksOf, expressionsOf, partsOf } from './parts.ts';

/** Globals through which code can give a table metamethods, or get at those that can. */
const LEADS_TO_METATABLES: ReadonlySet<string> = new Set([
  '_G',
  'debug',
  'getfenv',
  'load',
  'loadstring',
  'module',
  'newproxy',
  'package',
  'require',
  'setfenv',
  'setmetatable',
]);

type Source = Expression | 'number' | 'unknown';

export class Analysis {
  readonly numeric: ReadonlySet<Local>;
  readonly functions: ReadonlyMap<Local, FunctionBody>;
  /** Variables that only ever have the value of this expression, a global or a field of one. */
  readonly aliases: ReadonlyMap<Local, Expression>;
  /** Are there functions besides the main one? */
  readonly hasFunctions: boolean;
  /** Can there be functions that are called without a call being written: metamethods? */
  readonly hasMetamethods: boolean;
  /** Functions that give exactly one result, whichever way they return. */
  private readonly single = new Set<FunctionBody>();

  constructor(main: FunctionBody) {
    const sources = new Map<Local, Source[]>();
    const add = (local: Local, source: Source): void => {
      const known = sources.get(local);
      if (known === undefined) sources.set(local, [source]);
      else known.push(source);
    };
    const collect = (statement: Statement): void => {
      switch (statement.kind) {
        case 'declare':
          statement.locals.forEach((local, i) => {
            add(local, valueAt(statement.values, i, statement.locals.length));
          });
          break;
        case 'declare-function':
          add(statement.local, { kind: 'function', func: statement.func });
          break;
        case 'assign':
          statement.targets.forEach((target, i) => {
            if (target.kind !== 'local') return;
            add(target.local, valueAt(statement.values, i, statement.targets.length));
          });
          break;
        case 'for':
          add(statement.variable, 'number');
          break;
        case 'for-in':
          for (const variable of statement.variables) add(variable, 'unknown');
          break;
      }
    };
    let functionCount = 0;
    let leadsToMetatables = false;
    const enter = (func: FunctionBody): void => {
      functionCount++;
      for (const param of func.params) add(param, 'unknown');
      if (func.argTable !== null) add(func.argTable, 'unknown');
    };
    walk(main, collect, enter, (e) => {
      if (e.kind === 'global' && LEADS_TO_METATABLES.has(e.name)) leadsToMetatables = true;
    });
    this.hasFunctions = functionCount > 1;
    this.hasMetamethods = this.hasFunctions && leadsToMetatables;

    const functions = new Map<Local, FunctionBody>();
    const aliases = new Map<Local, Expression>();
    const numeric = new Set<Local>();
    for (const [local, list] of sources) {
      const [only] = list;
      if (list.length === 1 && typeof only === 'object' && only.kind === 'function') {
        functions.set(local, only.func);
      } else if (list.length === 1 && typeof only === 'object' && isPath(only)) {
        aliases.set(local, only);
      } else if (list.every((source) => source !== 'unknown')) numeric.add(local);
    }
    // Assume numbers everywhere and take back what does not hold, until nothing changes.
    this.numeric = numeric;
    for (let changed = true; changed; ) {
      changed = false;
      for (const local of numeric) {
        const holds = sources
          .get(local)
          ?.every((source) => source === 'number' || (source !== 'unknown' && this.isNumber(source)));
        if (!holds) {
          numeric.delete(local);
          changed = true;
        }
      }
    }
    this.functions = functions;
    this.aliases = aliases;

    // The same way: functions that call each other give one result if all else does.
    const returned = new Map<FunctionBody, Expression[]>();
    for (const func of functions.values()) {
      if (!endsInReturn(func.body)) continue;
      const values: Expression[] = [];
      let isSingle = true;
      walkBlock(func.body, (statement) => {
        if (statement.kind !== 'return') return;
        if (statement.values.length === 1) values.push(statement.values[0]);
        else isSingle = false;
      });
      if (!isSingle) continue;
      this.single.add(func);
      returned.set(func, values);
    }
    for (let changed = true; changed; ) {
      changed = false;
      for (const func of this.single) {
        if (returned.get(func)?.every((value) => this.givesOne(value))) continue;
        this.single.delete(func);
        changed = true;
      }
    }
  }

  /** Is the value certainly a number? */
  isNumber(e: Expression): boolean {
    switch (e.kind) {
      case 'number':
      case 'length':
        return true;
      case 'local':
        return this.numeric.has(e.local);
      case 'negate':
        return this.isNumber(e.operand);
      case 'paren':
        return this.isNumber(e.inner);
      case 'binary': {
        // The left spine may be very long.
        let at: Expression = e;
        while (at.kind === 'binary') {
          if (!ARITHMETIC.has(at.operator) || !this.isNumber(at.right)) return false;
          at = at.left;
        }
        return this.isNumber(at);
      }
      default:
        return false;
    }
  }

  /** Is it certainly one value even where several are welcome? */
  givesOne(e: Expression): boolean {
    if (e.kind === 'vararg' || e.kind === 'method') return false;
    if (e.kind !== 'call') return true;
    const callee = e.callee.kind === 'local' ? this.functions.get(e.callee.local) : undefined;
    return callee !== undefined && this.single.has(callee);
  }
}

function isPath(e: Expression): boolean {
  if (e.kind === 'global') return true;
  return e.kind === 'index' && e.key.kind === 'string' && ['global', 'local'].includes(e.object.kind);
}

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^']);

function valueAt(values: readonly Expression[], i: number, targets: number): Source {
  if (i >= values.length) return 'unknown';
  const last = i === values.length - 1 && targets > values.length;
  const value = values[i];
  return last && (value.kind === 'call' || value.kind === 'method' || value.kind === 'vararg')
    ? 'unknown'
    : value;
}

function endsInReturn(block: Block): boolean {
  const last = block.statements.at(-1);
  if (last === undefined) return false;
  if (last.kind === 'return') return true;
  if (last.kind === 'do') return endsInReturn(last.block);
  if (last.kind !== 'if' || last.otherwise === null) return false;
  return last.clauses.every((clause) => endsInReturn(clause.block)) && endsInReturn(last.otherwise);
}

/** Visits the statements of a block and of the blocks in it, not those of inner functions. */
function walkBlock(block: Block, visit: (statement: Statement) => void): void {
  for (const statement of block.statements) {
    visit(statement);
    for (const inner of blocksOf(statement)) walkBlock(inner, visit);
  }
}

/** Visits all statements and functions of a chunk. Expressions can be deep: a stack of our own. */
function walk(
  main: FunctionBody,
  statement: (s: Statement) => void,
  enter: (func: FunctionBody) => void,
  expression: (e: Expression) => void,
): void {
  const functions = [main];
  for (let func = functions.pop(); func !== undefined; func = functions.pop()) {
    enter(func);
    walkBlock(func.body, (s) => {
      statement(s);
      const pending = [...expressionsOf(s)];
      for (let e = pending.pop(); e !== undefined; e = pending.pop()) {
        expression(e);
        if (e.kind === 'function') functions.push(e.func);
        else for (const part of partsOf(e)) pending.push(part);
      }
    });
  }
}
