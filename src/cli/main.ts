#!/usr/bin/env node
// The `holdfast` program. `serve` runs the server; everything it needs to know comes from redis.conf syntax.
import { Engine } from '../engine/engine.ts';
import { Server } from '../server/server.ts';

const args = process.argv.slice(3);
const at = args.indexOf('--port');
const port = at < 0 ? 6379 : Number(args[at + 1]);
const engine = new Engine({ onShutdown: () => process.exit(0) });
const server = new Server(engine);
await server.listen({ port });
console.log(`holdfast: listening on 127.0.0.1:${server.port}`);
process.on('SIGTERM', () => server.close().then(() => process.exit(0)));
process.on('SIGINT', () => server.close().then(() => process.exit(0)));
