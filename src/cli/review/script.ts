// The part of the production checklist that can be filled from a Lua text alone. review.ts calls it for .lua files.
import type { Finding } from '../../lint/index.ts';
import { factsOf, type KeyUse, type ScriptFacts } from './facts.ts';
import { type Gap, type Point, point, type Review, reviewOf } from './point.ts';

/** Fills what can be filled; `includes` gives the pieces that the script names. */
export function reviewScript(path: string, text: string, includes: (name: string) => string | null): Review {
  const facts = factsOf(path, text, includes);
  const syntax = facts.findings.filter(({ rule }) => rule === 'syntax');
  if (syntax.length > 0) return reviewOf(path, path, [point('syntax', 'It is Lua', [], gapsOf(syntax))]);
  return reviewOf(path, path, [
    keysPoint(facts),
    writesPoint(facts),
    ttlPoint(facts),
    versionPoint(path, text, facts),
    repliesPoint(facts),
    tokensPoint(facts),
    findingsPoint(facts, 'loops', 'No loop without a limit', ['unbounded-loop']),
    findingsPoint(facts, 'reads', 'No read without a limit', ['large-read']),
    otherFindings(facts),
  ]);
}

function gapsOf(findings: readonly Finding[]): Gap[] {
  return findings.map(({ line, rule, message, remedy }) => ({
    missing: `line ${line}: ${rule}: ${message}`,
    remedy,
  }));
}

const KEY_RULES = ['undeclared-key'];

function keysPoint({ keys, findings }: ScriptFacts): Point {
  const lines = keys.map(({ key, name, commands, isWritten }) => {
    const what = name === '' ? '' : ` (${name})`;
    return `${key}${what}: ${isWritten ? 'written' : 'read'}, by ${commands.join(', ')}`;
  });
  return point(
    'keys',
    'Its keys are declared',
    lines.length === 0 ? ['it touches no keys'] : [...lines, ...together(keys)],
    gapsOf(findings.filter(({ rule }) => KEY_RULES.includes(rule))),
  );
}

function together(keys: readonly KeyUse[]): string[] {
  return keys.length < 2 ? [] : ['in a Cluster all of them need one {tag}: the caller sees to that'];
}

function writesPoint({ writes, keys }: ScriptFacts): Point {
  const written = keys.filter(({ isWritten }) => isWritten).map(({ key }) => key);
  return point('writes', 'What it writes', [
    writes.length === 0
      ? 'nothing: EVAL_RO and EVALSHA_RO run it, on replicas as well'
      : `${writes.join(', ')} to ${written.join(', ')}`,
  ]);
}

function ttlPoint({ deadlines, findings, writes }: ScriptFacts): Point {
  const none = writes.length === 0 ? 'nothing is written' : 'no time to live is set: what it writes stays';
  return point(
    'ttl',
    'Times to live are set in the same step as the write',
    [deadlines.length === 0 ? none : deadlines.join(', ')],
    gapsOf(findings.filter(({ rule }) => rule === 'missing-ttl')),
  );
}

function versionPoint(path: string, text: string, { isLibrary, functions }: ScriptFacts): Point {
  const named = isLibrary
    ? (/^#!\S+.*\bname=(\S+)/.exec(text)?.[1] ?? '')
    : (path.split(/[/\\]/).at(-1) ?? '').replace(/\.lua$/, '');
  const bare = [named, ...functions].filter((name) => !/[_.-]v\d+$/i.test(name));
  return point(
    'contract',
    'A version in its name',
    [named, ...functions].filter((name) => !bare.includes(name)),
    bare.map((name) => ({
      missing: `${name} has none`,
      remedy: `Call it ${name}_v1, and raise the number with the text or the replies: old and new run side by side.`,
    })),
  );
}

function repliesPoint({ statuses, untagged }: ScriptFacts): Point {
  return point('replies', 'Each reply says what happened', [
    statuses.length === 0 ? 'no reply begins with a status that can be read off' : statuses.join(', '),
    ...(statuses.length > 0 && untagged > 0
      ? [`${untagged} more ways out, whose replies cannot be read off`]
      : []),
  ]);
}

function tokensPoint({ tokens, writes }: ScriptFacts): Point {
  const none =
    writes.length === 0 ? 'nothing is written' : 'none by its names: repeat it only where that does no harm';
  return point('tokens', 'Tokens of owners or requests', [tokens.length === 0 ? none : tokens.join('; ')]);
}

function findingsPoint(
  { findings }: ScriptFacts,
  id: string,
  title: string,
  rules: readonly string[],
): Point {
  const meant = findings.filter(({ rule }) => rules.includes(rule));
  return point(id, title, meant.length === 0 ? ['nothing found'] : [], gapsOf(meant));
}

function otherFindings({ findings }: ScriptFacts): Point {
  const own = [...KEY_RULES, 'missing-ttl', 'unbounded-loop', 'large-read'];
  const others = findings.filter(({ rule }) => !own.includes(rule));
  return point(
    'lint',
    'What the linter finds otherwise',
    others.length === 0 ? ['nothing found'] : [],
    gapsOf(others),
  );
}
