import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyHash } from '../data/table.ts';
import { Random } from '../engine/ports.ts';
import type { Db } from './db.ts';
import { Event } from './events.ts';
import { HashValue } from './hash-value.ts';
import { SEGMENT_LIMIT, type Segment } from './segment.ts';
import { SetValue } from './set-value.ts';
import { Space } from './space.ts';
import { type RawString, type Value, WRONGTYPE } from './values.ts';

/** A keyspace whose clock is moved by hand; each move ends the unit. */
function world(databases = 2) {
  let time = 1000;
  const random = new Random(7);
  const ports = { now: () => time, micros: () => time * 1000, random: () => random.next() };
  const space = new Space(ports, databases);
  const events: string[] = [];
  space.onEvent = (db, event, key) => events.push(`${db} ${event} ${key}`);
  const advance = (ms: number): void => {
    time += ms;
    space.endUnit();
  };
  return { space, db: space.dbs[0], events, advance, random };
}

function segmentsOf(db: Db): Set<Segment> {
  return new Set(db.freezeInPlace().directory);
}

/** Checks what extendible hashing promises of the directory. */
function checkDirectory(db: Db): void {
  const { directory, depth } = db.freezeInPlace();
  expect(directory).toHaveLength(1 << depth);
  let size = 0;
  let place = 0;
  while (place < directory.length) {
    const seg = directory[place];
    const places = 1 << (depth - seg.depth);
    if (place % places !== 0) throw new Error(`a segment of depth ${seg.depth} begins at ${place}`);
    for (let i = 0; i < places; i++)
      if (directory[place + i] !== seg) throw new Error(`hole at ${place + i}`);
    for (let i = 0; i < seg.size; i++) {
      const prefix = (keyHash(seg.keys[i]) >>> 1) >>> (31 - depth);
      if (prefix - (prefix % places) !== place) throw new Error(`${seg.keys[i]} lies at ${place}`);
    }
    size += seg.size;
    place += places;
  }
  expect(db.size).toBe(size);
}

function scanAll(db: Db, count: number, between: () => void = () => {}): Map<string, number> {
  const met = new Map<string, number>();
  let cursor = 0;
  do {
    cursor = db.scan(cursor, count, (key) => met.set(key, (met.get(key) ?? 0) + 1));
    between();
  } while (cursor !== 0);
  return met;
}

describe('extendible hashing', () => {
  test('100,000 keys: all are found, segments stay bounded, growth and removal keep the directory sound', () => {
    const { db } = world();
    const n = 100_000;
    for (let i = 0; i < n; i++) db.put(`key:${i}`, i);
    checkDirectory(db);
    expect(db.size).toBe(n);
    const sizes = [...segmentsOf(db)].map((seg) => seg.size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(SEGMENT_LIMIT);
    expect(sizes.length).toBeLessThan((4 * n) / SEGMENT_LIMIT);
    for (let i = 0; i < n; i++) if (db.peek(`key:${i}`) !== i) throw new Error(`key:${i}`);
    expect(db.peek('key:100000')).toBe(undefined);

    for (let i = 0; i < n; i += 2) if (!db.remove(`key:${i}`)) throw new Error(`key:${i}`);
    expect(db.remove('key:0')).toBe(false);
    checkDirectory(db);
    expect(db.size).toBe(n / 2);
    for (let i = 0; i < n; i++) if (db.exists(`key:${i}`) !== (i % 2 === 1)) throw new Error(`key:${i}`);
    const met = scanAll(db, 100);
    expect(met.size).toBe(n / 2);
    expect([...met.values()].every((times) => times === 1)).toBe(true);
    db.clear();
    expect([db.size, db.exists('key:1'), scanAll(db, 10).size]).toEqual([0, false, 0]);
    checkDirectory(db);
  });

  test('keys with deadlines keep them when their segment splits', () => {
    const { db, advance, space } = world();
    for (let i = 0; i < 10_000; i++) {
      db.put(`k${i}`, i);
      if (i % 4 === 0) db.setDeadline(`k${i}`, 5000 + i);
    }
    expect(db.expires).toBe(2500);
    for (let i = 0; i < 10_000; i++) {
      if (db.deadline(`k${i}`) !== (i % 4 === 0 ? 5000 + i : 0)) throw new Error(`k${i}`);
    }
    expect(db.soonestDeadline()).toBe(5000);
    advance(100_000);
    expect(db.purgeExpired()).toBe(2500);
    expect([db.size, db.expires, space.stats.expired]).toEqual([7500, 0, 2500]);
    expect(db.soonestDeadline()).toBe(Number.POSITIVE_INFINITY);
    checkDirectory(db);
  });
});

describe('SCAN', () => {
  test('meets each key that stays, through inserts, removals, splits and purges', () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 700 }),
      insert: fc.constantFrom(0, 1, 50, 1500),
      remove: fc.constantFrom(0, 1, 50, 400),
      volatile: fc.boolean(),
      rollback: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.nat(3000), fc.array(step, { minLength: 1, maxLength: 12 }), (passing, steps) => {
        const { db, space, advance, random } = world();
        for (let i = 0; i < 1200; i++) db.put(`stay${i}`, i);
        const gone: string[] = [];
        for (let i = 0; i < passing; i++) {
          db.put(`go${i}`, i);
          gone.push(`go${i}`);
        }
        let fresh = 0;
        let turn = 0;
        const met = new Set<string>();
        let cursor = 0;
        do {
          const { count, insert, remove, volatile, rollback } = steps[turn++ % steps.length];
          cursor = db.scan(cursor, count, (key) => met.add(key));
          // Past the first steps the keyspace stands still, so that the scan ends.
          if (turn > 40) continue;
          if (rollback) {
            // Nothing of this has happened: what was removed is back, where it was.
            space.openJournal();
            for (let i = 0; i < 40; i++) db.remove(`stay${space.randomInt(1200)}`);
            for (let i = 0; i < 5; i++) db.put(`undone${i}`, 1);
            space.rollback();
          }
          for (let i = 0; i < insert; i++) {
            db.put(`new${fresh}`, 1);
            if (volatile) db.setDeadline(`new${fresh}`, space.now() + 1);
            gone.push(`new${fresh++}`);
          }
          for (let i = 0; i < remove && gone.length > 0; i++) {
            const at = Math.floor(random.next() * gone.length);
            db.remove(gone[at]);
            gone[at] = gone[gone.length - 1];
            gone.pop();
          }
          advance(1);
        } while (cursor !== 0);
        for (let i = 0; i < 1200; i++) if (!met.has(`stay${i}`)) throw new Error(`stay${i} was missed`);
        for (let i = 0; i < 1200; i++) if (db.peek(`stay${i}`) !== i) throw new Error(`stay${i} is lost`);
        checkDirectory(db);
      }),
      { numRuns: 40 },
    );
  });

  test('any cursor is safe, whoever made it up', () => {
    const { db } = world();
    for (let i = 0; i < 5000; i++) db.put(`k${i}`, i);
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 20_000 }), (cursor, count) => {
        let met = 0;
        const next = db.scan(cursor, count, () => met++);
        expect(Number.isSafeInteger(next) && next >= 0).toBe(true);
        expect(met).toBeLessThanOrEqual(count);
      }),
    );
  });

  test('visits about as many as asked, and changes nothing: what is over is the caller to judge', () => {
    const { db, advance } = world();
    for (let i = 0; i < 30; i++) db.put(`k${i}`, i);
    for (let i = 0; i < 10; i++) db.setDeadline(`k${i}`, 1001);
    advance(2);
    let met = 0;
    const next = db.scan(0, 15, () => met++);
    expect([next !== 0, met]).toEqual([true, 15]);
    expect(db.scan(next, 100, () => met++)).toBe(0);
    expect([met, db.size]).toEqual([30, 30]);
  });

  test('an empty database is done at once', () => {
    expect(world().db.scan(0, 10, () => expect.unreachable())).toBe(0);
  });
});

// What a database does, as a Map does it. Deadlines are in the model as they are in Redis: over when now > when.
describe('a database behaves as its model', () => {
  const key = fc.integer({ min: 0, max: 30 }).map((n) => `k${n}`);
  const step = fc.oneof(
    fc.record({ op: fc.constantFrom('put', 'set'), key, value: fc.nat(99) }),
    fc.record({ op: fc.constantFrom('remove', 'peek', 'touch'), key, value: fc.constant(0) }),
    fc.record({ op: fc.constant('deadline'), key, value: fc.integer({ min: -2, max: 9 }) }),
    fc.record({
      op: fc.constantFrom('advance', 'freeze', 'cycle', 'clear'),
      key,
      value: fc.integer({ min: 0, max: 3 }),
    }),
  );

  test('put, set, remove, deadlines and time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const { db, space, advance } = world();
        const model = new Map<string, { value: number; when: number }>();
        const live = (name: string) => {
          const entry = model.get(name);
          if (entry !== undefined && entry.when !== 0 && space.now() > entry.when) {
            model.delete(name);
            return undefined;
          }
          return entry;
        };
        for (const { op, key: name, value } of steps) {
          if (op === 'put' || op === 'set') {
            const when = op === 'put' ? (live(name)?.when ?? 0) : 0;
            if (op === 'put') db.put(name, value);
            else db.set(name, value);
            model.set(name, { value, when });
          } else if (op === 'remove') {
            expect(db.remove(name)).toBe(live(name) !== undefined);
            model.delete(name);
          } else if (op === 'deadline') {
            const when = value === 0 ? 0 : space.now() + value;
            db.setDeadline(name, when);
            const entry = live(name);
            if (entry !== undefined) entry.when = when;
          } else if (op === 'advance') advance(value);
          else if (op === 'freeze') space.freeze();
          else if (op === 'cycle') db.expireCycle(0, 8);
          else if (op === 'clear' && value === 3) {
            db.clear();
            model.clear();
          }
          const entry = live(name);
          expect(db.peek(name)).toBe(entry?.value);
          expect(db.deadline(name)).toBe(entry?.when ?? -1);
        }
        for (const name of [...model.keys()]) live(name);
        const found = new Map<string, { value: Value; when: number }>();
        db.forEach((name, value, when) => {
          found.set(name, { value, when });
        });
        expect(found).toEqual(model);
        db.purgeExpired();
        expect(db.size).toBe(model.size);
        expect(db.expires).toBe([...model.values()].filter(({ when }) => when !== 0).length);
      }),
    );
  });
});

describe('expiry', () => {
  test('a key is over when the time is past its deadline, not at it', () => {
    const { db, advance } = world();
    db.put('k', 'v');
    db.setDeadline('k', 1010);
    advance(10);
    expect(db.peek('k')).toBe('v');
    advance(1);
    expect(db.size).toBe(1);
    expect(db.peek('k')).toBe(undefined);
    expect([db.size, db.expires]).toEqual([0, 0]);
  });

  test('within a unit the clock stands still', () => {
    let time = 1000;
    const space = new Space({ now: () => time, micros: () => time * 1000, random: () => 0 }, 1);
    const [db] = space.dbs;
    db.put('k', 'v');
    db.setDeadline('k', 1001);
    expect(db.exists('k')).toBe(true);
    time = 2000;
    expect(db.exists('k')).toBe(true);
    space.endUnit();
    expect(db.exists('k')).toBe(false);
  });

  test('a purge is told once: counter, log, event, change', () => {
    const { db, space, events, advance } = world();
    const logged: string[] = [];
    const sunk: string[] = [];
    space.eventFlags = Event.keyevent | Event.expired | Event.generic | Event.keymiss;
    space.onExpire = (index, key) => logged.push(`${index} ${key}`);
    space.sink = (index, key, event) => sunk.push(`${index} ${event} ${key}`);
    db.put('k', 'v');
    db.setDeadline('k', 1001);
    const before = space.dirty;
    advance(5);
    expect(db.lookup('k')).toBe(undefined);
    expect(db.lookup('k')).toBe(undefined);
    expect(events).toEqual(['0 expired k', '0 keymiss k', '0 keymiss k']);
    expect([logged, sunk]).toEqual([['0 k'], ['0 expired k']]);
    expect([space.stats.expired, space.stats.misses, space.dirty - before]).toEqual([1, 2, 1]);
  });

  test('while a log is loaded nothing expires', () => {
    const { db, space, advance } = world();
    db.put('k', 'v');
    db.setDeadline('k', 1001);
    advance(5);
    space.mayExpire = false;
    expect(db.peek('k')).toBe('v');
    space.mayExpire = true;
    expect(db.peek('k')).toBe(undefined);
  });

  test('the active cycle goes round in bounded steps and leaves what is not over', () => {
    const { db, advance, space } = world();
    for (let i = 0; i < 20_000; i++) {
      db.put(`k${i}`, i);
      db.setDeadline(`k${i}`, i % 2 === 0 ? 1001 : 9999);
    }
    expect(db.expireCycle(0, 1000).purged).toBe(0);
    advance(5);
    const first = db.expireCycle(0, 2);
    expect(first.next).toBe(2);
    expect(first.purged).toBeGreaterThan(0);
    expect(first.purged).toBeLessThan(2 * SEGMENT_LIMIT);
    let { next, purged } = first;
    for (let looked = 2; looked < db.freezeInPlace().directory.length; looked += 2) {
      const step = db.expireCycle(next, 2);
      next = step.next;
      purged += step.purged;
    }
    expect(next).toBe(0);
    expect([purged, db.size, space.stats.expired]).toEqual([10_000, 10_000, 10_000]);
    expect(db.soonestDeadline()).toBeLessThanOrEqual(9999);
  });

  test('an overwrite by SET takes the deadline off, one by INCR keeps it', () => {
    const { db } = world();
    db.put('k', 1);
    db.setDeadline('k', 2000);
    db.put('k', 2);
    expect([db.deadline('k'), db.expires]).toEqual([2000, 1]);
    db.set('k', 3);
    expect([db.deadline('k'), db.expires]).toEqual([0, 0]);
  });
});

describe('lookups', () => {
  test('reads count hits and misses and tell a miss; writes and probes do what is theirs', () => {
    const { db, space, events } = world();
    space.eventFlags = Event.keyevent | Event.keymiss;
    db.put('k', 'v');
    db.lookup('k');
    db.lookup('missing');
    expect([space.stats.hits, space.stats.misses, events]).toEqual([1, 1, ['0 keymiss missing']]);
    db.probe('k');
    db.probe('missing');
    expect([space.stats.hits, space.stats.misses, events.length]).toEqual([2, 2, 2]);
    db.probe('missing', false);
    expect([space.stats.misses, events.length]).toEqual([3, 2]);
    db.lookupWrite('k');
    db.lookupWrite('missing');
    db.peek('missing');
    db.exists('missing');
    expect([space.stats.hits, space.stats.misses, events.length]).toEqual([2, 3, 2]);
  });

  test('lookups mark the access, probes do not, and none does for a client with NO-TOUCH', () => {
    const { db, space, advance } = world();
    db.put('k', 'v');
    const idle = (): number => space.idleSeconds(db.accessWord('k') as number);
    advance(5000);
    space.tick();
    db.probe('k');
    db.peek('k');
    expect(idle()).toBe(5);
    space.touching = false;
    db.lookup('k');
    db.lookupWrite('k');
    expect(idle()).toBe(5);
    space.touching = true;
    db.lookup('k');
    expect(idle()).toBe(0);
    advance(3000);
    space.tick();
    db.lookupWrite('k');
    expect(idle()).toBe(0);
  });

  test('another type is WRONGTYPE at every typed door', () => {
    const { db } = world();
    db.put('s', 'text');
    db.editOrCreate('h', HashValue).set('f', 'v', db.space.limits);
    const wrong = [
      () => db.read('s', HashValue),
      () => db.read('h', SetValue),
      () => db.edit('h', SetValue),
      () => db.editOrCreate('s', HashValue),
      () => db.readString('h'),
      () => db.readStringForWrite('h'),
      () => db.editRaw('h'),
    ];
    for (const door of wrong) expect(door).toThrow(WRONGTYPE as unknown as Error);
    expect(db.peek('s')).toBe('text');
    expect(db.size).toBe(2);
  });
});

describe('the write door', () => {
  test('a collection that was emptied goes, with its own event before `del`', () => {
    const { db, space, events } = world();
    space.eventFlags = Event.keyevent | Event.set | Event.generic;
    const set = db.editOrCreate('k', SetValue);
    set.add('a', space.limits);
    db.changed('k', set, Event.set, 'sadd');
    set.delete('a');
    db.changed('k', set, Event.set, 'srem');
    expect(events).toEqual(['0 sadd k', '0 srem k', '0 del k']);
    expect(db.size).toBe(0);
  });

  test('only the classes asked for are announced, `new` only for new keys', () => {
    const { db, space, events } = world();
    space.eventFlags = Event.keyevent | Event.new;
    db.put('k', 1);
    db.signal('k', Event.string, 'set');
    db.put('k', 2);
    db.touch('k');
    expect(events).toEqual(['0 new k']);
  });

  test('a string turns raw in place and keeps its deadline', () => {
    const { db } = world();
    expect(db.editRaw('missing')).toBe(undefined);
    db.put('k', 12);
    db.setDeadline('k', 2000);
    const raw = db.editRaw('k') as RawString;
    raw.write('3', 2);
    expect(db.readString('k')).toBe(raw);
    expect([String(raw), db.deadline('k')]).toEqual(['123', 2000]);
    expect(db.editRaw('k')).toBe(raw);
  });

  test('a key given to another name by a snapshot-shared value leaves the snapshot alone', () => {
    const { db, space } = world();
    const set = db.editOrCreate('from', SetValue);
    set.add('a', space.limits);
    space.freeze();
    // As RENAME does: the value itself goes over.
    const value = db.lookupWrite('from') as SetValue;
    db.remove('from');
    db.put('to', value);
    (db.edit('to', SetValue) as SetValue).add('b', space.limits);
    expect(set.members()).toEqual(['a']);
    expect((db.peek('to') as SetValue).members()).toEqual(['a', 'b']);
  });

  test('a collection is cloned once after a snapshot, and not again after a transaction that left it alone', () => {
    const { db, space } = world();
    db.editOrCreate('k', SetValue).add('a', space.limits);
    const first = db.edit('k', SetValue);
    space.freeze();
    const second = db.edit('k', SetValue);
    expect(second).not.toBe(first);
    expect(db.edit('k', SetValue)).toBe(second);
    space.openJournal();
    db.put('other', 1);
    space.commit();
    expect(db.edit('k', SetValue)).toBe(second);
  });
});

describe('randomKey', () => {
  test('reaches each key, also where most segments have become empty', () => {
    const { db } = world();
    for (let i = 0; i < 30_000; i++) db.put(`k${i}`, i);
    for (let i = 0; i < 30_000; i++) if (i % 6000 !== 0) db.remove(`k${i}`);
    const met = new Set<string | undefined>();
    for (let i = 0; i < 400; i++) met.add(db.randomKey());
    expect([...met].sort()).toEqual(['k0', 'k12000', 'k18000', 'k24000', 'k6000']);
  });

  test('never answers a key that is over; none left is undefined', () => {
    const { db, advance } = world();
    for (let i = 0; i < 500; i++) {
      db.put(`k${i}`, i);
      if (i > 0) db.setDeadline(`k${i}`, 1001);
    }
    advance(5);
    for (let i = 0; i < 20; i++) expect(db.randomKey()).toBe('k0');
    db.remove('k0');
    expect(db.randomKey()).toBe(undefined);
    expect(db.size).toBe(0);
  });
});
