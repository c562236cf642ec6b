/** Histories of real projects where no repository can be cloned: each release on the npm registry is a commit. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Downloads are kept here from run to run. */
const CACHE = join(tmpdir(), 'dispatch-bench-releases');

/** Asked for at once. */
const TOGETHER = 20;

/** What no person writes into a repository: built for the registry, or everything in one file. */
const BUILT = new Set(['dist', 'build', 'umd', 'browser', 'node_modules']);
const LARGEST_SOURCE = 256 * 1024;

/**
 * A repository with the newest `count` releases of a package in the order of their versions, oldest first.
 * @returns its git directory and how many releases it has.
 * @throws when the registry is out of reach and the releases are not in the cache.
 */
export function releaseHistory(name: string, count: number): { gitDir: string; releases: number } {
  mkdirSync(CACHE, { recursive: true });
  const versions = releasesOf(name).slice(-count);
  download(name, versions);
  const tree = mkdtempSync(join(tmpdir(), `dispatch-bench-${name}-`));
  git(tree, 'init', '-q', '-b', 'main');
  git(tree, 'commit', '-q', '--allow-empty', '-m', 'nothing yet');
  for (const version of versions) {
    for (const entry of readdirSync(tree)) {
      if (entry !== '.git') rmSync(join(tree, entry), { recursive: true });
    }
    cpSync(folderOf(name, version), tree, { recursive: true, filter: isSource });
    git(tree, 'add', '-A', '-f');
    git(tree, 'commit', '-q', '--allow-empty', '-m', version);
  }
  return { gitDir: join(tree, '.git'), releases: versions.length };
}

function isSource(path: string): boolean {
  const stat = statSync(path);
  return stat.isDirectory() ? !BUILT.has(basename(path)) : stat.size <= LARGEST_SOURCE;
}

function releasesOf(name: string): string[] {
  const all = JSON.parse(npm('view', name, 'versions', '--json')) as string[];
  const parts = (version: string): number[] => version.split('.').map(Number);
  return all
    .filter((version) => /^\d+\.\d+\.\d+$/.test(version))
    .toSorted((a, b) => {
      const [x, y] = [parts(a), parts(b)];
      const at = x.findIndex((part, index) => part !== y[index]);
      return at < 0 ? 0 : (x[at] ?? 0) - (y[at] ?? 0);
    });
}

function folderOf(name: string, version: string): string {
  return join(CACHE, `${name}-${version}`);
}

function download(name: string, versions: readonly string[]): void {
  const missing = versions.filter((version) => !existsSync(folderOf(name, version)));
  for (let at = 0; at < missing.length; at += TOGETHER) {
    const some = missing.slice(at, at + TOGETHER);
    npm('pack', '--silent', '--pack-destination', CACHE, ...some.map((version) => `${name}@${version}`));
    for (const version of some) unpack(name, version);
  }
}

/** Under its name only when it is whole. */
function unpack(name: string, version: string): void {
  const aside = mkdtempSync(join(CACHE, 'unpacked-'));
  const file = join(CACHE, `${name}-${version}.tgz`);
  execFileSync('tar', ['-xzf', file, '-C', aside, '--strip-components=1'], { stdio: 'ignore' });
  renameSync(aside, folderOf(name, version));
  rmSync(file);
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, { encoding: 'utf8', cwd: CACHE, stdio: ['ignore', 'pipe', 'pipe'] });
}

function git(tree: string, ...args: string[]): void {
  execFileSync(
    'git',
    ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'core.autocrlf=false', '-C', tree, ...args],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
}
