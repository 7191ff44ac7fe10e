// Rules about writing: where it is forbidden, where its failure goes unseen, where it leaves half of the work done.
// index.ts runs them.
import { onlyDeletes, writes } from '../commands.ts';
import type { Rule } from '../finding.ts';
import type { Exit, RedisCall } from '../run.ts';
import { walkBlock } from '../tree.ts';
import { alternatives, contains, type Value } from '../values.ts';

const noWrites: Rule = {
  id: 'no-writes-writes',
  severity: 'error',
  why: 'Redis refuses the first write of such a function, so it never does what it is for.',
  remedy: 'Take the flag away, or the writes.',
  wrong: `#!lua name=shop
local function sell(keys) return redis.call('DECR', keys[1]) end
redis.register_function{function_name = 'sell', callback = sell, flags = {'no-writes'}}`,
  right: `#!lua name=shop
local function left(keys) return redis.call('GET', keys[1]) end
redis.register_function{function_name = 'left', callback = left, flags = {'no-writes'}}`,
  check({ runs }, tell) {
    for (const { root, calls } of runs) {
      if (!root.flags.includes('no-writes')) continue;
      const found = new Map(calls.filter(writes).map((call) => [`${call.name} (line ${call.line})`, call]));
      if (found.size === 0) continue;
      const what = root.name === null ? 'the script' : `function ${root.name}`;
      const list = [...found.keys()].join(', ');
      tell(
        { line: root.flagsLine, at: 'no-writes' },
        `${what} is registered with no-writes and calls ${list}`,
      );
    }
  },
};

const pcallSwallow: Rule = {
  id: 'pcall-swallow',
  severity: 'warning',
  why: 'redis.pcall answers an error as a value: where nobody looks, the script goes on as if it had written.',
  remedy: 'Use redis.call, or look at the err field of what redis.pcall answers.',
  wrong: "redis.pcall('INCR', KEYS[1])\nreturn 1",
  right: "local reply = redis.pcall('INCR', KEYS[1])\nif reply.err then return reply end\nreturn 1",
  check({ main, runs, uses }, tell) {
    const unseen = new Set<unknown>();
    walkBlock(main.body, {
      statement: (statement) => {
        if (statement.kind === 'call-statement') unseen.add(statement.call);
        if (statement.kind !== 'declare') return;
        statement.locals.forEach((local, at) => {
          if ((uses.get(local) ?? 0) === 0) unseen.add(statement.values[at]);
        });
      },
    });
    for (const call of runs.flatMap((run) => run.calls)) {
      const isDirect = call.guarded && unseen.has(call.node) && calleeIsPcall(call);
      if (isDirect && writes(call)) {
        tell(
          { line: call.line, at: /\w*\.?pcall\b/ },
          `nobody looks at what redis.pcall of ${call.name} answers`,
        );
      }
    }
  },
};

function calleeIsPcall({ node }: RedisCall): boolean {
  const { callee } = node;
  if (callee.kind === 'local' || callee.kind === 'global') return true;
  return callee.kind === 'index' && callee.key.kind === 'string' && callee.key.value === 'pcall';
}

const checkAfterWrite: Rule = {
  id: 'check-after-write',
  severity: 'warning',
  why: 'An error does not undo what the script has written before: the work stays half done.',
  remedy: 'Read and check everything first, then write.',
  wrong: `redis.call('DECRBY', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 0 then return redis.error_reply('no account') end
redis.call('INCRBY', KEYS[2], ARGV[1])`,
  right: `if redis.call('EXISTS', KEYS[2]) == 0 then return redis.error_reply('no account') end
redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('INCRBY', KEYS[2], ARGV[1])`,
  check({ runs }, tell) {
    for (const { exits } of runs) {
      for (const exit of exits) {
        if (!exit.raised && !isError(exit.values[0])) continue;
        if (exit.guards.length === 0) continue;
        const done = exit.writes.filter((call) => !onlyDeletes(call) && !isAskedFor(call, exit));
        if (done.length === 0) continue;
        const list = [...new Set(done.map((call) => `${call.name} (line ${call.line})`))].join(', ');
        tell(
          { line: exit.line, at: /\breturn\b|\berror\b/ },
          `an error comes back after ${list} ${done.length === 1 ? 'has' : 'have'} written`,
        );
      }
    }
  },
};

function isError(value: Value | undefined): boolean {
  if (value === undefined) return false;
  return alternatives(value).every(
    (each) =>
      (each.kind === 'result' && each.name === 'redis.error_reply') ||
      (each.kind === 'table' && each.table.fields.has('err')),
  );
}

// `if not redis.call('SET', …, 'NX') then return error`: the write itself was the check.
function isAskedFor(call: RedisCall, exit: Exit): boolean {
  return exit.guards.some((guard) => contains(guard, (part) => part.kind === 'reply' && part.call === call));
}

/** Writing. */
export const WRITE_RULES: readonly Rule[] = [noWrites, pcallSwallow, checkAfterWrite];
