// The version of this package, out of its package.json: beside src/ in the sources, one folder further up in dist/.
import { existsSync, readFileSync } from 'node:fs';

/** As in package.json. */
export function version(): string {
  const near = new URL('../../package.json', import.meta.url);
  const path = existsSync(near) ? near : new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
