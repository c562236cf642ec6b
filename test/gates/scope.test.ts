import fc from '../property.ts';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { scopeFindings } from '../../src/gates/scope.ts';
import { change, rename, rules } from './build.ts';

const paths = (findings: readonly { path: string | null }[]): (string | null)[] =>
  findings.map((one) => one.path);

describe('the scope gate', () => {
  test('accepts changes, additions, deletions and renames inside of what the task claims', () => {
    const changed = [
      change('src/a.ts'),
      change('src/b.ts', { status: 'A' }),
      change('src/deep/c.ts', { status: 'D' }),
      rename('src/d.ts', 'src/e.ts'),
    ];
    expect(scopeFindings(changed, rules())).toEqual([]);
  });

  test('refuses a change outside, names the nearest claim and says what to do', () => {
    const [finding] = scopeFindings(
      [change('backend/api/user.py')],
      rules({ modifies: ['frontend/**', 'backend/api/post.py'] }),
    );
    expect(finding).toMatchObject({ gate: 'scope', path: 'backend/api/user.py', line: null });
    expect(finding?.message).toContain('backend/api/post.py');
    expect(finding?.fix).toMatch(/Put the file back.*modifies/s);
  });

  test('takes for the nearest claim the one that shares most folders, then the most similar', () => {
    const nearest = (modifies: string[]) =>
      scopeFindings([change('api/v1/users.py')], rules({ modifies }))[0]?.message;
    expect(nearest(['api/v1/deep/long/name/**', 'api/users.py', 'v1/users.py'])).toContain('api/v1/deep');
    expect(nearest(['v1/users.py', 'api/users.py', 'api/v1/deep/long/name/**'])).toContain('api/v1/deep');
    expect(nearest(['api/v1/zebra.py', 'api/v1/user.py', 'api/v1/other.py'])).toContain('api/v1/user.py');
  });

  test('refuses a deletion outside and asks to restore the file', () => {
    const [finding] = scopeFindings([change('README.md', { status: 'D' })], rules());
    expect(finding?.message).toContain('was deleted');
    expect(finding?.fix).toContain('Restore');
  });

  test('judges both sides of a rename, whichever lies outside', () => {
    expect(paths(scopeFindings([rename('lib/a.ts', 'src/a.ts')], rules()))).toEqual(['lib/a.ts']);
    expect(paths(scopeFindings([rename('src/a.ts', 'lib/a.ts')], rules()))).toEqual(['lib/a.ts']);
    expect(paths(scopeFindings([rename('x/a.ts', 'y/a.ts')], rules()))).toEqual(['x/a.ts', 'y/a.ts']);
  });

  test('leaves the source of a copy alone, since it does not change', () => {
    const copy = change('src/copy.ts', { status: 'C', oldPath: 'lib/original.ts' });
    expect(scopeFindings([copy], rules())).toEqual([]);
  });

  test('accepts the extras that the project allows to every task', () => {
    expect(scopeFindings([change('CHANGELOG.md')], rules({ allowedExtras: ['CHANGELOG.md'] }))).toEqual([]);
  });

  test.each([
    ['Src/a.ts', 'another case of the folder'],
    ['src/A.ts', 'another case of the name'],
    ['src/cafe\u0301.ts', 'the decomposed form of an accent'],
    ['src/a\u200b.ts', 'an invisible character'],
  ])('does not take %j for a claimed path: %s', (path) => {
    const [finding] = scopeFindings([change(path)], rules({ modifies: ['src/a.ts', 'src/caf\u00e9.ts'] }));
    expect(finding?.path).toBe(path);
    expect(finding?.message).toContain('is claimed, which is another file');
  });

  test.each([
    'evil\nname.ts',
    '-rf',
    '--help.ts',
    'bell\u0007.ts',
    'rtl\u202etxt.exe',
    'quote".ts',
    'back\\slash',
  ])('shows the name %j escaped, on one line', (name) => {
    const [finding] = scopeFindings([change(name)], rules());
    expect(finding?.path).toBe(name);
    expect(finding?.message).toMatch(/^"/);
    // oxlint-disable-next-line no-control-regex
    expect(finding?.message).not.toMatch(/[\u0000-\u001f\u202e]/);
  });

  test('reports a path once, however often the diff names it', () => {
    const changed = [rename('lib/a.ts', 'src/a.ts'), change('lib/a.ts', { status: 'A' })];
    expect(paths(scopeFindings(changed, rules()))).toEqual(['lib/a.ts']);
  });

  test('refuses everything when the task claims nothing', () => {
    const [finding] = scopeFindings([change('a')], rules({ modifies: [] }));
    expect(finding?.message).toContain('it claims nothing');
  });
});

describe('protected paths', () => {
  const guarded = (modifies: string[]) =>
    rules({ modifies, protectedPaths: ['package.json', '.github/workflows/**', 'CLAUDE.md'] });

  test('wait for approval although a wide glob covers them', () => {
    const findings = scopeFindings(
      [change('package.json'), change('.github/workflows/ci.yml')],
      guarded(['**']),
    );
    expect(paths(findings)).toEqual(['package.json', '.github/workflows/ci.yml']);
    expect(findings[1]?.message).toContain('.github/workflows/**');
    expect(findings.map(({ approval }) => approval)).toEqual([true, true]);
  });

  test('are refused where the task claims nothing of the kind: another task may hold them', () => {
    const [finding] = scopeFindings([change('package.json')], guarded(['src/**']));
    expect(finding?.message).toContain('does not claim it');
    expect(finding?.approval).toBeUndefined();
  });

  test('are free when the spec lists the path, or the very pattern, literally', () => {
    expect(scopeFindings([change('package.json')], guarded(['package.json']))).toEqual([]);
    expect(scopeFindings([change('.github/workflows/a.yml')], guarded(['.github/workflows/**']))).toEqual([]);
    expect(scopeFindings([change('.github/workflows/a.yml')], guarded(['.github/workflows/a.yml']))).toEqual(
      [],
    );
  });

  test('stay protected when another path is listed', () => {
    expect(paths(scopeFindings([change('CLAUDE.md')], guarded(['**', 'package.json'])))).toEqual([
      'CLAUDE.md',
    ]);
  });

  test.each([
    'Package.json',
    '.GitHub/workflows/ci.yml',
    'claude.MD',
    'CLAU\u200dDE.md',
    'pac\u212aage.json',
  ])('protect %j too, which is the same file on a system without case', (path) => {
    expect(paths(scopeFindings([change(path)], guarded(['**'])))).toEqual([path]);
  });

  test('are seen on the old side of a rename', () => {
    expect(paths(scopeFindings([rename('CLAUDE.md', 'docs/old.md')], guarded(['**'])))).toEqual([
      'CLAUDE.md',
    ]);
  });
});

test('never accepts a path that a brute-force matcher does not accept, and refuses none that it does', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', 'A', '.x', 'é', 'c-d');
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const piece = fc.constantFrom('a', 'b', 'ab', '*', '**', 'a*', '?', '.x', '{a,b}', '[ab]');
  const pattern = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const status = fc.constantFrom('A', 'M', 'D', 'T') as fc.Arbitrary<'A' | 'M' | 'D' | 'T'>;
  fc.assert(
    fc.property(
      fc.array(fc.record({ path, status }), { maxLength: 6 }),
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
      (changes, modifies) => {
        const options = { dot: true, noextglob: true, strictSlashes: true, nonegate: true };
        const claimed = picomatch(modifies, options);
        const refused = scopeFindings(
          changes.map((one) => change(one.path, { status: one.status })),
          rules({ modifies }),
        );
        const expected = [...new Set(changes.map((one) => one.path))].filter((one) => !claimed(one));
        expect(paths(refused)).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});

describe('what a task may ask for', () => {
  const asking = rules({
    modifies: ['src/**'],
    expands: ['docs/**', 'src/**'],
    protectedPaths: ['docs/AGENTS.md'],
  });

  test('waits for approval instead of being refused', () => {
    const [finding] = scopeFindings([change('docs/a.md')], asking);
    expect(finding).toMatchObject({ path: 'docs/a.md', approval: true });
    expect(finding?.message).toContain('may only ask for (expands)');
  });

  test('needs none where it is claimed as well, and is said to be protected where it is', () => {
    expect(scopeFindings([change('src/a.ts')], asking)).toEqual([]);
    expect(scopeFindings([change('docs/AGENTS.md')], asking)[0]?.message).toContain('protected by');
    expect(scopeFindings([change('lib/a.ts')], asking)[0]?.approval).toBeUndefined();
  });
});

describe('files that the gate runs', () => {
  test('wait for approval unless the spec lists them literally', () => {
    const [finding] = scopeFindings([change('run.sh')], rules({ modifies: ['**'] }), ['run.sh']);
    expect(finding).toMatchObject({ path: 'run.sh', approval: true });
    expect(finding?.message).toContain('run by the verify command');
    expect(scopeFindings([change('run.sh')], rules({ modifies: ['run.sh'] }), ['run.sh'])).toEqual([]);
  });
});
