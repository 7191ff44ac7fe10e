// What stands right within a statement or an expression of the syntax tree. Called by whoever walks it: analysis.ts, and
// the linter.
import type { Block, Expression, Statement } from './ast.ts';

/** The blocks right within a statement. */
export function blocksOf(statement: Statement): readonly Block[] {
  switch (statement.kind) {
    case 'do':
    case 'while':
    case 'repeat':
    case 'for':
    case 'for-in':
      return [statement.block];
    case 'if': {
      const blocks = statement.clauses.map((clause) => clause.block);
      if (statement.otherwise !== null) blocks.push(statement.otherwise);
      return blocks;
    }
    default:
      return [];
  }
}

/** The expressions right within a statement. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case 'call-statement':
      return [statement.call];
    case 'assign':
      return [...statement.targets, ...statement.values];
    case 'declare':
    case 'return':
    case 'for-in':
      return statement.values;
    case 'declare-function':
      return [{ kind: 'function', func: statement.func }];
    case 'while':
    case 'repeat':
      return [statement.condition];
    case 'if':
      return statement.clauses.map((clause) => clause.condition);
    case 'for':
      return statement.step === null
        ? [statement.start, statement.limit]
        : [statement.start, statement.limit, statement.step];
    default:
      return [];
  }
}

/** The expressions right within one. */
export function partsOf(e: Expression): readonly Expression[] {
  switch (e.kind) {
    case 'index':
      return [e.object, e.key];
    case 'call':
      return [e.callee, ...e.args];
    case 'method':
      return [e.object, ...e.args];
    case 'and':
    case 'or':
    case 'binary':
      return [e.left, e.right];
    case 'not':
    case 'negate':
    case 'length':
      return [e.operand];
    case 'paren':
      return [e.inner];
    case 'table':
      return e.items.flatMap((item) => (item.key === null ? [item.value] : [item.key, item.value]));
    default:
      return [];
  }
}
