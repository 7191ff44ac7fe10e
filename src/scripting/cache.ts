// The scripts that EVAL and SCRIPT LOAD have left, by digest and by text. What SCRIPT LOAD brought stays; of those that
// only EVAL brought, the 500 used last stay. Used by scripts.ts.
import { isQuick, type LuaFunction } from '../lua/index.ts';
import type { Runnable } from './runner.ts';
import type { Shebang } from './shebang.ts';

/** How many scripts of EVAL are kept. */
const CAPACITY = 500;

export class Script implements Runnable {
  readonly kind = 'script';
  readonly quick: boolean;
  /** SHA-1 of the text in hexadecimal: its name. */
  readonly name: string;
  readonly body: string;
  readonly flags: number;
  readonly compatible: boolean;
  readonly run: LuaFunction;
  /** SCRIPT LOAD brought it. */
  pinned = false;
  // Neighbours in the order of use, while it is not pinned.
  older: Script | null = null;
  newer: Script | null = null;

  constructor(name: string, body: string, { flags, compatible }: Shebang, run: LuaFunction) {
    this.name = name;
    this.body = body;
    this.flags = flags;
    this.compatible = compatible;
    this.run = run;
    this.quick = isQuick(run);
  }
}

export class ScriptCache {
  /** Bytes of texts and digests. */
  memory = 0;
  private readonly byName = new Map<string, Script>();
  // So that EVAL of a known text need not hash it.
  private readonly byBody = new Map<string, Script>();
  private oldest: Script | null = null;
  private newest: Script | null = null;
  /** Scripts that are not pinned. */
  private passing = 0;
  private readonly onEvict: () => void;

  constructor(onEvict: () => void) {
    this.onEvict = onEvict;
  }

  get size(): number {
    return this.byName.size;
  }

  /** The script of a digest in any case. */
  find(digest: string): Script | undefined {
    return this.byName.get(digest) ?? this.byName.get(digest.toLowerCase());
  }

  withBody(body: string): Script | undefined {
    return this.byBody.get(body);
  }

  add(script: Script): void {
    this.byName.set(script.name, script);
    this.byBody.set(script.body, script);
    this.memory += script.name.length + script.body.length;
    if (script.pinned) return;
    if (this.passing === CAPACITY) {
      this.drop(this.oldest as Script);
      this.onEvict();
    }
    this.passing++;
    this.append(script);
  }

  /** It stays from now on. */
  pin(script: Script): void {
    if (script.pinned) return;
    script.pinned = true;
    this.passing--;
    this.unlink(script);
  }

  /** It was run: others go first. */
  used(script: Script): void {
    if (script === this.newest || script.pinned) return;
    this.unlink(script);
    this.append(script);
  }

  clear(): void {
    this.byName.clear();
    this.byBody.clear();
    this.memory = 0;
    this.passing = 0;
    this.oldest = null;
    this.newest = null;
  }

  private drop(script: Script): void {
    this.unlink(script);
    this.passing--;
    this.byName.delete(script.name);
    this.byBody.delete(script.body);
    this.memory -= script.name.length + script.body.length;
  }

  private append(script: Script): void {
    const { newest } = this;
    script.older = newest;
    script.newer = null;
    if (newest === null) this.oldest = script;
    else newest.newer = script;
    this.newest = script;
  }

  private unlink(script: Script): void {
    const { older, newer } = script;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    script.older = null;
    script.newer = null;
  }
}
