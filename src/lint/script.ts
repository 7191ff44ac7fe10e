// A Lua script or function library, read and followed through: what the rules work on. index.ts makes one for every
// Lua text it finds.
import type { FunctionBody, Local } from '../lua/ast.ts';
import { parse } from '../lua/parser.ts';
import { LuaError } from '../lua/value.ts';
import { utf8Decode, utf8Encode } from '../resp/bytes.ts';
import { Calls, type Registration } from './calls.ts';
import { Interpreter } from './interpreter.ts';
import { noteComments } from './names.ts';
import { newRun, type Root, type Run } from './run.ts';
import { State } from './state.ts';
import { elementOf } from './tables.ts';
import { walkBlock } from './tree.ts';
import { NIL, textOf, UNKNOWN, type Value } from './values.ts';

/** A script that parses. */
export interface Script {
  readonly lines: readonly string[];
  readonly main: FunctionBody;
  readonly isLibrary: boolean;
  /** The main part, and each function where a caller may begin. */
  readonly runs: readonly Run[];
  /** How often the text reads a variable. */
  readonly uses: ReadonlyMap<Local, number>;
  /** Name of the file, for what it says about keys. */
  readonly fileName: string;
}

/** Where a text is no Lua. */
export interface SyntaxProblem {
  readonly line: number;
  readonly message: string;
}

/** Reads a script or library and follows it through; it begins on line `first` of the file it stands in. */
export function readScript(text: string, fileName: string, first = 1): Script | SyntaxProblem {
  const shebang = /^#!.*/.exec(text)?.[0] ?? '';
  const before = '\n'.repeat(first - 1);
  const body = before + text.slice(shebang.length);
  let main: FunctionBody;
  try {
    main = parse(utf8Encode(body), 'script');
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    const message = utf8Decode(String(error.value));
    const place = /^script:(\d+): ([\s\S]*)$/.exec(message);
    return { line: Number(place?.[1] ?? 1), message: place?.[2] ?? message };
  }
  const lines = (before + text).split('\n');
  const isLibrary = /\bname=/.test(shebang);
  const runs = followed(main, lines, shebang, isLibrary, first);
  return { lines, main, isLibrary, runs, uses: usesOf(main), fileName };
}

function followed(
  main: FunctionBody,
  lines: readonly string[],
  shebang: string,
  isLibrary: boolean,
  first: number,
): Run[] {
  const entered = new Set<FunctionBody>();
  const calls = new Calls();
  const flags = /\bflags=(\S*)/.exec(shebang)?.[1].split(',') ?? [];
  const root: Root = {
    kind: isLibrary ? 'function' : 'script',
    name: null,
    func: main,
    flags,
    flagsLine: first,
  };
  const state = new State();
  const runs = [runOf(root, [], state, entered, calls, lines)];
  const base = state.copy();
  base.dead = false;
  base.writes = [];
  for (const each of calls.registrations.flatMap(registered)) {
    const inputs: Value[] = [
      { kind: 'inputs', of: 'KEYS' },
      { kind: 'inputs', of: 'ARGV' },
    ];
    runs.push(runOf(each, inputs, base.copy(), entered, calls, lines));
  }
  for (const func of functionsOf(main)) {
    if (entered.has(func)) continue;
    const inputs = func.params.map((param): Value => {
      if (/^keys$/i.test(param.name)) return { kind: 'inputs', of: 'KEYS' };
      return /^arg[sv]$/i.test(param.name) ? { kind: 'inputs', of: 'ARGV' } : UNKNOWN;
    });
    const name = nameOf(func, main);
    const loose: Root = { kind: 'function', name, func, flags: [], flagsLine: 0 };
    runs.push(runOf(loose, inputs, base.copy(), entered, calls, lines));
  }
  return runs;
}

function runOf(
  root: Root,
  inputs: readonly Value[],
  state: State,
  entered: Set<FunctionBody>,
  calls: Calls,
  lines: readonly string[],
): Run {
  const run = newRun(root);
  const interpreter = new Interpreter(run, state, entered, calls);
  noteComments(interpreter, lines);
  interpreter.enter(root.func, inputs);
  return run;
}

function registered({ values, line }: Registration): Root[] {
  const [first] = values;
  const isTable = first?.kind === 'table';
  const get = (field: string, at: number): Value =>
    isTable ? elementOf(first, { kind: 'constant', value: field }) : (values[at] ?? NIL);
  const callback = get('callback', 1);
  if (callback.kind !== 'function') return [];
  const flags = get('flags', 2);
  const list = flags.kind === 'table' ? flags.table : null;
  return [
    {
      kind: 'function',
      name: textOf(get('function_name', 0)),
      func: callback.func,
      flags: (list?.items ?? []).map((item) => textOf(item) ?? ''),
      flagsLine: list?.line ?? line,
    },
  ];
}

function functionsOf(main: FunctionBody): FunctionBody[] {
  const found: FunctionBody[] = [];
  walkBlock(main.body, {
    func: (func) => {
      found.push(func);
      return true;
    },
  });
  return found;
}

function nameOf(func: FunctionBody, main: FunctionBody): string | null {
  let name: string | null = null;
  walkBlock(main.body, {
    statement: (statement) => {
      if (statement.kind === 'declare-function' && statement.func === func) name = statement.local.name;
    },
  });
  return name;
}

function usesOf(main: FunctionBody): Map<Local, number> {
  const uses = new Map<Local, number>();
  walkBlock(main.body, {
    expression: (expression) => {
      if (expression.kind === 'local') uses.set(expression.local, (uses.get(expression.local) ?? 0) + 1);
    },
  });
  return uses;
}
