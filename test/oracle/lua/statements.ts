// Random statements: declarations, assignments, control flow, functions. Called by generate.ts and features.ts.
import type { Builder, Signature, Type } from './builder.ts';
import { argumentsFor, call, expression, field, prefix, scalar } from './expressions.ts';
import { GLOBALS } from './text.ts';

type Rule = readonly [weight: number, write: (g: Builder) => boolean];

const VALUES: readonly Type[] = ['int', 'int', 'num', 'str', 'str', 'bool', 'list', 'map', 'any'];

const value = (g: Builder): Type => g.random.pick(VALUES);

/** So many statements in a scope of their own. */
export function body(g: Builder, most: number): void {
  g.scope(() => statements(g, g.random.int(1, most)));
}

export function statements(g: Builder, count: number): void {
  for (let n = 0; n < count && g.left > 0; n++) statement(g);
}

function statement(g: Builder): void {
  g.left--;
  for (let tries = 0; tries < 5; tries++) {
    const rule = g.random.weighted(g.depth > 5 || g.left < 3 ? SIMPLE : RULES, ([weight]) => weight);
    if (rule[1](g) !== false) return;
  }
  print(g);
}

export function print(g: Builder): true {
  const args: string[] = [];
  for (let n = g.random.int(1, 4); n > 0; n--) args.push(shown(g));
  g.line(`print(${args.join(', ')})`);
  return true;
}

/** Something to print, tables written out. */
function shown(g: Builder): string {
  const type = value(g);
  const text = expression(g, type, 2);
  return type === 'list' || type === 'map' ? `dump(${text}, 2)` : text;
}

function local(g: Builder): boolean {
  if (g.full) return false;
  const { random } = g;
  const count = random.chance(0.7) ? 1 : random.int(2, 4);
  const types: Type[] = [];
  const values: string[] = [];
  for (let i = 0; i < count; i++) {
    const type = value(g);
    types.push(type);
    values.push(expression(g, type, 2));
  }
  // More or fewer values than variables.
  if (count > 1 && random.chance(0.3)) {
    const missing = random.int(1, count - 1);
    values.length = missing;
    for (let i = missing; i < count; i++) types[i] = 'any';
  } else if (random.chance(0.05)) values.push(scalar(g));
  if (random.chance(0.05)) {
    types.fill('any');
    values.length = 0;
  }
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(g.newName(names));
  g.line(`local ${names.join(', ')}${values.length === 0 ? '' : ` = ${values.join(', ')}`}`);
  names.forEach((name, i) => {
    g.declare(name, types[i]!);
  });
  return true;
}

function assign(g: Builder): boolean {
  const type = value(g);
  const target = g.variable(type, true);
  if (target === null) return false;
  g.line(`${target.name} = ${expression(g, type, 2)}`);
  return true;
}

function assignGlobal(g: Builder): boolean {
  const name = g.random.pick(GLOBALS);
  const type = g.random.pick(['int', 'str', 'any'] as const);
  const certain = g.depth === 0 && g.functionDepth === 0;
  const known = g.visible((one) => one.global && one.name === name)[0];
  if (known === undefined && !certain) return false;
  const wanted = known?.type ?? type;
  g.line(`${name} = ${expression(g, wanted, 2)}`);
  if (known === undefined) g.declareGlobal(name, wanted);
  return true;
}

/** Several targets at once, some of them fields and elements. */
function assignMany(g: Builder): boolean {
  const { random } = g;
  const targets: string[] = [];
  const values: string[] = [];
  for (let n = random.int(2, 4); n > 0; n--) {
    const list = g.variable('list');
    const map = g.variable('map');
    const type = value(g);
    const known = g.variable(type, true);
    if (list !== null && random.chance(0.4)) {
      targets.push(`${list.name}[${element(g, list.name)}]`);
      values.push(scalar(g));
    } else if (map !== null && random.chance(0.4)) {
      targets.push(`${map.name}.${field(g)}`);
      values.push(scalar(g));
    } else if (known !== null && !targets.includes(known.name)) {
      targets.push(known.name);
      values.push(expression(g, type, 1));
    }
  }
  if (targets.length < 2) return false;
  g.line(`${targets.join(', ')} = ${values.join(', ')}`);
  return true;
}

function swap(g: Builder): boolean {
  const type = g.random.pick(['int', 'str', 'list'] as const);
  const some = g.visible((one) => one.type === type && one.assignable);
  if (some.length < 2) return false;
  const [a, b] = g.random.shuffle(some);
  g.line(`${a!.name}, ${b!.name} = ${b!.name}, ${a!.name}`);
  return true;
}

/** An index at or near the elements of a list. */
function element(g: Builder, list: string): string {
  const { random } = g;
  if (random.chance(0.4)) return String(random.int(1, 6));
  if (random.chance(0.6)) return `#${list}${random.pick(['', ' + 1', ' + 1'])}`;
  // Whatever it is, close to the list.
  return `(${expression(g, 'int', 1)}) % 8`;
}

function store(g: Builder): boolean {
  const { random } = g;
  const type = random.pick(['list', 'map'] as const);
  const target = g.variable(type);
  if (target === null) return false;
  const { name } = target;
  if (type === 'map') {
    const key = random.chance(0.7) ? `.${field(g)}` : `[${expression(g, 'str', 1)}]`;
    g.line(`${name}${key} = ${random.chance(0.1) ? 'nil' : scalar(g)}`);
    return true;
  }
  switch (random.int(0, 6)) {
    case 0:
      g.line(`table.insert(${name}, ${scalar(g)})`);
      break;
    case 1:
      g.line(`table.insert(${name}, ${random.int(1, 3)}, ${scalar(g)})`);
      break;
    case 2:
      g.line(`print(table.remove(${name}${random.chance(0.5) ? '' : `, ${random.int(1, 3)}`}), #${name})`);
      break;
    case 3:
      g.line(`${name}[#${name}] = nil`);
      break;
    default:
      g.line(`${name}[${element(g, name)}] = ${random.chance(0.1) ? 'nil' : scalar(g)}`);
  }
  return true;
}

function look(g: Builder): boolean {
  const { random } = g;
  const type = random.pick(['list', 'map'] as const);
  const target = g.variable(type);
  if (target === null) return false;
  const { name } = target;
  switch (random.int(0, 4)) {
    case 0:
      g.line(`print(#${name}, table.maxn(${name}), next(${name}) ~= nil)`);
      break;
    case 1:
      g.line(`print(dump(${name}, 3))`);
      break;
    case 2:
      if (type === 'map') return false;
      g.line(`print(unpack(${name}, ${random.int(1, 2)}, ${random.int(0, 5)}))`);
      break;
    case 3:
      if (type === 'map') return false;
      g.line(`print(pcall(table.concat, ${name}, ${expression(g, 'str', 0)}))`);
      break;
    default:
      g.line(`print(${name}.${field(g)}, ${name}[${random.int(1, 4)}])`);
  }
  return true;
}

function ifStatement(g: Builder): boolean {
  const { random } = g;
  g.block(
    `if ${condition(g)} then`,
    () => {
      body(g, 3);
      for (let n = random.chance(0.3) ? random.int(1, 3) : 0; n > 0; n--) {
        between(g, `elseif ${condition(g)} then`);
        body(g, 2);
      }
      if (random.chance(0.5)) {
        between(g, 'else');
        body(g, 3);
      }
    },
    'end',
  );
  return true;
}

/** A line one step further out. */
function between(g: Builder, text: string): void {
  g.line(text);
  const last = g.lines.length - 1;
  g.lines[last] = g.lines[last]!.slice(2);
}

function condition(g: Builder): string {
  return expression(g, g.random.chance(0.8) ? 'bool' : 'any', 2);
}

function numericFor(g: Builder): boolean {
  const { random } = g;
  const [range, times] = random.pick([
    [`1, ${random.int(0, 5)}`, 4],
    [`${random.int(3, 6)}, 1, -1`, 5],
    [`1, 2, 0.5`, 3],
    [`0, 1, 0.1`, 10],
    [`${random.int(-3, 3)}, ${random.int(-3, 6)}, ${random.pick([1, 2, 3, -1, -2])}`, 5],
    [`1, (${expression(g, 'int', 1)}) % 5`, 4],
    [`1, 3, math.huge`, 1],
    [`'1', '3', '2'`, 2],
  ] as const);
  if (!g.affords(times * 5)) return false;
  const name = g.newName();
  g.block(`for ${name} = ${range} do`, () =>
    g.scope(() => {
      g.declare(name, range.includes('.') ? 'num' : 'int');
      g.repeated(times, () => {
        body(g, 4);
        if (random.chance(0.15)) g.line(`if ${condition(g)} then break end`);
      });
    }),
  );
  return true;
}

function genericFor(g: Builder): boolean {
  const { random } = g;
  const key = g.newName();
  const item = g.newName([key]);
  const [iterator, keyType, itemType] = random.pick([
    () => [`ipairs(${expression(g, 'list', 1)})`, 'int', 'any'] as const,
    () => [`pairs(${expression(g, 'list', 1)})`, 'any', 'any'] as const,
    () => [`next, ${expression(g, 'map', 1)}`, 'str', 'any'] as const,
    () => [`pairs(${expression(g, 'map', 1)})`, 'str', 'any'] as const,
    () =>
      [
        `(${expression(g, 'str', 1)}):gmatch('${random.pick(['%a+', '.', '(%w)(%w)', '()%s'])}')`,
        'any',
        'any',
      ] as const,
    () =>
      [
        `function(s, c) if c < s then return c + 1, c * 2 end end, ${random.int(0, 4)}, 0`,
        'int',
        'int',
      ] as const,
  ])();
  if (!g.affords(40)) return false;
  // The loop may grow the table it runs through only at random peril ("invalid key to 'next'"): names are hidden.
  g.block(`for ${key}, ${item} in ${iterator} do`, () =>
    g.scope(() => {
      g.declare(key, keyType);
      g.declare(item, itemType);
      g.repeated(8, () => {
        g.line(`print(${key}, ${item})`);
        if (random.chance(0.5)) quietBody(g);
        if (random.chance(0.1)) g.line('break');
      });
    }),
  );
  return true;
}

/** Statements that leave tables as they are. */
function quietBody(g: Builder): void {
  g.scope(() => {
    for (let n = g.random.int(1, 2); n > 0; n--) g.random.pick([print, local, print])(g);
  });
}

function whileLoop(g: Builder): boolean {
  const { random } = g;
  const times = random.int(1, 5);
  if (!g.affords(times * 6) || g.full) return false;
  const counter = g.fresh('int', { fixed: true });
  g.line(`local ${counter} = 0`);
  const more = random.chance(0.3) ? ` and (${condition(g)})` : '';
  g.block(`while ${counter} < ${times}${more} do`, () => {
    g.line(`${counter} = ${counter} + 1`);
    g.repeated(times, () => {
      body(g, 4);
      if (random.chance(0.1)) g.line('if true then break end');
    });
  });
  return true;
}

function repeatLoop(g: Builder): boolean {
  const { random } = g;
  const times = random.int(1, 4);
  if (!g.affords(times * 6) || g.full) return false;
  const [counter, twice] = [g.unique('n'), g.unique('m')];
  g.line(`local ${counter} = 0`);
  g.declare(counter, 'int', { fixed: true });
  // The condition sees the block's own variables.
  const until = random.chance(0.5) ? `${twice} >= ${times * 2}` : `${counter} >= ${times}`;
  g.block(
    'repeat',
    () =>
      g.scope(() => {
        g.line(`${counter} = ${counter} + 1`);
        g.line(`local ${twice} = ${counter} * 2`);
        g.declare(twice, 'int', { fixed: true });
        g.repeated(times, () => {
          statements(g, random.int(1, 3));
          if (random.chance(0.1)) g.line(`if ${condition(g)} then break end`);
        });
      }),
    `until ${until}`,
  );
  return true;
}

/** A random signature; `results` may be empty. */
function signatureOf(g: Builder): { params: Type[]; results: Type[]; vararg: boolean } {
  const { random } = g;
  const params: Type[] = [];
  for (let n = random.int(0, 3); n > 0; n--)
    params.push(random.pick(['int', 'str', 'list', 'map', 'bool', 'any']));
  const results: Type[] = [];
  for (let n = random.int(0, 2); n > 0; n--)
    results.push(random.pick(['int', 'int', 'str', 'bool', 'list', 'num']));
  return { params, results, vararg: random.chance(0.25) };
}

/** Parameters, body and `end` of a function whose header begins like this. */
export function functionBody(
  g: Builder,
  header: string,
  shape: { params: readonly Type[]; results: readonly Type[]; vararg: boolean },
  footer = 'end',
  most = 4,
  self = false,
): Signature {
  const names: string[] = [];
  for (let i = 0; i < shape.params.length; i++) names.push(g.newName(names));
  const list = [...names, ...(shape.vararg ? ['...'] : [])].join(', ');
  let cost = 0;
  g.block(
    `${header}(${list})`,
    () => {
      cost = g.inFunction(shape.vararg, () => {
        if (self) g.declare('self', 'any', { fixed: true });
        names.forEach((name, i) => {
          g.declare(name, shape.params[i]!);
        });
        g.results = shape.results;
        statements(g, g.random.int(1, most));
        finish(g, shape.results);
      });
    },
    footer,
  );
  return { ...shape, cost };
}

function finish(g: Builder, results: readonly Type[]): void {
  const { random } = g;
  // A tail call, where one fits.
  if (results.length === 1 && random.chance(0.25)) {
    const some = g.visible(
      (one) =>
        one.signature?.results.length === 1 &&
        one.signature.results[0] === results[0] &&
        g.affords(one.signature.cost),
    );
    if (some.length > 0) {
      g.line(`return ${call(g, random.pick(some))}`);
      return;
    }
  }
  if (results.length > 0) g.line(`return ${results.map((type) => expression(g, type, 2)).join(', ')}`);
  else if (random.chance(0.2)) g.line('return');
}

function localFunction(g: Builder): boolean {
  if (g.full || g.functionDepth > 3 || !g.affords(30)) return false;
  const name = g.newName();
  const shape = signatureOf(g);
  const { random } = g;
  // Until its end the name stands for a function that nobody calls: no recursion.
  const hidden = random.chance(0.6);
  let signature: Signature | null = null;
  if (hidden) {
    g.scope(() => {
      g.declare(name, 'fun', { fixed: true });
      signature = functionBody(g, `local function ${name}`, shape);
    });
  } else signature = functionBody(g, `local ${name} = function`, shape);
  g.declare(name, 'fun', { signature: signature!, fixed: true });
  return true;
}

function callStatement(g: Builder): boolean {
  const some = g.visible((one) => one.signature !== null && g.affords(one.signature.cost));
  if (some.length === 0) return false;
  const f = g.random.pick(some);
  if (g.random.chance(0.7)) g.line(`print(${call(g, f)})`);
  else g.line(call(g, f));
  return true;
}

/** A call in pcall, with arguments that may be wrong. */
function protectedCall(g: Builder): boolean {
  const some = g.visible((one) => one.signature !== null && g.affords(one.signature.cost));
  if (some.length === 0) return false;
  const f = g.random.pick(some);
  const { params, cost, vararg, results } = f.signature!;
  g.pay(cost);
  const wrong = params.map((type) => (g.random.chance(0.3) ? 'any' : type));
  const args = argumentsFor(g, { params: wrong, results, vararg, cost }, 1);
  g.line(`print(pcall(${f.name}${args === '' ? '' : `, ${args}`}))`);
  return true;
}

function doBlock(g: Builder): boolean {
  g.block('do', () => body(g, 4));
  return true;
}

function earlyReturn(g: Builder): boolean {
  if (g.results === null) return false;
  const values = g.results.map((type) => expression(g, type, 1)).join(', ');
  g.line(`if ${condition(g)} then return ${values} end`);
  return true;
}

function breakLoop(g: Builder): boolean {
  if (g.loopDepth === 0) return false;
  g.line(g.random.chance(0.5) ? `if ${condition(g)} then break end` : 'do break end');
  return true;
}

function methodOnString(g: Builder): boolean {
  g.line(
    `print(${prefix(expression(g, 'str', 1))}:${g.random.pick(['len()', 'byte(1, -1)', 'find("a")', 'rep(2)'])})`,
  );
  return true;
}

const SIMPLE: readonly Rule[] = [
  [4, print],
  [4, local],
  [4, assign],
  [2, assignMany],
  [2, store],
  [2, look],
  [2, callStatement],
  [1, assignGlobal],
  [1, swap],
  [1, methodOnString],
];

/** Rules of other files (features.ts puts them there). */
export const FEATURES: Rule[] = [];

const RULES: Rule[] = [
  ...SIMPLE,
  [2, ifStatement],
  [2, numericFor],
  [1.5, genericFor],
  [1, whileLoop],
  [1, repeatLoop],
  [3, localFunction],
  [1, protectedCall],
  [0.5, doBlock],
  [0.5, earlyReturn],
  [0.5, breakLoop],
  [4, (g) => g.random.weighted(FEATURES, ([weight]) => weight)[1](g)],
];
