// A connection that is kept and asked one command after the other, by prepared bytes: what is timed with it is
// the server and two system calls.
import { connect } from 'node:net';

export interface Client {
  /** Writes a command (servers.ts encodes one) and answers the reply as it came. */
  ask(command: string | Buffer): Promise<string>;
  close(): void;
}

export function openClient(port: number): Promise<Client> {
  return new Promise((opened, failed) => {
    let got = '';
    let answered: (reply: string) => void = () => {};
    let fail: (error: Error) => void = failed;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      got += data;
      if (!isWhole(got)) return;
      const reply = got;
      got = '';
      answered(reply);
    });
    socket.once('error', (error) => fail(error));
    socket.once('close', () => fail(new Error('connection closed')));
    socket.once('connect', () =>
      opened({
        ask: (command) =>
          new Promise((resolve, reject) => {
            answered = resolve;
            fail = reject;
            socket.write(command);
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}

/** Whether a reply that is a line or a bulk string has come whole; nothing else is asked for here. */
function isWhole(reply: string): boolean {
  const end = reply.indexOf('\r\n');
  if (end < 0) return false;
  const length = reply[0] === '$' ? Number(reply.slice(1, end)) : -1;
  return length < 0 || reply.length >= end + 2 + length + 2;
}
