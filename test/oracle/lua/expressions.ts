// Random expressions of a wanted type. They end, and raise no error but where an operand of type `any` is asked
// for something. Called by statements.ts and features.ts.
import type { Builder, Signature, Type, Variable } from './builder.ts';
import {
  FIELDS,
  GLOBALS,
  intLiteral,
  numberFormat,
  numberLiteral,
  pattern,
  plainText,
  stringFormat,
  stringLiteral,
  subjectLiteral,
} from './text.ts';

type Rule = readonly [weight: number, make: (g: Builder, depth: number) => string | null];

const SCALARS: readonly Type[] = ['int', 'num', 'str', 'bool'];

/** An expression of this type. `depth` is how deep it may still nest. */
export function expression(g: Builder, type: Type, depth = 2): string {
  const { random } = g;
  const text = plain(g, type, depth);
  // A traced value shows when it was computed.
  if (depth > 0 && type !== 'fun' && random.chance(0.03)) return `(T(${random.int(1, 99)}, ${text}))`;
  return text;
}

function plain(g: Builder, type: Type, depth: number): string {
  const { random } = g;
  if (depth <= 0 || random.chance(0.25)) {
    const known = g.variable(type);
    if (known !== null && random.chance(0.75)) return known.name;
    if (depth <= 0) return leaf(g, type);
  }
  for (let tries = 0; tries < 4; tries++) {
    const made = random.weighted(RULES[type], ([weight]) => weight)[1](g, depth - 1);
    if (made !== null) return made;
  }
  return leaf(g, type);
}

function leaf(g: Builder, type: Type): string {
  const { random } = g;
  switch (type) {
    case 'int':
      return intLiteral(random);
    case 'num':
      return numberLiteral(random);
    case 'str':
      return stringLiteral(random);
    case 'bool':
      return random.pick(['true', 'false']);
    case 'list':
      return random.pick(['{}', '{1, 2, 3}', "{'a', 'b'}", '{5, 3, 4, 1, 2}', '{1, nil, 3}']);
    case 'map':
      return random.pick(['{}', '{a = 1}', "{x = 1, y = 'z'}"]);
    case 'fun':
      return random.pick(['print', 'tostring', 'type', 'math.abs', 'string.upper']);
    case 'any':
      return random.pick(['nil', 'nil', 'true', '1', "'s'", '{}', 'print', '0.5']);
  }
}

export const scalarType = (g: Builder): Type => g.random.pick(SCALARS);

export const scalar = (g: Builder, depth = 1): string => expression(g, scalarType(g), depth);

/** Something that arithmetic takes. */
function number(g: Builder, depth: number): string {
  return expression(g, g.random.chance(0.7) ? 'int' : 'num', depth);
}

const paren = (text: string): string => (/^[\w.]+$/.test(text) ? text : `(${text})`);

/** As the object of an index or call. */
export function prefix(text: string): string {
  return /^[A-Za-z_][\w.]*$/.test(text) && !/^(nil|true|false)$/.test(text) ? text : `(${text})`;
}

function maybeParen(g: Builder, text: string): string {
  return g.random.chance(0.6) ? paren(text) : text;
}

/** Arithmetic that is closed in the integers. */
function arithmetic(g: Builder, depth: number, type: 'int' | 'num'): string {
  const { random } = g;
  const operand = (): string =>
    maybeParen(g, type === 'int' ? expression(g, 'int', depth) : number(g, depth));
  if (random.chance(0.1)) return `-${paren(operand())}`;
  const operator = random.pick(['+', '+', '-', '*', '%']);
  const right = operator === '%' && random.chance(0.7) ? random.pick(['2', '3', '7', '10', '-3']) : operand();
  const space = random.chance(0.9) ? ' ' : '';
  // "--" would begin a comment.
  const gap = right.startsWith('-') ? ' ' : space;
  return `${operand()}${space}${operator}${gap}${right}`;
}

/** A number as a string that arithmetic converts. */
function numeral(g: Builder): string {
  return g.random.pick(["'10'", "'0x10'", "' 5 '", "'1e1'", "'-3'", "'.5'", "'7.'"]);
}

function choice(g: Builder, type: Type, depth: number): string {
  return `(${expression(g, 'bool', depth)} and ${expression(g, type, depth)} or ${expression(g, type, depth)})`;
}

/** A call of a known function whose only wanted result is of this type. */
function callFor(g: Builder, type: Type, depth: number): string | null {
  const some = g.visible(
    (one) => one.signature !== null && one.signature.results[0] === type && g.affords(one.signature.cost),
  );
  if (some.length === 0) return null;
  const f = g.random.pick(some);
  const text = call(g, f, depth);
  return f.signature!.results.length > 1 || g.random.chance(0.1) ? `(${text})` : text;
}

/** A call of a function that the generator wrote, with arguments it can stand. */
export function call(g: Builder, f: Variable, depth = 1): string {
  const signature = f.signature!;
  g.pay(signature.cost);
  return `${f.name}(${argumentsFor(g, signature, depth)})`;
}

export function argumentsFor(g: Builder, signature: Signature, depth: number): string {
  const args = signature.params.map((type) => expression(g, type, depth));
  if (signature.vararg || g.random.chance(0.1)) {
    for (let n = g.random.int(0, 3); n > 0; n--) args.push(expression(g, anyScalar(g), depth));
    if (g.vararg && g.random.chance(0.3)) args.push('...');
  }
  return args.join(', ');
}

function anyScalar(g: Builder): Type {
  return g.random.chance(0.15) ? 'any' : scalarType(g);
}

export function field(g: Builder): string {
  return g.random.pick(FIELDS);
}

const list = (g: Builder, depth: number): string => expression(g, 'list', depth);
const map = (g: Builder, depth: number): string => expression(g, 'map', depth);
const str = (g: Builder, depth: number): string => expression(g, 'str', depth);
const int = (g: Builder, depth: number): string => expression(g, 'int', depth);

/** A string of a method call or function, cut so that loops do not make it endless. */
const cut = (g: Builder, text: string): string => (g.loopDepth > 0 ? `(${text}):sub(1, 30)` : `(${text})`);

/** A library function by its global name, or by a local that happens to hold it. */
function library(g: Builder, name: string): string {
  const short = `${name.slice(name.indexOf('.') + 1)}_`;
  return ALIASES.includes(short) && g.random.chance(0.2) ? short : name;
}

/** Locals of the prelude (generate.ts). */
export const ALIASES = ['insert_', 'format_', 'gsub_', 'concat_', 'floor_'];

function concatenation(g: Builder, depth: number): string {
  const { random } = g;
  const parts: string[] = [];
  for (let n = random.int(2, 4); n > 0; n--)
    parts.push(random.chance(0.75) ? maybeParen(g, str(g, depth)) : `(${number(g, depth)})`);
  return cut(g, parts.join(random.chance(0.9) ? ' .. ' : '.. '));
}

function gsub(g: Builder, depth: number): string {
  const { random } = g;
  const subject = random.chance(0.6) ? subjectLiteral(random) : str(g, depth);
  const by = random.pick([
    () => `'${random.pick(['', 'x', '<%0>', '%%', '[%1]', '%0%0'])}'`,
    () => "{a = 'A', b = false, ['1'] = 'one', [' '] = 7}",
    () => `function(${random.chance(0.5) ? 'm' : '...'}) return ${random.chance(0.5) ? "'!'" : 'nil'} end`,
    () => 'string.upper',
  ])();
  const count = random.chance(0.2) ? `, ${random.int(-1, 3)}` : '';
  return `(${library(g, 'string.gsub')}(${subject}, '${safePattern(g)}', ${by}${count}))`;
}

/** A pattern without mistakes. */
function safePattern(g: Builder): string {
  for (;;) {
    const made = pattern(g.random);
    // The malformed ones, and captures that a replacement may name but the pattern lacks, belong into pcall.
    if (made.includes('(') && !/^%$|^\[|%b$|%bx$|%f$|^\(a|\(\(\)$|a\)$/.test(made)) return made;
    if (!/[%[(]/.test(made) && made !== '' && !made.includes(')')) return made;
    if (/^(%[adlswux]|\.)[*+-]?$/.test(made)) return made;
  }
}

const RULES: Readonly<Record<Type, readonly Rule[]>> = {
  int: [
    [20, (g, d) => arithmetic(g, d, 'int')],
    [3, (g, d) => callFor(g, 'int', d)],
    [2, (g, d) => `#${prefix(list(g, d))}`],
    [2, (g, d) => `#${prefix(str(g, d))}`],
    [2, (g, d) => choice(g, 'int', d)],
    [2, (g, d) => `math.floor(${number(g, d)})`],
    [1, (g, d) => `${library(g, 'math.floor')}(${number(g, d)} / 2)`],
    [1, (g, d) => `${g.random.pick(['math.max', 'math.min'])}(${int(g, d)}, ${int(g, d)})`],
    [1, (g, d) => `math.abs(${int(g, d)})`],
    [1, (g, d) => `${prefix(str(g, d))}:len()`],
    [1, (g, d) => `(string.byte(${str(g, d)}, ${g.random.int(-2, 2)}) or ${int(g, d)})`],
    [1, (g, d) => `(${prefix(str(g, d))}:find('${plainText(g.random).slice(0, 2)}', 1, true) or 0)`],
    [1, (g) => (g.vararg ? "select('#', ...)" : null)],
    [1, (g, d) => `(tonumber('${g.random.int(0, 99)}') + ${int(g, d)})`],
    [1, (g) => `tonumber('${g.random.pick(['ff', '7', '10', '101'])}', ${g.random.pick([16, 36])})`],
    [1, (g) => `#{${g.vararg ? '...' : '1, 2, nil, 4'}}`],
  ],
  num: [
    [10, (g, d) => arithmetic(g, d, 'num')],
    [4, (g, d) => `${paren(number(g, d))} / ${paren(number(g, d))}`],
    [3, (g) => numberLiteral(g.random)],
    [2, (g, d) => `${paren(number(g, d))} ${g.random.pick(['+', '-', '*'])} ${numeral(g)}`],
    [2, (g, d) => callFor(g, 'num', d)],
    [2, (g, d) => choice(g, 'num', d)],
    [1, (g) => `${g.random.int(0, 12)} ^ ${g.random.int(0, 5)}`],
    [1, (g) => `-${g.random.int(1, 5)} ^ 2`],
    [1, () => 'math.huge'],
    [1, (g, d) => `math.fmod(${number(g, d)}, ${g.random.pick(['2', '3', '-4', '0.5'])})`],
    [1, (g, d) => `(select(${g.random.pick(['1', '2', '-1'])}, math.modf(${number(g, d)})))`],
    [1, (g, d) => `math.ceil(${number(g, d)} / 4)`],
    [1, (g, d) => `math.ldexp(${number(g, d)}, ${g.random.int(-3, 6)})`],
    [1, (g, d) => `tonumber(tostring(${int(g, d)}))`],
    [1, (g) => `math.sqrt(${g.random.pick(['16', '2', '0', '144', '1e10'])})`],
  ],
  str: [
    [10, concatenation],
    [4, (g) => stringLiteral(g.random)],
    [3, (g, d) => callFor(g, 'str', d)],
    [3, (g, d) => `tostring(${expression(g, scalarType(g), d)})`],
    [2, (g, d) => choice(g, 'str', d)],
    [2, (g, d) => `${prefix(str(g, d))}:sub(${g.random.int(-4, 4)}, ${g.random.int(-3, 6)})`],
    [1, (g, d) => `${prefix(str(g, d))}:${g.random.pick(['upper', 'lower', 'reverse'])}()`],
    [2, (g, d) => `${library(g, 'string.format')}('${numberFormat(g.random)}', ${int(g, d)} % 1000)`],
    [1, (g, d) => `string.format("%.17g", ${number(g, d)})`],
    [2, (g, d) => `string.format('${stringFormat(g.random)}', ${str(g, d)})`],
    [1, (g, d) => `${prefix(str(g, d))}:rep(${int(g, d)} % 4)`],
    [2, gsub],
    [1, (g, d) => `tostring((${str(g, d)}):match('${safePattern(g)}'))`],
    [1, (g, d) => `type(${expression(g, 'any', d)})`],
    [1, (g) => `string.char(${g.random.int(32, 126)}, ${g.random.int(32, 126)})`],
    [1, (g, d) => `table.concat({${str(g, d)}, ${int(g, d)}, ${str(g, d)}}, ${str(g, 0)})`],
  ],
  bool: [
    [8, (g, d) => `${number(g, d)} ${g.random.pick(['<', '<=', '>', '>=', '==', '~='])} ${number(g, d)}`],
    [3, (g, d) => `${str(g, d)} ${g.random.pick(['<', '<=', '>', '>=', '==', '~='])} ${str(g, d)}`],
    [3, (g, d) => `not ${paren(expression(g, g.random.chance(0.6) ? 'bool' : 'any', d))}`],
    [
      3,
      (g, d) => `(${expression(g, 'bool', d)} ${g.random.pick(['and', 'or'])} ${expression(g, 'bool', d)})`,
    ],
    [2, (g, d) => `${paren(expression(g, 'any', d))} ${g.random.pick(['==', '~='])} ${paren(scalar(g, d))}`],
    [1, (g, d) => callFor(g, 'bool', d)],
    [1, (g, d) => `(${expression(g, 'any', d)}) == nil`],
    [1, (g, d) => `rawequal(${scalar(g, d)}, ${scalar(g, d)})`],
    [1, (g, d) => `${paren(str(g, d))} == ${paren(number(g, d))}`],
  ],
  list: [
    [6, (g, d) => `{${listItems(g, d)}}`],
    [2, (g, d) => callFor(g, 'list', d)],
    [1, (g, d) => `{unpack(${list(g, d)})}`],
    [1, (g) => (g.vararg ? '{...}' : null)],
    [1, (g, d) => `{${prefix(str(g, d))}:byte(1, ${g.random.int(0, 5)})}`],
  ],
  map: [
    [6, (g, d) => `{${mapItems(g, d)}}`],
    [1, (g, d) => callFor(g, 'map', d)],
  ],
  fun: [
    [1, () => 'print'],
    [1, () => 'tostring'],
  ],
  any: [
    [4, (g, d) => `${prefix(map(g, d))}.${field(g)}`],
    [3, (g, d) => `${prefix(list(g, d))}[${int(g, d)}]`],
    [3, (g, d) => scalar(g, d)],
    [1, (g, d) => `${prefix(map(g, d))}[${str(g, d)}]`],
    [1, () => 'nil'],
    [2, (g) => (g.reaches('ga') ? g.random.pick(GLOBALS) : null)],
    [1, (g) => (g.vararg ? '(...)' : null)],
    [1, (g) => (g.vararg ? `(select(${g.random.int(1, 3)}, ...))` : null)],
    [1, (g, d) => `(${expression(g, 'any', d)} or ${scalar(g, d)})`],
    [1, (g, d) => `(${expression(g, 'any', d)} and ${scalar(g, d)})`],
    [1, (g, d) => `tonumber(${str(g, d)})`],
    [1, (g, d) => `(next(${map(g, d)}))`],
    [1, (g) => (g.mayYield ? `(coroutine.yield(${scalar(g, 0)}))` : null)],
  ],
};

function listItems(g: Builder, depth: number): string {
  const { random } = g;
  const same = scalarType(g);
  const out: string[] = [];
  for (let n = random.int(0, 6); n > 0; n--) {
    const chance = random.int(0, 19);
    if (chance === 0) out.push('nil');
    else if (chance === 1) out.push(`[${random.int(1, 8)}] = ${scalar(g, depth)}`);
    else out.push(expression(g, random.chance(0.8) ? same : scalarType(g), depth));
  }
  if (g.vararg && random.chance(0.2)) out.push('...');
  else if (random.chance(0.1)) out.push(`${prefix(expression(g, 'str', 0))}:byte(1, 3)`);
  const separator = random.chance(0.9) ? ', ' : '; ';
  return out.join(separator) + (out.length > 0 && random.chance(0.1) ? ',' : '');
}

function mapItems(g: Builder, depth: number): string {
  const { random } = g;
  const out: string[] = [];
  for (let n = random.int(0, 5); n > 0; n--) {
    const value = scalar(g, depth);
    switch (random.int(0, 5)) {
      case 0:
        out.push(`['${plainText(random).replace(/\W/g, '_')}'] = ${value}`);
        break;
      case 1:
        out.push(`[${str(g, 0)}] = ${value}`);
        break;
      default:
        out.push(`${field(g)} = ${value}`);
    }
  }
  return out.join(', ');
}
