// The state of one random program while it is written: lines, scopes, what a statement may cost. The files with
// rules (expressions.ts, statements.ts, features.ts) write through it; generate.ts makes one per program.
import type { Random } from '../random.ts';
import { freshName } from './text.ts';

/**
 * What the generator knows of a variable's value. `list` is a table of scalars with integer keys, `map` one with
 * string keys, `any` can be everything.
 */
export type Type = 'int' | 'num' | 'str' | 'bool' | 'list' | 'map' | 'fun' | 'any';

export interface Signature {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
  readonly vararg: boolean;
  /** Statements that one call runs, more or less. */
  readonly cost: number;
  /** `t.name` or `t:name` instead of a variable. */
  readonly method?: boolean;
}

export interface Variable {
  readonly name: string;
  readonly type: Type;
  readonly signature: Signature | null;
  /** May be assigned another value of its type. */
  readonly assignable: boolean;
  readonly global: boolean;
}

/** Statements that a whole program may run. */
const MOST = 4000;

export class Builder {
  readonly random: Random;
  readonly lines: string[] = [];
  private indent = 0;
  private scopes: Variable[][] = [[]];
  private globals: Variable[] = [];
  /** In a function with `...`. */
  vararg = false;
  /** In a coroutine, with no C function between. */
  mayYield = false;
  /** What the function that is being written returns; null where `return` would end more than that. */
  results: readonly Type[] | null = null;
  /** Blocks of statements around this place. */
  depth = 0;
  functionDepth = 0;
  loopDepth = 0;
  /** How often the place that is being written runs, per call of its function. */
  private times = 1;
  private cost = 0;
  private locals = 0;
  private uniques = 0;
  /** Statements left to write. */
  left: number;

  constructor(random: Random, statements: number) {
    this.random = random;
    this.left = statements;
  }

  line(text: string): void {
    this.lines.push('  '.repeat(this.indent) + text);
    this.cost += this.times;
  }

  /** A header line, what `body` writes, and a closing line. */
  block(header: string, body: () => void, footer = 'end'): void {
    this.line(header);
    this.indent++;
    body();
    this.indent--;
    this.lines.push('  '.repeat(this.indent) + footer);
  }

  /** A block in its own scope. */
  scope(body: () => void): void {
    const before = this.locals;
    this.scopes.push([]);
    this.depth++;
    body();
    this.depth--;
    this.scopes.pop();
    this.locals = before;
  }

  /** What `body` writes runs `times` times where it stands. */
  repeated(times: number, body: () => void): void {
    this.times *= times;
    this.loopDepth++;
    body();
    this.loopDepth--;
    this.times /= times;
  }

  /** Writes a function's body; answers what a call of it costs. */
  inFunction(vararg: boolean, body: () => void, mayYield = this.mayYield): number {
    const { vararg: v, times, cost: c, loopDepth, locals, mayYield: y, results } = this;
    this.vararg = vararg;
    this.mayYield = mayYield;
    this.results = null;
    this.times = 1;
    this.cost = 1;
    this.loopDepth = 0;
    this.locals = 0;
    this.functionDepth++;
    this.scope(body);
    this.functionDepth--;
    const { cost } = this;
    Object.assign(this, { vararg: v, times, cost: c, loopDepth, locals, mayYield: y, results });
    return cost;
  }

  /** Whether something of this cost fits in here. */
  affords(cost: number): boolean {
    return (cost + 1) * this.times + this.cost < MOST / (1 + this.functionDepth * this.functionDepth);
  }

  pay(cost: number): void {
    this.cost += cost * this.times;
  }

  /** No more locals fit in the function (Lua has place for 200). */
  get full(): boolean {
    return this.locals > 120;
  }

  declare(name: string, type: Type, more: { signature?: Signature; fixed?: boolean } = {}): void {
    this.locals++;
    this.scopes[this.scopes.length - 1]!.push({
      name,
      type,
      signature: more.signature ?? null,
      assignable: !more.fixed,
      global: false,
    });
  }

  declareGlobal(name: string, type: Type): void {
    this.globals = this.globals.filter((one) => one.name !== name);
    this.globals.push({ name, type, signature: null, assignable: true, global: true });
  }

  /** Declares a local of a random name; `avoid` are names that this statement uses already. */
  fresh(type: Type, more: { signature?: Signature; fixed?: boolean } = {}, avoid: string[] = []): string {
    const name = this.newName(avoid);
    this.declare(name, type, more);
    return name;
  }

  newName(avoid: string[] = []): string {
    let name = freshName(this.random);
    while (avoid.includes(name)) name += this.random.int(0, 9);
    return name;
  }

  /** A name that nothing hides. */
  unique(name: string): string {
    this.uniques++;
    return `${name}${this.uniques}_`;
  }

  /** Variables that a name at this place reaches. */
  visible(wanted: (one: Variable) => boolean): Variable[] {
    const seen = new Set<string>();
    const out: Variable[] = [];
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const scope = this.scopes[i]!;
      for (let k = scope.length - 1; k >= 0; k--) {
        const one = scope[k]!;
        if (seen.has(one.name)) continue;
        seen.add(one.name);
        if (wanted(one)) out.push(one);
      }
    }
    for (const one of this.globals) if (!seen.has(one.name) && wanted(one)) out.push(one);
    return out;
  }

  /** A variable of this type, or null. */
  variable(type: Type, assignable = false): Variable | null {
    const some = this.visible((one) => one.type === type && (!assignable || one.assignable));
    return some.length === 0 ? null : this.random.pick(some);
  }

  /** Whether the name is not hidden by a local. */
  reaches(name: string): boolean {
    return !this.scopes.some((scope) => scope.some((one) => one.name === name));
  }
}
