// The short version of `npm run fuzz`, with the same streams on every run.
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/engine/ports.ts';
import { Decoder } from '../../src/resp/decode.ts';
import { broken, decode, everyByte, randomCuts } from './decoder.ts';

describe('the decoder', () => {
  it('decodes any stream to the same requests however it is cut, and never breaks', () => {
    for (let seed = 1; seed <= 4000; seed++) {
      const failure = broken(seed);
      expect(failure, `seed ${seed}: npm run fuzz -- --seed ${seed} --rounds 1`).toBeNull();
    }
  });

  it('decodes what was encoded, whatever the bytes', () => {
    const random = new Random(7);
    for (let round = 0; round < 200; round++) {
      const commands = Array.from({ length: 1 + Math.floor(random.next() * 5) }, () =>
        Array.from({ length: 1 + Math.floor(random.next() * 4) }, () =>
          Array.from({ length: Math.floor(random.next() * 40) }, () =>
            String.fromCharCode(Math.floor(random.next() * 256)),
          ).join(''),
        ),
      );
      const text = commands
        .map((args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`)
        .join('');
      const stream = Buffer.from(text, 'latin1');
      expect(decode(stream, randomCuts(random, stream.length))).toEqual({ commands, end: 'open' });
      expect(decode(stream, everyByte(stream.length))).toEqual({ commands, end: 'open' });
    }
  });

  it('takes no memory for what is only announced', () => {
    const decoder = new Decoder({ maxBulk: 2 ** 29, maxBuffer: 2 ** 30 });
    const before = process.memoryUsage().arrayBuffers;
    const announced = Buffer.from('*1000000000\r\n$500000000\r\nx');
    decoder.feed(announced, announced.length);
    expect(decoder.next()).toBeNull();
    decoder.keep();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    expect(decoder.pending).toBeLessThan(100);
  });
});
