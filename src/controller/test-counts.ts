/**
 * A merged tree may not be tested less than integration is. The counts of integration's tip, for each verify command,
 * are those of the gate whose tree landed there last; a gate that counts fewer, or more skipped ones, is red although
 * its command passed. One that counts none at all where there were some is broken: its runner did not report, or did not
 * run, and that is nobody's fault. Only a branch that deletes tests which its spec lists literally may lower them, or the
 * revert of one that brought tests in.
 *
 * What gates counted on trees that have not landed yet is memory: lost with the controller, integration then keeps the
 * counts it had, which are too low at worst.
 */
import { shrinkage } from '../gates/test-count/shrinkage.ts';
import type { Attempt, Outcome, TestCounts } from '../model/attempt.ts';
import type { CommitId, TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Progress, Project, TestBaseline } from '../model/task.ts';
import type { Turn } from './turn.ts';

/** Trees whose counts are remembered until they land. */
const KEPT = 1000;

/** What a gate's end is worth after its tests were compared with integration's: itself, or a refusal. */
export function comparedOutcome(turn: Turn, attempt: Attempt, outcome: Outcome): Outcome {
  const { work } = attempt;
  if (work.kind !== 'gate' || work.subject.of === 'control' || outcome.kind !== 'done') return outcome;
  const { state, memory } = turn;
  const { subject } = work;
  const { tree, verify } = subject;
  const before = projectOf(state, attempt.task)?.tests.find((one) => one.verify === verify);
  const compared = subject.of === 'merge' && !stackDropsTests(state, attempt.task) ? before : undefined;
  const { tests } = outcome;
  if (tests === undefined) return compared === undefined ? outcome : uncounted(compared);
  const finding = compared === undefined ? null : shrinkage(compared, tests);
  if (finding !== null) {
    return { kind: 'refused', findings: [finding], output: '', head: null, rounds: 1, usage: null };
  }
  const others = (memory.testCounts.get(tree) ?? []).filter((one) => one.verify !== verify);
  memory.testCounts.delete(tree);
  memory.testCounts.set(tree, [...others, { verify, ...tests }]);
  for (const oldest of memory.testCounts.keys()) {
    if (memory.testCounts.size <= KEPT) break;
    memory.testCounts.delete(oldest);
  }
  return outcome;
}

function uncounted({ ran }: TestCounts): Outcome {
  const message = `the verify command reported no tests, where ${ran} ran before it`;
  return { kind: 'failed', cause: 'gate', message, exitCode: 0, rounds: 1, usage: null };
}

/** A tree is about to land whose parts were counted one by one, each on what an area sees of it. */
export function gatherCounts({ memory }: Turn, tree: string, parts: readonly string[]): void {
  const counts = new Map<string, TestBaseline>();
  for (const part of [...parts, tree]) {
    for (const one of memory.testCounts.get(part) ?? []) counts.set(one.verify, one);
  }
  if (counts.size > 0) memory.testCounts.set(tree, [...counts.values()]);
}

/** What was counted on a tree that lands now, as a part of the fact that says so. */
export function countsOf(turn: Turn, tree: string): { tests?: readonly TestBaseline[] } {
  const tests = turn.memory.testCounts.get(tree);
  return tests === undefined ? {} : { tests };
}

/** One of the branches that the merged tree brings in may lower the counts: the one it is named for, or one below it. */
function stackDropsTests(state: State, top: TaskKey): boolean {
  const prefix = top.slice(0, top.indexOf('/') + 1);
  const byCommit = new Map<CommitId, TaskKey>();
  for (const key of state.active) {
    const progress = key.startsWith(prefix) ? state.tasks.get(key)?.progress : undefined;
    if (progress?.at === 'gating') byCommit.set(progress.commit, key);
  }
  for (let key: TaskKey | undefined = top; key !== undefined; ) {
    const progress: Progress | undefined = state.tasks.get(key)?.progress;
    if (progress?.at !== 'gating') return false;
    if (progress.undo !== undefined || dropsTests(state, progress.token)) return true;
    byCommit.delete(progress.commit);
    key = byCommit.get(progress.onto);
  }
  return false;
}

function dropsTests(state: State, token: Attempt['token']): boolean {
  const phase = state.attempts.get(token)?.phase;
  return phase?.is === 'ended' && phase.dropsTests === true;
}

function projectOf(state: State, key: TaskKey): Project | undefined {
  return state.projects.get(key.slice(0, key.indexOf('/')) as Project['name']);
}
