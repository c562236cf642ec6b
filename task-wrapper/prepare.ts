/**
 * What verify commands need installed (node_modules, a virtual environment), made once for each content of the lockfiles
 * and shown read-only in every checkout after that:
 *
 *   prepared/<project>/<key>/<n>          the n-th directory that the project names
 *   prepared/<project>/making-<pid>-<x>/  where it is being made; its process is the owner
 *   attempts/<token>/prepared             the key that the attempt uses: it is not removed under it
 *
 * The command runs in the sandbox, with the network. Attempts that need the same key wait for the one that makes it.
 * It belongs to the supervisor: when that is killed the command ends with it, and the next supervisor begins it anew.
 * One that fails is a broken gate: it says nothing about the work, and is tried again by the next attempt.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stripControls } from '../src/gates/shorten.ts';
import type { Preparation, SandboxRules } from '../src/model/sandbox.ts';
import type { ProjectName } from '../src/model/ids.ts';
import type { Desk } from './desk.ts';
import { readIfThere } from './durable.ts';
import { readEnds } from './ends.ts';
import { baseEnvironment } from './environment.ts';
import { startTime } from './host.ts';
import { type Key, keyOf } from './prepare-place.ts';
import type { Recorded } from './record.ts';
import { removeTree } from './remove.ts';
import { attemptDir, type Root } from './root.ts';
import { caged } from './sandbox.ts';
import { removeGroup } from './sandbox-group.ts';
import { writeStep } from './step.ts';

const run = promisify(execFile);

/** A prepared directory: where it is kept, and its place in a checkout. */
export interface Kept {
  readonly kept: string;
  readonly path: string;
}

export class PreparationFailed extends Error {
  override readonly name = 'PreparationFailed';
}

export interface Wanted {
  readonly rules: SandboxRules;
  readonly preparation: Preparation;
  /** The clean checkout. */
  readonly tree: string;
  /** File that the output of a failing command is appended to. */
  readonly log: string;
}

/** Keys kept for each project, besides those in use. */
const KEEP = 4;
/** Installing everything over a slow line takes minutes; this is stuck. */
const LONGEST_MS = 30 * 60_000;
/** How soon a cancelled attempt stops waiting. */
const LOOK_MS = 200;
/** Bytes of the output of a failing command that are passed on. */
const OUTPUT_BYTES = 16 * 1024;

const making = new Map<string, Promise<void>>();

/**
 * The directories that the project has prepared for this checkout, made when this node does not have them.
 * @returns null when the attempt was interrupted while it waited.
 * @throws PreparationFailed
 */
export async function prepare(desk: Desk, order: Recorded, want: Wanted): Promise<Kept[] | null> {
  const { root } = desk;
  const key = keyed(want);
  const home = `${root.path}/prepared/${order.project}`;
  const kept = `${home}/${key.hash}`;
  // First, so that nobody who cleans up takes it away in between.
  writeFileSync(`${attemptDir(root, order.token)}/prepared`, key.hash);
  if (!existsSync(kept)) {
    const made =
      making.get(kept) ?? make(root, home, order.project, key, want).finally(() => making.delete(kept));
    making.set(kept, made);
    if (!(await settled(desk, made))) return null;
  }
  const now = new Date();
  utimesSync(kept, now, now);
  const all = want.preparation.paths.map((path, index) => ({ kept: `${kept}/${index}`, path }));
  if (want.rules.trusted || process.platform === 'darwin') for (const one of all) link(want.tree, one);
  return all;
}

function keyed({ tree, preparation }: Wanted): Key {
  try {
    return keyOf(tree, preparation);
  } catch (error) {
    throw new PreparationFailed(
      `\`prepare\` cannot run: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** True when it has been made, false when the attempt was interrupted first; it goes on for the others then. */
async function settled(desk: Desk, made: Promise<void>): Promise<boolean> {
  made.catch(() => {});
  for (;;) {
    const over = await Promise.race([made.then(() => true), delay(LOOK_MS, false)]);
    if (over) return true;
    if (desk.interrupt() !== null) return false;
  }
}

async function make(root: Root, home: string, project: ProjectName, key: Key, want: Wanted): Promise<void> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  await clean(root, home, key.hash);
  const place = `${home}/making-${process.pid}-${randomBytes(6).toString('hex')}`;
  const tree = `${place}/tree`;
  mkdirSync(tree, { recursive: true, mode: 0o700 });
  try {
    for (const [path, content] of key.files) {
      mkdirSync(dirname(`${tree}/${path}`), { recursive: true });
      writeFileSync(`${tree}/${path}`, content);
    }
    await runCommand(root, place, project, want);
    mkdirSync(`${place}/kept`);
    for (const [index, path] of want.preparation.paths.entries()) take(tree, path, `${place}/kept/${index}`);
    // A name that is there after a power cut must not stand for files that are empty.
    await run('sync', process.platform === 'linux' ? ['-f', `${place}/kept`] : []);
    if (!existsSync(`${home}/${key.hash}`)) renameSync(`${place}/kept`, `${home}/${key.hash}`);
  } finally {
    await removeTree(place);
  }
}

/** @throws PreparationFailed with the last lines of its output. */
async function runCommand(root: Root, place: string, project: ProjectName, want: Wanted): Promise<void> {
  const { command } = want.preparation;
  const name = `prepare_${randomBytes(8).toString('hex')}`;
  const step = await caged(root, {
    command,
    rules: { ...want.rules, network: true },
    env: { ...baseEnvironment(''), DISPATCH_PROJECT: project },
    tree: realpathSync(`${place}/tree`),
    place: `${place}/run`,
    name,
    prepared: [],
  });
  const log = `${place}/log`;
  writeStep(`${place}/step`, { ...step, stdin: null, output: log });
  const end = await ended(`${place}/step.sh`);
  removeGroup(name);
  if (end === 0) return;
  const output = stripControls(readEnds(log, 0, OUTPUT_BYTES)).trim();
  appendFileSync(want.log, `dispatch: prepare: ${command}\n${output}\n`);
  const how =
    end === null ? `did not end within ${LONGEST_MS / 60_000} minutes` : `ended with exit code ${end}`;
  const last = output.split('\n').slice(-3).join(' / ');
  throw new PreparationFailed(
    `the prepare command (${command}) ${how}${last === '' ? '' : `; it printed last: ${last}`}`,
  );
}

/** Exit code of the script; null when its time was up. */
async function ended(script: string): Promise<number | null> {
  const child = spawn('/bin/sh', ['-c', '. "$1"', 'sh', script], {
    detached: true,
    stdio: 'ignore',
    env: {},
  });
  return await new Promise<number | null>((resolve, reject) => {
    const late = setTimeout(() => {
      resolve(null);
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, LONGEST_MS);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(late);
      resolve(code ?? 128);
    });
  });
}

/** Moves a directory that the command made out of its tree. */
function take(tree: string, path: string, to: string): void {
  const made = `${tree}/${path}`;
  const isOwn =
    lstatSync(made, { throwIfNoEntry: false })?.isDirectory() === true && realpathSync(made) === made;
  if (!isOwn) throw new PreparationFailed(`the prepare command made no directory ${path}`);
  renameSync(made, to);
}

/** Without mounts the directory is reached by a link. */
function link(tree: string, { kept, path }: Kept): void {
  mkdirSync(dirname(`${tree}/${path}`), { recursive: true });
  symlinkSync(kept, `${tree}/${path}`);
}

/** Removes what dead supervisors left half made, and keys that were used longest ago. */
async function clean(root: Root, home: string, wanted: string): Promise<void> {
  const used = new Set(
    readdirSync(root.attempts).map((token) => readIfThere(`${root.attempts}/${token}/prepared`)),
  );
  const names = readdirSync(home);
  const abandoned = names.filter(
    (name) => name.startsWith('making-') && startTime(Number(name.split('-')[1])) === null,
  );
  const old = names
    .filter((name) => !name.startsWith('making-') && name !== wanted)
    .map((name) => ({ name, at: statSync(`${home}/${name}`).mtimeMs }))
    .sort((a, b) => b.at - a.at)
    .slice(KEEP - 1)
    .flatMap(({ name }) => (used.has(name) ? [] : [name]));
  for (const name of [...abandoned, ...old]) await removeTree(`${home}/${name}`);
}
