// Function libraries on servers: which versions are there, what has to be loaded, and whether it is the right code, on
// every primary. Versions stand side by side as `name_v1`, `name_v2`; the library `name` beside them is the current one,
// a copy whose functions have no version in their names. Called by kit/library.ts and by `holdfast functions`.
import { sha1Hex } from '../../data/sha1.ts';
import { utf8Encode } from '../../resp/bytes.ts';
import { type Answer, type Driver, Lost, type NodeAnswer, ServerError, Unsent, type Word } from './driver.ts';
import { AtomicError, codeOf } from './errors.ts';

/** One version of a library, as it is loaded. */
export interface LibraryVersion {
  readonly name: string;
  readonly version: number;
  /** Begins with `#!lua name=<name>_v<version>`; its functions' names end in `_v<version>`. */
  readonly code: string;
}

/** What is to be done on one primary for one version. */
export interface Step {
  readonly node: string;
  readonly library: string;
  /**
   * `load` what is missing, `keep` what is right, `replace` the current one by a newer or an older, `conflict` where a
   * version has other code than here.
   */
  readonly action: 'load' | 'keep' | 'replace' | 'conflict';
  /** In words. */
  readonly why: string;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Nothing is to be done. */
  readonly clean: boolean;
  readonly conflicts: readonly Step[];
}

/** What is on one primary. */
export interface Installed {
  readonly node: string;
  /** Full name, `stock_v2` or `stock`. */
  readonly library: string;
  readonly functions: readonly string[];
  /** SHA-1 of the code. */
  readonly hash: string;
  /** Of the current one: which version it is a copy of; null for others. */
  readonly current: number | null;
}

export interface DeploymentOptions {
  /** For each answer of a node, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5000;
const NAME = /^([A-Za-z][A-Za-z0-9_]*?)_v([1-9]\d{0,8})$/;
const SHEBANG = /^#!lua\s+name=([^\s]+)[^\n]*\n?/;
/** `register_function('name'` and `function_name = 'name'`. */
const REGISTERED = /(register_function\s*\(\s*|function_name\s*=\s*)(['"])(\w+)\2/g;
const CURRENT = /^-- holdfast: version (\d+) of (\w+)$/m;

/**
 * Reads a library's text.
 * @throws AtomicError BAD_ARGUMENT where its first line does not name it with a version
 */
export function readLibrary(code: string): LibraryVersion {
  const shebang = SHEBANG.exec(code);
  const named = NAME.exec(shebang?.[1] ?? '');
  if (named === null) {
    throw new AtomicError(
      'BAD_ARGUMENT',
      shebang === null
        ? 'a library begins with a line like #!lua name=stock_v1'
        : `the library's name '${shebang[1]}' must end in its version: ${shebang[1]}_v1`,
    );
  }
  return { name: named[1], version: Number(named[2]), code };
}

export function fullName({ name, version }: Pick<LibraryVersion, 'name' | 'version'>): string {
  return `${name}_v${version}`;
}

export function hashOf(code: string): string {
  return sha1Hex(utf8Encode(code));
}

/**
 * The current library: the same code, whose functions register without the version in their names. The names are
 * changed in the text, because a library has no string functions while it loads.
 * @throws AtomicError BAD_ARGUMENT where a function is not registered by a literal name that ends in the version
 */
function currentCode({ name, version, code }: LibraryVersion): string {
  const body = code.replace(SHEBANG, '');
  let renamed = 0;
  const plain = body.replace(REGISTERED, (whole, before: string, quote: string, full: string) => {
    const suffix = `_v${version}`;
    if (!full.endsWith(suffix)) return whole;
    renamed++;
    return `${before}${quote}${full.slice(0, -suffix.length)}${quote}`;
  });
  if (renamed === 0 || renamed !== (body.match(/\bregister_function\b/g) ?? []).length) {
    throw new AtomicError(
      'BAD_ARGUMENT',
      `${fullName({ name, version })}: register each function by a literal name that ends in _v${version}`,
    );
  }
  return `#!lua name=${name}\n-- holdfast: version ${version} of ${name}\n${plain}`;
}

/** What is installed, node by node. */
export async function listInstalled(
  driver: Driver,
  options?: DeploymentOptions,
): Promise<readonly Installed[]> {
  return (await survey(driver, options)).flatMap(({ installed }) => installed);
}

/** What apply() would do. Changes nothing. */
export async function planLibraries(
  driver: Driver,
  libraries: readonly LibraryVersion[],
  options?: DeploymentOptions,
): Promise<Plan> {
  return planOf(stepsFor(await survey(driver, options), libraries));
}

function planOf(steps: readonly Step[]): Plan {
  return {
    steps,
    clean: steps.every(({ action }) => action === 'keep'),
    conflicts: steps.filter(({ action }) => action === 'conflict'),
  };
}

/**
 * Loads what is missing on every primary, and makes the newest version the current one. May be repeated at any time.
 * @throws AtomicError LIBRARY_MISMATCH, before anything is loaded, where a version has other code on a server
 */
export async function applyLibraries(
  driver: Driver,
  libraries: readonly LibraryVersion[],
  options?: DeploymentOptions,
): Promise<Plan> {
  const plan = await planLibraries(driver, libraries, options);
  if (plan.conflicts.length > 0) throw mismatch(plan.conflicts);
  const wanted = new Map<string, { code: string; replace: boolean }>();
  for (const { library, action } of plan.steps) {
    if (action === 'keep') continue;
    const version = libraries.find((each) => fullName(each) === library);
    const newest = newestOf(libraries, library);
    if (version !== undefined) wanted.set(library, { code: version.code, replace: false });
    else if (newest !== undefined) wanted.set(library, { code: currentCode(newest), replace: true });
  }
  for (const { code, replace } of wanted.values()) await loadEverywhere(driver, code, replace, options);
  return plan;
}

/** Loads one version on every primary that lacks it, and leaves the current one as it is. */
export function loadLibrary(
  driver: Driver,
  library: LibraryVersion,
  options?: DeploymentOptions,
): Promise<void> {
  return loadEverywhere(driver, library.code, false, options);
}

/**
 * Compares every primary with the code here.
 * @returns a plan: `clean` where all is in place
 */
export async function verifyLibraries(
  driver: Driver,
  libraries: readonly LibraryVersion[],
  options?: DeploymentOptions,
): Promise<Plan> {
  return planLibraries(driver, libraries, options);
}

/**
 * Makes an earlier version the current one, from the code that is on the servers. Versions are not removed: who calls
 * a newer one by its full name goes on.
 * @throws AtomicError FUNCTION_MISSING where no primary has that version
 */
export async function rollbackLibrary(
  driver: Driver,
  name: string,
  to: number,
  options?: DeploymentOptions,
): Promise<void> {
  const nodes = await survey(driver, options);
  const full = fullName({ name, version: to });
  const code = nodes.map(({ codes }) => codes.get(full)).find((each) => each !== undefined);
  if (code === undefined) {
    const there = new Set(
      nodes.flatMap(({ codes }) => [...codes.keys()].filter((each) => NAME.exec(each)?.[1] === name)),
    );
    throw new AtomicError(
      'FUNCTION_MISSING',
      `${full} is on no server; ${there.size === 0 ? `no version of ${name} is` : `there are ${[...there].sort().join(', ')}`}`,
    );
  }
  // A primary that lacks that version gets it too: its functions are asked for by their full names as well.
  if (nodes.some(({ codes }) => !codes.has(full))) await loadEverywhere(driver, code, true, options);
  await loadEverywhere(driver, currentCode({ name, version: to, code }), true, options);
}

// ---- looking

interface Node {
  readonly node: string;
  readonly codes: ReadonlyMap<string, string>;
  readonly installed: readonly Installed[];
}

async function survey(driver: Driver, options?: DeploymentOptions): Promise<readonly Node[]> {
  const answers = await everyPrimary(driver, ['FUNCTION', 'LIST', 'WITHCODE'], options);
  return answers.map(({ node, answer }) => {
    if (answer instanceof ServerError) throw faultOf(node, answer);
    const codes = new Map<string, string>();
    const installed = (answer as readonly Answer[]).map((entry) => {
      const fields = fieldsOf(entry);
      const library = String(fields.get('library_name'));
      const code = String(fields.get('library_code'));
      codes.set(library, code);
      const functions = (fields.get('functions') as readonly Answer[]).map((each) =>
        String(fieldsOf(each).get('name')),
      );
      const current = NAME.test(library) ? null : (CURRENT.exec(code)?.[1] ?? null);
      return {
        node,
        library,
        functions,
        hash: hashOf(code),
        current: current === null ? null : Number(current),
      };
    });
    return { node, codes, installed };
  });
}

function fieldsOf(entry: Answer): Map<string, Answer> {
  const flat = entry as readonly Answer[];
  const fields = new Map<string, Answer>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), flat[i + 1]);
  return fields;
}

function stepsFor(nodes: readonly Node[], libraries: readonly LibraryVersion[]): Step[] {
  const names = [...new Set(libraries.map(({ name }) => name))];
  return nodes.flatMap(({ node, codes }) => [
    ...libraries.map((library) => versionStep(node, codes, library)),
    ...names.map((name) => currentStep(node, codes, newestOf(libraries, name) as LibraryVersion)),
  ]);
}

function versionStep(node: string, codes: ReadonlyMap<string, string>, library: LibraryVersion): Step {
  const full = fullName(library);
  const there = codes.get(full);
  if (there === undefined) return { node, library: full, action: 'load', why: 'is not there' };
  if (there === library.code) return { node, library: full, action: 'keep', why: 'is there, with this code' };
  const why = `has the code ${hashOf(there).slice(0, 8)} there and ${hashOf(library.code).slice(0, 8)} here: raise the version`;
  return { node, library: full, action: 'conflict', why };
}

function currentStep(node: string, codes: ReadonlyMap<string, string>, newest: LibraryVersion): Step {
  const { name: library, version } = newest;
  const there = codes.get(library);
  if (there === undefined) return { node, library, action: 'load', why: `becomes version ${version}` };
  const current = CURRENT.exec(there)?.[1];
  if (current === undefined) {
    return {
      node,
      library,
      action: 'conflict',
      why: 'is a library that was loaded by other means: rename yours',
    };
  }
  if (there === currentCode(newest)) return { node, library, action: 'keep', why: `is version ${version}` };
  // An application that still has an older version must not turn the wheel back.
  if (Number(current) > version) {
    return { node, library, action: 'keep', why: `is version ${current}, which is newer` };
  }
  return { node, library, action: 'replace', why: `goes from version ${current} to ${version}` };
}

function newestOf(libraries: readonly LibraryVersion[], name: string): LibraryVersion | undefined {
  return libraries.filter((each) => each.name === name).sort((a, b) => b.version - a.version)[0];
}

// ---- loading

async function loadEverywhere(
  driver: Driver,
  code: string,
  replace: boolean,
  options?: DeploymentOptions,
): Promise<void> {
  const words = replace ? ['FUNCTION', 'LOAD', 'REPLACE', code] : ['FUNCTION', 'LOAD', code];
  const answers = await everyPrimary(driver, words, options);
  for (const { node, answer } of answers) {
    // Somebody else was quicker, or this primary had it already.
    const isThere = answer instanceof ServerError && !replace && /already exists/i.test(answer.message);
    if (answer instanceof ServerError && !isThere) throw faultOf(node, answer);
  }
}

async function everyPrimary(
  driver: Driver,
  words: readonly Word[],
  options: DeploymentOptions | undefined,
): Promise<readonly NodeAnswer[]> {
  try {
    return await driver.everyPrimary(words, options?.timeoutMs ?? TIMEOUT_MS);
  } catch (error) {
    if (!(error instanceof Unsent || error instanceof Lost)) throw error;
    throw new AtomicError('DISCONNECTED', `a primary did not answer: ${error.message}`, { cause: error });
  }
}

function faultOf(node: string, error: ServerError): AtomicError {
  return new AtomicError(codeOf(error.code, error.message), `${node}: ${error.message}`, { cause: error });
}

function mismatch(conflicts: readonly Step[]): AtomicError {
  const told = conflicts.map(({ node, library, why }) => `${library} on ${node} ${why}`).join('; ');
  return new AtomicError('LIBRARY_MISMATCH', `nothing was loaded: ${told}`);
}
