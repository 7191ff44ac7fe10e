// Pub/sub: channels, patterns, shard channels. The last two connections listen (one per protocol), the others
// publish. Called by generate.ts.

import { type Family, type Gen, opt, type Part, pattern } from '../grammar.ts';
import { command, type Step } from '../steps.ts';

const channelName = (g: Gen): string =>
  g.random.chance(0.93)
    ? `ch:${g.random.int(0, 3)}`
    : g.random.pick(['', '\x00\xff', 'ch:*', 's:0', '__keyevent@0__:set']);
const channel: Part = (g) => [channelName(g)];
const patternName = (g: Gen): string =>
  g.random.pick(['ch:*', '*', 'ch:?', 'ch:[01]', '__key*__:*', 'x', '']);
const listeners = (g: Gen): number[] => [g.connections - 2, g.connections - 1];

function subscribing(g: Gen): Step[] {
  const r = g.random;
  const conn = r.pick(listeners(g));
  const channels = Array.from({ length: r.int(1, 3) }, () => channelName(g));
  const patterns = Array.from({ length: r.int(1, 2) }, () => patternName(g));
  const steps: Step[] = [
    command(
      conn,
      ...r.pick([
        ['SUBSCRIBE', ...channels],
        ['SUBSCRIBE', ...channels],
        ['PSUBSCRIBE', ...patterns],
        ['SSUBSCRIBE', ...channels],
        ['UNSUBSCRIBE', ...channels],
        ['PUNSUBSCRIBE', ...patterns],
        ['SUNSUBSCRIBE', ...channels],
        ['UNSUBSCRIBE'],
        ['PUNSUBSCRIBE'],
        ['SUNSUBSCRIBE'],
        ['SUBSCRIBE'],
      ]),
    ),
  ];
  for (let n = r.int(0, 3); n > 0; n--) {
    const speaker = r.chance(0.85) ? r.int(0, 3) : g.connections - 1;
    steps.push(
      command(
        speaker,
        r.chance(0.8) ? 'PUBLISH' : 'SPUBLISH',
        channelName(g),
        r.pick(['hello', '', 'm\r\n\xff']),
      ),
    );
  }
  steps.push(command(conn, 'PING', ...(r.chance(0.5) ? ['p'] : [])));
  return steps;
}

/** What a listener may and may not do. */
function restricted(g: Gen): Step[] {
  const conn = g.random.pick(listeners(g));
  return [
    command(
      conn,
      ...g.random.pick([['GET', 's:0'], ['ECHO', 'x'], ['PING'], ['PING', 'a', 'b'], ['NOSUCH'], ['GET']]),
    ),
  ];
}

export const pubsub: Family = {
  name: 'pubsub',
  commands: {
    PUBLISH: [4, channel, (g) => [g.random.pick(['one', 'two', ''])]],
    SPUBLISH: [2, channel, 'shard'],
    'PUBSUB CHANNELS': [2, opt(0.5, pattern)],
    'PUBSUB NUMSUB': [1, opt(0.8, channel, channel)],
    'PUBSUB NUMPAT': [1],
    'PUBSUB SHARDCHANNELS': [1, opt(0.5, pattern)],
    'PUBSUB SHARDNUMSUB': [1, opt(0.8, channel)],
    'PUBSUB bogus': [0.2],
  },
  scenarios: [
    { weight: 4, make: subscribing },
    { weight: 0.6, make: restricted },
  ],
};
