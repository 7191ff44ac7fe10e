// Structures inside of a reply: an array whose places have names. Used by workflows whose scripts answer with lists of
// things, such as jobs or entries of a ledger; declared beside the codecs of single values.
import type { Carried, Codec } from './codecs.ts';
import { AtomicError } from './errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: a codec of anything
type Fields = Readonly<Record<string, Codec<any>>>;
export type RecordOf<F extends Fields> = { readonly [N in keyof F]: Carried<F[N]> };

/** An array in a reply, read as an object with these fields in this order. Arguments are sent one by one instead. */
export function record<F extends Fields>(fields: F): Codec<RecordOf<F>> {
  const plan = Object.entries(fields);
  return {
    kind: `{ ${plan.map(([name]) => name).join(', ')} }`,
    encode(_value, where) {
      throw new AtomicError('BAD_ARGUMENT', `${where} must be encoded field by field`);
    },
    decode(answer, where) {
      if (!Array.isArray(answer)) throw new AtomicError('REPLY_SHAPE', `${where} is not an array`);
      const read = plan.map(([name, codec], i) => [name, codec.decode(answer[i], `${where}.${name}`)]);
      return Object.fromEntries(read) as RecordOf<F>;
    },
  };
}
