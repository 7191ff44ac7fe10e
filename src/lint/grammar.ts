// Do the arguments of a call fit the syntax line of its row? The line is the one that COMMAND DOCS shows, so the linter
// has no grammar of its own. rules/keys.ts calls it.
import { type Argument, parseSyntax } from '../commands/docs.ts';

/** An argument as far as it is known; null may be anything. */
export type Word = string | null;

const trees = new Map<string, readonly Argument[]>();

/** Do the arguments fit? Options that stand side by side may come in any order and number. */
export function fits(syntax: string, words: readonly Word[]): boolean {
  let tree = trees.get(syntax);
  if (tree === undefined) {
    tree = parseSyntax(syntax);
    trees.set(syntax, tree);
  }
  return ends(tree, words, 0).has(words.length);
}

/** Places where these arguments may end when they begin at `from`. */
function ends(list: readonly Argument[], words: readonly Word[], from: number): Set<number> {
  if (list.length === 0) return new Set([from]);
  const [first, ...rest] = list;
  if (!first.optional) return after(once(first, words, from), rest, words);
  const options = list.slice(0, list.findIndex((each) => !each.optional) >>> 0);
  const behind = list.slice(options.length);
  return after(anyOrder(options, words, from), behind, words);
}

function after(places: Iterable<number>, rest: readonly Argument[], words: readonly Word[]): Set<number> {
  return new Set([...places].flatMap((place) => [...ends(rest, words, place)]));
}

// Redis takes many options twice, and the syntax lines do not say which exclude each other: so far nobody is blamed.
function anyOrder(options: readonly Argument[], words: readonly Word[], from: number): Set<number> {
  const found = new Set([from]);
  for (const place of found) {
    for (const option of options) {
      for (const end of once({ ...option, optional: false }, words, place)) found.add(end);
    }
  }
  return found;
}

/** One argument, with its repetitions. */
function once(argument: Argument, words: readonly Word[], from: number): Set<number> {
  const found = new Set<number>();
  let places = one(argument, words, from);
  while (places.length > 0) {
    const fresh = places.filter((place) => !found.has(place));
    for (const place of fresh) found.add(place);
    places = argument.multiple ? fresh.flatMap((place) => again(argument, words, place)) : [];
  }
  return found;
}

// `GET pattern GET pattern`, but `ID client-id client-id`: a token may stand once or each time.
function again(argument: Argument, words: readonly Word[], from: number): number[] {
  const bare = argument.token === undefined ? [] : one({ ...argument, token: undefined }, words, from);
  return [...one(argument, words, from), ...bare];
}

function one(argument: Argument, words: readonly Word[], from: number): number[] {
  if (from > words.length) return [];
  if (argument.type === 'oneof') {
    return (argument.arguments ?? []).flatMap((each) => [...once(each, words, from)]);
  }
  if (argument.type === 'block') return [...ends(argument.arguments ?? [], words, from)];
  let at = from;
  if (argument.token !== undefined) {
    const word = words[at];
    if (at >= words.length || (word !== null && word.toUpperCase() !== argument.token)) return [];
    at++;
  }
  if (argument.type === 'pure-token') return [at];
  return at < words.length ? [at + 1] : [];
}
