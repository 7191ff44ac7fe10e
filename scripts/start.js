// `npm start [-- --port N …]`: builds when needed, then runs the server. The program is imported rather than
// spawned: it stays one process, so signals, exit code and terminal are the server's own.
import { pathToFileURL } from 'node:url';
import { build, isStale, program } from './build.js';

if (isStale()) {
  console.error('building…');
  if (!build()) process.exit(1);
}
process.argv = [process.argv[0], program, 'serve', '--friendly', ...process.argv.slice(2)];
await import(pathToFileURL(program).href);
