// Where in the Lua source an error happens. Compiled code keeps no line numbers while it runs: every place
// that can raise stands on a JavaScript line of its own, marked with the number of its call site, and V8's
// stack says which lines are active. Costs nothing until an error is raised (then some microseconds).
import type { Site } from './value.ts';

/** A place in compiled code that can raise: its line, and what Lua would call the values there. */
export interface CallSite extends Site {
  /** How the called or used value is known: `local 'x'`, `field 'y'`… */
  readonly how: 'local' | 'global' | 'upvalue' | 'field' | 'method' | null;
  readonly name: string | null;
  /** The second operand of arithmetic and concatenation. */
  readonly how2: CallSite['how'];
  readonly name2: string | null;
  /** It is a call; else an operation. */
  readonly call: boolean;
  /** The call is a tail call: the calling function is gone as far as Lua is concerned. */
  readonly tail: boolean;
}

/** What positions need to know of a compiled chunk. */
export interface Compiled {
  /** By form: the direct one first. */
  readonly sites: readonly (readonly CallSite[])[];
  /** JavaScript text of the direct form and, once needed, of the suspendable one. */
  readonly texts: (string | null)[];
}

/** A level of the Lua stack: running Lua code at a place, a native function, or a caller lost to a tail call. */
export type Level = CallSite | 'native' | 'tail';

/** A driver whose frames are not on JavaScript's stack. */
export interface SuspendedFrames {
  levels(): Level[];
}

const PREFIX = 'holdfast-lua:';
const compiled = new Map<number, WeakRef<Compiled>>();
let lastId = 0;
let sweepAt = 1024;

/** Registers a chunk; its text of form 0 or 1 must end with {@link sourceUrl}. */
export function register(chunk: Compiled): number {
  if (compiled.size >= sweepAt) {
    for (const [id, ref] of compiled) if (ref.deref() === undefined) compiled.delete(id);
    sweepAt = Math.max(1024, compiled.size * 2);
  }
  lastId++;
  compiled.set(lastId, new WeakRef(chunk));
  return lastId;
}

export function sourceUrl(id: number, form: number): string {
  return `\n//# sourceURL=${PREFIX}${id}:${form}`;
}

// Drivers that run right now, innermost last.
const drivers: SuspendedFrames[] = [];

export function enterDriver(driver: SuspendedFrames): void {
  drivers.push(driver);
}

export function leaveDriver(): void {
  drivers.pop();
}

interface StackFrame {
  getScriptNameOrSourceURL(): string | null | undefined;
  getLineNumber(): number | null;
  getFunctionName(): string | null;
}

function capture(limit: number): StackFrame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = (_error, frames) => frames;
    Error.stackTraceLimit = limit;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, capture);
    return Array.isArray(holder.stack) ? (holder.stack as StackFrame[]) : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Name of operations.ts' function through which natives call Lua. */
const NATIVE_CALL = 'callFromNative';
/** Name of driver.ts' function whose callers are the driver's own frames. */
const DRIVE = 'driveFrames';

/** The Lua stack from the level that called the running native (or raises itself) outwards. */
function levels(depth: number): Level[] {
  const found: Level[] = [];
  const driver = drivers.length - 1;
  for (const frame of capture(depth < 3 ? 16 : 200)) {
    const name = frame.getFunctionName();
    if (name === NATIVE_CALL) found.push('native');
    else if (name === DRIVE) {
      // A thread's first function was called by nobody.
      if (driver >= 0) found.push(...drivers[driver].levels());
      break;
    } else {
      const script = frame.getScriptNameOrSourceURL();
      if (!script?.startsWith(PREFIX)) continue;
      const site = siteOf(script, frame.getLineNumber() ?? 0);
      // Helper code of the chunk's own frame (its factory) has no site.
      if (site !== null)
        found.push(site.tail && found.length > 0 && found.at(-1) !== 'native' ? 'tail' : site);
    }
    if (found.length >= depth) break;
  }
  return found;
}

function siteOf(script: string, line: number): CallSite | null {
  const [id, form] = script.slice(PREFIX.length).split(':');
  const chunk = compiled.get(Number(id))?.deref();
  const text = chunk?.texts[Number(form)];
  if (chunk === undefined || text == null) return null;
  // V8 counts the two lines that it puts around the body of a `new Function`.
  let start = 0;
  for (let i = 3; i < line; i++) start = text.indexOf('\n', start) + 1;
  const mark = /^\/\*(\d+)\*\//.exec(text.slice(start, start + 16));
  return mark === null ? null : chunk.sites[Number(form)][Number(mark[1])];
}

/** The place at a level of the Lua stack (1: the code that called the running native), null where that is
 *  no Lua code. */
export function siteAt(level: number): CallSite | null {
  const found = levels(level)[level - 1];
  return found === undefined || typeof found === 'string' ? null : found;
}

/** The place of the running operation, or the call that the running native serves. */
export function callSite(): CallSite | null {
  return siteAt(1);
}

/** `source:line: ` of a level, or nothing where that is no Lua code (luaL_where). */
export function where(level: number): string {
  const site = siteAt(level);
  return site === null ? '' : `${site.source}:${site.line}: `;
}
