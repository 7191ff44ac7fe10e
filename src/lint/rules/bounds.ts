// Rules about work without a limit: while a script runs, everyone else waits. index.ts runs them.
import type { Expression, Local, Statement } from '../../lua/ast.ts';
import { hasWord } from '../commands.ts';
import type { Rule } from '../finding.ts';
import type { Loop, RedisCall, Run } from '../run.ts';
import { walkExpression } from '../tree.ts';
import { contains, textOf } from '../values.ts';

const unboundedLoop: Rule = {
  id: 'unbounded-loop',
  severity: 'error',
  why: 'While a script runs no other client is served, and nothing but SCRIPT KILL ends a loop that goes on.',
  remedy: 'Count the turns and stop at a limit; hand the cursor back to the caller for the rest.',
  wrong: "repeat local id = redis.call('LPOP', KEYS[1]) until not id",
  right: "for _ = 1, 100 do if not redis.call('LPOP', KEYS[1]) then break end end",
  check({ runs }, tell) {
    for (const run of runs) {
      for (const loop of run.loops) {
        const problem = endless(loop, run);
        if (problem !== null) tell({ line: loop.line, at: /\b(?:while|repeat|until)\b/ }, problem);
      }
    }
  },
};

/** Why the loop has no limit; null where it has one, or where it has nothing to do with data. */
function endless(loop: Loop, run: Run): string | null {
  const exits = exitsOf(loop);
  const counters = countersOf(loop);
  if (exits.some((exit) => isLimit(exit, counters, run))) return null;
  const isForEver = isConstant(loop.condition, loop.kind === 'while');
  if (isForEver && exits.length === 0) return 'a loop without an end';
  const asksServer = exits.some((exit) => reads(exit, run));
  return asksServer ? 'only the data decides when this loop ends' : null;
}

function isConstant(condition: Expression, truth: boolean): boolean {
  if (truth) return condition.kind === 'true' || condition.kind === 'number' || condition.kind === 'string';
  return condition.kind === 'false' || condition.kind === 'nil';
}

/** The conditions that end a loop: its own, and those of ifs with a break or return. */
function exitsOf(loop: Loop): Expression[] {
  const found: Expression[] = isConstant(loop.condition, loop.kind === 'while') ? [] : [loop.condition];
  const visit = (statements: readonly Statement[], inner: boolean): void => {
    for (const statement of statements) {
      if (statement.kind === 'if') {
        for (const { condition, block } of statement.clauses) {
          if (leaves(block.statements, inner)) found.push(condition);
          visit(block.statements, inner);
        }
        if (statement.otherwise !== null) {
          if (leaves(statement.otherwise.statements, inner))
            found.push(...statement.clauses.map((c) => c.condition));
          visit(statement.otherwise.statements, inner);
        }
      } else if (statement.kind === 'do') visit(statement.block.statements, inner);
      else if ('block' in statement) visit(statement.block.statements, true);
    }
  };
  // A return within an inner loop only comes where that loop has turns: it is no limit of this one.
  visit(loop.block.statements, false);
  return found;
}

function leaves(statements: readonly Statement[], inner: boolean): boolean {
  if (inner) return false;
  return statements.some((each) => each.kind === 'break' || each.kind === 'return' || isError(each));
}

function isError(statement: Statement): boolean {
  if (statement.kind !== 'call-statement' || statement.call.kind !== 'call') return false;
  const { callee } = statement.call;
  return callee.kind === 'global' && callee.name === 'error';
}

/** Variables that move by a step each turn: `n = n + 1` in the loop's own body, not in a loop within. */
function countersOf(loop: Loop): Set<Local> {
  const found = new Set<Local>();
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === 'assign')
        statement.targets.forEach((target, at) => {
          if (target.kind === 'local' && isStep(statement.values[at], target.local)) found.add(target.local);
        });
      if (statement.kind === 'do') visit(statement.block.statements);
      if (statement.kind === 'if') {
        for (const { block } of statement.clauses) visit(block.statements);
        if (statement.otherwise !== null) visit(statement.otherwise.statements);
      }
    }
  };
  visit(loop.block.statements);
  return found;
}

function isStep(value: Expression | undefined, local: Local): boolean {
  if (value?.kind !== 'binary' || !/^[-+*/]$/.test(value.operator)) return false;
  const isSelf = (side: Expression): boolean => side.kind === 'local' && side.local === local;
  return isSelf(value.left) || isSelf(value.right);
}

/** Compares a counter, or the length of a list that the script itself fills. */
function isLimit(condition: Expression, counters: ReadonlySet<Local>, run: Run): boolean {
  let found = false;
  walkExpression(condition, {
    expression: (part) => {
      if (part.kind !== 'binary' || !/[<>=~]/.test(part.operator)) return;
      for (const side of [part.left, part.right]) {
        walkExpression(side, {
          expression: (inner) => {
            if (inner.kind === 'local' && counters.has(inner.local)) found = true;
            if (inner.kind === 'length' && !reads(inner, run)) found = true;
          },
        });
      }
    },
  });
  return found;
}

function reads(condition: Expression, run: Run): boolean {
  let found = false;
  walkExpression(condition, {
    expression: (part) => {
      const value = run.values.get(part);
      if (value !== undefined && contains(value, (each) => each.kind === 'reply')) found = true;
    },
  });
  return found;
}

/** Reads that take in a whole key or database, and why; rows of the command table do not say that. */
const WHOLE: Readonly<Record<string, string>> = {
  KEYS: 'goes through all keys of the database',
  SCAN: 'walks over all keys of the database within one script',
  SMEMBERS: 'reads the whole set',
  HGETALL: 'reads the whole hash',
  HKEYS: 'reads the whole hash',
  HVALS: 'reads the whole hash',
};

const largeRead: Rule = {
  id: 'large-read',
  severity: 'warning',
  why: 'The read takes longer with every element, and nobody else is served meanwhile.',
  remedy: 'Read the fields or the page that the decision needs: HMGET, ZRANGE with LIMIT, a count.',
  wrong: "return redis.call('LRANGE', KEYS[1], 0, -1)",
  right: "return redis.call('LRANGE', KEYS[1], 0, 99)",
  check({ runs }, tell) {
    for (const call of runs.flatMap((run) => run.calls)) {
      const problem = whole(call);
      if (problem !== null) tell({ line: call.line, at: call.node.args[0] }, `${call.name} ${problem}`);
    }
  },
};

function whole(call: RedisCall): string | null {
  const { name, args } = call;
  if (name === null) return null;
  if (Object.hasOwn(WHOLE, name)) return WHOLE[name];
  if (hasWord(call, 'LIMIT') || call.open) return null;
  if (name === 'SORT' || name === 'SORT_RO') return 'without LIMIT sorts the whole key';
  if (/^Z(?:REV)?RANGEBY(?:SCORE|LEX)$/.test(name)) return 'without LIMIT reads any number of members';
  if (!/^(?:LRANGE|Z(?:REV)?RANGE)$/.test(name)) return null;
  if (hasWord(call, 'BYSCORE', 'BYLEX')) return 'without LIMIT reads any number of members';
  return textOf(args[2]) === '0' && textOf(args[3]) === '-1'
    ? 'reads from the first to the last element'
    : null;
}

/** Loops and reads without a limit. */
export const BOUND_RULES: readonly Rule[] = [unboundedLoop, largeRead];
