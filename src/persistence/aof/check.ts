// Looks through append-only files without loading them: up to where each is good, what is wrong, and what can be done;
// and where a file would have to end to be as it was at a point in time. For `holdfast check-aof`, on any storage.
import { DEFAULT_LIMITS } from '../../keyspace/values.ts';
import { bytesToString } from '../../resp/bytes.ts';
import { type Storage, StorageError, type StorageFile } from '../../storage/port.ts';
import { RdbError } from '../rdb/format.ts';
import { RdbReader } from '../rdb/reader.ts';
import { sourceBehind, sourceOfFile } from './files.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { AofReader } from './reader.ts';

export interface FileReport {
  readonly path: string;
  /** `log`: a file that no manifest puts in its place. */
  readonly role: 'base' | 'increment' | 'log';
  readonly format: 'rdb' | 'rdb and commands' | 'commands';
  /** `cut`: its last write was interrupted; `damaged`: what was written is not what is there. */
  readonly state: 'valid' | 'cut' | 'damaged' | 'missing';
  readonly size: number;
  /** Up to here it is good, and ends with a whole unit. */
  readonly good: number;
  /** Where the trouble was noticed, and what it is; '' where there is none. */
  readonly offset: number;
  readonly why: string;
  /** Keys of the RDB part. */
  readonly keys: number;
  readonly units: number;
  readonly commands: number;
  /** Batches as Holdfast writes them, each with a checksum, and up to where they reach. */
  readonly batches: number;
  readonly checked: number;
  /** Unix seconds: when the last of it was written; 0 where it does not say. */
  readonly time: number;
}

/** What can be cut off. */
export interface Cut {
  readonly path: string;
  readonly size: number;
  /** The size afterwards. */
  readonly at: number;
  readonly bytes: number;
}

export interface AofReport {
  readonly valid: boolean;
  readonly manifest: string | null;
  /** What is wrong with the manifest; '' where there is nothing or none. */
  readonly problem: string;
  /** In the order in which they are read. */
  readonly files: readonly FileReport[];
  /** What can be done, '' where nothing has to be. */
  readonly remedy: string;
  /** What --fix would cut off; null where cutting mends nothing. */
  readonly fix: Cut | null;
  /** Where a point in time was asked for: what has to go, or why that cannot be. */
  readonly until: { readonly cut: Cut | null; readonly refusal: string } | null;
}

/** There is nothing to check at that place. */
export class NothingToCheck extends Error {
  override readonly name = 'NothingToCheck';
}

const FOLDER = 'appendonlydir';
const SINGLE = 'appendonly.aof';

/**
 * @param path of a manifest, an append-only file, or a folder that holds one of them; '' is the storage itself
 * @param until Unix seconds: a point in time to go back to
 * @throws NothingToCheck, StorageError
 */
export async function checkAof(storage: Storage, path: string, until?: number): Promise<AofReport> {
  const target = await resolve(storage, path);
  if ('problem' in target) {
    const remedy =
      'A manifest is text: compare it with the files beside it, and with the one of a backup. Nothing is loaded as it is.';
    return {
      valid: false,
      manifest: target.path,
      problem: target.problem,
      files: [],
      remedy,
      fix: null,
      until: until === undefined ? null : { cut: null, refusal: 'the manifest is not understood' },
    };
  }
  const { manifest, folder } = target;
  const scans: Scan[] = [];
  for (const { name, role } of target.files) {
    scans.push(await scan(storage, join(folder, name), role, until));
  }
  const files = scans.map(({ report }) => report);
  const troubled = files.findIndex(({ state }) => state !== 'valid');
  const following =
    troubled < 0
      ? []
      : [
          ...files.slice(troubled + 1).map(({ path }) => path),
          ...target.following.map((name) => join(folder, name)),
        ];
  const advice = troubled < 0 ? SOUND : await adviceFor(storage, files[troubled], following);
  return {
    valid: troubled < 0,
    manifest,
    problem: '',
    files,
    ...advice,
    until: until === undefined ? null : backTo(until, scans, target.following),
  };
}

/** Ends a file where a report said; on disk when it resolves. @throws StorageError */
export async function cutOff(storage: Storage, { path, size, at }: Cut): Promise<void> {
  const file = await storage.open(path, 'append');
  try {
    // Somebody has written to it since it was looked at.
    if (file.size !== size) throw new StorageError('EBUSY', 'truncate', path);
    file.truncate(at);
    await file.sync();
  } finally {
    await file.close();
  }
}

// ---- what is to be looked at

interface Target {
  readonly manifest: string | null;
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly role: FileReport['role'] }[];
  /** Files that a manifest reads behind these. */
  readonly following: readonly string[];
}

async function resolve(
  storage: Storage,
  path: string,
): Promise<Target | { readonly path: string; readonly problem: string }> {
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, Math.max(0, slash));
  const name = path.slice(slash + 1);
  if (name === '' || !(await storage.list(folder)).includes(name)) return resolveFolder(storage, path);
  if (await isManifest(storage, path)) return ofManifest(storage, folder, name);
  const following = await readBehind(storage, folder, name);
  return { manifest: null, folder, files: [{ name, role: 'log' }], following };
}

async function resolveFolder(storage: Storage, folder: string): ReturnType<typeof resolve> {
  for (const place of [folder, join(folder, FOLDER)]) {
    const manifests = (await storage.list(place)).filter(isManifestName);
    if (manifests.length === 1) return ofManifest(storage, place, manifests[0]);
    if (manifests.length > 1) {
      throw new NothingToCheck(`there is more than one manifest: ${manifests.join(', ')}; name one of them`);
    }
  }
  if ((await storage.list(folder)).includes(SINGLE)) return resolve(storage, join(folder, SINGLE));
  throw new NothingToCheck(
    `there is no append-only file in ${folder === '' ? storage.name : `${storage.name}/${folder}`}`,
  );
}

const isManifestName = (name: string): boolean => name.endsWith('.manifest') && !name.startsWith('temp-');

// By its first line: a manifest may have any name.
async function isManifest(storage: Storage, path: string): Promise<boolean> {
  const file = await storage.open(path, 'read');
  try {
    const bytes = new Uint8Array(Math.min(file.size, 4096));
    const text = bytesToString(bytes, 0, file.read(0, bytes));
    const first = text.split('\n').find((line) => !line.startsWith('#')) ?? '';
    return /^\s*file\s/i.test(first) || (isManifestName(path) && !/^(\*|#HF1|REDIS)/.test(text));
  } finally {
    await file.close();
  }
}

async function ofManifest(storage: Storage, folder: string, name: string): ReturnType<typeof resolve> {
  const path = join(folder, name);
  let manifest: Manifest | null;
  try {
    manifest = await readManifest(storage, path);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    return { path, problem: (error as Error).message };
  }
  const files = inOrder(manifest).map(({ name, kind }) => ({
    name,
    role: kind === 'b' ? ('base' as const) : ('increment' as const),
  }));
  return { manifest: path, folder, files, following: [] };
}

function inOrder(manifest: Manifest | null): Manifest['files'] {
  if (manifest === null) return [];
  return [...(manifest.base === null ? [] : [manifest.base]), ...manifest.increments];
}

// Of a file that was named itself: what the manifest beside it reads afterwards.
async function readBehind(storage: Storage, folder: string, name: string): Promise<string[]> {
  for (const each of (await storage.list(folder)).filter(isManifestName)) {
    const manifest = await readManifest(storage, join(folder, each)).catch(() => null);
    const files = inOrder(manifest);
    const place = files.findIndex((file) => file.name === name);
    if (place >= 0) return files.slice(place + 1).map((file) => file.name);
  }
  return [];
}

const join = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

// ---- one file

interface Scan {
  readonly report: FileReport;
  /** The end of the last unit before the first that is later than the point in time; null where none is. */
  readonly before: number | null;
  /** Where the commands begin, and when the RDB part in front of them was made (0: there is none, or it does not say). */
  readonly start: number;
  readonly made: number;
}

async function scan(
  storage: Storage,
  path: string,
  role: FileReport['role'],
  until = Number.POSITIVE_INFINITY,
): Promise<Scan> {
  let file: StorageFile;
  try {
    file = await storage.open(path, 'read');
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'ENOENT') throw error;
    const why = 'the file is missing, though the manifest names it';
    return { report: { ...NOTHING, path, role, state: 'missing', why }, before: null, start: 0, made: 0 };
  }
  try {
    return look(file, path, role, until);
  } finally {
    await file.close();
  }
}

function look(file: StorageFile, path: string, role: FileReport['role'], until: number): Scan {
  const { size } = file;
  const begin = new Uint8Array(5);
  const isRdb = file.read(0, begin) === 5 && bytesToString(begin) === 'REDIS';
  const report = { ...NOTHING, path, role, size };
  let reader = new AofReader(sourceOfFile(file));
  let start = 0;
  let before: number | null = null;
  const done = (rest: Partial<FileReport> = {}, made = 0): Scan => ({
    report: { ...report, ...rest },
    before,
    start,
    made,
  });
  if (isRdb) {
    const source = sourceOfFile(file);
    const rdb = new RdbReader(source, DEFAULT_LIMITS, {
      entry: () => report.keys++,
      library: () => {},
      aux: (name, value) => {
        if (name === 'ctime') report.time = Number(value);
      },
    });
    report.format = 'rdb';
    try {
      while (rdb.step());
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      const { offset, what } = error;
      return done({ state: 'damaged', offset, why: `in the RDB part: ${what}` });
    }
    start = rdb.offset;
    report.good = start;
    report.offset = start;
    if (start >= size) return done();
    report.format = 'rdb and commands';
    reader = new AofReader(sourceBehind(rdb.rest(), source), start);
  }
  const made = report.time;
  let last = start;
  for (let unit = reader.next(); unit !== null; unit = reader.next()) {
    report.units++;
    report.commands += unit.commands.length;
    if (unit.time > until && before === null) before = last;
    last = unit.end;
    if (unit.time > 0) report.time = unit.time;
  }
  const { state, good, offset, why, batches, checked } = reader.end();
  return done({ state: state === 'whole' ? 'valid' : state, good, offset, why, batches, checked }, made);
}

const NOTHING = {
  role: 'log' as FileReport['role'],
  format: 'commands' as FileReport['format'],
  state: 'valid' as FileReport['state'],
  size: 0,
  good: 0,
  offset: 0,
  why: '',
  keys: 0,
  units: 0,
  commands: 0,
  batches: 0,
  checked: 0,
  time: 0,
};

// ---- what can be done

type Advice = Pick<AofReport, 'remedy' | 'fix'>;

const SOUND: Advice = { remedy: '', fix: null };
const BACKUP = 'take the directory from a backup or a replica';

async function adviceFor(storage: Storage, file: FileReport, following: readonly string[]): Promise<Advice> {
  const { path, size, good, state } = file;
  if (state === 'missing') return { remedy: `Put ${path} back, or ${BACKUP}.`, fix: null };
  if (file.format === 'rdb') {
    return { remedy: `Nothing of an RDB file is of use without the rest: ${BACKUP}.`, fix: null };
  }
  if (!(await holdNothing(storage, following))) {
    const remedy = `It is not the last file, and those behind it go on from what is lost, so nothing is cut off: ${BACKUP}. To keep no more than what is good up to here, take the lines of the later files out of the manifest, then --fix.`;
    return { remedy, fix: null };
  }
  const fix: Cut = { path, size, at: good, bytes: size - good };
  if (state === 'cut') {
    const remedy = `A write was interrupted there, as when the power goes. Holdfast cuts the rest off itself when it starts (unless aof-load-truncated is no), or --fix does it now: ${fix.bytes} bytes go.`;
    return { remedy, fix };
  }
  const remedy = `What was written has changed since (a failing disk, or somebody altered it), so nothing is loaded. Best ${BACKUP}. Otherwise copy the files, then --fix: it cuts ${fix.bytes} bytes off at byte ${good}, with all that was done from there on.`;
  return { remedy, fix };
}

// A file that the log was about to turn to does not make the one before less the last.
async function holdNothing(storage: Storage, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    const { report } = await scan(storage, path, 'increment');
    if (report.units > 0 || report.state === 'damaged' || report.state === 'missing') return false;
  }
  return true;
}

function backTo(until: number, scans: readonly Scan[], following: readonly string[]): AofReport['until'] {
  const refuse = (refusal: string): AofReport['until'] => ({ cut: null, refusal });
  const last = scans[scans.length - 1];
  const { path, size, state, time, units } = last.report;
  if (following.length > 0) return refuse(`${path} is not the last file: name the manifest`);
  for (const { report } of scans.slice(0, -1)) {
    if (report.state !== 'valid')
      return refuse(`${report.path} is ${report.state}: it has to be mended first`);
    if (report.time > until) {
      return refuse(`that time lies before the end of ${report.path}, and only the last file can be cut`);
    }
  }
  if (last.before === null) {
    if (state !== 'valid') return refuse(`${path} is ${state} before it comes to that time: --fix first`);
    if (units > 0 && time === 0) return refuse(`${path} does not say when anything was written`);
    return { cut: null, refusal: '' };
  }
  if (last.made > until) return refuse(`that time lies before the RDB part of ${path}`);
  const isBegunBefore = last.made > 0 || scans.slice(0, -1).some(({ report }) => report.time > 0);
  if (last.before === last.start && !isBegunBefore) return refuse(`${path} holds nothing up to that time`);
  return { cut: { path, size, at: last.before, bytes: size - last.before }, refusal: '' };
}
