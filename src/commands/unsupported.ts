// Commands of Redis 7.2 that Holdfast does not have: what dispatch answers in place of "unknown command", and the
// table behind docs/differences.md. A row goes when its family comes.
import { ReplyError } from '../resp/reply.ts';

export interface UnsupportedArea {
  readonly area: string;
  /** Completes "… is not supported by Holdfast yet: ". */
  readonly when: string;
  /** False where it will not come. */
  readonly planned: boolean;
  /** Lower case; a container stands for its subcommands, `client|pause` for one of a container that we have. */
  readonly commands: readonly string[];
}

const words = (list: string): string[] => list.trim().split(/\s+/);

export const UNSUPPORTED_AREAS: readonly UnsupportedArea[] = [
  {
    area: 'streams',
    when: 'streams come later',
    planned: true,
    commands:
      words(`xadd xlen xrange xrevrange xread xreadgroup xdel xtrim xsetid xack xpending xclaim xautoclaim
      xgroup xinfo`),
  },
  {
    area: 'geo',
    when: 'geo commands come later',
    planned: true,
    commands: words(`geoadd geodist geohash geopos geosearch geosearchstore georadius georadius_ro
      georadiusbymember georadiusbymember_ro`),
  },
  {
    area: 'HyperLogLog',
    when: 'HyperLogLogs come later',
    planned: true,
    commands: words('pfadd pfcount pfmerge'),
  },
  { area: 'ACL', when: 'users and their rights come later', planned: true, commands: words('acl') },
  {
    area: 'persistence',
    when: 'these parts of persistence come later',
    planned: true,
    commands: words(
      'restore-asking migrate waitaof debug|digest debug|digest-value debug|loadaof debug|reload',
    ),
  },
  {
    area: 'client-side caching',
    when: 'invalidation messages come later',
    planned: true,
    commands: words('client|tracking client|trackinginfo client|caching client|getredir'),
  },
  {
    area: 'pausing clients',
    when: 'pausing clients comes later',
    planned: true,
    commands: words('client|pause client|unpause'),
  },
  {
    area: 'monitoring',
    when: 'monitoring comes later (INFO commandstats counts calls)',
    planned: true,
    commands: words('monitor slowlog latency memory'),
  },
  {
    area: 'replication',
    when: 'it stands alone, without replicas',
    planned: false,
    commands: words('replicaof slaveof role failover sync psync replconf'),
  },
  {
    area: 'cluster',
    when: 'it stands alone, outside of any cluster',
    planned: false,
    commands: words('cluster asking readonly readwrite'),
  },
  {
    area: 'rewriting redis.conf',
    when: 'it does not write its configuration file',
    planned: false,
    commands: words('config|rewrite'),
  },
  {
    area: 'modules',
    when: 'modules are programs for Redis itself',
    planned: false,
    commands: words('module'),
  },
  {
    area: 'inside Redis',
    when: 'it looks into parts of Redis that Holdfast does not have',
    planned: false,
    commands: words(`pfdebug pfselftest lolwut debug|aof-flush-sleep debug|assert debug|change-repl-id
      debug|client-eviction debug|client-enforce-reply-list debug|clusterlink debug|config-rewrite-force-all
      debug|crash-and-recover debug|dict-resizing debug|drop-cluster-packet-filter debug|error debug|htstats
      debug|htstats-key debug|leak debug|listpack debug|log debug|mallctl debug|mallctl-str debug|oom debug|panic
      debug|pause-cron debug|populate debug|protocol debug|quicklist debug|quicklist-packed-threshold debug|replicate
      debug|replybuffer debug|restart debug|script debug|sdslen debug|segfault debug|set-disable-deny-scripts
      debug|set-skip-checksum-validation debug|structsize`),
  },
];

const BY_NAME = new Map(
  UNSUPPORTED_AREAS.flatMap((area) => area.commands.map((name): [string, UnsupportedArea] => [name, area])),
);

/** What a command that we know but do not have answers; null where Redis does not know it either. */
export function unsupportedCommand(name: string, sub?: string): ReplyError | null {
  const full = (sub === undefined ? name : `${name}|${sub}`).toLowerCase();
  const found = BY_NAME.get(full);
  if (found === undefined) return null;
  const shown = full.replace('|', ' ').toUpperCase();
  const yet = found.planned ? ' yet' : '';
  return new ReplyError(
    `ERR '${shown}' is not supported by Holdfast${yet}: ${found.when} (see docs/differences.md)`,
  );
}

/** Is this the first word of an HTTP request? A web page may have sent it: Redis drops the connection. */
export function isHttp(name: string): boolean {
  return name.length === 4 || name.length === 5 ? /^(?:post|host:)$/i.test(name) : false;
}
