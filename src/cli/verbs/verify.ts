/**
 * Every gate again on what has merged: those that need no command on what each task brought in, `verify` on the tip of
 * integration, and with `--each` on every commit that landed, oldest first, so that the one that turned it red has a
 * name. On a node, by the queue's own path and beside the controller (see by-hand/gate-node.ts). Changes nothing.
 */
import { DispatchError } from '../../model/error.ts';
import type { CommitId, ProjectName, TaskId } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import type { Project } from '../../model/task.ts';
import { openScratchHub } from '../../git/scratch-hub.ts';
import { againOnWhatLanded, type Step } from '../by-hand/again.ts';
import { gateNodes } from '../by-hand/gate-node.ts';
import { hubOf } from '../by-hand/hub-of.ts';
import { detailOf, type GateRow, PURE_GATES, type Verdict, worst } from '../by-hand/verdict.ts';
import { judgeMerged, type TaskRows } from '../by-hand/merged.ts';
import type { Context } from '../context.ts';
import { selectNode } from '../nodes-file.ts';
import { exitOfSignal, interruption } from '../progress/interrupt.ts';
import { safeLine } from '../render/safe-text.ts';
import { withView } from '../view.ts';
import { COLOUR, EXIT_OF } from './gate.ts';

export interface VerifyOptions {
  readonly each?: boolean;
  readonly node?: string;
}

export interface VerifyResult {
  readonly project: ProjectName;
  readonly verdict: Verdict;
  /** Tip of integration. */
  readonly commit: CommitId;
  readonly tasks: readonly TaskRows[];
  /** What `verify` said, oldest commit first; the tip is the last. */
  readonly steps: readonly Step[];
  /** The first commit on which it is red, and what that brought; null when none is, or not every one was looked at. */
  readonly turnedRed: { readonly commit: CommitId; readonly brought: readonly TaskId[] } | null;
}

export async function verify(context: Context, typed: string, options: VerifyOptions): Promise<number> {
  const { result, exit } = await verifyMerged(context, typed, options);
  showVerified(context, result, options.each === true);
  return exit;
}

/** Runs them, and says what each commit showed as it comes. */
export async function verifyMerged(
  context: Context,
  typed: string,
  options: VerifyOptions,
): Promise<{ readonly result: VerifyResult; readonly exit: number }> {
  return withView(context, async (view) => {
    const { project, dir } = hubOf(view, typed);
    const hub = await openScratchHub(dir);
    const stop = interruption();
    const abort = new AbortController();
    void stop.asked.then(() => abort.abort());
    try {
      const tasks = await judgeMerged(hub, view.state, project);
      const { node } = options;
      const nodes =
        node === undefined ? gateNodes(view.nodes, view.state) : [await selectNode(view.home, node)];
      const steps = await againOnWhatLanded({
        hub,
        nodes,
        project,
        verifies: verifiesOf(view.state, project),
        each: options.each === true,
        onStep: (step) => context.output.note(safeLine(stepLine(step))),
        signal: abort.signal,
      });
      const result = resultOf(project, hub.integration, tasks, steps, options.each === true);
      const exit = abort.signal.aborted ? exitOfSignal(await stop.asked) : EXIT_OF[result.verdict];
      return { result, exit };
    } finally {
      stop.forget();
      await hub.remove();
    }
  });
}

/** The command that proves each task. */
function verifiesOf(state: State, { name, config }: Project): ReadonlyMap<TaskId, string> {
  const verifies = new Map<TaskId, string>();
  for (const { spec } of state.tasks.values()) {
    const command = spec.verify ?? config.verify;
    if (spec.project === name && command !== null) verifies.set(spec.id, command);
  }
  if (verifies.size === 0 && config.verify === null && config.areas === undefined) {
    throw new DispatchError('E_WRONG_STATE', `${name} has no verify command`, {
      fix: `dispatch validate ${name}`,
    });
  }
  return verifies;
}

function resultOf(
  { name }: Project,
  commit: CommitId,
  tasks: readonly TaskRows[],
  steps: readonly Step[],
  each: boolean,
): VerifyResult {
  const red = steps.find((step) => stepVerdict(step) === 'red');
  const said = [
    ...tasks.flatMap(({ gates }) => gates.map(({ verdict }) => verdict)),
    ...steps.map(stepVerdict),
  ];
  const first = each && red !== undefined ? { commit: red.commit, brought: red.brought } : null;
  return { project: name, verdict: worst(said), commit, tasks, steps, turnedRed: first };
}

function stepVerdict({ runs }: Step): Verdict {
  return worst(runs.map(({ verdict }) => verdict));
}

export function showVerified({ output }: Context, result: VerifyResult, each: boolean): void {
  if (output.format === 'json') return output.envelope('VerifyResult', result);
  if (output.format === 'ndjson') return output.event('VerifyResult', result);
  if (output.format === 'name') return output.line(result.verdict);
  const { tasks, steps, turnedRed, verdict, commit, project } = result;
  const tip = steps.at(-1);
  const verdictOf = ({ task, gates }: TaskRows, gate: string): Verdict =>
    gate === 'verify'
      ? worst(tip?.runs.filter(({ tasks: of }) => of.includes(task)).map((run) => run.verdict) ?? [])
      : (gates.find((row) => row.gate === gate)?.verdict ?? 'green');
  output.write(
    output.table<TaskRows>({
      rows: tasks,
      columns: [
        { title: 'task', value: ({ task }) => task },
        ...[...PURE_GATES, 'verify'].map((gate) => ({
          title: gate,
          value: (row: TaskRows) => verdictOf(row, gate),
          paint: (paint: Context['output']['paint'], row: TaskRows) => paint[COLOUR[verdictOf(row, gate)]],
        })),
        { title: 'landed', value: ({ commit: merge }) => merge.slice(0, 10) },
      ],
    }),
  );
  for (const line of wrongLines(tasks, steps)) output.line(safeLine(line));
  if (turnedRed !== null) {
    const brought = turnedRed.brought.length > 0 ? `, which brought ${turnedRed.brought.join(', ')}` : '';
    output.line(`it turned red at ${turnedRed.commit.slice(0, 10)}${brought}`);
  } else if (verdict === 'red' && !each && tip !== undefined && stepVerdict(tip) === 'red') {
    output.note(`dispatch verify ${project} --each   names the commit at which it turned red`);
  }
  const looked = each ? `${steps.length} commits` : commit.slice(0, 10);
  output.line(
    `${project}: ${output.paint[COLOUR[verdict]](verdict)} on ${looked}, ${tasks.length} merged tasks`,
  );
}

/** What is not green, with its reason. */
function wrongLines(tasks: readonly TaskRows[], steps: readonly Step[]): string[] {
  const notGreen = (row: GateRow): boolean => row.verdict !== 'green';
  return [
    ...tasks.flatMap(({ task, gates }) =>
      gates.filter(notGreen).map((row) => `${row.verdict}  ${task} ${row.gate}: ${detailOf(row)}`),
    ),
    ...steps.flatMap((step) => (stepVerdict(step) === 'green' ? [] : stepLine(step))),
  ];
}

function stepLine({ commit, brought, runs }: Step): string {
  const said = runs.map((run) => {
    const detail = detailOf(run);
    const sees = run.area === undefined ? '' : `area ${run.area}: `;
    return `${run.verdict} ${sees}${run.command.replaceAll('\n', ' ')}${detail === '' ? '' : ` (${detail})`}`;
  });
  return `verify on ${commit.slice(0, 10)}${brought.length > 0 ? ` (${brought.join(', ')})` : ''}: ${said.join('; ')}`;
}
