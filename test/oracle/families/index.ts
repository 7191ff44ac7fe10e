// All families by name. `events` has no commands of its own: it turns keyspace notifications on in its rounds.
// Called by generate.ts and run.ts.

import type { Family } from '../grammar.ts';
import { bitmaps } from './bitmaps.ts';
import { blocking } from './blocking.ts';
import { connection } from './connection.ts';
import { functions } from './functions.ts';
import { hashes } from './hashes.ts';
import { keys } from './keys.ts';
import { lists } from './lists.ts';
import { pubsub } from './pubsub.ts';
import { scripting } from './scripting.ts';
import { server } from './server.ts';
import { sets } from './sets.ts';
import { strings } from './strings.ts';
import { transactions } from './transactions.ts';
import { zsets } from './zsets.ts';

const events: Family = { name: 'events', commands: {} };

export const families: readonly Family[] = [
  ...[strings, bitmaps, keys, hashes, lists, sets, zsets],
  ...[transactions, scripting, functions, blocking, pubsub, connection, server, events],
];
