// Every contract through glide, on every engine and topology it knows.
import { runContracts } from './run-contracts.ts';

runContracts('glide');
