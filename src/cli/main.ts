#!/usr/bin/env node
// The `holdfast` program: finds the command and runs it. What serve does is in serve.ts, what the checks do in check.ts,
// what lint does in lint.ts; the texts are in help.ts.
import { checkAofProgram, checkRdbProgram } from './check.ts';
import { functionsProgram } from './functions.ts';
import {
  CHECK_AOF_HELP,
  CHECK_RDB_HELP,
  FUNCTIONS_HELP,
  HELP,
  LINT_HELP,
  REVIEW_HELP,
  SERVE_HELP,
  STRATEGIES_HELP,
} from './help.ts';
import { lintProgram } from './lint.ts';
import { reviewProgram } from './review.ts';
import { serve } from './serve.ts';
import { benchProgram } from './strategies.ts';
import { version } from './version.ts';

const isHelp = (arg: string | undefined): boolean => arg === '--help' || arg === '-h' || arg === 'help';

interface Command {
  readonly help: string;
  run(args: readonly string[]): Promise<void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { help: SERVE_HELP, run: serve },
  'check-aof': { help: CHECK_AOF_HELP, run: checkAofProgram },
  functions: { help: FUNCTIONS_HELP, run: functionsProgram },
  'check-rdb': { help: CHECK_RDB_HELP, run: checkRdbProgram },
  lint: { help: LINT_HELP, run: lintProgram },
  bench: { help: STRATEGIES_HELP, run: benchProgram },
  review: { help: REVIEW_HELP, run: reviewProgram },
};

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || isHelp(name)) {
    process.stdout.write(HELP);
  } else if (name === '--version' || name === '-v') {
    console.log(`holdfast ${version()}`);
  } else if (!Object.hasOwn(COMMANDS, name)) {
    console.error(`holdfast: there is no command '${name}'; see holdfast --help`);
    process.exitCode = 1;
  } else if (rest.some(isHelp)) {
    process.stdout.write(COMMANDS[name].help);
  } else {
    await COMMANDS[name].run(rest);
  }
}

await main(process.argv.slice(2));
