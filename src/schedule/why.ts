/** "Why is this task not running?", answered by the filters that decided, node by node. */
import { assertNever } from '../model/assert.ts';
import type { Finding } from '../model/attempt.ts';
import type { TaskKey, Token } from '../model/ids.ts';
import type { Task } from '../model/task.ts';
import {
  type Board,
  boardOf,
  CONTENDED_FILTERS,
  type Filter,
  GATE_FILTERS,
  STANDING_FILTERS,
} from './filter.ts';
import { restsOnReverted } from './resting.ts';
import { clashOf, shortClash } from './clash.ts';
import { silenceOf } from './lease.ts';
import { ANY_EXECUTOR } from './slots.ts';
import type { BudgetVerdict } from './budget.ts';
import type { Blocker, CredentialVerdict, NodeVerdict, Snapshot } from './snapshot.ts';

/**
 * Everything that keeps a task from getting an attempt now, most fundamental first. Empty: nothing does (it is at work
 * already, or the next call of `decide` starts it if no better candidate takes the slot).
 * @param now wall clock, milliseconds.
 */
export function why(snapshot: Snapshot, task: Task, now: number): Blocker[] {
  return whyEach(snapshot, now)(task);
}

/** `why` for many tasks of one snapshot: what it looks at is gathered once. */
export function whyEach(snapshot: Snapshot, now: number): (task: Task) => Blocker[] {
  const board = boardOf(snapshot, now);
  return (task) => blockersOf(task, board);
}

function blockersOf(task: Task, board: Board): Blocker[] {
  const { progress } = task;
  switch (progress.at) {
    case 'open':
      return objections(task, board, [...STANDING_FILTERS, ...CONTENDED_FILTERS]);
    case 'attempt':
      return silentOf(progress.token, board);
    case 'gating':
      if (progress.gate !== null) return silentOf(progress.gate, board);
      return holdOf(task, board) ?? gateBlockers(task, board);
    case 'queued':
      return holdOf(task, board) ?? [...conflictOf(task), { why: 'merging', at: progress.at }];
    case 'merged': {
      const on = restsOnReverted(board.snapshot.state).get(task.key) ?? [];
      return on.length > 0
        ? [{ why: 'rests', on }]
        : [{ why: 'over', at: 'merged', reason: null, findings: [] }];
    }
    case 'finished':
      return [...silentOf(progress.token, board), { why: 'merging', at: progress.at }];
    case 'landing':
      return [{ why: 'merging', at: progress.at }];
    case 'review':
      return [{ why: 'review', approvals: progress.approvals ?? [] }, ...conflictOf(task)];
    case 'parked':
      return [{ why: 'parked', reason: progress.reason }, ...conflictOf(task)];
    case 'failed':
      return [{ why: 'over', at: 'failed', reason: progress.reason, findings: progress.findings }];
    case 'reverted':
    case 'cancelled':
      return [{ why: 'over', at: progress.at, reason: progress.reason, findings: [] }];
    default:
      return assertNever(progress);
  }
}

/** What is at work, or has finished, where nobody answers. */
export function silentOf(token: Token, { snapshot }: Pick<Board, 'snapshot'>): Blocker[] {
  const node = snapshot.state.attempts.get(token)?.node;
  if (node === undefined || snapshot.connected.has(node)) return [];
  // A controller that counts has not tried it in vain yet: it is being connected.
  if (snapshot.silent?.has(node) === false) return [];
  return [{ why: 'silent', node, silence: silenceOf(snapshot, node) }];
}

function conflictOf(task: Task): Blocker[] {
  const clash = clashOf(task);
  return clash === null ? [] : [{ why: 'conflict', clash }];
}

function holdOf(task: Task, { snapshot }: Board): Blocker[] | null {
  const hold = snapshot.state.projects.get(task.spec.project)?.hold ?? null;
  return hold === null ? null : [{ why: 'held', reason: hold.reason, by: hold.by }];
}

function gateBlockers(task: Task, board: Board): Blocker[] {
  const blockers = objections(task, board, GATE_FILTERS);
  if (board.slots.takes(ANY_EXECUTOR)) return blockers;
  return [...blockers, { why: 'nodes', nodes: board.slots.verdicts(ANY_EXECUTOR) }];
}

function objections(task: Task, board: Board, filters: readonly Filter[]): Blocker[] {
  return filters.flatMap((filter) => filter(task, board) ?? []);
}

/** Short form for a column: `Dependency(S01)`, `Lock(src/a.ts <- S07)`, `Backoff 42s`, `NoSlot`; empty when nothing blocks. */
export function reasonOf(blockers: readonly Blocker[]): string {
  const [blocker] = blockers;
  if (blocker === undefined) return '';
  switch (blocker.why) {
    case 'dependency':
      return `${blocker.dead ? 'DependencyFailed' : 'Dependency'}(${listed(blocker.on.map(idOf))})`;
    case 'lock':
      return `Lock(${blocker.path} <- ${idOf(blocker.holder)})`;
    case 'backoff':
      return `Backoff ${Math.ceil(blocker.forMs / 1000)}s`;
    case 'not-started':
      return 'NotStarted';
    case 'safe-mode':
      return 'SafeMode';
    case 'no-base':
      return 'NoBase';
    case 'control':
      return blocker.failed === null ? 'GateOnTrial' : 'GateProvesNothing';
    case 'contract':
      return blocker.changed === null ? 'ContractRead' : `ContractChanged(${blocker.path})`;
    case 'attempt':
      return `Ending(${blocker.node})`;
    case 'silent':
      return `NodeSilent(${blocker.node})`;
    case 'nodes':
      return nodesReason(blocker.nodes);
    case 'credential':
      return credentialReason(blocker.credentials);
    case 'budget':
      return budgetReason(blocker.budgets);
    case 'held':
      return 'QueueHeld';
    case 'review':
      return blocker.approvals.length === 0
        ? 'Review'
        : `Approval(${listed(approvedPaths(blocker.approvals))})`;
    case 'parked':
      return 'Parked';
    case 'conflict':
      return shortClash(blocker.clash);
    case 'merging':
      return blocker.at === 'queued' ? 'MergeQueue' : 'Merging';
    case 'rests':
      return `Reverted(${listed(blocker.on.map(idOf))})`;
    case 'over':
      return '';
    default:
      return assertNever(blocker);
  }
}

/** A full node only needs time, so it outranks what somebody has to mend; a node without the executor says least. */
function nodesReason(nodes: readonly NodeVerdict[]): string {
  const closed = nodes.filter((node) => !node.ok);
  if (closed.length === 0) return 'NoNode';
  if (closed.some((node) => node.why === 'full')) return 'NoSlot';
  const named = (why: string): string[] => closed.flatMap((node) => (node.why === why ? node.node : []));
  const mendable = [
    ['program', 'NodeProgram'],
    ['cage', 'NodeCage'],
    ['unasked', 'NodeUnasked'],
    ['ailing', 'NodeAiling'],
    ['shunned', 'NodeRefused'],
    ['not-connected', 'NodeDown'],
    ['cordoned', 'NodeCordoned'],
    ['draining', 'NodeDraining'],
  ] as const;
  for (const [whyClosed, word] of mendable) {
    const names = named(whyClosed);
    if (names.length > 0) return `${word}(${listed(names)})`;
  }
  return `Executor(${closed[0]?.detail ?? ''})`;
}

/** The key that is free again first; one in full use only needs time. */
function credentialReason(verdicts: readonly CredentialVerdict[]): string {
  const full = verdicts.find(({ until }) => until === null);
  if (full !== undefined) return `Credential(${full.credential} ${full.inFlight}/${full.allowed ?? '-'})`;
  const [first] = verdicts.toSorted((a, b) => (a.until ?? 0) - (b.until ?? 0));
  if (first === undefined) return 'Credential';
  return `Credential(${first.credential} ${first.refused?.why ?? ''} ${Math.ceil((first.forMs ?? 0) / 1000)}s)`;
}

/** `Budget(web day)`, `Budget(home)`, `Budget(key glm day)`, `Budget(task S03)`. */
function budgetReason([first]: readonly BudgetVerdict[]): string {
  if (first === undefined) return 'Budget';
  return `Budget(${whose(first)}${first.day === null ? '' : ' day'})`;
}

function whose({ of, name }: BudgetVerdict): string {
  switch (of) {
    case 'home':
      return 'home';
    case 'project':
      return name ?? '';
    case 'credential':
      return `key ${name}`;
    case 'task':
      return `task ${idOf(name as TaskKey)}`;
    default:
      return assertNever(of);
  }
}

function approvedPaths(approvals: readonly Finding[]): string[] {
  return [...new Set(approvals.map(({ path, gate }) => path ?? gate))];
}

/** At most two names: the column is narrow, and `why` prints them all. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 2).join(', ');
  return names.length > 2 ? `${shown}, +${names.length - 2}` : shown;
}

function idOf(key: TaskKey): string {
  return key.slice(key.indexOf('/') + 1);
}
