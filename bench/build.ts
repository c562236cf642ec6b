/**
 * What a bench runs must be what a user runs: bundled code in plain Node.js, and a program for nodes that nobody rebuilds
 * meanwhile. So each run builds into a directory of its own, inside node_modules, where the native modules are found.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BANNER = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

export interface Build {
  /** dispatch.js, task-wrapper.mjs and launch.sh as they are shipped. */
  readonly dist: string;
  /** The controller of controller-process.ts, bundled. */
  readonly controller: string;
  remove(): void;
}

/** Builds everything, and makes this process and its children use it (DISPATCH_DIST). */
export async function buildForBench(): Promise<Build> {
  const dir = join(HERE, `../node_modules/.cache/dispatch-bench/${process.pid}`);
  const dist = join(dir, 'dist');
  mkdirSync(dir, { recursive: true });
  execFileSync(process.execPath, [join(HERE, '../scripts/build.mjs'), dist], { stdio: 'inherit' });
  const controller = join(dir, 'controller-process.mjs');
  await build({
    entryPoints: [join(HERE, 'controller-process.ts')],
    outfile: controller,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['better-sqlite3', 'ssh2', 'cpu-features'],
    banner: { js: BANNER },
    define: { __DISPATCH_VERSION__: '"bench"' },
    logLevel: 'warning',
  });
  process.env.DISPATCH_DIST = dist;
  return { dist, controller, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
