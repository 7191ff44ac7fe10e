// Finds Lua where it stands among other text: in documents (fenced, quoted, or as bare lines) and in the strings of
// application code. index.ts lints what is found; `npm run oracle -- seeds` runs it.

/** A piece of Lua, and the line of the document on which it begins. */
export interface Example {
  readonly line: number;
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

/** Comments and strings of TypeScript, JavaScript, Java and Python; each form of string captures its text. */
const LITERALS =
  /\/\/.*|\/\*[\s\S]*?\*\/|(?<![\w"'])#(?!!).*|"""([\s\S]*?)"""|'''([\s\S]*?)'''|`((?:[^`\\]|\\[\s\S])*)`|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/g;

/** Lua in the strings of application code. What a template puts in between makes the text unknown: it is left out. */
export function stringsIn(source: string): Example[] {
  const found: Example[] = [];
  for (const match of source.matchAll(LITERALS)) {
    const text = match.slice(1).find((group) => group !== undefined);
    if (text === undefined || !isLua(unescaped(text)) || text.includes('${')) continue;
    const at = match.index + match[0].indexOf(text);
    found.push({ line: lineAt(source, at), form: 'string', text: unescaped(text) });
  }
  return found;
}

// `\n` in a string of one line stays on that line, so that lines keep their numbers: Lua takes a space for it, unless a
// comment or the first line has to end there.
function unescaped(text: string): string {
  const needsLines = /(?:--|^#!)/.test(text);
  const newline = needsLines ? '\n' : ' ';
  return text.replace(/\\(\r?\n|[\s\S])/g, (_, char: string) => {
    if (char === 'n') return newline;
    if (char === 't') return ' ';
    return char;
  });
}
