// Tables of a script as the linter follows them: making one, setting a field, reading one. interpreter.ts calls it.
import type { TableConstructor } from '../lua/ast.ts';
import type { Interpreter } from './interpreter.ts';
import { libraryValue } from './libraries.ts';
import {
  alternatives,
  bounded,
  either,
  NIL,
  type TableFacts,
  textOf,
  UNKNOWN,
  type Value,
} from './values.ts';

/** The table of a constructor. */
export function makeTable(node: TableConstructor, interpreter: Interpreter): Value {
  const table: TableFacts = {
    node,
    line: node.line,
    fields: new Map(),
    items: [],
    others: [],
    open: false,
  };
  node.items.forEach((item, at) => {
    if (item.key !== null) {
      setField({ kind: 'table', table }, interpreter.value(item.key), interpreter.value(item.value), false);
    } else if (at === node.items.length - 1) {
      for (const value of interpreter.several(item.value)) {
        if (value.kind === 'several') table.others.push(value.of);
        else table.items.push(value);
      }
    } else table.items.push(interpreter.value(item.value));
  });
  return { kind: 'table', table };
}

/** `object[key] = value`; `appends` where the key is computed, as in `t[#t + 1]`. */
export function setField(object: Value, key: Value, value: Value, appends: boolean): void {
  for (const each of alternatives(object)) {
    if (each.kind !== 'table') continue;
    const { table } = each;
    if (key.kind === 'constant' && typeof key.value === 'string') {
      const known = table.fields.get(key.value);
      table.fields.set(key.value, known === undefined ? value : either([known, value]));
    } else if (key.kind === 'constant' && typeof key.value === 'number') {
      if (key.value === table.items.length + 1) table.items.push(value);
      else table.others.push(value);
    } else {
      table.others.push(value);
      if (!appends) table.open = true;
    }
  }
}

/** `object[key]`. */
export function elementOf(object: Value, key: Value): Value {
  switch (object.kind) {
    case 'inputs': {
      const index = key.kind === 'constant' && typeof key.value === 'number' ? key.value : null;
      return { kind: 'input', of: object.of, index };
    }
    case 'library': {
      const name = textOf(key);
      return name === null ? UNKNOWN : libraryValue(`${object.name}.${name}`);
    }
    case 'table':
      return elementOfTable(object.table, key);
    case 'reply':
    case 'element':
    case 'result':
      return bounded({ kind: 'element', of: object, key });
    case 'either':
      return either(object.values.map((each) => elementOf(each, key)));
    default:
      return UNKNOWN;
  }
}

function elementOfTable(table: TableFacts, key: Value): Value {
  const { fields, items, others } = table;
  if (key.kind === 'constant' && typeof key.value === 'string') {
    const known = fields.get(key.value);
    if (known !== undefined) return known;
    // What was set under a name that is not known may be this.
    return table.open ? (others.length === 0 ? UNKNOWN : either(others)) : NIL;
  }
  if (key.kind === 'constant' && typeof key.value === 'number' && others.length === 0) {
    return items[key.value - 1] ?? UNKNOWN;
  }
  const all = [...items, ...others];
  return all.length === 0 || table.open ? UNKNOWN : either(all);
}

/** One of the values handed over, where the last may stand for several. */
export function argument(values: readonly Value[], at: number): Value {
  const value = values[at];
  if (value !== undefined && value.kind !== 'several') return value;
  const last = values.at(-1);
  if (last?.kind === 'several') return elementOf(last.of, UNKNOWN);
  // A call at the end may have given more than one value, as string.match does.
  return last?.kind === 'result' ? UNKNOWN : NIL;
}
