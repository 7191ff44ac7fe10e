// The three mechanisms of popLowest agree on any history, and differ in what a lost reply costs.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { type Driver, embedded, Lost, popLowest } from '../../src/workflows/index.ts';

const MECHANISMS = ['script', 'command', 'watch'] as const;

it('the three mechanisms agree', async () => {
  const step = fc.oneof(
    fc.record({ member: fc.constantFrom('a', 'b', 'c', 'd', 'é'), score: fc.integer({ min: -2, max: 2 }) }),
    fc.constant('pop' as const),
  );
  const run = async (steps: readonly ('pop' | { member: string; score: number })[]) => {
    const db = await open();
    const driver = embedded(db);
    const forms = MECHANISMS.map((mechanism) => popLowest(driver, { prefix: mechanism, mechanism }));
    for (const each of steps) {
      const answers = [];
      for (const form of forms) {
        const { meta, ...outcome } =
          each === 'pop' ? await form.pop('s') : await form.add('s', each.member, each.score);
        expect(meta.replayed).toBe(false);
        answers.push(outcome);
      }
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
    }
    db.close();
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), run), { numRuns: 100 });
});

/** The server does what it is told, and the first reply to each kind of pop never comes. */
function deaf(driver: Driver): Driver {
  let lost = false;
  return {
    ...driver,
    send(request) {
      const answer = driver.send(request);
      if (lost || !/^(?:ZPOPMIN|EVAL)$/.test(String(request.words[0]))) return answer;
      lost = true;
      return Promise.reject(new Lost('no reply'));
    },
  };
}

it('the script loses no element with a lost reply, and needs no request id for that', async () => {
  const driver = embedded(await open());
  const jobs = popLowest(driver, {});
  await jobs.add('s', 'a', 1);
  await jobs.add('s', 'b', 2);
  const result = await popLowest(deaf(driver), {}).pop('s');
  expect(result).toMatchObject({ status: 'popped', member: 'a', meta: { attempts: 2, replayed: true } });
  expect(await jobs.pop('s')).toMatchObject({ member: 'b' });
});

it('ZPOPMIN loses it, and says that nobody knows', async () => {
  const driver = embedded(await open());
  const jobs = popLowest(driver, { mechanism: 'command' });
  await jobs.add('s', 'a', 1);
  const result = await popLowest(deaf(driver), { mechanism: 'command' }).pop('s');
  expect(result).toMatchObject({ ok: false, status: 'unknown', meta: { attempts: 1 } });
  expect(await jobs.pop('s')).toMatchObject({ status: 'empty' });
});
