/**
 * Every gate on one branch, as the queue would run them: the gates that need no command on what the branch changed, then
 * the branch merged onto integration and `verify` on that, on a node, with the whole output; where the project has areas,
 * the commands of those that it touches on what they see. Nothing is changed by it:
 * the merge is made beside the hub, and the run is in nobody's books (see by-hand/gate-node.ts).
 */
import { StringDecoder } from 'node:string_decoder';
import { gateRules } from '../../gates/rules.ts';
import { judge } from '../../gates/judge.ts';
import { shrinkage } from '../../gates/test-count/shrinkage.ts';
import { candidateRef } from '../../git/refs.ts';
import { openScratchHub, type ScratchHub } from '../../git/scratch-hub.ts';
import type { Attempt, Outcome } from '../../model/attempt.ts';
import type { Conflict } from '../../model/conflict.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT } from '../../model/exit.ts';
import type { CommitId } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import type { Project, Task } from '../../model/task.ts';
import { gateNodes, withGateNode } from '../by-hand/gate-node.ts';
import { hubOf } from '../by-hand/hub-of.ts';
import { judgedOfMerge } from '../by-hand/judged.ts';
import {
  detailOf,
  type GateRow,
  pureRows,
  testsOf,
  type Verdict,
  verifyRow,
  worst,
} from '../by-hand/verdict.ts';
import type { Context } from '../context.ts';
import { selectNode } from '../nodes-file.ts';
import { wholeNumber } from '../numbers.ts';
import { exitOfSignal, interruption } from '../progress/interrupt.ts';
import { SafeText, safeLine } from '../render/safe-text.ts';
import { selectAttempt, selectTask } from '../select.ts';
import { type HomeView, withView } from '../view.ts';

export interface GateOptions {
  readonly attempt?: string;
  readonly ref?: string;
  readonly node?: string;
}

interface Candidate {
  readonly head: CommitId;
  /** What the branch began from. */
  readonly base: CommitId;
  /** It deletes tests that its spec lists literally. */
  readonly dropsTests: boolean;
}

interface Result {
  readonly rows: readonly GateRow[];
  readonly conflicts: readonly Conflict[];
  /** Everything that `verify` printed, up to 16 MiB. */
  readonly output: string;
}

/** Exit code of each verdict. */
export const EXIT_OF: Readonly<Record<Verdict, number>> = {
  green: EXIT.ok,
  approval: EXIT.ok,
  flaky: EXIT.ok,
  red: EXIT.unfinished,
  broken: EXIT.broken,
  cancelled: EXIT.broken,
};

export async function gate(context: Context, typed: string, options: GateOptions): Promise<number> {
  return withView(context, async (view) => {
    const task = selectTask(view.state, typed);
    const { project, dir } = hubOf(view, task.spec.project);
    const hub = await openScratchHub(dir);
    const stop = interruption();
    const abort = new AbortController();
    void stop.asked.then(() => abort.abort());
    try {
      const candidate = await candidateOf(view.state, hub, project, task, options);
      const result = await gateAll(context, view, { hub, project, task, candidate }, options, abort.signal);
      show(context, task, hub, candidate, result);
      if (abort.signal.aborted) return exitOfSignal(await stop.asked);
      if (result.conflicts.length > 0) return EXIT.conflict;
      return EXIT_OF[worst(result.rows.map(({ verdict }) => verdict))];
    } finally {
      stop.forget();
      await hub.remove();
    }
  });
}

async function candidateOf(
  state: State,
  hub: ScratchHub,
  { config }: Project,
  task: Task,
  { ref, attempt }: GateOptions,
): Promise<Candidate> {
  if (ref !== undefined && attempt !== undefined) {
    throw new DispatchError('E_USAGE', 'say either --ref or --attempt', { fix: `dispatch gate ${task.key}` });
  }
  if (ref === undefined) return await attemptsBranch(state, hub, task, wholeNumber('--attempt', attempt));
  const head = (await hub.resolve(ref)) ?? (await hub.fetchBranch(config.repo ?? '', ref));
  if (head === null) {
    throw new DispatchError('E_NOT_FOUND', `no commit or branch ${JSON.stringify(ref)}`, {
      where: config.repo ?? '',
      fix: `git push <your repository> HEAD:refs/heads/${ref}   then again`,
    });
  }
  const base = await hub.baseOf(head);
  if (base === null) throw new DispatchError('E_MERGE_UNSOUND', `${ref} shares no history with integration`);
  return { head, base, dropsTests: false };
}

/** What an attempt made, as the hub has it. */
async function attemptsBranch(
  state: State,
  hub: ScratchHub,
  task: Task,
  n: number | null,
): Promise<Candidate> {
  const attempt = n === null ? newestWithWork(state, task) : selectAttempt(state, task, n);
  const { token, base, phase } = attempt;
  const head = await hub.resolve(candidateRef(token));
  if (head === null || base === null) {
    throw new DispatchError('E_NO_ATTEMPT', `attempt ${attempt.n} of ${task.key} has no branch in the hub`, {
      why: `it is ${phase.is === 'ended' ? phase.outcome.kind : phase.is}`,
      fix: `dispatch logs ${task.key} --attempt ${attempt.n}   or   dispatch gate ${task.key} --ref <branch>`,
    });
  }
  return { head, base, dropsTests: phase.is === 'ended' && phase.dropsTests === true };
}

function newestWithWork(state: State, task: Task): Attempt {
  const made = [...state.attempts.values()].findLast(
    ({ task: key, work, phase }) =>
      key === task.key &&
      work.kind === 'work' &&
      phase.is === 'ended' &&
      'head' in phase.outcome &&
      phase.outcome.head !== null,
  );
  return made ?? selectAttempt(state, task, null);
}

async function gateAll(
  context: Context,
  view: HomeView,
  look: { hub: ScratchHub; project: Project; task: Task; candidate: Candidate },
  { node }: GateOptions,
  signal: AbortSignal,
): Promise<Result> {
  const { hub, project, task, candidate } = look;
  const { config } = project;
  const verify = task.spec.verify ?? config.verify;
  if (verify === null) throw new DispatchError('E_INTERNAL', `${task.key} has no verify command`);
  const facts = await hub.facts(candidate.base, candidate.head, verify);
  const rows = pureRows(judge(facts, gateRules(task.spec, config)));
  const merged = await hub.merge(candidate.head);
  if (!merged.clean) return { rows, conflicts: merged.conflicts, output: '' };
  if ((await hub.baseOf(candidate.head)) === candidate.head)
    context.output.note('its branch is in integration already: verify judges integration as it is');
  const nodes = node === undefined ? gateNodes(view.nodes, view.state) : [await selectNode(view.home, node)];
  const output: Buffer[] = [];
  const write = writer(context);
  const judged = await judgedOfMerge(hub, config, task.spec, verify, { ...candidate, merged });
  await withGateNode(nodes, config, async (gates) => {
    for (const one of judged) {
      const place = `on ${gates.name}, merged onto ${short(hub.integration)}`;
      const sees = one.area === null ? '' : `, as area ${one.area} sees it`;
      context.output.note(`${task.key}: ${one.verify}   ${place}${sees}`);
      const wanted = { config, task: task.spec.id, commit: one.commit, verify: one.verify };
      const take = (bytes: Buffer): void => {
        output.push(bytes);
        write(bytes);
      };
      const outcome = await gates.run(hub, wanted, take, signal);
      const area = one.area === null ? {} : { area: one.area };
      const said = [verifyRow(outcome), ...testRows(project, one.verify, candidate, outcome)];
      rows.push(...said.map((row) => ({ ...row, ...area })));
    }
  });
  return { rows, conflicts: [], output: Buffer.concat(output).toString('utf8') };
}

/** Fewer tests than integration runs are a refusal, unless the branch is meant to delete some. */
function testRows(
  { tests }: Project,
  verify: string,
  { dropsTests }: Candidate,
  outcome: Outcome,
): GateRow[] {
  const now = testsOf(outcome);
  const before = tests.find((one) => one.verify === verify);
  if (now === null || before === undefined || dropsTests) return [];
  const finding = shrinkage(before, now);
  return [
    {
      gate: 'tests',
      verdict: finding === null ? 'green' : 'red',
      findings: finding === null ? [] : [finding],
    },
  ];
}

/** What `verify` prints is an agent's work, and hostile to a terminal. */
function writer({ output }: Context): (bytes: Buffer) => void {
  if (output.format === 'json' || output.format === 'name') return () => {};
  const decoder = new StringDecoder('utf8');
  const safe = new SafeText();
  let rest = '';
  return (bytes) => {
    const text = safe.push(decoder.write(bytes));
    if (output.format !== 'ndjson') return output.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) output.event('Output', { line });
  };
}

function show(
  { output }: Context,
  task: Task,
  hub: ScratchHub,
  { head, base }: Candidate,
  { rows, conflicts, output: printed }: Result,
): void {
  const verdict = conflicts.length > 0 ? 'conflict' : worst(rows.map((row) => row.verdict));
  const data = { task: task.key, verdict, head, base, onto: hub.integration, gates: rows, conflicts };
  if (output.format === 'json') return output.envelope('GateResult', { ...data, output: printed });
  if (output.format === 'ndjson') return output.event('GateResult', data);
  if (output.format === 'name') return output.line(verdict);
  if (printed !== '' && !printed.endsWith('\n')) output.line('');
  output.write(
    output.table<GateRow>({
      rows,
      columns: [
        { title: 'gate', value: ({ gate: name, area }) => (area === undefined ? name : `${name} ${area}`) },
        { title: 'verdict', value: (row) => row.verdict, paint: (paint, row) => paint[COLOUR[row.verdict]] },
        { title: 'detail', value: (row) => safeLine(detailOf(row)) },
      ],
    }),
  );
  for (const { path, tasks } of conflicts) {
    const others = tasks.length > 0 ? tasks.join(', ') : 'somebody else';
    output.line(safeLine(`409 conflict with integration: ${path}, changed there by ${others}`));
  }
  output.line(`${task.key} ${short(head)} is ${verdict}`);
}

export const COLOUR = {
  green: 'green',
  approval: 'yellow',
  flaky: 'yellow',
  red: 'red',
  broken: 'yellow',
  cancelled: 'dim',
} as const satisfies Record<Verdict, string>;

function short(commit: CommitId): string {
  return commit.slice(0, 10);
}
