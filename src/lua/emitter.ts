// Lua to JavaScript. Each function becomes two: the direct form, which V8 runs at full speed, and the
// suspendable form, a generator for driver.ts, written only when it is needed. Used by compile.ts.
//
// - Nothing of the source reaches the text but literals: names of variables are numbered, strings go through
//   JSON.stringify.
// - Functions stand side by side, not nested. Variables that inner functions use live in objects (e7.c3), one
//   per block and per time it is entered, so that both forms of a function share them.
// - The quick case of each operation is inline; what can raise or call a metamethod is in operations.ts. Every
//   such place begins a line, marked with its number (positions.ts).
// - A variable is read when an operation takes place, not when its operand is evaluated: as Lua's registers.
import { Analysis } from './analysis.ts';
import type {
  BinaryOperator,
  Block,
  Call,
  FunctionBody,
  Local,
  MethodCall,
  Expression as Parsed,
  Scope,
  Statement,
  TableConstructor,
} from './ast.ts';
import { formatNumber } from './number.ts';
import { type ArithmeticEvent, arithmetic } from './operations.ts';
import type { CallSite } from './positions.ts';
import type { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { FORM, type LuaFunction, type LuaValue, paceOf } from './value.ts';

/** JavaScript text that stands for an expression (a temporary). */
interface Raw {
  readonly kind: 'raw';
  readonly text: string;
}
type Expression = Parsed | Raw;

export interface Emitted {
  readonly text: string;
  readonly sites: readonly CallSite[];
  /** Values of the Lua world that the text refers to as g0, g1… */
  readonly bound: readonly LuaValue[];
  /** By number: functions that cannot run for long, whatever they are given: no loop, no recursion, calls only
   *  of natives that are quick and of such functions. */
  readonly straight: readonly boolean[];
}

export type Form = 'direct' | 'suspendable';

export interface EmitOptions {
  readonly state: LuaState;
  /** Display name of the chunk. */
  readonly source: string;
  readonly form: Form;
  /** Variables outlive the run (a function library): changes can be undone. */
  readonly persistent: boolean;
}

/** Names that the text expects in its scope, see compile.ts. */
export const RUNTIME_NAMES =
  'T,P,N,A,K,TO,index,setIndex,arith,negate,length,concat,less,lessEqual,equals,callable,all,mod,pow,forNumber,' +
  'NX,NY,IP,G,planIndex,planSetIndex,planArith,planNegate,planConcat,planLess,planLessEqual,planEquals,callAt,iterate,Pause,' +
  'TailCall,isDirect,own,EP,fmt,cat,argTable,isCompiled';

/** Methods of strings that are quick. In a chunk without functions they can be nothing else. */
const QUICK_METHODS: ReadonlySet<string> = new Set(['sub', 'len', 'byte', 'upper', 'lower', 'format']);

/** Calls after which code counts as long, though it has no loop: functions that call each other twice double. */
const MAX_WEIGHT = 1000;

/** So many functions of a chunk are likely to be called. */
const EAGER = 30;

/** Longest left spine (`a+b+c…`, `a.b.c…`) that is written as nested text. */
const MAX_SPINE = 48;

const EVENTS: Partial<Record<BinaryOperator, ArithmeticEvent>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '^': 'pow',
};

export function emit(main: FunctionBody, options: EmitOptions): Emitted {
  return new Emitter(main, options).run();
}

class Emitter {
  readonly options: EmitOptions;
  readonly analysis: Analysis;
  readonly sites: CallSite[] = [];
  readonly bound: LuaValue[] = [];
  /** By number and function: how many calls a straight function makes at most, those of its callees included. */
  private readonly weights = new Map<number | FunctionBody, number>();
  private readonly boundIndex = new Map<LuaValue, string>();
  private readonly main: FunctionBody;
  private readonly functions: string[] = [];
  private readonly names = new Map<Local, string>();
  private readonly scopes = new Map<Scope, string>();

  constructor(main: FunctionBody, options: EmitOptions) {
    this.main = main;
    this.options = options;
    this.analysis = new Analysis(main);
  }

  run(): Emitted {
    const root = this.add(this.main).number;
    const { direct } = this;
    const list = this.functions.map((_, i) => `${direct ? 'p' : 'q'}${i}`).join(',');
    const names = this.functions.map((_, i) => `p${i}`).join(',');
    const text = [
      `"use strict";const {${RUNTIME_NAMES}}=$r,{s,S,B,form}=$c;`,
      this.bound.length > 0 ? `const [${this.bound.map((_, i) => `g${i}`).join(',')}]=B;` : '',
      direct ? '' : `const [${names}]=$c.direct;`,
      ...this.functions,
      `return {root:${root},list:[${list}]};`,
    ].join('\n');
    const straight = this.functions.map((_, i) => (this.weights.get(i) ?? MAX_WEIGHT) < MAX_WEIGHT);
    return { text, sites: this.sites, bound: this.bound, straight };
  }

  /** Does the chunk make functions, or live beside some that others made (a library)? */
  get hasFunctions(): boolean {
    return this.options.persistent || this.analysis.hasFunctions;
  }

  get direct(): boolean {
    return this.options.form === 'direct';
  }

  /** Writes a function; answers its number and the environments it has to be given. */
  add(func: FunctionBody): { number: number; scopes: readonly Scope[] } {
    // The number is taken before inner functions take theirs.
    const number = this.functions.length;
    this.functions.push('');
    const emitter = new FunctionEmitter(this, func, number);
    this.functions[number] = emitter.run();
    const weight = emitter.straight && !this.analysis.hasMetamethods ? emitter.weight : MAX_WEIGHT;
    this.weights.set(number, weight);
    this.weights.set(func, weight);
    return { number, scopes: [...emitter.outer] };
  }

  /** {@link MAX_WEIGHT} and more where it is not straight; so for a function that is being written, which calls
   *  itself. */
  weight(func: FunctionBody): number {
    return this.weights.get(func) ?? MAX_WEIGHT;
  }

  scopeName(scope: Scope): string {
    let name = this.scopes.get(scope);
    if (name === undefined) {
      name = `e${this.scopes.size}`;
      this.scopes.set(scope, name);
    }
    return name;
  }

  localName(local: Local): string {
    let name = this.names.get(local);
    if (name === undefined) {
      name = `${local.captured ? 'c' : 'v'}${this.names.size}`;
      this.names.set(local, name);
    }
    return name;
  }

  bind(value: LuaValue): string {
    let name = this.boundIndex.get(value);
    if (name === undefined) {
      name = `g${this.bound.length}`;
      this.boundIndex.set(value, name);
      this.bound.push(value);
    }
    return name;
  }

  /** Value of a global that cannot change, undefined where there is none such. */
  constant(e: Expression): LuaValue {
    const { state } = this.options;
    if (!state.frozen) return undefined;
    if (e.kind === 'global') {
      return state.inputNames.includes(e.name) ? undefined : state.globals.field(e.name);
    }
    if (e.kind === 'local') {
      // `local call = redis.call`
      const only = this.analysis.aliases.get(e.local);
      const value = only === undefined ? undefined : this.constant(only);
      return typeof value === 'function' || value instanceof LuaTable ? value : undefined;
    }
    if (e.kind !== 'index' || e.key.kind !== 'string') return undefined;
    if (e.object.kind !== 'global' && e.object.kind !== 'local') return undefined;
    const library = this.constant(e.object);
    return library instanceof LuaTable && library.isReadOnly ? library.field(e.key.value) : undefined;
  }
}

/** A value that an expression nearly always has, and the JavaScript test that it has it. */
interface Usual {
  readonly value: LuaValue;
  readonly test: string;
}

type Described = Pick<CallSite, 'how' | 'name'>;

class FunctionEmitter {
  /** Environments of enclosing functions that this one uses. */
  readonly outer = new Set<Scope>();
  private readonly chunk: Emitter;
  private readonly func: FunctionBody;
  private readonly number: number;
  private readonly direct: boolean;
  private readonly free: string[] = [];
  private temporaries = 0;
  private labels = 0;
  private zero: string | null = null;
  private ticks = false;
  straight = true;
  weight = 1;
  private readonly out: string[] = [];

  constructor(chunk: Emitter, func: FunctionBody, number: number) {
    this.chunk = chunk;
    this.func = func;
    this.number = number;
    this.direct = chunk.direct;
  }

  run(): string {
    const { func, chunk } = this;
    const params = func.params.map((_, i) => `a${i}`);
    this.environment(func.scope, new Map(func.params.map((param, i) => [param, `a${i}`])));
    func.params.forEach((param, i) => {
      if (!param.captured) this.out.push(`let ${chunk.localName(param)}=a${i};`);
    });
    if (func.body.scope !== func.scope) this.environment(func.body.scope, new Map());
    // `arg` of a vararg function: the table of Lua 5.0, or nil where the function writes `...` itself.
    for (const local of func.scope.locals) {
      if (func.params.includes(local) || !(func.vararg && local.name === 'arg')) continue;
      this.out.push(this.declare(local, local === func.argTable ? 'argTable(va)' : 'undefined'));
    }
    this.statements(func.body);
    const last = func.body.statements.at(-1);
    if (last?.kind !== 'return') this.out.push('return N;');

    const scopes = [...this.outer].map((scope) => chunk.scopeName(scope));
    const envs = scopes.join(',');
    const temps = Array.from({ length: this.temporaries }, (_, i) => `t${i}`).join(',');
    const declared = temps === '' ? '' : `let ${temps};`;
    const body = this.out.join('\n');
    const tick = this.ticks ? this.tick(func.line) : '';
    const rest = func.vararg ? ['...va'] : [];
    if (!this.direct) {
      const list = [...scopes, ...params, ...rest].join(',');
      return `const q${this.number}=function*(${list}){\n${tick}${declared}\n${body}};`;
    }
    // Asked by the probe it begins the suspendable form with the arguments in the second parameter (driver.ts).
    const at = (i: number): string => (i < params.length ? params[i] : `va[${i - params.length}]`);
    while (params.length < 2 && !func.vararg) params.push(`a${params.length}`);
    const probe = `if(${at(0)}===P)return form(${this.number},[${envs}],${at(1)});`;
    const list = [...params, ...rest].join(',');
    const text = `function(${list}){${probe}\n${tick}${declared}\n${body}}`;
    // In parentheses V8 compiles them with the rest, instead of parsing them up to three times until they run.
    return this.number <= EAGER
      ? `const p${this.number}=((${envs})=>(${text}));`
      : `const p${this.number}=(${envs})=>${text};`;
  }

  // ---- variables

  private environment(scope: Scope, initial: ReadonlyMap<Local, string>): void {
    const captured = scope.locals.filter((local) => local.captured);
    if (captured.length === 0) return;
    const fields = captured.map(
      (local) => `${this.chunk.localName(local)}:${initial.get(local) ?? 'undefined'}`,
    );
    if (this.chunk.options.persistent) fields.push('ep:EP()');
    this.out.push(`const ${this.chunk.scopeName(scope)}={${fields.join(',')}};`);
  }

  private variable(local: Local): string {
    const name = this.chunk.localName(local);
    if (!local.captured) return name;
    if (local.func !== this.func) this.outer.add(local.scope);
    return `${this.chunk.scopeName(local.scope)}.${name}`;
  }

  private declare(local: Local, value: string): string {
    return local.captured
      ? `${this.variable(local)}=${value};`
      : `let ${this.chunk.localName(local)}=${value};`;
  }

  private assignment(local: Local, value: string): string {
    const target = this.variable(local);
    if (!local.captured || !this.chunk.options.persistent) return `${target}=${value}`;
    // The value first: it may itself change the variable.
    const env = this.chunk.scopeName(local.scope);
    const t = this.take();
    this.give(t);
    return `(${t}=${value},own(${env}),${target}=${t})`;
  }

  private take(): string {
    return this.free.pop() ?? `t${this.temporaries++}`;
  }

  private give(...names: string[]): void {
    this.free.push(...names);
  }

  // ---- places

  private site(line: number, fields: Partial<CallSite> = {}): number {
    const { sites, options } = this.chunk;
    sites.push({
      source: options.source,
      line,
      how: null,
      name: null,
      how2: null,
      name2: null,
      call: false,
      tail: false,
      ...fields,
    });
    return sites.length - 1;
  }

  private mark(site: number): string {
    return `\n/*${site}*/`;
  }

  private describe(e: Expression): Described {
    switch (e.kind) {
      case 'local':
        return { how: e.local.func === this.func ? 'local' : 'upvalue', name: e.local.name };
      case 'global':
        return { how: 'global', name: e.name };
      case 'index':
        return { how: 'field', name: e.key.kind === 'string' ? e.key.value : '?' };
      case 'or':
        // What is decided when Lua compiles leaves no trace.
        return isFalse(e.left) ? this.describe(e.right) : NAMELESS;
      default:
        return NAMELESS;
    }
  }

  private tick(line: number): string {
    this.straight = false;
    if (this.direct) return 'if(--s.fuel<0)K();';
    return `if(--s.fuel<0)yield new Pause(S[${this.site(line)}]);`;
  }

  // ---- statements

  private block(block: Block): void {
    this.environment(block.scope, new Map());
    this.statements(block);
  }

  private statements(block: Block): void {
    for (const statement of block.statements) this.statement(statement);
  }

  private statement(st: Statement): void {
    const { out } = this;
    switch (st.kind) {
      case 'call-statement':
        out.push(`${this.call(st.call, false)};`);
        return;
      case 'declare':
        this.declaration(st.locals, st.values);
        return;
      case 'declare-function':
        if (!st.local.captured) out.push(`let ${this.chunk.localName(st.local)};`);
        out.push(`${this.variable(st.local)}=${this.closure(st.func)};`);
        return;
      case 'assign':
        this.assign(st.targets, st.values, st.line);
        return;
      case 'do':
        out.push('{');
        this.block(st.block);
        out.push('}');
        return;
      case 'while':
        out.push(`while(${this.condition(st.condition)}){${this.tick(st.line)}`);
        this.block(st.block);
        out.push('}');
        return;
      case 'repeat': {
        out.push(`while(true){${this.tick(st.line)}`);
        this.block(st.block);
        const last = st.block.statements.at(-1)?.kind;
        if (last !== 'return' && last !== 'break') out.push(`if(${this.condition(st.condition)})break;`);
        out.push('}');
        return;
      }
      case 'if':
        if (st.clauses.length > MAX_SPINE) {
          this.longIf(st);
          return;
        }
        st.clauses.forEach((clause, i) => {
          out.push(`${i === 0 ? '' : '}else '}if(${this.condition(clause.condition)}){`);
          this.block(clause.block);
        });
        if (st.otherwise !== null) {
          out.push('}else{');
          this.block(st.otherwise);
        }
        out.push('}');
        return;
      case 'for':
        this.numericFor(st);
        return;
      case 'for-in':
        this.genericFor(st);
        return;
      case 'return':
        this.returns(st.values);
        return;
      case 'break':
        out.push('break;');
    }
  }

  // JavaScript's `else if` nests.
  private longIf(st: Extract<Statement, { kind: 'if' }>): void {
    const { out } = this;
    const label = `i${this.labels++}`;
    out.push(`${label}:{`);
    for (const clause of st.clauses) {
      out.push(`if(${this.condition(clause.condition)}){`);
      this.block(clause.block);
      out.push(`break ${label};}`);
    }
    if (st.otherwise !== null) {
      out.push('{');
      this.block(st.otherwise);
      out.push('}');
    }
    out.push('}');
  }

  private declaration(locals: readonly Local[], values: readonly Parsed[]): void {
    const { out } = this;
    if (locals.length === 1 && values.length <= 1) {
      out.push(this.declare(locals[0], values.length === 0 ? 'undefined' : this.value(values[0])));
      return;
    }
    const refs = this.adjusted(values, locals.length);
    locals.forEach((local, i) => {
      out.push(this.declare(local, refs.values[i]));
    });
    this.give(...refs.taken);
  }

  // Evaluates a list of expressions for `count` receivers: texts that can be read in any order.
  private adjusted(values: readonly Expression[], count: number): { values: string[]; taken: string[] } {
    const result: string[] = [];
    const taken: string[] = [];
    values.forEach((value, i) => {
      const last = i === values.length - 1;
      if (last && count > values.length && isMulti(value)) {
        const t = this.take();
        taken.push(t);
        this.out.push(`${t}=${this.results(value)};`);
        for (let k = 0; i + k < count; k++) {
          result.push(k === 0 ? `(A(${t})?${t}[0]:${t})` : `(A(${t})?${t}[${k}]:undefined)`);
        }
        return;
      }
      if (isConstant(value) && i < count) {
        result.push(this.value(value));
        return;
      }
      const t = this.take();
      taken.push(t);
      this.out.push(`${t}=${this.value(value)};`);
      result.push(t);
    });
    while (result.length < count) result.push('undefined');
    return { values: result, taken };
  }

  private assign(targets: readonly Parsed[], values: readonly Parsed[], line: number): void {
    const { out } = this;
    if (targets.length === 1 && values.length === 1) {
      const [target] = targets;
      if (target.kind === 'local') out.push(`${this.assignment(target.local, this.value(values[0]))};`);
      else if (target.kind === 'index') this.store(target, values[0], line);
      else if (target.kind === 'global') {
        const globals = this.chunk.bind(this.chunk.options.state.globals);
        const key = JSON.stringify(target.name);
        const v = this.take();
        out.push(`${v}=${this.value(values[0])};${this.setText(globals, key, v, this.site(line), true)};`);
        this.give(v);
      }
      return;
    }
    // All targets' objects and keys, then all values, then the assignments from the last to the first.
    const taken: string[] = [];
    const places = targets.map((target) => {
      if (target.kind !== 'index') return null;
      const object = this.take();
      const key = this.take();
      taken.push(object, key);
      out.push(`${object}=${this.value(target.object)};${key}=${this.value(target.key)};`);
      return { object, key, site: this.site(line, this.describe(target.object)) };
    });
    const refs = this.adjusted(values, targets.length);
    for (let i = targets.length - 1; i >= 0; i--) {
      const target = targets[i];
      const place = places[i];
      if (target.kind === 'local') out.push(`${this.assignment(target.local, refs.values[i])};`);
      else if (target.kind === 'global') {
        const globals = this.chunk.bind(this.chunk.options.state.globals);
        out.push(
          `${this.setText(globals, JSON.stringify(target.name), refs.values[i], this.site(line), true)};`,
        );
      } else if (place !== null) {
        out.push(`${this.setText(place.object, place.key, refs.values[i], place.site, false)};`);
      }
    }
    this.give(...refs.taken, ...taken);
  }

  private store(target: Extract<Parsed, { kind: 'index' }>, value: Parsed, line: number): void {
    const object = this.holdObject(target.object);
    const key = this.hold(target.key);
    const v = this.hold(value);
    const setups = [object.setup, key.setup, v.setup].filter((x) => x !== '').join(',');
    const site = this.site(line, this.describe(target.object));
    this.out.push(
      `${setups === '' ? '' : `${setups};`}${this.setText(object.ref, key.ref, v.ref, site, false)};`,
    );
    this.give(...v.taken, ...key.taken, ...object.taken);
  }

  private setText(object: string, key: string, value: string, site: number, isTable: boolean): string {
    const quick = isTable ? `${object}.metatable===null` : isPlainTable(object);
    const slow = this.direct
      ? `${this.mark(site)}setIndex(${object},${key},${value})`
      : `yield*${this.mark(site)}G(planSetIndex(${object},${key},${value}),S[${site}])`;
    return `if(${quick})${this.mark(site)}${object}.set(${key},${value});else ${slow}`;
  }

  private numericFor(st: Extract<Statement, { kind: 'for' }>): void {
    const { out, chunk } = this;
    const { analysis } = chunk;
    const id = chunk.localName(st.variable);
    const whole = (e: Parsed | null): boolean =>
      e === null || (e.kind === 'number' && Number.isInteger(e.value) && Math.abs(e.value) < 2 ** 50);
    // Lua evaluates the three before it complains of any.
    const checked = [st.start, st.limit, ...(st.step === null ? [] : [st.step])];
    const names = [`n${id}`, `l${id}`, `d${id}`];
    out.push('{');
    checked.forEach((e, i) => {
      out.push(`let ${names[i]}=${this.value(e)};`);
    });
    checked.forEach((e, i) => {
      if (analysis.isNumber(e)) return;
      const what = ['initial value', 'limit', 'step'][i];
      const site = this.mark(this.site(st.line));
      out.push(`if(typeof ${names[i]}!=="number")${names[i]}=${site}forNumber(${names[i]},"${what}");`);
    });
    const [n, l, d] = names;
    const step = st.step === null ? '1' : d;
    // Lua subtracts the step and adds it again, which rounds.
    if (!whole(st.start) || !whole(st.step)) out.push(`${n}=${n}-${step}+${step};`);
    const constant = st.step === null ? 1 : constantNumber(st.step);
    const test =
      constant === null ? `${d}>0?${n}<=${l}:${n}>=${l}` : constant > 0 ? `${n}<=${l}` : `${n}>=${l}`;
    out.push(`for(;${test};${n}+=${step}){${this.tick(st.line)}`);
    this.environment(st.scope, new Map([[st.variable, n]]));
    if (!st.variable.captured) out.push(`let ${id}=${n};`);
    this.block(st.block);
    out.push('}}');
  }

  private genericFor(st: Extract<Statement, { kind: 'for-in' }>): void {
    const { out, chunk } = this;
    const id = chunk.localName(st.variables[0]);
    const [f, s, c, r] = ['f', 's', 'c', 'r'].map((letter) => `${letter}${id}`);
    out.push('{');
    const refs = this.adjusted(st.values, 3);
    out.push(`let ${f}=${refs.values[0]},${s}=${refs.values[1]},${c}=${refs.values[2]},${r};`);
    this.give(...refs.taken);
    const count = Math.max(2, st.variables.length);
    const temps = Array.from({ length: count }, (_, i) => `x${i}${id}`);
    const site = this.site(st.line, { call: true, name: '(for generator)' });
    const call = this.direct
      ? `(typeof ${f}==="function"?${f}:callable(${f}))${this.mark(site)}(${s},${c})`
      : `(isDirect(${f},s)?${this.mark(site)}${f}(${s},${c}):yield iterate(S[${site}],${f},[${s},${c}]))`;
    const [k, v] = temps;
    const rest = temps.map((t, i) => `${t}=${r}[${i}]`).join(';');
    const none = temps
      .slice(1)
      .map((t) => `${t}=undefined`)
      .join(';');
    out.push(
      `for(;;){${this.tick(st.line)}let ${temps.join(',')};`,
      `if((${f}===NX||${f}===NY)&&${s} instanceof T){${k}=${s}.next(${c});if(${k}===undefined)break;${v}=${s}.get(${k});}`,
      `else if(${f}===IP&&${s} instanceof T&&(${c}|0)===${c}){${k}=${c}+1;${v}=${s}.get(${k});if(${v}===undefined)break;}`,
      `else{${r}=${call};if(A(${r})){${rest};}else{${k}=${r};${none};}if(${k}===undefined)break;}`,
      `${c}=${k};`,
    );
    this.environment(st.scope, new Map(st.variables.map((local, i) => [local, temps[i]])));
    st.variables.forEach((local, i) => {
      if (!local.captured) out.push(`let ${chunk.localName(local)}=${temps[i]};`);
    });
    this.block(st.block);
    out.push('}}');
  }

  private returns(values: readonly Parsed[]): void {
    const { out } = this;
    if (values.length === 0) out.push('return N;');
    else if (values.length === 1) {
      const [value] = values;
      if (value.kind === 'call' || value.kind === 'method') out.push(`return (${this.call(value, true)});`);
      else if (value.kind === 'vararg') out.push('return va.length===1?va[0]:va;');
      else out.push(`return (${this.value(value)});`);
    } else out.push(`return [${this.list(values)}];`);
  }

  // ---- expressions

  /** Texts of a list, the last expanded to all its results. */
  private list(values: readonly Expression[]): string {
    // A variable that a later value changes counts with its value of now.
    return values
      .map((value, i) => {
        if (i < values.length - 1 || !isMulti(value)) return this.value(value);
        if (value.kind === 'vararg') return '...va';
        if (this.chunk.analysis.givesOne(value as Parsed)) return this.value(value);
        return `...all(${this.results(value)})`;
      })
      .join(',');
  }

  /** All results of a call or `...`. */
  private results(e: Expression): string {
    if (e.kind === 'vararg') return 'va';
    if (e.kind === 'call' || e.kind === 'method') return this.call(e, false);
    return this.value(e);
  }

  /** An operand: what to evaluate first, and the text that stands for it from then on. */
  private hold(unfolded: Expression): { setup: string; ref: string; taken: string[] } {
    const e = folded(unfolded);
    if (isConstant(e) || (e.kind === 'local' && e.local.func === this.func) || e.kind === 'raw') {
      return { setup: '', ref: this.value(e), taken: [] };
    }
    const text = this.value(e);
    const t = this.take();
    return { setup: `${t}=${text}`, ref: t, taken: [t] };
  }

  /** As hold, for what a member is taken of: `5.x` is no JavaScript. */
  private holdObject(e: Expression, copied = isConstant(e)): { setup: string; ref: string; taken: string[] } {
    if (!copied) return this.hold(e);
    const t = this.take();
    return { setup: `${t}=${this.value(e)}`, ref: t, taken: [t] };
  }

  private value(unfolded: Expression): string {
    const spine = leftSpine(unfolded);
    if (spine !== null) return this.unrolled(spine);
    const e = folded(unfolded);
    switch (e.kind) {
      case 'raw':
        return e.text;
      case 'nil':
        return 'undefined';
      case 'true':
      case 'false':
        return e.kind;
      case 'number':
        return this.numeral(e.value);
      case 'string':
        return JSON.stringify(e.value);
      case 'vararg':
        return 'va[0]';
      case 'function':
        return this.closure(e.func);
      case 'local':
        return this.variable(e.local);
      case 'global':
        return this.global(e.name, e.line);
      case 'paren':
        return this.value(e.inner);
      case 'index':
        return this.index(e);
      case 'call':
      case 'method': {
        const text = this.call(e, false);
        if (this.chunk.analysis.givesOne(e)) return text;
        const t = this.take();
        this.give(t);
        return `(A(${t}=${text})?${t}[0]:${t})`;
      }
      case 'and':
      case 'or': {
        const left = this.hold(e.left);
        const head = left.setup === '' ? left.ref : `(${left.setup})`;
        const test =
          e.kind === 'and'
            ? `${head}===undefined||${left.ref}===false`
            : `${head}!==undefined&&${left.ref}!==false`;
        const right = this.value(e.right);
        this.give(...left.taken);
        return `(${test}?${left.ref}:${right})`;
      }
      case 'not':
        return `!${this.condition(e.operand)}`;
      case 'negate': {
        if (this.chunk.analysis.isNumber(e.operand)) return `(-${this.value(e.operand)})`;
        const x = this.hold(e.operand);
        const site = this.site(e.line, this.describe(e.operand));
        const slow = this.slow(site, 'negate', 'planNegate', x.ref);
        this.give(...x.taken);
        return `(${x.setup === '' ? '' : `${x.setup},`}typeof ${x.ref}==="number"?-${x.ref}:${slow})`;
      }
      case 'length': {
        const site = this.site(e.line, this.describe(e.operand));
        const x = this.holdObject(e.operand);
        this.give(...x.taken);
        const setup = x.setup === '' ? '' : `${x.setup},`;
        return `(${setup}${x.ref} instanceof T?${x.ref}.length():${this.mark(site)}length(${x.ref}))`;
      }
      case 'binary':
        return this.binary(e);
      case 'table':
        return this.table(e);
    }
  }

  // Lua keeps one constant for 0 and -0 in each function: the one that comes first.
  private numeral(value: number): string {
    if (value !== 0) return numberText(value);
    this.zero ??= 1 / value < 0 ? '(-0)' : '0';
    return this.zero;
  }

  private unrolled(spine: Parsed[]): string {
    const t = this.take();
    const steps = [`${t}=${this.value(spine[spine.length - 1])}`];
    for (let i = spine.length - 2; i >= 0; i--) {
      const node = withHead(spine[i], { kind: 'raw', text: t });
      steps.push(`${t}=${this.value(node as Expression)}`);
    }
    this.give(t);
    return `(${steps.join(',')})`;
  }

  private slow(site: number, direct: string, plan: string, args: string): string {
    if (this.direct) return `${this.mark(site)}${direct}(${args})`;
    return `(yield*${this.mark(site)}G(${plan}(${args}),S[${site}]))`;
  }

  private closure(func: FunctionBody): string {
    const { number, scopes } = this.chunk.add(func);
    const envs = scopes.map((scope) => {
      if (!this.owns(scope)) this.outer.add(scope);
      return this.chunk.scopeName(scope);
    });
    return `p${number}(${envs.join(',')})`;
  }

  private owns(scope: Scope): boolean {
    return scope.locals[0]?.func === this.func;
  }

  private global(name: string, line: number): string {
    const { state } = this.chunk.options;
    const input = state.inputNames.indexOf(name);
    if (input >= 0) return `s.inputs[${input}]`;
    const constant = this.chunk.constant({ kind: 'global', name, line });
    if (constant !== undefined) return this.chunk.bind(constant);
    const globals = this.chunk.bind(state.globals);
    const key = JSON.stringify(name);
    const t = this.take();
    this.give(t);
    const slow = this.slow(this.site(line), 'index', 'planIndex', `${globals},${key}`);
    return `((${t}=${globals}.field(${key}))!==undefined||${globals}.metatable===null?${t}:${slow})`;
  }

  private index(e: Extract<Expression, { kind: 'index' }>): string {
    const constant = this.chunk.constant(e);
    if (constant !== undefined) return this.bindConstant(constant);
    const object = this.holdObject(e.object);
    const key = this.hold(e.key);
    const site = this.site(e.line, this.describe(e.object));
    const get = e.key.kind === 'string' ? 'field' : 'get';
    const slow = this.slow(site, 'index', 'planIndex', `${object.ref},${key.ref}`);
    this.give(...key.taken, ...object.taken);
    const setups = [object.setup, key.setup].filter((x) => x !== '').map((x) => `${x},`);
    return `(${setups.join('')}${isPlainTable(object.ref)}?${object.ref}.${get}(${key.ref}):${slow})`;
  }

  private bindConstant(value: LuaValue): string {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'number') return numberText(value);
    if (typeof value === 'boolean') return String(value);
    return this.chunk.bind(value);
  }

  // A call that may take long, or lead to anything.
  private mayTakeLong(): void {
    this.ticks = true;
    this.straight = false;
  }

  private call(e: Call | MethodCall, tail: boolean): string {
    if (!this.direct) return this.suspendableCall(e, tail);
    if (e.kind === 'method') {
      const object = this.holdObject(e.object);
      const f = this.take();
      const lookup = this.method(e, object.ref, f);
      const site = this.site(e.line, { call: true, how: 'method', name: e.name, tail });
      const args = this.list(e.args);
      if (!QUICK_METHODS.has(e.name) || this.chunk.hasFunctions) this.mayTakeLong();
      this.give(f, ...object.taken);
      const setup = object.setup === '' ? '' : `${object.setup},`;
      return `(${setup}${lookup},typeof ${f}==="function"?${f}:callable(${f}))${this.mark(site)}(${object.ref}${args === '' ? '' : ','}${args})`;
    }
    const site = this.site(e.line, { call: true, ...this.describe(e.callee), tail });
    const constant = this.chunk.constant(e.callee);
    if (typeof constant === 'function') {
      if (!this.isQuickCall(constant, e)) this.mayTakeLong();
      return `${this.mark(site)}${this.chunk.bind(constant)}(${this.list(e.args)})`;
    }
    const usual = this.usual(e.callee);
    if (usual !== null && typeof usual.value === 'function') {
      // Where the test fails, nobody counts on it (a library is being loaded).
      if (!this.isQuickCall(usual.value, e)) this.mayTakeLong();
      const t = this.take();
      this.give(t);
      const other = `typeof(${t}=${this.value(e.callee)})==="function"?${t}:callable(${t})`;
      return `(${usual.test}?${this.chunk.bind(usual.value)}:${other})${this.mark(site)}(${this.list(e.args)})`;
    }
    const known = e.callee.kind === 'local' ? this.chunk.analysis.functions.get(e.callee.local) : undefined;
    this.weight += known === undefined ? 0 : this.chunk.weight(known);
    if (known === undefined || this.weight >= MAX_WEIGHT) this.mayTakeLong();
    if (e.callee.kind === 'local' && known !== undefined) {
      return `${this.mark(site)}${this.variable(e.callee.local)}(${this.list(e.args)})`;
    }
    const callee = this.value(e.callee);
    const t = this.take();
    this.give(t);
    return `(typeof(${t}=${callee})==="function"?${t}:callable(${t}))${this.mark(site)}(${this.list(e.args)})`;
  }

  private isQuickCall(f: LuaFunction, e: Call): boolean {
    if (paceOf(f) !== 'pcall') return paceOf(f) === 'quick';
    // What pcall calls counts, where that is known.
    const [first] = e.args;
    const called = first && (this.chunk.constant(first) ?? this.usual(first)?.value);
    return typeof called === 'function' && paceOf(called) === 'quick';
  }

  private usual(e: Expression): Usual | null {
    const { state } = this.chunk.options;
    if (e.kind === 'local') {
      const path = this.chunk.analysis.aliases.get(e.local);
      const usual = path === undefined ? null : this.usual(path);
      return (
        usual && { value: usual.value, test: `${this.variable(e.local)}===${this.chunk.bind(usual.value)}` }
      );
    }
    if (e.kind === 'global') {
      const place = state.inputNames.indexOf(e.name);
      const value = state.usual[place];
      return value === undefined ? null : { value, test: `s.inputs[${place}]===${this.chunk.bind(value)}` };
    }
    if (e.kind !== 'index' || e.key.kind !== 'string') return null;
    const object = this.usual(e.object);
    if (!(object?.value instanceof LuaTable) || !object.value.isReadOnly) return null;
    const value = object.value.field(e.key.value);
    return value === undefined ? null : { value, test: object.test };
  }

  // Looks a method up in the object `ref` and leaves it in `f`.
  private method(e: MethodCall, ref: string, f: string): string {
    const { state } = this.chunk.options;
    const name = JSON.stringify(e.name);
    const site = this.site(e.selfLine, this.describe(e.object));
    const slow = this.slow(site, 'index', 'planIndex', `${ref},${name}`);
    const table = `${isPlainTable(ref)}?${ref}.field(${name}):${slow}`;
    const library = state.frozen ? state.stringMeta?.field('__index') : undefined;
    const native = library instanceof LuaTable ? library.field(e.name) : undefined;
    if (native === undefined) return `${f}=${table}`;
    return `${f}=typeof ${ref}==="string"?${this.chunk.bind(native)}:${table}`;
  }

  private suspendableCall(e: Call | MethodCall, tail: boolean): string {
    const known =
      e.kind === 'call' && e.callee.kind === 'local' && this.chunk.analysis.functions.get(e.callee.local);
    if (known && e.callee.kind === 'local' && this.chunk.weight(known) < MAX_WEIGHT) {
      // It cannot run for long, so it need not be able to pause.
      const site = this.site(e.line, { call: true, ...this.describe(e.callee), tail });
      return `${this.mark(site)}${this.variable(e.callee.local)}(${this.list(e.args)})`;
    }
    const constant = e.kind === 'call' ? this.chunk.constant(e.callee) : undefined;
    if (e.kind === 'call' && typeof constant === 'function' && constant[FORM] === null) {
      if (!this.isQuickCall(constant, e)) this.mayTakeLong();
      const site = this.site(e.line, { call: true, ...this.describe(e.callee), tail });
      return `${this.mark(site)}${this.chunk.bind(constant)}(${this.list(e.args)})`;
    }
    this.mayTakeLong();
    const f = this.take();
    let setup: string;
    let site: number;
    const args: string[] = [];
    const more: string[] = [];
    if (e.kind === 'method') {
      const object = this.holdObject(e.object);
      more.push(...object.taken);
      setup = `${object.setup === '' ? '' : `${object.setup},`}${this.method(e, object.ref, f)}`;
      args.push(object.ref);
      site = this.site(e.line, { call: true, how: 'method', name: e.name, tail });
    } else {
      setup = `${f}=${this.value(e.callee)}`;
      site = this.site(e.line, { call: true, ...this.describe(e.callee), tail });
    }
    // Each argument in a variable, so that a direct call needs no array.
    const last = e.args.at(-1);
    if (last !== undefined && isMulti(last) && !this.chunk.analysis.givesOne(last)) {
      const array = this.take();
      more.push(array);
      setup += `,${array}=[${this.list(e.args)}]`;
      args.push(`...${array}`);
    } else {
      for (const arg of e.args) {
        const t = isConstant(arg) ? '' : this.take();
        if (t !== '') {
          more.push(t);
          setup += `,${t}=${this.value(arg)}`;
        }
        args.push(t === '' ? this.value(arg) : t);
      }
    }
    this.give(f, ...more);
    const list = args.join(',');
    const indirect = tail
      ? `(isCompiled(${f})?new TailCall(${f},[${list}]):yield callAt(S[${site}],${f},[${list}]))`
      : `yield callAt(S[${site}],${f},[${list}])`;
    return `(${setup},isDirect(${f},s)?${this.mark(site)}${f}(${list}):${indirect})`;
  }

  private binary(e: Extract<Expression, { kind: 'binary' }>): string {
    const { analysis } = this.chunk;
    const { operator } = e;
    const left = folded(e.left);
    const right = folded(e.right);
    // Concatenation copies its operands as it goes; other operations read variables when they take place.
    const early = operator === '..' && left.kind === 'local' && !isPure(right);
    const event = EVENTS[operator];
    const x = early ? this.holdObject(left, true) : this.hold(left);
    const y = this.hold(right);
    // What the right operand does must not precede the evaluation of the left one.
    const setups = [x.setup, y.setup]
      .filter((text) => text !== '')
      .map((text) => `${text},`)
      .join('');
    this.give(...y.taken, ...x.taken);
    if (event !== undefined) {
      const quick =
        event === 'mod'
          ? `mod(${x.ref},${y.ref})`
          : event === 'pow'
            ? `pow(${x.ref},${y.ref})`
            : `${x.ref}${operator}${operator === '-' && y.ref.startsWith('-') ? ' ' : ''}${y.ref}`;
      const tests = this.tests(left as Parsed, x.ref, right as Parsed, y.ref, 'number');
      if (tests === '') return `(${setups}${quick})`;
      const site = this.twoSites(e.line, left, right);
      const slow = this.slow(site, 'arith', 'planArith', `"${event}",${x.ref},${y.ref}`);
      return `(${setups}${tests}?${quick}:${slow})`;
    }
    if (operator === '..') {
      const a = this.textOf(left, x.ref);
      const b = this.textOf(right, y.ref);
      const tests = [a.test, b.test].filter((test) => test !== '').join('&&');
      const quick = `cat(${a.text},${b.text})`;
      if (tests === '') return `(${setups}${quick})`;
      const site = this.twoSites(e.line, left, right);
      const slow = this.slow(site, 'concat', 'planConcat', `${x.ref},${y.ref}`);
      return `(${setups}${tests}?${quick}:${slow})`;
    }
    if (operator === '==' || operator === '~=') {
      const not = operator === '~=' ? '!' : '';
      if (
        isConstant(left) ||
        isConstant(right) ||
        analysis.isNumber(left as Parsed) ||
        analysis.isNumber(right as Parsed)
      ) {
        return `(${setups}${x.ref}${not === '' ? '===' : '!=='}${y.ref})`;
      }
      const slow = this.slow(this.site(e.line), 'equals', 'planEquals', `${x.ref},${y.ref}`);
      return `(${setups}${not}(${x.ref}===${y.ref}||typeof ${x.ref}==="object"&&${slow}))`;
    }
    // a > b is b < a.
    const swap = operator === '>' || operator === '>=';
    const strict = operator === '<' || operator === '>';
    const [p, q] = swap ? [y.ref, x.ref] : [x.ref, y.ref];
    const type = left.kind === 'string' || right.kind === 'string' ? 'string' : 'number';
    const tests = this.tests(left as Parsed, x.ref, right as Parsed, y.ref, type);
    const quick = `${p}${strict ? '<' : '<='}${q}`;
    if (tests === '') return `(${setups}${quick})`;
    const names = strict ? ['less', 'planLess'] : ['lessEqual', 'planLessEqual'];
    return `(${setups}${tests}?${quick}:${this.slow(this.site(e.line), names[0], names[1], `${p},${q}`)})`;
  }

  // An operand of concatenation as text, and the test that it is one.
  private textOf(e: Expression, ref: string): { text: string; test: string } {
    if (e.kind === 'number') {
      const value = e.value === 0 && this.numeral(e.value) !== '0' ? -0 : e.value === 0 ? 0 : e.value;
      return { text: JSON.stringify(formatNumber(value)), test: '' };
    }
    if (e.kind === 'string') return { text: ref, test: '' };
    if (e.kind !== 'raw' && this.chunk.analysis.isNumber(e)) return { text: `fmt(${ref})`, test: '' };
    return { text: ref, test: `typeof ${ref}==="string"` };
  }

  private twoSites(line: number, left: Expression, right: Expression): number {
    const a = this.describe(left);
    // The result of a chain lies where its first operand was, and goes by its name.
    const b = this.describe(right.kind === 'binary' && right.operator === '..' ? right.left : right);
    return this.site(line, { how: a.how, name: a.name, how2: b.how, name2: b.name });
  }

  // Tests that both operands have the type, where that is not known.
  private tests(
    left: Expression,
    x: string,
    right: Expression,
    y: string,
    type: 'number' | 'string',
  ): string {
    const known = (e: Expression): boolean =>
      e.kind !== 'raw' && (type === 'number' ? this.chunk.analysis.isNumber(e) : e.kind === 'string');
    const tests: string[] = [];
    if (!known(left)) tests.push(`typeof ${x}==="${type}"`);
    if (!known(right) && x !== y) tests.push(`typeof ${y}==="${type}"`);
    return tests.join('&&');
  }

  private table(e: TableConstructor): string {
    const { items } = e;
    if (items.length === 0) return 'new T()';
    const fields = items.filter((item) => item.key !== null).length;
    const positional = items.length - fields;
    if (fields === 0) {
      const last = items[items.length - 1].value;
      const open = isMulti(last) && !this.chunk.analysis.givesOne(last);
      return `TO([undefined,${this.list(items.map((item) => item.value))}],${open ? positional - 1 : positional})`;
    }
    const t = this.take();
    const list = positional > 0 ? this.take() : '';
    const last = items[items.length - 1];
    const open = last.key === null && isMulti(last.value) && !this.chunk.analysis.givesOne(last.value);
    const array = floatingByte(open ? positional - 1 : positional);
    const steps = [`${t}=new T(${array},${floatingByte(fields)})`];
    if (positional > 0) steps.push(`${list}=[undefined]`);
    items.forEach((item, i) => {
      if (item.key === null) {
        steps.push(
          `${list}.push(${i === items.length - 1 ? this.list([item.value]) : this.value(item.value)})`,
        );
      } else if (item.key.kind === 'string') {
        steps.push(`${t}.set(${JSON.stringify(item.key.value)},${this.value(item.value)})`);
      } else {
        const key = this.hold(item.key);
        const value = this.hold(item.value);
        for (const setup of [key.setup, value.setup]) if (setup !== '') steps.push(setup);
        steps.push(`${this.mark(this.site(item.line))}${t}.set(${key.ref},${value.ref})`);
        this.give(...value.taken, ...key.taken);
      }
    });
    if (positional > 0) {
      steps.push(`${t}.setList(${list})`);
      this.give(list);
    }
    this.give(t);
    return `(${steps.join(',')},${t})`;
  }

  /** A JavaScript truth value. */
  private condition(e: Expression): string {
    const known = leftSpine(e) === null ? this.simpleCondition(e) : null;
    if (known !== null) return known;
    const x = this.hold(e);
    this.give(...x.taken);
    if (x.setup === '') return `(${x.ref}!==undefined&&${x.ref}!==false)`;
    return `((${x.setup})!==undefined&&${x.ref}!==false)`;
  }

  // Where the truth value is plain to see.
  private simpleCondition(e: Expression): string | null {
    switch (e.kind) {
      case 'true':
      case 'number':
      case 'string':
        return 'true';
      case 'false':
      case 'nil':
        return 'false';
      case 'not':
        return `!${this.condition(e.operand)}`;
      case 'and':
        return `(${this.condition(e.left)}&&${this.condition(e.right)})`;
      case 'or':
        return `(${this.condition(e.left)}||${this.condition(e.right)})`;
      case 'paren':
        return isMulti(e.inner) ? null : this.condition(e.inner);
      case 'binary':
        return COMPARISONS.has(e.operator) ? this.value(e) : null;
      default:
        return null;
    }
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '~=', '<', '<=', '>', '>=']);

/**
 * JavaScript's test for a table without a metatable: no other value has a field `metatable` that is null. Three times
 * as fast as `instanceof`, which walks through prototypes.
 */
function isPlainTable(ref: string): string {
  return `${ref}!==undefined&&${ref}.metatable===null`;
}

function isMulti(e: Expression): boolean {
  return e.kind === 'call' || e.kind === 'method' || e.kind === 'vararg';
}

function isConstant(e: Expression): boolean {
  return (
    e.kind === 'nil' || e.kind === 'true' || e.kind === 'false' || e.kind === 'number' || e.kind === 'string'
  );
}

const NAMELESS: Described = { how: null, name: null };

function isFalse(e: Expression): boolean {
  return e.kind === 'false' || e.kind === 'nil' || (e.kind === 'and' && isFalse(e.left));
}

// Evaluating it changes nothing.
function isPure(e: Expression): boolean {
  if (e.kind === 'binary') return e.operator === '..' && isPure(e.left) && isPure(e.right);
  return isConstant(e) || e.kind === 'local' || e.kind === 'vararg' || e.kind === 'raw';
}

function constantNumber(e: Parsed): number | null {
  if (e.kind === 'number') return e.value;
  return e.kind === 'negate' && e.operand.kind === 'number' ? -e.operand.value : null;
}

// Lua computes with constants when it compiles: `-0`, `2^53`; not what would divide by zero or give NaN.
function folded(e: Expression): Expression {
  if (e.kind === 'negate') {
    const x = folded(e.operand);
    return x.kind === 'number' ? { kind: 'number', value: -x.value } : e;
  }
  if (e.kind !== 'binary' || !(e.operator in EVENTS) || leftSpine(e) !== null) return e;
  const x = folded(e.left);
  const y = folded(e.right);
  if (x.kind !== 'number' || y.kind !== 'number') return e;
  const event = EVENTS[e.operator] as ArithmeticEvent;
  if ((event === 'div' || event === 'mod') && y.value === 0) return e;
  const value = arithmetic[event](x.value, y.value);
  return Number.isNaN(value) ? e : { kind: 'number', value };
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? '(-1/0)' : '(1/0)';
  return value < 0 ? `(${value})` : String(value);
}

/** Sizes in Lua's constructors are kept in a byte with three bits of mantissa, rounded up. */
export function floatingByte(n: number): number {
  if (n < 16) return n;
  let exponent = 0;
  let mantissa = n;
  while (mantissa >= 16) {
    mantissa = (mantissa + 1) >> 1;
    exponent++;
  }
  return mantissa * 2 ** exponent;
}

// The part of an expression that nests to the left without limit.
function head(e: Expression): Parsed | null {
  switch (e.kind) {
    case 'binary':
      return e.operator === '..' || e.operator === '^' ? null : e.left;
    case 'and':
    case 'or':
      return e.left;
    case 'index':
    case 'method':
      return e.object;
    case 'call':
      return e.callee;
    default:
      return null;
  }
}

// From the outermost node to the innermost, where that is a long way.
function leftSpine(e: Expression): Parsed[] | null {
  let at = head(e);
  if (at === null) return null;
  const nodes: Parsed[] = [e as Parsed];
  while (at !== null) {
    nodes.push(at);
    at = head(at);
  }
  return nodes.length > MAX_SPINE ? nodes : null;
}

function withHead(node: Parsed, raw: Raw): Expression {
  const text = raw as unknown as Parsed;
  switch (node.kind) {
    case 'binary':
    case 'and':
    case 'or':
      return { ...node, left: text };
    case 'index':
    case 'method':
      return { ...node, object: text };
    case 'call':
      return { ...node, callee: text };
    default:
      return node;
  }
}
