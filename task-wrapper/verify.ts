/** The verify command of an attempt, work's or gate's, from a clean checkout to a step that runs in the sandbox. */
import { stripControls } from '../src/gates/shorten.ts';
import type { Finding } from '../src/model/attempt.ts';
import type { SandboxRules } from '../src/model/sandbox.ts';
import { type Desk, launch } from './desk.ts';
import { readEnds } from './ends.ts';
import { baseEnvironment } from './environment.ts';
import { type Kept, PreparationFailed, prepare } from './prepare.ts';
import { inTheWay } from './prepare-place.ts';
import type { Recorded } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { caged, unbuilt } from './sandbox.ts';
import { removeGroup } from './sandbox-group.ts';
import { NoSandbox } from './sandbox-probe.ts';
import { writeStep } from './step.ts';

/** Bytes of the output that bwrap's own last words are looked for in. */
const OUTPUT_BYTES = 16 * 1024;

export interface Verify {
  readonly step: string;
  /** Shell command. */
  readonly command: string;
  readonly rules: SandboxRules;
  /** The clean checkout, or the directory of a task without a repository. */
  readonly tree: string;
  readonly round: number | null;
  /** File that its output is appended to. */
  readonly output: string;
}

/**
 * Prepares what the project has prepared, and starts the step. Nothing is started when the attempt was interrupted.
 * @returns what in the commit makes it impossible, or null.
 * @throws NoSandbox, PreparationFailed
 */
export async function launchVerify(desk: Desk, order: Recorded, verify: Verify): Promise<Finding | null> {
  const { rules, step, tree } = verify;
  const dir = attemptDir(desk.root, order.token);
  let prepared: readonly Kept[] = [];
  if (rules.prepare !== null && hasRepository(order)) {
    const finding = inTheWay(tree, rules.prepare.paths);
    if (finding !== null) return finding;
    const kept = await prepare(desk, order, { rules, preparation: rules.prepare, tree, log: verify.output });
    if (kept === null) return null;
    prepared = kept;
  }
  const command = await caged(desk.root, {
    command: verify.command,
    rules,
    env: {
      ...baseEnvironment(''),
      DISPATCH_PROJECT: order.project,
      DISPATCH_TASK: order.task,
      DISPATCH_TASK_ID: order.task,
      DISPATCH_TOKEN: order.token,
      ...(verify.round === null ? {} : { DISPATCH_ROUND: String(verify.round) }),
    },
    tree,
    place: `${dir}/gate`,
    name: groupOf(order, step),
    prepared,
  });
  writeStep(`${dir}/${step}`, { ...command, stdin: null, output: verify.output });
  if (desk.interrupt() === null) await launch(desk, order, step);
  return null;
}

/** Gives back what the step's sandbox held outside of files. Harmless when it is asked twice. */
export function endVerify(order: Recorded, step: string): void {
  removeGroup(groupOf(order, step));
}

/** Why a step that ended by itself says nothing about the work: its sandbox could not be built. null: it ran. */
export function neverRan(root: Root, order: Recorded, log: string): string | null {
  if (!unbuilt(`${attemptDir(root, order.token)}/gate`)) return null;
  const said = stripControls(readEnds(log, 0, OUTPUT_BYTES))
    .trim()
    .split('\n')
    .at(-1);
  return `the sandbox of the verify command could not be built: ${said}`;
}

/** A checkout that fails has nothing to do with the work in it: what is wrong with that is a finding. */
export function isOfNode(error: unknown): boolean {
  return !(error instanceof NoSandbox || error instanceof PreparationFailed);
}

/** Why a verify command could not be started, for a person. */
export function reasonOf(error: unknown): string {
  if (error instanceof NoSandbox || error instanceof PreparationFailed) return error.message;
  return `no clean checkout could be made: ${error instanceof Error ? error.message : String(error)}`;
}

function hasRepository({ work }: Recorded): boolean {
  return work.kind === 'gate' || work.tree !== null;
}

function groupOf(order: Recorded, step: string): string {
  return `${order.token}_${step}`;
}
