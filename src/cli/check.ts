// `holdfast check-aof` and `holdfast check-rdb`: read their few flags, print what was found in words or as JSON, and ask
// before anything is cut off. What they find out is in persistence/aof/check.ts and persistence/rdb/check.ts.
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline/promises';
import {
  type AofReport,
  type Cut,
  checkAof,
  cutOff,
  type FileReport,
  NothingToCheck,
} from '../persistence/aof/check.ts';
import { sourceOfFile } from '../persistence/aof/files.ts';
import { checkRdb, type RdbReport } from '../persistence/rdb/check.ts';
import { utf8Decode } from '../resp/bytes.ts';
import { nodeStorage } from '../storage/node.ts';
import { type Storage, StorageError, StorageLocked } from '../storage/port.ts';
import { Misuse, readArguments } from './arguments.ts';

/** Exit codes. */
const VALID = 0;
const DAMAGED = 1;
const MISUSED = 2;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @param args what follows `check-aof` */
export async function checkAofProgram(args: readonly string[]): Promise<void> {
  process.exitCode = await guarded('check-aof', async () => {
    const { values, file } = parsed(args, {
      fix: { type: 'boolean' },
      yes: { type: 'boolean', short: 'y' },
      json: { type: 'boolean' },
      'truncate-to-timestamp': { type: 'string' },
    });
    const time = values['truncate-to-timestamp'] as string | undefined;
    if (time !== undefined && !/^\d{1,12}$/.test(time)) {
      throw new Misuse(`--truncate-to-timestamp takes Unix seconds, not '${time}'`);
    }
    if (time !== undefined && values.fix) {
      throw new Misuse('--fix first, then --truncate-to-timestamp: each cuts for another reason');
    }
    return await runCheckAof(file, {
      fix: values.fix === true,
      yes: values.yes === true,
      json: values.json === true,
      until: time === undefined ? undefined : Number(time),
    });
  });
}

/** @param args what follows `check-rdb` */
export async function checkRdbProgram(args: readonly string[]): Promise<void> {
  process.exitCode = await guarded('check-rdb', async () => {
    const { values, file } = parsed(args, { json: { type: 'boolean' } });
    const { storage, path } = place(file);
    if (statSync(file).isDirectory()) throw new Misuse(`'${file}' is a directory`);
    const opened = await storage.open(path, 'read');
    const report = checkRdb(sourceOfFile(opened));
    const behind = opened.size - report.bytes;
    await opened.close();
    if (values.json) say(JSON.stringify({ file, size: opened.size, ...readable(report) }, null, 2));
    else tellRdb(file, report, behind);
    return report.ok ? VALID : DAMAGED;
  });
}

type Flags = Parameters<typeof readArguments>[1];

function parsed(args: readonly string[], options: Flags): { values: Record<string, unknown>; file: string } {
  const found = readArguments(args, options);
  if (found.positionals.length !== 1) {
    throw new Misuse(found.positionals.length === 0 ? 'which file?' : 'one file at a time');
  }
  return { values: found.values, file: found.positionals[0] };
}

async function guarded(command: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const isMisuse = error instanceof Misuse || error instanceof NothingToCheck;
    const isMissing = error instanceof StorageError && ['ENOENT', 'EISDIR', 'ENOTDIR'].includes(error.code);
    if (error instanceof StorageLocked) {
      console.error(`holdfast: ${error.message}: stop it first`);
      return DAMAGED;
    }
    if (!isMisuse && !(error instanceof StorageError)) throw error;
    const more = error instanceof Misuse ? `; see holdfast ${command} --help` : '';
    console.error(`holdfast: ${error.message}${more}`);
    return isMisuse || isMissing ? MISUSED : DAMAGED;
  }
}

// The directory that a database locks is the one above the folder with the manifest; paths are relative to it.
function place(file: string): { storage: Storage; path: string } {
  const full = resolve(file);
  const stats = statSync(full, { throwIfNoEntry: false });
  if (stats === undefined) throw new Misuse(`there is no '${file}'`);
  const folder = stats.isDirectory() ? full : dirname(full);
  const holdsManifest = readdirSync(folder).some((name) => name.endsWith('.manifest'));
  const root = holdsManifest ? dirname(folder) : folder;
  return { storage: nodeStorage(root), path: relative(root, full).split(sep).join('/') };
}

// ---- check-aof

interface Wishes {
  readonly fix: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly until: number | undefined;
}

async function runCheckAof(file: string, wishes: Wishes): Promise<number> {
  const { storage, path } = place(file);
  const altering = wishes.fix || wishes.until !== undefined;
  // Nobody may write between the look and the cut.
  const lock = altering ? await storage.lock() : null;
  try {
    const report = await checkAof(storage, path, wishes.until);
    const cut = report.until === null ? (wishes.fix ? report.fix : null) : report.until.cut;
    if (!wishes.json) tellAof(storage, report);
    const isRefused = cut !== null && !(await isAgreed(storage, cut, wishes));
    if (cut !== null && !isRefused) await cutOff(storage, cut);
    if (wishes.json) {
      const done = cut === null ? null : { ...cut, done: !isRefused };
      say(JSON.stringify({ directory: storage.name, ...report, cut: done }, null, 2));
    } else tellEnd(storage, report, cut, isRefused, wishes);
    if (isRefused || (report.until !== null && report.until.refusal !== '')) return DAMAGED;
    return report.valid || (await checkAof(storage, path)).valid ? VALID : DAMAGED;
  } finally {
    await lock?.release();
  }
}

async function isAgreed(storage: Storage, cut: Cut, { yes, json }: Wishes): Promise<boolean> {
  if (yes) return true;
  const question = `Cut ${bytesText(cut.bytes)} off ${join(storage.name, cut.path)}, which then ends at byte ${cut.at}? [y/N] `;
  if (json || !process.stdin.isTTY) {
    if (!json) say('There is no terminal to ask on: say --yes to have it cut.');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

function tellAof(storage: Storage, { manifest, problem, files }: AofReport): void {
  if (manifest !== null)
    say(`Manifest ${join(storage.name, manifest)}${problem === '' ? '' : `: ${problem}`}`);
  for (const file of files) tellFile(storage, file);
}

const ROLES: Readonly<Record<FileReport['role'], string>> = {
  base: 'the base',
  increment: 'what was done since',
  log: 'a log',
};

function tellFile(storage: Storage, file: FileReport): void {
  const { path, role, format, state, size, good, offset, why, keys, units, commands } = file;
  const name = join(storage.name, path);
  say(`File ${name}: ${ROLES[role]}${state === 'missing' ? '' : `, ${bytesText(size)}`}`);
  if (state === 'missing') {
    say(`  MISSING: ${why}`);
    return;
  }
  if (format !== 'commands') say(`  an RDB part with ${count(keys, 'key')}`);
  if (format !== 'rdb') {
    say(`  ${count(units, 'unit')} of ${count(commands, 'command')}; ${provenance(file)}`);
    if (file.time > 0) say(`  written last at ${file.time} (${new Date(file.time * 1000).toISOString()})`);
  }
  if (state === 'valid') say('  valid');
  else if (state === 'cut') say(`  CUT at byte ${offset}: ${why}. This is an interrupted write`);
  else say(`  DAMAGED at byte ${offset}: ${why}. This is no interrupted write`);
  const facts = [`filename=${name}`, `size=${size}`, `ok_up_to=${good}`, `diff=${size - good}`];
  say(`AOF analyzed: ${facts.join(', ')}`);
}

function provenance({ batches, checked, good }: FileReport): string {
  if (batches === 0)
    return 'written by redis-server or another program: without checksums, so that changed values do not show';
  const by = `${count(batches, 'batch')} of Holdfast, with checksums`;
  return checked === good ? by : `${by} up to byte ${checked}, then commands of another writer without`;
}

function tellEnd(
  storage: Storage,
  { valid, remedy, until, fix }: AofReport,
  cut: Cut | null,
  isRefused: boolean,
  wishes: Wishes,
): void {
  if (until !== null && until.refusal !== '') say(`Not cut: ${until.refusal}.`);
  else if (until !== null && cut === null) say('Nothing was written after that time: nothing to cut.');
  if (cut !== null && !isRefused) {
    say(`Cut ${bytesText(cut.bytes)} off ${join(storage.name, cut.path)}: it ends at byte ${cut.at} now.`);
  } else if (isRefused) say('Nothing was altered.');
  else if (!valid) say(`Remedy: ${remedy}`);
  else if (until === null) say(wishes.fix && fix === null ? 'Valid: there is nothing to fix.' : 'Valid.');
}

const bytesText = (bytes: number): string => count(bytes, 'byte');

function count(number: number, what: string): string {
  return `${number} ${number === 1 ? what : what === 'batch' ? 'batches' : `${what}s`}`;
}

// ---- check-rdb

function tellRdb(file: string, report: RdbReport, behind: number): void {
  const { version, databases, aux, functions, bytes, error } = report;
  if (version > 0) say(`RDB file ${file}: version ${version} of the format`);
  for (const [name, value] of aux) say(`  ${name}: ${utf8Decode(value)}`);
  if (functions > 0)
    say(
      `  ${count(functions, 'function librar')}`.replace(
        /librars?$/,
        functions === 1 ? 'library' : 'libraries',
      ),
    );
  for (const { db, keys, expires, types } of databases) {
    const each = Object.entries(types).map(([type, number]) => `${number} ${type}`);
    say(`  database ${db}: ${count(keys, 'key')}, ${expires} with a deadline (${each.join(', ')})`);
  }
  if (error === undefined) {
    say(`Valid: ${bytesText(bytes)}, checked to the end.`);
    if (behind > 0)
      say(`Behind its end stand ${bytesText(behind)} more; if these are commands, check-aof reads them.`);
    return;
  }
  const key = error.key === null ? '' : `, in the value of key '${utf8Decode(error.key)}'`;
  say(`DAMAGED at byte ${error.offset}${key}: ${error.what}`);
  say('Remedy: take a copy from a backup; what is counted above stands before the damage.');
}

// What comes out of a file holds a byte in each character; JSON shall show text.
function readable(report: RdbReport): RdbReport {
  const { aux, error } = report;
  return {
    ...report,
    aux: aux.map(([name, value]) => [utf8Decode(name), utf8Decode(value)]),
    ...(error === undefined
      ? {}
      : { error: { ...error, key: error.key === null ? null : utf8Decode(error.key) } }),
  };
}
