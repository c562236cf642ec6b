/** Everything a person needs to decide on one task, gathered from state, log and hub. */
import { join } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import { openScratchHub } from '../../git/scratch-hub.ts';
import type { Attempt } from '../../model/attempt.ts';
import type { CommitId } from '../../model/ids.ts';
import type { LookFinding } from '../../model/second-look.ts';
import type { Task } from '../../model/task.ts';
import { clashLine } from '../../report/clash.ts';
import { endOf, roundsOf, tokensOf } from '../../report/attempts.ts';
import type { TokenSum } from '../../report/model.ts';
import type { AgentWord } from '../../report/notes.ts';
import type { QueueItem } from '../../review/queue.ts';
import { bodyOf, sectionsOf } from '../../spec/sections.ts';
import { wordOfAttempt } from '../agent-word.ts';
import { findingLine } from '../progress/summary.ts';
import type { HomeView } from '../view.ts';

export interface Dossier extends QueueItem {
  /** The spec without its front matter. */
  readonly spec: string;
  /** Criteria, one each. */
  readonly acceptance: readonly string[];
  /** Changed files; null when the work is not in the hub. */
  readonly diff: readonly FileSummary[] | null;
  /** What gates said, a line each. */
  readonly gates: readonly string[];
  readonly who: Who;
  /** The agent's own plan and evidence, which no gate believes; null: it said nothing. */
  readonly word: AgentWord | null;
  /** What a second model found. */
  readonly findings: readonly LookFinding[];
}

export interface FileSummary {
  readonly path: string;
  readonly added: number;
  readonly removed: number;
  /** Why its lines are not counted; null: they are. */
  readonly unread: string | null;
}

export interface Who {
  readonly executor: string;
  readonly node: string;
  readonly credential: string | null;
  readonly attempts: number;
  /** Of the attempt whose work it is; null when its node has not told. */
  readonly rounds: number | null;
  /** Of all attempts, milliseconds. */
  readonly workMs: number;
  readonly tokens: TokenSum;
}

export async function dossierOf(view: HomeView, item: QueueItem, now: number): Promise<Dossier> {
  const { state } = view;
  const task = state.tasks.get(item.task);
  const attempt = state.attempts.get(item.token);
  if (task === undefined || attempt === undefined) throw new Error(`no task or attempt of ${item.task}`);
  const text = (await view.reader.specText(item.task)) ?? '';
  const { progress } = task;
  return {
    ...item,
    spec: bodyOf(text).trim(),
    acceptance: criteriaIn(sectionsOf(text).acceptance ?? ''),
    diff: await summaryOf(view, item, attempt.base),
    gates: gateLines(task, attempt),
    word: await wordOfAttempt(view, task, attempt),
    who: whoOf(view, task, attempt, now),
    findings: progress.at === 'merged' ? (progress.look?.findings ?? []) : [],
  };
}

function criteriaIn(section: string): string[] {
  return section
    .split(/\n(?=\s*(?:[-*+]|\d+[.)])\s)/u)
    .map((text) => text.replace(/^\s*(?:[-*+]|\d+[.)])\s+(?:\[.\]\s+)?/u, '').trim())
    .filter((text) => text !== '');
}

/** The hub may be of a project that was moved: then there is just less to see. */
async function summaryOf(
  { home }: HomeView,
  { project, commit, at, token }: QueueItem,
  base: CommitId | null,
): Promise<FileSummary[] | null> {
  if (commit === null) return null;
  try {
    const hub = await openScratchHub(join(homePaths(home).repos, `${project}.git`));
    try {
      const head = at === 'merged' ? ((await hub.mergeOf(commit, token)) ?? commit) : commit;
      const from = at === 'merged' ? await hub.firstParent(head) : base;
      if (from === null) return null;
      const files = await hub.diff(from, head);
      return files.map(({ path, lines, unread }) => ({
        path,
        added: lines.filter(({ kind }) => kind === '+').length,
        removed: lines.filter(({ kind }) => kind === '-').length,
        unread,
      }));
    } finally {
      await hub.remove();
    }
  } catch {
    return null;
  }
}

function gateLines({ spec, progress, feedback }: Task, { phase, node, n }: Attempt): string[] {
  const lines: string[] = [];
  if (phase.is === 'ended' && phase.outcome.kind === 'done') {
    const { rounds, tests } = phase.outcome;
    const ran =
      tests === undefined ? 'tests not counted' : `${tests.ran} tests ran, ${tests.skipped} skipped`;
    lines.push(
      `verify passed on ${node} in round ${rounds} of attempt ${n} (${spec.verify ?? 'no command'}): ${ran}`,
    );
    const approvals = progress.at === 'review' ? (progress.approvals ?? []) : [];
    const pure = 'scope, content and placeholder gates';
    lines.push(approvals.length === 0 ? `${pure} found nothing` : `${pure} ask you:`);
    for (const finding of approvals) lines.push(`  ${findingLine(finding)}`);
  }
  if (progress.at === 'merged') lines.push('verify passed on the merged tree, which landed');
  if (progress.at !== 'parked') return lines;
  if (feedback?.why === 'conflict') lines.push(clashLine(feedback.clash, spec.project));
  if (feedback?.why === 'gate') {
    lines.push('verify is red on the merged tree:');
    for (const finding of feedback.findings.slice(0, 10)) lines.push(`  ${findingLine(finding)}`);
  }
  return lines;
}

function whoOf({ state }: HomeView, task: Task, attempt: Attempt, now: number): Who {
  const all = [...state.attempts.values()].filter(
    ({ task: key, work }) => key === task.key && work.kind === 'work',
  );
  return {
    executor: attempt.executor ?? task.spec.executor,
    node: attempt.node,
    credential: attempt.credential ?? null,
    attempts: all.length,
    rounds: roundsOf(attempt),
    workMs: all.reduce((sum, one) => sum + endOf(one, now) - one.claimedAt, 0),
    tokens: tokensOf(all),
  };
}
