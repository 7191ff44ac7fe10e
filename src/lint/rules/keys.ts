// Rules about what a command is given: keys that nobody declared, names that do not exist, arguments that do not fit.
// index.ts runs them over every script.
import { unsupportedCommand } from '../../commands/unsupported.ts';
import { keysOf } from '../commands.ts';
import type { Rule } from '../finding.ts';
import { fits } from '../grammar.ts';
import type { RedisCall } from '../run.ts';
import { alternatives, core, shown, textOf, type Value } from '../values.ts';

/** Why this is no declared key; null where it is one, or where that cannot be told. */
function strange(value: Value): string | null {
  const inner = value.kind === 'several' ? value.of : core(value);
  switch (inner.kind) {
    case 'constant':
      return textOf(inner) === null ? null : `literal key ${shown(inner)}`;
    case 'input':
      return inner.of === 'ARGV' ? `${shown(inner)} used as a key` : null;
    case 'inputs':
      return inner.of === 'ARGV' ? 'ARGV used as keys' : null;
    case 'computed':
      return inner.operator === '..' ? `computed key ${shown(inner)}` : null;
    case 'reply':
    case 'element':
      return fromServer(inner) ? `key read from the server: ${shown(inner)}` : null;
    case 'result':
      return inner.name === 'string.format' ? `computed key ${shown(inner)}` : null;
    case 'either': {
      const reasons = alternatives(inner).map(strange);
      return reasons.every((reason) => reason !== null) ? (reasons[0] ?? null) : null;
    }
    default:
      return null;
  }
}

function fromServer(value: Value): boolean {
  return value.kind === 'reply' || (value.kind === 'element' && fromServer(value.of));
}

const undeclaredKey: Rule = {
  id: 'undeclared-key',
  severity: 'error',
  why: 'A cluster sends a script to the node of its declared keys and refuses, or misses, any other key.',
  remedy: 'Have the caller build the name and pass it in KEYS, all keys of a script in one hash slot.',
  wrong: "redis.call('INCR', 'visits:' .. ARGV[1])",
  right: "redis.call('INCR', KEYS[1])",
  check({ runs }, tell) {
    for (const { calls } of runs) {
      for (const call of calls) {
        for (const { at, value } of keysOf(call)) {
          const reason = strange(value);
          if (reason === null) continue;
          tell({ line: call.line, at: call.node.args[at] }, `${call.name}: ${reason}`);
        }
      }
    }
  },
};

const unknownCommand: Rule = {
  id: 'unknown-command',
  severity: 'error',
  why: 'Redis raises an error when the script comes to this line, and what was written before it stays.',
  remedy: 'Correct the name of the command.',
  wrong: "redis.call('HINCR', KEYS[1], 'n', 1)",
  right: "redis.call('HINCRBY', KEYS[1], 'n', 1)",
  check({ runs }, tell) {
    for (const call of runs.flatMap((run) => run.calls)) {
      if (call.name === null || call.entry !== null) continue;
      if (unsupportedCommand(call.name) !== null) continue;
      tell({ line: call.line, at: call.node.args[0] }, `there is no command ${call.name}`);
    }
  },
};

const wrongArity: Rule = {
  id: 'wrong-arity',
  severity: 'error',
  why: 'Redis raises an error when the script comes to this line, and what was written before it stays.',
  remedy: 'Give the arguments that the command takes; several fields may need several calls.',
  wrong: "redis.call('HINCRBY', KEYS[1], 'sold', 1, 'left', -1)",
  right: "redis.call('HINCRBY', KEYS[1], 'sold', 1) redis.call('HINCRBY', KEYS[1], 'left', -1)",
  check({ runs }, tell) {
    for (const call of runs.flatMap((run) => run.calls)) {
      const problem = misfit(call);
      if (problem !== null) tell({ line: call.line, at: call.node.args[0] }, problem);
    }
  },
};

function misfit(call: RedisCall): string | null {
  const { row, name, args } = call;
  if (row === null || name === null || call.open) return null;
  const given = `${args.length - 1} ${args.length === 2 ? 'argument does' : 'arguments do'} not fit`;
  const isShort = args.length < Math.abs(row.arity);
  const isLong = row.arity > 0 && args.length > row.arity;
  // Containers have the subcommand in front, which their rows do not describe.
  const isPlain = call.entry?.row === row && call.entry.subcommands === null;
  const expected = row.syntax === undefined || !isPlain ? '' : `, it takes: ${row.syntax}`;
  if (isShort || isLong) return `${name}: ${given}${expected}`;
  if (expected === '') return null;
  const words = args.slice(1).map((arg) => textOf(arg));
  return fits(row.syntax ?? '', words) ? null : `${name}: ${given}${expected}`;
}

/** Keys, names of commands, arguments. */
export const KEY_RULES: readonly Rule[] = [undeclaredKey, unknownCommand, wrongArity];
