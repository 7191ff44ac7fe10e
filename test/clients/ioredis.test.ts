// ioredis: over TCP, over a unix socket, and over a stream in memory (`db.connector()`).
import { Redis, type RedisOptions, ReplyError } from 'ioredis';
import { contract, type Driver, type Place } from './contract.ts';

class Ioredis implements Driver {
  private readonly redis: Redis;
  private readonly isReady: Promise<void>;

  constructor(options: RedisOptions) {
    // A lost connection is the subject of some tests: come back at once.
    this.redis = new Redis({ ...options, retryStrategy: () => 10 });
    this.redis.on('error', () => {});
    this.isReady = this.again();
  }

  ready = () => this.isReady;
  set = (key: string | Buffer, value: string | Buffer) => this.redis.set(key, value);
  get = (key: string) => this.redis.get(key);
  getBytes = (key: string) => this.redis.getBuffer(key);
  hgetall = (key: string) => this.redis.hgetall(key);
  call = (...[name, ...args]: string[]) => this.redis.call(name, ...args);
  watch = (key: string) => this.redis.watch(key);
  info = () => this.redis.info();
  quit = () => this.redis.quit();
  disconnect = () => this.redis.disconnect();
  blpop = (key: string, seconds: number) => this.redis.blpop(key, seconds);
  isReplyError = (error: unknown) => error instanceof ReplyError;
  again = () => new Promise<void>((done) => this.redis.once('ready', () => done()));

  async pipeline(commands: string[][]): Promise<unknown[]> {
    const replies = (await this.redis.pipeline(lowerCased(commands)).exec()) ?? [];
    return replies.map(([error, reply]) => error ?? reply);
  }

  async transaction(commands: string[][]): Promise<unknown[] | null> {
    const chain = this.redis.multi();
    for (const [name, ...args] of commands) chain.call(name, ...args);
    const replies = await chain.exec();
    return replies === null ? null : replies.map(([error, reply]) => error ?? reply);
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    this.redis.on('message', (from, message) => from === channel && listener(message));
    await this.redis.subscribe(channel);
  }

  async psubscribe(pattern: string, listener: (message: string, channel: string) => void): Promise<void> {
    this.redis.on('pmessage', (of, channel, message) => of === pattern && listener(message, channel));
    await this.redis.psubscribe(pattern);
  }

  // By name: ioredis 6 waits for ever for UNSUBSCRIBE without names, beside redis-server too.
  async unsubscribe(): Promise<void> {
    await this.redis.unsubscribe('news');
    await this.redis.punsubscribe('n*');
  }

  async scan(match: string, count: number): Promise<string[]> {
    const found: string[] = [];
    for await (const batch of this.redis.scanStream({ match, count })) found.push(...(batch as string[]));
    return found;
  }

  async hscan(key: string): Promise<Record<string, string>> {
    return Object.fromEntries(await pairsOf(this.redis.hscanStream(key)));
  }

  async zscan(key: string): Promise<[string, number][]> {
    const pairs = await pairsOf(this.redis.zscanStream(key));
    return pairs.map(([member, score]) => [member, Number(score)]);
  }

  async clientNames(): Promise<string[]> {
    const list = (await this.redis.client('LIST')) as string;
    return [...list.matchAll(/ name=(\S*)/g)].map((match) => match[1]);
  }
}

// The words of its pipelines are names of its methods.
function lowerCased(commands: string[][]): string[][] {
  return commands.map(([name, ...args]) => [name.toLowerCase(), ...args]);
}

async function pairsOf(stream: AsyncIterable<string[]>): Promise<[string, string][]> {
  const pairs: [string, string][] = [];
  for await (const batch of stream) {
    for (let i = 0; i < batch.length; i += 2) pairs.push([batch[i], batch[i + 1]]);
  }
  return pairs;
}

const over = (options: (place: Place) => RedisOptions) => (place: Place) => new Ioredis(options(place));

for (const protocol of [2, 3] as const) {
  contract({
    title: `ioredis over TCP, RESP${protocol}`,
    open: over(({ port }) => ({ port, host: '127.0.0.1', protocol })),
  });
}
contract({ title: 'ioredis over a unix socket', open: over(({ unixSocket }) => ({ path: unixSocket })) });
contract({
  title: 'ioredis over a stream in memory',
  inMemory: true,
  open: over(({ db }) => ({ Connector: db.connector() })),
});
