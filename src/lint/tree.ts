// Walks over the syntax tree of Lua: all expressions, statements and functions of a part. Used where a rule or the
// interpreter asks about the text rather than about what happens.
import type { Block, Expression, FunctionBody, Statement } from '../lua/ast.ts';

export interface Visitor {
  expression?(expression: Expression): void;
  statement?(statement: Statement): void;
  /** Called for a function within; answer false to leave its body out. */
  func?(func: FunctionBody): boolean;
}

/** Visits a block and all that is in it. */
export function walkBlock(block: Block, visitor: Visitor): void {
  for (const statement of block.statements) walkStatement(statement, visitor);
}

function walkFunction(func: FunctionBody, visitor: Visitor): void {
  if (visitor.func?.(func) !== false) walkBlock(func.body, visitor);
}

function walkStatement(statement: Statement, visitor: Visitor): void {
  visitor.statement?.(statement);
  for (const expression of expressionsOf(statement)) walkExpression(expression, visitor);
  if (statement.kind === 'declare-function') walkFunction(statement.func, visitor);
  for (const block of blocksOf(statement)) walkBlock(block, visitor);
}

/** The blocks right within a statement. */
function blocksOf(statement: Statement): Block[] {
  switch (statement.kind) {
    case 'if':
      return [
        ...statement.clauses.map((clause) => clause.block),
        ...(statement.otherwise === null ? [] : [statement.otherwise]),
      ];
    case 'do':
    case 'while':
    case 'repeat':
    case 'for':
    case 'for-in':
      return [statement.block];
    default:
      return [];
  }
}

function expressionsOf(statement: Statement): Expression[] {
  switch (statement.kind) {
    case 'call-statement':
      return [statement.call];
    case 'assign':
      return [...statement.targets, ...statement.values];
    case 'declare':
    case 'for-in':
    case 'return':
      return statement.values;
    case 'while':
    case 'repeat':
      return [statement.condition];
    case 'if':
      return statement.clauses.map((clause) => clause.condition);
    case 'for':
      return [statement.start, statement.limit, ...(statement.step === null ? [] : [statement.step])];
    default:
      return [];
  }
}

/** Visits an expression and all that is in it. */
export function walkExpression(expression: Expression, visitor: Visitor): void {
  visitor.expression?.(expression);
  if (expression.kind === 'function') walkFunction(expression.func, visitor);
  for (const part of partsOf(expression)) walkExpression(part, visitor);
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'index':
      return [expression.object, expression.key];
    case 'call':
      return [expression.callee, ...expression.args];
    case 'method':
      return [expression.object, ...expression.args];
    case 'and':
    case 'or':
    case 'binary':
      return [expression.left, expression.right];
    case 'not':
    case 'negate':
    case 'length':
      return [expression.operand];
    case 'paren':
      return [expression.inner];
    case 'table':
      return expression.items.flatMap((item) => (item.key === null ? [item.value] : [item.key, item.value]));
    default:
      return [];
  }
}
