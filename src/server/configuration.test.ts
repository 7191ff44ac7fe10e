// redis.conf's syntax and the command line, without files and without a server.
import { describe, expect, it } from 'vitest';
import { Config } from '../engine/config.ts';
import {
  type Configuration,
  commandLine,
  type Files,
  fileLines,
  nearest,
  readConfiguration,
} from './configuration.ts';

function files(contents: Record<string, string>): Files {
  return {
    read: (path) => {
      if (path in contents) return contents[path];
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    },
    list: (folder) =>
      Object.keys(contents)
        .filter((path) => path.startsWith(folder === '.' ? '' : folder))
        .map((path) => path.split('/').at(-1) as string),
  };
}

const read = (args: string[], contents: Record<string, string> = {}): Configuration =>
  readConfiguration(args, files(contents));
const ofFile = (text: string): Configuration => read(['redis.conf'], { 'redis.conf': text });

describe('redis.conf', () => {
  it('has one directive a line, comments and quotes', () => {
    expect(
      fileLines(
        'r',
        '# comment\n\n  port 7000  \r\n\trequirepass "a b\\x41\\n"\nbind \'::1\' 127.0.0.1\n#timeout 5',
      ),
    ).toEqual([
      { where: 'r:3', words: ['port', '7000'] },
      { where: 'r:4', words: ['requirepass', 'a bA\n'] },
      { where: 'r:5', words: ['bind', '::1', '127.0.0.1'] },
    ]);
  });

  it('gives normalised values; the last of a repeated directive counts, output limits add up', () => {
    const { values, warnings } = ofFile(
      [
        'PORT 7000',
        'port 7001',
        'client-query-buffer-limit 2mb',
        'client-output-buffer-limit normal 1mb 0 0',
        'client-output-buffer-limit replica 256mb 64mb 60',
        'client-output-buffer-limit pubsub 1kb 1k 1',
        'notify-keyspace-events ""',
        'unixsocketperm 0770',
        'hash-max-ziplist-entries 9',
      ].join('\n'),
    );
    expect(values).toEqual({
      port: '7001',
      'client-query-buffer-limit': '2097152',
      'client-output-buffer-limit': 'normal 1048576 0 0 slave 268435456 67108864 60 pubsub 1024 1000 1',
      'notify-keyspace-events': '',
      unixsocketperm: '770',
      'hash-max-listpack-entries': '9',
    });
    expect(warnings).toEqual([]);
    expect(() => new Config(values)).not.toThrow();
  });

  it('includes files where they stand, also by pattern', () => {
    const { values } = read(['a.conf'], {
      'a.conf': 'timeout 1\ninclude b.conf\ntimeout 3\ninclude conf.d/*.conf\ninclude none/*.conf',
      'b.conf': 'timeout 2\nhz 20',
      'conf.d/2.conf': 'maxclients 2',
      'conf.d/1.conf': 'maxclients 1',
      'conf.d/3.txt': 'maxclients 3',
    });
    expect(values).toEqual({ timeout: '3', hz: '20', maxclients: '2' });
  });

  it.each([
    ['port 7000\nnosuch 1', "unknown directive 'nosuch' at redis.conf:2"],
    ['maxmemmory 1', "unknown directive 'maxmemmory' at redis.conf:1: did you mean 'maxmemory'?"],
    ['\nport abc', "redis.conf:2: port takes an integer from 0 to 65535; not 'abc'"],
    ['port 70000', "redis.conf:1: port takes an integer from 0 to 65535; not '70000'"],
    ['port', 'redis.conf:1: port takes an integer from 0 to 65535; nothing is given'],
    ['port 1 2', 'redis.conf:1: port takes an integer from 0 to 65535; 2 words are given'],
    ['protected-mode maybe', "redis.conf:1: protected-mode takes yes or no; not 'maybe'"],
    [
      'proto-max-bulk-len x',
      "redis.conf:1: proto-max-bulk-len takes a number of bytes such as 100, 64kb or 1gb; not 'x'",
    ],
    ['maxmemory-policy lru', /redis.conf:1: maxmemory-policy takes one of volatile-lru, .*; not 'lru'/],
    ['client-output-buffer-limit normal 1', /takes <normal\|replica\|pubsub> <hard limit>/],
    ['requirepass "abc', 'redis.conf:1: unbalanced quotes'],
    ['include other.conf', "redis.conf:1: cannot read 'other.conf': no such file"],
    ['include redis.conf', "redis.conf:1: 'redis.conf' includes itself"],
  ])('%j is an error', (text, message) => {
    expect(() => ofFile(text)).toThrow(message);
  });

  it('warns of what has no effect, once a line, unless it asks for nothing', () => {
    const { values, warnings } = ofFile(
      [
        'save 900 1',
        'appendonly no',
        'save ""',
        'maxmemory 0',
        'maxmemory 1gb',
        'user bob on',
        'tls-port 0',
      ].join('\n'),
    );
    expect(values).toEqual({ appendonly: 'no', save: '' });
    expect(warnings).toEqual([
      'redis.conf:5: maxmemory has no effect: memory is not limited and nothing is evicted yet',
      expect.stringMatching(/^redis.conf:6: user has no effect: there is no user but default/),
    ]);
  });
});

describe('the command line', () => {
  it('has values behind --directive, as redis-server takes them', () => {
    expect(commandLine(['--port', '7000', '--bind', '127.0.0.1', '::1', '--hz 20'])).toEqual([
      { where: '--port', words: ['port', '7000'] },
      { where: '--bind', words: ['bind', '127.0.0.1', '::1'] },
      { where: '--hz', words: ['hz', '20'] },
    ]);
    // What follows a name is its value, whatever it looks like.
    expect(commandLine(['--requirepass', '--secret'])).toEqual([
      { where: '--requirepass', words: ['requirepass', '--secret'] },
    ]);
    for (const args of [
      ['--save', '', '--port', '1'],
      ['--save', '--port', '1'],
      ['--port', '1', '--save'],
    ]) {
      expect(read(args)).toEqual({ values: { port: '1', save: '' }, warnings: [] });
    }
  });

  it('wins over the file', () => {
    const { values } = read(['r.conf', '--timeout', '2'], { 'r.conf': 'timeout 1\nhz 20' });
    expect(values).toEqual({ timeout: '2', hz: '20' });
  });

  it('keeps the bytes of what is not ASCII', () => {
    expect(read(['--requirepass', 'pässwort']).values.requirepass).toBe('p\xc3\xa4sswort');
  });

  it.each([
    [['--prot', '1'], "unknown directive 'prot' on the command line: did you mean 'port'?"],
    [['--port'], '--port takes an integer from 0 to 65535; nothing is given'],
    [['--port', 'x'], "--port takes an integer from 0 to 65535; not 'x'"],
    [['--port=7000'], '--port=7000: write --port 7000, with a space'],
    [['-p', '7000'], "'-p' is no option: options look like --port 6379"],
    [['nosuch.conf'], "cannot read 'nosuch.conf': no such file"],
  ])('%j is an error', (args, message) => {
    expect(() => read(args)).toThrow(message);
  });

  it('warns by the name of the directive', () => {
    expect(read(['--maxmemory', '1gb']).warnings).toEqual([
      '--maxmemory has no effect: memory is not limited and nothing is evicted yet',
    ]);
  });

  it('adds up save points, until an empty one', () => {
    const save = (...lines: string[]): string => ofFile(lines.join('\n')).values.save;
    expect(save('save 900 1', 'save 300 10 60 10000')).toBe('900 1 300 10 60 10000');
    expect(save('save 900 1', 'save ""', 'save 60 5')).toBe('60 5');
  });
});

it('nearest finds a name that is a few edits away, and nothing for noise', () => {
  expect(nearest('tiemout', ['timeout', 'port'])).toBe('timeout');
  expect(nearest('qqqqqq', ['timeout', 'port'])).toBeNull();
});
