// The production checklist of a workflow, filled from its card and from the text of its scripts. review.ts calls it.
import { hashTag, hotTag, type OperationCard, type WorkflowCard } from '../../workflows/index.ts';
import { factsOf, type ScriptFacts } from './facts.ts';
import { type Gap, gap, type Point, point, type Review, reviewOf } from './point.ts';

/** Where files that a card names are looked for. */
export interface Place {
  /** The file that was reviewed, or `holdfast`. */
  readonly source: string;
  exists(path: string): boolean;
  /** The tests stay in the repository: this is an installed package, which does not carry them. */
  readonly isPackage: boolean;
}

/** An operation with what its script's text says. */
interface Operation {
  readonly name: string;
  readonly card: OperationCard;
  readonly mechanism: string;
  readonly retry: string;
  readonly outcomes: readonly string[];
  readonly facts: ScriptFacts | null;
  readonly writes: boolean;
}

/** Fills the checklist. */
export function reviewCard(given: WorkflowCard, place: Place): Review {
  const card = completed(given);
  const operations = Object.entries(card.operations).map(operationOf);
  const points = [
    invariantOf(card),
    keysPoint(card),
    slotPoint(card),
    ttlPoint(card, operations),
    mechanismPoint(card, operations),
    retryPoint(operations),
    tokensPoint(operations),
    contractPoint(operations),
    loopsPoint(operations),
    readsPoint(operations),
    boundsPoint(card),
    lintPoint(operations),
    testsPoint(card, place),
    metricsPoint(card, operations),
    rolloutPoint(card, operations),
  ];
  return reviewOf(
    card.name,
    place.source,
    points.map((each) => waivedOr(each, card.waived?.[each.id])),
  );
}

/** Plain JavaScript may leave out what the type asks for: that is a gap, not a crash. */
function completed(card: WorkflowCard): WorkflowCard {
  const keys = Object.entries(card.keys).map(([name, key]) => [name, { ...key, pattern: key.pattern ?? '' }]);
  const { why = '', bounds = [], tests = [] } = card;
  return { ...card, why, bounds, tests, keys: Object.fromEntries(keys) };
}

function waivedOr(each: Point, reason: string | undefined): Point {
  if (reason === undefined || each.state === 'yes') return each;
  return { ...each, state: 'waived', found: [...each.found, `waived: ${reason}`] };
}

function operationOf([name, card]: [string, OperationCard]): Operation {
  const spec = card.script?.spec;
  return {
    name,
    card,
    mechanism: card.mechanism ?? 'script',
    retry: spec?.retry ?? card.retry ?? '',
    outcomes: spec === undefined ? (card.outcomes ?? []) : Object.keys(spec.reply),
    facts: card.script === undefined ? null : factsOf(`${card.script.fullName}.lua`, card.script.spec.lua),
    // Without a script nobody can tell.
    writes: spec === undefined || spec.mode === 'write',
  };
}

function invariantOf({ invariant }: WorkflowCard): Point {
  const sentence = invariant.trim();
  return point(
    'invariant',
    'The invariant, in one sentence',
    sentence === '' ? [] : [sentence],
    sentence === ''
      ? gap(
          true,
          'there is none',
          'Say in `invariant` what is true at every moment, whoever runs in between.',
        )
      : gap(
          /[.!?]\s+\p{Lu}/u.test(sentence),
          'it takes more than one sentence',
          'Say one thing that is always true; what else there is to say belongs into `why` or `bounds`.',
        ),
  );
}

function keysPoint({ keys }: WorkflowCard): Point {
  const entries = Object.entries(keys);
  return point(
    'keys',
    'Its keys, and when they go away',
    entries.map(([name, { pattern, holds, expires }]) => `${name}: ${pattern}: ${holds}; expires ${expires}`),
    [
      ...gap(entries.length === 0, 'no keys', 'List every key that the invariant is about in `keys`.'),
      ...entries.flatMap(([name, key]) =>
        (['pattern', 'holds', 'expires'] as const).flatMap((field) =>
          gap(!key[field]?.trim(), `${name} does not say: ${field}`, `Fill keys.${name}.${field}.`),
        ),
      ),
    ],
  );
}

function slotPoint({ keys }: WorkflowCard): Point {
  const layouts = new Map<string, [string, string][]>();
  for (const [name, { pattern, layout = '' }] of Object.entries(keys)) {
    layouts.set(layout, [...(layouts.get(layout) ?? []), [name, pattern]]);
  }
  const found: string[] = [];
  const gaps: Gap[] = [];
  for (const [layout, members] of layouts) {
    const where = layout === '' ? '' : ` of layout ${layout}`;
    const bare = members.filter(([, pattern]) => hashTag(pattern) === pattern);
    const tags = new Set(members.map(([, pattern]) => hashTag(pattern)));
    if (members.length > 1 && bare.length > 0) {
      gaps.push({
        missing: `${bare.map(([name]) => name).join(', ')}${where}: no {tag}, so a Cluster puts each key somewhere`,
        remedy: 'Put what the keys have in common in braces, as in order:{42} and stock:{42}.',
      });
    } else if (tags.size > 1) {
      gaps.push({
        missing: `the keys${where} have several tags: ${[...tags].map((tag) => `{${tag}}`).join(', ')}`,
        remedy: 'Give them one tag; or name in `layout` which of them are never used together.',
      });
    } else {
      found.push(bare.length > 0 ? `one key${where}` : `all keys${where} share {${[...tags][0]}}`);
    }
    for (const [name, pattern] of members) {
      const hot = hotTag(pattern);
      if (hot !== '') gaps.push({ missing: `${name}: ${hot}`, remedy: 'Take an id as the tag.' });
    }
  }
  return point('slot', 'One hash slot in a Cluster', found, gaps);
}

/** Never, or `as` another key does, which says when. */
const NOT_ITS_OWN = /^\s*(?:never|as)\b/i;

function ttlPoint({ keys }: WorkflowCard, operations: readonly Operation[]): Point {
  const expiring = Object.entries(keys).filter(([, { expires }]) => !NOT_ITS_OWN.test(expires ?? ''));
  const setting = operations.filter(({ facts }) => (facts?.deadlines.length ?? 0) > 0);
  const hasScripts = operations.some(({ facts }) => facts !== null);
  return point(
    'ttl',
    'Times to live are set in the same step as the write',
    expiring.length === 0
      ? ['no key expires']
      : setting.map(({ name, facts }) => `${name}: ${facts?.deadlines.join(', ')}`),
    [
      ...gap(
        hasScripts && expiring.length > 0 && setting.length === 0,
        `${expiring.map(([name]) => name).join(', ')} shall expire, but no script sets a time to live`,
        'Set it in the script that writes: SET … PX, or PEXPIRE behind the write.',
      ),
      ...findingGaps(operations, (rule) => rule === 'missing-ttl'),
    ],
  );
}

/** The mechanisms, weakest first. */
const LADDER = [
  'command',
  'command with options',
  'pipeline (not atomic)',
  'multi',
  'watch',
  'script',
  'function',
  'transactional database',
];

function mechanismPoint({ why }: WorkflowCard, operations: readonly Operation[]): Point {
  const used = [...new Set(operations.map(({ mechanism }) => mechanism))];
  const steps = used.map(
    (mechanism) => `${mechanism}: step ${LADDER.indexOf(mechanism) + 1} of ${LADDER.length}`,
  );
  const small = operations.filter(({ facts }) => facts?.calls === 1);
  return point(
    'mechanism',
    'The weakest mechanism that holds it',
    [
      steps.join('; '),
      `from weak to strong: ${LADDER.join(' < ')}`,
      ...(why.trim() === '' ? [] : [why.trim()]),
      ...small.map(({ name }) => `look: ${name} runs one command only, which may do without a script`),
    ],
    [
      ...gap(
        why.trim() === '',
        'no reason is given',
        'Say in `why` what the weaker mechanisms could not hold.',
      ),
      ...used
        .filter((mechanism) => !LADDER.includes(mechanism))
        .map((mechanism) => ({
          missing: `'${mechanism}' is no mechanism`,
          remedy: 'command, multi, watch, script or function.',
        })),
    ],
  );
}

/** What to do when nobody knows whether it happened. */
const ON_UNKNOWN: Readonly<Record<string, string>> = {
  always: 'send it again',
  'same-request-id': 'send it again with the same request id; called without one, look at the state first',
  never: 'look at the state before anything else: sent again it may happen twice',
};

function retryPoint(operations: readonly Operation[]): Point {
  return point(
    'retry',
    "May it be repeated, and what to do on 'unknown'",
    operations
      .filter(({ retry }) => Object.hasOwn(ON_UNKNOWN, retry))
      .map(({ name, retry }) => `${name}: ${retry}; on unknown ${ON_UNKNOWN[retry]}`),
    operations.flatMap(({ name, retry }) =>
      gap(
        !Object.hasOwn(ON_UNKNOWN, retry),
        `${name} does not say`,
        `retry: ${Object.keys(ON_UNKNOWN).join(', ')}`,
      ),
    ),
  );
}

function tokensPoint(operations: readonly Operation[]): Point {
  const changing = operations.filter(({ writes }) => writes);
  const remembering = changing.filter(({ retry }) => retry === 'same-request-id');
  const unsafe = changing.filter(({ retry }) => retry === 'never');
  const named = changing.flatMap(({ name, facts, card }) => {
    const args = Object.keys(card.script?.spec.args ?? {}).filter((arg) => /owner|token|fence/i.test(arg));
    const all = [...new Set([...args, ...(facts?.tokens ?? [])])];
    return all.length === 0 ? [] : [`${name}: ${all.join(', ')}`];
  });
  return point(
    'tokens',
    'Tokens of owners or requests, where a repetition would do harm',
    [
      ...(changing.length === 0 ? ['nothing writes'] : []),
      ...(remembering.length > 0
        ? [`a request id is remembered by ${remembering.map(({ name }) => name).join(', ')}`]
        : []),
      ...named,
      ...(changing.length > 0 && changing.every(({ retry }) => retry === 'always')
        ? ['every operation may be repeated']
        : []),
      ...(unsafe.length > 0 && remembering.length > 0
        ? [`not for: ${unsafe.map(({ name }) => name).join(', ')}`]
        : []),
    ],
    gap(
      unsafe.length > 0 && remembering.length === 0,
      `${unsafe.map(({ name }) => name).join(', ')} must never be repeated, and nothing would notice it`,
      "Let it take a request id and remember its answer (retry: 'same-request-id').",
    ),
  );
}

function contractPoint(operations: readonly Operation[]): Point {
  return point(
    'contract',
    'Versioned scripts and replies',
    operations.map(({ name, card, outcomes }) => {
      const what = card.script === undefined ? card.mechanism : card.script.fullName;
      return `${name}: ${what} answers ${outcomes.join(', ')}`;
    }),
    operations.flatMap(({ name, outcomes }) =>
      gap(outcomes.length === 0, `${name} has no declared answers`, 'Declare each answer by its status.'),
    ),
  );
}

function loopsPoint(operations: readonly Operation[]): Point {
  return point(
    'loops',
    'No loop without a limit',
    [linted(operations, 'no unbounded loop')],
    findingGaps(operations, (rule) => rule === 'unbounded-loop'),
  );
}

function readsPoint(operations: readonly Operation[]): Point {
  return point(
    'reads',
    'No read without a limit',
    [linted(operations, 'no unbounded read')],
    findingGaps(operations, (rule) => rule === 'large-read'),
  );
}

function boundsPoint({ bounds }: WorkflowCard): Point {
  return point(
    'bounds',
    'Bounds of memory and sizes',
    bounds,
    gap(
      bounds.length === 0,
      'none is named',
      'Say in `bounds` what limits memory, loops and the sizes of arguments.',
    ),
  );
}

const OWN_POINT = new Set(['unbounded-loop', 'large-read', 'missing-ttl']);

function lintPoint(operations: readonly Operation[]): Point {
  return point(
    'lint',
    'What the linter finds otherwise',
    [linted(operations, 'nothing found')],
    findingGaps(operations, (rule) => !OWN_POINT.has(rule)),
  );
}

function linted(operations: readonly Operation[], clean: string): string {
  const scripts = new Set(operations.flatMap(({ card }) => card.script?.fullName ?? []));
  return scripts.size === 0 ? 'no scripts' : `${[...scripts].join(', ')}: ${clean}`;
}

function findingGaps(operations: readonly Operation[], isMeant: (rule: string) => boolean): Gap[] {
  const gaps = operations.flatMap(({ facts }) =>
    (facts?.findings ?? [])
      .filter(({ rule }) => isMeant(rule))
      .map(({ file, line, rule, message, remedy }) => ({
        missing: `${file}:${line} ${rule}: ${message}`,
        remedy,
      })),
  );
  // Several operations may share a script.
  return [...new Map(gaps.map((each) => [each.missing, each])).values()];
}

function testsPoint({ tests }: WorkflowCard, { exists, isPackage }: Place): Point {
  const lost = isPackage ? [] : tests.filter((path) => !exists(path));
  return point(
    'tests',
    'Tests that run it concurrently and assert the invariant',
    [
      ...tests.filter((path) => !lost.includes(path)),
      ...(isPackage ? ["they stand in Holdfast's repository; the package does not carry them"] : []),
    ],
    [
      ...gap(
        tests.length === 0,
        'none is named',
        'Name in `tests` where concurrent clients assert the invariant.',
      ),
      ...lost.map((path) => ({
        missing: `there is no ${path}`,
        remedy: 'Write it, or correct the path: it is looked for from the folder with package.json.',
      })),
    ],
  );
}

function metricsPoint({ metrics = [] }: WorkflowCard, operations: readonly Operation[]): Point {
  // The toolkit tells of scripts, functions and transactions; a plain command passes it by.
  const told = operations.filter(({ card }) => card.script !== undefined || card.mechanism === 'watch');
  const untold = operations.filter((each) => !told.includes(each));
  const names = told.map(({ name, card }) => card.script?.spec.name ?? name);
  return point(
    'metrics',
    'Metrics of result, latency, retries, timeouts and errors',
    [
      ...(told.length > 0
        ? [`redis.atomic.operation.* and redis.atomic.result.count for ${[...new Set(names)].join(', ')}`]
        : []),
      ...(told.some(({ card }) => card.script !== undefined)
        ? ['redis.atomic.script.* for its scripts']
        : []),
      ...metrics,
    ],
    gap(
      untold.length > 0 && metrics.length === 0,
      `nothing tells of ${untold.map(({ name }) => name).join(', ')}`,
      'Count results, latency, retries and errors, and name the metrics in `metrics`.',
    ),
  );
}

function rolloutPoint({ rollout = '' }: WorkflowCard, operations: readonly Operation[]): Point {
  const scripted = operations.filter(({ card }) => card.script !== undefined);
  const functions = scripted.some(({ mechanism }) => mechanism === 'function');
  const later = [
    ...new Set(
      scripted.flatMap(({ card }) =>
        (card.script?.spec.version ?? 1) > 1 ? [card.script?.fullName ?? ''] : [],
      ),
    ),
  ];
  const ways = [
    ...(scripted.length > 0 && !functions
      ? [
          'out: nothing to load; each application sends its scripts by digest, and whole where a server lacks them',
          'back: start the application before; its scripts have digests of their own and run beside the new ones',
        ]
      : []),
    ...(functions
      ? [
          'out: holdfast functions plan, apply, verify; versions stand side by side under versioned names',
          'back: holdfast functions rollback LIBRARY --to VERSION',
        ]
      : []),
    ...(scripted.length === 0 ? ['out and back: with the application, there is nothing on the server'] : []),
  ];
  return point(
    'rollout',
    'Rollout and rollback',
    [...ways, ...(rollout === '' ? [] : [rollout])],
    gap(
      rollout === '' && later.length > 0,
      `${later.join(', ')}: not the first version, and nothing says whether both read the same data`,
      'Say in `rollout` how the versions live beside each other, and what a way back needs.',
    ),
  );
}
