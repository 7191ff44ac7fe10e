// Every contract on the embedded engine.
import { afterAll, beforeAll, describe } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { embedded } from '../../src/workflows/index.ts';
import { CONTRACTS } from './contracts/index.ts';
import type { World } from './world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await open();
  world = { driver: embedded(db), other: embedded(db) };
});
afterAll(() => db.close());

for (const { workflow, suite } of CONTRACTS) describe(workflow, () => suite(() => world));
