/** A home whose nodes are real: this machine, with a worker of its own in a temporary directory. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { endWorker } from '../cluster/worker-end.ts';
import { makeHome, scratch } from './dispatch.ts';

/** Root for a worker; what tmux runs there is ended after the test. */
export function workerRoot(): string {
  const root = join(scratch(), 'worker');
  onTestFinished(() => endWorker(root));
  return root;
}

export function localNodes(root: string, slots = 2): string {
  return JSON.stringify([{ name: 'here', local: true, slots, root }]);
}

/** Commands without a repository: what each task runs is its executor. */
export function choresHome(
  executors: Readonly<Record<string, string>>,
  tasks: Readonly<Record<string, string>>,
): string {
  const root = workerRoot();
  const defs = Object.entries(executors).map(
    ([name, script]) => `  ${name}: { command: ["sh", "-c", ${JSON.stringify(script)}] }`,
  );
  return makeHome({
    'nodes.json': localNodes(root),
    'specs/chores/project.yaml': `executors:\n${defs.join('\n')}\nmax_attempts: 1\n`,
    ...Object.fromEntries(
      Object.entries(tasks).map(([id, executor]) => [
        `specs/chores/${id}.md`,
        `---\ntask_id: ${id}\nexecutor: ${executor}\n---\n## Goal\nRun ${executor}.\n\n## Acceptance\n- It ran.\n`,
      ]),
    ),
  });
}

/** A home with a repository of one file and tasks that each write a file of their own. */
export function codeHome(tasks: Readonly<Record<string, string>>): { home: string; repo: string } {
  const repo = join(scratch(), 'code.git');
  const work = scratch();
  const git = (...args: string[]): void => {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    execFileSync('git', ['-C', work, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { env });
  };
  git('init', '-q', '-b', 'main');
  writeFileSync(join(work, 'README.md'), '# code\n');
  mkdirSync(join(work, 'src'));
  writeFileSync(join(work, 'src', 'first.txt'), 'first\n');
  git('add', '-A');
  git('commit', '-qm', 'first');
  git('clone', '-q', '--bare', work, repo);
  const scripts = Object.entries(tasks).map(
    ([id, script]) => `  x${id}: { command: ["sh", "-c", ${JSON.stringify(script)}] }`,
  );
  const home = makeHome({
    'nodes.json': localNodes(workerRoot()),
    'specs/code/project.yaml': `repo: ${repo}\nretries: 0\ngates: { control: { skip: no test } }\nexecutors:\n${scripts.join('\n')}\n`,
    ...Object.fromEntries(
      Object.keys(tasks).map((id) => [
        `specs/code/${id}.md`,
        `---\ntask_id: ${id}\nexecutor: x${id}\nmodifies: ["src/${id}.txt"]\nverify: test -f src/first.txt\n---\n## Goal\nWrite ${id}.\n\n## Acceptance\n- It is there.\n`,
      ]),
    ),
  });
  return { home, repo };
}

/** What a branch of a bare repository has, newest first. */
export function subjects(repo: string, branch = 'main'): string[] {
  const out = execFileSync('git', ['--git-dir', repo, 'log', '--first-parent', '--format=%s', branch], {
    encoding: 'utf8',
  });
  return out.trimEnd().split('\n');
}

/** Tasks that the first-parent history of a branch says it has merged, several in one step where they were stacked. */
export function landed(repo: string, branch = 'main'): string[] {
  const format = '--format=%(trailers:key=Dispatch-Task,valueonly)';
  const out = execFileSync('git', ['--git-dir', repo, 'log', '--first-parent', format, branch], {
    encoding: 'utf8',
  });
  return out
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}
