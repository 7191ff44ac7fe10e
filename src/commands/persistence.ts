// Commands of the database on disk: SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF. persistence/persistence.ts does the work.
import { Later, OK, ReplyError, Status } from '../resp/reply.ts';
import { SYNTAX } from './errors.ts';
import type { EnginePort } from './ports.ts';
import { command } from './spec.ts';

const ADMIN = ['admin', 'noscript'] as const;
const IN_MEMORY = new ReplyError(
  'ERR this database is in memory only: open it with a directory, or start the server with one',
);

function row(arity: number, since: string, summary: string, syntax: string) {
  return { arity, group: 'server', since, summary, syntax } as const;
}

export const persistence = {
  save: command<[], 'OK'>({
    ...row(1, '1.0.0', 'Saves the contents as an RDB file, and answers once it is on disk.', ''),
    flags: [...ADMIN, 'no_multi'],
    complexity: 'O(N) with the number of keys',
    control: (session, _args, engine) => {
      const { persistence: disk } = engine;
      if (disk === null) return IN_MEMORY;
      if (disk.isSaving) return new ReplyError('ERR Background save already in progress');
      if (!session.canWait) {
        return new ReplyError('ERR SAVE is for clients that can wait for its reply: use BGSAVE in process');
      }
      const reply = new Later(false);
      void disk.saveAndWait().then((ok) => reply.settle(ok ? OK : new ReplyError('ERR')));
      return reply;
    },
  }),
  bgsave: command<[schedule?: 'SCHEDULE'], string>({
    ...row(-1, '1.0.0', 'Begins to save the contents as an RDB file.', '[SCHEDULE]'),
    flags: ADMIN,
    complexity: 'O(1)',
    control: (_session, args, engine) => {
      const schedule = args[1]?.toLowerCase() === 'schedule';
      if (args.length > 2 || (args.length === 2 && !schedule)) return SYNTAX;
      return begun(engine, (disk) => disk.beginSave(schedule), 'Background saving started');
    },
  }),
  lastsave: command<[], number>({
    ...row(1, '1.0.0', 'Answers the Unix time of the last RDB file that was saved.', ''),
    flags: ['loading', 'stale', 'fast'],
    complexity: 'O(1)',
    categories: ['admin', 'dangerous'],
    tips: ['nondeterministic_output'],
    control: (_session, _args, engine) =>
      engine.persistence?.lastSave ?? Math.floor(engine.stats.startedAt / 1000),
  }),
  bgrewriteaof: command<[], string>({
    ...row(1, '1.0.0', 'Begins to rewrite the log as short as it can be.', ''),
    flags: ADMIN,
    complexity: 'O(1)',
    control: (_session, _args, engine) =>
      begun(engine, (disk) => disk.beginRewrite(), 'Background append only file rewriting started'),
  }),
};

function begun(
  { persistence: disk }: EnginePort,
  begin: (disk: NonNullable<EnginePort['persistence']>) => string | null,
  started: string,
) {
  if (disk === null) return IN_MEMORY;
  const refused = begin(disk);
  if (refused !== null) return new ReplyError(`ERR ${refused}`);
  return new Status(disk.isScheduled ? 'Background append only file rewriting scheduled' : started);
}
