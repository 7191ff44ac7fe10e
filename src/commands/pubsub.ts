// Publish and subscribe. Delivery and the subscription index are in propagation/pubsub.ts.
import { Push, type Reply, ReplyError, Sequence, Status } from '../resp/reply.ts';
import type { EnginePort, SessionPort, SubscriptionKind } from './ports.ts';
import { type Arg, command, container, keysAt } from './spec.ts';

const FLAGS = ['pubsub', 'noscript', 'loading', 'stale'] as const;
const ASK = ['pubsub', 'loading', 'stale'] as const;
const PUBLISH = ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'] as const;

// Channels and patterns may be subscribed to in a transaction, as they always could; shard channels not.
const NO_SHARD_IN_EXEC = new ReplyError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");

const HELP = [
  'PUBSUB <subcommand> [<arg> ...]',
  'CHANNELS [pattern]: channels that have subscribers',
  'NUMPAT: how many patterns are subscribed to',
  'NUMSUB [channel ...]: subscribers of each channel',
  'SHARDCHANNELS [pattern]: shard channels that have subscribers',
  'SHARDNUMSUB [shardchannel ...]: subscribers of each shard channel',
];

export const pubsub = {
  subscribe: subscribing('channel', 'subscribe', '2.0.0', 'Listens to channels.'),
  psubscribe: subscribing(
    'pattern',
    'psubscribe',
    '2.0.0',
    'Listens to all channels that match the patterns.',
  ),
  ssubscribe: subscribing('shard', 'ssubscribe', '7.0.0', 'Listens to shard channels.'),
  unsubscribe: unsubscribing(
    'channel',
    'unsubscribe',
    '2.0.0',
    'Stops listening to channels, to all without arguments.',
  ),
  punsubscribe: unsubscribing(
    'pattern',
    'punsubscribe',
    '2.0.0',
    'Stops listening to patterns, to all without arguments.',
  ),
  sunsubscribe: unsubscribing(
    'shard',
    'sunsubscribe',
    '7.0.0',
    'Stops listening to shard channels, to all without arguments.',
  ),
  publish: command<[channel: Arg, message: Arg], number>({
    arity: 3,
    flags: PUBLISH,
    group: 'pubsub',
    since: '2.0.0',
    summary: 'Sends a message to the subscribers of a channel; answers how many got it.',
    complexity: 'O(N+M) with the subscribers of the channel and the patterns in use',
    syntax: 'channel message',
    control: (_session, args, engine) => engine.pubsub.publish(args[1], args[2]),
  }),
  spublish: command<[shardchannel: Arg, message: Arg], number>({
    arity: 3,
    flags: PUBLISH,
    group: 'pubsub',
    since: '7.0.0',
    summary: 'Sends a message to the subscribers of a shard channel.',
    complexity: 'O(N) with the subscribers of the channel',
    syntax: 'shardchannel message',
    keys: [keysAt('not_key')],
    control: (_session, args, engine) => engine.pubsub.publishShard(args[1], args[2]),
  }),
  pubsub: container(
    { arity: -2, group: 'pubsub', since: '2.8.0', summary: 'Inspects subscriptions.' },
    {
      channels: asking('2.8.0', 'Lists the channels that have subscribers.', '[pattern]', (args, engine) =>
        args.length > 3 ? wrongSubcommand(args[1]) : engine.pubsub.channels('channel', args[2]),
      ),
      numpat: command<[], number>({
        arity: 2,
        flags: ASK,
        group: 'pubsub',
        since: '2.8.0',
        summary: 'Counts the distinct patterns that are subscribed to.',
        complexity: 'O(1)',
        control: (_session, _args, engine) => engine.pubsub.patternCount(),
      }),
      numsub: asking(
        '2.8.0',
        'Counts the subscribers of channels.',
        '[channel [channel ...]]',
        (args, engine) => args.slice(2).flatMap((name) => [name, engine.pubsub.subscribers('channel', name)]),
      ),
      shardchannels: asking(
        '7.0.0',
        'Lists the shard channels that have subscribers.',
        '[pattern]',
        (args, engine) =>
          args.length > 3 ? wrongSubcommand(args[1]) : engine.pubsub.channels('shard', args[2]),
      ),
      shardnumsub: asking(
        '7.0.0',
        'Counts the subscribers of shard channels.',
        '[shardchannel [shardchannel ...]]',
        (args, engine) => args.slice(2).flatMap((name) => [name, engine.pubsub.subscribers('shard', name)]),
      ),
      help: command<[], string[]>({
        arity: 2,
        flags: ['loading', 'stale'],
        group: 'pubsub',
        since: '6.2.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        control: () => HELP.map((line) => new Status(line)),
      }),
    },
  ),
};

function wrongSubcommand(sub: string): ReplyError {
  return new ReplyError(`ERR unknown subcommand or wrong number of arguments for '${sub}'. Try PUBSUB HELP.`);
}

function asking(
  since: string,
  summary: string,
  syntax: string,
  answer: (args: readonly string[], engine: EnginePort) => Reply,
) {
  return command<[...names: Arg[]], (string | number)[]>({
    arity: -2,
    flags: ASK,
    group: 'pubsub',
    since,
    summary,
    complexity: 'O(N)',
    syntax,
    control: (_session, args, engine) => answer(args, engine),
  });
}

function own(session: SessionPort, kind: SubscriptionKind): Set<string> {
  if (kind === 'shard') return session.shardChannels;
  return kind === 'channel' ? session.channels : session.patterns;
}

// Shard channels are counted apart from channels and patterns.
function count(session: SessionPort, kind: SubscriptionKind): number {
  return kind === 'shard' ? session.shardChannels.size : session.channels.size + session.patterns.size;
}

function subscribing(kind: SubscriptionKind, name: string, since: string, summary: string) {
  return command<[...names: Arg[]], unknown[]>({
    arity: -2,
    flags: FLAGS,
    group: 'pubsub',
    since,
    summary,
    complexity: 'O(N) with the number of names',
    syntax:
      kind === 'pattern' ? 'pattern [pattern ...]' : `${kind === 'shard' ? 'shardchannel' : 'channel'} [...]`,
    keys: kind === 'shard' ? [keysAt('not_key', 1, -1)] : undefined,
    subscriber: true,
    control: (session, args, engine) => {
      if (kind === 'shard' && session.running > 0) return NO_SHARD_IN_EXEC;
      const replies: Reply[] = [];
      for (const channel of args.slice(1)) {
        engine.pubsub.subscribe(session, kind, channel);
        replies.push(new Push([name, channel, count(session, kind)]));
      }
      session.refresh();
      return new Sequence(replies);
    },
  });
}

function unsubscribing(kind: SubscriptionKind, name: string, since: string, summary: string) {
  return command<[...names: Arg[]], unknown[]>({
    arity: -1,
    flags: FLAGS,
    group: 'pubsub',
    since,
    summary,
    complexity: 'O(N) with the number of names',
    syntax: kind === 'pattern' ? '[pattern [pattern ...]]' : '[channel [channel ...]]',
    keys: kind === 'shard' ? [keysAt('not_key', 1, -1)] : undefined,
    subscriber: true,
    control: (session, args, engine) => {
      const names = args.length > 1 ? args.slice(1) : [...own(session, kind)];
      const replies: Reply[] = [];
      for (const channel of names) {
        engine.pubsub.unsubscribe(session, kind, channel);
        replies.push(new Push([name, channel, count(session, kind)]));
      }
      if (names.length === 0) replies.push(new Push([name, null, count(session, kind)]));
      session.refresh();
      return new Sequence(replies);
    },
  });
}
