import { describe, expect, test } from 'vitest';
import { NO_CHANGE } from '../../src/gates/facts.ts';
import { readFacts } from '../../src/git/facts.ts';
import { git } from '../../src/git/run.ts';
import { Repo } from './repo.ts';

describe('what a branch did', () => {
  test('every kind of change is listed with its modes and ids', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({
      'keep.txt': 'a\n',
      'gone.txt': 'b\n',
      'mode.sh': 'c\n',
      'type.txt': 'd\n',
    });
    const head = await repo.commit({
      'keep.txt': 'a\nmore\n',
      'gone.txt': null,
      'mode.sh': 'exec:c\n',
      'type.txt': 'link:elsewhere',
      'new.txt': 'n\n',
    });
    const facts = await readFacts(repo, base, head);
    expect(
      facts.changed.map(({ status, path, oldMode, newMode }) => [status, path, oldMode, newMode]),
    ).toEqual([
      ['D', 'gone.txt', '100644', '000000'],
      ['M', 'keep.txt', '100644', '100644'],
      ['M', 'mode.sh', '100644', '100755'],
      ['A', 'new.txt', '000000', '100644'],
      ['T', 'type.txt', '100644', '120000'],
    ]);
    expect(facts.links).toEqual([{ path: 'type.txt', target: 'elsewhere' }]);
    expect(facts.commits).toBe(1);
    expect(facts.added).toEqual([
      { path: 'keep.txt', line: 2, text: 'more' },
      { path: 'new.txt', line: 1, text: 'n' },
      { path: 'type.txt', line: 1, text: 'elsewhere' },
    ]);
  });

  test('a rename counts on both sides, and its old lines are not new', async () => {
    const repo = await Repo.create();
    const old = 'one TODO\ntwo\nthree\nfour\n';
    const base = await repo.commit({ 'a.txt': old });
    const head = await repo.commit({ 'a.txt': null, 'b.txt': `${old}five\n` });
    const facts = await readFacts(repo, base, head);
    expect(facts.changed.map(({ status, path }) => [status, path])).toEqual([
      ['D', 'a.txt'],
      ['A', 'b.txt'],
    ]);
    expect(facts.added).toEqual([{ path: 'b.txt', line: 5, text: 'five' }]);
  });

  test.each(['* -diff\n', '* binary\n', '* diff=blind\n', '* -text\n', '* working-tree-encoding=UTF-16\n'])(
    'a .gitattributes of %j hides no line',
    async (attributes) => {
      const repo = await Repo.create();
      const base = await repo.commit({ 'a.txt': 'one\n' });
      await repo.git('config', 'diff.blind.textconv', 'true');
      await repo.git('config', 'diff.blind.command', 'true');
      await repo.git('config', 'diff.blind.binary', 'true');
      await repo.git('config', 'diff.external', 'true');
      const head = await repo.commit({ 'a.txt': 'one\nTODO\n' });
      await repo.write('.gitattributes', attributes);
      const { added } = await readFacts(
        { gitDir: repo.gitDir, env: { GIT_WORK_TREE: repo.dir } },
        base,
        head,
      );
      expect(added).toEqual([{ path: 'a.txt', line: 2, text: 'TODO' }]);
    },
  );

  test('a NUL byte or UTF-16 hides no word, and the file is named as binary', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const head = await repo.commit({
      'nul.py': '\0# TODO later\n',
      'wide.py': Buffer.from('x = 1\n# TODO wide\n', 'utf16le'),
    });
    const { added, binary } = await readFacts(repo, base, head);
    expect(added).toContainEqual({ path: 'nul.py', line: 1, text: '# TODO later' });
    expect(added).toContainEqual({ path: 'wide.py', line: 2, text: '# TODO wide' });
    expect(binary).toEqual(['nul.py', 'wide.py']);
  });

  test('names with line breaks, quotes, blanks, a leading dash or other alphabets come through exactly', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const names = [
      '-rf',
      ' blank first',
      'a b/c d.txt',
      'back\\slash',
      'new\nline',
      'quo"te',
      'tab\tand space ',
      '中文/文件.txt',
      '\u0001control',
      ':(glob)**',
    ];
    const head = await repo.commit(Object.fromEntries(names.map((name) => [name, 'TODO\n'])));
    const { changed, added } = await readFacts(repo, base, head);
    expect(changed.map(({ path }) => path).toSorted()).toEqual(names.toSorted());
    expect(added.map(({ path }) => path).toSorted()).toEqual(names.toSorted());
  });

  test('names that are not UTF-8 stay apart', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const blob = (await repo.git('hash-object', '-w', 'a.txt')).trim();
    const entry = (byte: number): Buffer =>
      Buffer.concat([Buffer.from(`100644 blob ${blob}\tx`), Buffer.from([byte, 0])]);
    const { stdout } = await git(['mktree', '-z'], {
      gitDir: repo.gitDir,
      input: Buffer.concat([entry(0xfe), entry(0xff)]),
    });
    const tree = stdout.toString().trim();
    await repo.git(
      'update-ref',
      'refs/heads/odd',
      await repo.git('commit-tree', '-p', base, '-m', 'x', tree),
    );
    const { changed, added } = await readFacts(repo, base, await repo.tip('odd'));
    expect(changed.map(({ path }) => path)).toEqual(['a.txt', 'x\\xfe', 'x\\xff']);
    expect(added.map(({ path }) => path)).toEqual(['x\\xff']);
  });

  test('lines that look like headers of a patch are content', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': '-- b/zzz\n@@ -1 +1 @@\n' });
    const text = ['++ b/evil.txt', '@@ -1,9 +1,9 @@', 'diff --git a/x b/x', '\\ No newline'];
    const head = await repo.commit({ 'a.txt': text.join('\n') });
    const { added } = await readFacts(repo, base, head);
    expect(added.map((line) => [line.path, line.text])).toEqual(text.map((line) => ['a.txt', line]));
  });

  test('CRLF is a line break', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const head = await repo.commit({ 'b.txt': 'x\r\nTODO\r\n' });
    const { added } = await readFacts(repo, base, head);
    expect(added.map(({ text }) => text)).toEqual(['x', 'TODO']);
  });

  test('a submodule is a change with its mode', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    await repo.git('update-index', '--add', '--cacheinfo', `160000,${base},sub`);
    await repo.git('commit', '-q', '-m', 'sub');
    const { changed } = await readFacts(repo, base, await repo.tip());
    expect(changed.map(({ path, newMode }) => [path, newMode])).toEqual([['sub', '160000']]);
  });

  test('the files that each of several commands runs are named, each in the folder of its own command', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'web/t.sh': 'true\n', 't.sh': 'true\n', 'check.sh': 'true\n' });
    const head = await repo.commit({ 'a.txt': 'one\n' });
    const facts = await readFacts(repo, base, head, 'cd web && sh t.sh', 'sh check.sh && sh t.sh', null);
    expect(facts.gateFiles).toEqual(['web/t.sh', 'check.sh', 't.sh']);
    expect((await readFacts(repo, base, head)).gateFiles).toEqual([]);
  });

  test('a huge file is named as unread and the others are read', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const head = await repo.commit({ 'huge.txt': 'TODO\n'.repeat(2_000_000), 'small.txt': 'x\n' });
    const { added, binary } = await readFacts(repo, base, head);
    expect(binary).toEqual(['huge.txt']);
    expect(added).toEqual([{ path: 'small.txt', line: 1, text: 'x' }]);
  });

  test('a flood of lines is cut off, and the file is named as unread', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const head = await repo.commit({ 'flood.txt': '\n'.repeat(600_000), 'next.txt': 'x\n' });
    const { added, binary } = await readFacts(repo, base, head);
    expect(added).toHaveLength(500_000);
    expect(binary).toEqual(['flood.txt', 'next.txt']);
  });

  test('a link to an absurd target is shown as one that leaves the tree', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    await repo.write('long', 'x'.repeat(10_000));
    const blob = await repo.git('hash-object', '-w', 'long');
    await repo.git('update-index', '--add', '--cacheinfo', `120000,${blob},long`);
    await repo.git('commit', '-q', '-m', 'link');
    const { links } = await readFacts(repo, base, await repo.tip());
    expect(links).toEqual([{ path: 'long', target: '/(10000 bytes, longer than any path)' }]);
  });

  test('a replace ref does not stand in for what the branch contains', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const innocent = await repo.commit({ 'a.txt': 'two\n' });
    await repo.git('reset', '-q', '--hard', base);
    const head = await repo.commit({ 'a.txt': 'TODO\n' });
    await repo.git('update-ref', `refs/replace/${head}`, innocent);
    const { added } = await readFacts(repo, base, head);
    expect(added.map(({ text }) => text)).toEqual(['TODO']);
  });

  test('an empty branch changed nothing', async () => {
    const repo = await Repo.create();
    const base = await repo.commit({ 'a.txt': 'one\n' });
    const head = await repo.commit({});
    expect(await readFacts(repo, base, head)).toEqual({ ...NO_CHANGE, commits: 1 });
  });
});
