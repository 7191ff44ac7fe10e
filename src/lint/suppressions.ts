// Comments that switch a rule off for one line: `-- holdfast-lint-disable-next-line rule: reason`. index.ts takes out
// what they cover; one without a reason is a finding itself.
import type { Finding, RuleText } from './finding.ts';

export const SUPPRESSION: RuleText = {
  id: 'suppression',
  severity: 'error',
  why: 'Whoever reads the line later must know why the rule does not hold there.',
  remedy: 'Write the rule and the reason: -- holdfast-lint-disable-next-line large-read: at most 20 fields',
  wrong: "-- holdfast-lint-disable-next-line large-read\nreturn redis.call('HGETALL', KEYS[1])",
  right:
    "-- holdfast-lint-disable-next-line large-read: at most 20 fields\nreturn redis.call('HGETALL', KEYS[1])",
};

const COMMENT = /(?:--|\/\/|#)\s*holdfast-lint-disable-next-line\b\s*([\w-]*)\s*(?::\s*(\S.*))?/;

/** A comment that switches nothing off. */
interface Faulty {
  readonly line: number;
  readonly message: string;
}

/** What remains of the findings, and a finding for each comment that says too little. */
export function suppressed(
  lines: readonly string[],
  findings: readonly Finding[],
  ids: ReadonlySet<string>,
): { readonly kept: readonly Finding[]; readonly faulty: readonly Faulty[] } {
  const { off, faulty } = switchedOff(lines, ids);
  return { kept: findings.filter(({ line, rule }) => !off.has(`${line} ${rule}`)), faulty };
}

/** What the comments in these lines switch off, as `line rule`, and those of them that say too little. */
export function switchedOff(
  lines: readonly string[],
  ids: ReadonlySet<string>,
): { readonly off: ReadonlySet<string>; readonly faulty: readonly Faulty[] } {
  const off = new Set<string>();
  const faulty: Faulty[] = [];
  lines.forEach((text, at) => {
    const found = COMMENT.exec(text);
    if (found === null) return;
    const [, rule, reason] = found;
    if (!ids.has(rule)) faulty.push({ line: at + 1, message: `there is no rule '${rule}' to switch off` });
    else if (reason === undefined)
      faulty.push({ line: at + 1, message: `${rule} is switched off without a reason` });
    else off.add(`${nextLine(lines, at)} ${rule}`);
  });
  return { off, faulty };
}

// Several such comments may stand above one line.
function nextLine(lines: readonly string[], at: number): number {
  let next = at + 1;
  while (COMMENT.test(lines[next] ?? '')) next++;
  return next + 1;
}
