// Channels, patterns and shard channels, and the delivery of messages to their subscribers. The engine owns
// one; PUBLISH and keyspace events call it.
import type { PubSubPort, SubscriptionKind } from '../commands/ports.ts';
import { globMatch } from '../data/glob.ts';
import { Push } from '../resp/reply.ts';

/** What delivery needs of a session. */
export interface Subscriber {
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  readonly shardChannels: Set<string>;
  push(message: Push): void;
}

export class PubSub implements PubSubPort {
  // Subscribers in the order in which they subscribed, which is the order of delivery.
  private readonly channelIndex = new Map<string, Set<Subscriber>>();
  private readonly patternIndex = new Map<string, Set<Subscriber>>();
  private readonly shardIndex = new Map<string, Set<Subscriber>>();

  subscribe(session: Subscriber, kind: SubscriptionKind, name: string): void {
    const own = this.ownSet(session, kind);
    if (own.has(name)) return;
    own.add(name);
    const index = this.index(kind);
    const subscribers = index.get(name);
    if (subscribers === undefined) index.set(name, new Set([session]));
    else subscribers.add(session);
  }

  unsubscribe(session: Subscriber, kind: SubscriptionKind, name: string): void {
    if (!this.ownSet(session, kind).delete(name)) return;
    const index = this.index(kind);
    const subscribers = index.get(name);
    subscribers?.delete(session);
    if (subscribers?.size === 0) index.delete(name);
  }

  /** Drops all subscriptions of a session that ends. */
  leave(session: Subscriber): void {
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of [...this.ownSet(session, kind)]) this.unsubscribe(session, kind, name);
    }
  }

  publish(channel: string, message: string): number {
    let receivers = 0;
    const direct = this.channelIndex.get(channel);
    if (direct !== undefined) {
      const push = new Push(['message', channel, message]);
      for (const subscriber of direct) subscriber.push(push);
      receivers += direct.size;
    }
    for (const [pattern, subscribers] of this.patternIndex) {
      if (!globMatch(pattern, channel)) continue;
      const push = new Push(['pmessage', pattern, channel, message]);
      for (const subscriber of subscribers) subscriber.push(push);
      receivers += subscribers.size;
    }
    return receivers;
  }

  publishShard(channel: string, message: string): number {
    const subscribers = this.shardIndex.get(channel);
    if (subscribers === undefined) return 0;
    const push = new Push(['smessage', channel, message]);
    for (const subscriber of subscribers) subscriber.push(push);
    return subscribers.size;
  }

  channels(kind: 'channel' | 'shard', pattern?: string): string[] {
    const names = [...this.index(kind).keys()];
    return pattern === undefined ? names : names.filter((name) => globMatch(pattern, name));
  }

  subscribers(kind: 'channel' | 'shard', name: string): number {
    return this.index(kind).get(name)?.size ?? 0;
  }

  patternCount(): number {
    return this.patternIndex.size;
  }

  private index(kind: SubscriptionKind): Map<string, Set<Subscriber>> {
    if (kind === 'channel') return this.channelIndex;
    return kind === 'pattern' ? this.patternIndex : this.shardIndex;
  }

  private ownSet(session: Subscriber, kind: SubscriptionKind): Set<string> {
    if (kind === 'channel') return session.channels;
    return kind === 'pattern' ? session.patterns : session.shardChannels;
  }
}
