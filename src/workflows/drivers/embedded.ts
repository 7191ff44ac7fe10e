// The driver of the embedded engine: commands run at once, without a promise and without a connection. Nothing can be
// lost or unsent here. It names what it needs of a database, so that the toolkit imports none of the engine.
import { type Answer, type Driver, type Lease, type Request, ServerError, type Word } from '../kit/driver.ts';
import { execAnswer } from './session.ts';

/** What is asked of `open()`'s database, and of its sessions. */
export interface EmbeddedClient {
  /** Runs a command and answers in RESP2's shapes, or throws an error with the reply's `code`. */
  resp2(words: readonly Word[]): unknown;
  close(): unknown;
}

export interface EmbeddedDatabase {
  /** A client of its own. */
  session(): EmbeddedClient;
}

/**
 * A driver of a database opened in this process.
 *
 * ```ts
 * const driver = embedded(await open());
 * ```
 */
export function embedded(db: EmbeddedDatabase): Driver {
  const main = db.session();
  return {
    facts: { client: 'embedded', topology: 'embedded' },
    send: ({ words }) => run(main, words),
    async pipeline(requests: readonly Request[]) {
      return requests.map(({ words }) => caught(main, words));
    },
    async lease() {
      return new EmbeddedLease(db.session());
    },
    async everyPrimary(words) {
      return [{ node: 'embedded', answer: caught(main, words) }];
    },
    async close() {
      main.close();
    },
  };
}

function run(client: EmbeddedClient, words: readonly Word[]): Answer {
  try {
    return client.resp2(words) as Answer;
  } catch (error) {
    throw serverErrorOf(error);
  }
}

function caught(client: EmbeddedClient, words: readonly Word[]): Answer {
  try {
    return run(client, words);
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
}

// The engine's own errors carry the reply's code; what has none is a fault of the program.
function serverErrorOf(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (typeof code !== 'string' || code.startsWith('HF_')) return error;
  return new ServerError(message.startsWith(code) ? message : `${code} ${message}`);
}

class EmbeddedLease implements Lease {
  private readonly client: EmbeddedClient;

  constructor(client: EmbeddedClient) {
    this.client = client;
  }

  async pipeline(commands: readonly (readonly Word[])[]): Promise<readonly Answer[]> {
    return commands.map((words) => caught(this.client, words));
  }

  async exec(commands: readonly (readonly Word[])[]): Promise<readonly Answer[] | null> {
    const replies = execAnswer(await this.pipeline([['MULTI'], ...commands, ['EXEC']]));
    return (
      replies?.map((reply) => (reply instanceof Error ? (serverErrorOf(reply) as ServerError) : reply)) ??
      null
    );
  }

  release(): void {
    this.client.close();
  }

  discard(): void {
    this.client.close();
  }
}
