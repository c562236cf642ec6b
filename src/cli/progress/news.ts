import type { CommitId, NodeName, TaskKey, Token } from '../../model/ids.ts';
import type { Event, Fact } from '../../model/event.ts';
import type { Finding, Outcome } from '../../model/attempt.ts';
import type { Clash } from '../../model/conflict.ts';
import type { State } from '../../model/state.ts';
import { type Stall, stallMend, stallText } from '../../model/stall.ts';
import { clashLine } from '../../report/clash.ts';
import { formatDuration } from '../../model/time.ts';
import { controlText } from '../../report/markdown.ts';
import { repairText, RULES } from '../../schedule/health.ts';
import { lookText } from '../../report/second-look.ts';
import type { StatusWord } from '../../schedule/status.ts';

/** What one event says about a task, a node or a delivery, for a line of a log. */
export interface News {
  readonly at: number;
  /** `project/task`, `node mac2`, `project`. */
  readonly about: string;
  readonly word:
    | StatusWord
    | 'connected'
    | 'disconnected'
    | 'suspect'
    | 'lost'
    | 'late'
    | 'refuses'
    | 'ails'
    | 'repair'
    | 'healed'
    | 'marked'
    | 'ended'
    | 'round'
    | 'stalled'
    | 'attached'
    | 'collect'
    | 'delivered'
    | 'held'
    | 'released'
    | 'woke'
    | 'gate'
    | 'contract';
  readonly node: NodeName | null;
  readonly attempt: number | null;
  readonly commit: CommitId | null;
  readonly detail: string;
  /** 409 with both sides, when the news is a conflict, found or foreseen. */
  readonly conflict: Clash | null;
}

/**
 * The news in an event; null when it changes nothing that a person follows. Cheap: looks up what the event names and
 * nothing else, since it is asked for every event of a run.
 * @param state with the event applied.
 */
export function newsOf(event: Event, state: State): News | null {
  const told = tell(event.fact, state);
  return told === null
    ? null
    : { at: event.at, node: null, attempt: null, commit: null, detail: '', conflict: null, ...told };
}

/** One line: `2026-01-02T03:04:05.678Z web/S01 running node=mac2 try=1`. */
export function newsLine({ at, about, word, node, attempt, commit, detail }: News): string {
  const parts = [new Date(at).toISOString(), about, word];
  if (node !== null) parts.push(`node=${node}`);
  if (attempt !== null) parts.push(`try=${attempt}`);
  if (commit !== null) parts.push(`commit=${commit.slice(0, 10)}`);
  if (detail !== '') parts.push(detail);
  return parts.join(' ');
}

type Told = Pick<News, 'about' | 'word'> & Partial<News>;

function tell(fact: Fact, state: State): Told | null {
  switch (fact.type) {
    case 'controller.slept':
      return {
        about: 'controller',
        word: 'woke',
        detail: `slept for ${formatDuration(fact.ms)}; every connection is asked whether it still is one`,
      };
    case 'node.connected':
      return { about: `node ${fact.node}`, word: 'connected' };
    case 'node.disconnected':
      return { about: `node ${fact.node}`, word: 'disconnected', detail: fact.reason };
    case 'node.suspected':
      return {
        about: `node ${fact.node}`,
        word: 'suspect',
        detail: `silent for ${formatDuration(fact.silentMs)}; its gates run elsewhere`,
      };
    case 'node.lost':
      return {
        about: `node ${fact.node}`,
        word: 'lost',
        detail: `${fact.by === null ? `silent for ${formatDuration(fact.silentMs)}` : `said ${fact.by}`}; its tasks start elsewhere`,
      };
    case 'node.refused':
      return { about: `node ${fact.node}`, word: 'refuses', detail: fact.reason };
    case 'node.ailing':
      return {
        about: `node ${fact.node}`,
        word: 'ails',
        detail: `${RULES[fact.ailment].title}: ${fact.evidence}`,
      };
    case 'node.repairing':
    case 'node.repaired':
      return { about: `node ${fact.node}`, word: 'repair', detail: repairNews(fact, state) };
    case 'node.healed':
      return {
        about: `node ${fact.node}`,
        word: 'healed',
        detail: `${RULES[fact.ailment].title}: ${fact.how}`,
      };
    case 'node.marked':
      return { about: `node ${fact.node}`, word: 'marked', detail: markNews(fact) };
    case 'credential.limited':
      return { about: `key ${fact.credential}`, word: 'refuses', detail: `${fact.why}: ${fact.message}` };
    case 'task.backedoff':
      return { about: fact.task, word: 'waiting', detail: fact.reason };
    case 'task.failed':
      return { about: fact.task, word: 'failed', detail: fact.reason };
    case 'task.cancelled':
      return { about: fact.task, word: 'cancelled', detail: fact.reason };
    case 'task.parked':
      return { about: fact.task, word: 'conflict', detail: `waits for a person: ${fact.reason}` };
    case 'task.completed':
      return { about: fact.task, word: 'merged' };
    case 'revert.requested':
      return {
        about: fact.task,
        word: 'gating',
        detail: `its revert, asked for by ${fact.by}: ${fact.reason}`,
      };
    case 'task.reviewed':
      return {
        about: fact.task,
        word:
          state.tasks.get(fact.task)?.progress.at === 'merged'
            ? 'merged'
            : fact.approved
              ? 'gating'
              : 'ready',
        detail: fact.approved ? `approved by ${fact.by}` : `rejected by ${fact.by}: ${fact.reason}`,
      };
    case 'task.handed':
      return { about: fact.task, word: 'ready', commit: fact.commit, detail: `handed back by ${fact.by}` };
    case 'task.retried':
      return { about: fact.task, word: 'ready', detail: `again, asked for by ${fact.by}` };
    case 'queue.held':
      return { about: fact.project, word: 'held', detail: `nothing merges (${fact.by}): ${fact.reason}` };
    case 'contract.changed':
      return {
        about: fact.project,
        word: 'contract',
        commit: fact.commit,
        detail: contractChange(fact, state),
      };
    case 'contract.accepted':
      return fact.by === 'dispatch'
        ? null
        : {
            about: fact.project,
            word: 'contract',
            detail: `${fact.path} as it is now is accepted by ${fact.by}`,
          };
    case 'task.recalled':
      return {
        about: fact.task,
        word: 'ready',
        detail: `again, by the contract as it is now (${fact.path})`,
      };
    case 'gate.broke':
      return { about: fact.project, word: 'gate', detail: `broke, ${fact.times} in a row: ${fact.reason}` };
    case 'gate.controlled':
      return {
        about: fact.project,
        word: 'gate',
        detail: `${fact.verify} ${controlText(fact.verdict)} (${fact.note})`,
      };
    case 'queue.released':
      return { about: fact.project, word: 'released', detail: `by ${fact.by}` };
    case 'delivery.requested':
      return { about: fact.project, word: 'collect', detail: 'asked for' };
    case 'delivery.prepared':
      return { about: fact.project, word: 'collect', commit: fact.commit, detail: 'is being verified' };
    case 'delivery.raced':
      return { about: fact.project, word: 'collect', detail: 'the target moved; again' };
    case 'delivery.landed':
      return {
        about: fact.project,
        word: 'delivered',
        commit: fact.commit,
        detail: `${fact.tasks.length} tasks`,
      };
    case 'delivery.failed':
      return { about: fact.project, word: 'collect', detail: `refused: ${fact.code}: ${fact.message}` };
    default:
      return tellAttempt(fact, state);
  }
}

function repairNews(
  { node, ailment }: Extract<Fact, { type: 'node.repairing' | 'node.repaired' }>,
  state: State,
): string {
  const repair = state.nodes.get(node)?.health.ailments.find(({ kind }) => kind === ailment)?.repair;
  return `${RULES[ailment].title}: ${repair == null ? 'over' : repairText(repair)}`;
}

function markNews({ mark, for: ailment }: Extract<Fact, { type: 'node.marked' }>): string {
  const word = mark === 'none' ? 'in use again' : mark === 'drain' ? 'drained' : 'cordoned';
  return ailment === undefined ? word : `${word}, by dispatch: ${RULES[ailment].title}`;
}

function contractChange(
  { project, path }: Extract<Fact, { type: 'contract.changed' }>,
  state: State,
): string {
  return state.projects.get(project)?.contract?.changed == null
    ? `${path} is again what it was`
    : `${path} has changed: no work starts before \`dispatch contract accept ${project}\``;
}

function tellAttempt(fact: Fact, state: State): Told | null {
  if (!('token' in fact)) return null;
  const whose = ownerOf(state, fact.token);
  if (whose === null || !whose.isWork) return null;
  const { about, node, attempt } = whose;
  switch (fact.type) {
    case 'attempt.claimed':
      return { about, word: 'running', node, attempt };
    case 'attempt.progressed':
      return fact.round > 1 && fact.step === 'agent'
        ? { about, word: 'round', node, attempt, detail: `the gates sent it back: round ${fact.round}` }
        : null;
    case 'attempt.stalled':
      return { about, word: 'stalled', node, attempt, detail: stallNews(fact.stall, about, node) };
    case 'attempt.moved':
      return { about, word: 'running', node, attempt, detail: 'it goes on' };
    case 'person.intervened':
      return { about, word: 'attached', node, attempt, detail: `${fact.by} took its keyboard` };
    case 'attempt.ended':
      return { about, word: 'ended', node, attempt, detail: outcomeText(fact.outcome) };
    case 'attempt.fenced':
      return { about, word: 'ended', node, attempt, detail: `given up: ${fact.reason}` };
    case 'attempt.kept': {
      const phase = state.attempts.get(fact.token)?.phase;
      const isLate = phase?.is === 'fenced' || (phase?.is === 'ended' && phase.outcome.kind === 'done');
      const detail = 'its branch is kept, and is not merged';
      return isLate ? { about, word: 'late', node, attempt, commit: fact.head, detail } : null;
    }
    case 'candidate.accepted':
      return accepted(about, fact.approvals ?? [], state);
    case 'candidate.refused':
      return { about, word: 'failed', detail: `refused: ${fact.findings[0]?.message ?? 'by the gates'}` };
    case 'merge.conflicted':
      return { about, word: 'conflict', attempt, ...clashNews(fact.clash, about) };
    case 'merge.predicted':
      return fact.clash === null
        ? { about, word: 'gating', detail: 'the conflict that was foreseen is none any more' }
        : { about, word: 'gating', attempt, ...clashNews(fact.clash, about) };
    case 'merge.refused':
      return { about, word: 'conflict', detail: 'the gate on the merged tree is red' };
    case 'merge.suspected':
      return { about, word: 'gating', detail: 'a red gate points at it: it runs once more, alone' };
    case 'merge.cleared':
      return { about, word: 'gating', detail: 'its gate is green alone' };
    case 'merge.landed':
      return { about, word: 'merged', commit: fact.commit };
    case 'review.found':
      return { about, word: 'merged', commit: fact.look.commit, detail: lookText(fact.look) };
    case 'revert.landed':
      return { about, word: 'reverted', commit: fact.commit };
    case 'revert.refused':
      return { about, word: 'merged', detail: `it stays, its revert was refused: ${fact.reason}` };
    default:
      return null;
  }
}

function stallNews(stall: Stall, task: TaskKey, node: NodeName): string {
  return `it ${stallText(stall)}; ${stallMend(stall, { task, node })}`;
}

function ownerOf(
  state: State,
  token: Token,
): { about: TaskKey; node: NodeName; attempt: number; isWork: boolean } | null {
  const attempt = state.attempts.get(token);
  if (attempt === undefined) return null;
  return {
    about: attempt.task,
    node: attempt.node,
    attempt: attempt.n,
    isWork: attempt.work.kind === 'work',
  };
}

function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'done':
      return `done after ${outcome.rounds} round${outcome.rounds === 1 ? '' : 's'}`;
    case 'refused':
      return `refused: ${outcome.findings[0]?.message ?? 'by the gates'}`;
    case 'failed':
      return `${outcome.cause}: ${outcome.message}`;
    case 'timeout':
      return 'no result before its deadline';
    case 'overspent':
      return `ended: its agent used more than its ${outcome.limitTokens} tokens`;
    case 'cancelled':
      return `cancelled: ${outcome.reason}`;
    case 'lost':
      return outcome.why === 'no-space'
        ? 'lost: the disk of the node was full'
        : `lost: the node was ${outcome.why}`;
  }
}

function clashNews(conflict: Clash, about: TaskKey): Pick<News, 'detail' | 'conflict'> {
  return { detail: clashLine(conflict, about.slice(0, about.indexOf('/'))), conflict };
}

function accepted(about: TaskKey, approvals: readonly Finding[], state: State): Told {
  const word = state.tasks.get(about)?.progress.at === 'review' ? 'review' : 'gating';
  const [first] = approvals;
  if (first === undefined) return { about, word };
  const more = approvals.length > 1 ? `, and ${approvals.length - 1} more` : '';
  return { about, word, detail: `${first.message}${more}` };
}
