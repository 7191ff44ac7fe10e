// Child process of memory.ts: sends PING every millisecond and keeps how long each answer took. Open loop: a
// stalled server keeps being asked, so that a stall of 50 ms counts fifty times, as its clients would feel it.
import { connect } from 'node:net';

/** Milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** How late this process itself was at worst. */
  readonly ownLag: number;
}

const PONG = '+PONG\r\n'.length;
const sentAt: number[] = [];
const waits: number[] = [];
let received = 0;
let lastTick = 0;
let ownLag = 0;

const socket = connect({ port: Number(process.argv[2]), host: '127.0.0.1', noDelay: true }, () => {
  lastTick = performance.now();
  const timer = setInterval(tick, 1);
  process.once('message', () => {
    clearInterval(timer);
    process.send?.(summary(), () => process.exit(0));
  });
  process.send?.('ready');
});
socket.on('data', (data) => {
  received += data.length;
  const now = performance.now();
  while (received >= PONG * (waits.length + 1)) waits.push(now - sentAt[waits.length]);
});
// The parent is gone.
process.once('disconnect', () => process.exit(0));

function tick(): void {
  const now = performance.now();
  ownLag = Math.max(ownLag, now - lastTick - 1);
  lastTick = now;
  sentAt.push(now);
  socket.write('PING\r\n');
}

function summary(): Latencies {
  // Those still unanswered have waited until now.
  const now = performance.now();
  const all = [...waits, ...sentAt.slice(waits.length).map((at) => now - at)].sort((a, b) => a - b);
  const at = (share: number): number => all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0;
  return { count: all.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), ownLag };
}
