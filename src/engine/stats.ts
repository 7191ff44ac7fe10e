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

  /** By the first word of its text; of many different ones only so many. */
  countError(text: string): void {
    const { errors } = this;
    const end = text.indexOf(' ');
    const code = end < 0 ? text : text.slice(0, end);
    if (errors.has(code) || errors.size < 128) errors.set(code, (errors.get(code) ?? 0) + 1);
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
