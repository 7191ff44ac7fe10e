// The tracker of conflicts: rates, what is hot, what it advises, and that it stays small and forgets.
import { describe, expect, it } from 'vitest';
import { ContentionTracker, FINE, TOO_MANY } from './contention.ts';

/** A tracker of so many transactions, of which so many met one conflict. */
function tracked(transactions: number, conflicting: number, key = 'k'): ContentionTracker {
  const tracker = new ContentionTracker();
  for (let i = 0; i < transactions; i++) {
    const conflicts = i < conflicting ? 1 : 0;
    tracker.record('buy', [key], { attempts: 1 + conflicts, conflicts: conflicts });
  }
  return tracker;
}

describe('ContentionTracker', () => {
  it('counts attempts and conflicts of all and of each key, hottest first', () => {
    const tracker = new ContentionTracker();
    tracker.record('buy', ['a', 'b'], { attempts: 3, conflicts: 2 });
    tracker.record('buy', ['b'], { attempts: 5, conflicts: 4 });
    tracker.record('buy', ['c'], { attempts: 1, conflicts: 0 });
    const report = tracker.report();
    expect(report).toMatchObject({ attempts: 9, conflicts: 6 });
    expect(report.hottest).toMatchObject([
      { attempts: 8, conflicts: 6, mostAttempts: 5, rate: 0.75 },
      { attempts: 3, conflicts: 2, mostAttempts: 3 },
    ]);
    expect(tracker.report(1).hottest).toHaveLength(1);
    expect(report.hottest[0].key).toMatch(/^[0-9a-f]{12}$/);
  });

  it('counts transactions, rejects and the time spent waiting', () => {
    const tracker = new ContentionTracker();
    tracker.record('buy', ['a'], { attempts: 3, conflicts: 2, backoffMs: 7 });
    tracker.record('buy', ['a'], { attempts: 1, conflicts: 0, rejected: true, backoffMs: 0 });
    expect(tracker.report()).toMatchObject({ transactions: 2, rejects: 1, backoffMs: 7 });
  });

  it('says nothing of too few attempts, nothing below a tenth, and names the remedy above a quarter', () => {
    expect(tracked(9, 9).report().advice).toBe('');
    expect(tracked(100, 5).report().advice).toBe('');
    expect(5 / 105).toBeLessThan(FINE);
    expect(tracked(100, 20).report().advice).toContain('still works');
    const hot = tracked(60, 40);
    expect(hot.report().rate).toBeGreaterThan(TOO_MANY);
    expect(hot.report().advice).toContain('use a script');
    expect([hot.isHot(['k']), hot.isHot(['other', 'k']), hot.isHot(['other'])]).toEqual([true, true, false]);
    expect(tracked(100, 20).isHot(['k'])).toBe(false);
  });

  it('forgets by halves: what was hot cools down', () => {
    const tracker = tracked(1000, 900);
    expect(tracker.isHot(['k'])).toBe(true);
    for (let i = 0; i < 6000; i++) tracker.record('buy', ['k'], { attempts: 1, conflicts: 0 });
    expect(tracker.isHot(['k'])).toBe(false);
  });

  it('keeps so many keys and forgets the ones used longest ago', () => {
    const tracker = new ContentionTracker(3);
    for (const key of ['a', 'b', 'c', 'a', 'd'])
      tracker.record('buy', [key], { attempts: 40, conflicts: 30 });
    expect(['a', 'b', 'c', 'd'].map((key) => tracker.isHot([key]))).toEqual([true, false, true, true]);
    expect(tracker.report().hottest).toHaveLength(3);
  });
});
