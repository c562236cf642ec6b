/**
 * Moves good specs from pending/ to the queue. What is queued is the very text that was judged: it is put there whole,
 * under its name, and only then taken out of pending/. A file that changed a moment ago, that changes while it is read,
 * or that an editor has open is left alone. A crash between two steps leaves the same text in both places, and the
 * next turn sees that. Bad specs stay, with what is wrong beside them.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../model/error.ts';
import type { ProjectConfig } from '../model/spec.ts';
import { readProject, readSpecs } from '../spec/load.ts';
import { renderProblem } from '../spec/problem.ts';
import { decideFeed, type Held, nameOf } from './decide.ts';
import {
  isOpenInEditor,
  isPendingSpec,
  PENDING,
  PLAN_MARK,
  PLAN_NAME,
  problemsName,
  specOfProblems,
} from './names.ts';
import { placeNew, placeOver } from './place.ts';

export interface FeedOptions {
  readonly home: string;
  readonly project: string;
  /** How long a file must not have changed, milliseconds. */
  readonly quietMs: number;
  /** Paths of the base, so that a misspelt one is seen; null: not known. */
  readonly basePaths?: (config: ProjectConfig) => Promise<ReadonlySet<string> | null>;
}

export interface Fed {
  readonly project: string;
  /** In the order in which they went. Paths relative to the home. */
  readonly moved: readonly { readonly id: string; readonly title: string; readonly file: string }[];
  readonly held: readonly {
    readonly file: string;
    readonly problems: readonly Problem[];
    /** Its `.problems` said something else before, or was not there. */
    readonly news: boolean;
  }[];
  /** Left alone for now: changed a moment ago, or open in an editor. */
  readonly unsettled: readonly { readonly file: string; readonly why: 'fresh' | 'open' }[];
  /** What is wrong with the project itself; then nothing was looked at. */
  readonly refused: readonly Problem[];
}

export const QUIET_MS = 500;

/**
 * Changes with every file that a turn depends on; null where nothing is pending. What a turn has found stays right for as
 * long as it is the same.
 */
export async function feedSignature(home: string, project: string): Promise<string | null> {
  const queue = join(home, 'specs', project);
  const pending = await readdir(join(queue, PENDING)).catch((): string[] => []);
  if (!pending.some((name) => isPendingSpec(name) || specOfProblems(name) !== null)) return null;
  const names = await readdir(queue).catch((): string[] => []);
  const all = [
    await stamps(home, ['executors.yaml']),
    await stamps(queue, names.sort()),
    await stamps(join(queue, PENDING), pending.sort()),
  ];
  return JSON.stringify(all.map((found) => [...found]));
}

/** One turn. */
export async function feedProject(options: FeedOptions): Promise<Fed> {
  const { home, project } = options;
  const nothing: Fed = { project, moved: [], held: [], unsettled: [], refused: [] };
  const folder = `specs/${project}/${PENDING}`;
  const names = await readdir(join(home, folder)).catch((): string[] => []);
  // Nothing of the queue is read where nothing is pending: it may have thousands of specs, and somebody looks all the time.
  const idle = !names.some((name) => isPendingSpec(name) || specOfProblems(name) !== null);
  if (idle && (await stat(join(home, 'specs', project)).catch(() => null)) !== null) return nothing;
  const read = await readProject(home, project);
  if ('problem' in read) return { ...nothing, refused: [read.problem] };
  const { config, problems } = read.configured;
  if (config === null)
    return { ...nothing, refused: problems.filter(({ severity }) => severity === 'error') };
  const { settled, unsettled } = await settledSpecs(join(home, folder), names, options.quietMs);
  const before = await stamps(join(home, folder), settled);
  const parsed = await readSpecs(
    home,
    settled.map((name) => `${folder}/${name}`),
    read,
  );
  const after = await stamps(join(home, folder), settled);
  const changing = settled.filter((name) => before.get(name) !== after.get(name));
  const pending = parsed.filter((spec) => !changing.includes(nameOf(spec)));
  const taken = new Set(await readdir(join(home, `specs/${project}`)));
  const basePaths = (await options.basePaths?.(config)) ?? null;
  const { move, held, done } = decideFeed({ queue: read.queue, pending, taken, basePaths });
  const moved: Fed['moved'][number][] = [];
  for (const one of move) {
    if (!(await placeNew(join(home, `specs/${project}`), nameOf(one), one.text))) continue;
    await takeOut(join(home, folder), nameOf(one), one.text);
    moved.push({
      id: one.spec?.id ?? '',
      title: one.spec?.title ?? '',
      file: `specs/${project}/${nameOf(one)}`,
    });
  }
  for (const one of done) await takeOut(join(home, folder), nameOf(one), one.text);
  if (moved.length + done.length > 0) await dropPlan(join(home, folder));
  const fresh = [...unsettled, ...changing.map((name) => ({ file: name, why: 'fresh' as const }))];
  return {
    ...nothing,
    moved,
    held: await sayProblems(join(home, folder), names, held, fresh.length > 0),
    unsettled: fresh.map(({ file, why }) => ({ file: `${folder}/${file}`, why })),
  };
}

async function settledSpecs(
  folder: string,
  names: readonly string[],
  quietMs: number,
): Promise<{ settled: string[]; unsettled: { file: string; why: 'fresh' | 'open' }[] }> {
  const all = new Set(names);
  const settled: string[] = [];
  const unsettled: { file: string; why: 'fresh' | 'open' }[] = [];
  for (const name of names.filter(isPendingSpec).sort()) {
    const found = await stat(join(folder, name)).catch(() => null);
    // A pipe would never end, and what has gone is nobody's.
    if (found === null || !found.isFile()) continue;
    if (isOpenInEditor(name, all)) unsettled.push({ file: name, why: 'open' });
    // A clock that was set may put the change into the future.
    else if (Math.abs(Date.now() - found.mtimeMs) < quietMs) unsettled.push({ file: name, why: 'fresh' });
    else settled.push(name);
  }
  return { settled, unsettled };
}

async function stamps(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const pairs = names.map(async (name): Promise<[string, string]> => {
    const found = await stat(join(folder, name)).catch(() => null);
    return [name, found === null ? 'gone' : `${found.ino} ${found.size} ${found.mtimeMs}`];
  });
  return new Map(await Promise.all(pairs));
}

/** Removes a pending file whose text is in the queue, unless somebody has changed it since; then it is a new one. */
async function takeOut(folder: string, name: string, text: string): Promise<void> {
  const now = await readFile(join(folder, name), 'utf8').catch(() => null);
  if (now !== null && now.replace(/^\uFEFF/, '') === text) await rm(join(folder, name), { force: true });
}

/** The plan that a split left is about what was pending. */
async function dropPlan(folder: string): Promise<void> {
  if ((await readdir(folder)).some(isPendingSpec)) return;
  const text = await readFile(join(folder, PLAN_NAME), 'utf8').catch(() => '');
  if (text.startsWith(PLAN_MARK)) await rm(join(folder, PLAN_NAME), { force: true });
}

/** Writes what is wrong beside each spec that stays, and removes what was said of those that are mended or gone. */
async function sayProblems(
  folder: string,
  names: readonly string[],
  held: readonly Held[],
  incomplete: boolean,
): Promise<Fed['held']> {
  const told: Fed['held'][number][] = [];
  const kept = new Set<string>();
  for (const { spec, problems } of held) {
    const name = nameOf(spec);
    // While somebody writes, what a spec depends on may be just that: it is no problem yet.
    const early = incomplete && problems.every(({ code }) => code === 'E_SPEC_UNKNOWN_DEPENDENCY');
    if (early) continue;
    kept.add(problemsName(name));
    const text = problemsText(name, spec.text, problems);
    const before = await readFile(join(folder, problemsName(name)), 'utf8').catch(() => null);
    if (before !== text) await placeOver(folder, problemsName(name), text);
    told.push({ file: spec.file, problems, news: before !== text });
  }
  for (const name of names) {
    const about = specOfProblems(name);
    if (about === null || kept.has(name)) continue;
    // A spec that somebody is mending keeps what was said of it until it can be read again.
    const readable = held.some(({ spec }) => nameOf(spec) === about);
    const there = await stat(join(folder, about)).catch(() => null);
    if (there !== null && incomplete && !readable) continue;
    await rm(join(folder, name), { force: true });
  }
  return told;
}

function problemsText(name: string, source: string, problems: readonly Problem[]): string {
  const parts = problems.map((problem) => `${renderProblem(problem, source)}\n`);
  return `${name} stays in pending/ until this is mended; this file then goes by itself.\n\n${parts.join('\n')}`;
}
