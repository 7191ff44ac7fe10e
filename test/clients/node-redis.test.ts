// node-redis over TCP, in both protocols.
import { createClient, ErrorReply, RESP_TYPES, WatchError } from 'redis';
import { contract, type Driver, type Place } from './contract.ts';

const clientOf = (port: number, RESP: 2 | 3) =>
  createClient({ RESP, socket: { host: '127.0.0.1', port, reconnectStrategy: () => 10 } });

class NodeRedis implements Driver {
  private readonly redis: ReturnType<typeof clientOf>;
  private readonly connected: Promise<unknown>;

  constructor(port: number, protocol: 2 | 3) {
    this.redis = clientOf(port, protocol);
    this.redis.on('error', () => {});
    this.connected = this.redis.connect();
  }

  private get bytes() {
    return this.redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  }

  async ready(): Promise<void> {
    await this.connected;
  }

  set = (key: string | Buffer, value: string | Buffer) => this.redis.set(key, value);
  get = (key: string) => this.redis.get(key);
  getBytes = async (key: string) => (await this.bytes.get(key)) as Buffer | null;
  hgetall = async (key: string) => (await this.redis.hGetAll(key)) as Record<string, string>;
  call = async (...words: string[]) => (await this.redis.sendCommand(words)) as unknown;
  watch = (key: string) => this.redis.watch(key);
  info = async () => String(await this.redis.info());
  quit = () => this.redis.close();
  isReplyError = (error: unknown) => error instanceof ErrorReply;
  again = () => new Promise<void>((done) => this.redis.once('ready', () => done()));

  disconnect(): void {
    if (this.redis.isOpen) this.redis.destroy();
  }

  async pipeline(commands: string[][]): Promise<unknown[]> {
    const replies = await Promise.allSettled(commands.map((words) => this.redis.sendCommand(words)));
    return replies.map((reply) => (reply.status === 'fulfilled' ? reply.value : reply.reason));
  }

  async transaction(commands: string[][]): Promise<unknown[] | null> {
    const chain = this.redis.multi();
    for (const words of commands) chain.addCommand(words);
    try {
      return (await chain.exec()) as unknown[];
    } catch (error) {
      if (error instanceof WatchError) return null;
      throw error;
    }
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    await this.redis.subscribe(channel, listener);
  }

  async psubscribe(pattern: string, listener: (message: string, channel: string) => void): Promise<void> {
    await this.redis.pSubscribe(pattern, listener);
  }

  async unsubscribe(): Promise<void> {
    await this.redis.unsubscribe();
    await this.redis.pUnsubscribe();
  }

  async blpop(key: string, seconds: number): Promise<[string, string] | null> {
    const popped = await this.redis.blPop(key, seconds);
    return popped === null ? null : [String(popped.key), String(popped.element)];
  }

  async scan(match: string, count: number): Promise<string[]> {
    const found: string[] = [];
    for await (const batch of this.redis.scanIterator({ MATCH: match, COUNT: count })) found.push(...batch);
    return found;
  }

  async hscan(key: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const batch of this.redis.hScanIterator(key)) {
      for (const { field, value } of batch) found[String(field)] = String(value);
    }
    return found;
  }

  async zscan(key: string): Promise<[string, number][]> {
    const found: [string, number][] = [];
    for await (const batch of this.redis.zScanIterator(key)) {
      for (const { value, score } of batch) found.push([String(value), Number(score)]);
    }
    return found;
  }

  async clientNames(): Promise<string[]> {
    return (await this.redis.clientList()).map(({ name }) => String(name));
  }
}

for (const protocol of [2, 3] as const) {
  contract({
    title: `node-redis over TCP, RESP${protocol}`,
    open: ({ port }: Place) => new NodeRedis(port, protocol),
  });
}
