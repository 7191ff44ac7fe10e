// What GLIDE answers where the other clients' drivers are certain: it reconnects and gives up by itself, and does not
// say whether a request had left, so the driver must not guess.
import { expect, it } from 'vitest';
import { freshPrefix } from '../world.ts';
import { counting, onEachLine } from './support.ts';

const never = counting('never');

onEachLine(['glide'], (line) => {
  // A request to a dead server ends with a ConnectionError or TimeoutError whether or not it had left: `unknown`. While
  // GLIDE still believes in its connection it may also keep the request until it has another one, and then answer.
  it('a server that is down makes a call unknown, though it certainly did not run; afterwards GLIDE recovers', async () => {
    const { driver, redis, direct } = line();
    const key = freshPrefix();
    await never.run(driver, { keys: { counter: key }, args: {} });
    await redis.kill();
    const result = await never.run(driver, { keys: { counter: key }, args: {} }, { deadlineMs: 500 });
    expect(result).toMatchObject({ status: 'unknown', meta: { attempts: 1 } });
    await redis.start();
    expect(await direct('GET', key)).toBe('1');
    const always = counting('always');
    const again = await always.run(driver, { keys: { counter: key }, args: {} }, { deadlineMs: 15_000 });
    expect(again).toMatchObject({ status: 'counted' });
  });
});
