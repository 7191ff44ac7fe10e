import { expect, it } from 'vitest';
import { onEveryTarget, type Target } from '../../test/support/targets.ts';
import { VirtualClock } from '../engine/ports.ts';

const NOT_INTEGER = 'ERR value is not an integer or out of range';
const INT64_MAX = '9223372036854775807';
const START = 1_700_000_000_000;

const clock = new VirtualClock(START);

async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { event, key } of changes) events.push(`${event} ${key}`);
  });
  await work();
  stop();
  return events;
}

/** What the log gets of some commands. */
async function loggedOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const logged: string[] = [];
  t.engine.effects.onUnit = (ops) => logged.push(ops.map((op) => op.args.join(' ')).join('; '));
  await work();
  t.engine.effects.onUnit = null;
  return logged;
}

onEveryTarget(
  'expiry',
  (t) => {
    it('the four of EXPIRE set a deadline that the four of TTL tell', async () => {
      const at = (clock.now() + 100_000).toString();
      const seconds = Math.floor((clock.now() + 100_000) / 1000).toString();
      for (const [name, time] of [
        ['EXPIRE', '100'],
        ['PEXPIRE', '100000'],
        ['EXPIREAT', seconds],
        ['PEXPIREAT', at],
      ]) {
        await t.call('SET', 'k', 'v');
        expect(await t.call(name, 'k', time)).toBe(1);
        const deadline = name === 'EXPIREAT' ? Number(seconds) * 1000 : Number(at);
        expect(await t.call('PEXPIRETIME', 'k')).toBe(deadline);
        expect(await t.call('EXPIRETIME', 'k')).toBe(Math.floor((deadline + 500) / 1000));
        expect(await t.call('PTTL', 'k')).toBe(deadline - clock.now());
        expect(await t.call('TTL', 'k')).toBe(100);
      }
    });

    it('a missing key is -2, one without a deadline -1', async () => {
      await t.call('SET', 'k', 'v');
      for (const name of ['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME']) {
        expect(await t.call(name, 'missing')).toBe(-2);
        expect(await t.call(name, 'k')).toBe(-1);
      }
      for (const name of ['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT']) {
        expect(await t.call(name, 'missing', '100')).toBe(0);
      }
      expect(await t.call('EXISTS', 'missing')).toBe(0);
    });

    it('seconds are rounded to the nearest', async () => {
      await t.call('SET', 'k', 'v');
      for (const [ms, seconds] of [
        [1499, 1],
        [1500, 2],
        [2499, 2],
        [400, 0],
        [500, 1],
      ]) {
        await t.call('PEXPIRE', 'k', ms);
        expect([ms, await t.call('TTL', 'k')]).toEqual([ms, seconds]);
      }
    });

    it('a key is over only when its time is past', async () => {
      await t.call('SET', 'k', 'v', 'PX', '10');
      clock.advance(10);
      expect([await t.call('GET', 'k'), await t.call('PTTL', 'k')]).toEqual(['v', 0]);
      clock.advance(1);
      expect([await t.call('GET', 'k'), await t.call('PTTL', 'k')]).toEqual([null, -2]);
    });

    it('a time that is not in the future removes the key at once, with `del`', async () => {
      for (const [name, time] of [
        ['EXPIRE', '0'],
        ['EXPIRE', '-1'],
        ['PEXPIRE', '0'],
        ['EXPIREAT', '1'],
        ['PEXPIREAT', String(clock.now())],
        ['PEXPIREAT', '-9223372036854775808'],
        ['EXPIRE', '-9223372036854775'],
      ]) {
        await t.call('SADD', 'k', 'a');
        const events = await eventsOf(t, async () => {
          expect(await t.call(name, 'k', time)).toBe(1);
        });
        expect([name, time, events]).toEqual([name, time, ['del k']]);
        expect(await t.call('EXISTS', 'k')).toBe(0);
      }
    });

    it('PERSIST takes a deadline off, once', async () => {
      await t.call('SET', 'k', 'v', 'EX', '100');
      const events = await eventsOf(t, async () => {
        expect(await t.call('PERSIST', 'k')).toBe(1);
        expect(await t.call('PERSIST', 'k')).toBe(0);
        expect(await t.call('PERSIST', 'missing')).toBe(0);
      });
      expect(events).toEqual(['persist k']);
      expect(await t.call('TTL', 'k')).toBe(-1);
    });

    // Does EXPIRE key 200 with these conditions apply, by the seconds that the key has left?
    const conditions: [conditions: string[], none: number, shorter: number, equal: number, longer: number][] =
      [
        [['NX'], 1, 0, 0, 0],
        [['XX'], 0, 1, 1, 1],
        [['GT'], 0, 1, 0, 0],
        [['LT'], 1, 0, 0, 1],
        [['XX', 'GT'], 0, 1, 0, 0],
        [['xx', 'lt', 'XX'], 0, 0, 0, 1],
      ];
    for (const [options, none, shorter, equal, longer] of conditions) {
      it(`${options.join(' ')} compares with the deadline that is there`, async () => {
        const results: unknown[] = [];
        for (const left of [-1, 100, 200, 300]) {
          await t.call('SET', 'k', 'v');
          if (left > 0) await t.call('EXPIRE', 'k', left);
          const applied = await t.call('EXPIRE', 'k', '200', ...options);
          expect(await t.call('TTL', 'k')).toBe(applied === 1 ? 200 : left);
          results.push(applied);
        }
        expect(results).toEqual([none, shorter, equal, longer]);
      });
    }

    it('a condition that fails changes nothing and tells nobody', async () => {
      await t.call('SET', 'k', 'v');
      expect(await eventsOf(t, () => t.call('EXPIRE', 'k', '100', 'GT'))).toEqual([]);
      // LT with a time in the past is a removal.
      expect(await eventsOf(t, () => t.call('EXPIRE', 'k', '-1', 'LT'))).toEqual(['del k']);
    });

    it('options are refused first, then the time, then the key is looked at', async () => {
      expect(await t.fails('EXPIRE', 'missing', 'x', 'FOO')).toBe('ERR Unsupported option FOO');
      expect(await t.fails('EXPIRE', 'missing', 'x', 'NX', 'GT')).toBe(
        'ERR NX and XX, GT or LT options at the same time are not compatible',
      );
      expect(await t.fails('EXPIRE', 'missing', 'x', 'GT', 'LT')).toBe(
        'ERR GT and LT options at the same time are not compatible',
      );
      expect(await t.fails('EXPIRE', 'missing', 'x')).toBe(NOT_INTEGER);
      expect(await t.fails('EXPIRE', 'missing', '1.5')).toBe(NOT_INTEGER);
      expect(await t.fails('PEXPIREAT', 'missing', '9223372036854775808')).toBe(NOT_INTEGER);
    });

    it('times that leave 64 bits are refused under the name of the command', async () => {
      const refused = (name: string) => `ERR invalid expire time in '${name}' command`;
      expect(await t.fails('EXPIRE', 'missing', INT64_MAX)).toBe(refused('expire'));
      expect(await t.fails('EXPIRE', 'missing', '-9223372036854776')).toBe(refused('expire'));
      expect(await t.fails('EXPIRE', 'missing', '9223372036854775')).toBe(refused('expire'));
      expect(await t.fails('PEXPIRE', 'missing', INT64_MAX)).toBe(refused('pexpire'));
      expect(await t.fails('EXPIREAT', 'missing', '9223372036854776')).toBe(refused('expireat'));
      expect(await t.call('EXPIREAT', 'missing', '9223372036854775')).toBe(0);
      expect(await t.call('PEXPIREAT', 'missing', INT64_MAX)).toBe(0);
    });

    it('a time at the end of 64 bits is kept and told within them', async () => {
      await t.call('SET', 'k', 'v');
      expect(await t.call('PEXPIREAT', 'k', INT64_MAX)).toBe(1);
      expect(await t.call('PEXPIRETIME', 'k')).toBe(9223372036854775807n);
      expect(await t.call('GET', 'k')).toBe('v');
    });

    it('the log gets absolute times, and a removal as DEL', async () => {
      const logged = await loggedOf(t, async () => {
        await t.call('SET', 'k', 'v');
        await t.call('expire', 'k', '100');
        await t.call('PEXPIRE', 'k', '5', 'LT');
        await t.call('EXPIREAT', 'k', String(START / 1000 + 1_000_000));
        await t.call('pexpireat', 'k', String(START + 1_000_000_001));
        await t.call('EXPIRE', 'k', '1', 'GT');
        await t.call('PERSIST', 'k');
        await t.call('EXPIRE', 'k', '-1');
        await t.call('EXPIRE', 'k', '100');
      });
      expect(logged).toEqual([
        'SET k v',
        `PEXPIREAT k ${clock.now() + 100_000}`,
        `PEXPIREAT k ${clock.now() + 5} LT`,
        `PEXPIREAT k ${START + 1_000_000_000}`,
        `pexpireat k ${START + 1_000_000_001}`,
        'PERSIST k',
        'DEL k',
      ]);
    });

    it('what expires on the way is logged in the unit that noticed it, before its own writes', async () => {
      t.engine.setActiveExpire(false);
      await t.call('SET', 'old', 'v', 'PX', '5');
      clock.advance(6);
      const logged = await loggedOf(t, async () => {
        await t.exec([
          ['GET', 'old'],
          ['SET', 'new', '1'],
        ]);
      });
      expect(logged).toEqual(['DEL old; SET new 1']);
      await t.call('SET', 'old', 'v', 'PX', '5');
      clock.advance(6);
      expect(await loggedOf(t, async () => t.engine.purge())).toEqual(['DEL old']);
    });

    it('`expired` is told when the key goes, not when its time comes', async () => {
      t.engine.setActiveExpire(false);
      await t.call('SET', 'k', 'v', 'PX', '5');
      expect(await eventsOf(t, async () => clock.advance(6))).toEqual([]);
      expect(await eventsOf(t, () => t.call('GET', 'k'))).toEqual(['expired k']);
    });

    it('EXPIRE and its kin announce `expire`', async () => {
      await t.call('SET', 'k', 'v');
      const events = await eventsOf(t, async () => {
        await t.call('EXPIRE', 'k', '10');
        await t.call('PEXPIREAT', 'k', String(clock.now() + 5000));
      });
      expect(events).toEqual(['expire k', 'expire k']);
    });
  },
  { clock },
);
