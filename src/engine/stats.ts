// Counters of one engine, for INFO and CONFIG RESETSTAT.
import type { StatsPort } from '../commands/ports.ts';

export class Stats implements StatsPort {
  connections = 0;
  rejectedConnections = 0;
  commands = 0;
  netInput = 0;
  netOutput = 0;
  evictedScripts = 0;
  readonly startedAt: number;
  readonly errors = new Map<string, number>();

  constructor(now: number) {
    this.startedAt = now;
  }

  reset(): void {
    this.connections = 0;
    this.rejectedConnections = 0;
    this.commands = 0;
    this.netInput = 0;
    this.netOutput = 0;
    this.evictedScripts = 0;
    this.errors.clear();
  }
}
