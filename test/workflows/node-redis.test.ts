// Every contract through node-redis, on every engine and topology it knows.
import { runContracts } from './run-contracts.ts';

runContracts('node-redis');
