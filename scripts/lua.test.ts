// What is committed is what `npm run lua` makes, and every script is one that Lua 5.1 can read.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { open } from '../src/index.ts';
import { generated, SCRIPTS, scriptTexts } from './lua.ts';

describe('scripts of the workflows', () => {
  it('the generated file is up to date', () => {
    expect(readFileSync(SCRIPTS, 'utf8'), 'run `npm run lua`').toBe(generated());
  });

  it('each loads', async () => {
    const db = await open();
    for (const [name, text] of scriptTexts()) expect(db.scriptLoad(text), name).toMatch(/^[0-9a-f]{40}$/);
    await db.close();
  });

  it('no include is left', () => {
    for (const [name, text] of scriptTexts()) expect(text, name).not.toMatch(/^--include/m);
  });
});
