// The Lua that the script bench runs: a rate limiter, work in loops, tables and strings, and sources that no
// server has seen before.

/** One hit in the window of KEYS[1]: 1 while there are at most ARGV[1] in ARGV[2] seconds, then 0. */
export const LIMITER = `local count = redis.call('INCR', KEYS[1])
if count == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
if count > tonumber(ARGV[1]) then
  return 0
end
return 1
`;

export const LIMITER_LIBRARY = `#!lua name=bench
redis.register_function('limit', function(keys, args)
  local count = redis.call('INCR', keys[1])
  if count == 1 then
    redis.call('EXPIRE', keys[1], args[2])
  end
  if count > tonumber(args[1]) then
    return 0
  end
  return 1
end)
`;

export interface LoopScript {
  readonly name: string;
  readonly source: string;
  readonly args: readonly string[];
}

// Numbers that look random, the same everywhere.
const NUMBERS = `local t, x = {}, 1
for i = 1, 100000 do
  x = x * 16807 % 2147483647
  t[i] = x
end
`;
const TEXT = "local text = string.rep('The quick brown fox jumps over a lazy dog, ', 2381)\n";

// Every answer depends on the whole work, and is a number or short, so that answers can be compared.
const sources: Readonly<Record<string, string>> = {
  fib: `local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end
return fib(27)
`,
  sieve: `local n = 500000
local prime = {}
for i = 1, n do prime[i] = true end
local count = 0
for i = 2, n do
  if prime[i] then
    count = count + 1
    for j = i * i, n, i do prime[j] = false end
  end
end
return count
`,
  sort: `${NUMBERS}table.sort(t)
return t[1] + t[50000]
`,
  'sort-by': `${NUMBERS}table.sort(t, function(a, b) return a > b end)
return t[1] + t[50000]
`,
  append: `local s = ''
for i = 1, 5000 do s = s .. 'x' .. i end
return #s .. s:sub(-5)
`,
  concat: `local t = {}
for i = 1, 100000 do t[#t + 1] = 'item ' .. i end
local s = table.concat(t, ',')
return #s .. s:sub(-5)
`,
  'gsub-string': `${TEXT}local n = 0
for i = 1, 20 do
  local s, count = text:gsub('(%w+) (%w+)', '%2 %1')
  n = n + #s + count + s:byte(i)
end
return n
`,
  'gsub-table': `${TEXT}local words = { quick = 'slow', fox = 'hedgehog', lazy = 'eager' }
local n = 0
for i = 1, 20 do
  local s, count = text:gsub('%w+', words)
  n = n + #s + count + s:byte(i)
end
return n
`,
  'gsub-function': `${TEXT}local n = 0
for i = 1, 20 do
  local s, count = text:gsub('%w+', function(word) return word:upper() .. #word end)
  n = n + #s + count + s:byte(i)
end
return n
`,
  cjson: `local n = 0
for i = 1, 300 do
  local document = cjson.decode(ARGV[1])
  document.round = i
  n = n + #cjson.encode(document)
end
return n
`,
};

export const LOOPS: readonly LoopScript[] = Object.entries(sources).map(([name, source]) => ({
  name,
  source,
  args: name === 'cjson' ? [document()] : [],
}));

/** JSON of some 10 kB. */
function document(): string {
  const orders = Array.from({ length: 60 }, (_, i) => ({
    id: `order:${1000 + i}`,
    customer: { name: `Customer ${i}`, mail: `customer${i}@example.com`, vip: i % 7 === 0 },
    lines: [i, i * 1.25, 'a "quoted" text'],
    total: 19.99 * (i + 1),
    shipped: i % 3 === 0 ? null : true,
  }));
  return JSON.stringify({ kind: 'orders', orders });
}

/** A script of 100 lines as people write them, different for every number; answers a bulk string. */
export function unseen(number: number): string {
  const lines = [
    `-- batch ${number}`,
    `local prefix = 'job:${number}:'`,
    'local moved, skipped = 0, 0',
    'local names = {}',
  ];
  for (let i = 0; lines.length <= 88; i++) {
    const n = number * 31 + i;
    lines.push(
      `local function step${i}(id, weight)`,
      `  local key = prefix .. id .. ':${n}'`,
      `  if weight > ${(n % 50) + 1} and #names < 100 then`,
      `    names[#names + 1] = string.format('%s/%d', key, weight % ${(n % 9) + 2})`,
      `    moved = moved + weight * ${n % 13}`,
      `  elseif redis.call('EXISTS', key) == 1 then`,
      '    skipped = skipped + 1',
      '  end',
      '  return moved - skipped',
      'end',
      `for i = 1, ${(n % 4) + 1} do step${i}(i, ${n % 97} + i) end`,
    );
  }
  while (lines.length < 99) lines.push(`moved = moved + ${number % 7}`);
  lines.push("return table.concat(names, ',') .. ':' .. moved .. ':' .. skipped");
  return `${lines.join('\n')}\n`;
}
