// Values of the directives. CONFIG GET/SET go through it; engine and server read it and follow its changes. The
// rows are in directives.ts, redis.conf's syntax in server/configuration.ts.
import type { ConfigPort } from '../commands/ports.ts';
import { globMatch } from '../data/glob.ts';
import type { Space } from '../keyspace/space.ts';
import { ReplyError } from '../resp/reply.ts';
import { type OutputLimit, outputLimitOf, Unfit } from './directive-kinds.ts';
import { DIRECTIVE_NAMES, DIRECTIVES, directiveName } from './directives.ts';
import { asksNothing, TURNED_OFF, unsupportedDirective } from './unsupported-directives.ts';

/** V8's longest string. A value that is a few bytes short of 512 MB is the longest that can be. */
const LONGEST_STRING = 2 ** 29 - 24;

/** What a pattern of CONFIG GET is matched with. */
const SHOWN: readonly string[] = [...DIRECTIVE_NAMES, ...TURNED_OFF.keys()];

export class Config implements ConfigPort {
  /** proto-max-bulk-len, at hand for the hot path. */
  maxBulk = LONGEST_STRING;
  private readonly values = new Map<string, string>();
  private space: Space | null = null;
  private readonly listeners: ((name: string, value: string) => void)[] = [];

  /** @throws Error that names the directive when a name or value is wrong. */
  constructor(initial: Readonly<Record<string, string>>) {
    for (const [name, { initial: value }] of Object.entries(DIRECTIVES)) this.values.set(name, value);
    for (const [given, value] of Object.entries(initial)) {
      const name = directiveName(given);
      if (name === undefined) throw new Error(`unknown or unsupported directive '${given}'`);
      const parsed = this.parse(name, value);
      if (parsed instanceof Unfit) {
        throw new Error(`directive '${given}' takes ${DIRECTIVES[name].kind.accepts}, not '${value}'`);
      }
      this.values.set(name, parsed);
    }
  }

  /** Connects the directives that change the keyspace; applies their present values. */
  attach(engine: { space: Space }): void {
    this.space = engine.space;
    for (const name of this.values.keys()) this.apply(name);
  }

  /** Calls back after each change of any directive. */
  onChange(listener: (name: string, value: string) => void): void {
    this.listeners.push(listener);
  }

  value(name: string): string {
    return this.values.get(name) ?? '';
  }

  /** A pattern is one with `*?[`; anything else is an exact name, answered as it was spelled. */
  get(patterns: readonly string[]): [string, string][] {
    const found = new Map<string, [string, string]>();
    for (const pattern of patterns) {
      const isGlob = /[*?[]/.test(pattern);
      const lower = pattern.toLowerCase();
      for (const each of isGlob ? SHOWN : [lower]) {
        if (found.has(each) || (isGlob && !globMatch(lower, each))) continue;
        const value = this.shown(each);
        if (value !== undefined) found.set(each, [isGlob ? each : pattern, value]);
      }
    }
    return [...found.values()];
  }

  private shown(given: string): string | undefined {
    const name = directiveName(given);
    if (name === undefined) return TURNED_OFF.get(given);
    const value = this.value(name);
    return DIRECTIVES[name].print?.(value) ?? value;
  }

  set(pairs: readonly (readonly [string, string])[]): ReplyError | null {
    // What is wrong with the names comes before what is wrong with a value.
    const names: (string | null)[] = [];
    const seen = new Set<string>();
    for (const [given, value] of pairs) {
      const name = directiveName(given);
      if (name === undefined) {
        const error = refusedName(given, value);
        if (error !== null) return error;
        names.push(null);
        continue;
      }
      const { fixed } = DIRECTIVES[name];
      if (fixed)
        return failed(given, `can't set ${fixed === 'protected' ? 'protected' : 'immutable'} config`);
      // Redis takes an older name for another directive: the later one wins.
      if (seen.has(given.toLowerCase())) return failed(given, 'duplicate parameter');
      seen.add(given.toLowerCase());
      names.push(name);
    }
    const fresh: [string, string][] = [];
    for (const [i, name] of names.entries()) {
      if (name === null) continue;
      const parsed = this.parse(name, pairs[i][1]);
      if (parsed instanceof Unfit) return failed(pairs[i][0].toLowerCase(), parsed.text);
      fresh.push([name, parsed]);
    }
    for (const [name, value] of fresh) this.values.set(name, value);
    for (const [name] of fresh) this.apply(name);
    return null;
  }

  /** client-output-buffer-limit, parsed. */
  outputLimits(): Record<'normal' | 'pubsub', OutputLimit> {
    const value = this.value('client-output-buffer-limit');
    return { normal: outputLimitOf(value, 'normal'), pubsub: outputLimitOf(value, 'pubsub') };
  }

  /** May a protected command (DEBUG) run for this client? */
  allowsProtected(name: string, local: boolean): boolean {
    const value = this.value(`enable-${name.split('|')[0]}-command`);
    return value === 'yes' || (value === 'local' && local);
  }

  private parse(name: string, value: string): string | Unfit {
    const { kind } = DIRECTIVES[name];
    // Redis splits at each single space, and nothing into no words.
    const words = !kind.many ? [value] : value === '' ? [] : value.split(' ');
    return kind.parse(words, this.value(name));
  }

  private apply(name: string): void {
    const value = this.value(name);
    if (name === 'proto-max-bulk-len') this.maxBulk = Math.min(Number(value), LONGEST_STRING);
    if (this.space !== null) DIRECTIVES[name].apply?.(this.space, value);
    for (const listener of this.listeners) listener(name, value);
  }
}

function failed(given: string, why: string): ReplyError {
  return new ReplyError(`ERR CONFIG SET failed (possibly related to argument '${given}') - ${why}`);
}

// null where a directive that is not honoured is set to what holds anyway.
function refusedName(given: string, value: string): ReplyError | null {
  const instead = unsupportedDirective(given);
  if (instead === null) {
    return new ReplyError(`ERR Unknown option or number of arguments for CONFIG SET - '${given}'`);
  }
  if (asksNothing(given, [value])) return null;
  return failed(given, `not supported by Holdfast: ${instead} (see docs/differences.md)`);
}
