// Why a session may not run a command right now, in the order in which Redis asks. Dispatch (engine.ts) calls it for
// sessions and commands whose bits say that there may be something.
import { Bit } from '../commands/derive.ts';
import { NOAUTH } from '../commands/errors.ts';
import type { TableEntry } from '../commands/table.ts';
import { ReplyError } from '../resp/reply.ts';
import type { Config } from './config.ts';
import { Gate, type Session } from './session.ts';

export function refusal(config: Config, session: Session, entry: TableEntry): ReplyError | null {
  if ((entry.bits & Bit.protected) !== 0 && !config.allowsProtected(entry.name, session.info.local)) {
    const [name] = entry.name.split('|');
    return new ReplyError(
      `ERR ${name.toUpperCase()} command not allowed. If the enable-${name}-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`,
    );
  }
  // Without a password nobody is a stranger, but who came as one is again once there is one.
  const stranger = (session.gate & Gate.unauthenticated) !== 0 && config.value('requirepass') !== '';
  if (stranger && (entry.bits & Bit.noAuth) === 0) return NOAUTH;
  if (session.multi !== null && (entry.bits & Bit.noMulti) !== 0) {
    return new ReplyError('ERR Command not allowed inside a transaction');
  }
  if ((session.gate & Gate.subscriber) !== 0 && (entry.bits & Bit.subscriber) === 0) {
    return new ReplyError(
      `ERR Can't execute '${entry.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  }
  return null;
}

/** Is it refused while the log cannot be written? What writes, and PING, which tells, as with Redis. */
export function needsLog(entry: TableEntry): boolean {
  return (entry.bits & Bit.write) !== 0 || entry.name === 'ping';
}
