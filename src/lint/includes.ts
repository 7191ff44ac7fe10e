// `--include name` on a line of its own: a script that is put together from pieces before it is loaded. The piece takes
// that one line, so all others keep their numbers. index.ts calls it for Lua files.

/** Gives the text of a piece by its name; null where there is none. */
export type Includes = (name: string) => string | null;

/** Comments, strings and line ends of Lua: only in the first and last may a line be cut. */
const PIECES =
  /--\[(=*)\[[\s\S]*?\]\1\]|--[^\n]*|\[(=*)\[[\s\S]*?\]\2\]|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|\r?\n/g;

/** The script with its pieces in it, each on one line. */
export function withIncludes(text: string, includes: Includes): string {
  return text.replace(/^--include (\w+)[ \t]*$/gm, (line, name: string) => {
    const piece = includes(name);
    return piece === null ? line : onOneLine(piece);
  });
}

function onOneLine(text: string): string {
  return text.replace(PIECES, (part) => (/^(?:--|\r?\n)/.test(part) ? ' ' : part.replace(/\r?\n/g, ' ')));
}
