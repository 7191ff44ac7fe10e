// The texts that the `holdfast` program shows on request.

export const HELP = `holdfast: an exact Redis engine and server in TypeScript

  holdfast serve [redis.conf] [--directive value ...]   runs the server
  holdfast serve --help                                 what serve can be told
  holdfast check-aof FILE, check-rdb FILE               look at files on disk; --help tells more
  holdfast --version                                    the version
  holdfast --help                                       this text

Speaks the Redis protocol (RESP2 and RESP3), so redis-cli and every Redis client work with it:

  holdfast serve --port 6379
  redis-cli -p 6379 set greeting hello
`;

export const SERVE_HELP = `holdfast serve [redis.conf] [--directive value ...]

Serves the Redis protocol on 127.0.0.1:6379 until Ctrl-C or SIGTERM. Data is kept in ./data, as Redis 7 keeps it.

A redis.conf comes first, directives of the command line override it:

  holdfast serve
  holdfast serve --port 7000 --requirepass secret
  holdfast serve /etc/redis/redis.conf --unixsocket /tmp/holdfast.sock

Directives, with their defaults:

  --port 6379                     TCP port; 0 for none
  --bind 127.0.0.1 -::1           addresses; * is all, -address may be missing
  --unixsocket path               listen there too; --unixsocketperm 770 sets its permissions
  --dir ./data                    where data is kept; made where it is missing
  --appendonly yes                keep a log of what is done; no: memory only, but for what SAVE writes
  --appendfsync everysec          a crash of the machine loses at most: everysec 1-2 s, always nothing, no ~30 s
  --save ""                       RDB files as well: --save 3600 1 after an hour with a change
  --auto-aof-rewrite-percentage 100, --auto-aof-rewrite-min-size 64mb
                                  when the log is rewritten; 0 never
  --aof-load-truncated yes        cut an interrupted write off at the start; no: refuse to start
  --requirepass password          clients must AUTH first
  --protected-mode yes            without a password, serve only this machine
  --maxclients 10000              more are turned away
  --timeout 0                     close connections idle for so many seconds; 0 never
  --databases 16                  numbers that SELECT knows
  --notify-keyspace-events ""     classes of keyspace events to publish, such as KEA
  --client-output-buffer-limit pubsub 32mb 8mb 60
                                  what a class of clients may leave unread
  --client-query-buffer-limit 1gb what one request may take
  --proto-max-bulk-len 512mb      longest string
  --enable-debug-command no       DEBUG: no, yes or local
  --tcp-backlog 511  --tcp-keepalive 300  --hz 10  --maxmemory-policy noeviction
  --hash-max-listpack-entries 512, --set-max-intset-entries 512, ...: limits of small encodings

Other directives of Redis 7.2 are known: each gives one line of warning that says what happens instead.
Unknown ones are errors. CONFIG GET * shows what is in force.
`;
