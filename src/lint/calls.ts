// Calls as the linter follows them: commands of Redis, pcall and the other functions that call what they are given,
// registrations, and the script's own functions. interpreter.ts hands every call over.
import type { Call, FunctionBody, MethodCall } from '../lua/ast.ts';
import { rowOf, writes } from './commands.ts';
import type { Interpreter } from './interpreter.ts';
import { hasOneResult } from './libraries.ts';
import type { RedisCall } from './run.ts';
import { argument, elementOf } from './tables.ts';
import { alternatives, bounded, either, textOf, UNKNOWN, type Value } from './values.ts';

/** What a library handed to redis.register_function. */
export interface Registration {
  readonly values: readonly Value[];
  readonly line: number;
}

/** Follows calls; `registrations` grows while a library's main part runs. */
export class Calls {
  readonly registrations: Registration[] = [];

  /** All that a call returns. */
  call(interpreter: Interpreter, node: Call | MethodCall): readonly Value[] {
    if (node.kind === 'method') {
      const args = [interpreter.value(node.object), ...interpreter.list(node.args)];
      this.callAll(interpreter, args);
      return [bounded({ kind: 'result', name: `string.${node.name}`, args })];
    }
    const callee = interpreter.value(node.callee);
    const args = interpreter.list(node.args);
    const results = alternatives(callee).map((each) => this.apply(interpreter, each, args, node));
    return results.length === 1 ? results[0] : [either(results.map((values) => argument(values, 0)))];
  }

  private apply(
    interpreter: Interpreter,
    callee: Value,
    args: readonly Value[],
    node: Call,
  ): readonly Value[] {
    if (callee.kind === 'function') return interpreter.enter(callee.func, args);
    if (callee.kind === 'library') return this.library(interpreter, callee.name, args, node);
    this.callAll(interpreter, args);
    return [{ kind: 'several', of: UNKNOWN }];
  }

  private library(
    interpreter: Interpreter,
    name: string,
    args: readonly Value[],
    node: Call,
  ): readonly Value[] {
    switch (name) {
      case 'redis.call':
      case 'redis.pcall':
        return [this.command(interpreter, args, node, name === 'redis.pcall')];
      case 'redis.register_function':
        this.registrations.push({ values: args, line: node.line });
        return [];
      case 'pcall':
      case 'xpcall':
        return this.protect(interpreter, args.slice(0, 1), args.slice(name === 'pcall' ? 1 : 2), node);
      case 'error':
        interpreter.leave(args, node.line, true);
        return [];
      case 'unpack':
      case 'table.unpack':
        return unpacked(args[0] ?? UNKNOWN);
      case 'table.insert':
        insert(args);
        return [];
      default:
        return this.other(interpreter, name, args);
    }
  }

  private other(interpreter: Interpreter, name: string, args: readonly Value[]): readonly Value[] {
    this.callAll(interpreter, args);
    if (/^(?:math\.(?:floor|ceil|modf)|string\.format)$/.test(name)) {
      for (const arg of args) interpreter.run.rounded.add(arg);
    }
    if (name === 'setmetatable') return args.slice(0, 1);
    const result = bounded({ kind: 'result', name, args });
    return name === 'ipairs' || name === 'pairs' || hasOneResult(name)
      ? [result]
      : [result, { kind: 'several', of: UNKNOWN }];
  }

  private command(interpreter: Interpreter, args: readonly Value[], node: Call, guarded: boolean): Value {
    const last = args.at(-1);
    const { entry, row } = rowOf(args);
    const call: RedisCall = {
      order: interpreter.next(),
      line: node.line,
      node,
      name: textOf(args[0])?.toUpperCase() ?? null,
      entry,
      row,
      args,
      open: last?.kind === 'several',
      guarded: guarded || interpreter.protection > 0,
      guards: interpreter.guards,
    };
    interpreter.record(call, writes(call));
    return { kind: 'reply', call };
  }

  // What runs within pcall does not end the function around it.
  private protect(
    interpreter: Interpreter,
    [callee]: readonly Value[],
    args: readonly Value[],
    node: Call,
  ): readonly Value[] {
    const { state, guards } = interpreter;
    const before = state.copy();
    interpreter.protection++;
    const results = callee === undefined ? [] : this.apply(interpreter, callee, args, node);
    interpreter.protection--;
    interpreter.guards = guards;
    if (state.dead) state.become([before]);
    return [UNKNOWN, ...results.map((value) => either([value, UNKNOWN]))];
  }

  // Whoever gets a function may call it, with arguments of his own: `table.sort(t, f)`.
  private callAll(interpreter: Interpreter, args: readonly Value[]): void {
    for (const arg of args) {
      if (arg.kind === 'function') interpreter.enter(arg.func, unknownArguments(arg.func));
    }
  }
}

/** Arguments for a function of which it is not known who calls it. */
function unknownArguments(func: FunctionBody): Value[] {
  return func.params.map(() => UNKNOWN);
}

function unpacked(list: Value): readonly Value[] {
  if (list.kind === 'table' && list.table.others.length === 0 && !list.table.open) return list.table.items;
  return [{ kind: 'several', of: list.kind === 'either' ? UNKNOWN : list }];
}

function insert(args: readonly Value[]): void {
  const [list] = args;
  const value = args.at(-1);
  if (list?.kind === 'table' && args.length >= 2 && value !== undefined) {
    list.table.others.push(value.kind === 'several' ? elementOf(value.of, UNKNOWN) : value);
  }
}
