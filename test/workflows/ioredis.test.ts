// Every contract through ioredis, on every engine and topology it knows.
import { runContracts } from './run-contracts.ts';

runContracts('ioredis');
