/**
 * `verify` again on commits of integration. A tree is run once for each command, whatever number of commits have it; a
 * red run is repeated on the same commit before it counts, and one that is green then is a flake.
 */
import pLimit from 'p-limit';
import type { ScratchHub } from '../../git/scratch-hub.ts';
import type { LandedMerge } from '../../git/trailers.ts';
import type { CommitId, TaskId } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { Project } from '../../model/task.ts';
import { type GateNode, withGateNode } from './gate-node.ts';
import { type Judged, judgedOfAreas } from './judged.ts';
import { type GateRow, verifyRow } from './verdict.ts';

/** A commit of integration, and what each command says of it. */
export interface Step {
  readonly commit: CommitId;
  /** Tasks that it brought in, or took out. */
  readonly brought: readonly TaskId[];
  readonly runs: readonly Run[];
}

export interface Run extends GateRow {
  readonly command: string;
  /** Tasks in this commit that the command proves. */
  readonly tasks: readonly TaskId[];
}

export interface Again {
  readonly hub: ScratchHub;
  /** Tried in this order. */
  readonly nodes: readonly NodeConfig[];
  readonly project: Project;
  /** The command that proves each task. */
  readonly verifies: ReadonlyMap<TaskId, string>;
  /** Every commit that landed; else the tip alone. */
  readonly each: boolean;
  /** In the order of the commits. */
  readonly onStep: (step: Step) => void;
  readonly signal: AbortSignal;
}

/** The steps, oldest first; the last is the tip. @throws DispatchError E_NO_NODE_REACHED. */
export async function againOnWhatLanded(again: Again): Promise<Step[]> {
  const { hub, nodes, project, each, onStep } = again;
  const wanted = wantedSteps(again, await hub.landed());
  return withGateNode(nodes, project.config, async (node) => {
    const runner = new Runner(again, node);
    const looked = await withTrees(again, each ? wanted : wanted.slice(-1));
    const running = looked.map(async ({ commit, tree, brought, commands, areas }) => {
      const whole = [...commands].map(async ([command, tasks]): Promise<Run> => {
        const row = await runner.run({ commit, tree }, command, tasks[0]);
        return { ...row, command, tasks };
      });
      const seen = areas.map(async ({ area, verify: command, ...judged }): Promise<Run> => {
        const row = await runner.run(judged, command, undefined);
        return { ...row, command, tasks: [], ...(area === null ? {} : { area }) };
      });
      return { commit, brought, runs: await Promise.all([...whole, ...seen]) };
    });
    // What fails behind the one that is waited for is told when its turn comes.
    const all = Promise.allSettled(running);
    const steps: Step[] = [];
    try {
      for (const one of running) {
        const step = await one;
        onStep(step);
        steps.push(step);
      }
    } finally {
      await all;
    }
    return steps;
  });
}

interface WantedStep {
  readonly commit: CommitId;
  readonly brought: readonly TaskId[];
  /** Each command with the tasks that it proves. */
  readonly commands: ReadonlyMap<string, readonly TaskId[]>;
}

/** One for each commit that landed, with the commands of all that is in it; and one for the tip, if that is another. */
function wantedSteps({ hub, project, verifies }: Again, oldestFirst: readonly LandedMerge[]): WantedStep[] {
  const inside = new Set<TaskId>();
  const steps: WantedStep[] = [];
  for (const [at, { commit, task, undoes }] of oldestFirst.entries()) {
    if (undoes) inside.delete(task);
    else inside.add(task);
    if (oldestFirst[at + 1]?.commit === commit) continue;
    const brought = oldestFirst.filter((one) => one.commit === commit).map((one) => one.task);
    steps.push({ commit, brought, commands: commandsOf(inside, verifies, project) });
  }
  if (steps.at(-1)?.commit !== hub.integration) {
    steps.push({ commit: hub.integration, brought: [], commands: commandsOf(inside, verifies, project) });
  }
  return steps;
}

/** One after the other: each is a run of git. */
async function withTrees(
  { hub, project: { config } }: Again,
  steps: readonly WantedStep[],
): Promise<LookedStep[]> {
  const { areas: all = [] } = config;
  const found: LookedStep[] = [];
  for (const step of steps) {
    const areas = await judgedOfAreas(hub, all, all, step.commit);
    found.push({ ...step, tree: await hub.treeOf(step.commit), areas });
  }
  return found;
}

interface LookedStep extends WantedStep {
  readonly tree: string;
  /** What each area's command judges. */
  readonly areas: readonly Judged[];
}

function commandsOf(
  inside: ReadonlySet<TaskId>,
  verifies: ReadonlyMap<TaskId, string>,
  { config }: Project,
): ReadonlyMap<string, readonly TaskId[]> {
  const commands = new Map<string, TaskId[]>(config.verify === null ? [] : [[config.verify, []]]);
  for (const task of inside) {
    const command = verifies.get(task);
    if (command === undefined) continue;
    const known = commands.get(command);
    if (known === undefined) commands.set(command, [task]);
    else known.push(task);
  }
  return commands;
}

class Runner {
  readonly #again: Again;
  readonly #node: GateNode;
  readonly #limit: ReturnType<typeof pLimit>;
  /** By command and tree. */
  readonly #known = new Map<string, Promise<GateRow>>();

  constructor(again: Again, node: GateNode) {
    this.#again = again;
    this.#node = node;
    this.#limit = pLimit(node.slots);
  }

  run(
    { commit, tree }: { readonly commit: CommitId; readonly tree: string },
    command: string,
    task: TaskId | undefined,
  ): Promise<GateRow> {
    const key = `${tree} ${command}`;
    const known = this.#known.get(key) ?? this.#limit(() => this.#twiceIfRed(commit, command, task));
    this.#known.set(key, known);
    return known;
  }

  async #twiceIfRed(commit: CommitId, command: string, task: TaskId | undefined): Promise<GateRow> {
    const first = await this.#once(commit, command, task);
    if (first.verdict !== 'red') return first;
    const second = await this.#once(commit, command, task);
    return second.verdict === 'green' ? { ...first, verdict: 'flaky' } : second;
  }

  async #once(commit: CommitId, verify: string, task: TaskId | undefined): Promise<GateRow> {
    const { hub, project, signal } = this.#again;
    if (signal.aborted) return { gate: 'verify', verdict: 'cancelled', findings: [] };
    const wanted = { config: project.config, task: task ?? ('verify' as TaskId), commit, verify };
    return verifyRow(await this.#node.run(hub, wanted, () => {}, signal));
  }
}
