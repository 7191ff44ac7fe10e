// Which paths the port takes, the same for all storages. node.ts and tree.ts call it.
import { StorageError } from './port.ts';

export const LOCK_FILE = 'holdfast.lock';

/** A file's path, or with `root` also ''; anything that could lead elsewhere is EINVAL. */
export function checkPath(operation: string, path: string, root = false): void {
  if (path === '' && root) return;
  const parts = path.split('/');
  const isOdd = (part: string): boolean =>
    part === '' || part === '.' || part === '..' || /[\\\0]/.test(part);
  if (parts.some(isOdd) || parts[0].startsWith(LOCK_FILE)) throw new StorageError('EINVAL', operation, path);
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Renames stay in a folder: one syncFolder then settles the whole of it. */
export function checkRename(from: string, to: string): void {
  checkPath('rename', from);
  checkPath('rename', to);
  if (folderOf(from) !== folderOf(to)) throw new StorageError('EXDEV', 'rename', `${from} → ${to}`);
}
