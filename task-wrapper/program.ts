/**
 * Which program this is. Its hash is that of its content together with launch.sh, so two nodes with the same hash run
 * the same code; the controller ships it as `bin/task-wrapper-<hash>.mjs` with `bin/launch-<hash>.sh` beside it.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PROTOCOL } from '../src/protocol/version.ts';
import type { Root } from './root.ts';

export interface Program {
  readonly hash: string;
  readonly protocol: number;
  /** Absolute paths. */
  readonly node: string;
  readonly wrapper: string;
  readonly launch: string;
}

export function thisProgram(): Program {
  const wrapper = realpathSync(process.argv[1] ?? '');
  const launch = join(
    dirname(wrapper),
    basename(wrapper)
      .replace('task-wrapper', 'launch')
      .replace(/\.mjs$/, '.sh'),
  );
  const hash = createHash('sha256')
    .update(readFileSync(wrapper))
    .update('\0')
    .update(readFileSync(launch))
    .digest('hex');
  return { hash, protocol: PROTOCOL, node: process.execPath, wrapper, launch };
}

/** The program inside `bin/`, copied there when it was started from elsewhere: attempts name their program by its place, and it must outlive a temporary directory. */
export function installProgram(root: Root, program: Program): Program {
  if (dirname(program.wrapper) === root.bin) return program;
  const wrapper = `${root.bin}/task-wrapper-${program.hash}.mjs`;
  const launch = `${root.bin}/launch-${program.hash}.sh`;
  copyOnce(program.launch, launch);
  copyOnce(program.wrapper, wrapper);
  return { ...program, wrapper, launch };
}

/** How long a program that no attempt needs stays, milliseconds: an older controller may come back with it. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** Removes programs that have not been shipped or needed for long. @param needed paths that attempts still name. */
export function sweepPrograms(root: Root, program: Program, needed: ReadonlySet<string>): void {
  for (const name of readdirSync(root.bin)) {
    const path = `${root.bin}/${name}`;
    if (path === program.wrapper || path === program.launch || needed.has(path)) continue;
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > KEEP_MS)
      rmSync(path, { force: true });
  }
}

function copyOnce(from: string, to: string): void {
  if (existsSync(to)) return;
  const temporary = `${to}.${process.pid}`;
  copyFileSync(from, temporary);
  renameSync(temporary, to);
}
