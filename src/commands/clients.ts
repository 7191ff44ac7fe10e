// CLIENT and its subcommands: who is connected, names, kills, unblocking.
import { parseInt64 } from '../data/numbers.ts';
import { EMPTY, NO_REPLY, OK, type Reply, ReplyError, Status, Verbatim } from '../resp/reply.ts';
import { NOT_INTEGER, SYNTAX, toNul } from './errors.ts';
import type { EnginePort, SessionPort } from './ports.ts';
import { type Arg, command, container } from './spec.ts';

const PLAIN = ['noscript', 'loading', 'stale'] as const;
const ADMIN = ['admin', 'noscript', 'loading', 'stale'] as const;

const HELP = [
  'CLIENT <subcommand> [<arg> ...]',
  'GETNAME: the name of this connection',
  'ID: the number of this connection',
  'INFO: what LIST says of this connection',
  'KILL <ip:port> | [ID n] [TYPE t] [ADDR a] [LADDR a] [USER u] [SKIPME yes|no]: closes connections',
  'LIST [TYPE t | ID n ...]: one line for each connection',
  'NO-EVICT (ON|OFF), NO-TOUCH (ON|OFF): flags of this connection',
  'REPLY (ON|OFF|SKIP): whether this connection gets replies',
  'SETINFO (LIB-NAME|LIB-VER) <text>: what library speaks here',
  'SETNAME <name>: names this connection',
  'UNBLOCK <id> [TIMEOUT|ERROR]: ends the wait of a blocked connection',
];

export const clients = {
  client: container(
    { arity: -2, group: 'connection', since: '2.4.0', summary: 'Inspects and controls connections.' },
    {
      id: command<[], number>({
        arity: 2,
        flags: PLAIN,
        group: 'connection',
        since: '5.0.0',
        summary: 'Answers the number of this connection; numbers grow and are never used again.',
        complexity: 'O(1)',
        control: (session) => session.id,
      }),
      info: command<[], string>({
        arity: 2,
        flags: PLAIN,
        group: 'connection',
        since: '6.2.0',
        summary: 'Describes this connection in the line that LIST has for it.',
        complexity: 'O(1)',
        tips: ['nondeterministic_output'],
        control: (session, _args, engine) => new Verbatim(`${describe(session, engine)}\n`),
      }),
      list: command<[...filter: Arg[]], string>({
        arity: -2,
        flags: ADMIN,
        group: 'connection',
        since: '2.4.0',
        summary: 'Describes all connections, one line each.',
        complexity: 'O(N) with the number of connections',
        syntax: '[TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID client-id [client-id ...]]',
        tips: ['nondeterministic_output'],
        control: list,
      }),
      getname: command<[], string | null>({
        arity: 2,
        flags: PLAIN,
        group: 'connection',
        since: '2.6.9',
        summary: 'Answers the name of this connection, null without one.',
        complexity: 'O(1)',
        control: (session) => (session.name === '' ? null : session.name),
      }),
      setname: command<[name: Arg], 'OK'>({
        arity: 3,
        flags: PLAIN,
        group: 'connection',
        since: '2.6.9',
        summary: 'Names this connection; an empty name takes it away.',
        complexity: 'O(1)',
        syntax: 'connection-name',
        control: (session, args) => {
          const error = clientNameError(args[2]);
          if (error !== null) return error;
          session.name = args[2];
          return OK;
        },
      }),
      setinfo: command<[attribute: 'LIB-NAME' | 'LIB-VER', value: Arg], 'OK'>({
        arity: 4,
        flags: PLAIN,
        group: 'connection',
        since: '7.2.0',
        summary: 'Tells which client library and version speaks here.',
        complexity: 'O(1)',
        syntax: 'LIB-NAME libname|LIB-VER libver',
        control: (session, args) => {
          const attribute = args[2].toLowerCase();
          if (attribute !== 'lib-name' && attribute !== 'lib-ver') {
            return new ReplyError(`ERR Unrecognized option '${toNul(args[2])}'`);
          }
          if (!isPlainName(args[3])) {
            return new ReplyError(`ERR ${args[2]} cannot contain spaces, newlines or special characters.`);
          }
          if (attribute === 'lib-name') session.libName = args[3];
          else session.libVersion = args[3];
          return OK;
        },
      }),
      kill: command<[...filter: Arg[]], number | 'OK'>({
        arity: -3,
        flags: ADMIN,
        group: 'connection',
        since: '2.4.0',
        summary: 'Closes connections.',
        complexity: 'O(N) with the number of connections',
        syntax:
          'ip:port|[ID client-id] [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME YES|NO]',
        control: kill,
      }),
      reply: command<[mode: 'ON' | 'OFF' | 'SKIP'], 'OK' | undefined>({
        arity: 3,
        flags: PLAIN,
        group: 'connection',
        since: '3.2.0',
        summary: 'Turns the replies of this connection on or off, or skips the next one.',
        complexity: 'O(1)',
        syntax: 'ON|OFF|SKIP',
        control: (session, args) => {
          const mode = args[2].toLowerCase();
          if (mode !== 'on' && mode !== 'off' && mode !== 'skip') return SYNTAX;
          // With replies off there is nothing to skip.
          if (mode === 'skip' && session.replies === 'off') return NO_REPLY;
          session.replies = mode;
          session.refresh();
          return mode === 'on' ? OK : NO_REPLY;
        },
      }),
      noEvict: command<[state: 'ON' | 'OFF'], 'OK'>({
        arity: 3,
        flags: ADMIN,
        group: 'connection',
        since: '7.0.0',
        summary: 'Protects this connection from client eviction.',
        complexity: 'O(1)',
        syntax: 'ON|OFF',
        control: (session, args) => {
          const on = switchOf(args[2]);
          if (on === null) return SYNTAX;
          session.noEvict = on;
          return OK;
        },
      }),
      noTouch: command<[state: 'ON' | 'OFF'], 'OK'>({
        arity: 3,
        flags: PLAIN,
        group: 'connection',
        since: '7.2.0',
        summary: 'Lets the commands of this connection leave the access times of keys alone.',
        complexity: 'O(1)',
        syntax: 'ON|OFF',
        control: (session, args) => {
          const on = switchOf(args[2]);
          if (on === null) return SYNTAX;
          session.noTouch = on;
          session.refresh();
          return OK;
        },
      }),
      unblock: command<[id: number, how?: 'TIMEOUT' | 'ERROR'], number>({
        arity: -3,
        flags: ADMIN,
        group: 'connection',
        since: '5.0.0',
        summary: 'Ends the wait of a blocked connection, as if its time were over or with an error.',
        complexity: 'O(log N) with the number of connections',
        syntax: 'client-id [TIMEOUT|ERROR]',
        control: (_session, args, engine) => {
          let how: 'timeout' | 'error' = 'timeout';
          if (args.length > 4) {
            const text = `ERR unknown subcommand or wrong number of arguments for '${args[1]}'. Try CLIENT HELP.`;
            return new ReplyError(text);
          }
          if (args.length === 4) {
            const given = args[3].toLowerCase();
            if (given !== 'timeout' && given !== 'error') {
              return new ReplyError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
            }
            how = given;
          }
          const id = parseInt64(args[2]);
          if (id === null) return NOT_INTEGER;
          const target = engine.sessions.get(Number(id));
          return target !== undefined && engine.unblock(target, how) ? 1 : 0;
        },
      }),
      help: command<[], string[]>({
        arity: 2,
        flags: ['loading', 'stale'],
        group: 'connection',
        since: '5.0.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        control: () => HELP.map((line) => new Status(line)),
      }),
    },
  ),
};

function isPlainName(name: string): boolean {
  return !/[^!-~]/.test(name);
}

/** Why a connection cannot have this name; null when it can. */
export function clientNameError(name: string): ReplyError | null {
  if (isPlainName(name)) return null;
  return new ReplyError('ERR Client names cannot contain spaces, newlines or special characters.');
}

function switchOf(arg: string): boolean | null {
  const lower = arg.toLowerCase();
  return lower === 'on' ? true : lower === 'off' ? false : null;
}

type ClientType = 'normal' | 'pubsub' | 'master' | 'replica';

function typeNamed(name: string): ClientType | null {
  const lower = name.toLowerCase();
  if (lower === 'slave') return 'replica';
  return lower === 'normal' || lower === 'pubsub' || lower === 'master' || lower === 'replica' ? lower : null;
}

function typeOf(session: SessionPort): ClientType {
  return session.channels.size + session.patterns.size + session.shardChannels.size > 0 ? 'pubsub' : 'normal';
}

function list(_session: SessionPort, args: readonly string[], engine: EnginePort): Reply {
  let chosen = [...engine.sessions.values()];
  if (args.length > 2) {
    const option = args[2].toLowerCase();
    if (option === 'type' && args.length === 4) {
      const type = typeNamed(args[3]);
      if (type === null) return new ReplyError(`ERR Unknown client type '${toNul(args[3])}'`);
      chosen = chosen.filter((s) => typeOf(s) === type);
    } else if (option === 'id' && args.length > 3) {
      const ids = args.slice(3).map((arg) => parseInt64(arg));
      if (ids.some((id) => id === null || id < 1)) return new ReplyError('ERR Invalid client ID');
      chosen = ids.flatMap((id) => engine.sessions.get(Number(id)) ?? []);
    } else {
      return SYNTAX;
    }
  }
  return new Verbatim(chosen.map((s) => `${describe(s, engine)}\n`).join(''));
}

function kill(session: SessionPort, args: readonly string[], engine: EnginePort): Reply {
  const matches: ((s: SessionPort) => boolean)[] = [];
  let skipMe = true;
  const old = args.length === 3;
  if (old) {
    matches.push((s) => s.info.address === args[2]);
    skipMe = false;
  } else {
    for (let i = 2; i < args.length; i += 2) {
      if (i + 1 >= args.length) return SYNTAX;
      const option = args[i].toLowerCase();
      const value = args[i + 1];
      if (option === 'id') {
        const id = parseInt64(value);
        if (id === null || id < 1) return new ReplyError('ERR client-id should be greater than 0');
        matches.push((s) => s.id === Number(id));
      } else if (option === 'type') {
        const type = typeNamed(value);
        if (type === null) return new ReplyError(`ERR Unknown client type '${toNul(value)}'`);
        matches.push((s) => typeOf(s) === type);
      } else if (option === 'addr') matches.push((s) => s.info.address === value);
      else if (option === 'laddr') matches.push((s) => s.info.localAddress === value);
      else if (option === 'user') {
        if (value !== 'default') return new ReplyError(`ERR No such user '${toNul(value)}'`);
        matches.push((s) => s.user === value);
      } else if (option === 'skipme') {
        const lower = value.toLowerCase();
        if (lower !== 'yes' && lower !== 'no') return SYNTAX;
        skipMe = lower === 'yes';
      } else return SYNTAX;
    }
  }
  let killed = 0;
  for (const target of [...engine.sessions.values()]) {
    if (!matches.every((match) => match(target)) || (skipMe && target === session)) continue;
    engine.kill(target);
    killed++;
  }
  if (!old) return killed;
  return killed > 0 ? OK : new ReplyError('ERR No such client');
}

function flagsOf(session: SessionPort): string {
  let flags = '';
  if (typeOf(session) === 'pubsub') flags += 'P';
  if (session.multi !== null || session.running > 0) flags += 'x';
  if (session.isBlocked) flags += 'b';
  if (session.dirtyCas) flags += 'd';
  if (session.closing) flags += 'c';
  if (session.info.local && !session.info.trusted && !/^(127\.|\[::1\])/.test(session.info.address))
    flags += 'U';
  if (session.noEvict) flags += 'e';
  if (session.noTouch) flags += 'T';
  return flags === '' ? 'N' : flags;
}

function queuedBytes(session: SessionPort): number {
  let bytes = 0;
  for (const { args } of session.multi ?? EMPTY_QUEUE) for (const arg of args) bytes += arg.length;
  return bytes;
}

const EMPTY_QUEUE: NonNullable<SessionPort['multi']> = EMPTY as never[];

function describe(session: SessionPort, engine: EnginePort): string {
  const now = engine.space.now();
  const { info } = session;
  const input = info.queryBuffer();
  const output = info.outputBuffer();
  const queued = queuedBytes(session);
  const seconds = (since: number): number => Math.max(0, Math.floor((now - since) / 1000));
  const fields: [string, string | number][] = [
    ['id', session.id],
    ['addr', info.address],
    ['laddr', info.localAddress],
    ['fd', info.fd],
    ['name', session.name],
    ['age', seconds(session.createdAt)],
    ['idle', seconds(session.lastActive)],
    ['flags', flagsOf(session)],
    ['db', session.db.index],
    ['sub', session.channels.size],
    ['psub', session.patterns.size],
    ['ssub', session.shardChannels.size],
    ['multi', session.multi?.length ?? (session.running || -1)],
    ['qbuf', input],
    ['qbuf-free', 0],
    ['argv-mem', 0],
    ['multi-mem', queued],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', output],
    ['oll', 0],
    ['omem', output],
    ['tot-mem', input + output + queued],
    ['events', 'r'],
    ['cmd', session.lastCommand],
    ['user', session.user],
    ['redir', -1],
    ['resp', session.protocol],
    ['lib-name', session.libName],
    ['lib-ver', session.libVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}
