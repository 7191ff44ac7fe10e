// `holdfast functions`: deploys the function libraries of a directory, and tells what is on the servers. What is done
// stands in workflows/kit/deployment.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AtomicError,
  applyLibraries,
  type Driver,
  type Installed,
  type LibraryVersion,
  listInstalled,
  type Plan,
  planLibraries,
  readLibrary,
  rollbackLibrary,
  verifyLibraries,
} from '../workflows/index.ts';
import { Misuse, readArguments } from './arguments.ts';
import { type Connection, connectTo, NotConnected } from './redis-url.ts';

/** Exit codes. */
const DONE = 0;
const DIFFERENT = 1;
const MISUSED = 2;

interface Wishes {
  readonly json: boolean;
  readonly to: string | undefined;
  readonly words: readonly string[];
}

type Action = (driver: Driver, wishes: Wishes) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = {
  plan: async (driver, wishes) => {
    const plan = await planLibraries(driver, librariesOf(wishes));
    showPlan(plan, wishes, plan.clean ? 'Nothing is to be done.' : 'holdfast functions apply does this.');
    return plan.conflicts.length > 0 ? DIFFERENT : DONE;
  },
  apply: async (driver, wishes) => {
    const plan = await applyLibraries(driver, librariesOf(wishes));
    showPlan(plan, wishes, plan.clean ? 'Nothing was to be done.' : 'Done.');
    return DONE;
  },
  verify: async (driver, wishes) => {
    const plan = await verifyLibraries(driver, librariesOf(wishes));
    showPlan(plan, wishes, plan.clean ? 'Every primary has this code.' : 'Not every primary has this code.');
    return plan.clean ? DONE : DIFFERENT;
  },
  list: async (driver, wishes) => {
    showInstalled(await listInstalled(driver), wishes);
    return DONE;
  },
  rollback: async (driver, wishes) => {
    const [name] = wishes.words;
    const to = wishes.to ?? '';
    if (name === undefined || !/^[1-9]\d{0,8}$/.test(to)) {
      throw new Misuse(
        'which library, and to which version? holdfast functions rollback stock --to 1 --url …',
      );
    }
    await rollbackLibrary(driver, name, Number(to));
    if (wishes.json) say(JSON.stringify({ library: name, current: Number(to) }));
    else
      say(`${name} is version ${to} now. Newer versions stay, for whoever calls them by their full names.`);
    return DONE;
  },
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @param args what follows `functions` */
export async function functionsProgram(args: readonly string[]): Promise<void> {
  let connection: Connection | null = null;
  try {
    const { action, url, cluster, wishes } = read(args);
    connection = await connectTo(url, cluster);
    process.exitCode = await action(connection.driver, wishes);
  } catch (error) {
    if (!(error instanceof Misuse || error instanceof NotConnected || error instanceof AtomicError))
      throw error;
    console.error(
      `holdfast: ${error.message}${error instanceof Misuse ? '; see holdfast functions --help' : ''}`,
    );
    process.exitCode = error instanceof AtomicError ? DIFFERENT : MISUSED;
  } finally {
    await connection?.close();
  }
}

function read(args: readonly string[]): { action: Action; url: string; cluster: boolean; wishes: Wishes } {
  const found = readArguments(args, {
    url: { type: 'string' },
    cluster: { type: 'boolean' },
    to: { type: 'string' },
    json: { type: 'boolean' },
  });
  const [name, ...words] = found.positionals;
  if (name === undefined || !Object.hasOwn(ACTIONS, name)) {
    throw new Misuse(`${name === undefined ? 'what?' : `not '${name}'`}: ${Object.keys(ACTIONS).join(', ')}`);
  }
  const { url = process.env.REDIS_URL, cluster, to, json } = found.values as Record<string, unknown>;
  if (typeof url !== 'string') throw new Misuse('which server? --url redis://127.0.0.1:6379');
  return {
    action: ACTIONS[name],
    url,
    cluster: cluster === true,
    wishes: { json: json === true, to: to as string | undefined, words },
  };
}

/** The libraries of the directory: every .lua file that begins with #!lua. */
function librariesOf({ words }: Wishes): LibraryVersion[] {
  const [folder, ...rest] = words;
  if (folder === undefined || rest.length > 0)
    throw new Misuse('which directory? one, with libraries as .lua files');
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.lua'));
  } catch (error) {
    throw new Misuse(`'${folder}' cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  const libraries = names.sort().flatMap((name) => {
    const code = readFileSync(join(folder, name), 'utf8');
    if (!code.startsWith('#!lua')) return [];
    try {
      return [readLibrary(code)];
    } catch (error) {
      throw new Misuse(`${join(folder, name)}: ${(error as Error).message}`);
    }
  });
  if (libraries.length === 0) throw new Misuse(`no .lua file in '${folder}' begins with #!lua name=…`);
  const twice = libraries.find((one) => libraries.some((two) => two !== one && same(one, two)));
  if (twice !== undefined) throw new Misuse(`two files are ${twice.name}_v${twice.version}`);
  return libraries;
}

function same(one: LibraryVersion, two: LibraryVersion): boolean {
  return one.name === two.name && one.version === two.version;
}

// ---- showing

function showPlan(plan: Plan, { json }: Wishes, end: string): void {
  if (json) say(JSON.stringify(plan, null, 2));
  else for (const line of [...planLines(plan), end]) say(line);
}

function planLines({ steps }: Plan): string[] {
  const width = Math.max(...steps.map(({ library }) => library.length));
  const where = placeOf(steps);
  return steps.map(
    (step) => `${step.action.padEnd(8)}  ${step.library.padEnd(width)}  ${step.why}${where(step)}`,
  );
}

function showInstalled(installed: readonly Installed[], { json }: Wishes): void {
  if (json) say(JSON.stringify(installed, null, 2));
  else if (installed.length === 0) say('No function libraries.');
  else for (const line of installedLines(installed)) say(line);
}

function installedLines(installed: readonly Installed[]): string[] {
  const width = Math.max(...installed.map(({ library }) => library.length));
  const where = placeOf(installed);
  return installed.map((each) => {
    const { library, hash, functions, current } = each;
    const what = current === null ? '' : `  = version ${current}`;
    return `${library.padEnd(width)}  ${hash.slice(0, 8)}  ${functions.join(', ')}${what}${where(each)}`;
  });
}

/** Says on which node something is, where there are several. */
function placeOf(all: readonly { readonly node: string }[]): (each: { readonly node: string }) => string {
  const isOne = new Set(all.map(({ node }) => node)).size === 1;
  return ({ node }) => (isOne ? '' : `  (${node})`);
}
