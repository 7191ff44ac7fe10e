// Lua is found where it stands among other text, on the lines of that text, and nothing else is taken for Lua.
import { describe, expect, it } from 'vitest';
import { lint } from './index.ts';

const places = (file: string, text: string): string[] =>
  lint(file, text).map(({ line, column, rule }) => `${line}:${column} ${rule}`);

describe('documents', () => {
  it('number the lines of a fenced block as the document does', () => {
    const text = '# Title\n\n```lua\nlocal n = 1\nreturn {ok = true}\n```\n';
    expect(places('a.md', text)).toEqual(['5:1 lost-fields']);
  });

  it('have libraries in fences, with the flags of line 4', () => {
    const text = `prose
\`\`\`lua
#!lua name=l
local flags = {'no-writes'}
redis.register_function{function_name = 'f', flags = flags,
  callback = function(keys) return redis.call('DEL', keys[1]) end}
\`\`\``;
    expect(places('a.md', text)).toEqual(['4:17 no-writes-writes']);
    expect(lint('a.md', text)[0].message).toContain('DEL (line 6)');
  });

  it('have listings between prose', () => {
    const text = "Bad:\nlocal keys = redis.call('KEYS', 'a:*')\nreturn #keys\nProblems:\n- slow\n";
    expect(places('a.txt', text)).toEqual(['2:25 large-read']);
  });

  it('may leave something out', () => {
    expect(places('a.md', '```lua\n... the rest ...\n```')).toEqual([]);
  });

  it('may have prose that begins like Lua', () => {
    expect(places('a.md', 'Some variables are\nlocal to a function.\n')).toEqual([]);
  });

  it('have what is no Lua where it should be', () => {
    expect(places('a.md', '```lua\nreturn redis.call(\n```')).toEqual(['3:1 syntax']);
  });

  it('have code of programs around the Lua', () => {
    const text = 'Bad version with redis:\nif (redis.get(key) == null) {\nredis.setex(key, ttl, id);\n}\n';
    expect(places('a.txt', text)).toEqual(['3:1 get-then-set']);
  });
});

describe('strings of programs', () => {
  it('hold Lua in templates, on the lines of the file', () => {
    const text = "const a = 1;\nconst script = `\n  return redis.call('GET', 'a')\n`;\n";
    expect(places('a.ts', text)).toEqual(['3:28 undeclared-key']);
  });

  it('hold Lua in one line with line feeds written as escapes', () => {
    const text = "// it's\nrun(\"local k = 'a'\\n-- note\\nreturn redis.call('GET', k)\");\n";
    expect(places('a.js', text).map((place) => place.replace(/:\d+/, ''))).toEqual(['2 undeclared-key']);
  });

  it('hold Lua in the triple quotes of Python, behind comments with apostrophes', () => {
    const text = `x = 1  # don't\nscript = """\nreturn redis.call('GET', 'a')\n"""\n`;
    expect(places('a.py', text)).toEqual(['3:26 undeclared-key']);
  });

  it('are no Lua where they only speak of redis.call', () => {
    expect(places('a.ts', "log('use redis.call(name) instead');")).toEqual([]);
  });

  it('are left out where something is put in between', () => {
    expect(places('a.ts', `const s = \`return redis.call('GET', '$\{key}')\`;`)).toEqual([]);
    expect(places('a.ts', 'const s = "return redis.call(\'GET\', \'" + key + "\')";')).toEqual([]);
  });
});

describe('a comment that switches a rule off', () => {
  const read = "return redis.call('HGETALL', KEYS[1])";
  const off = '-- holdfast-lint-disable-next-line';

  it('holds for the next line and that rule only', () => {
    expect(places('a.lua', `${off} large-read: small\n${read}`)).toEqual([]);
    expect(places('a.lua', `${off} undeclared-key: small\n${read}`)).toEqual(['2:19 large-read']);
    expect(places('a.lua', `${off} large-read: small\n\n${read}`)).toEqual(['3:19 large-read']);
  });

  it('may stand above another one', () => {
    const both = "return redis.call('HGETALL', 'a')";
    expect(places('a.lua', `${off} large-read: a\n${off} undeclared-key: b\n${both}`)).toEqual([]);
  });

  it('is a finding without a reason, or for a rule that does not exist', () => {
    expect(places('a.lua', `${off} large-read\n${read}`)).toEqual(['1:1 suppression', '2:19 large-read']);
    expect(places('a.lua', `${off} big-read: x\n${read}`)).toEqual(['1:1 suppression', '2:19 large-read']);
  });
});

describe('a script with pieces', () => {
  const pieces: Record<string, string> = {
    read: "-- Reads.\nlocal function read(key) -- it's short\n  return redis.call('GET', key)\nend\n",
  };
  const linted = (text: string): string[] =>
    lint('a.lua', text, (name) => pieces[name] ?? null).map(({ line, rule }) => `${line} ${rule}`);

  it('is followed into them', () => {
    expect(linted('--include read\nreturn read(KEYS[1])\n')).toEqual([]);
    expect(linted('--include read\nreturn read(ARGV[1])\n')).toEqual(['1 undeclared-key']);
  });

  it('keeps its lines', () => {
    expect(linted("--include read\nread(KEYS[1])\nreturn redis.call('GET', 'a')\n")).toEqual([
      '3 undeclared-key',
    ]);
  });

  it('may name one that is not there', () => {
    expect(linted('--include other\nreturn 1\n')).toEqual([]);
  });
});

it('tells what Lua says of a text that is none', () => {
  expect(lint('a.lua', 'local x = 1\nif x then\n')).toMatchObject([
    {
      file: 'a.lua',
      line: 3,
      rule: 'syntax',
      severity: 'error',
      message: "'end' expected (to close 'if' at line 2) near '<eof>'",
    },
  ]);
});

it('quotes what a script has in its strings as text', () => {
  expect(lint('a.lua', "return redis.call('GET', 'café')")[0].message).toBe("GET: literal key 'café'");
});
