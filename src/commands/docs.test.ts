// The syntax notation, and that every row is written in it.
import { describe, expect, it } from 'vitest';
import { commandTable } from '../engine/engine.ts';
import { type Argument, parseSyntax } from './docs.ts';

/** `key [a|b] …` again, from the tree. */
function shown({ token, type, name, optional, multiple, arguments: inner }: Argument): string {
  const parts = inner?.map(shown) ?? [];
  const body = type === 'oneof' ? parts.join('|') : type === 'block' ? parts.join(' ') : name;
  const text = type === 'pure-token' ? token : token === undefined ? body : `${token} ${body}`;
  const grouped = type === 'oneof' && !optional ? `<${text}>` : text;
  return `${optional ? `[${grouped}]` : grouped}${multiple ? '...' : ''}`;
}

describe('parseSyntax', () => {
  it.each([
    ['key value', 'key value'],
    ['key [key ...]', 'key...'],
    ['key value [NX|XX] [EX seconds|PX milliseconds]', 'key value [NX|XX] [EX seconds|PX milliseconds]'],
    ['field value [field value ...]', 'field value [field value]...'],
    ['key <BEFORE|AFTER> pivot', 'key <BEFORE|AFTER> pivot'],
    ['numkeys key [key ...] <MIN|MAX> [COUNT count]', 'numkeys key... <MIN|MAX> [COUNT count]'],
    ['ON|OFF', '<ON|OFF>'],
    ['key [LIMIT offset count]', 'key [LIMIT offset count]'],
  ])('%s', (syntax, tree) => {
    expect(parseSyntax(syntax).map(shown).join(' ')).toBe(tree);
  });

  it('reads every row: no bracket is left over, words in upper case are tokens', () => {
    const names = (argument: Argument): string[] => [
      argument.name,
      ...(argument.arguments?.flatMap(names) ?? []),
    ];
    for (const entry of commandTable.all()) {
      for (const { name, row } of [entry, ...(entry.subcommands?.values() ?? [])]) {
        for (const each of parseSyntax(row.syntax ?? '').flatMap(names)) {
          expect(each, `${name} ${row.syntax}`).toMatch(/^[a-z0-9#*=~:.-]+$/);
        }
      }
    }
  });
});
