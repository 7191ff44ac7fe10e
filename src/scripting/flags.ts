// Flags of scripts: what a script's first line and a function's registration may say of it. Scripts with such a line
// (scripts.ts) and functions (library.ts) share them; runner.ts decides by them.

/** Bits, in the order in which Redis lists them. */
export const ScriptFlag = {
  noWrites: 1,
  allowOom: 2,
  allowStale: 4,
  noCluster: 8,
  allowCrossSlotKeys: 16,
} as const;

const BY_NAME: readonly (readonly [name: string, bit: number])[] = [
  ['no-writes', ScriptFlag.noWrites],
  ['allow-oom', ScriptFlag.allowOom],
  ['allow-stale', ScriptFlag.allowStale],
  ['no-cluster', ScriptFlag.noCluster],
  ['allow-cross-slot-keys', ScriptFlag.allowCrossSlotKeys],
];

/** The bit of a flag spelled exactly so; 0 for none of that name. */
export function flagBit(name: string): number {
  return BY_NAME.find(([known]) => known === name)?.[1] ?? 0;
}

/** Names of the flags that are set. */
export function flagNames(bits: number): string[] {
  return BY_NAME.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
}
