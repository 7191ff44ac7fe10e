// A light reader of TypeScript source for tidy.ts: blanks comments and strings, finds imports, exports and long
// functions. It knows just enough of the grammar for formatted code; the compiler offers no stable API for this.

/** What a file takes from another module. */
export interface Import {
  readonly from: string;
  /** Imported names as the other module exports them; `*` for all. */
  readonly names: readonly string[];
  /** `import type` or `export type`: gone at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Export {
  readonly name: string;
  readonly isType: boolean;
  readonly line: number;
}

export interface LongFunction {
  readonly name: string;
  readonly line: number;
  readonly length: number;
}

/** The text with comments blanked, and with the insides of strings and patterns blanked as well. Same length. */
export interface Blanked {
  readonly code: string;
  readonly bare: string;
}

const BEFORE_PATTERN =
  /(?:^|[=(,:[!&|?{};+\-*%<>~^]|=>|\b(?:return|typeof|case|in|of|do|else|void|delete|throw))\s*$/;

export function blank(text: string): Blanked {
  const code = text.split('');
  const bare = [...code];
  const wipe = (target: string[], from: number, to: number): void => {
    for (let i = from; i < to; i++) if (target[i] !== '\n') target[i] = ' ';
  };
  // Open `${` of templates: depth of braces at which each closes.
  const holes: number[] = [];
  let depth = 0;
  let at = 0;
  const skipTemplate = (from: number): number => {
    let i = from;
    while (i < text.length && text[i] !== '`' && !(text[i] === '$' && text[i + 1] === '{'))
      i += text[i] === '\\' ? 2 : 1;
    wipe(bare, from, i);
    if (text[i] !== '$') return i + 1;
    holes.push(depth++);
    return i + 2;
  };
  while (at < text.length) {
    const char = text[at];
    const pair = text.slice(at, at + 2);
    let end = at + 1;
    if (pair === '//' || (pair === '#!' && at === 0)) {
      end = indexOrEnd(text, '\n', at);
      wipe(code, at, end);
      wipe(bare, at, end);
    } else if (pair === '/*') {
      end = indexOrEnd(text, '*/', at + 2) + 2;
      wipe(code, at, end);
      wipe(bare, at, end);
    } else if (char === "'" || char === '"') {
      while (end < text.length && text[end] !== char && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
      wipe(bare, at + 1, end++);
    } else if (char === '`') end = skipTemplate(at + 1);
    else if (char === '/' && BEFORE_PATTERN.test(bare.slice(Math.max(0, at - 40), at).join(''))) {
      for (let inClass = false; end < text.length && (inClass || text[end] !== '/'); end++) {
        if (text[end] === '\\') end++;
        else if (text[end] === '[') inClass = true;
        else if (text[end] === ']') inClass = false;
      }
      wipe(bare, at + 1, end++);
    } else if (char === '{') depth++;
    else if (char === '}' && --depth === holes.at(-1)) {
      holes.pop();
      end = skipTemplate(at + 1);
    }
    at = end;
  }
  return { code: code.join(''), bare: bare.join('') };
}

const STATIC_IMPORT = /^(?:import|export)\s+(type\s+)?(?:([\w*\s,{}$]+?)\s+from\s+)?(['"])([^'"\n]+)\3/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*(['"])([^'"\n]+)\1\s*\)/g;

export function importsOf({ code, bare }: Blanked): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC_IMPORT)) {
    if (bare[match.index] === ' ') continue;
    const line = lineOf(code, match.index);
    found.push({ from: match[4], names: namesOf(match[2] ?? ''), typeOnly: match[1] !== undefined, line });
  }
  for (const match of code.matchAll(DYNAMIC_IMPORT)) {
    if (bare[match.index] === ' ') continue;
    // Needed only once it runs: it makes no cycle of loading.
    found.push({ from: match[2], names: ['*'], typeOnly: true, line: lineOf(code, match.index) });
  }
  return found;
}

function namesOf(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  const inBraces = braces
    .split(',')
    .map(
      (part) =>
        part
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0],
    )
    .filter((name) => name !== '');
  const outside = clause.replace(/\{[^}]*\}/, '');
  const rest = outside
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return [...inBraces, ...rest.map((part) => (part.startsWith('*') ? '*' : 'default'))];
}

const DECLARATION =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(default|function\s*\*?|class|const|let|interface|type)\s+([\w$]+)/gm;
const EXPORT_LIST = /^export\s+(type\s+)?\{([^}]*)\}(?!\s*from)/gm;

export function exportsOf({ bare }: Blanked): Export[] {
  const found: Export[] = [];
  for (const match of bare.matchAll(DECLARATION)) {
    const isType = match[1] === 'interface' || match[1] === 'type';
    found.push({
      name: match[1] === 'default' ? 'default' : match[2],
      isType,
      line: lineOf(bare, match.index),
    });
  }
  for (const match of bare.matchAll(EXPORT_LIST)) {
    for (const part of match[2].split(',')) {
      const name =
        part
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? '';
      const isType = match[1] !== undefined || name.startsWith('type ');
      if (name !== '')
        found.push({ name: name.replace(/^type\s+/, ''), isType, line: lineOf(bare, match.index) });
    }
  }
  return found;
}

const NOT_A_FUNCTION =
  /^(?:export\s+)?(?:abstract\s+)?(?:class|interface|if|for|while|switch|try|else|do|catch|namespace)\b/;
const NAME =
  /\bfunction\s*\*?\s*([\w$]+)|([\w$]+)\s*[=:]\s*(?:async\s*)?(?:function\b|\(|<|[\w$]+\s*=>)|([#\w$]+)\s*(?:<[^>]*>)?\(/;

/** Functions with more lines than `limit`, by matching braces. */
export function longFunctions({ bare }: Blanked, limit: number): LongFunction[] {
  const open: { readonly at: number; readonly head: string }[] = [];
  const found: LongFunction[] = [];
  let boundary = 0;
  let parens = 0;
  for (let at = 0; at < bare.length; at++) {
    const char = bare[at];
    if (char === '(') parens++;
    else if (char === ')') parens--;
    else if (char === ';' && parens === 0) boundary = at + 1;
    else if (char === '{') {
      open.push({ at, head: bare.slice(boundary, at).trim() });
      boundary = at + 1;
    } else if (char === '}') {
      const block = open.pop();
      boundary = at + 1;
      if (block === undefined) continue;
      const line = lineOf(bare, block.at);
      const length = lineOf(bare, at) - line + 1;
      const head = block.head.replace(/^(?:\s*[,)\]}])+\s*/, '');
      const isFunction = /=>$|\)$|\)\s*:[^=?]+$/.test(head) && !NOT_A_FUNCTION.test(head);
      if (length <= limit || !isFunction) continue;
      const name = NAME.exec(head);
      found.push({ name: name?.[1] ?? name?.[2] ?? name?.[3] ?? '(anonymous)', line, length });
    }
  }
  return found;
}

export function lineOf(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line++;
  return line;
}

function indexOrEnd(text: string, needle: string, from: number): number {
  const at = text.indexOf(needle, from);
  return at < 0 ? text.length : at;
}
