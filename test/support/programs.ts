// Programs that tests compare with: where they are, and what their absence means. Called by redis-server.ts and by
// test/oracle/lua.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of these programs on the PATH, or null; `named` (a path) is looked at instead where it is given. */
export function findProgram(named: string | undefined, programs: readonly string[]): string | null {
  const candidates = named
    ? [named]
    : (process.env.PATH ?? '')
        .split(delimiter)
        .flatMap((dir) => programs.map((program) => join(dir, program)));
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; look at the next directory.
    }
  }
  return null;
}

/** True when tests that need the oracle should run; throws when it is required and missing. */
export function isThere(found: string | null, oracle: string, program: string): boolean {
  if (found !== null) return true;
  if (process.env.HOLDFAST_REQUIRE_ORACLE === '1')
    throw new Error(`HOLDFAST_REQUIRE_ORACLE=1, but there is no ${program} on PATH`);
  console.log(`${oracle}: skipped`);
  return false;
}
