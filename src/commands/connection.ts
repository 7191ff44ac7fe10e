// Connection commands: HELLO, AUTH, PING and their kin. CLIENT is in clients.ts.

import { parseInt64 } from '../data/numbers.ts';
import { MapReply, OK, PONG, type Reply, ReplyError, Status } from '../resp/reply.ts';
import { clientNameError } from './clients.ts';
import { SYNTAX, toNul, wrongArity } from './errors.ts';
import type { EnginePort, SessionPort } from './ports.ts';
import { type Arg, command } from './spec.ts';

/** What HELLO and INFO report; the dialect that we keep to. */
export const REPORTED_VERSION = '7.2.4';

const OPEN = ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'] as const;
const WRONGPASS = new ReplyError('WRONGPASS invalid username-password pair or user is disabled.');
const NO_PASSWORD_SET = new ReplyError(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);
const HELLO_NOAUTH = new ReplyError(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);

export const connection = {
  ping: command<[message?: Arg], string>({
    arity: -1,
    flags: ['fast'],
    group: 'connection',
    since: '1.0.0',
    summary: 'Answers PONG, or the message it was given.',
    complexity: 'O(1)',
    syntax: '[message]',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    subscriber: true,
    control: (session, args) => {
      if (args.length > 2) return wrongArity('ping');
      // A RESP2 subscriber gets the shape of a message, so that its reader can tell it from one.
      if (
        session.protocol === 2 &&
        session.channels.size + session.patterns.size + session.shardChannels.size > 0
      ) {
        return ['pong', args[1] ?? ''];
      }
      return args.length === 2 ? args[1] : PONG;
    },
  }),
  echo: command<[message: Arg], string>({
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    group: 'connection',
    since: '1.0.0',
    summary: 'Answers its argument.',
    complexity: 'O(1)',
    syntax: 'message',
    run: (_db, args) => args[1],
  }),
  hello: command<[...protocolAndOptions: Arg[]], Record<string, unknown>>({
    arity: -1,
    flags: OPEN,
    group: 'connection',
    since: '6.0.0',
    summary: 'Chooses the protocol version, optionally authenticating and naming the connection.',
    complexity: 'O(1)',
    syntax: '[protover [AUTH username password] [SETNAME clientname]]',
    control: hello,
  }),
  auth: command<[...userAndPassword: Arg[]], 'OK'>({
    arity: -2,
    flags: OPEN,
    group: 'connection',
    since: '1.0.0',
    summary: 'Authenticates the connection.',
    complexity: 'O(N) with the number of passwords of the user',
    syntax: '[username] password',
    control: (session, args, engine) => {
      if (args.length > 3) return SYNTAX;
      if (args.length === 2 && engine.config.value('requirepass') === '') return NO_PASSWORD_SET;
      const [user, password] = args.length === 2 ? ['default', args[1]] : [args[1], args[2]];
      return authenticate(session, engine, user, password) ? OK : WRONGPASS;
    },
  }),
  reset: command<[], 'RESET'>({
    arity: 1,
    flags: OPEN,
    group: 'connection',
    since: '6.2.0',
    summary: 'Puts the connection back as a new one is.',
    complexity: 'O(1)',
    immediate: true,
    subscriber: true,
    control: (session, _args, engine) => {
      engine.reset(session);
      return new Status('RESET');
    },
  }),
  quit: command<[], 'OK'>({
    arity: -1,
    flags: OPEN,
    group: 'connection',
    since: '1.0.0',
    summary: 'Closes the connection after the reply.',
    complexity: 'O(1)',
    immediate: true,
    subscriber: true,
    control: (session) => {
      session.closing = true;
      return OK;
    },
  }),
};

function hello(session: SessionPort, args: readonly string[], engine: EnginePort): Reply {
  let protocol = session.protocol;
  if (args.length > 1) {
    const version = parseInt64(args[1]);
    if (version === null) return new ReplyError('ERR Protocol version is not an integer or out of range');
    if (version !== 2 && version !== 3) return new ReplyError('NOPROTO unsupported protocol version');
    protocol = version;
  }
  let name: string | null = null;
  let login: [string, string] | null = null;
  for (let i = 2; i < args.length; i++) {
    const option = args[i].toUpperCase();
    const left = args.length - 1 - i;
    if (option === 'AUTH' && left >= 2) {
      login = [args[i + 1], args[i + 2]];
      i += 2;
    } else if (option === 'SETNAME' && left >= 1) {
      name = args[i + 1];
      const error = clientNameError(name);
      if (error !== null) return error;
      i++;
    } else {
      return new ReplyError(`ERR Syntax error in HELLO option '${toNul(args[i])}'`);
    }
  }
  if (login !== null && !authenticate(session, engine, login[0], login[1])) return WRONGPASS;
  if (!session.authenticated && engine.config.value('requirepass') !== '') return HELLO_NOAUTH;
  if (name !== null) session.name = name;
  session.protocol = protocol;
  session.refresh();
  return new MapReply([
    'server',
    'redis',
    'version',
    REPORTED_VERSION,
    'proto',
    protocol,
    'id',
    session.id,
    'mode',
    'standalone',
    'role',
    'master',
    'modules',
    [],
  ]);
}

// Compares in a time that does not tell where the difference is.
function sameSecret(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return difference === 0;
}

function authenticate(session: SessionPort, engine: EnginePort, user: string, password: string): boolean {
  const required = engine.config.value('requirepass');
  if (user !== 'default' || (required !== '' && !sameSecret(password, required))) return false;
  session.user = user;
  session.authenticated = true;
  session.refresh();
  return true;
}
