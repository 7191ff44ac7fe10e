// Lua source as tokens, for what changes programs: mutations (mutate.ts) and the shrinker. Joining the tokens gives
// the source again. Also takes what is no Lua, byte by byte.

const TOKEN = new RegExp(
  [
    /--\[(?<c>=*)\[[\s\S]*?\]\k<c>\]/, // long comment
    /--[^\n]*/,
    /\[(?<s>=*)\[[\s\S]*?\]\k<s>\]/, // long string
    /"(?:\\[\s\S]|[^"\\\n])*"/,
    /'(?:\\[\s\S]|[^'\\\n])*'/,
    /\.?\d(?:[eE][+-]|[\w.])*/,
    /[A-Za-z_]\w*/,
    /\.\.\.|\.\.|==|~=|<=|>=/,
    /\s+/,
    /[\s\S]/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);

export function tokens(source: string): string[] {
  return source.match(TOKEN) ?? [];
}

export const isBlank = (token: string): boolean => /^(\s|--)/.test(token);
