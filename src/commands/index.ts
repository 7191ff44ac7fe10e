// All families of commands: the one list from which table, typed methods and docs are made.
import { bitmaps } from './bitmaps.ts';
import { clients } from './clients.ts';
import { connection } from './connection.ts';
import { databases } from './databases.ts';
import { dumps } from './dump.ts';
import { expiry } from './expiry.ts';
import { functions } from './functions.ts';
import { hashes } from './hashes.ts';
import { introspection } from './introspection.ts';
import { keys } from './keys.ts';
import { lcs } from './lcs.ts';
import { lists } from './lists.ts';
import { listsBlocking } from './lists-blocking.ts';
import { persistence } from './persistence.ts';
import { pubsub } from './pubsub.ts';
import { scripting } from './scripting.ts';
import { server } from './server.ts';
import { sets } from './sets.ts';
import { sort } from './sort.ts';
import { sortedSetAlgebra } from './sorted-set-algebra.ts';
import { sortedSetPops } from './sorted-set-pops.ts';
import { sortedSetRanges } from './sorted-set-ranges.ts';
import { sortedSets } from './sorted-sets.ts';
import { strings } from './strings.ts';
import { transactions } from './transactions.ts';
import { waiting } from './waiting.ts';

export const families = [
  strings,
  keys,
  expiry,
  dumps,
  sort,
  databases,
  bitmaps,
  lcs,
  transactions,
  waiting,
  connection,
  clients,
  pubsub,
  introspection,
  server,
  persistence,
  lists,
  listsBlocking,
  hashes,
  sets,
  sortedSets,
  sortedSetRanges,
  sortedSetPops,
  sortedSetAlgebra,
  scripting,
  functions,
] as const;
