import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of the repository that the benches work on. */
export const FILES = 5000;

/** A bare repository with one commit of FILES files, below `dir`. */
export function repository(dir: string): string {
  const work = join(dir, 'work');
  for (let at = 0; at < FILES; at += 1) {
    const folder = join(work, `pkg${at % 50}`, `dir${at % 500}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file${at}.txt`), `line of file ${at}\n`.repeat(40));
  }
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@b', '-C', work, ...args]);
  };
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-qm', 'first');
  const bare = join(dir, 'repo.git');
  execFileSync('git', ['clone', '-q', '--bare', work, bare]);
  return bare;
}
