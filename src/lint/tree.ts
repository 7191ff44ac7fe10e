// Walks over the syntax tree of Lua: all expressions, statements and functions of a part. Used where a rule or the
// interpreter asks about the text rather than about what happens.
import type { Block, Expression, FunctionBody, Statement } from '../lua/ast.ts';
import { blocksOf, expressionsOf, partsOf } from '../lua/parts.ts';

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
  // Its function is named by the statement: it is no expression that a visitor asks for.
  if (statement.kind === 'declare-function') walkFunction(statement.func, visitor);
  else for (const expression of expressionsOf(statement)) walkExpression(expression, visitor);
  for (const block of blocksOf(statement)) walkBlock(block, visitor);
}

/** Visits an expression and all that is in it. */
export function walkExpression(expression: Expression, visitor: Visitor): void {
  visitor.expression?.(expression);
  if (expression.kind === 'function') walkFunction(expression.func, visitor);
  for (const part of partsOf(expression)) walkExpression(part, visitor);
}
