/**
 * What a green gate proves, and for how long. A gate's word holds for three things together: the tree, the command, and
 * the environment that the command ran in. Whatever has the same three is not gated again, also after a crash, also
 * when it is another branch that gives the same tree; a change of any of them asks anew.
 *
 * The environment is what `project.yaml` says about how the command is run and how its end is read, as far as that can
 * turn a verdict: the sandbox or its absence, network, places that may be read, limits, the prepare command with what it
 * is keyed by and what it makes, and the least number of tests. The lockfiles' content that keys `prepare` is part of
 * the tree. Not in it, on purpose:
 *
 * - the time limit: one that is too short gives a broken gate, which proves nothing and is not kept;
 * - which node ran it: gates go to whichever node has room, so the queue takes one node's word for all of them, and a
 *   verdict that is good enough to land is good enough to be remembered.
 *
 * The key is a hash of the settings' meaning, not of the file: it is the same after every start of the controller, and
 * neither comments nor the order of lists change it.
 */
import { createHash } from 'node:crypto';
import type { ProjectConfig, TaskSpec } from './spec.ts';
import type { State } from './state.ts';
import { type Control, isFinal, type Project, type Task, undoOf } from './task.ts';

/** What a gate's word rests on besides the tree. */
export interface Basis {
  readonly verify: string;
  /** As `environmentOf` gives it. */
  readonly environment: string;
}

/** Written into the key: another way to run or to read a command makes every earlier verdict void. */
const VERSION = 1;

/** The environment of the project's verify commands as its settings are now, 16 hex digits. */
export function environmentOf(config: Pick<ProjectConfig, 'sandbox' | 'gates'>): string {
  const known = kept.get(config);
  if (known !== undefined) return known;
  const { trusted, network, readOnly, limits, prepare } = config.sandbox;
  const { memory, processes, fileSize } = limits;
  const environment = digest([
    VERSION,
    trusted,
    network,
    readOnly.toSorted(),
    [memory, processes, fileSize],
    prepare === null ? null : [prepare.command, prepare.keyedBy.toSorted(), prepare.paths.toSorted()],
    config.gates.minTests,
  ]);
  kept.set(config, environment);
  return environment;
}

/** A configuration is replaced, never changed, so its answer may be kept with it. */
const kept = new WeakMap<object, string>();

/** The command that proves the task: its own, or the project's; empty where there is none. */
export function verifyOf(spec: TaskSpec, config: ProjectConfig): string {
  return spec.verify ?? config.verify ?? '';
}

/**
 * The commands that prove a tree with the task merged: its own. A task that is taken out cannot prove the tree without it:
 * there it is the project's command, and where the project has none, each of those of all that stays.
 */
export function commandsFor({ spec, progress }: Task, { config }: Project, tasks: Iterable<Task>): string[] {
  if (undoOf(progress) === undefined) return [verifyOf(spec, config)];
  if (config.verify !== null) return [config.verify];
  const commands = new Set<string>();
  for (const other of tasks) {
    if (other.spec.project === spec.project && other.progress.at === 'merged' && other.spec.verify !== null)
      commands.add(other.spec.verify);
  }
  return commands.size > 0 ? [...commands] : [verifyOf(spec, config)];
}

/** The commands of every task of the project that is not over, and while there is one its own, which judges what is delivered, and those of its areas. */
export function commandsInUse({ tasks }: State, { name, config }: Project): string[] {
  const commands = new Set<string>();
  for (const { spec, progress } of tasks.values()) {
    if (spec.project === name && !isFinal(progress)) commands.add(verifyOf(spec, config));
  }
  if (commands.size > 0) {
    if (config.verify !== null) commands.add(config.verify);
    for (const { verify } of config.areas ?? []) commands.add(verify);
  }
  return [...commands];
}

/** The newest word on the command on a broken copy, in the environment that the project has now. */
export function lastControl({ config, controls }: Project, verify: string): Control | undefined {
  const environment = environmentOf(config);
  return controls.findLast((one) => one.verify === verify && one.environment === environment);
}

/** Under what a green gate is remembered. */
export function evidenceKey(tree: string, { verify, environment }: Basis): string {
  const basis = `${environment} ${verify}`;
  const known = bases.get(basis) ?? digest([verify, environment]);
  if (bases.size >= MOST_BASES) bases.clear();
  bases.set(basis, known);
  return `${tree} ${known}`;
}

/** Asked for several times a turn, and commands are few: what was hashed lately. */
const bases = new Map<string, string>();
const MOST_BASES = 1000;

/** True when a gate found this tree green with this command, in the environment that the project has now. */
export function isProved(project: Project, tree: string, verify: string): boolean {
  const environment = environmentOf(project.config);
  return project.green.includes(evidenceKey(tree, { verify, environment }));
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
