// Compares the whole dataset of two servers: every database, key, type, encoding, TTL and value.
// Called by execute.ts at every walk step, so that damage no reply has shown yet is found early.

import { escapeBytes, parseReply, type Value, type Wire } from '../support/wire.ts';
import { canonDouble, judgeEncodings, orderMayDiffer, TTL_TOLERANCE_MS } from './normalise.ts';
import { canon, pairs, sameList, sameMultiset } from './values.ts';

export interface DatasetDifference {
  what: string;
  question: string[];
  left: string;
  right: string;
}

const READ: Record<string, (key: string) => string[]> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
};
const DATABASES = 16;

async function pipeline(wire: Wire, questions: string[][]): Promise<Value[]> {
  for (const question of questions) wire.send(...question);
  return (await wire.replies(questions.length, 30_000)).map((raw) => parseReply(raw));
}

/** Null when equal. Both control connections are left in database 0. */
export async function walk(left: Wire, right: Wire, dialect: boolean): Promise<DatasetDifference | null> {
  const ask = (questions: string[][]): Promise<[Value[], Value[]]> =>
    Promise.all([pipeline(left, questions), pipeline(right, questions)]);
  const sizes = Array.from({ length: DATABASES }, (_, db) => [['SELECT', String(db)], ['DBSIZE']]).flat();
  const [sizeLeft, sizeRight] = await ask(sizes);
  let found: DatasetDifference | null = null;
  for (let db = 0; db < DATABASES && found === null; db++) {
    const l = canon(sizeLeft[db * 2 + 1]!);
    const r = canon(sizeRight[db * 2 + 1]!);
    if (l === 'int:1:0' && l === r) continue;
    found = await walkDatabase(db, ask, dialect);
    if (found === null && l !== r)
      found = { what: 'DBSIZE', question: ['DBSIZE', `db${db}`], left: l, right: r };
  }
  await ask([['SELECT', '0']]);
  return found;
}

async function walkDatabase(
  db: number,
  ask: (questions: string[][]) => Promise<[Value[], Value[]]>,
  dialect: boolean,
): Promise<DatasetDifference | null> {
  const [l, r] = await ask([
    ['SELECT', String(db)],
    ['KEYS', '*'],
  ]);
  const names = (v: Value): string[] => v.items.map((x) => x.text).sort();
  const keys = names(l[1]!);
  const keysRight = names(r[1]!);
  const differs = (what: string, question: string[], a: string, b: string): DatasetDifference => ({
    what,
    question: [`db${db}`, ...question],
    left: escapeBytes(a, 1e5),
    right: escapeBytes(b, 1e5),
  });
  if (!sameList(keys, keysRight)) {
    const only = (x: string[], y: string[]): string => x.filter((k) => !y.includes(k)).join(' ');
    return differs('keys', ['KEYS', '*'], `only: ${only(keys, keysRight)}`, `only: ${only(keysRight, keys)}`);
  }
  const facts = keys.flatMap((key) => [
    ['TYPE', key],
    ['OBJECT', 'ENCODING', key],
    ['PTTL', key],
  ]);
  const [factsLeft, factsRight] = await ask(facts);
  for (let i = 0; i < facts.length; i++) {
    const a = factsLeft[i]!;
    const b = factsRight[i]!;
    if (canon(a) === canon(b)) continue;
    const what = ['TYPE', 'ENCODING', 'PTTL'][i % 3]!;
    const close = Math.abs(Number(a.text) - Number(b.text)) <= TTL_TOLERANCE_MS;
    const fine =
      what === 'PTTL'
        ? Number(a.text) > 0 && Number(b.text) > 0 && close
        : what === 'ENCODING' && judgeEncodings(a.text, b.text, dialect, factsLeft[i - 1]!.text).ok === true;
    if (fine) continue;
    return differs(what === 'ENCODING' ? `ENCODING ${a.text} vs ${b.text}` : what, facts[i]!, a.text, b.text);
  }
  const reads = keys.map((key, i) => (READ[factsLeft[i * 3]!.text] ?? (() => ['EXISTS', key]))(key));
  const [valuesLeft, valuesRight] = await ask(reads);
  for (let i = 0; i < keys.length; i++) {
    const a = valuesLeft[i]!;
    const b = valuesRight[i]!;
    if (canon(a) === canon(b)) continue;
    const question = reads[i]!;
    const mayDiffer = orderMayDiffer(factsLeft[i * 3 + 1]!.text, factsRight[i * 3 + 1]!.text, dialect);
    if (question[0] === 'SMEMBERS' && mayDiffer && sameMultiset(a.items.map(canon), b.items.map(canon)))
      continue;
    if (question[0] === 'HGETALL' && mayDiffer && sameMultiset(pairs(a.items), pairs(b.items))) continue;
    if (question[0] === 'ZRANGE' && dialect && sameList(scored(a), scored(b))) continue;
    return differs('value', question, canon(a), canon(b));
  }
  return null;
}

const scored = (v: Value): string[] => v.items.map((x, i) => (i % 2 === 1 ? canonDouble(x.text) : x.text));
