// What belongs to one connection: protocol, name, database, replies on and off, closing. Called by generate.ts.

import { alt, type Family, type Gen, junk, many, opt, type Part, seq, value } from '../grammar.ts';
import { command, type Step } from '../steps.ts';

const SPEAKERS = 4;
const name: Part = alt('alice', 'bob', 'bob', (g) => [
  g.random.pick(['', 'two words', 'new\nline', 'x'.repeat(100)]),
]);

function otherThan(g: Gen): number {
  return (g.conn + g.random.int(1, SPEAKERS - 1)) % SPEAKERS;
}

/** CLIENT REPLY: answers stop and come back. */
function quiet(g: Gen): Step[] {
  if (g.inMulti || g.conn >= SPEAKERS) return [];
  const silent = (...args: string[]): Step => ({ kind: 'cmd', conn: g.conn, args, silent: true });
  const steps: Step[] = g.random.chance(0.5)
    ? [
        silent('CLIENT', 'REPLY', 'OFF'),
        silent('SET', 's:0', 'quiet'),
        silent('GET', 's:0'),
        silent('NOSUCH'),
      ]
    : [silent('CLIENT', 'REPLY', 'SKIP'), silent('INCR', 's:0')];
  if (steps.length > 2) steps.push(command(g.conn, 'CLIENT', 'REPLY', 'ON'));
  steps.push(command(g.conn, 'PING', 'loud'));
  return steps;
}

/** Unknown to 7.0, so never inside MULTI; the PING behind it makes both agree on the last command again. */
function introduced(g: Gen): Step[] {
  if (g.inMulti) return [];
  const info = g.random.pick([
    ['SETINFO', 'lib-name', 'x'],
    ['NO-TOUCH', 'OFF'],
  ]);
  return [command(g.conn, 'CLIENT', ...info), command(g.conn, 'PING')];
}

function killed(g: Gen): Step[] {
  const victim = otherThan(g);
  if (g.conn >= SPEAKERS) return [];
  const kill = command(
    g.conn,
    ...g.random.pick([
      ['CLIENT', 'KILL', 'ID', `{id:${victim}}`],
      ['CLIENT', 'KILL', 'ID', `{id:${victim}}`, 'SKIPME', 'yes'],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'ID', `{id:${victim}}`],
    ]),
  );
  // In MULTI it would only be queued, and refused ones close nobody.
  if (g.inMulti) return [];
  return [command(g.conn, 'DISCARD'), kill, { kind: 'closed', conn: victim, maybe: true }];
}

export const connection: Family = {
  name: 'connection',
  commands: {
    PING: [3, opt(0.5, value)],
    ECHO: [2, value],
    SELECT: [3, alt('0', '0', '0', '1', '2', '16', '-1', 'x')],
    // 7.0 applies the options one by one, 7.2 all or none: so nothing can fail behind an option that stays.
    HELLO: [
      2,
      opt(0.9, alt('2', '3', '3', '2', '4', '1', 'x', '-1')),
      opt(
        0.35,
        alt(
          seq('SETNAME', name),
          seq(
            'AUTH',
            (g) => [g.random.pick(['default', 'default', 'nobody'])],
            'pw',
            opt(0.4, 'SETNAME', name),
          ),
          junk,
        ),
      ),
    ],
    AUTH: [0.5, opt(0.5, 'default'), 'password'],
    RESET: [0.5],
    'CLIENT ID': [1],
    'CLIENT SETNAME': [1, name],
    'CLIENT GETNAME': [1],
    'CLIENT INFO': [1],
    'CLIENT LIST': [1, 'ID', many(1, 2, (g) => [`{id:${g.random.int(0, 3)}}`])],
    // Not ON: RESET ends that mode in 7.2, in 7.0 it stays.
    'CLIENT NO-EVICT': [0.5, alt('OFF', 'bogus')],
    'CLIENT UNBLOCK': [
      0.5,
      alt('999999', 'x', (g) => [`{id:${g.conn}}`]),
      opt(0.5, alt('TIMEOUT', 'ERROR', 'bogus')),
    ],
    'CLIENT REPLY': [0.3, alt('ON', 'bogus')],
    'CLIENT KILL': [
      0.5,
      alt(
        seq('ID', '999999'),
        seq('ID', 'x'),
        '1.2.3.4:5',
        seq('TYPE', 'bogus'),
        seq('SKIPME', 'maybe'),
        seq('ID'),
      ),
    ],
    'CLIENT bogus': [0.3],
    QUIT: [0],
    NOSUCH: [0.5, many(0, 3, value)],
  },
  scenarios: [
    { weight: 0.5, make: quiet },
    { weight: 0.4, make: killed },
    { weight: 0.3, make: introduced },
    { weight: 0.3, make: (g) => [command(g.conn, 'QUIT')] },
  ],
};
