import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths } from '../controller/paths.ts';
import { INTEGRATION, readRef } from '../git/refs.ts';
import { listPaths, readFile } from '../git/tree-read.ts';
import { Upstream, type UpstreamBranches } from '../git/upstream.ts';
import type { CommitId } from '../model/ids.ts';
import type { ProjectConfig } from '../model/spec.ts';

/** The commit that a project's tasks start from, and the repository here that has it. */
interface Base {
  readonly gitDir: string;
  readonly tip: CommitId;
}

/**
 * Files of the commit that a project's tasks start from, as far as they can be had without a network: integration in
 * the hub of an earlier start, else the target of a repository on this machine. null: not known.
 */
export async function basePaths(home: string, config: ProjectConfig): Promise<ReadonlySet<string> | null> {
  try {
    const base = await baseOf(home, config);
    return base === null ? null : new Set(await listPaths(base, base.tip));
  } catch {
    // Paths are held against the base as a help; that it cannot be read is said by doctor and start.
    return null;
  }
}

/** Texts of these files at that commit, in the order given, without those that are not there. */
export async function baseFiles(
  home: string,
  config: ProjectConfig,
  paths: readonly string[],
): Promise<{ path: string; text: string }[]> {
  try {
    const base = await baseOf(home, config);
    if (base === null) return [];
    const read = await Promise.all(
      paths.map(async (path) => ({ path, bytes: await readFile(base, base.tip, path) })),
    );
    return read.flatMap(({ path, bytes }) =>
      bytes === null ? [] : [{ path, text: bytes.toString('utf8') }],
    );
  } catch {
    return [];
  }
}

/** Text of a file of that commit; null when there is none, or the commit is not known. */
export async function baseFile(home: string, config: ProjectConfig, path: string): Promise<string | null> {
  const base = await baseOf(home, config);
  return base === null ? null : ((await readFile(base, base.tip, path))?.toString('utf8') ?? null);
}

async function baseOf(home: string, config: ProjectConfig): Promise<Base | null> {
  if (config.repo === null) return null;
  const hub = join(homePaths(home).repos, `${config.name}.git`);
  if (existsSync(hub)) {
    const tip = await readRef({ gitDir: hub }, INTEGRATION);
    if (tip !== null) return { gitDir: hub, tip };
  }
  const gitDir = localGitDir(config.repo);
  if (gitDir === null) return null;
  const tip = await readRef({ gitDir }, `refs/heads/${config.target}`);
  return tip === null ? null : { gitDir, tip };
}

/** Branches of the user's repository. @throws DispatchError E_REPO_MISSING, E_REPO_AUTH, E_REPO_UNREACHABLE, … */
export async function branchesOf(repo: string): Promise<UpstreamBranches> {
  const directory = await mkdtemp(join(tmpdir(), 'dispatch-look-'));
  try {
    return await new Upstream(repo, join(directory, 'gitconfig')).branches();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A bare repository, or the one inside a checkout; null for anything else. */
function localGitDir(repo: string): string | null {
  const inner = join(repo, '.git');
  if (statSync(inner, { throwIfNoEntry: false })?.isDirectory() === true) return inner;
  return existsSync(join(repo, 'HEAD')) && existsSync(join(repo, 'objects')) ? repo : null;
}
