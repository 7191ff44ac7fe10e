// The fixed programs: programs/*.lua, each of several programs that begin with a line "--== title". Called by
// lua.test.ts, and by programs.ts, which mutates them.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface CorpusProgram {
  file: string;
  title: string;
  /** Line of the file that stands before the program's first. */
  line: number;
  source: string;
}

const DIRECTORY = join(dirname(fileURLToPath(import.meta.url)), 'programs');

export function parseCorpus(file: string, text: string): CorpusProgram[] {
  const programs: CorpusProgram[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.startsWith('--== '))
      programs.push({ file, title: line.slice(5).trim(), line: i + 1, source: '' });
    else if (programs.length > 0) programs.at(-1)!.source += `${line}\n`;
    else if (line.trim() !== '' && !line.startsWith('-- '))
      throw new Error(`${file}:${i + 1}: before the first title`);
  });
  return programs;
}

export function readCorpus(): CorpusProgram[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.lua'))
    .sort()
    .flatMap((name) => parseCorpus(name, readFileSync(join(DIRECTORY, name), 'latin1')));
}
