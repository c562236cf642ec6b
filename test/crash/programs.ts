/** The built programs with the points put in front: a copy of their directory, because what is shipped is known by its hash. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { hurry } from './hurry.ts';
import { pointsInLaunch } from './points/launch.ts';

export interface Programs {
  /** For DISPATCH_DIST. */
  readonly dist: string;
  /** Where the points find their plan and write down what they met. */
  readonly points: string;
}

/** @param from the built programs; @param to a directory of its own below the same node_modules; @param points short-lived. */
export function withPoints(from: string, to: string, points: string): Programs {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  hurry(to);
  mkdirSync(points, { recursive: true });
  const preload = join(to, 'preload.mjs');
  buildSync({
    entryPoints: [fileURLToPath(new URL('./points/preload.ts', import.meta.url))],
    outfile: preload,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const first = `import ${JSON.stringify(pathToFileURL(join(points, 'preload.mjs')).href)};\n`;
  for (const name of ['dispatch.js', 'task-wrapper.mjs']) {
    const text = readFileSync(join(to, name), 'utf8');
    const [, head = '', body = ''] = /^(#![^\n]*\n)?([\s\S]*)$/u.exec(text) ?? [];
    writeFileSync(join(to, name), `${head}${first}${body}`);
  }
  const launch = pointsInLaunch(readFileSync(join(to, 'launch.sh'), 'utf8'), points);
  writeFileSync(join(to, 'launch.sh'), launch);
  const wrapper = readFileSync(join(to, 'task-wrapper.mjs'));
  const hash = createHash('sha256').update(wrapper).update('\0').update(launch).digest('hex');
  const names = { hash, wrapper: 'task-wrapper.mjs', launch: 'launch.sh' };
  writeFileSync(join(to, 'task-wrapper.json'), `${JSON.stringify(names)}\n`);
  return { dist: to, points };
}
