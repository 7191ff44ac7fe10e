// Folders and names of files in memory, with the errors a file system would give. memory.ts and disk.ts call it.
import { checkPath, checkRename, folderOf } from './paths.ts';
import { StorageError } from './port.ts';

/** All of a directory, by path. */
export interface Contents {
  readonly folders: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export class Tree<F> {
  readonly folders = new Set<string>(['']);
  readonly files = new Map<string, F>();

  list(folder: string): string[] {
    checkPath('list', folder, true);
    if (this.files.has(folder)) throw new StorageError('ENOTDIR', 'list', folder);
    const names: string[] = [];
    for (const path of this.files.keys()) {
      if (folderOf(path) === folder) names.push(path.slice(folder === '' ? 0 : folder.length + 1));
    }
    return names.sort();
  }

  /** False if it was there. */
  makeFolder(folder: string): boolean {
    checkPath('makeFolder', folder, true);
    if (this.folders.has(folder)) return false;
    if (this.files.has(folder)) throw new StorageError('EEXIST', 'makeFolder', folder);
    this.#checkParent('makeFolder', folder);
    this.folders.add(folder);
    return true;
  }

  find(operation: string, path: string): F | undefined {
    checkPath(operation, path);
    this.#checkParent(operation, path);
    if (this.folders.has(path)) throw new StorageError('EISDIR', operation, path);
    return this.files.get(path);
  }

  rename(from: string, to: string): F {
    checkRename(from, to);
    const file = this.find('rename', from);
    if (file === undefined) throw new StorageError('ENOENT', 'rename', from);
    this.find('rename', to);
    this.files.delete(from);
    this.files.set(to, file);
    return file;
  }

  /** False if it was missing. */
  remove(path: string): boolean {
    checkPath('remove', path);
    if (this.folders.has(path)) throw new StorageError('EISDIR', 'remove', path);
    return this.files.delete(path);
  }

  checkFolder(operation: string, folder: string): void {
    checkPath(operation, folder, true);
    if (!this.folders.has(folder)) throw new StorageError('ENOENT', operation, folder);
  }

  #checkParent(operation: string, path: string): void {
    const parent = folderOf(path);
    if (this.files.has(parent)) throw new StorageError('ENOTDIR', operation, path);
    if (!this.folders.has(parent)) throw new StorageError('ENOENT', operation, path);
  }
}

/** A tree of these contents; the folders of files are made too. */
export function plant<F>(contents: Contents, make: (content: Uint8Array) => F): Tree<F> {
  const tree = new Tree<F>();
  const makeAll = (folder: string): void => {
    if (folder !== '') makeAll(folderOf(folder));
    tree.makeFolder(folder);
  };
  contents.folders.forEach(makeAll);
  for (const [path, content] of contents.files) {
    makeAll(folderOf(path));
    tree.find('open', path);
    tree.files.set(path, make(content));
  }
  return tree;
}

export function harvest<F>(tree: Tree<F>, read: (file: F) => Uint8Array): Contents {
  const files = [...tree.files].map(([path, file]) => [path, read(file)] as const);
  return { folders: [...tree.folders].filter((folder) => folder !== ''), files: new Map(files) };
}
