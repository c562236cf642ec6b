/** Homes and repositories that are not as they should be: refused with words that mend it, and nothing is changed. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitIn, type Home, makeHome, PROJECT } from './home.ts';

/** Nothing was made or recorded: a home that never started has no state at all. */
function isUntouched(home: Home): boolean {
  return !existsSync(join(home.dir, '.dispatch')) && home.attempts().length === 0;
}

describe('a home', () => {
  test('without nodes.json', async () => {
    const home = makeHome({ tasks: { A: {} } });
    rmSync(join(home.dir, 'nodes.json'));
    const { code, stderr } = await home.dispatch(['start', PROJECT, '--home', home.dir]);
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_NODES_MISSING]');
    expect(stderr).toContain('nodes.json');
    expect(stderr).toMatch(/fix: .*dispatch nodes add/u);
    expect(isUntouched(home)).toBe(true);
  });

  test('with a nodes.json that is no JSON: line, column and what was expected', async () => {
    const home = makeHome({ tasks: { A: {} } });
    writeFileSync(
      join(home.dir, 'nodes.json'),
      '[\n  { "name": "here", "local": true, }\n  { "name": "b" }\n]\n',
    );
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(2);
    expect(stderr).toContain('E_SPEC_SYNTAX');
    expect(stderr).toMatch(/nodes\.json:[23]:\d+/u);
    expect(isUntouched(home)).toBe(true);
  });

  test('with a key in nodes.json that nobody knows: the nearest one is named', async () => {
    const home = makeHome({ tasks: { A: {} } });
    writeFileSync(join(home.dir, 'nodes.json'), '[\n  { "name": "here", "local": true, "slot": 4 }\n]\n');
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(2);
    expect(stderr).toContain('error[E_SPEC_UNKNOWN_KEY]');
    expect(stderr).toContain('nodes.json:2:36');
    expect(stderr).toContain('did you mean "slots"?');
    expect(isUntouched(home)).toBe(true);
  });

  test('that is none: where it was looked for, and what makes one', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const elsewhere = join(home.base, 'elsewhere');
    mkdirSync(elsewhere);
    const { code, stderr } = await home.dispatch(['start', PROJECT], { cwd: elsewhere });
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_NO_HOME]');
    expect(stderr).toContain(elsewhere);
    expect(stderr).toContain('fix: dispatch init');
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});

describe('a repository', () => {
  test('that is not there', async () => {
    const home = makeHome({ tasks: { A: {} }, project: { repo: '/nonexistent/app' } });
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_REPO_MISSING]');
    expect(stderr).toContain('/nonexistent/app');
    expect(stderr).toMatch(/fix: /u);
    expect(home.attempts()).toEqual([]);
    // Mended, the same command does the work.
    home.writeProject({});
    expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  });

  test('without the target branch: the nearest one is named', async () => {
    const home = makeHome({ tasks: { A: {} }, project: { target: 'mian' } });
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_TARGET_MISSING] there is no branch mian in the repository');
    expect(stderr).toContain('did you mean `target: main` in project.yaml?');
    expect(home.attempts()).toEqual([]);
  });

  test('without a commit', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const empty = join(home.base, 'empty.git');
    gitIn(home.base, 'init', '-q', '--bare', '-b', 'main', empty);
    home.writeProject({ repo: empty });
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_REPO_EMPTY]');
    expect(stderr).toContain('make a first commit on main');
    expect(home.attempts()).toEqual([]);
  });

  test('whose target branch disappears while agents work: collect names it, and nothing is lost', async () => {
    const home = makeHome({ tasks: { A: {} } });
    expect((await home.start().ended).code).toBe(0);
    home.git('branch', '-m', 'main', 'trunk');
    const { code, stderr } = await home.dispatch(['collect', PROJECT]);
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_TARGET_MISSING]');
    expect(stderr).toContain('target: trunk');
    home.git('branch', '-m', 'trunk', 'main');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt')).toBe('A\n');
  });

  test('that vanishes while agents work: what they made is kept, and lands when it is back', async () => {
    const home = makeHome({ tasks: { A: { agent: 'mark began; await go; put src/A.txt a' } } });
    const started = home.start();
    await home.marked('began');
    gitIn(home.base, 'clone', '-q', '--bare', home.repo, join(home.base, 'kept.git'));
    rmSync(home.repo, { recursive: true });
    home.mark('go');
    expect((await started.ended).code).toBe(0);
    const refused = await home.dispatch(['collect', PROJECT]);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('error[E_REPO_MISSING]');
    gitIn(home.base, 'clone', '-q', '--bare', join(home.base, 'kept.git'), home.repo);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt')).toBe('a\n');
  });
});

describe('a target that is checked out in a working copy', () => {
  test.each([
    ['clean', {}],
    ['dirty', { 'src/first.txt': 'mine, not committed\n', 'notes.txt': 'untracked\n' }],
  ])('%s: collect refuses, and not a byte of it changes', async (state, edits) => {
    const home = makeHome({ tasks: { A: {} } });
    const copy = join(home.base, 'copy');
    home.git('worktree', 'add', '-q', copy, 'main');
    for (const [path, text] of Object.entries(edits)) writeFileSync(join(copy, path), text);
    if (state === 'dirty') {
      writeFileSync(join(copy, 'README.md'), '# staged\n');
      gitIn(copy, 'add', 'README.md');
    }
    expect((await home.start().ended).code).toBe(0);
    const before = fingerprint(home, copy);
    const tip = home.git('rev-parse', 'main');

    const { code, stderr } = await home.dispatch(['collect', PROJECT]);
    expect(code).toBe(6);
    expect(stderr).toContain(`error[E_TARGET_CHECKED_OUT] main is checked out in ${copy} (${state}`);
    const command = `git -C ${copy} merge --ff-only refs/dispatch/${PROJECT}`;
    expect(stderr).toMatch(new RegExp(`fix: .*${command}`, 'u'));
    expect(fingerprint(home, copy)).toEqual(before);
    expect(home.git('rev-parse', 'main')).toBe(tip);

    // The one command that was named takes it, where nothing of the person's is in the way.
    if (state !== 'clean') return;
    gitIn(copy, 'merge', '-q', '--ff-only', `refs/dispatch/${PROJECT}`);
    expect(readFileSync(join(copy, 'src/A.txt'), 'utf8')).toBe('A\n');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
  });
});

/** Every file of a working copy and its index, by content and time of change. */
function fingerprint(home: Home, copy: string): Record<string, string> {
  const gitDir = gitIn(copy, 'rev-parse', '--absolute-git-dir').trim();
  const files = readdirSync(copy, { recursive: true, encoding: 'utf8' })
    .map((path) => join(copy, path))
    .filter((path) => lstatSync(path).isFile());
  return Object.fromEntries(
    [...files, join(gitDir, 'index'), join(gitDir, 'HEAD')].map((path) => [
      path.slice(home.base.length),
      `${createHash('sha256').update(readFileSync(path)).digest('hex')} ${lstatSync(path).mtimeMs}`,
    ]),
  );
}
