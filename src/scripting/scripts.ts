// EVAL, EVALSHA and SCRIPT below their rows (commands/scripting.ts): finds or compiles a script, and has it run. The
// world of scripts is opened with the first of them.
import type { EnginePort, ScriptsPort, SessionPort } from '../commands/ports.ts';
import { sha1Hex } from '../data/sha1.ts';
import { compile, LuaError, type LuaState } from '../lua/index.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';
import { Script, ScriptCache } from './cache.ts';
import { errorReply, listTable } from './convert.ts';
import type { Runner } from './runner.ts';
import { readShebang } from './shebang.ts';
import { openEvalWorld } from './world.ts';

const NOSCRIPT = new ReplyError('NOSCRIPT No matching script. Please use EVAL.');

const DIGEST_LENGTH = 40;

/** Where the keys of EVAL begin. */
const FIRST_KEY = 3;

const NO_PARAMETERS = [] as const;

export class Scripts implements ScriptsPort {
  private readonly runner: Runner;
  private readonly cache: ScriptCache;
  private world: LuaState | null = null;

  constructor(engine: EnginePort, runner: Runner) {
    this.runner = runner;
    this.cache = new ScriptCache(() => engine.stats.evictedScripts++);
  }

  evaluate(
    session: SessionPort,
    args: readonly string[],
    keys: number,
    known: boolean,
    readOnly: boolean,
  ): Reply {
    const { cache } = this;
    const script = known ? cache.find(args[1]) : (cache.withBody(args[1]) ?? this.define(args[1], false));
    if (script === undefined) return NOSCRIPT;
    const { state } = this;
    const firstArg = FIRST_KEY + keys;
    state.setInput(0, listTable(args, FIRST_KEY, firstArg));
    state.setInput(1, listTable(args, firstArg, args.length));
    const reply = this.runner.run(script, session, state, NO_PARAMETERS, readOnly, args);
    cache.used(script);
    return reply;
  }

  load(body: string): string {
    const script = this.cache.withBody(body);
    if (script === undefined) return this.define(body, true).name;
    this.cache.pin(script);
    return script.name;
  }

  show(digest: string): string | null {
    return digest.length === DIGEST_LENGTH ? (this.cache.find(digest)?.body ?? null) : null;
  }

  flush(): void {
    this.cache.clear();
  }

  kill(): Reply {
    return this.runner.kill('script');
  }

  get count(): number {
    return this.cache.size;
  }

  get memory(): number {
    return this.cache.memory;
  }

  private get state(): LuaState {
    this.world ??= openEvalWorld(this.runner);
    return this.world;
  }

  private define(body: string, pinned: boolean): Script {
    const shebang = readShebang(body);
    const script = new Script(sha1Hex(body), body, shebang, compiled(this.state, shebang.source));
    script.pinned = pinned;
    this.cache.add(script);
    return script;
  }
}

function compiled(state: LuaState, source: string): ReturnType<typeof compile> {
  try {
    return compile(state, source, 'user_script');
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    throw errorReply(`ERR Error compiling script (new function): ${error.value}`, false);
  }
}
