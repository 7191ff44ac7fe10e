// The cluster driver with nodes made by hand: redirections, the map, and that the user's client in trouble holds up
// nothing. Real clusters are in test/workflows/faults/cluster.test.ts.
import { describe, expect, it, vi } from 'vitest';
import { type Answer, Lost, ServerError, Unsent } from '../kit/driver.ts';
import { ClusterDriver, type Nodes } from './cluster.ts';
import type { Fate, Session, Words } from './session.ts';

type Behaviour = (words: Words, asking: boolean) => Fate;

class Node implements Session {
  alive = true;
  readonly port: number;
  private readonly behave: Behaviour;
  constructor(port: number, behave: Behaviour) {
    this.port = port;
    this.behave = behave;
  }
  async send(words: Words): Promise<Answer> {
    const [fate] = await this.pipeline([words]);
    if (fate instanceof Error) throw fate;
    return fate as Answer;
  }
  async pipeline(commands: readonly Words[]) {
    return commands.map((words, i) => this.behave(words, commands[i - 1]?.[0] === 'ASKING'));
  }
  close() {
    this.alive = false;
  }
}

/** All slots with this node. */
const mapOf = (port: number): Answer => [[0, 16383, ['h', port]]];

/** A driver of nodes by port; what is not there refuses connections. */
function driverOf(behaviours: Record<number, Behaviour>, seeds: Nodes['seeds'] = () => ['h:1']) {
  const log: string[] = [];
  const nodes: Node[] = [];
  const driver = new ClusterDriver('fake', {
    seeds,
    translate: (address) => address,
    async open(address) {
      const port = Number(address.slice(2));
      if (!(port in behaviours)) throw new Error('ECONNREFUSED');
      const node = new Node(port, (words, asking) => {
        if (words[0] !== 'CLUSTER') log.push(`${port} ${words.join(' ')}`);
        return behaviours[port]!(words, asking);
      });
      nodes.push(node);
      return node;
    },
  });
  const send = (...words: string[]) => driver.send({ words, key: 'k', timeoutMs: 500 });
  return { driver, send, log, nodes, behaviours };
}

describe('ClusterDriver', () => {
  it('follows MOVED and remembers it', async () => {
    const { send, log } = driverOf({
      1: (words) => (words[0] === 'CLUSTER' ? mapOf(1) : new ServerError('MOVED 7629 h:2')),
      2: (words) => (words[0] === 'CLUSTER' ? mapOf(2) : 'two'),
    });
    expect([await send('GET', 'k'), await send('GET', 'k')]).toEqual(['two', 'two']);
    expect(log).toEqual(['1 GET k', '2 GET k', '2 GET k']);
  });

  it('follows ASK once, with ASKING right before, and does not remember it', async () => {
    const { send, log } = driverOf({
      1: (words) => (words[0] === 'CLUSTER' ? mapOf(1) : new ServerError('ASK 7629 h:2')),
      2: (_words, asking) => (asking ? 'two' : 'OK'),
    });
    expect([await send('GET', 'k'), await send('GET', 'k')]).toEqual(['two', 'two']);
    expect(log.slice(0, 3)).toEqual(['1 GET k', '2 ASKING', '2 GET k']);
    expect(log.slice(3)).toEqual(log.slice(0, 3));
  });

  it('a circle of redirections ends with the error', async () => {
    const { send, log } = driverOf({
      1: (words) => (words[0] === 'CLUSTER' ? mapOf(1) : new ServerError('MOVED 7629 h:2')),
      2: (words) => (words[0] === 'CLUSTER' ? mapOf(1) : new ServerError('MOVED 7629 h:1')),
    });
    await expect(send('GET', 'k')).rejects.toMatchObject({ code: 'MOVED' });
    expect(log.length).toBeLessThan(10);
  });

  it('a batch keeps what was answered, and sends on what was redirected', async () => {
    const { driver } = driverOf({
      1: (words) => {
        if (words[0] === 'CLUSTER') return mapOf(1);
        if (words[1] === 'gone') return new Lost('closed');
        return words[1] === 'moved' ? new ServerError('MOVED 1 h:2') : 'one';
      },
      2: () => 'two',
    });
    const requests = ['here', 'moved', 'gone', 'there'].map((name) => ({
      words: ['GET', name],
      key: 'k',
      timeoutMs: 500,
    }));
    expect(await driver.pipeline(requests)).toEqual(['one', 'two', new Lost('closed'), 'one']);
  });

  it('learns of a new owner from the nodes it knows, while the seeds of the client never come', async () => {
    let calls = 0;
    let isGone = false;
    const split: Answer = [
      [0, 8000, ['h', 1]],
      [8001, 16383, ['h', 2]],
    ];
    const { driver, send, nodes, behaviours } = driverOf(
      {
        1: (words) => (words[0] === 'CLUSTER' ? split : 'one'),
        2: (words) => (words[0] === 'CLUSTER' ? (isGone ? mapOf(2) : split) : 'two'),
      },
      () => (calls++ === 0 ? ['h:1'] : new Promise<string[]>(() => {})),
    );
    // Their slots are 7629 and 12182.
    expect(await send('GET', 'k')).toBe('one');
    expect(await driver.send({ words: ['GET', 'foo'], key: 'foo', timeoutMs: 500 })).toBe('two');
    isGone = true;
    delete behaviours[1];
    for (const node of nodes) if (node.port === 1) node.close();
    await expect(send('GET', 'k')).rejects.toThrow(Unsent);
    await vi.waitFor(async () => expect(await send('GET', 'k')).toBe('two'));
  });

  it('no node at all is Unsent in time, and a slot without an owner CLUSTERDOWN', async () => {
    const none = driverOf({}, () => new Promise<string[]>(() => {}));
    const started = performance.now();
    await expect(none.driver.send({ words: ['GET', 'k'], key: 'k', timeoutMs: 50 })).rejects.toThrow(Unsent);
    expect(performance.now() - started).toBeLessThan(400);
    const refused = driverOf({}, () => Promise.reject(new Error('client is in trouble')));
    await expect(refused.send('GET', 'k')).rejects.toThrow(/client is in trouble/);
    await expect(refused.send('GET', 'k')).rejects.toThrow(Unsent);
    const hole = driverOf({ 1: () => [[0, 1, ['h', 1]]] });
    await expect(hole.send('GET', 'k')).rejects.toMatchObject({ code: 'CLUSTERDOWN' });
  });
});
