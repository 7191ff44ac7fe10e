// The cards of the workflows against what they tell of: their pages, their tests, their scripts, their contracts.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scriptTexts } from '../../scripts/lua.ts';
import type { WorkflowCard } from '../../src/workflows/index.ts';
import * as toolkit from '../../src/workflows/index.ts';
import { CONTRACTS, STRESS } from './contracts/index.ts';

const cards = Object.values(toolkit).filter(toolkit.isWorkflowCard);
/** Contracts of the kit itself, which is no workflow. */
const KIT = ['script', 'transaction', 'functionLibrary'];

/** `rateLimit.tokenBucket` stands in rate-limit.md. */
function pageOf({ name }: WorkflowCard): string {
  const kebab = name.split('.')[0].replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  return `docs/workflows/${kebab}.md`;
}

function scriptsOf(card: WorkflowCard): toolkit.AnyScript[] {
  return Object.values(card.operations).flatMap(({ script }) => (script === undefined ? [] : [script]));
}

it('every workflow that is promised is there', () => {
  expect(cards.map(({ name }) => name).sort()).toEqual([
    'auditTrail',
    'booking',
    'boundedCounter',
    'dedup',
    'idempotency',
    'inventory',
    'leaderboard',
    'lock',
    'payment',
    'placement',
    'popLowest',
    'queue',
    'quota',
    'rateLimit.fixedWindow',
    'rateLimit.slidingCounter',
    'rateLimit.slidingLog',
    'rateLimit.tokenBucket',
    'reservation',
    'semaphore',
    'session',
    'sweep',
    'transfer',
    'uniqueEvent',
    'versioned',
  ]);
});

describe.each(cards)('$name', (card) => {
  it('has a page that tells its invariant and every outcome', () => {
    const page = pageOf(card);
    expect(existsSync(page), page).toBe(true);
    const text = readFileSync(page, 'utf8');
    for (const script of scriptsOf(card)) {
      for (const status of Object.keys(script.spec.reply)) expect(text, status).toContain(status);
    }
    expect(text).toContain('```ts');
  });

  it('has a contract and a stress load', () => {
    expect(CONTRACTS.map(({ workflow }) => workflow)).toContain(card.name);
    expect(STRESS.map(({ workflow }) => workflow)).toContain(card.name);
  });

  it('names tests that exist', () => {
    expect(card.tests.length).toBeGreaterThan(0);
    for (const path of card.tests) expect(existsSync(path), path).toBe(true);
  });

  it('has its keys in one slot, in each of its layouts', () => {
    const keys = Object.values(card.keys);
    for (const layout of new Set(keys.map((key) => key.layout))) {
      const tags = keys.filter((key) => key.layout === layout).map(({ pattern }) => toolkit.hashTag(pattern));
      expect(new Set(tags).size, `${layout ?? 'all'}: ${tags.join(', ')}`).toBe(1);
    }
  });
});

it('every script belongs to a workflow, and is the text of its file', () => {
  const used = new Map(cards.flatMap(scriptsOf).map(({ fullName, spec }) => [fullName, spec.lua]));
  const texts = scriptTexts();
  const told = new Set([...used.values()]);
  expect([...texts].filter(([, text]) => !told.has(text)).map(([name]) => name)).toEqual([
    // What onceScript puts around a user's script.
    'once_v1',
  ]);
  for (const [name, text] of used) expect([...texts.values()], name).toContain(text);
});

it('no contract is of something that is not there', () => {
  const names = [...cards.map(({ name }) => name), ...KIT];
  for (const { workflow } of [...CONTRACTS, ...STRESS]) expect(names).toContain(workflow);
});
