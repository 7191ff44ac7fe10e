// The syntax tree of Lua 5.1, names already resolved: what parser.ts builds and emitter.ts turns into
// JavaScript. Lines are those that Lua 5.1 would report for the instruction in question.

/** A local variable: who declares it and what the emitter has to know to place it. */
export interface Local {
  readonly name: string;
  readonly func: FunctionBody;
  readonly scope: Scope;
  /** An inner function uses it. */
  captured: boolean;
  /** Assigned after its declaration (a parameter or loop variable counts from its first assignment). */
  reassigned: boolean;
}

/** A block's own variables. */
export interface Scope {
  readonly locals: Local[];
}

export interface Block {
  readonly scope: Scope;
  readonly statements: Statement[];
}

export interface FunctionBody {
  readonly parent: FunctionBody | null;
  readonly params: Local[];
  readonly scope: Scope;
  readonly vararg: boolean;
  /** The variable `arg` of a vararg function that never writes `...` itself (Lua 5.0's way); null otherwise. */
  argTable: Local | null;
  readonly body: Block;
  readonly line: number;
  endLine: number;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '^' | '..' | '==' | '~=' | '<' | '<=' | '>' | '>=';

export type Expression =
  | { readonly kind: 'nil' }
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'number'; readonly value: number }
  /** `value` is a byte string. */
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'vararg' }
  | { readonly kind: 'function'; readonly func: FunctionBody }
  | { readonly kind: 'local'; readonly local: Local }
  | { readonly kind: 'global'; readonly name: string; readonly line: number }
  | { readonly kind: 'index'; readonly object: Expression; readonly key: Expression; readonly line: number }
  | Call
  | MethodCall
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'negate' | 'length'; readonly operand: Expression; readonly line: number }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly line: number;
    }
  /** Parentheses around a call or `...`: one value. Dropped around anything else. */
  | { readonly kind: 'paren'; readonly inner: Expression }
  | TableConstructor;

export interface Call {
  readonly kind: 'call';
  readonly callee: Expression;
  readonly args: Expression[];
  readonly line: number;
}

export interface MethodCall {
  readonly kind: 'method';
  readonly object: Expression;
  readonly name: string;
  readonly args: Expression[];
  readonly line: number;
  /** Of the look-up of the method. */
  readonly selfLine: number;
}

export interface TableConstructor {
  readonly kind: 'table';
  /** In source order; an item without key is positional. `line` is where a bad key is reported. */
  readonly items: { readonly key: Expression | null; readonly value: Expression; readonly line: number }[];
  readonly line: number;
}

export type Statement =
  | { readonly kind: 'call-statement'; readonly call: Call | MethodCall }
  | {
      readonly kind: 'assign';
      readonly targets: Expression[];
      readonly values: Expression[];
      readonly line: number;
    }
  | {
      readonly kind: 'declare';
      readonly locals: Local[];
      readonly values: Expression[];
      readonly line: number;
    }
  /** `local function f`: the name is in scope in its own body. */
  | { readonly kind: 'declare-function'; readonly local: Local; readonly func: FunctionBody }
  | { readonly kind: 'do'; readonly block: Block }
  | { readonly kind: 'while'; readonly condition: Expression; readonly block: Block; readonly line: number }
  /** The condition sees the block's variables. */
  | { readonly kind: 'repeat'; readonly block: Block; readonly condition: Expression; readonly line: number }
  | {
      readonly kind: 'if';
      readonly clauses: { readonly condition: Expression; readonly block: Block }[];
      readonly otherwise: Block | null;
    }
  /** `scope` holds the loop variables; `block` the body's own. */
  | {
      readonly kind: 'for';
      readonly variable: Local;
      readonly scope: Scope;
      readonly start: Expression;
      readonly limit: Expression;
      readonly step: Expression | null;
      readonly block: Block;
      readonly line: number;
    }
  | {
      readonly kind: 'for-in';
      readonly variables: Local[];
      readonly scope: Scope;
      readonly values: Expression[];
      readonly block: Block;
      readonly line: number;
    }
  | { readonly kind: 'return'; readonly values: Expression[]; readonly line: number }
  | { readonly kind: 'break' };
