// Finds Lua where it stands among other text: in documents (fenced, quoted, or as bare lines) and in the strings of
// application code. index.ts lints what is found; `npm run oracle -- seeds` runs it.

/** A piece of Lua, and the line of the document on which it begins. */
export interface Example {
  readonly line: number;
  /** The line of the document on which it ends, where it has lines of its own: a line feed written as an escape. */
  readonly last?: number;
  readonly form: 'fence' | 'string' | 'listing';
  readonly text: string;
}

const STARTS =
  /^(?:--\s*KEYS\[|#!lua\b|local\s|redis\.(?:p?call|register_function)\b|if redis\.|while .* do$|return (?:\d+$|[{]|redis\.|cjson\.))/;
const GOES_ON =
  /^\s*(?:--|local\b|if\b.*\bthen$|else$|elseif\b.*then$|end\b|(?:for|while)\b.*\bdo$|repeat$|until\b|return\b|redis\.|[\w.[\]]+ = |'|[)}])/;

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length;

const isLua = (text: string): boolean => /redis\.p?call\(|^#!lua/m.test(text);

/** Lua as fenced blocks, as quoted texts of other languages, and as lines between prose. */
export function examplesIn(document: string): Example[] {
  const found: Example[] = [];
  let rest = document;
  const take = (form: Example['form'], pattern: RegExp, isWanted: (text: string) => boolean): void => {
    rest = rest.replace(pattern, (whole, text: string, at: number) => {
      if (isWanted(text)) found.push({ line: lineAt(document, at + whole.indexOf(text)), form, text });
      return whole.replace(/[^\n]/g, ' ');
    });
  };
  take('string', /"""\n?([\s\S]*?)"""/g, isLua);
  take('string', /FUNCTION LOAD "([^"]*)"/g, isLua);
  take('fence', /^```lua\r?\n([\s\S]*?)^```/gm, () => true);
  take('fence', /^```\w*\r?\n([\s\S]*?)^```/gm, () => false);
  const lines = rest.split('\n');
  for (let i = 0; i < lines.length; i++) {
    if (!STARTS.test(lines[i]!) || lines[i]!.trimEnd().endsWith(';')) continue;
    let end = i + 1;
    while (end < lines.length && GOES_ON.test(lines[end]!) && !lines[end]!.trimEnd().endsWith(';')) end++;
    found.push({ line: i + 1, form: 'listing', text: `${lines.slice(i, end).join('\n')}\n` });
    i = end - 1;
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Strings of TypeScript, JavaScript, Java and Python; each form captures its text. */
const STRINGS =
  /"""([\s\S]*?)"""|'''([\s\S]*?)'''|`((?:[^`\\]|\\[\s\S])*)`|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/;
/** Comments are skipped, with the quotes in them. */
const LITERALS = new RegExp(`//.*|/\\*[\\s\\S]*?\\*/|${STRINGS.source}`, 'g');
const LITERALS_OF_PYTHON = new RegExp(`#.*|${STRINGS.source}`, 'g');

/** How a text that is meant to be Lua begins; a sentence that speaks of redis.call does not. */
const BEGINS = /^\s*(?:--|#!lua|(?:local|if|for|while|return|repeat|function|do)\b|[\w.]+(?:\(| = ))/;

/** Lua in the strings of application code. What a template or a sum puts together is unknown: it is left out. */
export function stringsIn(source: string, isPython: boolean): Example[] {
  const found: Example[] = [];
  for (const match of source.matchAll(isPython ? LITERALS_OF_PYTHON : LITERALS)) {
    const raw = match.slice(1).find((group) => group !== undefined);
    if (raw === undefined || raw.includes('${')) continue;
    const text = unescaped(raw);
    const after = source.slice(match.index + match[0].length);
    const isPart = /^\s*[+%]/.test(after) || /\+\s*$/.test(source.slice(0, match.index).slice(-80));
    if (isPart || !isLua(text) || !BEGINS.test(text)) continue;
    const line = lineAt(source, match.index + match[0].indexOf(raw));
    found.push({ line, last: line + raw.split('\n').length - 1, form: 'string', text });
  }
  return found;
}

function unescaped(text: string): string {
  return text.replace(/\\(\r?\n|[\s\S])/g, (_, char: string) => {
    if (char === 'n') return '\n';
    return char === 't' ? '\t' : char;
  });
}
