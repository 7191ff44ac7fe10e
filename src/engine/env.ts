// What data handlers see of the engine: the caller's protocol, limits, the time in microseconds, and the way to
// tell the log an effect in place of the command. One object per engine, pointed at the session before a call.
import type { Env, SessionPort } from '../commands/ports.ts';
import type { Protocol } from '../resp/encode.ts';
import type { Engine } from './engine.ts';

export class EngineEnv implements Env {
  session: SessionPort = undefined as unknown as SessionPort;
  instead: readonly (readonly string[])[] | null = null;
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get protocol(): Protocol {
    return this.session.protocol;
  }

  get maxBulk(): number {
    return this.engine.config.maxBulk;
  }

  micros(): number {
    return this.engine.space.micros();
  }

  propagate(...commands: (readonly string[])[]): void {
    if (this.engine.effects.onUnit !== null) this.instead = commands;
  }
}
