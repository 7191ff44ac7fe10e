#!/usr/bin/env node
// The `holdfast` program: finds the command and runs it. What serve does is in serve.ts, the texts in help.ts.
import { HELP, SERVE_HELP } from './help.ts';
import { serve } from './serve.ts';
import { version } from './version.ts';

const isHelp = (arg: string | undefined): boolean => arg === '--help' || arg === '-h' || arg === 'help';

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  if (command === undefined || isHelp(command)) {
    process.stdout.write(HELP);
  } else if (command === '--version' || command === '-v') {
    console.log(`holdfast ${version()}`);
  } else if (command !== 'serve') {
    console.error(`holdfast: there is no command '${command}'; see holdfast --help`);
    process.exitCode = 1;
  } else if (rest.some(isHelp)) {
    process.stdout.write(SERVE_HELP);
  } else {
    await serve(rest);
  }
}

await main(process.argv.slice(2));
