// Directives of Redis 7.2 that Holdfast knows but does not honour. In redis.conf they cause a warning that says
// what happens instead, CONFIG GET does not list them (but TURNED_OFF) and CONFIG SET refuses them. A value that
// asks for nothing Holdfast does not do anyway (`appendonly no`) is accepted in silence.

interface Area {
  /** What happens instead; completes "directive 'x' has no effect: …". */
  readonly instead: string;
  /** By name: the values that ask for nothing, apart by `|`; null where every value does ask. */
  readonly directives: Readonly<Record<string, string | null>>;
}

const AREAS: readonly Area[] = [
  {
    instead: 'the log and RDB files are always written the one way that Holdfast has',
    directives: {
      'no-appendfsync-on-rewrite': 'no',
      'aof-use-rdb-preamble': 'yes',
      'aof-timestamp-enabled': 'no',
      'aof-disable-auto-gc': 'no',
      'aof-rewrite-incremental-fsync': 'yes',
      'rdb-save-incremental-fsync': 'yes',
      'rdb-del-sync-files': 'no',
      rdbchecksum: 'yes',
      'sanitize-dump-payload': 'no',
      'stop-writes-on-bgsave-error': 'yes',
      'rdb-key-save-delay': '0',
      'key-load-delay': '0',
      'loading-process-events-interval-bytes': '2097152',
    },
  },
  {
    instead: 'memory is not limited and nothing is evicted yet',
    directives: {
      maxmemory: '0',
      'maxmemory-samples': '5',
      'maxmemory-eviction-tenacity': '10',
      'maxmemory-clients': '0',
      'lfu-log-factor': '10',
      'lfu-decay-time': '1',
    },
  },
  {
    instead: 'this server stands alone, without replicas',
    directives: {
      replicaof: 'no one',
      slaveof: 'no one',
      masterauth: '',
      masteruser: '',
      'replica-serve-stale-data': 'yes',
      'slave-serve-stale-data': 'yes',
      'replica-read-only': 'yes',
      'slave-read-only': 'yes',
      'replica-priority': '100',
      'slave-priority': '100',
      'replica-announced': 'yes',
      'replica-announce-ip': '',
      'slave-announce-ip': '',
      'replica-announce-port': '0',
      'slave-announce-port': '0',
      'replica-ignore-maxmemory': 'yes',
      'slave-ignore-maxmemory': 'yes',
      'replica-ignore-disk-write-errors': 'no',
      'replica-lazy-flush': 'no',
      'slave-lazy-flush': 'no',
      'repl-diskless-sync': 'yes',
      'repl-diskless-sync-delay': '5',
      'repl-diskless-sync-max-replicas': '0',
      'repl-diskless-load': 'disabled',
      'repl-ping-replica-period': '10',
      'repl-ping-slave-period': '10',
      'repl-timeout': '60',
      'repl-disable-tcp-nodelay': 'no',
      'repl-backlog-size': '1mb|1048576',
      'repl-backlog-ttl': '3600',
      'min-replicas-to-write': '0',
      'min-slaves-to-write': '0',
      'min-replicas-max-lag': '10',
      'min-slaves-max-lag': '10',
      'propagation-error-behavior': 'ignore',
    },
  },
  {
    instead: 'this server stands alone, outside of any cluster',
    directives: {
      'cluster-enabled': 'no',
      'cluster-config-file': 'nodes.conf',
      'cluster-node-timeout': '15000',
      'cluster-port': '0',
      'cluster-announce-ip': '',
      'cluster-announce-hostname': '',
      'cluster-announce-human-nodename': '',
      'cluster-announce-port': '0',
      'cluster-announce-tls-port': '0',
      'cluster-announce-bus-port': '0',
      'cluster-preferred-endpoint-type': 'ip',
      'cluster-replica-validity-factor': '10',
      'cluster-slave-validity-factor': '10',
      'cluster-migration-barrier': '1',
      'cluster-allow-replica-migration': 'yes',
      'cluster-require-full-coverage': 'yes',
      'cluster-replica-no-failover': 'no',
      'cluster-slave-no-failover': 'no',
      'cluster-allow-reads-when-down': 'no',
      'cluster-allow-pubsubshard-when-down': 'yes',
      'cluster-link-sendbuf-limit': '0',
      sentinel: null,
    },
  },
  {
    instead: 'connections are not encrypted, TLS is not there yet',
    directives: {
      'tls-port': '0',
      'tls-cert-file': '',
      'tls-key-file': '',
      'tls-key-file-pass': '',
      'tls-client-cert-file': '',
      'tls-client-key-file': '',
      'tls-client-key-file-pass': '',
      'tls-dh-params-file': '',
      'tls-ca-cert-file': '',
      'tls-ca-cert-dir': '',
      'tls-auth-clients': 'yes',
      'tls-replication': 'no',
      'tls-cluster': 'no',
      'tls-protocols': '',
      'tls-ciphers': '',
      'tls-ciphersuites': '',
      'tls-prefer-server-ciphers': 'no',
      'tls-session-caching': 'yes',
      'tls-session-cache-size': '20480',
      'tls-session-cache-timeout': '300',
    },
  },
  {
    instead: 'there is no user but default, which may do everything (requirepass gives it a password)',
    directives: {
      user: null,
      aclfile: '',
      'acl-pubsub-default': 'resetchannels',
      'acllog-max-len': '128',
      'enable-protected-configs': 'no',
    },
  },
  { instead: 'commands keep their names', directives: { 'rename-command': null } },
  {
    instead: 'there are no modules',
    directives: { loadmodule: null, 'enable-module-command': 'no' },
  },
  {
    instead: 'neither slow commands nor latencies are recorded yet',
    directives: {
      'slowlog-log-slower-than': '10000|-1',
      'slowlog-max-len': '128',
      'latency-monitor-threshold': '0',
      'latency-tracking': 'yes|no',
      'latency-tracking-info-percentiles': '50 99 99.9',
    },
  },
  {
    instead: 'there are no streams, HyperLogLogs and invalidation messages yet',
    directives: {
      'stream-node-max-bytes': '4096',
      'stream-node-max-entries': '100',
      'lua-replicate-commands': 'yes',
      'hll-sparse-max-bytes': '3000',
      'tracking-table-max-keys': '1000000',
    },
  },
  {
    instead: 'Holdfast stays in the foreground as an ordinary process',
    directives: {
      daemonize: 'no',
      pidfile: '',
      supervised: 'no',
      'always-show-logo': 'no',
      'set-proc-title': 'yes|no',
      'proc-title-template': '{title} {listen-addr} {server-mode}',
      'shutdown-timeout': '10',
      'shutdown-on-sigint': 'default',
      'shutdown-on-sigterm': 'default',
      'oom-score-adj': 'no',
      'oom-score-adj-values': '0 200 800',
      'disable-thp': 'yes',
      server_cpulist: '',
      bio_cpulist: '',
      aof_rewrite_cpulist: '',
      bgsave_cpulist: '',
      'ignore-warnings': '',
      'crash-log-enabled': 'yes|no',
      'crash-memcheck-enabled': 'yes|no',
      'use-exit-on-panic': 'no',
      'watchdog-period': '0',
    },
  },
  {
    instead: 'messages go to standard output and standard error',
    directives: {
      logfile: '',
      loglevel: 'notice',
      'syslog-enabled': 'no',
      'syslog-ident': 'redis',
      'syslog-facility': 'local0',
    },
  },
  {
    instead: 'it tunes a part of Redis that Holdfast does not have',
    directives: {
      'io-threads': '1',
      'io-threads-do-reads': 'no',
      'bind-source-addr': '',
      'socket-mark-id': '0',
      activerehashing: 'yes|no',
      'active-expire-effort': '1',
      'dynamic-hz': 'yes|no',
      'lazyfree-lazy-eviction': 'yes|no',
      'lazyfree-lazy-expire': 'yes|no',
      'lazyfree-lazy-server-del': 'yes|no',
      'lazyfree-lazy-user-del': 'yes|no',
      'lazyfree-lazy-user-flush': 'yes|no',
      'list-compress-depth': '0',
      'list-max-ziplist-entries': null,
      'list-max-ziplist-value': null,
      'locale-collate': '',
      activedefrag: 'no',
      'active-defrag-ignore-bytes': '100mb|104857600',
      'active-defrag-threshold-lower': '10',
      'active-defrag-threshold-upper': '100',
      'active-defrag-cycle-min': '1',
      'active-defrag-cycle-max': '25',
      'active-defrag-max-scan-fields': '1000',
      'jemalloc-bg-thread': 'yes|no',
    },
  },
];

interface Unsupported {
  readonly instead: string;
  /** Values that ask for nothing. */
  readonly off: readonly string[];
}

const UNSUPPORTED: ReadonlyMap<string, Unsupported> = new Map(
  AREAS.flatMap(({ instead, directives }) =>
    Object.entries(directives).map(([name, off]) => [
      name,
      { instead, off: off === null ? [] : off.split('|') },
    ]),
  ),
);

/** What happens in place of a directive that Redis has and Holdfast does not honour; null for any other name. */
export function unsupportedDirective(given: string): string | null {
  return UNSUPPORTED.get(given.toLowerCase())?.instead ?? null;
}

/** Does this value of such a directive ask for nothing that is missing here? */
export function asksNothing(given: string, words: readonly string[]): boolean {
  return UNSUPPORTED.get(given.toLowerCase())?.off.includes(words.join(' ').toLowerCase()) ?? false;
}

/** Those that clients ask for (redis-benchmark, job queues): CONFIG GET answers that they are turned off. */
export const TURNED_OFF: ReadonlyMap<string, string> = new Map([['maxmemory', '0']]);

/** Names of all of them, for did-you-mean and the docs. */
export const UNSUPPORTED_NAMES: readonly string[] = [...UNSUPPORTED.keys()];
