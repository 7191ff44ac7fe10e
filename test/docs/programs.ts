// Turns the code blocks of a page into programs that run and check themselves: ```ts blocks and transcripts of
// redis-cli. examples.test.ts runs them.
import { readFileSync } from 'node:fs';

export interface Program {
  /** `README.md:37` */
  readonly where: string;
  readonly source: string;
  readonly needsServer: boolean;
  /** What comments behind console.log say; each begins with a line that was logged. */
  readonly logs: readonly string[];
}

export interface Turn {
  readonly line: number;
  readonly command: string;
  /** As redis-cli prints it. */
  readonly answer: string;
}

interface Block {
  readonly language: string;
  readonly line: number;
  readonly text: string;
}

/** Fenced blocks of a page, with the line on which their text begins. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1],
    line: text.slice(0, match.index).split('\n').length + 1,
    text: match[2],
  }));
}

/** A block with imports begins a program; those behind it without any go on with it, each in a scope of its own. */
export function programsOf(page: string): Program[] {
  const programs: { where: string; text: string; logs: string[] }[] = [];
  for (const { language, line, text } of blocksOf(page)) {
    if (language !== 'ts') continue;
    const logs = [...text.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map((match) => match[1]);
    const last = programs.at(-1);
    if (/^import /m.test(text) || last === undefined) {
      programs.push({ where: `${page}:${line}`, text: checked(text), logs });
    } else {
      last.text += `{\n${checked(text)}}\n`;
      last.logs.push(...logs);
    }
  }
  return programs.map(({ where, text, logs }) => ({
    where,
    source: text,
    needsServer: text.includes('6379') && !text.includes("'holdfast/server'"),
    logs,
  }));
}

// `expression; // → value` and `expression; // ✗ CODE` become checks; the rest stays as it is.
function checked(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/^(\s*)(.+); \/\/ → (.+)$/, '$1__same($2, $3);')
        .replace(/^(\s*)(.+); \/\/ ✗ (\w+)$/, "$1await __fails(async () => $2, '$3');"),
    )
    .join('\n');
}

/** The transcripts of redis-cli on a page. */
export function transcriptsOf(page: string): Turn[] {
  const turns: { line: number; command: string; answer: string }[] = [];
  for (const { line, text } of blocksOf(page)) {
    if (!text.startsWith('$ redis-cli')) continue;
    for (const [i, each] of text.split('\n').entries()) {
      const prompt = /^127\.0\.0\.1:6379(?:\(TX\))?> (.*)$/.exec(each);
      const last = turns.at(-1);
      if (prompt !== null) turns.push({ line: line + i, command: prompt[1], answer: '' });
      else if (last !== undefined && each !== '') last.answer += last.answer === '' ? each : `\n${each}`;
    }
  }
  return turns;
}
