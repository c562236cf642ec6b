import { describe, expect, test } from 'vitest';
import { contentFindings } from '../../src/gates/content.ts';
import { change, facts } from './build.ts';

const judgeLink = (path: string, target: string) =>
  contentFindings(
    facts({ changed: [change(path, { status: 'A', newMode: '120000' })], links: [{ path, target }] }),
  );
const judgeName = (path: string) => contentFindings(facts({ changed: [change(path, { status: 'A' })] }));

describe('the content gate', () => {
  test('accepts plain files, programs and deletions of anything', () => {
    const changed = [
      change('a.ts'),
      change('run.sh', { status: 'A', newMode: '100755' }),
      change('.gitmodules', { status: 'D' }),
      change('vendor/x', { status: 'D', oldMode: '160000' }),
    ];
    expect(contentFindings(facts({ changed }))).toEqual([]);
  });

  test('refuses a submodule', () => {
    const [finding] = contentFindings(
      facts({ changed: [change('vendor/x', { status: 'A', newMode: '160000' })] }),
    );
    expect(finding).toMatchObject({ gate: 'content', path: 'vendor/x' });
    expect(finding?.message).toContain('submodule');
  });

  test.each(['104755', '100664', '040000', '100000'])('refuses the mode %s', (newMode) => {
    const [finding] = contentFindings(facts({ changed: [change('a', { newMode })] }));
    expect(finding?.message).toContain(`the mode ${newMode}`);
  });

  test.each([
    ['docs/latest', 'v2'],
    ['a/b/link', '../../top'],
    ['a/b/link', './../c/d'],
    ['link', 'dir//file'],
  ])('accepts the link %s -> %s', (path, target) => {
    expect(judgeLink(path, target)).toEqual([]);
  });

  test.each([
    ['link', '/etc/passwd'],
    ['link', '..'],
    ['a/link', '../../x'],
    ['a/b/link', '../../../x'],
    ['link', 'C:\\Windows'],
    ['link', '\\\\host\\share'],
    ['link', '.git/config'],
    ['a/link', '../.GIT/hooks'],
    ['link', ''],
    // Lexically inside; but `deep/up` may be a link to the top, and then `..` leaves the tree.
    ['link', 'deep/up/..'],
    ['a/link', '../b/../c'],
    ['link', '..\\x'],
  ])('refuses the link %s -> %j', (path, target) => {
    expect(judgeLink(path, target)).toHaveLength(1);
  });

  test('refuses a link whose target was not read', () => {
    const changed = [change('link', { status: 'A', newMode: '120000' })];
    expect(contentFindings(facts({ changed }))[0]?.message).toContain('cannot be read');
  });

  test.each([
    '.git/config',
    '.GIT/x',
    'sub/.git',
    '.git /x',
    '.git./x',
    'git~1',
    '.g\u200cit/x',
    '.git::$INDEX_ALLOCATION/x',
  ])('refuses the name %j, which some system takes for .git', (path) => {
    expect(judgeName(path)).toHaveLength(1);
  });

  test.each(['.gitmodules', '.GITMODULES', 'gitmod~1', 'sub/.gitmodules'])('refuses %s', (path) => {
    expect(judgeName(path)[0]?.message).toContain('submodules');
  });

  test.each(['.gitignore', '.gitattributes', 'digit', 'git', '.github/x.yml', 'a/git~', 'legit/.gitkeep'])(
    'accepts the name %s',
    (path) => {
      expect(judgeName(path)).toEqual([]);
    },
  );

  test.each(['a//b', './a', 'a/../b', '/a'])('refuses %s, which is no plain relative path', (path) => {
    expect(judgeName(path)[0]?.message).toContain('plain relative path');
  });

  test('refuses a name that no file system can hold', () => {
    expect(judgeName(`src/${'x'.repeat(256)}`)).toHaveLength(1);
    expect(judgeName(`src/${'é'.repeat(128)}`)).toHaveLength(1);
    expect(judgeName(`src/${'x'.repeat(255)}`)).toEqual([]);
  });

  test('refuses two new paths that are one file where case does not count', () => {
    const changed = [change('src/Readme.ts', { status: 'A' }), change('src/readme.ts', { status: 'A' })];
    expect(contentFindings(facts({ changed }))).toHaveLength(1);
    const moved = [change('src/Readme.ts', { status: 'D' }), change('src/readme.ts', { status: 'A' })];
    expect(contentFindings(facts({ changed: moved }))).toEqual([]);
  });

  test('refuses a source file that no gate can read, and accepts an image', () => {
    expect(contentFindings(facts({ binary: ['src/a.py'] }))).toHaveLength(1);
    expect(contentFindings(facts({ binary: ['logo.png', 'data.bin'] }))).toEqual([]);
  });
});
