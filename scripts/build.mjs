#!/usr/bin/env node
// Builds dist/: the command line (split, so that `--version` loads only itself), the node-side program
// (one file, because it is shipped to nodes under the hash of its content), and bootstrap.sh as it is.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = process.argv[2] ?? join(root, 'dist');
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const banner = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";
const define = { __DISPATCH_VERSION__: JSON.stringify(version) };

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

await build({
  entryPoints: { 'task-wrapper': join(root, 'task-wrapper/main.ts') },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  banner: { js: banner },
  define,
  logLevel: 'warning',
});
const wrapper = readFileSync(join(dist, 'task-wrapper.mjs'));
const launch = readFileSync(join(root, 'task-wrapper/launch.sh'));
writeFileSync(join(dist, 'launch.sh'), launch);
const hash = createHash('sha256').update(wrapper).update('\0').update(launch).digest('hex');
writeFileSync(
  join(dist, 'task-wrapper.json'),
  `${JSON.stringify({ hash, wrapper: 'task-wrapper.mjs', launch: 'launch.sh' })}\n`,
);

await build({
  entryPoints: { dispatch: join(root, 'src/cli/main.ts') },
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['better-sqlite3', 'ssh2', 'cpu-features'],
  banner: { js: banner },
  define,
  logLevel: 'warning',
});
// The simulator: for whoever changes dispatch. Nothing else loads it.
await build({
  entryPoints: { sim: join(root, 'test/sim/verb.ts'), 'sim-share': join(root, 'test/sim/share.ts') },
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['better-sqlite3', 'ssh2', 'cpu-features'],
  banner: { js: banner },
  define: { ...define, __DISPATCH_COMMIT__: JSON.stringify(commit()) },
  logLevel: 'warning',
});
chmodSync(join(dist, 'dispatch.js'), 0o755);
copyFileSync(join(root, 'bootstrap/bootstrap.sh'), join(dist, 'bootstrap.sh'));

/** Of the sources, and whether they are as committed; what is unpacked from an archive has none. */
function commit() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' (changed since)'}`;
  } catch {
    return `version ${version}`;
  }
}
