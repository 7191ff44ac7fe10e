// Scripts that only pass commands on, which stand in their ARGV: families/scripting.ts makes them, and normalise.ts
// judges what they answer as it judges the commands.

import { createHash } from 'node:crypto';

/** Answers what its one command answers. */
const ONE = [
  'return redis.call(unpack(ARGV))',
  'return redis.pcall(unpack(ARGV))',
  'redis.setresp(3) return redis.call(unpack(ARGV))',
  'redis.setresp(3)\nlocal reply = redis.pcall(unpack(ARGV))\nredis.setresp(2)\nreturn reply',
  'local ok, reply = pcall(redis.call, unpack(ARGV))\nif ok then return reply end\nreturn {err = reply}',
  '#!lua flags=allow-oom\nlocal call = redis.call\nreturn call(unpack(ARGV))',
] as const;

/** Answers what its commands answer, one after the other; before each in ARGV stands how many words it has. */
const EACH = [
  `local replies, at = {}, 1
while at <= #ARGV do
  local count = tonumber(string.match(ARGV[at], '^%d+$') or 0)
  replies[#replies + 1] = redis.pcall(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return replies`,
  `local function each(at, ...)
  if at > #ARGV then return {...} end
  local count = tonumber(string.match(ARGV[at], '^%d+$') or 0)
  local reply = redis.pcall(unpack(ARGV, at + 1, at + count))
  local replies = each(at + count + 1)
  table.insert(replies, 1, reply)
  return replies
end
return each(1)`,
] as const;

export const PASSING = { one: ONE, each: EACH } as const;

export const digestOf = (script: string): string => createHash('sha1').update(script, 'latin1').digest('hex');

const KINDS = new Map<string, 'one' | 'each'>(
  Object.entries(PASSING).flatMap(([kind, scripts]) =>
    scripts.flatMap((script): [string, 'one' | 'each'][] => [
      [script, kind as 'one' | 'each'],
      [digestOf(script), kind as 'one' | 'each'],
    ]),
  ),
);

/** The commands that this EVAL passes on, and whether it answers one reply or a list; null for any other command. */
export function passedOn(args: readonly string[]): { each: boolean; commands: string[][] } | null {
  if (!/^eval(sha)?(_ro)?$/i.test(args[0] ?? '')) return null;
  const kind = KINDS.get(args[1] ?? '') ?? KINDS.get((args[1] ?? '').toLowerCase());
  const keys = Number(args[2]);
  if (kind === undefined || !(keys >= 0)) return null;
  const words = args.slice(3 + keys);
  if (kind === 'one') return { each: false, commands: [words] };
  const commands: string[][] = [];
  for (let at = 0; at < words.length; ) {
    // A damaged count is none.
    const count = /^\d+$/.test(words[at]!) ? Number(words[at]) : 0;
    commands.push(words.slice(at + 1, at + 1 + count));
    at += count + 1;
  }
  return { each: true, commands };
}
