import { describe, expect, test } from 'vitest';
import { blobFindings } from '../../src/gates/blobs.ts';
import { manifestFindings } from '../../src/gates/manifests.ts';
import { facts, rules } from './build.ts';

describe('files that nobody can look into', () => {
  test('are refused above the limit of their kind, with the figures', () => {
    const branch = facts({
      sizes: new Map([
        ['a.txt', 3000 * 1024],
        ['b.bin', 3000 * 1024],
      ]),
      binary: ['b.bin'],
    });
    const [finding, ...others] = blobFindings(branch, rules());
    expect(others).toEqual([]);
    expect(finding?.message).toBe('b.bin has 3000 KiB; a file that is not text may have 2048');
  });

  test('are refused when too much to be read came at once', () => {
    expect(blobFindings(facts({ unread: ['x.txt'], binary: ['x.txt'] }), rules())[0]?.message).toContain(
      'was not read',
    );
  });

  test('wait for approval when their content is on another server', () => {
    const branch = facts({ pointers: ['data.bin'] });
    expect(blobFindings(branch, rules())[0]).toMatchObject({ path: 'data.bin', approval: true });
    expect(blobFindings(branch, rules({ modifies: ['data.bin'] }))).toEqual([]);
  });
});

describe('what a package.json runs', () => {
  const manifest = (value: unknown): string => JSON.stringify(value);
  const before = manifest({ scripts: { test: 'vitest run' }, dependencies: { a: '1' } });

  test('may not change unseen', () => {
    const after = manifest({ scripts: { test: 'exit 0', postinstall: 'sh x' } });
    const [finding] = manifestFindings([{ path: 'package.json', before, after }], ['**']);
    expect(finding?.message).toBe('package.json changes what it runs: scripts.test, scripts.postinstall');
    expect(finding?.approval).toBe(true);
    expect(manifestFindings([{ path: 'package.json', before, after }], ['package.json'])).toEqual([]);
  });

  test('is left alone when only dependencies change, or it is gone', () => {
    const after = manifest({ scripts: { test: 'vitest run' }, dependencies: { a: '2', b: '1' } });
    expect(manifestFindings([{ path: 'package.json', before, after }], ['**'])).toEqual([]);
    expect(manifestFindings([{ path: 'package.json', before, after: null }], ['**'])).toEqual([]);
  });

  test('is not known when it cannot be read', () => {
    expect(manifestFindings([{ path: 'package.json', before, after: '{' }], ['**'])).toHaveLength(1);
  });
});
