// The names of Lua's libraries and of Redis' own table as a script finds them. tables.ts and the interpreter ask it.
import type { Value } from './values.ts';

const LIBRARIES = new Set([
  'redis',
  'string',
  'table',
  'math',
  'os',
  'cjson',
  'cmsgpack',
  'bit',
  'struct',
  'coroutine',
]);

const FUNCTIONS = new Set([
  'tonumber',
  'tostring',
  'type',
  'pairs',
  'ipairs',
  'next',
  'unpack',
  'select',
  'pcall',
  'xpcall',
  'error',
  'assert',
  'setmetatable',
  'getmetatable',
  'rawget',
  'rawset',
  'rawequal',
]);

/** Is it a global that every script has? `server` is what Valkey calls `redis`. */
export function isLibraryName(name: string): boolean {
  return LIBRARIES.has(name) || FUNCTIONS.has(name) || name === 'server';
}

/** A library or function of one. */
export function libraryValue(name: string): Value {
  return { kind: 'library', name: name.replace(/^server\b/, 'redis') };
}

/** Functions that return exactly one value; others may return several, or none. */
export function hasOneResult(name: string): boolean {
  return /^(?:tonumber|tostring|type|redis\.\w+|cjson\.\w+|cmsgpack\.pack|math\.(?!modf|frexp)\w+|bit\.\w+|string\.(?:sub|format|rep|lower|upper|reverse|char|len)|table\.concat|os\.\w+|setmetatable|rawget)$/.test(
    name,
  );
}
