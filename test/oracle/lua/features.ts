// Random statements that each are about one corner of Lua: closures, varargs, order of evaluation, coroutines,
// metatables, errors, patterns, chunks. Called by statements.ts through FEATURES.
import type { Builder } from './builder.ts';
import { expression, field, prefix, scalar, scalarType } from './expressions.ts';
import { body, FEATURES, functionBody, print, statements } from './statements.ts';
import { freshName, GLOBALS, numberFormat, pattern, stringFormat, subjectLiteral } from './text.ts';

// ---- closures and variables -------------------------------------------------------------------------------------

function counters(g: Builder): boolean {
  const { random } = g;
  const [make, a, b] = [g.unique('make'), g.unique('c'), g.unique('c')];
  g.block(`local function ${make}(start)`, () => {
    const own = freshName(random);
    g.line(`local ${own} = start or ${random.int(0, 9)}`);
    g.line(`local function up(by) ${own} = ${own} + (by or 1) return ${own} end`);
    g.line(`return up, function() return ${own} end, function(v) ${own} = v end`);
  });
  g.line(`local ${a}, get${a}, set${a} = ${make}(${random.int(1, 5)})`);
  g.line(`local ${b} = ${make}()`);
  g.line(`print(${a}(), ${a}(${random.int(1, 9)}), ${b}(), get${a}())`);
  g.line(`set${a}(${scalarNumber(g)}) print(get${a}(), ${a}(), ${b}())`);
  return true;
}

function scalarNumber(g: Builder): string {
  return expression(g, 'int', 1);
}

/** Closures made in a loop: each has its own copy of the loop's variables. */
function loopClosures(g: Builder): boolean {
  const { random } = g;
  const [all, own] = [g.unique('fs'), freshName(random)];
  const [i, k] = [g.unique('i'), g.unique('k')];
  g.line(`local ${all} = {}`);
  const header = random.pick([
    `for ${i} = 1, 3 do`,
    `for ${i}, _ in ipairs({7, 8, 9}) do`,
    `local ${i} = 0; while ${i} < 3 do ${i} = ${i} + 1`,
    `local ${i} = 0; repeat ${i} = ${i} + 1`,
  ]);
  const loops = header.includes('repeat');
  g.block(
    header,
    () => {
      g.line(`local ${own}, ${k} = ${i}, #${all}`);
      g.line(
        `${all}[#${all} + 1] = function(v) if v then ${own} = ${own} + v ${k} = ${k} - v end return ${own}, ${k}, ${i} end`,
      );
      if (random.chance(0.4))
        g.line(`if #${all} == 2 then ${random.pick([`${own} = 50`, 'break', `${k} = 9`])} end`);
    },
    loops ? `until ${k} >= 2` : 'end',
  );
  g.line(`for n = 1, #${all} do print(n, ${all}[n](), ${all}[n](n), (${all}[n]())) end`);
  return true;
}

/** A function changes a variable that the same expression reads, before or after. */
function changing(g: Builder): boolean {
  const { random } = g;
  const [v, f, t] = [g.unique('v'), g.unique('f'), g.unique('t')];
  g.line(`local ${v}, ${t} = ${random.int(1, 9)}, {1, 2, 3}`);
  g.line(`local function ${f}(x) ${v} = ${v} + 1; ${t}[1] = ${v} return x or ${v} end`);
  const use = random.pick([
    `print(${v} + ${f}(), ${f}() + ${v}, ${v} * ${v} - ${f}())`,
    `print(${v}, ${f}(), ${v})`,
    `print(${v} .. ${f}() .. ${v})`,
    `print(dump({${v}, ${f}(), ${v}, [${v}] = ${f}(), x = ${v}}))`,
    `print(${v} < ${f}(), ${f}() < ${v}, ${v} == ${f}())`,
    `${v}, ${t}[${v} % 3 + 1] = ${f}(), ${v} print(${v}, unpack(${t}))`,
    `${t}[${f}() % 3 + 1], ${v} = ${v}, ${f}(7) print(${v}, unpack(${t}))`,
    `print(${t}[${v} - ${v} + 1], ${t}[${f}(1)], ${t}[1])`,
    `do local a, b, c = ${v}, ${f}(), ${v} print(a, b, c) end`,
    `print(-${v} + ${f}(), #${t} + ${f}(1), not ${v} == ${f}())`,
    `print(${v} > 5 and ${f}() or ${v}, (${v} and ${f}()) + ${v})`,
    `print((function(...) return ${v}, ..., ${f}(), ${v} end)(${v}, ${f}()))`,
    `${t}.x = {${f}()}; ${t}.x, ${t}.y = ${t}, ${t}.x; print(${t}.y[1], ${t}.x == ${t})`,
    `for i = ${v}, ${v} + 2 do ${v} = ${v} + ${f}() print(i, ${v}) end`,
  ]);
  g.line(use);
  g.line(`print(${v}, ${t}[1])`);
  return true;
}

/** Everything says when it is evaluated. */
function traced(g: Builder): boolean {
  const { random } = g;
  let n = 0;
  const t = (text: string): string => `T(${++n}, ${text})`;
  const v = (): string => t(scalar(g, 1));
  const x = (): string => t(expression(g, 'int', 1));
  const line = random.pick([
    () => `print(${v()}, ${v()}, ${v()})`,
    () => `print(${x()} + ${x()} * ${x()} - ${x()})`,
    () => `print(${x()} < ${x()}, ${x()} >= ${x()}, ${x()} > ${x()})`,
    () => `print(${x()} .. ${x()} .. ${t("'s'")})`,
    () => `${t('{}')}[${v()}] = ${v()}`,
    () => `${t('{}')}[${t("'k'")}], ${t('{}')}.y, gc = ${v()}, ${v()}, ${v()}`,
    () => `print(dump({${v()}, k = ${v()}, [${t("'z'")}] = ${v()}, ${v()}}))`,
    () => `do local a, b = ${v()}, ${v()}, ${v()} print(a, b) end`,
    () => `print(${t('{}')}.x, ${t('{5}')}[${t('1')}])`,
    () => `print(${t("'abc'")}:sub(${t('1')}, ${t('2')}))`,
    () => `print(${v()} == ${v()} and ${v()} or ${v()}, ${t('nil')} and ${v()}, ${t('false')} or ${v()})`,
    () => `for i = ${t('1')}, ${t('2')}, ${t('1')} do ${x()} end`.replace(/do .* end/, 'do print(i) end'),
    () => `for k, e in ${t('ipairs({1})')} do print(k, e) end`,
    () => `print((function(...) return select('#', ...) end)(${v()}, T(${++n}), ${t('1, 2')}))`,
    () => `print(${x()} ^ ${t('2')}, -${x()}, #${t('{1}')}, not ${v()})`,
  ])();
  g.line(line);
  return true;
}

function varargs(g: Builder): boolean {
  const { random } = g;
  const f = g.unique('va');
  const way = random.int(0, 5);
  g.block(`local function ${f}(${random.chance(0.5) ? 'first, ' : ''}...)`, () => {
    g.inFunction(true, () => {
      switch (way) {
        case 0:
          g.line(`print(select('#', ...), ...)`);
          g.line(`local a, b = ... print(a, b, (...))`);
          break;
        case 1:
          g.line(`print(arg == nil, ...)`);
          break;
        case 2:
          g.line(`local t = {..., ...} print(#t, unpack(t, 1, 4))`);
          break;
        case 3:
          g.line(`for i = 1, select('#', ...) do print(i, (select(i, ...))) end`);
          break;
        case 4:
          g.line('print(pcall(select, -1, ...))');
          g.line(`return ${f} and select(${random.int(1, 3)}, ...)`);
          break;
        default:
          statements(g, 3);
      }
      if (way !== 4) g.line(`return ..., ${random.int(1, 9)}, ...`);
    });
  });
  const args: string[] = [];
  for (let n = random.int(1, 4); n > 0; n--) args.push(random.chance(0.3) ? 'nil' : scalar(g, 1));
  g.line(`print(${f}(${args.join(', ')}))`);
  g.line(`print((${f}(${args.join(', ')})), ${f}(1), nil)`);
  if (random.chance(0.4)) {
    const old = g.unique('old');
    g.line(
      `local function ${old}(a, ...) print(a, arg.n, arg[1], #arg, dump(arg, 1)) arg[1] = 5 return arg end`,
    );
    g.line(`print(${old}(${args.join(', ')})[1])`);
  }
  return true;
}

function shadowing(g: Builder): boolean {
  const { random } = g;
  const name = freshName(random);
  g.line(`local ${name} = ${random.int(1, 9)}`);
  g.declare(name, 'int');
  g.block('do', () => {
    g.line(`local ${name} = ${name} + 1 print(${name})`);
    g.line(`local ${name}, f_ = ${name} * 2, function() return ${name} end print(${name}, f_())`);
    g.line(`for ${name} = ${name}, ${name} + 1 do local ${name} = ${name} .. 's' print(${name}) end`);
    g.line(`(function(${name}) ${name} = ${name} and ${name} + 1 print(${name}) end)(${name})`);
    g.line(`repeat local ${name} = ${name} - 1 until ${name} < ${name} + 1`);
  });
  g.line(`print(${name})`);
  return true;
}

function elseifChain(g: Builder): boolean {
  const { random } = g;
  const v = g.unique('v');
  const long = random.chance(0.1) ? 60 : random.int(4, 12);
  g.block(`for ${v} = 0, ${long}, ${random.pick([1, 2, 3])} do`, () => {
    for (let i = 0; i < long; i++)
      g.line(
        `${i === 0 ? 'if' : 'elseif'} ${v} == ${i} then ${random.chance(0.9) ? `print('is ${i}')` : ''}`,
      );
    g.line(`else print('none', ${v}) end`);
  });
  return true;
}

function longConcat(g: Builder): boolean {
  const parts: string[] = [];
  for (let n = g.random.int(5, 40); n > 0; n--)
    parts.push(g.random.chance(0.5) ? `'${n}'` : prefix(scalarText(g)));
  g.line(`print(${parts.join(' .. ')})`);
  return true;
}

function scalarText(g: Builder): string {
  return expression(g, g.random.pick(['int', 'str', 'num'] as const), 1);
}

// ---- tables -----------------------------------------------------------------------------------------------------

/** Keys are only added: pairs shows them in the order of Lua's nodes. */
function pairsOrder(g: Builder): boolean {
  const { random } = g;
  const t = g.unique('t');
  const key = (): string => {
    switch (random.int(0, 6)) {
      case 0:
        return String(random.int(-2, 12));
      case 1:
        return random.pick(['0.5', '1e10', '-1', '2^53', '1.5', '1e100', '100', '1000', 'true', 'false']);
      default:
        return `'${random.pick(['', 'k', 'key', 'n', 'user:', 'x'])}${random.int(0, 40)}'`;
    }
  };
  const items: string[] = [];
  for (let n = random.int(0, 6); n > 0; n--)
    items.push(random.chance(0.5) ? `[${key()}] = ${random.int(0, 9)}` : String(random.int(0, 9)));
  g.line(`local ${t} = {${items.join(', ')}}`);
  const more = random.chance(0.1) ? 60 : random.int(0, 14);
  for (let n = more; n > 0; n--) g.line(`${t}[${key()}] = ${random.int(0, 9)}`);
  if (random.chance(0.3))
    g.line(
      `for i = 1, ${random.int(1, 40)} do ${t}[${random.pick(['i', 'i * 2', "'f' .. i", 'i / 2'])}] = i end`,
    );
  const cleared = random.chance(0.2) ? ` ${t}[k] = nil` : '';
  g.line(`for k, v in pairs(${t}) do print(k, v)${cleared} end`);
  g.line(`print(#${t}, next(${t}))`);
  return true;
}

function sorting(g: Builder): boolean {
  const { random } = g;
  const t = g.unique('t');
  const items: string[] = [];
  const kind = random.pick(['int', 'str', 'num'] as const);
  for (let n = random.int(0, 14); n > 0; n--) items.push(expression(g, kind, 0));
  g.line(`local ${t} = {${items.join(', ')}}`);
  const by = random.pick([
    '',
    ', function(a, b) return a > b end',
    ', function(a, b) print(a, b) return a < b end',
    ', function(a, b) return tostring(a) < tostring(b) end',
    ', function(a, b) return true end',
    ', function(a, b) return a <= b end',
    ", function(a, b) error('in sort') end",
    ', 5',
  ]);
  g.line(`print(pcall(table.sort, ${t}${by}))`);
  g.line(`print(unpack(${t}))`);
  return true;
}

function tableLibrary(g: Builder): boolean {
  const { random } = g;
  const list = expression(g, 'list', 1);
  g.line(
    random.pick([
      () => `table.foreach(${expression(g, 'map', 1)}, print)`,
      () => `print(table.foreachi(${list}, function(i, v) print(i, v) if i == 2 then return v end end))`,
      () => `print(table.getn(${list}), table.maxn(${list}))`,
      () => `print(pcall(table.concat, ${list}, ', ', ${random.int(0, 2)}, ${random.int(0, 4)}))`,
      () => `print(pcall(unpack, ${list}, ${random.int(-1, 2)}, ${random.int(0, 4)}))`,
      () => `print(pcall(table.insert, ${list}, ${random.int(-1, 9)}, 'new'))`,
      () => `print(pcall(table.remove, ${list}, ${random.int(-1, 9)}))`,
      () => `print(pcall(rawset, ${list}, ${random.pick(['nil', '0/0', '1', "'x'"])}, 1))`,
      () => `print(pcall(next, ${list}, ${random.pick(['nil', '1', "'no'", '99'])}))`,
    ])(),
  );
  return true;
}

// ---- strings ----------------------------------------------------------------------------------------------------

function patterns(g: Builder): boolean {
  const { random } = g;
  const subject = random.chance(0.7) ? subjectLiteral(random) : expression(g, 'str', 1);
  const made = `'${pattern(random)}'`;
  g.line(
    random.pick([
      () =>
        `print(pcall(string.find, ${subject}, ${made}${random.chance(0.3) ? `, ${random.int(-3, 5)}` : ''}))`,
      () => `print(pcall(string.match, ${subject}, ${made}))`,
      () =>
        `print(pcall(string.gsub, ${subject}, ${made}, '${random.pick(['<%0>', '%1', '%2', '', '%', '%%', '%1%1'])}'))`,
      () =>
        `print(pcall(string.gsub, ${subject}, ${made}, function(...) print(...) return ${random.pick(['...', 'nil', 'false', "'r'", '5', '{}'])} end))`,
      () => `print(pcall(string.gsub, ${subject}, ${made}, {a = 1, b = 'B', [' '] = false, ['1'] = {}}))`,
      () => `print(pcall(function() for a, b, c in (${subject}):gmatch(${made}) do print(a, b, c) end end))`,
    ])(),
  );
  return true;
}

function formats(g: Builder): boolean {
  const { random } = g;
  const parts: string[] = [];
  const args: string[] = [];
  for (let n = random.int(1, 4); n > 0; n--) {
    const number = random.chance(0.6);
    parts.push(number ? numberFormat(random) : stringFormat(random));
    args.push(number ? expression(g, random.chance(0.8) ? 'int' : 'num', 1) : scalarText(g));
    if (random.chance(0.1)) parts.push('%%');
  }
  if (random.chance(0.1))
    parts.push(random.pick(['%', '%y', '%10', '%d', '%s', '%123d', '%-----d', '%.123f', '%c']));
  if (random.chance(0.1)) args[0] = expression(g, 'any', 1);
  g.line(`print(pcall(string.format, "${parts.join(' ')}", ${args.join(', ')}))`);
  return true;
}

function stringLibrary(g: Builder): boolean {
  const { random } = g;
  const s = expression(g, 'str', 1);
  const n = (): string =>
    random.chance(0.8) ? String(random.int(-5, 8)) : random.pick(['0.5', "'2'", '1e10', '-1e10', '2.9']);
  g.line(
    `print(pcall(${random.pick([
      () => `string.sub, ${s}, ${n()}, ${n()}`,
      () => `string.byte, ${s}, ${n()}, ${n()}`,
      () => `string.rep, ${s}, ${random.int(-1, 4)}`,
      () => `string.char${random.pick([', 65, 66', ', 256', ', -1', ", '65'", ', 0, 255', ", 'x'", ''])}`,
      () => `string.find, ${s}, ${expression(g, 'str', 0)}, ${n()}, true`,
      () => `tonumber, ${s}, ${random.pick(['10', '16', '36', '2', '1', '37', "'8'", 'nil'])}`,
      () =>
        `tonumber, ${random.pick(["'0x'", "'1e'", "'1e+5'", "' 0x1p4 '", "'1 2'", "''", "' '", "'.'", "'-.5'", "'--1'", "'1_0'", "'0x.8'", "'inf'", "'1\\0'", "'z'", 'nil', '{}', 'true'])}`,
      () =>
        `tostring, ${random.pick(['1e15', '1e14', '-1e15', '123456789012345', '0.1', '1/3', '1e-5', '-0.0', '2^63', '1e300 * 1e10', '100', '3.0'])}`,
      () => `string.reverse, ${s}`,
      () => `string.len, ${random.pick([s, 'nil', '12', '{}'])}`,
      () => `math.${random.pick(['floor', 'ceil', 'abs', 'modf', 'frexp', 'deg', 'sqrt'])}, ${scalarText(g)}`,
    ])()}))`,
  );
  return true;
}

// ---- errors -----------------------------------------------------------------------------------------------------

/** What has no value, or the wrong one, in its many places: errors name it. */
function badOperand(g: Builder): string {
  const { random } = g;
  const place = random.pick<() => string>([
    () => 'bad',
    () => 'up',
    () => random.pick(GLOBALS),
    () => `t.${field(g)}`,
    () => 't.x.y',
    () => `t[${random.int(1, 5)}]`,
    () => 't[k]',
    () => 'upt.z',
    () => '(nil)',
    () => 'true',
    () => "'str'",
    () => '{}',
    () => 'print',
    () => '(...)',
    () => 'id(nil)',
    () => '(bad)',
    () => `(bad or up)`,
    () => `(t and t.q)`,
    () => 't:get()',
    () => '-t.n',
    () => 'num',
    () => 'str',
  ]);
  return place();
}

function badOperation(g: Builder): string {
  const { random } = g;
  const b = badOperand(g);
  const c = badOperand(g);
  const good = random.pick(['1', 'num', "'5'", 'str', 't.n', b, c]);
  const [l, r] = random.chance(0.5) ? [b, good] : [good, b];
  const operator = random.pick(['+', '-', '*', '/', '%', '^', '..', '..', '<', '<=', '>', '>=']);
  const object = /^[\w.]+$/.test(b) && !/^(true|print)$/.test(b) ? b : `(${b})`;
  return random.pick<() => string>([
    () => `local r = ${l} ${operator} ${r}`,
    () => `return ${l} ${operator} ${r}`,
    () => `return ${l} .. ${good} .. ${r}`,
    () => `return num ${operator} (${l} ${operator} ${r})`,
    () => `if ${l} ${random.pick(['<', '>', '<=', '>='])} ${r} then print('yes') end`,
    () => `local r = ${object}.field`,
    () => `local r = ${object}.field.other`,
    () => `local r = ${object}[${good}]`,
    () => `${object}.field = ${good}`,
    () => `${object}[${good}] = ${b}`,
    () => `t[${b}] = 1`,
    () => `local r = ${object}(${good})`,
    () => `${object}()`,
    () => `return ${object}(${good})`,
    () => `${object}:method(${good})`,
    () => `local r = ${object}:method()`,
    () => `t.${field(g)}.deep = 1`,
    () => `t:${field(g)}()`,
    () => `return t:${field(g)}(1)`,
    () => `return -${object}`,
    () => `return #${object}`,
    () => `for i = ${l}, ${r} do print(i) break end`,
    () => `for i = 1, 2, ${b} do print(i) break end`,
    () => `for k in ${b} do print(k) break end`,
    () => `for k in pairs(${b}) do print(k) break end`,
    () => `num = num + ${b}`,
    () => `up = up .. ${b}`,
    () => `t.n = t.n * ${b}`,
    () => `upt.n = ${b} - upt.n`,
    () => `gnone.field = ${b}`,
    () => `return gnone(${b})`,
    () => `return function(...) return ${object}.x end`,
    () => `print((function(...) return ${l} ${operator} ${r} end)())`,
    () => `local bad = ${b} return bad.x`,
  ])();
}

/** A library function with arguments that it may not like, called in different ways. */
function badCall(g: Builder): string {
  const { random } = g;
  const b = (): string =>
    random.pick(['nil', 'true', '{}', 'print', "'x'", '1', '-1', "'1'", '0', '...', 'bad', 'num']);
  const [name, count] = random.pick([
    ['string.rep', 2],
    ['string.sub', 3],
    ['string.format', 2],
    ['string.byte', 2],
    ['string.char', 2],
    ['string.gsub', 3],
    ['string.find', 3],
    ['string.upper', 1],
    ['table.concat', 3],
    ['table.insert', 3],
    ['table.remove', 2],
    ['table.sort', 2],
    ['table.getn', 1],
    ['math.floor', 1],
    ['math.max', 2],
    ['math.fmod', 2],
    ['setmetatable', 2],
    ['getmetatable', 1],
    ['rawset', 3],
    ['rawget', 2],
    ['rawequal', 2],
    ['select', 2],
    ['tonumber', 2],
    ['tostring', 1],
    ['type', 1],
    ['ipairs', 1],
    ['pairs', 1],
    ['next', 2],
    ['unpack', 3],
    ['error', 2],
    ['assert', 2],
    ['pcall', 2],
    ['xpcall', 2],
    ['loadstring', 2],
    ['coroutine.create', 1],
    ['coroutine.resume', 2],
    ['coroutine.wrap', 1],
    ['coroutine.status', 1],
    ['coroutine.yield', 1],
  ] as const);
  const args: string[] = [];
  for (let n = random.int(0, count); n > 0; n--) args.push(b());
  const list = args.join(', ');
  // Endless or too large otherwise.
  if (name === 'string.rep' && args.length > 1) args[1] = '-1';
  const short = name.slice(name.indexOf('.') + 1);
  return random.pick<() => string>([
    () => `return ${name}(${list})`,
    () => `print(${name}(${list}))`,
    () => `local f = ${name} print(f(${list}))`,
    () => `local ${short} = ${name} local r = ${short}(${list}) print(r)`,
    () => `print(pcall(${name}${args.length === 0 ? '' : `, ${list}`}))`,
    () => `t.f = ${name} print(t.f(${list}))`,
    () => `t.f = ${name} print(t:f(${list}))`,
    () => `gfn = ${name} print(gfn(${list}))`,
    () =>
      `print(('x'):${random.pick(['rep', 'sub', 'format', 'byte', 'find', 'gsub', 'upper', 'bad'])}(${name === 'string.rep' ? '' : list.replace(/^1$/, '2')}))`,
    () => `print(({${name}})[1](${list}))`,
  ])();
}

function raising(g: Builder): string {
  const { random } = g;
  const what = random.pick([
    "'msg'",
    "'msg'",
    '{}',
    'nil',
    '42',
    'true',
    '{code = 5}',
    '"a\\nb"',
    'print',
    '',
  ]);
  return random.pick<() => string>([
    () => `error(${what})`,
    () => `error(${what === '' ? 'nil' : what}, ${random.pick(['0', '1', '2', '3', '4'])})`,
    () => `return error(${what})`,
    () => `assert(${random.pick(['false', 'nil', "false, 'why'", 'nil, {}', "1, 'fine'", 'false, 5', ''])})`,
    () => `local function inner() error('deep', ${random.int(0, 4)}) end inner()`,
    () =>
      `local function inner() error('deep', ${random.int(1, 3)}) end local function outer() inner() return 1 end outer()`,
    () => `local function inner() error('tail', ${random.int(1, 3)}) end return inner()`,
    () => `for i = 1, 3 do if i == 2 then error('at ' .. i) end end`,
    () => `setmetatable(t, {__metatable = 'locked'}) setmetatable(t, {})`,
    () => `print(pcall(error, ${what === '' ? "'e'" : what}))`,
    () => `select(2, pcall(error)).x = 1`,
    () => `loadstring('error("in chunk")', '=chunk')()`,
    () => `t[nil] = 1`,
    () => `t[0/0] = 1`,
    () => `coroutine.wrap(function() error('in coroutine') end)()`,
    () => `coroutine.wrap(function() local x = nil; x.y = 1 end)()`,
  ])();
}

/** One thing that goes wrong inside a function, and what pcall or xpcall make of it. */
function failing(g: Builder): boolean {
  const { random } = g;
  let wrong = random.pick([badOperation, badOperation, badOperation, badCall, badCall, raising])(g);
  const catcher = random.int(0, 5);
  // At the beginning of a line a parenthesis would be taken for a call.
  if (wrong.startsWith('(')) wrong = `do ${wrong} end`;
  const write = (header: string, footer: string): void =>
    g.block(
      header,
      () =>
        g.inFunction(
          true,
          () => {
            g.line(`local t, k, num, str, bad = {n = 1, x = {}}, 'key', 7, 'abc'`);
            for (const name of ['t', 'k', 'num', 'str', 'bad']) g.declare(name, 'any', { fixed: true });
            if (random.chance(0.3)) statements(g, 1);
            const block = random.int(0, 7);
            if (block === 0) g.block('for i = 1, 2 do', () => g.line(wrong));
            else if (block === 1) g.block('if num == 7 then', () => g.line(wrong));
            else if (block === 2)
              g.block('while num do', () =>
                g.line(wrong.startsWith('return') ? wrong : `do ${wrong} end break`),
              );
            else if (block === 3) g.block('local function named(...)', () => g.line(wrong), 'end named(1)');
            else g.line(wrong);
          },
          false,
        ),
      footer,
    );
  if (random.chance(0.5)) {
    g.line('local up, upt = nil, {n = 2}');
    g.declare('up', 'any', { fixed: true });
    g.declare('upt', 'any', { fixed: true });
  }
  if (catcher < 4) write('print(pcall(function(...)', `end, ${random.pick(['', 'nil, ', "'1', "])}5))`);
  else if (catcher === 4)
    write('print(xpcall(function(...)', `end, function(e) return 'handled: ' .. tostring(e) end))`);
  else {
    write('local function protected(...)', 'end');
    g.line('print(pcall(protected)) print(pcall(pcall, protected)) print(xpcall(protected, type))');
  }
  return true;
}

function rethrown(g: Builder): boolean {
  const { random } = g;
  const what = random.pick([
    "'first'",
    '{1}',
    'nil',
    '7',
    "setmetatable({}, {__tostring = function() return 'E' end})",
  ]);
  g.block(
    'print(pcall(function()',
    () => {
      g.block(
        'local ok, e = pcall(function()',
        () => {
          g.line(`error(${what}${random.chance(0.5) ? '' : `, ${random.int(0, 3)}`})`);
        },
        'end)',
      );
      g.line('print(ok, type(e), tostring(e))');
      g.line(
        random.pick(['error(e)', 'error(e, 0)', 'error(e, 2)', "error(tostring(e) .. ' again')", 'return e']),
      );
    },
    'end))',
  );
  if (random.chance(0.4))
    g.line(`print(xpcall(function() error(${what}) end, function(e) error('in handler') end))`);
  if (random.chance(0.3))
    g.line(`print(xpcall(function() local x = nil + 1 end, function(e) return e, 2, 3 end))`);
  return true;
}

// ---- metatables -------------------------------------------------------------------------------------------------

const EVENTS = ['add', 'sub', 'mul', 'div', 'mod', 'pow', 'concat', 'eq', 'lt', 'le'] as const;
const OPERATORS: Record<string, string> = {
  ...{
    add: '+',
    sub: '-',
    mul: '*',
    div: '/',
    mod: '%',
    pow: '^',
    concat: '..',
    eq: '==',
    lt: '<',
    le: '<=',
  },
};

function operators(g: Builder): boolean {
  const { random } = g;
  const [mt, a, b] = [g.unique('mt'), g.unique('a'), g.unique('b')];
  g.line(`local ${mt} = {}`);
  const chosen = random.shuffle(EVENTS).slice(0, random.int(2, 6));
  for (const event of chosen) {
    const result = random.pick(['type(a) .. type(b)', 'true', 'nil', 'false', "'r'", '5', 'a, b', '']);
    const say = `print('${event}', type(a), type(b))`;
    g.line(`${mt}.__${event} = function(a, b) ${say} return ${result} end`);
  }
  if (random.chance(0.6))
    g.line(`${mt}.__unm = function(a, b) print('unm', rawequal(a, b)) return ${random.int(0, 9)} end`);
  if (random.chance(0.4)) g.line(`${mt}.__call = function(self, ...) print('call', ...) return ... end`);
  if (random.chance(0.4)) g.line(`${mt}.__len = function() return 99 end`);
  if (random.chance(0.4))
    g.line(`${mt}.__tostring = function() return ${random.pick(["'obj'", "'obj'", '5', 'nil'])} end`);
  g.line(`local ${a}, ${b} = setmetatable({1}, ${mt}), setmetatable({2}, ${random.chance(0.7) ? mt : '{}'})`);
  const operand = (): string => random.pick([a, a, b, b, '1', "'s'", 'nil', '{}']);
  for (let n = random.int(2, 6); n > 0; n--) {
    const event = random.chance(0.7) ? random.pick(chosen) : random.pick(EVENTS);
    const operator = random.chance(0.2)
      ? ({ lt: '>', le: '>=', eq: '~=' }[event as string] ?? OPERATORS[event]!)
      : OPERATORS[event]!;
    const [l, r] = random.chance(0.5) ? [random.pick([a, b]), operand()] : [operand(), random.pick([a, b])];
    const tail = event === 'concat' && random.chance(0.4) ? ` .. ${operand()} .. 'z'` : '';
    g.line(`print(pcall(function() return ${l} ${operator} ${r}${tail} end))`);
  }
  g.line(`print(pcall(function() return -${a}, #${a} end))`);
  g.line(`print(pcall(${a}, 1, nil, 3))`);
  g.line(`print(pcall(tostring, ${a}))`);
  return true;
}

function indexing(g: Builder): boolean {
  const { random } = g;
  const [base, proxy, object] = [g.unique('base'), g.unique('proxy'), g.unique('o')];
  g.line(`local ${base} = {x = 1, greet = function(self, ...) return self and 'hi', ... end}`);
  const handler = random.pick([
    base,
    `function(t, k) print('index', rawequal(t, nil), k) return ${random.pick(['k', 'nil', `${base}[k]`, 'k, k'])} end`,
    `setmetatable({y = 2}, {__index = ${base}})`,
    'string',
  ]);
  g.line(`local ${proxy} = {__index = ${handler}}`);
  const store = random.pick([
    '',
    `${proxy}.__newindex = function(t, k, v) print('newindex', k, v) rawset(t, k, v) end`,
    `${proxy}.__newindex = ${base}`,
    `${proxy}.__newindex = function(t, k, v) print('drop', k) end`,
  ]);
  if (store !== '') g.line(store);
  g.line(`local ${object} = setmetatable({own = 0}, ${proxy})`);
  for (let n = random.int(2, 6); n > 0; n--) {
    const key = random.pick(['.x', '.own', '.z', '[1]', "['y']", '.greet', '[nil]']);
    const write = key === '[nil]' ? '.q' : key;
    g.line(
      random.pick([
        () => `print(pcall(function() return ${object}${key} end))`,
        () => `${object}${write} = ${random.chance(0.2) ? 'nil' : scalar(g, 1)}`,
        () => `print(rawget(${object}, ${random.pick(["'x'", "'own'", '1'])}), rawget(${base}, 'x'))`,
        () => `print(pcall(function() return ${object}:greet(${scalar(g, 0)}) end))`,
        () => `print(pcall(function() return ${object}:none() end))`,
        () => `print(dump(${object}, 1), dump(${base}.x, 1))`,
        () => `rawset(${object}, 'own', ${scalar(g, 0)})`,
        () => `${object}.x, ${object}.own = ${object}.own, ${object}.x`,
      ])(),
    );
  }
  return true;
}

function classes(g: Builder): boolean {
  const { random } = g;
  const [animal, dog, one] = [g.unique('Base'), g.unique('Derived'), g.unique('o')];
  g.line(`local ${animal} = {} ${animal}.__index = ${animal}`);
  g.block(`function ${animal}.new(class, n)`, () => g.line('return setmetatable({n = n}, class)'));
  functionBody(
    g,
    `function ${animal}:speak`,
    { params: ['int'], results: ['str'], vararg: false },
    'end',
    2,
    true,
  );
  g.line(`function ${animal}:add(v) self.n = self.n + v return self end`);
  g.line(`local ${dog} = setmetatable({}, {__index = ${animal}}) ${dog}.__index = ${dog}`);
  if (random.chance(0.5)) g.line(`function ${dog}:add(v) ${animal}.add(self, v * 2) return self end`);
  if (random.chance(0.5)) g.line(`${dog}.__tostring = function(self) return 'dog ' .. self.n end`);
  g.line(`local ${one} = ${random.pick([animal, dog])}:new(${expression(g, 'int', 1)})`);
  g.line(`print(${one}:add(${random.int(1, 5)}):add(2).n, ${one}:speak(1), getmetatable(${one}) == ${dog})`);
  g.line(`print(pcall(${one}.add), pcall(${one}.add, ${one}), pcall(${one}.missing))`);
  g.line(`print(pcall(function() return ${one}:${field(g)}() end))`);
  return true;
}

// ---- coroutines -------------------------------------------------------------------------------------------------

function coroutines(g: Builder): boolean {
  if (g.functionDepth > 2 || !g.affords(60)) return false;
  const { random } = g;
  const co = g.unique('co');
  const wrap = random.chance(0.4);
  const params = random.pick(['', 'a', 'a, b', '...', 'a, ...']);
  let cost = 0;
  g.block(
    `local ${co} = coroutine.${wrap ? 'wrap' : 'create'}(function(${params})`,
    () => {
      cost = g.inFunction(
        params.includes('...'),
        () => {
          if (params.startsWith('a')) g.declare('a', 'any');
          g.results = ['int'];
          for (let n = random.int(1, 4); n > 0; n--) yielding(g);
          if (random.chance(0.3)) statements(g, 2);
          if (random.chance(0.6)) g.line(`return ${scalar(g, 1)}, ${scalar(g, 1)}`);
        },
        true,
      );
    },
    'end)',
  );
  g.pay(cost);
  const times = random.int(1, 6);
  const value = scalar(g, 1);
  if (wrap) g.line(`for i = 1, ${times} do print(i, pcall(${co}, ${value}, i)) end`);
  else
    g.line(
      `for i = 1, ${times} do print(i, coroutine.status(${co}), coroutine.resume(${co}, ${value}, i)) end print(coroutine.status(${co}))`,
    );
  return true;
}

/** Statements with yield somewhere in them. */
function yielding(g: Builder): void {
  const { random } = g;
  const y =
    `coroutine.yield(${random.chance(0.2) ? '' : scalar(g, 1)}${random.chance(0.2) ? ', 2, nil' : ''})`.replace(
      '(, ',
      '(',
    );
  const line = random.pick<() => string>([
    () => y,
    () => `print('got', ${y})`,
    () => `local r1, r2 = ${y} print(r1, r2)`,
    () => `for i = 1, ${random.int(1, 3)} do print(${y}, i) end`,
    () => `local s = 0 while s < 2 do s = s + 1 ${y} end`,
    () => `local t = {${y}, ${y}, x = ${y}} print(dump(t, 1))`,
    () => `print(tostring(${y}) .. tostring(${y}))`,
    () => `if ${y} then print('true') else print('false') end`,
    () => `local function inner(...) ${y} return ... end print(inner(1, 2))`,
    () => `local function deep(n) if n > 0 then deep(n - 1) ${y} end end deep(2)`,
    () => `local function tail(n) if n == 0 then return ${y} end return tail(n - 1) end print(tail(3))`,
    () => `repeat local v = ${y} until v == nil or v`,
    () => `for k, v in (function() ${y} return next end)(), {5} do print(k, v) ${y} end`,
    () =>
      `for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * 2) end end) do print(v) ${y} end`,
    () => `local v = 1 local f = function() v = v + 1 ${y} return v end print(v + f(), f() + v)`,
    () => `local a, b = (${y}), {${y}} print(a, #b)`,
    () => `print(${y} == ${y}, ${y} and 1 or 2)`,
    () => `print(pcall(function() ${y} end))`,
    () => `print(pcall(string.gsub, 'ab', '.', function() ${y} end))`,
    () => `print(pcall(table.sort, {3, 2, 1}, function(a, b) ${y} return a < b end))`,
    () => `print(pcall(function() return setmetatable({}, {__index = function() ${y} end}).x end))`,
    () => `print(coroutine.resume(coroutine.create(function() ${y} error('inner') end)))`,
    () => `print(coroutine.status(coroutine.running()), coroutine.resume(coroutine.running()))`,
    () => `print(select('#', ${y}), select(2, 'x', ${y}))`,
    () => `local s = 'x' s = s .. tostring(${y}) .. s print(s)`,
    () => `local t = {} t[${y} or 1] = ${y} or 2 print(dump(t, 1))`,
    () => (random.chance(0.3) ? `error('ends')` : y),
    () => (random.chance(0.3) ? `local x = nil; x()` : y),
    () => `do local t = setmetatable({}, {__call = function(_, v) ${y} return v end}) print(t(5)) end`,
    () => `assert(${y} == nil or true)`,
  ])();
  if (random.chance(0.75)) {
    g.line(line);
    return;
  }
  const header = random.pick(['do', 'if true then', 'for q_ = 1, 2 do', 'while true do']);
  g.block(header, () => {
    g.scope(() => {
      statements(g, 1);
      g.line(`do ${line} end`);
    });
    if (header === 'while true do') g.line('break');
  });
}

function generators(g: Builder): boolean {
  const { random } = g;
  const make = g.unique('gen');
  g.block(`local function ${make}(n)`, () => {
    g.line(
      random.pick([
        'return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, n - i) end end)',
        'return coroutine.wrap(function() local a, b = 0, 1 for _ = 1, n do coroutine.yield(a) a, b = b, a + b end end)',
        'local function walk(k) if k > 0 then walk(k - 1) coroutine.yield(k) walk(k - 2) end end return coroutine.wrap(function() walk(n % 5) end)',
        'local c = 0 return function() c = c + 1 if c <= n then return c end end',
      ]),
    );
  });
  g.line(
    `for a, b in ${make}(${random.int(0, 5)}) do print(a, b) ${random.chance(0.2) ? 'if a == 2 then break end' : ''} end`,
  );
  if (random.chance(0.4))
    g.line(`local z1, z2 = ${make}(2), ${make}(3) print(z1(), z2(), z2(), z1(), pcall(z1), pcall(z1))`);
  return true;
}

// ---- chunks and calls -------------------------------------------------------------------------------------------

function chunks(g: Builder): boolean {
  const { random } = g;
  const name = random.pick(['', ", '=name'", ", '@file.lua'", ", 'text of chunk'"]);
  const source = random.pick<() => string>([
    () => `return ${scalar(g, 0).replaceAll(']]', '')}, ...`,
    () => 'return',
    () => 'x =',
    () => 'error("boom")',
    () => 'local a, b = ... return b, a',
    () => 'local t = nil\nreturn t.x',
    () => 'for',
    () => 'gb = 5 return gb',
    () => 'return function(...) return ... end',
    () => "print('a' 'b')",
    () => 'break',
    () => "return 'unfinished",
    () => 'goto done',
  ])();
  g.line(`do local f, m = loadstring([==[${source}]==]${name})`);
  g.line(`  print(type(f), m) if f then print(pcall(f, 1, 2)) end end`);
  if (random.chance(0.3)) {
    g.line(
      `do local n = 0 local f, m = load(function() n = n + 1 return (${random.pick([
        "{'return ', '1 + ', '2'}",
        "{'return 5', '', 'x'}",
        "{'x x'}",
        "{'print(', '...)', nil}",
      ])})[n] end${name}) print(type(f), m) if f then print(f(7)) end end`,
    );
  }
  return true;
}

/** A recursion that counts down, as an ordinary or as a tail call. */
function recursion(g: Builder): boolean {
  const { random } = g;
  const f = g.unique('rec');
  const deep = random.pick([3, 5, 10, 100]);
  g.line(
    random.pick([
      `local function ${f}(n, acc) if n == 0 then return acc end return ${f}(n - 1, (acc or 0) + n) end`,
      `local function ${f}(n) if n <= 1 then return 1 end return n * ${f}(n - 1) end`,
      `local function ${f}(n, ...) if n <= 0 then return ... end return ${f}(n - 1, n, (...)) end`,
      `local ${f} ${f} = function(n) return n > 0 and 1 + ${f}(n - 1) or 0 end`,
      `local function ${f}(n) if n == 0 then error('bottom', ${random.int(0, 3)}) end return ${f}(n - 1) end`,
      `local function ${f}(n) if n == 0 then error('bottom', ${random.int(0, 3)}) end local r = ${f}(n - 1) return r end`,
      `local function ${f}(n, t) t = t or {} if n == 0 then return #t, unpack(t, 1, 3) end t[n] = n return ${f}(n - 1, t) end`,
    ]),
  );
  g.line(`print(pcall(${f}, ${deep}))`);
  return true;
}

function nestedFunctions(g: Builder): boolean {
  if (g.functionDepth > 2 || !g.affords(30)) return false;
  const { random } = g;
  const name = g.unique('fn');
  g.block(`local function ${name}(p1_)`, () => {
    g.inFunction(false, () => {
      g.declare('p1_', 'int');
      statements(g, random.int(1, 2));
      g.block('return function(p2_)', () => {
        g.inFunction(false, () => {
          g.declare('p2_', 'int');
          statements(g, random.int(1, 3));
          g.line('p1_ = p1_ + p2_');
          g.line(`return p1_, ${expression(g, scalarType(g), 1)}`);
        });
      });
    });
  });
  g.line(
    `do local f1, f2 = ${name}(1), ${name}(${random.int(2, 9)}) print(f1(1), f1(2), f2(3)) print(f1(0)) end`,
  );
  return true;
}

function nesting(g: Builder): boolean {
  const { random } = g;
  const depth = random.int(3, 20);
  g.line(
    random.pick([
      () => `print(${'('.repeat(depth)}${expression(g, 'int', 1)}${')'.repeat(depth)})`,
      () => `print(${'#{{'.repeat(1)}${'{'.repeat(depth)}${'}'.repeat(depth)}}})`,
      () => `print(${'not '.repeat(depth)}${expression(g, 'any', 0)})`,
      () => `print(${'- '.repeat(depth)}${expression(g, 'int', 0)})`,
      () => `${'do '.repeat(depth)}print('deep')${' end'.repeat(depth)}`,
      () =>
        `print(${'(function() return '.repeat(depth)}${expression(g, 'int', 1)}${' end)()'.repeat(depth)})`,
    ])(),
  );
  return true;
}

function blockOfStatements(g: Builder): boolean {
  g.block(
    'print(pcall(function()',
    () => {
      g.inFunction(false, () => body(g, 5), false);
      print(g);
    },
    'end))',
  );
  return true;
}

FEATURES.push(
  [1, counters],
  [1.5, loopClosures],
  [2, changing],
  [2, traced],
  [1.5, varargs],
  [0.6, shadowing],
  [0.3, elseifChain],
  [0.3, longConcat],
  [1.2, pairsOrder],
  [0.8, sorting],
  [0.8, tableLibrary],
  [1.5, patterns],
  [1.2, formats],
  [1.2, stringLibrary],
  [6, failing],
  [0.8, rethrown],
  [1.2, operators],
  [1.2, indexing],
  [0.6, classes],
  [2.5, coroutines],
  [0.7, generators],
  [0.7, chunks],
  [0.8, recursion],
  [0.8, nestedFunctions],
  [0.3, nesting],
  [1, blockOfStatements],
);
