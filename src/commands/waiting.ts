// WAIT: how many replicas have what this connection wrote. There are none here, so it answers 0, after the time
// that the caller would give them.
import { parseInt64 } from '../data/numbers.ts';
import { Block, ReplyError } from '../resp/reply.ts';
import { integer } from './args.ts';
import { TIMEOUT_NEGATIVE } from './errors.ts';
import { type Arg, command } from './spec.ts';

const TIMEOUT_NOT_INTEGER = new ReplyError('ERR timeout is not an integer or out of range');

export const waiting = {
  wait: command<[replicas: Arg, milliseconds: number], Promise<number>>({
    arity: 3,
    flags: ['blocking'],
    group: 'generic',
    since: '3.0.0',
    summary: 'Waits until so many replicas have the writes of this connection; there are no replicas here.',
    complexity: 'O(1)',
    syntax: 'numreplicas timeout',
    categories: ['connection', '-keyspace'],
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    run: (_db, args) => {
      const wanted = integer(args[1]);
      const milliseconds = parseInt64(args[2]);
      if (milliseconds === null) throw TIMEOUT_NOT_INTEGER;
      if (milliseconds < 0) throw TIMEOUT_NEGATIVE;
      return wanted <= 0 ? 0 : new Block([], 'none', Number(milliseconds), 0, 0);
    },
  }),
};
