// Server commands: INFO, CONFIG, TIME, DEBUG, SHUTDOWN. COMMAND is in introspection.ts.

import { globMatch } from '../data/glob.ts';
import { parseDouble } from '../data/numbers.ts';
import { encodingName } from '../keyspace/values.ts';
import { MapReply, NO_REPLY, OK, ReplyError, Status, Verbatim } from '../resp/reply.ts';
import { REPORTED_VERSION } from './connection.ts';
import { NOT_FLOAT, NOT_INTEGER, SYNTAX } from './errors.ts';
import type { EnginePort } from './ports.ts';
import { type Arg, command, container } from './spec.ts';

const ADMIN = ['admin', 'noscript', 'loading', 'stale'] as const;

export const server = {
  time: command<[], [seconds: string, microseconds: string]>({
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    group: 'server',
    since: '2.6.0',
    summary: 'Answers the Unix time in seconds and microseconds.',
    complexity: 'O(1)',
    tips: ['nondeterministic_output'],
    run: (_db, _args, env) => {
      const micros = env.micros();
      return [String(Math.floor(micros / 1e6)), String(micros % 1e6)];
    },
  }),
  info: command<[...sections: Arg[]], string>({
    arity: -1,
    flags: ['loading', 'stale'],
    group: 'server',
    since: '1.0.0',
    summary: 'Describes the server in sections of `field:value` lines.',
    complexity: 'O(1)',
    syntax: '[section [section ...]]',
    categories: ['dangerous'],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    control: (_session, args, engine) => new Verbatim(info(args.slice(1), engine)),
  }),
  config: container(
    { arity: -2, group: 'server', since: '2.0.0', summary: 'Reads and changes directives.' },
    {
      get: command<[...patterns: Arg[]], Record<string, string>>({
        arity: -3,
        flags: ADMIN,
        group: 'server',
        since: '2.0.0',
        summary: 'Answers the directives whose names match any of the patterns.',
        complexity: 'O(N) with the number of directives',
        syntax: 'parameter [parameter ...]',
        control: (_session, args, engine) => new MapReply(engine.config.get(args.slice(2)).flat()),
      }),
      set: command<[...namesAndValues: Arg[]], 'OK'>({
        arity: -4,
        flags: ADMIN,
        group: 'server',
        since: '2.0.0',
        summary: 'Changes directives, all or none.',
        complexity: 'O(N) with the number of directives',
        syntax: 'parameter value [parameter value ...]',
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        control: (_session, args, engine) => {
          if (args.length % 2 !== 0) return SYNTAX;
          const pairs: [string, string][] = [];
          for (let i = 2; i < args.length; i += 2) pairs.push([args[i], args[i + 1]]);
          return engine.config.set(pairs) ?? OK;
        },
      }),
      resetstat: command<[], 'OK'>({
        arity: 2,
        flags: ADMIN,
        group: 'server',
        since: '2.0.0',
        summary: 'Sets the counters of INFO back to zero.',
        complexity: 'O(1)',
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        control: (_session, _args, engine) => {
          const { stats } = engine.space;
          stats.hits = 0;
          stats.misses = 0;
          stats.expired = 0;
          engine.stats.reset();
          for (const entry of engine.table.all()) {
            for (const one of [entry, ...(entry.subcommands?.values() ?? [])]) {
              one.calls = 0;
              one.rejected = 0;
              one.failed = 0;
            }
          }
          return OK;
        },
      }),
      help: command<[], string[]>({
        arity: 2,
        flags: ['loading', 'stale'],
        group: 'server',
        since: '5.0.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        control: () =>
          [
            'CONFIG <subcommand> [<arg> ...]',
            'GET <pattern> [<pattern> ...]: directives and their values',
            'SET <directive> <value> [...]: changes directives, all or none',
            'RESETSTAT: sets the counters of INFO back',
          ].map((line) => new Status(line)),
      }),
    },
  ),
  shutdown: command<[...options: Arg[]], 'OK'>({
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
    group: 'server',
    since: '1.0.0',
    summary: 'Ends the server.',
    complexity: 'O(N) with the size of what has to be saved',
    syntax: '[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]',
    // What a script has half done is not to be saved.
    allowedBusy: (args) => args.slice(1).some((arg) => arg.toLowerCase() === 'nosave'),
    control: (_session, args, engine) => {
      let save: boolean | null = null;
      for (const arg of args.slice(1)) {
        const option = arg.toLowerCase();
        if (option === 'nosave') save = false;
        else if (option === 'save') save = true;
        else if (option === 'abort') return new ReplyError('ERR No shutdown in progress.');
        else if (option !== 'now' && option !== 'force') return SYNTAX;
      }
      return engine.shutdown(save) ?? NO_REPLY;
    },
  }),
  debug: container(
    {
      arity: -2,
      flags: ['admin', 'noscript', 'loading', 'stale', 'protected'],
      group: 'server',
      since: '1.0.0',
      summary: 'Tools for testing the server.',
    },
    {
      sleep: command<[seconds: number], 'OK'>({
        ...debugRow(3, 'Stops the whole server for a while.', 'seconds'),
        control: (_session, args, engine) => {
          const seconds = parseDouble(args[2]);
          if (seconds === null) return NOT_FLOAT;
          if (seconds > 0) engine.sleep(Math.min(seconds * 1000, 2 ** 31 - 1));
          return OK;
        },
      }),
      setActiveExpire: command<[on: 0 | 1], 'OK'>({
        ...debugRow(3, 'Turns the background purge of expired keys on or off.', '0|1'),
        control: (_session, args, engine) => {
          if (args[2] !== '0' && args[2] !== '1') return NOT_INTEGER;
          engine.setActiveExpire(args[2] === '1');
          return OK;
        },
      }),
      stringmatchTest: command<[], string>({
        ...debugRow(2, 'Matches random globs against random texts, as a test of the matcher.', ''),
        control: (_session, _args, engine) => {
          const { space } = engine;
          const text = (length: number): string => {
            let out = '';
            for (let i = space.randomInt(length); i > 0; i--)
              out += String.fromCharCode(space.randomInt(128));
            return out;
          };
          for (let i = 0; i < 20_000; i++) globMatch(text(32), text(32), space.randomInt(2) === 1);
          return new Status('Apparently Redis did not crash: test passed');
        },
      }),
      stringmatchLen: command<[length: number, pattern: Arg], number>({
        ...debugRow(4, 'Matches a glob against as many a as it is told.', 'length pattern'),
        control: (_session, args) => {
          if (!/^\d{1,9}$/.test(args[2])) return NOT_INTEGER;
          return globMatch(args[3], 'a'.repeat(Number(args[2]))) ? 1 : 0;
        },
      }),
      object: command<[key: Arg], string>({
        ...debugRow(-3, 'Describes the value of a key.', 'key'),
        control: (session, args) => {
          const value = session.db.peek(args[2]);
          if (value === undefined) return new ReplyError('ERR no such key');
          const word = session.db.accessWord(args[2]) ?? 0;
          const { space } = session.db;
          return new Status(
            `Value refcount:1 encoding:${encodingName(value)} lru:${word} lru_seconds_idle:${space.lfu ? 0 : space.idleSeconds(word)}`,
          );
        },
      }),
      help: command<[], string[]>({
        ...debugRow(2, 'Lists the subcommands.', ''),
        control: () =>
          [
            'DEBUG <subcommand> [<arg> ...]',
            'OBJECT <key>: encoding and access time of a value',
            'SET-ACTIVE-EXPIRE (0|1): background purge of expired keys',
            'SLEEP <seconds>: stops the server for a while',
            'STRINGMATCH-LEN <length> <pattern>: matches a glob against so many a',
            'STRINGMATCH-TEST: tests the glob matcher',
          ].map((line) => new Status(line)),
      }),
    },
  ),
};

function debugRow(arity: number, summary: string, syntax: string) {
  return {
    arity,
    flags: ['admin', 'noscript', 'loading', 'stale', 'protected'] as const,
    group: 'server' as const,
    since: '1.0.0',
    summary,
    syntax,
    complexity: 'Depends on the subcommand',
  };
}

type Field = readonly [name: string, value: string | number];

const SECTIONS: Readonly<Record<string, (engine: EnginePort) => Field[]>> = {
  Server: (engine) => {
    const up = Math.max(0, Math.floor((engine.space.now() - engine.stats.startedAt) / 1000));
    return [
      ['redis_version', REPORTED_VERSION],
      ['redis_mode', 'standalone'],
      ['run_id', engine.runId],
      ['server_time_usec', engine.space.micros()],
      ['uptime_in_seconds', up],
      ['uptime_in_days', Math.floor(up / 86400)],
      ['hz', engine.config.value('hz')],
      ['configured_hz', engine.config.value('hz')],
    ];
  },
  Clients: (engine) => {
    const sessions = [...engine.sessions.values()];
    return [
      ['connected_clients', sessions.length],
      ['maxclients', engine.config.value('maxclients')],
      ['blocked_clients', sessions.filter((s) => s.isBlocked).length],
    ];
  },
  Memory: (engine) => [
    ['used_memory_scripts_eval', engine.scripts.memory],
    ['number_of_cached_scripts', engine.scripts.count],
    ['number_of_functions', engine.functions.counts.functions],
    ['number_of_libraries', engine.functions.counts.libraries],
    ['maxmemory_policy', engine.config.value('maxmemory-policy')],
  ],
  Persistence: (engine) =>
    engine.persistence?.info() ?? [
      ['loading', 0],
      ['rdb_changes_since_last_save', engine.space.dirty],
      ['aof_enabled', 0],
    ],
  Stats: (engine) => [
    ['total_connections_received', engine.stats.connections],
    ['total_commands_processed', engine.stats.commands],
    ['total_net_input_bytes', engine.stats.netInput],
    ['total_net_output_bytes', engine.stats.netOutput],
    ['rejected_connections', engine.stats.rejectedConnections],
    ['expired_keys', engine.space.stats.expired],
    ['evicted_scripts', engine.stats.evictedScripts],
    ['keyspace_hits', engine.space.stats.hits],
    ['keyspace_misses', engine.space.stats.misses],
    ['pubsub_channels', engine.pubsub.channels('channel').length],
    ['pubsub_patterns', engine.pubsub.patternCount()],
    ['pubsubshard_channels', engine.pubsub.channels('shard').length],
    ['total_error_replies', [...engine.stats.errors.values()].reduce((sum, n) => sum + n, 0)],
  ],
  Replication: () => [
    ['role', 'master'],
    ['connected_slaves', 0],
  ],
  CPU: () => [],
  Errorstats: (engine) =>
    [...engine.stats.errors].map(([code, count]) => [`errorstat_${code}`, `count=${count}`] as const),
  Cluster: () => [['cluster_enabled', 0]],
  Keyspace: (engine) =>
    engine.space.dbs
      .filter((db) => db.size > 0)
      .map((db) => [`db${db.index}`, `keys=${db.size},expires=${db.expires},avg_ttl=0`] as const),
};

/** Sections that INFO shows only when asked by name or `everything`. */
const ON_REQUEST = ['Commandstats'];

function info(asked: readonly string[], engine: EnginePort): string {
  const names = new Set(asked.map((name) => name.toLowerCase()));
  const everything = names.has('all') || names.has('everything');
  const usual = names.size === 0 || names.has('default') || everything;
  let out = '';
  for (const [section, fields] of Object.entries({ ...SECTIONS, Commandstats: commandStats })) {
    const shown = ON_REQUEST.includes(section) ? everything : usual;
    if (!shown && !names.has(section.toLowerCase())) continue;
    if (out !== '') out += '\r\n';
    out += `# ${section}\r\n`;
    for (const [name, value] of [...fields(engine), ...engine.surroundings(section)])
      out += `${name}:${value}\r\n`;
  }
  return out;
}

function commandStats(engine: EnginePort): Field[] {
  const found: Field[] = [];
  for (const entry of engine.table.all()) {
    for (const one of [entry, ...(entry.subcommands?.values() ?? [])]) {
      if (one.calls + one.rejected === 0) continue;
      found.push([
        `cmdstat_${one.name}`,
        `calls=${one.calls},rejected_calls=${one.rejected},failed_calls=${one.failed}`,
      ]);
    }
  }
  return found;
}
