// One client connection: bytes in, commands through the engine in strict order, replies out in one write per
// batch. Server creates it per accepted socket; the engine talks back through it as the session's Outlet.
import type { Socket } from 'node:net';
import type { ConnectionInfo } from '../commands/ports.ts';
import type { OutputLimit } from '../engine/directive-kinds.ts';
import type { Engine } from '../engine/engine.ts';
import type { Outlet, Session } from '../engine/session.ts';
import {
  type ByteSource,
  Decoder,
  type DecoderLimits,
  ProtocolError,
  QueryBufferOverflow,
} from '../resp/decode.ts';
import { encode, encodeInPieces } from '../resp/encode.ts';
import { Block, Later, type Push, type Reply, ReplyError } from '../resp/reply.ts';

/** Output that a peer may leave unread before we stop reading from it. */
const PAUSE_ABOVE = 1024 * 1024;
/** Input that may pile up behind a blocked command before we stop reading. */
const BLOCKED_INPUT = 1024 * 1024;
/** A batch of replies is written when it is this long, so a pipeline of big reads does not pile up. */
const FLUSH_ABOVE = 256 * 1024;

/** What the directives say now; all connections of an engine share it and see its changes. */
export interface ConnectionSettings extends DecoderLimits {
  normalLimit: OutputLimit;
  pubsubLimit: OutputLimit;
}

// Connections with replies to write. They are written together once the event loop has read from all sockets
// that were ready, as Redis does: written one by one each would wake its client, and the context switches cost
// more than the commands (P16: 20 % of the time).
let unwritten: Connection[] = [];

function writeAll(): void {
  const connections = unwritten;
  unwritten = [];
  for (const connection of connections) connection.flush();
}

export class Connection implements Outlet {
  readonly canWait = true;
  readonly session: Session;
  readonly info: ConnectionInfo;
  private readonly engine: Engine;
  private readonly socket: Socket;
  private readonly settings: ConnectionSettings;
  private readonly decoder: Decoder;
  private out = '';
  private paused = false;
  private ended = false;
  private draining = false;
  private queued = false;
  /** The output may go once this batch of the log is accepted. */
  private heldUntil = 0;
  private held = false;
  private closing = false;
  private softSince = 0;
  /** Bytes that came since MULTI: queued commands count into the query buffer's limit. */
  private queuedInput = 0;
  private readonly onClose: () => void;

  constructor(
    engine: Engine,
    socket: Socket,
    info: Omit<ConnectionInfo, 'queryBuffer' | 'outputBuffer'>,
    settings: ConnectionSettings,
    onClose: () => void,
  ) {
    this.engine = engine;
    this.socket = socket;
    this.settings = settings;
    this.onClose = onClose;
    this.decoder = new Decoder(settings);
    this.info = {
      ...info,
      queryBuffer: () => this.decoder.pending,
      outputBuffer: () => this.socket.writableLength + this.out.length,
    };
    this.session = engine.connect(this);
    this.decoder.authenticated = this.session.authenticated;
    socket.on('drain', () => this.resume());
    socket.on('error', () => this.end());
    // It has said all, and is owed its replies.
    socket.on('end', () => this.close());
    socket.on('close', () => this.end());
  }

  // ---- Outlet

  reply(reply: Reply): void {
    const { replyAfter } = this.engine;
    if (replyAfter > this.heldUntil) this.hold(replyAfter);
    this.write(reply);
    // What the client had sent behind the blocked command waits its turn; the engine is in a unit right now.
    if (!this.draining) setImmediate(() => this.resume());
  }

  push(message: Push): void {
    this.write(message);
  }

  close(): void {
    this.flush();
    this.closing = this.held;
    if (!this.held) this.end();
  }

  drop(): void {
    this.out = '';
    this.destroy();
  }

  // ---- input

  /** Bytes from the socket; `source` is only borrowed. Answers false when the socket must stop reading. */
  data(source: ByteSource, length: number): boolean {
    if (this.ended) return true;
    this.engine.stats.netInput += length;
    this.decoder.feed(source, length);
    this.drain();
    this.decoder.keep();
    if (this.session.isWaiting && this.decoder.pending > BLOCKED_INPUT) this.paused = true;
    this.queuedInput = this.session.multi === null ? 0 : this.queuedInput + length;
    if (this.queuedInput > this.settings.maxBuffer) this.destroy();
    return !this.paused;
  }

  private resume(): void {
    if (this.ended || this.session.isWaiting) return;
    this.paused = false;
    this.drain();
    this.decoder.keep();
    if (!this.paused) this.socket.resume();
  }

  // Runs complete commands until one blocks, the client goes, or its output piles up.
  private drain(): void {
    const { session, engine, decoder } = this;
    if (session.isWaiting || this.draining || this.closing) return;
    this.draining = true;
    try {
      session.lastActive = engine.clock.now();
      for (;;) {
        const args = decoder.next();
        if (args === null) break;
        const reply = engine.execute(session, args);
        if (reply instanceof Block || reply instanceof Later) {
          if (session.isWaiting) break;
          continue;
        }
        if (engine.replyAfter > this.heldUntil) this.hold(engine.replyAfter);
        this.add(reply);
        if (session.pushes.length > 0) for (const push of session.takePushes()) this.add(push);
        if (session.closing) break;
        decoder.authenticated = session.authenticated;
        if (this.out.length > FLUSH_ABOVE) {
          this.flush();
          if (this.paused) break;
        }
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.draining = false;
    }
    if (session.closing) this.close();
    else this.flushLater();
  }

  private failed(error: unknown): void {
    this.session.closing = true;
    if (error instanceof QueryBufferOverflow) return;
    const isProtocol = error instanceof ProtocolError;
    if (this.session.replies === 'on') {
      this.add(new ReplyError(isProtocol ? `ERR Protocol error: ${error.message}` : 'ERR internal error'));
    }
    // A mistake of ours must not take everybody's data with it: this client is cut off, the report goes to stderr.
    if (!isProtocol) console.error('holdfast: internal error, please report it:', error);
  }

  // ---- output

  private write(reply: Reply): void {
    if (this.ended) return;
    this.add(reply);
    if (!this.draining) this.flushLater();
  }

  // What comes next waits for the log. What is there already need not, where waiting takes long.
  private hold(batch: number): void {
    if (this.out !== '' && !this.held && this.engine.space.unsettled !== null) this.flush();
    this.heldUntil = batch;
  }

  private flushLater(): void {
    if (this.out === '' || this.queued) return;
    this.queued = true;
    if (unwritten.length === 0) setImmediate(writeAll);
    unwritten.push(this);
  }

  private add(reply: Reply): void {
    const { protocol } = this.session;
    try {
      this.out += encode(reply, protocol);
    } catch (error) {
      // Longer than a string can be: half a gigabyte.
      if (!(error instanceof RangeError)) throw error;
      for (const piece of encodeInPieces(reply, protocol)) {
        if (this.out.length + piece.length > FLUSH_ABOVE) this.flush();
        this.out += piece;
      }
    }
  }

  /** Writes what is encoded; {@link writeAll} calls it. */
  flush(): void {
    const { out } = this;
    this.queued = false;
    if (out === '' || this.ended || !this.mayGo()) return;
    this.out = '';
    this.engine.stats.netOutput += out.length;
    this.socket.write(out, 'latin1');
    this.limit();
  }

  // Is what the output tells in the log? If not, it is written once it is.
  private mayGo(): boolean {
    const log = this.engine.effects.log;
    if (log === null || this.heldUntil === 0) return true;
    log.flush();
    if (this.heldUntil <= log.accepted) return true;
    if (!this.held) {
      this.held = true;
      log.whenAccepted(this.heldUntil, (accepted) => {
        this.held = false;
        // What cannot be kept is not acknowledged: the client learns that its fate is unknown.
        if (!accepted) this.drop();
        else if (this.closing) this.close();
        else this.flush();
      });
    }
    return false;
  }

  /** Looks at the output that the peer leaves unread: after each write, and once a second for the soft limit. */
  limit(): void {
    const waiting = this.socket.writableLength;
    if (waiting === 0) {
      this.softSince = 0;
      return;
    }
    if (waiting > PAUSE_ABOVE) this.paused = true;
    const { hard, soft, softSeconds } =
      this.session.subscriptions > 0 ? this.settings.pubsubLimit : this.settings.normalLimit;
    if (hard > 0 && waiting >= hard) {
      this.destroy();
      return;
    }
    if (soft === 0 || waiting < soft) {
      this.softSince = 0;
      return;
    }
    const now = this.engine.clock.now();
    if (this.softSince === 0) this.softSince = now;
    else if (now - this.softSince > softSeconds * 1000) this.destroy();
  }

  private destroy(): void {
    this.socket.destroy();
    this.end();
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.engine.disconnect(this.session);
    this.socket.end();
    // A peer that does not read our last words must not hold the descriptor.
    if (this.socket.writableLength > 0) this.socket.setTimeout(10_000, () => this.socket.destroy());
    else this.socket.destroySoon();
    this.onClose();
  }
}
