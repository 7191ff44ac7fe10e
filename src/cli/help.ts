// The texts that the `holdfast` program shows on request.

export const HELP = `holdfast: an exact Redis engine and server in TypeScript

  holdfast serve [redis.conf] [--directive value ...]   runs the server
  holdfast serve --help                                 what serve can be told
  holdfast check-aof [--fix] FILE                       is an append-only file good, and what can be done
  holdfast check-rdb FILE                               is an RDB file good, and what does it hold
  holdfast functions plan|apply|verify|list|rollback    deploys function libraries, on every primary
  holdfast lint FILE ...                                mistakes in Lua scripts, libraries and the code around them
  holdfast review FILE|WORKFLOW ...                     is a workflow ready for production: its checklist, filled in
  holdfast bench strategies                             WATCH, script, function and lock on one contended key
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

export const CHECK_AOF_HELP = `holdfast check-aof [--fix] [--yes] [--json] [--truncate-to-timestamp UNIX] FILE

Reads an append-only file to its end and says up to which byte it is good, how many units and commands it holds, and
what is wrong, where, and what can be done. A unit is what is applied whole or not at all: a command, a transaction, a
script. Nothing is altered without --fix or --truncate-to-timestamp.

FILE is a database's directory, its folder appendonlydir, the manifest in there (all files are looked at, in their
order), or one file, also one that redis-server wrote, with an RDB part in front or without.

  holdfast check-aof ./data
  holdfast check-aof ./data/appendonlydir/appendonly.aof.manifest --json
  holdfast check-aof --fix ./data
  holdfast check-aof --truncate-to-timestamp 1700000000 ./data

What it finds:

  valid     whole to the last byte
  CUT       the last write was interrupted, as when the power goes, and no later one says that it was on disk.
            Holdfast cuts such an end off itself when it starts
  DAMAGED   what was on disk has changed, so nothing is loaded: best take a backup or a replica
  MISSING   the manifest names a file that is not there

Files of Holdfast carry a checksum for each batch, so any changed byte shows. Those of redis-server carry none: there
only what cannot be read shows.

  --fix     cuts off what is behind the last whole unit, of the last file only, and asks before
  --yes     does not ask; without a terminal nothing is cut unless this is said
  --json    one object with all the facts, nothing else
  --truncate-to-timestamp UNIX
            goes back to a point in time (Unix seconds): what was written later is cut off the last file; asks before.
            Refused where that time lies in an earlier file. Files of redis-server know the time only if it was told
            aof-timestamp-enabled yes

Both want the database closed: a directory that Holdfast has open is refused. Stop redis-server yourself. Take a copy
of the directory first: what is cut off is gone.

Exit status: 0 valid (or mended), 1 damaged (also when a fix was refused), 2 wrong use.
`;

export const CHECK_RDB_HELP = `holdfast check-rdb [--json] FILE

Reads an RDB file (dump.rdb, or a base of appendonlydir) to its end, with its checksum, and says what it holds: keys
for each database and type, function libraries, which program wrote it. Where it is damaged: at which byte, in which
key, and what is wrong. Alters nothing.

  holdfast check-rdb ./data/dump.rdb
  holdfast check-rdb --json ./data/dump.rdb

Exit status: 0 valid, 1 damaged, 2 wrong use.
`;

export const FUNCTIONS_HELP = `holdfast functions plan|apply|verify DIRECTORY --url URL
holdfast functions list --url URL
holdfast functions rollback LIBRARY --to VERSION --url URL

Deploys Redis function libraries as one deploys migrations: versioned, side by side, on every primary.

DIRECTORY holds libraries as .lua files. The first line names one with its version, and its functions end in the same:

  #!lua name=stock_v2
  redis.register_function('stock_take_v2', function(keys, args) ... end)

Old and new applications call the versions that they know, stock_take_v1 and stock_take_v2. Beside them stands the
library stock, a copy of the newest one whose functions have no version in their names: stock_take.

  plan      what is missing, node by node; changes nothing
  apply     loads it, and makes the newest version the current one. A version that has other code on a server is a
            conflict: nothing is loaded then. Raise the version instead
  verify    compares the code on every primary; exit status 1 where one differs
  list      what is there
  rollback  makes another version that is on the servers the current one; newer ones stay

  --url URL   redis://user:password@host:6379 or rediss://…; REDIS_URL where it is not given; several, with commas
              between them, are nodes of a Cluster
  --cluster   the one URL is a node of a Cluster
  --json      one JSON value, nothing else

Needs a client library: npm install ioredis (or redis, or iovalkey).

Exit status: 0 done, 1 different or refused, 2 wrong use or no connection.
`;

export const LINT_HELP = `holdfast lint [--json] FILE ...
holdfast lint --rules

Reads Lua scripts and function libraries without running them and says what will go wrong: keys that a cluster will not
find, fields that the wire drops, writes in a function that may not write, loops and reads without a limit, locks that
anyone may delete, stock that is lost when a hold expires. Each finding says why it matters and what to write instead.

FILE is one of these; of a folder, all of them are read:

  .lua                       a script, or a library (its first line is #!lua name=...); a line --include name
                             stands for include/name.lua beside it
  .md .txt                   a document: the Lua in its code blocks, quoted texts and listings, and the code around it
  .ts .js .mjs .py .java     a program: the Lua in its strings, and reads and writes that belong into one step

  holdfast lint scripts/
  holdfast lint --json src/limiter.ts docs/ | jq '.[].rule'

  --json    one array of findings with file, line, column, rule, severity, message, why, remedy; nothing else
  --rules   lists the rules with why they are there (also with --json)

Which commands there are, which of them write, which arguments are keys and how many there may be comes from the table
that the server itself runs by. Where the linter cannot tell, it says nothing.

A rule is switched off for one line, with the reason:

  -- holdfast-lint-disable-next-line large-read: a profile has at most 20 fields
  return redis.call('HGETALL', KEYS[1])

Exit status: 0 nothing found, 1 findings, 2 wrong use or a file that cannot be read.
`;

export const REVIEW_HELP = `holdfast review [--json] FILE|WORKFLOW ...

Fills in the checklist that a workflow should pass before it goes into production, point by point: a tick with what was
found, or a cross with what is missing and what to do about it.

  holdfast review boundedCounter           a workflow of holdfast/workflows; rateLimit stands for all its forms
  holdfast review src/checkout.js          every card that the module exports: what defineWorkflow() made
  holdfast review scripts/take_v1.lua      what can be read off the script alone: keys, writes, times to live, version,
                                           statuses, loops, reads, and what lint finds

A card says what cannot be read off code: the invariant, why this mechanism, bounds, tests. The rest is taken from the
scripts that it names. A point that does not apply is waived on the card, with the reason:

  defineWorkflow({ ..., waived: { tokens: 'a hit that counts twice is only stricter' } })

A module is loaded, so what it does when it is imported happens. TypeScript is read where Node can (from 22.18), or
with tsx: NODE_OPTIONS='--import tsx' holdfast review src/checkout.ts

  --json    one array of reviews with name, source, complete, points (id, title, state, found, gaps); nothing else

Exit status: 0 every point is there or waived, 1 a point is missing, 2 wrong use or a file that cannot be read.
`;

export const STRATEGIES_HELP = `holdfast bench strategies [--url URL] [--clients 1,2,4,8,16,32,64] [--seconds 1] [--svg FILE] [--json]

Measures four ways to change two keys in one step, on one key that everybody wants, with more and more clients: WATCH
with MULTI and EXEC, a Lua script, a function, and a lock (SET NX PX with a token, released by a script). Each operation
looks whether something is left in a stock, takes one and counts it as sold.

  holdfast bench strategies                                  on a Holdfast server that it starts and stops
  holdfast bench strategies --url redis://127.0.0.1:6379     on yours: keys holdfast-bench:{...} and the function
                                                             library holdfast_bench are made there, and taken away

For each strategy and number of clients: successful operations a second; how many tries met somebody else; retries by
operation; the share of operations that succeeded at all; fairness (Jain's index over clients: 1 is even); the middle and
the slow end of the time that one took; and whether what was taken is missing in the stock, exactly. At the end, from
which conflict rate a script wins here.

  --url URL       redis://user:password@host:6379 or rediss://...; several, with commas, are nodes of a Cluster
  --cluster       the one URL is a node of a Cluster
  --clients LIST  numbers of clients, each with connections of its own, all in one process (at most 500)
  --seconds S     length of one measurement, after a warm-up of a quarter of it, at most 0.25 s
  --repeats N     measures N times and takes the run in the middle
  --svg FILE      draws throughput and conflicts against clients; needs echarts: npm install echarts
  --json          one object with all the figures, nothing else

Needs a client library: npm install ioredis (or redis, or iovalkey).

Exit status: 0 done, 1 a count was not consistent, 2 wrong use or no connection.
`;
