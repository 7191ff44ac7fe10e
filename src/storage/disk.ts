// A model of a page cache over a disk: what programs see, what a power cut surely leaves, and what of the rest chance
// lets survive. Called by faulty.ts.
import { Bytes } from './bytes.ts';
import { folderOf } from './paths.ts';
import { type OpenMode, StorageError } from './port.ts';
import type { Chance } from './random.ts';
import { type Contents, harvest, plant, Tree } from './tree.ts';

const SECTOR = 512;

/** Beyond so many changes the older half is written, as the system would do on its own. */
const DIRTY_LIMIT = 2000;

type Change =
  | { readonly number: number; readonly at: number; readonly data: Uint8Array }
  | { readonly number: number; readonly size: number };

export class Inode {
  readonly cache: Bytes;
  readonly #disk: Bytes;
  #pending: Change[] = [];
  #changes = 0;

  constructor(content: Uint8Array) {
    this.cache = new Bytes(content);
    this.#disk = new Bytes(content);
  }

  /** The number of the latest change. */
  get changes(): number {
    return this.#changes;
  }

  append(data: Uint8Array): void {
    const at = this.cache.length;
    this.cache.write(at, data);
    this.#add({ number: ++this.#changes, at, data: data.slice() });
  }

  truncate(size: number): void {
    this.cache.resize(size);
    this.#add({ number: ++this.#changes, size });
  }

  #add(change: Change): void {
    this.#pending.push(change);
    if (this.#pending.length > DIRTY_LIMIT) this.commit(this.#pending[DIRTY_LIMIT / 2].number);
  }

  /** What came up to this change is on disk. */
  commit(last: number): void {
    const isCovered = (change: Change): boolean => change.number <= last;
    for (const change of this.#pending.filter(isCovered)) apply(this.#disk, change);
    this.#pending = this.#pending.filter((change) => !isCovered(change));
    // The length is kept apart from the data: where a failed sync has dropped data are zeroes now.
    if (this.#pending.length === 0) this.#disk.resize(this.cache.length);
  }

  /** A sync that failed: of each write chance says whether it is on disk, forgotten, or to be written yet. */
  failCommit(last: number, chance: Chance): void {
    this.#pending = this.#pending.filter((change) => {
      if (change.number > last || 'size' in change) return true;
      const fate = chance(3);
      if (fate === 0) apply(this.#disk, change);
      return fate === 2;
    });
  }

  /** The disk after a power cut. */
  afterCut(chance: Chance): Uint8Array {
    const disk = new Bytes(this.#disk.copy());
    const fate = chance(4);
    if (fate === 1) for (const change of this.#pending) apply(disk, change);
    else if (fate === 2) this.#beginning(disk, chance);
    else if (fate === 3) this.#scattered(disk, chance);
    return disk.copy();
  }

  /** Some changes and a part of the next, which ends at any byte or where a sector does. */
  #beginning(disk: Bytes, chance: Chance): void {
    const whole = chance(this.#pending.length + 1);
    for (const change of this.#pending.slice(0, whole)) apply(disk, change);
    const torn = this.#pending[whole];
    if (torn === undefined || 'size' in torn) return;
    let end = torn.at + chance(torn.data.length + 1);
    if (chance(2) === 0) end = Math.max(torn.at, end - (end % SECTOR));
    if (end > torn.at) disk.write(torn.at, torn.data.subarray(0, end - torn.at));
  }

  /** Each change, or each sector of it, for itself; the length may be the new one in any case. */
  #scattered(disk: Bytes, chance: Chance): void {
    const likely = 1 + chance(9);
    const survives = (): boolean => chance(10) < likely;
    const bySector = chance(2) === 0;
    for (const change of this.#pending) {
      if ('size' in change || !bySector) {
        if (survives()) apply(disk, change);
        continue;
      }
      const end = change.at + change.data.length;
      for (let from = change.at; from < end; ) {
        const to = Math.min(end, from - (from % SECTOR) + SECTOR);
        if (survives()) disk.write(from, change.data.subarray(from - change.at, to - change.at));
        from = to;
      }
    }
    if (chance(2) === 0) disk.resize(Math.max(disk.length, this.cache.length));
  }
}

function apply(disk: Bytes, change: Change): void {
  if ('size' in change) disk.resize(change.size);
  else disk.write(change.at, change.data);
}

/** A change of names. The file goes with it: a rename may survive though the name it began with never did. */
type NameChange = { readonly number: number; readonly folder: string } & (
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link' | 'unlink'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly path: string; readonly inode: Inode }
);

type Unnumbered<T> = T extends unknown ? Omit<T, 'number' | 'folder'> : never;

export class Disk {
  readonly tree: Tree<Inode>;
  readonly #durable = new Tree<Inode>();
  #pending: NameChange[] = [];
  #changes = 0;

  constructor(contents: Contents) {
    this.tree = plant(contents, (content) => new Inode(content));
    copyNames(this.tree, this.#durable);
  }

  get changes(): number {
    return this.#changes;
  }

  makeFolder(path: string): void {
    if (this.tree.makeFolder(path)) this.#add({ kind: 'folder', path });
  }

  open(path: string, mode: OpenMode): Inode {
    let inode = this.tree.find('open', path);
    if (inode === undefined) {
      if (mode === 'read') throw new StorageError('ENOENT', 'open', path);
      inode = new Inode(new Uint8Array(0));
      this.tree.files.set(path, inode);
      this.#add({ kind: 'link', path, inode });
    } else if (mode === 'create') inode.truncate(0);
    return inode;
  }

  rename(from: string, path: string): void {
    const inode = this.tree.rename(from, path);
    this.#add({ kind: 'rename', from, path, inode });
  }

  remove(path: string): void {
    const inode = this.tree.files.get(path);
    this.tree.remove(path);
    if (inode !== undefined) this.#add({ kind: 'unlink', path, inode });
  }

  #add(change: Unnumbered<NameChange>): void {
    const number = ++this.#changes;
    this.#pending.push({ ...change, number, folder: folderOf(change.path) } as NameChange);
    if (this.#pending.length <= DIRTY_LIMIT) return;
    const last = this.#pending[DIRTY_LIMIT / 2].number;
    this.#commit((each) => each.number <= last);
  }

  /** What came up to this change in the folder is on disk. */
  commitFolder(folder: string, last: number): void {
    this.#commit((change) => change.folder === folder && change.number <= last);
  }

  #commit(isCovered: (change: NameChange) => boolean): void {
    for (const change of this.#pending.filter(isCovered)) applyName(this.#durable, change);
    this.#pending = this.#pending.filter((change) => !isCovered(change));
  }

  /** The disk after a power cut. */
  afterCut(chance: Chance): Contents {
    const names = new Tree<Inode>();
    copyNames(this.#durable, names);
    const likely = 1 + chance(9);
    for (const change of this.#pending) if (chance(10) < likely) applyName(names, change);
    // Who has lost a folder has lost what is in it.
    const isThere = (folder: string): boolean =>
      folder === '' || (names.folders.has(folder) && isThere(folderOf(folder)));
    const tree = new Tree<Inode>();
    for (const folder of names.folders) if (isThere(folder)) tree.folders.add(folder);
    for (const [path, inode] of names.files) if (isThere(folderOf(path))) tree.files.set(path, inode);
    return harvest(tree, (inode) => inode.afterCut(chance));
  }

  /** What programs see, so what is left when only the process ends. */
  seen(): Contents {
    return harvest(this.tree, (inode) => inode.cache.copy());
  }
}

function copyNames(from: Tree<Inode>, to: Tree<Inode>): void {
  for (const folder of from.folders) to.folders.add(folder);
  for (const [path, inode] of from.files) to.files.set(path, inode);
}

function applyName({ folders, files }: Tree<Inode>, change: NameChange): void {
  if (change.kind === 'folder') {
    folders.add(change.path);
    return;
  }
  const { path, inode } = change;
  const old = change.kind === 'rename' ? change.from : path;
  if (files.get(old) === inode) files.delete(old);
  if (change.kind !== 'unlink') files.set(path, inode);
}
