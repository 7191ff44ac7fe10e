import { setFlagsFromString } from 'node:v8';
import { expect, it } from 'vitest';
import { keepStringsFast } from './fast-strings.ts';

it('brings String.prototype back to its fast form', () => {
  setFlagsFromString('--allow-natives-syntax');
  const isFast = new Function('value', 'return %HasFastProperties(value)') as (value: unknown) => boolean;
  setFlagsFromString('--no-allow-natives-syntax');
  class Verbatim extends String {}
  expect(new Verbatim('text').length).toBe(4);
  expect(isFast(String.prototype)).toBe(false);
  keepStringsFast();
  expect(isFast(String.prototype)).toBe(true);
});
