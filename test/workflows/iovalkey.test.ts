// Every contract through iovalkey, on every engine and topology it knows.
import { runContracts } from './run-contracts.ts';

runContracts('iovalkey');
