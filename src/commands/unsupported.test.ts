// What is not there yet answers clearly; the list is complete: test/server/commands.test.ts asks a real server.
import { expect, it } from 'vitest';
import { onEveryTarget } from '../../test/support/targets.ts';
import { commandTable } from '../engine/engine.ts';
import { UNSUPPORTED_AREAS, unsupportedCommand } from './unsupported.ts';

onEveryTarget('unsupported commands', (t) => {
  it('answer what is missing and when it comes', async () => {
    expect(await t.fails('XADD', 's', '*', 'f', 'v')).toBe(
      "ERR 'XADD' is not supported by Holdfast yet: streams come later (see docs/differences.md)",
    );
    expect(await t.fails('client', 'pause', '100')).toBe(
      "ERR 'CLIENT PAUSE' is not supported by Holdfast yet: pausing clients comes later (see docs/differences.md)",
    );
    expect(await t.fails('MODULE', 'LIST')).toBe(
      "ERR 'MODULE' is not supported by Holdfast: modules are programs for Redis itself (see docs/differences.md)",
    );
    expect(await t.fails('CONFIG', 'REWRITE')).toMatch(/^ERR 'CONFIG REWRITE' is not supported by Holdfast/);
  });

  it('refuse a transaction, as any refusal does', async () => {
    await t.call('MULTI');
    await t.call('SET', 'k', 'v');
    expect(await t.fails('PFADD', 'h', 'a')).toContain("'PFADD' is not supported");
    expect(await t.fails('EXEC')).toBe('EXECABORT Transaction discarded because of previous errors.');
    expect(await t.call('EXISTS', 'k')).toBe(0);
  });

  it('leave what Redis does not know unknown', async () => {
    expect(await t.fails('XNOSUCH')).toMatch(/^ERR unknown command 'XNOSUCH'/);
    expect(await t.fails('CONFIG', 'NOSUCH')).toBe("ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.");
  });
});

it('the table names nothing twice and nothing that is there', () => {
  const names = UNSUPPORTED_AREAS.flatMap((area) => area.commands);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => commandTable.findFull(name) !== undefined)).toEqual([]);
  expect(unsupportedCommand('GET')).toBeNull();
});
