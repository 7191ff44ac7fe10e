// ioredis for the code blocks of the docs: the same class, and a list of what a block left open.
import { Redis as Real } from 'ioredis';

const opened = new Set<Real>();

export class Redis extends Real {
  // What `new Redis(…)` takes is overloaded: passed on as it is.
  constructor(...args: unknown[]) {
    super(...(args as []));
    opened.add(this);
  }
}

export function disconnectAll(): void {
  for (const redis of opened) redis.disconnect();
  opened.clear();
}
