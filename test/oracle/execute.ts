// Runs steps against two servers at once, in one global order, and stops at the first disagreement. It knows
// what replies cannot say alone: which connection is in MULTI, blocked, or closed; which messages are due.
// Called by run.ts (random rounds), shrink.ts and oracle.test.ts (case files).

import type { ServerHandle } from '../support/ports.ts';
import { sleep } from '../support/ports.ts';
import {
  encodeCommand,
  escapeBytes,
  parseReply,
  type Value,
  Wire,
  WireError,
  WireTimeout,
} from '../support/wire.ts';
import {
  type Check,
  canonDouble,
  commandName,
  type JudgeOptions,
  judge,
  judgeEncodings,
  judgeExec,
  needsFollowUp,
  orderMayDiffer,
  orderMessages,
  reprocessed,
  type Verdict,
} from './normalise.ts';
import type { RuleId } from './rules.ts';
import type { CommandStep, Step } from './steps.ts';
import { canon, sameMultiset } from './values.ts';
import { walk } from './walk.ts';

export interface Difference {
  /** Index of the step in its list. */
  step: number;
  conn: number;
  args: string[];
  left: string;
  right: string;
  why: string;
  /** Equal for differences that look like the same defect. */
  key: string;
}

export interface MatchOptions {
  connections: number;
  dialect: boolean;
  replyTimeoutMs: number;
  /** Let SWAPDB run while clients are blocked (Redis then serves them in the hash order of their keys). */
  swapWakes: boolean;
  /** Go on behind a reply that differs, and collect all differences (one command at a time then). */
  keepGoing?: boolean;
}

const BATCH = 16;
/** After these the connections of the two sides no longer stand at the same place. */
const FATAL = /^(no reply|blocking|woken|connection closed|a reply nobody|raw bytes)/;
const SUBSCRIBE = new Set([
  ...['SUBSCRIBE', 'UNSUBSCRIBE', 'PSUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE'],
]);
/** Position of the timeout argument of the commands that may block: from the front, or from the back. */
const BLOCKING: Record<string, number> = {
  BLPOP: -1,
  BRPOP: -1,
  BLMOVE: -1,
  BRPOPLPUSH: -1,
  BZPOPMIN: -1,
  BZPOPMAX: -1,
  BLMPOP: 1,
  BZMPOP: 1,
  WAIT: -1,
};
/** Replies to these end a batch: what follows depends on what they did to the connection. */
const ALONE = new Set(['EXEC', 'QUIT', 'RESET', 'HELLO', 'PING', 'SELECT', 'CLIENT KILL', 'CLIENT UNBLOCK']);
/** Commands that cannot wake a blocked client, so that nobody needs to ask. */
const HARMLESS = new Set([
  ...['GET', 'TTL', 'PTTL', 'TYPE', 'EXISTS', 'PING', 'ECHO', 'LRANGE', 'LLEN', 'LINDEX', 'HGET', 'HGETALL'],
  ...['SMEMBERS', 'SISMEMBER', 'SCARD', 'ZSCORE', 'ZCARD', 'ZRANGE', 'WATCH', 'UNWATCH', 'MULTI', 'DBSIZE'],
  ...['STRLEN', 'MGET', 'GETRANGE', 'HLEN', 'OBJECT ENCODING'],
]);

class Side {
  wire!: Wire;
  id = '0';
  readonly messages: Buffer[] = [];

  /** Takes over what has arrived out of band. */
  collect(): void {
    this.messages.push(...this.wire.pushes.splice(0));
  }
}

class Lane {
  readonly left = new Side();
  readonly right = new Side();
  /** Commands queued since MULTI, or null outside. */
  queue: string[][] | null = null;
  db = 0;
  parked: CommandStep | null = null;
  parkedAt = 0;
}

interface Taken {
  frames: Buffer[];
  failure: string | null;
}

export class Match {
  readonly left: ServerHandle;
  readonly right: ServerHandle;
  readonly options: MatchOptions;
  readonly rules = new Map<RuleId, number>();
  readonly covered = new Set<string>();
  steps = 0;
  commands = 0;
  walks = 0;
  /** The differences of the last run: one, unless it was told to keep going. */
  found: Difference[] = [];
  /** The two states parted in a way that a rule allows: nothing more can be compared in this run. */
  private ended = false;
  private lanes: Lane[] = [];
  private controlLeft!: Wire;
  private controlRight!: Wire;
  private clientsLeft = 1;
  private clientsRight = 1;

  constructor(left: ServerHandle, right: ServerHandle, options: MatchOptions) {
    this.left = left;
    this.right = right;
    this.options = options;
  }

  async open(): Promise<void> {
    await this.openControls();
    this.clientsLeft = (await clients(this.controlLeft)).connected;
    this.clientsRight = (await clients(this.controlRight)).connected;
  }

  private async openControls(): Promise<void> {
    const timeoutMs = this.options.replyTimeoutMs;
    this.controlLeft?.close();
    this.controlRight?.close();
    this.controlLeft = await Wire.open({ port: this.left.port, host: this.left.host, timeoutMs });
    this.controlRight = await Wire.open({ port: this.right.port, host: this.right.host, timeoutMs });
  }

  close(): void {
    for (const lane of this.lanes) this.drop(lane);
    this.controlLeft?.close();
    this.controlRight?.close();
  }

  /** Empty servers and new connections. */
  async reset(): Promise<void> {
    for (const lane of this.lanes) this.drop(lane);
    this.lanes = [];
    // New control connections too: after a reply that came too late the old ones would be one reply behind.
    await this.openControls();
    await Promise.all([
      alone(this.controlLeft, this.clientsLeft),
      alone(this.controlRight, this.clientsRight),
    ]);
    for (const control of [this.controlLeft, this.controlRight]) {
      for (const line of RESET) control.send(...line);
      await control.replies(RESET.length, 20_000);
    }
    for (let i = 0; i < this.options.connections; i++) {
      const lane = new Lane();
      this.lanes.push(lane);
      await this.connect(lane);
    }
  }

  /** Runs the steps; null when both servers agreed on all of them, else the first difference. */
  async run(steps: readonly Step[], progress?: () => boolean): Promise<Difference | null> {
    let i = 0;
    this.ended = false;
    this.found = [];
    while (i < steps.length) {
      if (progress && !progress()) return null;
      const step = steps[i]!;
      let next = i + 1;
      let found: Difference | null = null;
      if (step.kind === 'sleep') await sleep(step.ms);
      else if (step.kind === 'walk') found = await this.compareDatasets(i);
      else {
        const lane = this.lanes[step.conn]!;
        if (step.kind === 'closed') found = await this.expectClosed(lane, step.conn, i, step.maybe);
        else if (lane.parked !== null) next = i + 1;
        else if (step.kind === 'raw') found = await this.raw(lane, step.bytes, step.conn, i);
        else {
          if (lane.left.wire.closed && lane.right.wire.closed) await this.connect(lane);
          const batch = this.batch(steps, i);
          next = i + batch.length;
          found = await this.batchOf(lane, this.withoutSwap(lane, batch), i);
        }
      }
      this.steps += next - i;
      if (found !== null) {
        this.found.push(found);
        if (!this.options.keepGoing || this.found.length >= 20 || FATAL.test(found.why))
          return this.found[0]!;
      }
      if (this.ended) return null;
      i = next;
    }
    return this.found[0] ?? null;
  }

  // ---- batches ---------------------------------------------------------------------------------------------

  /** Consecutive commands of one connection that may be sent together. */
  private batch(steps: readonly Step[], from: number): CommandStep[] {
    const first = steps[from] as CommandStep;
    const batch = [first];
    const parked = this.parkedCount() > 0;
    // One by one where it matters who was woken by what.
    const most = this.options.keepGoing || parked ? 1 : BATCH;
    if (!this.mayContinue(first)) return batch;
    for (let i = from + 1; i < steps.length && batch.length < most; i++) {
      const step = steps[i]!;
      if (step.kind !== 'cmd' || step.conn !== first.conn || step.silent) break;
      const name = commandName(step.args);
      if (SUBSCRIBE.has(name) || name in BLOCKING) break;
      if (parked && (name === 'EXEC' || name === 'SWAPDB')) break;
      batch.push(step);
      if (!this.mayContinue(step)) break;
    }
    return batch;
  }

  /** Replaces a SWAPDB that would wake blocked clients in an order that Redis leaves open (see MatchOptions). */
  private withoutSwap(lane: Lane, batch: CommandStep[]): CommandStep[] {
    const first = batch[0]!;
    if (this.options.swapWakes || this.parkedCount() === 0) return batch;
    const name = commandName(first.args);
    if (name === 'SWAPDB' && lane.queue === null)
      return [{ ...first, args: ['PING', 'no swap now'] }, ...batch.slice(1)];
    if (name === 'EXEC' && lane.queue?.some((args) => commandName(args) === 'SWAPDB'))
      return [{ ...first, args: ['DISCARD'] }];
    return batch;
  }

  private mayContinue(step: CommandStep): boolean {
    const name = commandName(step.args);
    return !(
      step.silent ||
      SUBSCRIBE.has(name) ||
      name in BLOCKING ||
      ALONE.has(name) ||
      needsFollowUp(name)
    );
  }

  private async batchOf(lane: Lane, batch: CommandStep[], at: number): Promise<Difference | null> {
    const first = batch[0]!;
    const name = commandName(first.args);
    this.commands += batch.length;
    const strayLeft = lane.left.wire.inbox[0];
    const strayRight = lane.right.wire.inbox[0];
    if (strayLeft !== undefined || strayRight !== undefined) {
      const show = (frame: Buffer | undefined): string =>
        frame === undefined ? '(none)' : escapeBytes(frame);
      return this.difference(
        at,
        first,
        show(strayLeft),
        show(strayRight),
        'a reply nobody asked for, before this',
      );
    }
    if (first.silent) {
      this.send(lane, first.args);
      return null;
    }
    if (lane.queue === null && SUBSCRIBE.has(name)) return this.subscribe(lane, first, at);
    if (lane.queue === null && name in BLOCKING && !this.shortTimeout(first.args))
      return this.maybeBlock(lane, first, at);
    let textLeft = '';
    let textRight = '';
    for (const step of batch) {
      const [l, r] = this.bytes(step.args);
      textLeft += l;
      textRight += r;
    }
    lane.left.wire.write(textLeft);
    lane.right.wire.write(textRight);
    const [l, r] = await Promise.all([
      this.take(lane.left, batch.length),
      this.take(lane.right, batch.length),
    ]);
    const found = await this.judgeBatch(lane, batch, at, l, r);
    if (found !== null) return found;
    const last = batch[batch.length - 1]!;
    if (commandName(last.args) === 'QUIT')
      return this.expectClosed(lane, last.conn, at + batch.length - 1, last.args.length > 1);
    return this.afterBatch(lane, batch, at);
  }

  private async judgeBatch(
    lane: Lane,
    batch: readonly CommandStep[],
    at: number,
    l: Taken,
    r: Taken,
  ): Promise<Difference | null> {
    for (let i = 0; i < batch.length; i++) {
      const step = batch[i]!;
      const left = l.frames[i];
      const right = r.frames[i];
      if (left === undefined || right === undefined) {
        if (left === undefined && right === undefined && l.failure === r.failure && l.failure === 'closed') {
          await this.connect(lane);
          return null;
        }
        const show = (frame: Buffer | undefined, taken: Taken): string =>
          frame === undefined ? `(${taken.failure})` : escapeBytes(frame);
        return this.difference(at + i, step, show(left, l), show(right, r), 'no reply', this.deaths());
      }
      const found = await this.judgeOne(lane, step, at + i, left, right);
      if (found !== null) return found;
    }
    return null;
  }

  private async judgeOne(
    lane: Lane,
    step: CommandStep,
    at: number,
    left: Buffer,
    right: Buffer,
  ): Promise<Difference | null> {
    const { args } = step;
    const name = commandName(args);
    const queue = lane.queue;
    const options: JudgeOptions = { dialect: this.options.dialect, nested: false };
    let verdict: Verdict;
    let culprit: { args: string[]; left: string; right: string } | null = null;
    if (name === 'EXEC' && queue !== null && left[0] === 0x2a && right[0] === 0x2a) {
      const l = parseReply(left);
      const r = parseReply(right);
      const judged = judgeExec(queue, l, r, options);
      for (const rule of judged.rules) this.count(rule);
      verdict = judged.verdict;
      if (judged.culprit !== null) {
        const i = judged.culprit;
        culprit = { args: queue[i]!, left: canon(l.items[i]!), right: canon(r.items[i]!) };
      }
      if (l.items.length === queue.length) {
        for (let i = 0; i < queue.length; i++) this.ran(lane, queue[i]!, l.items[i]!.kind === 'error');
      }
    } else {
      const queued = queue !== null && left.equals(right);
      verdict = queued ? { ok: true, rule: null } : judge(args, left, right, options);
    }
    this.track(lane, name, args, left);
    if (verdict.ok === 'check') {
      const rule = verdict.rule;
      const why = await this.settle(lane, args, verdict.check, left, right);
      verdict = why === null ? { ok: true, rule } : { ok: false, why };
    }
    if (verdict.ok === false) {
      if (culprit === null)
        return this.difference(at, step, escapeBytes(left, 1e5), escapeBytes(right, 1e5), verdict.why);
      const inside = { ...step, args: culprit.args };
      const [a, b] = [escapeBytes(culprit.left, 1e5), escapeBytes(culprit.right, 1e5)];
      return this.difference(at, inside, a, b, `${verdict.why} (in EXEC)`);
    }
    if (verdict.rule !== null) this.count(verdict.rule);
    return null;
  }

  /** Keeps MULTI state, database and coverage up to date with a reply on which both sides agreed. */
  private track(lane: Lane, name: string, args: readonly string[], reply: Buffer): void {
    const error = reply[0] === 0x2d;
    if (lane.queue !== null && reply.length === 9 && reply.toString('latin1') === '+QUEUED\r\n') {
      lane.queue.push([...args]);
      return;
    }
    if (name === 'EXEC') {
      if (!error || /^-(EXECABORT|ERR EXEC without)/.test(reply.toString('latin1', 0, 40))) lane.queue = null;
    } else if (!error && name === 'MULTI') lane.queue = [];
    else if (!error && name === 'DISCARD') lane.queue = null;
    else if (!error && name === 'RESET') lane.queue = null;
    this.ran(lane, args, error);
  }

  private ran(lane: Lane, args: readonly string[], error: boolean): void {
    if (error) return;
    const name = commandName(args);
    this.covered.add(name);
    if (name === 'SELECT') lane.db = Number(args[1]);
    else if (name === 'RESET') lane.db = 0;
  }

  private async afterBatch(
    lane: Lane,
    batch: readonly CommandStep[],
    at: number,
  ): Promise<Difference | null> {
    const last = batch[batch.length - 1]!;
    lane.left.collect();
    lane.right.collect();
    if (commandName(last.args) === 'PING') {
      const found = this.compareMessages(lane, last, at + batch.length - 1);
      if (found !== null) return found;
    }
    if (batch.every((step) => HARMLESS.has(commandName(step.args)))) return null;
    return this.wake(at + batch.length - 1, last);
  }

  // ---- messages --------------------------------------------------------------------------------------------

  /**
   * Compares the messages of one connection. Called where all of them must have arrived: behind a PING, behind
   * the confirmations of a subscribe command, and when the connection has been closed.
   */
  private compareMessages(lane: Lane, step: CommandStep, at: number): Difference | null {
    const l = lane.left.messages.splice(0);
    const r = lane.right.messages.splice(0);
    if (l.length === r.length && l.every((raw, i) => raw.equals(r[i]!))) return null;
    const a = orderMessages(l.map(parseReply));
    const b = orderMessages(r.map(parseReply));
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      if (a[i] !== b[i])
        return this.difference(at, step, a[i] ?? '(no message)', b[i] ?? '(no message)', 'message');
    }
    this.count('message-order');
    return null;
  }

  /** Sends a (un)subscribe command and reads up to a PING behind it: confirmations are messages. */
  private async subscribe(lane: Lane, step: CommandStep, at: number): Promise<Difference | null> {
    const mark = `mark-${at}`;
    const ping = encodeCommand(['PING', mark]).toString('latin1');
    const [l, r] = this.bytes(step.args);
    lane.left.wire.write(l + ping);
    lane.right.wire.write(r + ping);
    const upTo = async (side: Side): Promise<Taken> => {
      const one = await this.take(side, 1);
      if (one.failure !== null || one.frames[0]!.includes(mark)) return one;
      const two = await this.take(side, 1);
      return { frames: [...one.frames, ...two.frames], failure: two.failure };
    };
    const [a, b] = await Promise.all([upTo(lane.left), upTo(lane.right)]);
    const show = (taken: Taken): string =>
      `${taken.frames.map((f) => escapeBytes(f)).join(' ')}${taken.failure ?? ''}`;
    if (show(a) !== show(b)) return this.difference(at, step, show(a), show(b), 'reply', this.deaths());
    if (a.frames.length === 1) this.covered.add(commandName(step.args));
    lane.left.collect();
    lane.right.collect();
    return this.compareMessages(lane, step, at);
  }

  // ---- blocking --------------------------------------------------------------------------------------------

  /** A timeout so short that the reply is simply awaited. */
  private shortTimeout(args: readonly string[]): boolean {
    const at = BLOCKING[commandName(args)]!;
    const seconds = Number(at < 0 ? args[args.length + at] : args[at]);
    if (commandName(args) === 'WAIT') return seconds > 0;
    return seconds > 0 && seconds <= 0.3;
  }

  private parkedCount(): number {
    return this.lanes.reduce((n, lane) => n + (lane.parked === null ? 0 : 1), 0);
  }

  /** Sends a command that may block: afterwards both sides have replied, or both are blocked. */
  private async maybeBlock(lane: Lane, step: CommandStep, at: number): Promise<Difference | null> {
    const before = this.parkedCount();
    this.send(lane, step.args);
    const outcome = async (side: Side, control: Wire): Promise<'reply' | 'blocked' | 'silent'> => {
      const until = Date.now() + this.options.replyTimeoutMs;
      while (Date.now() < until) {
        if (side.wire.inbox.length > 0 || side.wire.closed) return 'reply';
        if ((await clients(control)).blocked > before) return 'blocked';
      }
      return 'silent';
    };
    const [l, r] = await Promise.all([
      outcome(lane.left, this.controlLeft),
      outcome(lane.right, this.controlRight),
    ]);
    if (l !== r || l === 'silent') {
      const show = (what: string, side: Side): string =>
        what === 'reply' ? escapeBytes(side.wire.inbox[0] ?? '(closed)') : `(${what})`;
      return this.difference(at, step, show(l, lane.left), show(r, lane.right), 'blocking', this.deaths());
    }
    if (l === 'blocked') {
      lane.parked = step;
      lane.parkedAt = at;
      this.covered.add(commandName(step.args));
      return null;
    }
    const [a, b] = await Promise.all([this.take(lane.left, 1), this.take(lane.right, 1)]);
    return (await this.judgeBatch(lane, [step], at, a, b)) ?? (await this.afterBatch(lane, [step], at));
  }

  /** After a command: have the same blocked clients been served on both sides, with the same replies? */
  private async wake(at: number, by: CommandStep): Promise<Difference | null> {
    const parked = this.lanes.filter((lane) => lane.parked !== null);
    if (parked.length === 0) return null;
    const served = async (side: 'left' | 'right', control: Wire): Promise<boolean[]> => {
      const due = parked.length - (await clients(control)).blocked;
      const arrived = (): boolean[] =>
        parked.map((lane) => lane[side].wire.inbox.length > 0 || lane[side].wire.closed);
      const until = Date.now() + this.options.replyTimeoutMs;
      while (arrived().filter(Boolean).length < due && Date.now() < until) await turn();
      return arrived();
    };
    const [l, r] = await Promise.all([served('left', this.controlLeft), served('right', this.controlRight)]);
    if (await this.anyReprocessed(parked, by)) {
      this.count('blocked-reprocess');
      this.ended = true;
      return null;
    }
    for (let i = 0; i < parked.length; i++) {
      const lane = parked[i]!;
      const step = lane.parked!;
      if (l[i] !== r[i]) {
        const show = (side: Side): string =>
          side.wire.inbox.length > 0
            ? escapeBytes(side.wire.inbox[0]!)
            : side.wire.closed
              ? '(closed)'
              : '(still blocked)';
        return this.difference(
          at,
          step,
          show(lane.left),
          show(lane.right),
          `woken by ${commandName(by.args)}`,
          this.deaths(),
        );
      }
      if (!l[i]) continue;
      lane.parked = null;
      if (lane.left.wire.closed && lane.right.wire.closed) continue;
      const [a, b] = await Promise.all([this.take(lane.left, 1), this.take(lane.right, 1)]);
      const found = await this.judgeBatch(lane, [step], at, a, b);
      if (found !== null) return { ...found, why: `${found.why} (woken by ${by.args.join(' ')})` };
    }
    return null;
  }

  /** Was one of the clients served differently only because 7.2 runs a woken command again? */
  private async anyReprocessed(parked: readonly Lane[], by: CommandStep): Promise<boolean> {
    if (!this.options.dialect) return false;
    for (const lane of parked) {
      const { args } = lane.parked!;
      const l = lane.left.wire.inbox[0];
      const r = lane.right.wire.inbox[0];
      if (l === undefined || r === undefined || l.equals(r)) continue;
      // A transaction may have changed the types again: there every earlier key may have been in the way.
      const wrong = commandName(by.args) === 'EXEC' ? args : await this.wrongTyped(lane, args);
      if (reprocessed(args, parseReply(l), parseReply(r), wrong)) return true;
    }
    return false;
  }

  /** Those arguments that name a key whose type the command cannot pop from. */
  private async wrongTyped(lane: Lane, args: readonly string[]): Promise<string[]> {
    const type = commandName(args).startsWith('BZ') ? 'zset' : 'list';
    await this.controlLeft.call('SELECT', String(lane.db));
    const wrong: string[] = [];
    for (const arg of args.slice(1)) {
      const held = (await this.controlLeft.call('TYPE', arg)).text;
      if (held !== type && held !== 'none') wrong.push(arg);
    }
    return wrong;
  }

  // ---- questions -------------------------------------------------------------------------------------------

  /** Answers a check of normalise.ts on the control connections; null when all is well, else what is wrong. */
  private async settle(
    lane: Lane,
    args: readonly string[],
    check: Check,
    left: Buffer,
    right: Buffer,
  ): Promise<string | null> {
    if (check.kind === 'scan') return this.iterate(lane, args, left, right);
    const ask = async (control: Wire, ...question: string[]): Promise<Value> => {
      control.send('SELECT', String(lane.db));
      control.send(...question);
      return parseReply((await control.replies(2))[1]!);
    };
    const both = (l: string[], r: string[]): Promise<[Value, Value]> =>
      Promise.all([ask(this.controlLeft, ...l), ask(this.controlRight, ...r)]);
    if (check.kind === 'order') {
      const question = ['OBJECT', 'ENCODING', check.key];
      const [l, r] = await both(question, question);
      return orderMayDiffer(l.text, r.text, this.options.dialect)
        ? null
        : `order of ${l.text} / ${r.text} differs`;
    }
    if (check.kind === 'spop' && check.left.length === 0) return this.sameEncoding(check.key, both);
    if (check.kind === 'spop') {
      const [l, r] = await both(['SREM', check.key, ...check.right], ['SREM', check.key, ...check.left]);
      if (l.kind !== 'int' || canon(l) !== canon(r) || Number(l.text) !== check.left.length)
        return `popped members were not in the set (${l.text} / ${r.text})`;
      return this.sameEncoding(check.key, both);
    }
    const question = [...check.probe, ...check.members];
    const [l, r] = await both(question, question);
    const all = (v: Value): boolean =>
      v.kind === 'array'
        ? v.items.every((x) =>
            x.kind === 'int' ? x.text === '1' : x.kind !== 'nullbulk' && x.kind !== 'null',
          )
        : Number(v.text) === check.members.length;
    return all(l) && all(r) ? null : 'a chosen member does not exist';
  }

  /** Equal sets may have come to different encodings by what was popped: then both are built anew. */
  private async sameEncoding(
    key: string,
    both: (l: string[], r: string[]) => Promise<[Value, Value]>,
  ): Promise<string | null> {
    const ask = (...question: string[]): Promise<[Value, Value]> => both(question, question);
    const [l, r] = await ask('OBJECT', 'ENCODING', key);
    if (l.kind !== 'bulk' || r.kind !== 'bulk')
      return l.kind === r.kind ? null : 'only one set is left after SPOP';
    if (judgeEncodings(l.text, r.text, this.options.dialect).ok === true) return null;
    const [ttl] = await ask('PTTL', key);
    const members = (await ask('SMEMBERS', key)).map((v) => v.items.map((x) => x.text).sort());
    if (!sameMultiset(members[0]!, members[1]!)) return 'the sets differ after SPOP';
    this.count('spop-encoding');
    await ask('DEL', key);
    await ask('SADD', key, ...members[0]!);
    if (Number(ttl.text) > 0) await ask('PEXPIRE', key, ttl.text);
    return null;
  }

  /** Follows the cursors of both sides to the end and compares what came, pairs for HSCAN and ZSCAN. */
  private async iterate(
    lane: Lane,
    args: readonly string[],
    left: Buffer,
    right: Buffer,
  ): Promise<string | null> {
    const name = commandName(args);
    const at = name === 'SCAN' ? 1 : 2;
    if (args[at] !== '0') return null;
    const paired = name === 'HSCAN' || name === 'ZSCAN';
    const all = async (side: Side, first: Buffer): Promise<{ list: string[]; rounds: number }> => {
      const list: string[] = [];
      let reply = parseReply(first);
      let rounds = 1;
      for (; ; rounds++) {
        const items = reply.items[1]!.items;
        if (paired && items.length % 2 !== 0) throw new Error('odd number of elements');
        for (let i = 0; i < items.length; i += paired ? 2 : 1) {
          const value = paired ? items[i + 1]!.text : '';
          list.push(JSON.stringify([items[i]!.text, name === 'ZSCAN' ? canonDouble(value) : value]));
        }
        const cursor = reply.items[0]!.text;
        if (cursor === '0') return { list, rounds };
        if (rounds > 20_000) throw new Error('the iteration does not end');
        reply = await side.wire.call(...args.slice(0, at), cursor, ...args.slice(at + 1));
        if (reply.kind === 'error') throw new Error(reply.text);
      }
    };
    try {
      const [l, r] = await Promise.all([all(lane.left, left), all(lane.right, right)]);
      if (!sameMultiset([...new Set(l.list)], [...new Set(r.list)]))
        return `iterations differ: ${l.list.slice(0, 20).join(' ')} vs ${r.list.slice(0, 20).join(' ')}`;
      return null;
    } catch (error) {
      return `iteration failed: ${(error as Error).message}`;
    }
  }

  private async compareDatasets(at: number): Promise<Difference | null> {
    this.walks++;
    const found = await walk(this.controlLeft, this.controlRight, this.options.dialect);
    if (found === null) return null;
    return {
      step: at,
      conn: -1,
      args: found.question,
      left: aroundDifference(found.left, found.right)[0],
      right: aroundDifference(found.left, found.right)[1],
      why: `dataset: ${found.what}`,
      key: `dataset ${found.what}`,
    };
  }

  // ---- connections -----------------------------------------------------------------------------------------

  private async expectClosed(
    lane: Lane,
    conn: number,
    at: number,
    maybe = false,
  ): Promise<Difference | null> {
    const wires = [lane.left.wire, lane.right.wire];
    if (maybe) await Promise.race(wires.map((wire) => wire.waitClosed(20)));
    if (maybe && wires.every((wire) => !wire.closed)) return null;
    const [l, r] = await Promise.all(wires.map((wire) => wire.waitClosed(1000)));
    lane.left.collect();
    lane.right.collect();
    const closed = (x: boolean): string => (x ? '(closed)' : '(open)');
    if (l !== r || !l)
      return this.difference(
        at,
        { kind: 'cmd', conn, args: ['@closed'] },
        closed(l),
        closed(r),
        'connection closed',
      );
    const found = this.compareMessages(lane, { kind: 'cmd', conn, args: ['@closed'] }, at);
    if (found !== null) return found;
    await this.connect(lane);
    return null;
  }

  private async raw(lane: Lane, bytes: string, conn: number, at: number): Promise<Difference | null> {
    const both = [lane.left.wire, lane.right.wire];
    for (const wire of both) {
      wire.startCapture();
      wire.write(bytes);
    }
    // Both servers have certainly read the bytes once they have answered somebody else twice.
    for (let i = 0; i < 2; i++)
      await Promise.all([this.controlLeft.call('PING'), this.controlRight.call('PING')]);
    const until = Date.now() + 1500;
    do await sleep(5);
    while (!sameCapture(both[0]!, both[1]!) && Date.now() < until);
    const [l, r] = both.map((wire) => wire.endCapture());
    const show = (answer: Buffer, wire: Wire): string =>
      `${escapeBytes(answer, 2000)}${wire.closed ? ' (closed)' : ''}`;
    const left = show(l!, both[0]!);
    const right = show(r!, both[1]!);
    if (left !== right)
      return this.difference(at, { kind: 'cmd', conn, args: ['@raw', bytes] }, left, right, 'raw bytes');
    if (both[0]!.closed) await this.connect(lane);
    return null;
  }

  private async connect(lane: Lane): Promise<void> {
    const timeoutMs = this.options.replyTimeoutMs;
    const open = async (side: Side, server: ServerHandle): Promise<void> => {
      side.wire = await Wire.open({ port: server.port, host: server.host, timeoutMs });
      side.id = (await side.wire.call('CLIENT', 'ID')).text;
      side.messages.length = 0;
    };
    lane.queue = null;
    lane.db = 0;
    lane.parked = null;
    await open(lane.left, this.left);
    await open(lane.right, this.right);
  }

  private drop(lane: Lane): void {
    lane.left.wire?.close();
    lane.right.wire?.close();
  }

  private send(lane: Lane, args: readonly string[]): void {
    const [l, r] = this.bytes(args);
    lane.left.wire.write(l);
    lane.right.wire.write(r);
  }

  /** The request for both sides, as byte strings. */
  private bytes(args: readonly string[]): [string, string] {
    if (!args.some((arg) => arg.startsWith('{id:'))) {
      const same = encodeCommand(args).toString('latin1');
      return [same, same];
    }
    const fill = (side: 'left' | 'right'): string =>
      encodeCommand(
        args.map((arg) => {
          const m = /^\{id:(\d+)\}$/.exec(arg);
          return m === null ? arg : (this.lanes[Number(m[1])]?.[side].id ?? arg);
        }),
      ).toString('latin1');
    return [fill('left'), fill('right')];
  }

  private async take(side: Side, count: number): Promise<Taken> {
    try {
      return { frames: await side.wire.replies(count, this.options.replyTimeoutMs), failure: null };
    } catch (error) {
      const frames = side.wire.inbox.splice(0);
      if (error instanceof WireTimeout) return { frames, failure: 'timeout' };
      return { frames, failure: side.wire.error instanceof WireError ? side.wire.error.message : 'closed' };
    }
  }

  private count(rule: RuleId): void {
    this.rules.set(rule, (this.rules.get(rule) ?? 0) + 1);
  }

  private deaths(): string {
    return [this.left, this.right]
      .filter((server) => server.died() !== null)
      .map((server) => `${server.name} died (${server.died()}): ${server.tail().slice(-1500)}`)
      .join('\n');
  }

  private difference(
    step: number,
    what: CommandStep,
    left: string,
    right: string,
    why: string,
    note = '',
  ): Difference {
    const kinds = [left, right].map((reply) => shape(reply)).join(' / ');
    [left, right] = aroundDifference(left, right);
    return {
      step,
      conn: what.conn,
      args: what.args,
      left,
      right,
      why: note === '' ? why : `${why}; ${note}`,
      key: `${commandName(what.args)}: ${why.split(' (')[0]!.slice(0, 60)}: ${kinds}`,
    };
  }
}

/** Long replies are cut to the neighbourhood of the first character that differs. */
function aroundDifference(left: string, right: string): [string, string] {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  const cut = (text: string): string => {
    if (text.length <= 500) return text;
    const from = Math.max(0, at - 150);
    return `${from > 0 ? `${text.slice(0, 60)} … ` : ''}${text.slice(from, at + 300)}${at + 300 < text.length ? ' …' : ''}`;
  };
  return [cut(left), cut(right)];
}

/** What kind of reply this printed one is, coarse enough to group equal defects. */
function shape(printed: string): string {
  if (printed.startsWith('-')) return `error ${printed.slice(1, 40)}`;
  if (printed.startsWith('(')) return printed;
  return printed.slice(0, 1);
}

/** Back to the defaults that a round starts from. Replies are not looked at: a server may not know a line. */
const RESET: string[][] = [
  ['FLUSHALL'],
  ['FUNCTION', 'FLUSH'],
  ['SELECT', '0'],
  ['CONFIG', 'SET', 'notify-keyspace-events', ''],
  ['CONFIG', 'SET', 'hash-max-listpack-entries', '128'],
  ['CONFIG', 'SET', 'hash-max-listpack-value', '64'],
  ['CONFIG', 'SET', 'zset-max-listpack-entries', '128'],
  ['CONFIG', 'SET', 'zset-max-listpack-value', '64'],
  ['CONFIG', 'SET', 'set-max-intset-entries', '512'],
  ['CONFIG', 'SET', 'list-max-listpack-size', '-2'],
  ['DEBUG', 'SET-ACTIVE-EXPIRE', '0'],
  ['SCRIPT', 'FLUSH'],
  ['FUNCTION', 'FLUSH'],
];

async function clients(control: Wire): Promise<{ connected: number; blocked: number }> {
  const info = (await control.call('INFO', 'clients')).text;
  const field = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1] ?? 'NaN');
  return { connected: field('connected_clients'), blocked: field('blocked_clients') };
}

const sameCapture = (a: Wire, b: Wire): boolean => a.closed === b.closed && a.captured().equals(b.captured());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until the connections that were just closed are gone from the server too. */
async function alone(control: Wire, base: number): Promise<void> {
  const until = Date.now() + 2000;
  while (Date.now() < until) {
    const { connected, blocked } = await clients(control);
    if (!(connected > base) && !(blocked > 0)) return;
    await sleep(1);
  }
}
