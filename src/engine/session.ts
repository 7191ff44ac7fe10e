// A session: what the engine remembers of one client. A transport (socket, in-process API, connector) makes
// one by Engine.connect and gives it an outlet for what arrives outside of a command's own reply.
import type { ConnectionInfo, QueuedCommand, SessionPort } from '../commands/ports.ts';
import type { Db, Watcher } from '../keyspace/db.ts';
import type { Protocol } from '../resp/encode.ts';
import type { Push, Reply } from '../resp/reply.ts';
import type { Waiter } from './blocking.ts';

/** Where a session's late and unasked messages go; its transport implements it. */
export interface Outlet {
  /** The reply of a blocking command that had to wait. */
  reply(reply: Reply): void;
  /** A message that no command asked for. */
  push(message: Push): void;
  /** The engine ends this session (CLIENT KILL, QUIT of a blocked client): close after what is written. */
  close(): void;
  /** Can a reply come later, by {@link reply}, whatever the command? */
  readonly canWait?: boolean;
  /** Cuts the connection without another byte: the client speaks HTTP. */
  drop?(): void;
  readonly info: ConnectionInfo;
}

/** Why dispatch has to look twice at a session's command; 0 is the common case. */
export const Gate = {
  unauthenticated: 1,
  multi: 2,
  subscriber: 4,
  replies: 8,
  noTouch: 16,
} as const;

/** Where sessions that are no client's have their outlet: nobody listens there. */
export const NOBODY: Outlet = {
  reply: () => {},
  push: () => {},
  close: () => {},
  info: {
    address: '',
    localAddress: '',
    fd: -1,
    local: true,
    trusted: true,
    queryBuffer: () => 0,
    outputBuffer: () => 0,
  },
};

export class Session implements SessionPort {
  readonly id: number;
  readonly createdAt: number;
  name = '';
  libName = '';
  libVersion = '';
  user = 'default';
  authenticated: boolean;
  protocol: Protocol = 2;
  db: Db;
  multi: QueuedCommand[] | null = null;
  running = 0;
  dirtyExec = false;
  dirtyCas = false;
  watches: Watcher[] = [];
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly shardChannels = new Set<string>();
  replies: 'on' | 'off' | 'skip' | 'skipping' = 'on';
  noEvict = false;
  noTouch = false;
  lastActive: number;
  lastCommand = 'NULL';
  closing = false;
  /** Runs a command right now: what is pushed to it waits for the reply. */
  executing = false;
  /** Pushes that wait for the running command's reply; the transport takes them. */
  pushes: Push[] = [];
  waiter: Waiter | null = null;
  /** Waits for a long script, its own or another's. */
  held = false;
  /** Bits of {@link Gate}. */
  gate = 0;
  readonly outlet: Outlet;
  private readonly later: (action: () => void) => void;

  constructor(id: number, db: Db, outlet: Outlet, now: number, authenticated: boolean) {
    this.id = id;
    this.db = db;
    this.outlet = outlet;
    this.createdAt = now;
    this.lastActive = now;
    this.authenticated = authenticated;
    this.later = (action) => db.space.later(action);
    this.refresh();
  }

  get info(): ConnectionInfo {
    return this.outlet.info;
  }

  get canWait(): boolean {
    return this.outlet.canWait === true;
  }

  /** Its next command has to wait. */
  get isWaiting(): boolean {
    return this.waiter !== null || this.held;
  }

  get isBlocked(): boolean {
    return this.waiter !== null;
  }

  get subscriptions(): number {
    return this.channels.size + this.patterns.size + this.shardChannels.size;
  }

  refresh(): void {
    this.gate =
      (this.authenticated ? 0 : Gate.unauthenticated) |
      (this.multi === null ? 0 : Gate.multi) |
      (this.protocol === 2 && this.subscriptions > 0 ? Gate.subscriber : 0) |
      (this.replies === 'on' ? 0 : Gate.replies) |
      (this.noTouch ? Gate.noTouch : 0);
  }

  push(message: Push): void {
    this.later(() => {
      if (this.executing) this.pushes.push(message);
      else this.outlet.push(message);
    });
  }

  /** Pushes that came while the last command ran, to be sent behind its reply. */
  takePushes(): Push[] {
    const { pushes } = this;
    this.pushes = [];
    return pushes;
  }
}
