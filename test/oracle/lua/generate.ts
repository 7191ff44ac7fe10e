// Random programs of Lua 5.1 that end: equal seeds give equal programs. Called by run.ts and lua.test.ts.
import { Random } from '../random.ts';
import { Builder } from './builder.ts';
import { statements } from './statements.ts';
import './features.ts';

/** T says when something is evaluated; dump shows a table in an order of its own. */
const PRELUDE = `local function T(n, ...) print('T' .. n, ...) return ... end
local function id(...) return ... end
local insert_, format_, gsub_, concat_, floor_ = table.insert, string.format, string.gsub, table.concat, math.floor
local function dump(v, depth)
  if type(v) == 'string' then return string.format('%q', v) end
  if type(v) ~= 'table' or depth == 0 then return tostring(v) end
  local keys = {}
  for key in next, v do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == 'number' or type(a) == 'string') then return a < b end
    return type(a) .. tostring(a) < type(b) .. tostring(b)
  end)
  for i, key in ipairs(keys) do keys[i] = tostring(key) .. '=' .. dump(v[key], (depth or 3) - 1) end
  return '{' .. table.concat(keys, ', ') .. '}'
end`;

export function generateProgram(seed: number, index: number): string {
  const random = new Random(seed, index);
  const g = new Builder(random, random.pick([8, 15, 25, 40, 60]));
  statements(g, 1000);
  return `${PRELUDE}\n${g.lines.join('\n')}\n`;
}
