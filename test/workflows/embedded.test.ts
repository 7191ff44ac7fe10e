// Every contract on the embedded engine.
import { runContracts } from './run-contracts.ts';

runContracts('embedded');
