// A Holdfast server in a process of its own, for `holdfast bench strategies` without --url: it must not share the
// processor's turn with the clients. Started by strategies.ts with fork(); says its port, and ends with its parent.
import { open } from '../../index.ts';
import { listen } from '../../server/index.ts';

const db = await open();
const server = await listen(db, { port: 0 });
process.on('disconnect', () => process.exit());
process.send?.(server.port);
