import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { git } from '../../src/git/run.ts';
import { type CommitId, commitId } from '../../src/model/ids.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory that is gone after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dispatch-git-'));
  made.push(directory);
  return directory;
}

/** Content of files by path; null removes, `link:` makes a symbolic link, `exec:` an executable file. */
export type Edit = Readonly<Record<string, string | Uint8Array | null>>;

/** A user's repository with a working tree, as a person's `git` makes it. */
export class Repo {
  readonly dir: string;
  readonly gitDir: string;

  constructor(dir: string) {
    this.dir = dir;
    this.gitDir = join(dir, '.git');
  }

  static async create(dir = join(scratch(), 'repo'), branch = 'main'): Promise<Repo> {
    await mkdir(dir, { recursive: true });
    const repo = new Repo(dir);
    await repo.git('init', '-q', '-b', branch);
    return repo;
  }

  async git(...args: string[]): Promise<string> {
    const { stdout } = await git(['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], {
      cwd: this.dir,
      protocols: ['file'],
    });
    return stdout.toString('utf8').trimEnd();
  }

  /** Writes the files and commits them on the branch that is checked out. */
  async commit(edit: Edit, message = 'change'): Promise<CommitId> {
    for (const [path, content] of Object.entries(edit)) await this.write(path, content);
    await this.git('add', '-A');
    await this.git('commit', '-q', '--allow-empty', '-m', message);
    return this.tip();
  }

  async tip(ref = 'HEAD'): Promise<CommitId> {
    return commitId(await this.git('rev-parse', '--verify', `${ref}^{commit}`));
  }

  /** A new branch at a commit, checked out. */
  async branch(name: string, from: string): Promise<void> {
    await this.git('checkout', '-q', '-B', name, from);
  }

  async write(path: string, content: string | Uint8Array | null): Promise<void> {
    const file = join(this.dir, path);
    await rm(file, { recursive: true, force: true });
    if (content === null) return;
    await mkdir(dirname(file), { recursive: true });
    if (typeof content === 'string' && content.startsWith('link:')) {
      await symlink(content.slice('link:'.length), file);
      return;
    }
    const executable = typeof content === 'string' && content.startsWith('exec:');
    await writeFile(file, executable ? (content as string).slice('exec:'.length) : content);
    if (executable) await chmod(file, 0o755);
  }

  async read(path: string): Promise<string> {
    return await readFile(join(this.dir, path), 'utf8');
  }
}
