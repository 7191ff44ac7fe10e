// MULTI, EXEC, DISCARD, WATCH, UNWATCH: what the project's semantics notes say of them, rule by rule.
import { expect, it } from 'vitest';
import { onEveryTarget, type TestClient } from '../../test/support/targets.ts';
import { VirtualClock } from '../engine/ports.ts';

const ABORTED = 'EXECABORT Transaction discarded because of previous errors.';
const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

const clock = new VirtualClock();

type Command = (string | number)[];

onEveryTarget(
  'transactions',
  (t) => {
    /** Runs commands one after the other. */
    async function run(client: TestClient, ...commands: Command[]): Promise<void> {
      for (const command of commands) await client.call(...command);
    }

    /** Does EXEC still run after `setup`, WATCH of `keys`, and `change` by another client? */
    async function survives(setup: Command[], keys: string[], change: Command[]): Promise<boolean> {
      const other = await t.connect();
      await run(other, ...setup);
      await t.call('WATCH', ...keys);
      await run(other, ...change);
      return (await t.exec([['PING']])) !== null;
    }

    // ---- the queue

    it('queues commands and answers all their replies at EXEC', async () => {
      expect(await t.call('MULTI')).toBe('OK');
      expect(await t.call('SET', 'k', '1')).toBe('QUEUED');
      expect(await t.call('INCR', 'k')).toBe('QUEUED');
      const other = await t.connect();
      expect(await other.call('GET', 'k')).toBe(null);
      expect(await t.call('EXEC')).toEqual(['OK', 2]);
      expect(await other.call('GET', 'k')).toBe('2');
    });

    it('a nested MULTI is an error of its own and harms nothing', async () => {
      await run(t, ['MULTI'], ['SET', 'k', '1']);
      expect(await t.fails('MULTI')).toBe('ERR MULTI calls can not be nested');
      expect(await t.call('EXEC')).toEqual(['OK']);
    });

    it('WATCH inside MULTI is an error and harms nothing', async () => {
      await t.call('MULTI');
      expect(await t.fails('WATCH', 'k')).toBe('ERR WATCH inside MULTI is not allowed');
      await t.call('SET', 'k', '1');
      expect(await t.call('EXEC')).toEqual(['OK']);
    });

    it('a command that may not stand in a transaction aborts it', async () => {
      await t.call('MULTI');
      expect(await t.fails('SHUTDOWN', 'NOSAVE')).toBe('ERR Command not allowed inside a transaction');
      expect(await t.fails('EXEC')).toBe(ABORTED);
    });

    it('queues what looks like control too: UNWATCH, SELECT, CLIENT, blocking commands', async () => {
      await t.call('MULTI');
      expect(await t.call('UNWATCH')).toBe('QUEUED');
      expect(await t.call('SELECT', '0')).toBe('QUEUED');
      expect(await t.call('CLIENT', 'GETNAME')).toBe('QUEUED');
      expect(await t.call('BLPOP', 'missing', '0')).toBe('QUEUED');
      expect(await t.call('EXEC')).toEqual(['OK', 'OK', null, null]);
    });

    it('without MULTI there is nothing to run or to drop', async () => {
      expect(await t.fails('EXEC')).toBe('ERR EXEC without MULTI');
      expect(await t.fails('DISCARD')).toBe('ERR DISCARD without MULTI');
    });

    it('DISCARD drops the queue and the watches', async () => {
      const other = await t.connect();
      await run(t, ['WATCH', 'w'], ['MULTI'], ['SET', 'k', '1']);
      expect(await t.call('DISCARD')).toBe('OK');
      expect(await t.call('EXISTS', 'k')).toBe(0);
      await other.call('SET', 'w', '1');
      expect(await t.exec([['SET', 'k', '2']])).toEqual(['OK']);
    });

    it('an empty transaction answers an empty array', async () => {
      expect(await t.exec([])).toEqual([]);
    });

    it('RESET and a lost connection drop queue and watches; nothing queued runs', async () => {
      const other = await t.connect();
      await run(other, ['WATCH', 'w'], ['MULTI'], ['SET', 'k', '1']);
      expect(await other.call('RESET')).toBe('RESET');
      expect(await other.fails('EXEC')).toBe('ERR EXEC without MULTI');
      const lost = await t.connect();
      await run(lost, ['MULTI'], ['SET', 'k', '1']);
      await lost.close();
      expect(await t.call('EXISTS', 'k')).toBe(0);
    });

    it('QUIT inside MULTI runs at once and drops the queue', async () => {
      const other = await t.connect();
      await run(other, ['MULTI'], ['SET', 'k', '1']);
      expect(await other.call('QUIT')).toBe('OK');
      expect(await t.call('EXISTS', 'k')).toBe(0);
    });

    it('CLIENT LIST shows the length of the queue, -1 outside', async () => {
      const shown = async (): Promise<string> => {
        const id = String(await other.call('CLIENT', 'ID'));
        await other.call('MULTI');
        await other.call('PING');
        await other.call('PING');
        const list = (await t.call('CLIENT', 'LIST')) as string;
        return list.split('\n').find((line) => line.startsWith(`id=${id} `)) as string;
      };
      const other = await t.connect();
      expect(await shown()).toContain(' multi=2 ');
      expect(await t.call('CLIENT', 'LIST')).toContain(' multi=-1 ');
    });

    // ---- what aborts it

    it('an unknown command or a wrong number of arguments aborts; later commands are not stored', async () => {
      await t.call('MULTI');
      expect(await t.fails('NOSUCH', 'x')).toBe(
        "ERR unknown command 'NOSUCH', with args beginning with: 'x' ",
      );
      expect(await t.call('SET', 'k', '1')).toBe('QUEUED');
      expect(await t.fails('EXEC')).toBe(ABORTED);
      await t.call('MULTI');
      await t.call('SET', 'k', '1');
      expect(await t.fails('GET')).toBe("ERR wrong number of arguments for 'get' command");
      expect(await t.fails('EXEC')).toBe(ABORTED);
      expect(await t.call('EXISTS', 'k')).toBe(0);
      // It is over: the next one starts clean.
      expect(await t.exec([['SET', 'k', '2']])).toEqual(['OK']);
    });

    it('an unknown subcommand aborts', async () => {
      await t.call('MULTI');
      expect(await t.fails('OBJECT', 'nosuch', 'k')).toBe(
        "ERR unknown subcommand 'nosuch'. Try OBJECT HELP.",
      );
      expect(await t.fails('EXEC')).toBe(ABORTED);
    });

    it('EXEC with arguments is refused and ends the transaction at once', async () => {
      await run(t, ['MULTI'], ['SET', 'k', '1']);
      expect(await t.fails('EXEC', 'x')).toBe(
        "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
      );
      expect(await t.fails('EXEC')).toBe('ERR EXEC without MULTI');
    });

    it('errors of values come at run time: the others run, nothing is undone', async () => {
      const replies = await t.exec([
        ['SET', 'k', 'text'],
        ['INCR', 'k'],
        ['LPUSH', 'k', 'x'],
        ['SET', 'k2', '2'],
      ]);
      expect(replies).toEqual([
        'OK',
        { error: 'ERR value is not an integer or out of range' },
        { error: WRONGTYPE },
        'OK',
      ]);
      expect(await t.call('MGET', 'k', 'k2')).toEqual(['text', '2']);
    });

    it('an aborted transaction says so even where a watched key changed as well', async () => {
      const other = await t.connect();
      await t.call('WATCH', 'w');
      await other.call('SET', 'w', '1');
      await t.call('MULTI');
      await t.fails('NOSUCH');
      expect(await t.fails('EXEC')).toBe(ABORTED);
    });

    // ---- sessions in it

    it('SELECT takes effect at EXEC, for the commands behind it and for good', async () => {
      expect(
        await t.exec([
          ['SET', 'k', 'zero'],
          ['SELECT', '5'],
          ['SET', 'k', 'five'],
        ]),
      ).toEqual(['OK', 'OK', 'OK']);
      expect(await t.call('GET', 'k')).toBe('five');
      await t.call('SELECT', '0');
      expect(await t.call('GET', 'k')).toBe('zero');
    });

    it('HELLO changes the protocol in the middle of the array', async () => {
      await t.call('HELLO', '2');
      await t.call('HSET', 'h', 'f', 'v');
      await run(t, ['MULTI'], ['HGETALL', 'h'], ['HELLO', '3'], ['HGETALL', 'h']);
      const { type, value } = await t.rich('EXEC');
      expect(type).toBe('array');
      expect((value as { type: string }[]).map((item) => item.type)).toEqual(['array', 'map', 'map']);
      await t.call('HELLO', String(t.protocol));
    });

    it('a change of a watched key is told by a null array', async () => {
      const other = await t.connect();
      await t.call('WATCH', 'w');
      await other.call('SET', 'w', '1');
      await t.call('MULTI');
      expect((await t.rich('EXEC')).type).toBe(t.protocol === 2 ? 'nullarray' : 'null');
    });

    it('blocking commands act as if their time were over', async () => {
      await t.call('MULTI');
      await run(t, ['BLPOP', 'l', '0'], ['BLMOVE', 'l', 'm', 'LEFT', 'LEFT', '0'], ['BZPOPMIN', 'z', '0']);
      const { value } = await t.rich('EXEC');
      const types = (value as { type: string }[]).map((item) => item.type);
      expect(types).toEqual(t.protocol === 2 ? ['nullarray', 'null', 'nullarray'] : ['null', 'null', 'null']);
    });

    it('nothing expires in the middle: the clock stands still', async () => {
      await t.call('SET', 'k', 'v', 'PX', '100');
      expect(
        await t.exec([
          ['PTTL', 'k'],
          ['DEBUG', 'SLEEP', '0.2'],
          ['GET', 'k'],
          ['PTTL', 'k'],
        ]),
      ).toEqual([100, 'OK', 'v', 100]);
      expect(await t.call('GET', 'k')).toBe(null);
    });

    it('what EXEC publishes to its own client comes behind the reply', async () => {
      const order: string[] = [];
      const info = {
        address: '',
        localAddress: '',
        fd: -1,
        local: true,
        trusted: true,
        queryBuffer: () => 0,
        outputBuffer: () => 0,
      };
      const outlet = { info, reply: () => {}, close: () => {}, push: () => order.push('too early') };
      const session = t.engine.connect(outlet);
      for (const line of ['HELLO 3', 'SUBSCRIBE c', 'MULTI', 'PUBLISH c hello']) {
        t.engine.execute(session, line.split(' '));
      }
      expect(session.takePushes()).toHaveLength(0);
      expect(t.engine.execute(session, ['EXEC'])).toEqual([1]);
      expect(order).toEqual([]);
      expect(session.takePushes()).toHaveLength(1);
      t.engine.disconnect(session);
    });

    // ---- WATCH

    it('runs where nothing changed, also keys that are missing', async () => {
      await t.call('SET', 'k', '1');
      await t.call('WATCH', 'k', 'missing', 'k');
      expect(await t.exec([['GET', 'k']])).toEqual(['1']);
    });

    it('watches belong to a database and survive SELECT', async () => {
      const other = await t.connect();
      await t.call('WATCH', 'k');
      await t.call('SELECT', '1');
      await run(other, ['SELECT', '1'], ['SET', 'k', '1']);
      expect(await t.exec([['PING']])).toEqual(['PONG']);
      await t.call('SELECT', '0');
      await t.call('WATCH', 'k');
      await t.call('SELECT', '1');
      await run(other, ['SELECT', '0'], ['SET', 'k', '1']);
      expect(await t.exec([['PING']])).toBe(null);
      await t.call('SELECT', '0');
    });

    it('WATCH of a dirty transaction answers OK and saves nothing; UNWATCH does', async () => {
      const other = await t.connect();
      await t.call('WATCH', 'k');
      await other.call('SET', 'k', '1');
      expect(await t.call('WATCH', 'k2')).toBe('OK');
      expect(await t.exec([['PING']])).toBe(null);
      await t.call('WATCH', 'k');
      await other.call('SET', 'k', '2');
      expect(await t.call('UNWATCH')).toBe('OK');
      expect(await t.exec([['PING']])).toEqual(['PONG']);
    });

    it('a queued UNWATCH cannot save the EXEC it is in', async () => {
      const other = await t.connect();
      await run(t, ['WATCH', 'k'], ['MULTI'], ['UNWATCH']);
      await other.call('SET', 'k', '1');
      expect(await t.call('EXEC')).toBe(null);
    });

    it('the watching client dirties itself before MULTI, never by EXEC', async () => {
      await run(t, ['WATCH', 'k'], ['SET', 'k', '1']);
      expect(await t.exec([['PING']])).toBe(null);
      await t.call('WATCH', 'k');
      expect(await t.exec([['SET', 'k', '2']])).toEqual(['OK']);
      // And the next one starts clean.
      expect(await t.exec([['SET', 'k', '3']])).toEqual(['OK']);
    });

    it('EXEC of one dirties the other', async () => {
      const other = await t.connect();
      await t.call('WATCH', 'k');
      await other.exec([['SET', 'k', '1']]);
      expect(await t.exec([['PING']])).toBe(null);
    });

    const dirtying: [title: string, setup: Command[], change: Command[]][] = [
      ['SET of the same value', [['SET', 'w', '1']], [['SET', 'w', '1']]],
      ['LSET of the same value', [['RPUSH', 'w', 'a']], [['LSET', 'w', '0', 'a']]],
      ['DEL', [['SET', 'w', '1']], [['DEL', 'w']]],
      [
        'creation and removal, though nothing is different',
        [],
        [
          ['SET', 'w', '1'],
          ['DEL', 'w'],
        ],
      ],
      ['EXPIRE', [['SET', 'w', '1']], [['EXPIRE', 'w', '100']]],
      ['PERSIST', [['SET', 'w', '1', 'EX', '100']], [['PERSIST', 'w']]],
      ['EXPIRE into the past', [['SET', 'w', '1']], [['EXPIRE', 'w', '-1']]],
      ['RENAME away', [['SET', 'w', '1']], [['RENAME', 'w', 'x']]],
      ['RENAME over it', [['SET', 'x', '1']], [['RENAME', 'x', 'w']]],
      ['COPY over it', [['SET', 'x', '1']], [['COPY', 'x', 'w']]],
      ['MOVE away', [['SET', 'w', '1']], [['MOVE', 'w', '1']]],
      ['SORT STORE', [['RPUSH', 'x', '1']], [['SORT', 'x', 'STORE', 'w']]],
      ['SORT STORE of nothing, which removes it', [['SET', 'w', '1']], [['SORT', 'x', 'STORE', 'w']]],
      ['SINTERSTORE of nothing', [['SET', 'w', '1']], [['SINTERSTORE', 'w', 'x', 'y']]],
      ['ZUNIONSTORE', [['ZADD', 'x', '1', 'a']], [['ZUNIONSTORE', 'w', '1', 'x']]],
      ['removal of the last element', [['SADD', 'w', 'a']], [['SREM', 'w', 'a']]],
      ['GETEX with an option', [['SET', 'w', '1']], [['GETEX', 'w', 'EX', '100']]],
      ['FLUSHDB', [['SET', 'w', '1']], [['FLUSHDB']]],
      ['FLUSHALL', [['SET', 'w', '1']], [['FLUSHALL']]],
      ['SWAPDB with an empty database', [['SET', 'w', '1']], [['SWAPDB', '0', '1']]],
      [
        'SWAPDB that brings it',
        [
          ['SELECT', '1'],
          ['SET', 'w', '1'],
          ['SELECT', '0'],
        ],
        [['SWAPDB', '1', '0']],
      ],
    ];
    for (const [title, setup, change] of dirtying) {
      it(`is dirty after ${title}`, async () => {
        expect(await survives(setup, ['w'], change)).toBe(false);
      });
    }

    const harmless: [title: string, setup: Command[], change: Command[]][] = [
      ['SADD of a member that is there', [['SADD', 'w', 'a']], [['SADD', 'w', 'a']]],
      ['DEL of a missing key', [], [['DEL', 'w']]],
      ['LREM that matches nothing', [['RPUSH', 'w', 'a']], [['LREM', 'w', '0', 'b']]],
      ['SET NX that fails', [['SET', 'w', '1']], [['SET', 'w', '2', 'NX']]],
      ['HDEL of a missing field', [['HSET', 'w', 'f', '1']], [['HDEL', 'w', 'g']]],
      ['ZADD of the same score', [['ZADD', 'w', '1', 'a']], [['ZADD', 'w', '1', 'a']]],
      ['TOUCH', [['SET', 'w', '1']], [['TOUCH', 'w']]],
      [
        'reads',
        [['SET', 'w', '1']],
        [
          ['GET', 'w'],
          ['STRLEN', 'w'],
          ['TTL', 'w'],
          ['OBJECT', 'ENCODING', 'w'],
        ],
      ],
      ['plain GETEX', [['SET', 'w', '1']], [['GETEX', 'w']]],
      ['PERSIST without a deadline', [['SET', 'w', '1']], [['PERSIST', 'w']]],
      ['EXPIRE whose condition fails', [['SET', 'w', '1']], [['EXPIRE', 'w', '100', 'XX']]],
      [
        'RENAMENX that fails',
        [
          ['SET', 'w', '1'],
          ['SET', 'x', '1'],
        ],
        [['RENAMENX', 'x', 'w']],
      ],
      ['COPY from it', [['SET', 'w', '1']], [['COPY', 'w', 'x']]],
      ['a failed command', [['SET', 'w', 'text']], []],
      ['FLUSHALL of a missing key', [['SET', 'x', '1']], [['FLUSHALL']]],
      ['SWAPDB of a key missing in both', [['SET', 'x', '1']], [['SWAPDB', '0', '1']]],
      ['SWAPDB of other databases', [['SET', 'w', '1']], [['SWAPDB', '2', '3']]],
      ['SWAPDB with itself', [['SET', 'w', '1']], [['SWAPDB', '0', '0']]],
      ['FLUSHDB of another database', [['SET', 'w', '1']], [['SELECT', '1'], ['FLUSHDB']]],
    ];
    for (const [title, setup, change] of harmless) {
      it(`is clean after ${title}`, async () => {
        expect(await survives(setup, ['w'], change)).toBe(true);
      });
    }

    it('is clean after a command that failed', async () => {
      const other = await t.connect();
      await other.call('SET', 'w', 'text');
      await t.call('WATCH', 'w');
      await other.fails('INCR', 'w');
      await other.fails('LPUSH', 'w', 'x');
      expect(await t.exec([['PING']])).toEqual(['PONG']);
    });

    // ---- WATCH and time

    it('is dirty once the key has expired, whether or not anybody noticed', async () => {
      const purges: Command[][] = [
        [],
        [['GET', 'w']],
        [['DBSIZE']],
        [['KEYS', '*']],
        [['SCAN', '0']],
        [['RANDOMKEY']],
      ];
      for (const purge of purges) {
        const other = await t.connect();
        await other.call('SET', 'w', '1', 'PX', '10');
        await t.call('WATCH', 'w');
        clock.advance(11);
        await run(other, ...purge);
        expect(await t.exec([['PING']])).toBe(null);
      }
    });

    it('is dirty where the active cycle removed it', async () => {
      await run(t, ['SET', 'w', '1', 'PX', '10'], ['WATCH', 'w']);
      clock.advance(11);
      t.engine.purge();
      expect(await t.call('DBSIZE')).toBe(0);
      expect(await t.exec([['PING']])).toBe(null);
    });

    /** Watches `w` when its time is over but it still lies there. */
    async function watchExpired(): Promise<TestClient> {
      const other = await t.connect();
      t.engine.setActiveExpire(false);
      await other.call('SET', 'w', '1', 'PX', '10');
      clock.advance(11);
      await t.call('WATCH', 'w');
      return other;
    }

    it('a key that was over at WATCH may go: by anyone, by the cycle, by FLUSHALL, by SWAPDB', async () => {
      const ways: Command[][] = [[], [['GET', 'w']], [['FLUSHALL']], [['SWAPDB', '0', '1']]];
      for (const way of ways) {
        const other = await watchExpired();
        await run(other, ...way);
        expect(await t.exec([['PING']])).toEqual(['PONG']);
        await other.call('FLUSHALL');
      }
      await watchExpired();
      t.engine.purge();
      expect(await t.call('DBSIZE')).toBe(0);
      expect(await t.exec([['PING']])).toEqual(['PONG']);
    });

    it('but who writes it then dirties', async () => {
      for (const first of [[], [['GET', 'w']]] as Command[][]) {
        const other = await watchExpired();
        await run(other, ...first, ['SET', 'w', '2']);
        expect(await t.exec([['PING']])).toBe(null);
        await other.call('DEL', 'w');
      }
    });

    it('SWAPDB: a missing key replaced by one that is over becomes such a one; over stays over', async () => {
      const other = await t.connect();
      t.engine.setActiveExpire(false);
      await run(other, ['SELECT', '1'], ['SET', 'w', '1', 'PX', '10'], ['SELECT', '0']);
      clock.advance(11);
      await t.call('WATCH', 'w');
      await other.call('SWAPDB', '0', '1');
      await other.call('GET', 'w');
      expect(await t.exec([['PING']])).toEqual(['PONG']);

      await run(other, ['SET', 'w', '1', 'PX', '10'], ['SELECT', '1'], ['SET', 'w', '1', 'PX', '10']);
      clock.advance(11);
      await t.call('WATCH', 'w');
      await other.call('SWAPDB', '0', '1');
      expect(await t.exec([['PING']])).toEqual(['PONG']);
    });

    it('SWAPDB that replaces one that is over by a live one dirties', async () => {
      const other = await watchExpired();
      await run(other, ['SELECT', '1'], ['SET', 'w', '1'], ['SWAPDB', '0', '1']);
      expect(await t.exec([['PING']])).toBe(null);
    });
  },
  { clock, config: { 'enable-debug-command': 'yes' } },
);
