// `npm run bench -- embedded`: commands per second in process, on the compiled dist/, beside an update of a bare
// Map over the same keys in the same run.
import type { Database } from '../src/index.ts';
import type { Options } from './main.ts';
import { median, progress, type Report, short, spread } from './report.ts';

const KEYS = 10_000;
/** Calls between two looks at the clock. */
const CHUNK = 10_000;

/** One figure: runs `count` operations. */
interface Case {
  readonly name: string;
  run(count: number): void;
}

interface Target {
  readonly figure: string;
  readonly measured: number;
  readonly limit: number;
  readonly atLeast: boolean;
}

export async function benchEmbedded({ repeats = 7, seconds = 0.3 }: Options): Promise<Report> {
  const built: string = '../dist/src/index.js';
  const { open } = (await import(built)) as typeof import('../src/index.ts');
  const db = await open();
  const cases = casesOf(db);
  const perSecond = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  for (const each of cases) measure(each, seconds);
  for (let i = 0; i < repeats; i++) {
    for (const each of cases) perSecond.get(each.name)?.push(measure(each, seconds));
    progress(`embedded ${i + 1}/${repeats}`);
  }
  db.close();
  return report(cases, perSecond, repeats, seconds);
}

function casesOf(db: Database): Case[] {
  const keys = Array.from({ length: KEYS }, (_, i) => `counter:${String(i).padStart(6, '0')}`);
  const texts = keys.map((key) => key.replace('counter', 'text'));
  const map = new Map<string, number>();
  let at = 0;
  const step = (): number => (at = at + 1 === KEYS ? 0 : at + 1);
  const buy = (tx: Database): void => {
    tx.set(texts[at], 'xxx');
    tx.incr(keys[at]);
    tx.get(texts[at]);
  };
  return [
    {
      name: 'bare Map update',
      run: (count) => {
        for (let i = 0; i < count; i++) {
          const key = keys[step()];
          map.set(key, (map.get(key) ?? 0) + 1);
        }
      },
    },
    {
      name: 'incr',
      run: (count) => {
        for (let i = 0; i < count; i++) db.incr(keys[step()]);
      },
    },
    {
      name: 'set',
      run: (count) => {
        for (let i = 0; i < count; i++) db.set(texts[step()], 'xxx');
      },
    },
    {
      name: 'get',
      run: (count) => {
        for (let i = 0; i < count; i++) db.get(texts[step()]);
      },
    },
    {
      name: 'transaction of set, incr, get',
      run: (count) => {
        for (let i = 0; i < count; i++) {
          step();
          db.transaction(buy);
        }
      },
    },
  ];
}

function measure({ run }: Case, seconds: number): number {
  const began = performance.now();
  const until = began + seconds * 1000;
  let done = 0;
  let now = began;
  while (now < until) {
    run(CHUNK);
    done += CHUNK;
    now = performance.now();
  }
  return done / ((now - began) / 1000);
}

function report(
  cases: readonly Case[],
  perSecond: ReadonlyMap<string, readonly number[]>,
  repeats: number,
  seconds: number,
): Report {
  const of = (name: string): readonly number[] => perSecond.get(name) as readonly number[];
  const bare = of('bare Map update');
  const timesMap = (name: string): number[] => of(name).map((speed, i) => bare[i] / speed);
  const targets: Target[] = [
    { figure: 'incr per second', measured: median(of('incr')), limit: 3e6, atLeast: true },
    { figure: 'bare Map update / incr', measured: median(timesMap('incr')), limit: 8, atLeast: false },
    {
      figure: 'transactions per second',
      measured: median(of('transaction of set, incr, get')),
      limit: 500e3,
      atLeast: true,
    },
  ];
  const number = (value: number): string => (value < 1000 ? value.toFixed(1) : short(value));
  const meets = ({ measured, limit, atLeast }: Target): boolean =>
    atLeast ? measured >= limit : measured <= limit;
  return {
    bench: 'embedded',
    tables: [
      {
        title: 'In process, per second',
        columns: ['operation', 'per second', 'ns each', 'times slower than Map'],
        rows: cases.map(({ name }) => [
          name,
          spread(of(name), short),
          (1e9 / median(of(name))).toFixed(0),
          spread(timesMap(name), (value) => value.toFixed(1)),
        ]),
      },
      {
        title: 'Targets',
        columns: ['figure', 'measured', 'target', ''],
        rows: targets.map((target) => [
          target.figure,
          number(target.measured),
          `${target.atLeast ? '>=' : '<='} ${number(target.limit)}`,
          meets(target) ? 'ok' : 'short',
        ]),
      },
    ],
    notes: [
      `${KEYS} keys in turn, ${repeats} measurements of ${seconds} s each, taken alternately: median (min..max).`,
    ],
    data: { perSecond: Object.fromEntries(perSecond), targets },
  };
}
