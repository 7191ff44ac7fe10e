// The process's memory, so that a script which takes too much gets an error before the process dies. open()
// gives it to the engine.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { HeapPort } from '../commands/ports.ts';

let collector: (() => void) | null = null;

/** V8's heap of this thread. */
export const processHeap: HeapPort = {
  used: () => getHeapStatistics().used_heap_size,
  limit: getHeapStatistics().heap_size_limit,
  collect() {
    if (collector === null) {
      // The only way to V8's collector in a process that was not started for it.
      setFlagsFromString('--expose-gc');
      collector = runInNewContext('gc') as () => void;
      setFlagsFromString('--no-expose-gc');
    }
    collector();
  },
};
