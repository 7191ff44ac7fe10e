// The deliberate differences from Redis that docs/differences.md lists, each shown on real behaviour. The page names
// these tests; docs.test.ts sees to it that it names them all.

import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNSUPPORTED_AREAS } from '../../src/commands/unsupported.ts';
import { Crc64 } from '../../src/data/crc64.ts';
import { UNSUPPORTED_NAMES, unsupportedDirective } from '../../src/engine/unsupported-directives.ts';
import { type Database, open, VirtualClock } from '../../src/index.ts';
import { dumpLibraries } from '../../src/persistence/rdb/payload.ts';
import { ConfigurationError, readConfiguration } from '../../src/server/configuration.ts';
import { listen } from '../../src/server/index.ts';
import { Wire } from '../support/wire.ts';

let db: Database;
beforeEach(async () => {
  db = await open({ seed: 1, clock: new VirtualClock(), config: { 'enable-debug-command': 'yes' } });
});
afterEach(() => db.close());

function errorOf(...[name, ...args]: (string | number)[]): string {
  try {
    db.call(String(name), ...args);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
}

const MISSING = UNSUPPORTED_AREAS.flatMap((area) => area.commands.map((name) => ({ name, ...area })));

/** A payload with a right checksum around any body. */
function sealed(body: string, version: number): Uint8Array {
  const bytes = Buffer.concat([Buffer.from(body, 'latin1'), Buffer.alloc(10)]);
  bytes.writeUInt16LE(version, body.length);
  new Crc64().add(bytes, 0, body.length + 2).write(bytes, body.length + 2);
  return bytes;
}

describe('scripts', () => {
  it('there is no debugger of scripts', () => {
    expect(db.scriptDebug('NO')).toBe('OK');
    expect(errorOf('SCRIPT', 'DEBUG', 'YES')).toContain("'SCRIPT DEBUG' is not supported by Holdfast");
    expect(errorOf('SCRIPT', 'DEBUG', 'SYNC')).toContain("'SCRIPT DEBUG' is not supported by Holdfast");
  });

  it('SCRIPT SHOW answers the text of a script', () => {
    expect(db.scriptShow(db.scriptLoad('return 1'))).toBe('return 1');
    expect(errorOf('SCRIPT', 'SHOW', 'x')).toBe('NOSCRIPT No matching script. Please use EVAL.');
  });

  it('scripts are told which commands are missing', () => {
    expect(errorOf('EVAL', "return redis.pcall('XLEN', 's')", 0)).toBe(
      "ERR 'XLEN' is not supported by Holdfast yet: streams come later (see docs/differences.md)",
    );
    expect(errorOf('EVAL', "return redis.pcall('nosuch')", 0)).toBe(
      'ERR Unknown Redis command called from script',
    );
  });

  it('an error without a text is an unknown error', () => {
    expect(errorOf('EVAL', 'error({})', 0)).toMatch(
      /^ERR unknown error script: \w{40}, on @user_script:1\.$/,
    );
  });

  it('scripts have the globals that are listed', () => {
    const names = db.eval(
      'local names = {} for k in pairs(_G) do names[#names + 1] = k end return names',
    ) as string[];
    expect(names).toContain('server');
    expect(db.eval('return redis == server')).toBe(1);
    for (const name of ['__redis__err__handler', 'KEYS', 'ARGV']) expect(names).not.toContain(name);
    expect(db.eval('return _G.KEYS', { keys: ['k'] })).toEqual(['k']);
  });

  it('there is one user for scripts', () => {
    expect(db.eval("return redis.acl_check_cmd('flushall')")).toBe(1);
    expect(errorOf('EVAL', "return redis.acl_check_cmd('nosuch')", 0)).toMatch(/^ERR Invalid command passed/);
  });
});

describe('commands', () => {
  it('missing commands answer what is missing', () => {
    for (const { name, when, planned } of MISSING) {
      const shown = name.replace('|', ' ').toUpperCase();
      expect(errorOf(...name.split('|'), 'argument')).toBe(
        `ERR '${shown}' is not supported by Holdfast${planned ? ' yet' : ''}: ${when} (see docs/differences.md)`,
      );
    }
    db.multi();
    expect(errorOf('XADD', 's', '*', 'f', 'v')).toContain('not supported');
    expect(errorOf('EXEC')).toMatch(/^EXECABORT/);
  });

  it('COMMAND does not list them', () => {
    const listed = db.commandList();
    expect(listed).toContain('get');
    expect(MISSING.filter(({ name }) => listed.includes(name))).toEqual([]);
    expect(db.commandInfo('xadd')).toEqual([null]);
    expect(Object.keys(db.commandDocs('xadd'))).toEqual([]);
    expect(db.commandCount()).toBe(listed.length);
  });

  it('HELP is in our own words', () => {
    for (const container of ['CLIENT', 'COMMAND', 'CONFIG', 'DEBUG', 'FUNCTION', 'OBJECT', 'PUBSUB']) {
      const lines = db.call(container, 'HELP') as string[];
      expect(lines[0].startsWith(container)).toBe(true);
      expect(lines.join()).not.toContain('[<arg> [value] [opt] ...]');
    }
  });

  it('COMMAND DOCS has our own summaries and argument trees', () => {
    const { set } = db.commandDocs('set') as { set: Record<string, unknown> };
    expect(Object.keys(set)).toEqual(['summary', 'since', 'group', 'complexity', 'arguments']);
    const fields = (set.arguments as object[]).flatMap(Object.keys);
    expect(new Set(fields)).toEqual(new Set(['name', 'type', 'token', 'flags', 'arguments']));
    expect(set.summary).not.toBe(
      "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
    );
  });

  it('DEBUG has only some subcommands', () => {
    expect(db.call('DEBUG', 'STRINGMATCH-LEN', '10', 'a*')).toBe(1);
    expect(errorOf('DEBUG', 'JMAP')).toMatch(/^ERR unknown subcommand 'JMAP'/);
    expect(errorOf('DEBUG', 'RELOAD')).toContain("'DEBUG RELOAD' is not supported by Holdfast");
  });

  it('DEBUG OBJECT has no address and no serialized length', () => {
    db.set('k', 'v');
    expect(db.debugObject('k')).toMatch(/^Value refcount:1 encoding:embstr lru:\d+ lru_seconds_idle:0$/);
  });

  it('CLIENT LIST estimates memory or says 0', () => {
    db.multi();
    db.call('SET', 'k', 'v');
    const other = db.session();
    const line = other.clientList().split('\n')[0];
    expect(line).toContain(
      ' qbuf-free=0 argv-mem=0 multi-mem=5 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=5 events=r ',
    );
  });

  it('a session in process has no address', () => {
    expect(db.clientInfo()).toMatch(/^id=1 addr=in-process:0 laddr=in-process:0 fd=-1 /);
  });

  it('a refused command drops what was queued', () => {
    const info = (): string => /multi=\S+/.exec(other.clientList('ID', db.id))?.[0] ?? '';
    const other = db.session();
    db.multi();
    db.call('SET', 'k', 'v');
    expect(info()).toBe('multi=1');
    expect(errorOf('NOSUCH')).toMatch(/^ERR unknown command/);
    expect(info()).toBe('multi=0');
    expect(errorOf('EXEC')).toMatch(/^EXECABORT/);
    expect(db.exists('k')).toBe(0);
  });

  it('OBJECT REFCOUNT answers by the value alone', () => {
    db.mset('small', 9999, 'big', 10000, 'text', 'abc');
    db.rpush('l', 1);
    expect(['small', 'big', 'text', 'l'].map((key) => db.objectRefcount(key))).toEqual([2147483647, 1, 1, 1]);
  });

  it('OBJECT IDLETIME counts by key', async () => {
    const clock = new VirtualClock();
    const timed = await open({ clock });
    timed.incrby('old', 100);
    clock.advance(5000);
    timed.incrby('new', 100);
    expect([timed.objectIdletime('old'), timed.objectIdletime('new')]).toEqual([5, 0]);
    timed.close();
  });

  it('there is no user but default', () => {
    expect(errorOf('AUTH', 'ada', 'secret')).toMatch(/^WRONGPASS/);
    expect(errorOf('HELLO', '3', 'AUTH', 'ada', 'secret')).toMatch(/^WRONGPASS/);
    expect(errorOf('CLIENT', 'KILL', 'USER', 'ada')).toBe("ERR No such user 'ada'");
    expect(db.clientInfo()).toContain(' user=default ');
  });

  it('INFO has only the fields that are listed', () => {
    const sections = [...db.info().matchAll(/^# (\w+)/gm)].map((match) => match[1]);
    expect(sections).toEqual([
      ...[
        'Server',
        'Clients',
        'Memory',
        'Persistence',
        'Stats',
        'Replication',
        'CPU',
        'Errorstats',
        'Cluster',
      ],
      'Keyspace',
    ]);
    expect(db.info()).not.toMatch(
      /^(rdb_last_save_time|evicted_keys|instantaneous_ops_per_sec|used_memory_lua):/m,
    );
    db.set('k', 'v', 'EX', 100);
    expect(db.info('keyspace')).toBe('# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=0\r\n');
    expect(db.info('commandstats')).toMatch(/^cmdstat_set:calls=\d+,rejected_calls=\d+,failed_calls=\d+\r$/m);
  });

  it('DUMP is for Redis 7.0 and later', () => {
    db.sadd('words', 'b', 'a');
    expect(db.objectEncoding('words')).toBe('listpack');
    // A hash table's type byte, two strings, and the version.
    expect(Buffer.from(db.dump('words')!).toString('latin1').slice(0, -8)).toBe('\x02\x02\x01b\x01a\x0a\x00');
    db.restore('listpack', 0, sealed('\x14\x0d\x0d\0\0\0\x02\0\x81b\x02\x81a\x02\xff', 11));
    expect(db.smembers('listpack')).toEqual(['b', 'a']);
    expect(() => db.restore('later', 0, sealed('\0\x01v', 12))).toThrow(
      'ERR DUMP payload version or checksum are wrong',
    );
  });

  it('RESTORE takes nothing that is broken', () => {
    // A listpack whose entry reaches beyond its end, one with a field twice, and members out of order in an intset.
    for (const body of [
      '\x10\x0c\x0c\0\0\0\x02\0\x81f\x02\x85v\xff',
      '\x04\x02\x01f\x01v\x01f\x01w',
      '\x0b\x0c\x02\0\0\0\x02\0\0\0\x05\0\x04\0',
    ]) {
      expect(() => db.restore('broken', 0, sealed(body, 10))).toThrow('ERR Bad data format');
    }
    expect(db.exists('broken')).toBe(0);
  });

  it('FUNCTION DUMP is for Redis 7.0 and later', () => {
    db.functions.load("#!lua name=a\nredis.register_function('f', function() return 1 end)");
    const payload = db.functions.dump();
    expect([...payload.subarray(-10, -8)]).toEqual([10, 0]);
    const of = (version: number): Uint8Array => {
      const changed = payload.slice();
      changed[changed.length - 10] = version;
      new Crc64().add(changed, 0, changed.length - 8).write(changed, changed.length - 8);
      return changed;
    };
    db.functions.restore(of(11), 'replace');
    expect(db.fcall('f')).toBe(1);
    expect(() => db.functions.restore(of(12), 'replace')).toThrow(
      'ERR DUMP payload version or checksum are wrong',
    );
  });

  it('FUNCTION RESTORE ends a library that does not end', () => {
    const endless = "#!lua name=a\nredis.register_function('f', function() end)\nwhile true do end";
    const payload = Buffer.from(dumpLibraries([endless]), 'latin1');
    expect(() => db.functions.restore(payload)).toThrow(
      'ERR Error registering functions: ERR FUNCTION LOAD timeout',
    );
  });

  it('two functions of a library differ in more than case', () => {
    const code =
      "#!lua name=a\nredis.register_function('f', function() end) redis.register_function('F', function() end)";
    expect(() => db.functions.load(code)).toThrow('ERR Function F already exists');
  });

  it('errors of FUNCTION LOAD are one line', async () => {
    const server = await listen(db, { port: 0 });
    const wire = await Wire.open({ port: server.port });
    const first = await wire.call('FUNCTION', 'LOAD', '#!lua name=a "x\\r\\ny"\n');
    expect(first.text).toBe('ERR Invalid metadata value given: x  y');
    const second = await wire.call('FUNCTION', 'LOAD', '#!lua name=a\nreturn redis["a\\r\\nb"]');
    expect(second.text).toMatch(/nonexistent global variable 'a {2}b'$/);
    wire.close();
    await server.close();
  });

  it('SHUTDOWN is for servers', () => {
    expect(errorOf('SHUTDOWN', 'SAVE')).toBe(
      'ERR SHUTDOWN is for servers: an embedded engine ends by close()',
    );
    expect(db.ping()).toBe('PONG');
  });
});

describe('directives', () => {
  it('directives without effect are refused with what holds instead', () => {
    for (const name of UNSUPPORTED_NAMES) {
      const error = errorOf('CONFIG', 'SET', name, 'certainly-not-what-holds');
      expect(error).toBe(
        `ERR CONFIG SET failed (possibly related to argument '${name}') - not supported by Holdfast: ${unsupportedDirective(name)} (see docs/differences.md)`,
      );
    }
    expect(db.configSet('rdbchecksum', 'yes')).toBe('OK');
    expect(db.configGet('rdbchecksum')).toEqual({});
    expect(errorOf('CONFIG', 'REWRITE')).toContain('it does not write its configuration file');
  });

  it('CONFIG GET answers maxmemory as turned off', () => {
    expect({ ...db.configGet('maxmemory') }).toEqual({ maxmemory: '0' });
    expect(Object.keys(db.configGet('*')).filter((name) => unsupportedDirective(name) !== null)).toHaveLength(
      1,
    );
  });

  it('an unknown directive is an error in our own words', () => {
    const files = { read: () => 'maxmemmory 1\n', list: () => [] };
    expect(() => readConfiguration(['redis.conf'], files)).toThrow(
      new ConfigurationError("unknown directive 'maxmemmory' at redis.conf:1: did you mean 'maxmemory'?"),
    );
  });

  it('bind is the loopback and maxclients as asked', async () => {
    expect({ ...db.configGet('bind') }).toEqual({ bind: '127.0.0.1 -::1' });
    // More than any system lets one process have open.
    expect(db.configSet('maxclients', 4_000_000_000)).toBe('OK');
    expect({ ...db.configGet('maxclients') }).toEqual({ maxclients: '4000000000' });
  });

  it('include takes patterns in the name of the file only', () => {
    const files = {
      read: (path: string) => (path.endsWith('.conf') ? 'timeout 7\n' : ''),
      list: () => ['a.conf'],
    };
    const read = (include: string) =>
      readConfiguration(['main'], {
        ...files,
        read: (path) => (path === 'main' ? `include ${include}\n` : files.read(path)),
      });
    expect(read('conf.d/*.conf').values).toEqual({ timeout: '7' });
    expect(() => read('conf.?/a.conf')).toThrow("main:1: include takes patterns in the file's name only");
  });

  it('maxmemory-policy only chooses between IDLETIME and FREQ', () => {
    db.set('k', 'v');
    expect(db.objectIdletime('k')).toBe(0);
    db.configSet('maxmemory-policy', 'allkeys-lfu');
    expect(db.objectFreq('k')).toBeGreaterThanOrEqual(0);
    expect(errorOf('OBJECT', 'IDLETIME', 'k')).toMatch(/^ERR An LFU maxmemory policy is selected/);
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address;

  it.skipIf(outside === undefined)('protected mode refuses in our own words', async () => {
    const server = await listen(db, { port: 0, bind: ['0.0.0.0'] });
    const words = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.port, outside);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    await server.close();
    expect(words).toMatch(/^-DENIED Holdfast is running in protected mode: no password is set, .*\r\n$/);
  });
});

describe('order and chance', () => {
  it('SCAN sees what stays, in its own order', () => {
    for (let i = 0; i < 5000; i++) db.set(`stays:${i}`, i);
    const seen = new Set<string>();
    let cursor = '0';
    let calls = 0;
    do {
      const [next, keys] = db.scan(cursor, 'COUNT', 100);
      for (const key of keys) seen.add(key);
      cursor = next;
      // Keys come and go meanwhile.
      for (let i = 0; i < 50; i++) db.set(`new:${calls}:${i}`, 1);
      db.del(`new:${calls - 1}:0`);
      calls++;
    } while (cursor !== '0' && calls < 10_000);
    expect(cursor).toBe('0');
    for (let i = 0; i < 5000; i++) expect(seen.has(`stays:${i}`)).toBe(true);
  });

  it('small collections have the order of Redis', () => {
    db.sadd('numbers', 30, 1, 20);
    expect(db.smembers('numbers')).toEqual(['1', '20', '30']);
    db.hset('h', 'z', 1, 'a', 2, 'm', 3);
    expect(db.hkeys('h')).toEqual(['z', 'a', 'm']);
    db.sadd('words', 'z', 'a', 'm');
    expect(db.smembers('words')).toEqual(['z', 'a', 'm']);
  });

  it('chance repeats with its seed', async () => {
    const runs: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      const same = await open({ seed: 42 });
      for (let i = 0; i < 100; i++) same.sadd('s', i);
      runs.push(Array.from({ length: 20 }, () => same.spop('s')));
      same.close();
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(new Set(runs[0] as string[]).size).toBe(20);
  });

  it('SORT ALPHA compares bytes', () => {
    db.rpush('l', 'b', 'B', 'a', 'é', 'z');
    expect(db.sort('l', 'ALPHA')).toEqual(['B', 'a', 'b', 'z', 'é']);
  });
});

describe('limits', () => {
  it('a string is at most as long as V8 allows', () => {
    const longest = 2 ** 29 - 24;
    expect(() => 'x'.repeat(longest)).not.toThrow();
    expect(() => 'x'.repeat(longest + 1)).toThrow(RangeError);
    const error = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
    expect(errorOf('SETRANGE', 'k', longest, 'x')).toBe(error);
    db.configSet('proto-max-bulk-len', '1gb');
    expect(errorOf('SETRANGE', 'k', longest, 'x')).toBe(error);
    expect(db.exists('k')).toBe(0);
  });

  it('repeated random choices are limited', () => {
    db.sadd('s', 'a');
    db.hset('h', 'f', 'v');
    db.zadd('z', 1, 'm');
    for (const [command, key] of [
      ['SRANDMEMBER', 's'],
      ['HRANDFIELD', 'h'],
      ['ZRANDMEMBER', 'z'],
    ]) {
      expect(errorOf(command, key, -(2 ** 24) - 1)).toBe('ERR value is out of range');
      expect(db.call(command, key, -1000)).toHaveLength(1000);
    }
  });
});
