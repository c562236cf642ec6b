import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dispatch, scratch } from './dispatch.ts';

describe('init', () => {
  test('makes a home that validates', async () => {
    const home = scratch();
    const { code, stdout, stderr } = await dispatch(['init'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toContain(`created ${join(home, 'nodes.json')}`);
    expect(stderr).toContain('dispatch init my-project');
    expect(readFileSync(join(home, '.gitignore'), 'utf8')).toBe('.dispatch/\n');
    expect((await dispatch(['validate', '--strict'], { cwd: home })).code).toBe(0);
    expect((await dispatch(['nodes', 'list', '-o', 'name'], { cwd: home })).stdout).toBe('local\n');
  });

  test('makes a project with a repository that validates', async () => {
    const home = scratch();
    const repo = join(home, 'code');
    execFileSync('git', ['init', '-q', '-b', 'trunk', repo]);
    writeFileSync(join(repo, 'README.md'), '# web\n');
    execFileSync('git', ['-C', repo, 'add', '-A']);
    execFileSync('git', ['-C', repo, '-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qm', 'first']);
    const made = await dispatch(
      ['init', 'web', '--repo', 'code', '--target', 'trunk', '--verify', 'npm test -- "a b"'],
      {
        cwd: home,
      },
    );
    expect(made.code).toBe(0);
    expect(made.stderr).toContain('dispatch start web');
    const project = readFileSync(join(home, 'specs', 'web', 'project.yaml'), 'utf8');
    expect(project).toContain(`repo: ${repo}`);
    expect(project).toContain('target: trunk');
    const { code, stdout, stderr } = await dispatch(['validate', 'web', '--strict'], { cwd: home });
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('1 project, 1 valid spec: 0 errors, 0 warnings');
  });

  test('lands on the branch that the repository is on, when no target is said', async () => {
    const home = scratch();
    execFileSync('git', ['init', '-q', '-b', 'trunk', join(home, 'code')]);
    await dispatch(['init', 'web', '--repo', 'code', '--verify', 'npm test'], { cwd: home });
    expect(readFileSync(join(home, 'specs', 'web', 'project.yaml'), 'utf8')).toContain('target: trunk');
    await dispatch(['init', 'far', '--repo', 'git@example.org:far.git', '--verify', 'npm test'], {
      cwd: home,
    });
    expect(readFileSync(join(home, 'specs', 'far', 'project.yaml'), 'utf8')).toContain('target: main');
  });

  test('takes a path that begins with ~ from the user home', async () => {
    const home = scratch();
    const env = { HOME: home };
    await dispatch(['init', 'web', '--repo', '~/code', '--verify', 'npm test'], { cwd: home, env });
    expect(readFileSync(join(home, 'specs', 'web', 'project.yaml'), 'utf8')).toContain(`repo: ${home}/code`);
  });

  test('makes a project without a repository that validates', async () => {
    const home = scratch();
    await dispatch(['init', 'chores'], { cwd: home });
    const { code, stdout } = await dispatch(['validate', '--strict'], { cwd: home });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  test('overwrites nothing', async () => {
    const home = scratch();
    mkdirSync(join(home, 'specs', 'web'), { recursive: true });
    const mine = {
      'nodes.json': '[] // mine\n',
      '.gitignore': 'node_modules',
      'specs/web/project.yaml': 'verify: x\n',
    };
    for (const [file, text] of Object.entries(mine)) writeFileSync(join(home, file), text);
    const { code, stdout } = await dispatch(['init', 'web', '--repo', '/elsewhere'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toContain('kept    ');
    expect(readFileSync(join(home, 'nodes.json'), 'utf8')).toBe(mine['nodes.json']);
    expect(readFileSync(join(home, 'specs/web/project.yaml'), 'utf8')).toBe(mine['specs/web/project.yaml']);
    expect(readFileSync(join(home, '.gitignore'), 'utf8')).toBe('node_modules\n.dispatch/\n');
    await dispatch(['init'], { cwd: home });
    expect(readFileSync(join(home, '.gitignore'), 'utf8')).toBe('node_modules\n.dispatch/\n');
  });

  test('adds a project to the home above, and makes one where --home says', async () => {
    const home = scratch();
    await dispatch(['init'], { cwd: home });
    await dispatch(['init', 'web'], { cwd: join(home, 'specs') });
    expect(existsSync(join(home, 'specs', 'web', 'project.yaml'))).toBe(true);
    const other = join(home, 'other');
    const { code } = await dispatch(['init', '--home', other], { cwd: home });
    expect(code).toBe(0);
    expect(existsSync(join(other, 'nodes.json'))).toBe(true);
  });

  test.each(['-x', '../up', 'a/b', ''])('refuses the project name %j', async (name) => {
    const { code, stderr } = await dispatch(['init', '--', name], { cwd: scratch() });
    expect(code).toBe(2);
    expect(stderr).toContain('cannot name a project');
  });

  test('refuses a flag of a project when none is named', async () => {
    const { code, stderr } = await dispatch(['init', '--repo', '/x'], { cwd: scratch() });
    expect(code).toBe(2);
    expect(stderr).toContain('--repo belongs to a project');
  });

  test('tells a program what it made', async () => {
    const home = scratch();
    const { stdout, stderr } = await dispatch(['init', 'web', '-o', 'json'], { cwd: home });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Init', data: { home, project: 'web' } });
  });

  test('writes odd values so that they are read back as they were', async () => {
    const home = scratch();
    const verify = 'test "$(git status --porcelain)" = "" && echo \'ok: yes\' # fine';
    await dispatch(['init', 'web', '--repo', 'git@host:team/web.git', '--target', 'on', '--verify', verify], {
      cwd: home,
    });
    const { code, stdout } = await dispatch(['validate', 'web', '-o', 'json'], { cwd: home });
    expect({ code, problems: JSON.parse(stdout).data }).toEqual({ code: 0, problems: [] });
    const { stdout: plan } = await dispatch(['plan', 'web', '-o', 'json'], { cwd: home });
    expect(JSON.parse(plan).data.tasks).toBe(1);
  });

  describe('a repository without a command that runs it or one that tests it', () => {
    const checkout = (files: Readonly<Record<string, string>>): { home: string; repo: string } => {
      const home = scratch();
      const repo = join(home, 'code');
      execFileSync('git', ['init', '-q', '-b', 'main', repo]);
      for (const [file, text] of Object.entries(files)) writeFileSync(join(repo, file), text);
      return { home, repo };
    };
    const init = (home: string, ...more: string[]) =>
      dispatch(['init', 'web', '--repo', 'code', ...more], { cwd: home });

    test('is shown what is offered, and gets it with --yes alone', async () => {
      const { home, repo } = checkout({ 'package.json': '{}' });
      const offered = await init(home);
      expect(offered.code).toBe(0);
      expect(offered.stderr).toContain('  |   test) exec npm test ;;');
      expect(offered.stderr).toContain('dispatch init web --yes');
      expect(existsSync(join(repo, 'run.sh'))).toBe(false);
      // The second time the repository is known.
      const made = await dispatch(['init', 'web', '--yes', '-o', 'json'], { cwd: home });
      expect(JSON.parse(made.stdout)).toMatchObject({
        data: { commands: { run: './run.sh run', test: './run.sh test', scaffold: { made: true } } },
      });
      expect(spawnSync(join(repo, 'run.sh'), ['nothing']).status).toBe(2);
      expect((await init(home, '--yes')).stderr).not.toContain('lacks one command');
    });

    test('is given a command that fails where nobody knows how it is tested', async () => {
      const { home, repo } = checkout({});
      await init(home, '--yes');
      expect(spawnSync(join(repo, 'run.sh'), ['test']).status).toBe(64);
    });

    test.each([
      ['a Makefile', { Makefile: 'run: build\n\tnode .\ntest:\n\tnode --test\n' }, 'make test'],
      [
        'run.sh',
        { 'run.sh': 'case $1 in\n  start) node . ;;\n  test|check) node --test ;;\nesac\n' },
        './run.sh test',
      ],
    ])('is known by %s that has both, which proves its tasks', async (_, files, verify) => {
      const { home } = checkout(files);
      expect((await init(home)).stderr).not.toContain('lacks one command');
      expect(readFileSync(join(home, 'specs/web/project.yaml'), 'utf8')).toContain(`verify: ${verify}\n`);
    });

    test('keeps every file that it has', async () => {
      const mine = { 'run.sh': 'echo mine\n', Makefile: 'all:\n\ttrue\ntest := no target\n' };
      const { home, repo } = checkout(mine);
      const { code, stderr } = await init(home, '--yes');
      expect(code).toBe(0);
      expect(stderr).toContain('no one command that runs it, and none that tests it');
      for (const [file, text] of Object.entries(mine))
        expect(readFileSync(join(repo, file), 'utf8')).toBe(text);
    });
  });
});
