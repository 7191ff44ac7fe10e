// The manifest of the append-only files, as Redis 7 writes it: which file holds the contents to begin with, and which hold
// what was done since, in order. Used by recovery and rewrite.
import { bytesToString, utf8Decode, utf8Encode, writeString } from '../../resp/bytes.ts';
import type { Storage } from '../../storage/port.ts';
import { readAll } from './files.ts';

/** `b`: the base, `i`: effects since, `h`: of before a rewrite, to be removed. */
export type FileKind = 'b' | 'i' | 'h';

export interface ManifestFile {
  readonly name: string;
  readonly sequence: number;
  readonly kind: FileKind;
}

export class Manifest {
  readonly files: readonly ManifestFile[];

  constructor(files: readonly ManifestFile[]) {
    this.files = files;
  }

  get base(): ManifestFile | null {
    return this.files.find(({ kind }) => kind === 'b') ?? null;
  }

  /** In the order in which they are read. */
  get increments(): readonly ManifestFile[] {
    return this.files.filter(({ kind }) => kind === 'i');
  }

  get history(): readonly ManifestFile[] {
    return this.files.filter(({ kind }) => kind === 'h');
  }

  /** No file of the kind, nor one of before a rewrite, has a higher number. */
  last(kind: FileKind): number {
    const numbers = this.files.filter((file) => file.kind === kind || file.kind === 'h');
    return Math.max(0, ...numbers.map(({ sequence }) => sequence));
  }

  text(): string {
    return this.files
      .map(({ name, sequence, kind }) => `file ${quoted(name)} seq ${sequence} type ${kind}\n`)
      .join('');
  }
}

/** @throws Error that tells the line, as Redis refuses it. */
export function parseManifest(text: string): Manifest {
  const files: ManifestFile[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  lines.forEach((line, i) => {
    if (line.startsWith('#')) return;
    const file = parseLine(line.trim());
    if (file === null)
      throw new Error(`line ${i + 1} of the manifest is not understood: ${line.slice(0, 100)}`);
    if (file.kind === 'b' && files.some(({ kind }) => kind === 'b')) {
      throw new Error(`line ${i + 1} of the manifest names a second base`);
    }
    const before = files.filter(({ kind }) => kind === file.kind).at(-1);
    if (file.kind === 'i' && before !== undefined && before.sequence >= file.sequence) {
      throw new Error(`line ${i + 1} of the manifest: its number is not above the one before`);
    }
    files.push(file);
  });
  if (files.length === 0) throw new Error('the manifest names no file');
  return new Manifest(files);
}

function parseLine(line: string): ManifestFile | null {
  const words = wordsOf(line);
  if (words === null || words.length < 6 || words.length % 2 !== 0) return null;
  const facts = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) facts.set(words[i].toLowerCase(), words[i + 1]);
  const name = facts.get('file') ?? '';
  const sequence = Number(facts.get('seq'));
  const kind = facts.get('type');
  if (name === '' || /[/\\]/.test(name) || !Number.isSafeInteger(sequence) || sequence < 1) return null;
  if (kind !== 'b' && kind !== 'i' && kind !== 'h') return null;
  return { name, sequence, kind };
}

// As Redis parts lines of its files: null where a quote does not end, or goes on behind its end.
function wordsOf(line: string): string[] | null {
  const words: string[] = [];
  for (let rest = line; rest !== ''; ) {
    const word = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*))(?=\s|$)\s*/.exec(rest);
    if (word === null) return null;
    const [all, double, single, plain] = word;
    if (double !== undefined) words.push(utf8Decode(double.replace(/\\(x[0-9a-f]{2}|.)/gi, unescaped)));
    else words.push(utf8Decode(plain ?? single.replace(/\\'/g, "'")));
    rest = rest.slice(all.length);
  }
  return words;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

function unescaped(_: string, code: string): string {
  if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  return ESCAPES[code] ?? code;
}

// Redis reads names beyond ASCII without quotes too, but writes them in these.
function quoted(name: string): string {
  const bytes = utf8Encode(name);
  if (!/[^!-~]|["'\\#]/.test(bytes)) return name;
  const hex = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return `"${bytes.replace(/["\\]/g, '\\$&').replace(/[^ -~]/g, hex)}"`;
}

/** @returns null where there is none */
export async function readManifest(storage: Storage, path: string): Promise<Manifest | null> {
  const bytes = await readAll(storage, path, MAX_MANIFEST);
  return bytes === null ? null : parseManifest(bytesToString(bytes));
}

const MAX_MANIFEST = 1024 * 1024;

/** Puts a manifest in the place of the one before, at once or not at all. */
export async function writeManifest(
  storage: Storage,
  folder: string,
  name: string,
  manifest: Manifest,
): Promise<void> {
  const text = manifest.text();
  const bytes = new Uint8Array(text.length);
  writeString(bytes, text, 0);
  const temporary = `${folder}/temp-${name}`;
  const file = await storage.open(temporary, 'create');
  try {
    await file.appendDurably([bytes]);
  } finally {
    await file.close();
  }
  await storage.rename(temporary, `${folder}/${name}`);
  await storage.syncFolder(folder);
}
