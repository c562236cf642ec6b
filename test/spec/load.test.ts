import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listProjects, loadHome, loadProject } from '../../src/spec/load.ts';
import { codes, PROJECT, spec } from './check.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dispatch-home-'));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(home, file)), { recursive: true });
  await writeFile(join(home, file), content);
}

test('a home without nodes.json, with an empty one, and with one', async () => {
  expect(codes((await loadHome(home)).problems)).toEqual(['E_NODES_MISSING']);
  await write('nodes.json', '[]');
  expect((await loadHome(home)).problems).toMatchObject([{ code: 'E_NODES_EMPTY', severity: 'warning' }]);
  await write('nodes.json', '[{"name":"here","local":true}]');
  expect(await loadHome(home)).toMatchObject({ problems: [], nodes: [{ name: 'here' }] });
});

test('projects are the folders with valid names', async () => {
  expect(await listProjects(home)).toEqual([]);
  await write('specs/b/project.yaml', '');
  await write('specs/a/project.yaml', '');
  await write('specs/.hidden/x', '');
  await write('specs/file', '');
  expect(await listProjects(home)).toEqual(['a', 'b']);
});

test('a project is loaded with its specs in the order of their names', async () => {
  await write('specs/app/project.yaml', PROJECT);
  await write('specs/app/S02.md', spec('task_id: S02', 'depends_on: [S01]'));
  await write('specs/app/S01.md', spec('task_id: S01'));
  await write('specs/app/README.md', 'for people');
  await write('specs/app/.draft.md', 'not yet');
  await write('specs/app/notes.txt', 'x');
  await write('specs/app/old/S09.md', 'x');
  const { config, specs, problems } = await loadProject(home, 'app');
  expect(problems).toEqual([]);
  expect(specs.map(({ spec: { id, file } }) => [id, file])).toEqual([
    ['S01', 'specs/app/S01.md'],
    ['S02', 'specs/app/S02.md'],
  ]);
  expect(specs[0]?.text).toBe(spec('task_id: S01'));
  expect(config?.repo).toBe(join(dirname(home), 'app'));
});

test.each(['https://example.com/a.git', 'git@example.com:a.git', 'ssh://h/x', '/abs/repo'])(
  '%s is taken as it is',
  async (repo) => {
    await write('specs/app/project.yaml', `repo: ${repo}\nverify: v\n`);
    expect((await loadProject(home, 'app')).config?.repo).toBe(repo);
  },
);

test('an unknown project comes with the nearest name, and no name reaches outside of specs', async () => {
  await write('specs/clawmarketing/project.yaml', '');
  expect((await loadProject(home, 'clawmarketin')).problems).toMatchObject([
    { code: 'E_PROJECT_NOT_FOUND', fix: 'did you mean "clawmarketing"?' },
  ]);
  for (const name of ['../..', '..', '.', 'a/b', '']) {
    expect(codes((await loadProject(home, name)).problems), name).toEqual(['E_PROJECT_NOT_FOUND']);
  }
});

test('a project without project.yaml still has its specs checked', async () => {
  await write('specs/app/S01.md', spec('priority: 9'));
  const { config, specs, problems } = await loadProject(home, 'app');
  expect(config).toBeNull();
  expect(specs).toEqual([]);
  expect(codes(problems)).toEqual(['E_SPEC_VALUE', 'E_PROJECT_NO_CONFIG']);
});

test('a project without specs is a warning', async () => {
  await write('specs/app/project.yaml', PROJECT);
  expect((await loadProject(home, 'app')).problems).toMatchObject([
    { code: 'E_PROJECT_NO_SPECS', severity: 'warning' },
  ]);
});

test('everything wrong in all files is reported at once, by file and place', async () => {
  await write('specs/app/project.yaml', 'repo: ../app\nverfy: x\n');
  await write('specs/app/S01.md', spec('task_id: S01', 'depends_on: [S02]'));
  await write('specs/app/S02.md', spec('task_id: S02', 'depends_on: [S01, S3]', 'review: 5'));
  await write('specs/app/S03.md', Buffer.from([...Buffer.from('---\ntask_id: S03\n# '), 0xc4, 0xe3]));
  await write('specs/app/S04.md', Buffer.from('\ufeff---\n', 'utf16le'));
  await symlink('nowhere', join(home, 'specs/app/S05.md'));
  const { problems, specs } = await loadProject(home, 'app');
  expect(problems.map(({ code, file, line, col }) => `${code} ${file.slice(10)}:${line}:${col}`)).toEqual([
    'E_SPEC_CYCLE S01.md:4:14',
    'E_SPEC_UNKNOWN_DEPENDENCY S02.md:4:19',
    'E_SPEC_TYPE S02.md:5:9',
    'E_SPEC_ENCODING S03.md:3:3',
    'E_SPEC_ENCODING S04.md:1:1',
    'E_SPEC_UNREADABLE S05.md:1:1',
    'E_SPEC_UNKNOWN_KEY project.yaml:2:1',
  ]);
  expect(specs.map(({ spec: { id } }) => id)).toEqual(['S01']);
});

test('paths are held against the base when it is known', async () => {
  await write('specs/app/project.yaml', PROJECT);
  await write('specs/app/S01.md', spec('modifies: [scr/a.ts]'));
  expect((await loadProject(home, 'app')).problems).toEqual([]);
  expect((await loadProject(home, 'app', { basePaths: new Set(['src/a.ts']) })).problems).toMatchObject([
    {
      code: 'E_SPEC_UNKNOWN_PATH',
      severity: 'warning',
      fix: expect.stringContaining('"src/a.ts"') as string,
    },
  ]);
});

test('a folder called like a spec is no spec, and reading changes nothing', async () => {
  await write('specs/app/project.yaml', PROJECT);
  await mkdir(join(home, 'specs/app/dir.md'));
  await write('specs/app/S01.md', spec());
  await chmod(join(home, 'specs/app'), 0o500);
  expect((await loadProject(home, 'app')).problems).toEqual([]);
  await chmod(join(home, 'specs/app'), 0o700);
});
