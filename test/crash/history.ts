/** What git itself says has happened, read with git alone. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gitIn } from '../cluster/home.ts';
import type { Scene } from './verdict.ts';

export interface LandedTask {
  readonly commit: string;
  readonly task: string;
  readonly token: string;
}

/** Refs of a repository and the commits they name. */
export function refsOf(repo: string): Map<string, string> {
  const lines = gitIn(repo, 'for-each-ref', '--format=%(refname) %(objectname)').trim().split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** What the first-parent history of a branch says it has brought in, newest first. */
export function landingsOf(repo: string, ref: string): LandedTask[] {
  const keys = ['Dispatch-Task', 'Dispatch-Token'];
  const values = keys.map((key) => `%(trailers:key=${key},valueonly,separator=%x2C)`);
  const format = ['%H', ...values].join('%x01');
  const log = gitIn(repo, 'log', '--first-parent', `--format=${format}`, ref);
  return log.split('\n').flatMap((line) => {
    const [commit = '', tasks = '', tokens = ''] = line.split('\x01');
    if (tokens === '') return [];
    const names = tasks.split(',');
    return tokens.split(',').map((token, at) => ({ commit, task: names[at] ?? '', token }));
  });
}

/** Commits of the first-parent history of integration and of the target on which the project's own tests are red. */
export function redCommits(scene: Scene): string[] {
  const { base, home, project, repo, target, isGreen } = scene;
  if (isGreen === undefined) return [];
  const hub = join(home, '.dispatch', 'repos', `${project}.git`);
  const seen = new Set<string>();
  const found: string[] = [];
  for (const [place, ref] of [
    [hub, 'refs/heads/integration'],
    [repo, `refs/heads/${target}`],
  ] as const) {
    if (!refsOf(place).has(ref)) continue;
    const lines = gitIn(place, 'log', '--first-parent', '--format=%H %T', ref).trim().split('\n');
    for (const line of lines) {
      const [commit = '', tree = ''] = line.split(' ');
      if (seen.has(tree)) continue;
      seen.add(tree);
      if (!isGreenAt(base, place, commit, isGreen)) found.push(`${ref}: ${commit} is red`);
    }
  }
  return found;
}

function isGreenAt(base: string, repo: string, commit: string, isGreen: (tree: string) => boolean): boolean {
  const tree = mkdtempSync(join(base, 'checkout-'));
  const env = { ...process.env, GIT_INDEX_FILE: join(tree, '.index') };
  const git = (...args: string[]): void =>
    void execFileSync('git', ['--git-dir', repo, '--work-tree', tree, ...args], { env });
  try {
    git('read-tree', commit);
    git('checkout-index', '-a');
    rmSync(join(tree, '.index'));
    return isGreen(tree);
  } finally {
    rmSync(tree, { recursive: true });
  }
}
