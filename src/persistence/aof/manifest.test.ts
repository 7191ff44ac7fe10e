// Manifests as Redis writes and reads them: its own examples, names in quotes, and what it refuses.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../test/support/logs.ts';
import { memoryStorage } from '../../storage/memory.ts';
import { Manifest, type ManifestFile, parseManifest, readManifest, writeManifest } from './manifest.ts';

const file = (name: string, sequence: number, kind: ManifestFile['kind']): ManifestFile => ({
  name,
  sequence,
  kind,
});

describe('manifests', () => {
  it("reads Redis' own examples", () => {
    // From the comments of aof.c.
    const manifest = parseManifest(
      'file appendonly.aof.1.base.rdb seq 1 type b\n' +
        'file appendonly.aof.1.incr.aof seq 1 type i\n' +
        'file appendonly.aof.2.incr.aof seq 2 type i\n',
    );
    expect(manifest.base).toEqual(file('appendonly.aof.1.base.rdb', 1, 'b'));
    expect(manifest.increments.map(({ name }) => name)).toEqual([
      'appendonly.aof.1.incr.aof',
      'appendonly.aof.2.incr.aof',
    ]);
    expect([manifest.last('b'), manifest.last('i'), manifest.last('h')]).toEqual([1, 2, 0]);
    const rewritten = parseManifest(
      '# a remark\nfile appendonly.aof.2.base.rdb seq 2 type b\n' +
        'file appendonly.aof.1.base.rdb seq 1 type h\nfile appendonly.aof.1.incr.aof seq 1 type h\n' +
        'file appendonly.aof.2.incr.aof seq 2 type i\n',
    );
    expect(rewritten.history.map(({ name }) => name)).toEqual([
      'appendonly.aof.1.base.rdb',
      'appendonly.aof.1.incr.aof',
    ]);
    expect(rewritten.base?.sequence).toBe(2);
  });

  it('takes what else a line may hold', () => {
    // redis-server 7.0 wrote this for `--appendfilename 'a é "x.aof'`.
    const written = 'file "a \\xc3\\xa9 \\"x.aof.1.base.rdb" seq 1 type b\n';
    expect(parseManifest(written).base?.name).toBe('a é "x.aof.1.base.rdb');
    expect(parseManifest(written).text()).toBe(written);
    const odd = "TYPE i  seq 7\tfile 'it\\'s' startoffset 10 \r\n";
    expect(parseManifest(odd).files).toEqual([file("it's", 7, 'i')]);
  });

  it.each([
    ['', 'names no file'],
    ['# only this\n', 'names no file'],
    ['\n', 'line 1'],
    ['file a seq 1 type b\nfile b seq 2\n', 'line 2'],
    ['file a seq 1 type b\nfile b seq 2 type b\n', 'second base'],
    ['file a seq 2 type i\nfile b seq 1 type i\n', 'not above'],
    ['file a seq 2 type i\nfile b seq 2 type i\n', 'not above'],
    ['file a seq 1 type x\n', 'line 1'],
    ['file a seq 0 type i\n', 'line 1'],
    ['file a seq one type i\n', 'line 1'],
    ['file ../a seq 1 type i\n', 'line 1'],
    ['file "a seq 1 type i\n', 'line 1'],
    ['file "a"b seq 1 type i\n', 'line 1'],
    ['file a seq 1 type i more\n', 'line 1'],
    ['seq 1 type i seq 2\n', 'line 1'],
  ])('refuses %j', (text, why) => {
    expect(() => parseManifest(text)).toThrow(why);
  });

  it('reads what it writes, whatever the names', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => !/[/\\\0]/.test(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
        const files = names.map((each, i) => file(each, i + 1, i === 0 ? 'b' : i % 2 === 0 ? 'i' : 'h'));
        expect(parseManifest(new Manifest(files).text()).files).toEqual(files);
      }),
    );
  });

  it('replaces the one before', async () => {
    const storage = memoryStorage();
    await storage.makeFolder('d');
    expect(await readManifest(storage, 'd/m')).toBeNull();
    for (const name of ['eins', 'zwei é'])
      await writeManifest(storage, 'd', 'm', new Manifest([file(name, 1, 'i')]));
    expect((await readManifest(storage, 'd/m'))?.files).toEqual([file('zwei é', 1, 'i')]);
    expect(await storage.list('d')).toEqual(['m']);
    expect(String.fromCharCode(...(await bytesOf(storage, 'd/m')))).toBe(
      'file "zwei \\xc3\\xa9" seq 1 type i\n',
    );
  });
});
