// Leases and delays of sweep under a clock that the tests move.
import { expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { embedded, sweep } from '../../src/workflows/index.ts';
import { SettableClock } from './settable-clock.ts';

async function world(leaseMs = 1000) {
  const clock = new SettableClock();
  const driver = embedded(await open({ clock }));
  return { clock, plan: sweep(driver, { leaseMs }) };
}

it('a member is due at its moment, not a millisecond earlier', async () => {
  const { clock, plan } = await world();
  await plan.schedule('g', 'a', clock.now() + 500);
  await plan.scheduleIn('g', 'b', 500);
  clock.advance(499);
  expect((await plan.run('g')).orThrow()).toMatchObject({ members: [], nextInMs: 1 });
  clock.advance(1);
  expect((await plan.run('g')).orThrow().members).toMatchObject([{ member: 'a' }, { member: 'b' }]);
});

it('a lease ends at its moment, and each lease that ran out is an attempt', async () => {
  const { clock, plan } = await world();
  await plan.schedule('g', 'a', 0);
  for (let attempt = 1; attempt <= 4; attempt++) {
    expect((await plan.run('g')).orThrow().members).toMatchObject([{ member: 'a', attempt }]);
    clock.advance(999);
    expect((await plan.run('g')).orThrow()).toMatchObject({ members: [], nextInMs: 1 });
    clock.advance(1);
  }
});

it('who is late may still settle, as long as nobody else has claimed', async () => {
  const { clock, plan } = await world();
  await plan.schedule('g', 'a', 0);
  const { members } = (await plan.run('g')).orThrow();
  clock.advance(86_400_000);
  expect(await plan.ack('g', members)).toMatchObject({ settled: 1, stale: [] });
});

it('after a jump ahead all is due at once, and still comes in bounded steps', async () => {
  const { clock, plan } = await world();
  for (let i = 0; i < 25; i++) await plan.scheduleIn('g', `m${i}`, 1000 * i);
  clock.advance(86_400_000);
  const sizes: number[] = [];
  for (let more = true; more; ) {
    const swept = (await plan.run('g', { limit: 10 })).orThrow();
    sizes.push(swept.members.length);
    await plan.ack('g', swept.members);
    more = swept.status === 'partial';
  }
  expect(sizes).toEqual([10, 10, 5]);
});

it('a clock that is set back gives nothing to two workers', async () => {
  const { clock, plan } = await world();
  await plan.schedule('g', 'a', clock.now());
  const { members } = (await plan.run('g')).orThrow();
  clock.set(clock.now() - 3_600_000);
  expect((await plan.run('g')).orThrow().members).toEqual([]);
  expect(await plan.ack('g', members)).toMatchObject({ settled: 1 });
});
