// The short version of the wire half of `npm run fuzz`: the real server's bytes are the expectation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oracleAvailable } from '../support/redis-server.ts';
import { Pair } from './wire.ts';

describe.skipIf(!oracleAvailable())('broken requests', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start();
  });
  afterAll(() => pair.stop());

  it('are answered as redis-server answers them, byte for byte', async () => {
    for (let seed = 1; seed <= 600; seed++) {
      const difference = await pair.difference(seed);
      expect(difference, `seed ${seed}: npm run fuzz -- --seed ${seed} --rounds 1`).toBeNull();
    }
  });
});
