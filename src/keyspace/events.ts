// Classes of keyspace events, as notify-keyspace-events spells them, and the parser of that directive.

export const Event = {
  keyspace: 1,
  keyevent: 2,
  generic: 4,
  string: 8,
  list: 16,
  set: 32,
  hash: 64,
  zset: 128,
  expired: 256,
  evicted: 512,
  stream: 1024,
  keymiss: 2048,
  module: 4096,
  new: 8192,
} as const;

const ALL =
  Event.generic |
  Event.string |
  Event.list |
  Event.set |
  Event.hash |
  Event.zset |
  Event.expired |
  Event.evicted |
  Event.stream |
  Event.module;

const LETTERS: readonly [string, number][] = [
  ['g', Event.generic],
  ['$', Event.string],
  ['l', Event.list],
  ['s', Event.set],
  ['h', Event.hash],
  ['z', Event.zset],
  ['x', Event.expired],
  ['e', Event.evicted],
  ['t', Event.stream],
  ['d', Event.module],
  ['n', Event.new],
  ['K', Event.keyspace],
  ['E', Event.keyevent],
  ['m', Event.keymiss],
];

/** Flags of a directive such as `KEA`; null when a letter is unknown. */
export function parseEventFlags(text: string): number | null {
  let flags = 0;
  for (const letter of text) {
    if (letter === 'A') {
      flags |= ALL;
      continue;
    }
    const row = LETTERS.find(([name]) => name === letter);
    if (row === undefined) return null;
    flags |= row[1];
  }
  return flags;
}

/** The directive as CONFIG GET prints it: `A` in place of the classes it stands for. */
export function formatEventFlags(flags: number): string {
  let out = '';
  const all = (flags & ALL) === ALL;
  if (all) out += 'A';
  for (const [letter, bit] of LETTERS) {
    if (all && ALL & bit) continue;
    if (flags & bit) out += letter;
  }
  return out;
}
