/** Where prepared directories are shown in a checkout, and what of the checkout decides about them. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import type { Finding } from '../src/model/attempt.ts';
import type { Preparation } from '../src/model/sandbox.ts';

/** Files beside a lockfile that its installer reads as well. They are part of the key wherever the lockfile is. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  'package-lock.json': ['package.json', '.npmrc'],
  'npm-shrinkwrap.json': ['package.json', '.npmrc'],
  'yarn.lock': ['package.json', '.yarnrc.yml', '.npmrc'],
  'pnpm-lock.yaml': ['package.json', 'pnpm-workspace.yaml', '.npmrc'],
  'bun.lock': ['package.json'],
  'uv.lock': ['pyproject.toml'],
  'poetry.lock': ['pyproject.toml'],
  'Pipfile.lock': ['Pipfile'],
  'Cargo.lock': ['Cargo.toml'],
  'go.sum': ['go.mod'],
  'Gemfile.lock': ['Gemfile'],
  'composer.lock': ['composer.json'],
};

export interface Key {
  readonly hash: string;
  /** Path in the repository -> content. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * What a preparation depends on: its command, the kind of machine, and the files of its key. The command is given these
 * files and no other, so two branches with one key cannot make each other different things.
 * @throws Error when none of the files that the project names is there.
 */
export function keyOf(tree: string, { command, keyedBy, paths }: Preparation): Key {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([command, paths, process.platform, process.arch, process.version]));
  const files = new Map<string, Buffer>();
  for (const path of keyedBy.flatMap((named) => [named, ...companions(named)])) {
    if (files.has(path)) continue;
    const content = plainFile(tree, path);
    if (content === null) continue;
    files.set(path, content);
    hash.update(JSON.stringify([path, content.length])).update(content);
  }
  if (!keyedBy.some((path) => files.has(path)))
    throw new Error(`the commit has none of the files that it is keyed by: ${keyedBy.join(', ')}`);
  return { hash: hash.digest('hex'), files };
}

/** Why a prepared directory cannot be shown in this checkout; null when it can. A link would lead it elsewhere. */
export function inTheWay(tree: string, paths: readonly string[]): Finding | null {
  for (const path of paths) {
    const names = path.split('/');
    for (const [index] of names.entries()) {
      const at = names.slice(0, index + 1).join('/');
      const stat = lstatSync(`${tree}/${at}`, { throwIfNoEntry: false });
      if (stat === undefined) break;
      const last = index === names.length - 1;
      if (stat.isDirectory() && !last) continue;
      return {
        gate: 'verify',
        path: at,
        line: null,
        message: `${at} is in the branch, but the project prepares ${path} itself`,
        fix: `Leave ${at} out of the branch; it is installed from the lockfiles.`,
      };
    }
  }
  return null;
}

function companions(named: string): string[] {
  const slash = named.lastIndexOf('/') + 1;
  return (BESIDE[named.slice(slash)] ?? []).map((name) => named.slice(0, slash) + name);
}

/** Content of a file of the checkout; null when there is none, or a link on the way to it. */
function plainFile(tree: string, path: string): Buffer | null {
  const file = `${tree}/${path}`;
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null;
  return realpathSync(file) === `${realpathSync(tree)}/${path}` ? readFileSync(file) : null;
}
