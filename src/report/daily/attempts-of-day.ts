/** What the attempts that ended within the period say: they are all in the state, so nothing is kept while events go by. */
import { assertNever } from '../../model/assert.ts';
import type { Attempt, Usage } from '../../model/attempt.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { usageOf } from '../../model/usage.ts';
import { roundsOf, spentOn, tokensOf } from '../attempts.ts';
import type { Cause, CauseCount, GateTime, Retries, Spending } from './model.ts';
import type { Price } from './money.ts';
import { type Noted, split } from './noted.ts';
import { median } from './order-statistics.ts';
import { executorOf, pricedBy, type Span } from './window.ts';

/** Tasks named for each cause. */
const TASKS_NAMED = 5;

/** Attempts that did not end well, and branches that were sent back, by cause. */
export function failuresOf(ended: readonly Attempt[], noted: Noted): CauseCount[] {
  const counts = new Map<string, { cause: Cause; count: number; tasks: Set<string> }>();
  const add = (cause: Cause, task: string): void => {
    const name = JSON.stringify(cause);
    const known = counts.get(name) ?? { cause, count: 0, tasks: new Set() };
    counts.set(name, known);
    known.count += 1;
    if (known.tasks.size < TASKS_NAMED) known.tasks.add(task);
  };
  for (const attempt of ended) {
    const cause = causeOf(attempt);
    if (cause !== null) add(cause, attempt.task);
  }
  for (const [project, { refusals, conflicts }] of noted.projects) {
    for (const { task, by } of refusals) {
      if (by === 'branch' || by === 'merge') add({ is: by }, `${project}/${task}`);
    }
    for (const { task } of conflicts) add({ is: 'conflict' }, `${project}/${task}`);
  }
  return [...counts.values()]
    .map(({ cause, count, tasks }) => ({ cause, count, tasks: [...tasks] }))
    .toSorted((a, b) => b.count - a.count);
}

function causeOf({ phase }: Attempt): Cause | null {
  if (phase.is === 'fenced') return { is: 'fenced' };
  if (phase.is !== 'ended') return null;
  const { outcome } = phase;
  switch (outcome.kind) {
    case 'done':
      return null;
    case 'refused':
      return { is: 'gate', gate: outcome.findings[0]?.gate ?? 'verify' };
    case 'failed':
      return outcome.refusal === undefined
        ? { is: 'failed', what: outcome.cause }
        : { is: 'provider', refusal: outcome.refusal.kind };
    case 'timeout':
    case 'overspent':
    case 'cancelled':
      return { is: outcome.kind };
    case 'lost':
      return { is: 'lost', why: outcome.why };
    default:
      return assertNever(outcome);
  }
}

export function retriesOf(state: State, ended: readonly Attempt[], { from, to }: Span): Retries {
  const again = [...state.attempts.values()].filter(
    ({ work, n, claimedAt }) => work.kind === 'work' && n > 1 && claimedAt >= from && claimedAt < to,
  );
  return {
    attempts: again.length,
    tasks: new Set(again.map(({ task }) => task)).size,
    rounds: ended.reduce((sum, attempt) => sum + Math.max(0, (roundsOf(attempt) ?? 1) - 1), 0),
  };
}

export function gateTimes(state: State, { from, to }: Span): GateTime[] {
  const groups = new Map<string, { project: ProjectName; verify: string; ended: Attempt[] }>();
  for (const attempt of state.attempts.values()) {
    const { work, phase, task } = attempt;
    if (work.kind !== 'gate' || phase.is !== 'ended' || phase.at < from || phase.at >= to) continue;
    // It was to be red.
    if (work.subject.of === 'control' && work.subject.part === 'broken') continue;
    const { project } = split(task);
    const { verify } = work.subject;
    const name = `${project}/${verify}`;
    const group = groups.get(name) ?? { project, verify, ended: [] };
    groups.set(name, group);
    group.ended.push(attempt);
  }
  return [...groups.values()].map(gateTime).toSorted((a, b) => b.medianMs - a.medianMs);
}

function gateTime({
  project,
  verify,
  ended,
}: {
  project: ProjectName;
  verify: string;
  ended: Attempt[];
}): GateTime {
  const spans = ended.map((attempt) => spentOn(attempt, 0)).toSorted((a, b) => a - b);
  const kinds = ended.map(({ phase }) => (phase.is === 'ended' ? phase.outcome.kind : 'lost'));
  return {
    project,
    verify,
    runs: ended.length,
    red: kinds.filter((kind) => kind === 'refused').length,
    broken: kinds.filter((kind) => kind !== 'done' && kind !== 'refused').length,
    medianMs: median(spans),
    longestMs: spans.at(-1) ?? 0,
    totalMs: spans.reduce((sum, ms) => sum + ms, 0),
  };
}

export function spendingOf(
  state: State,
  ended: readonly Attempt[],
  price: Price,
  { projects }: Noted,
): Spending[] {
  const merged = new Map<string, number>();
  for (const { executor } of [...projects.values()].flatMap((kept) => kept.merged)) {
    merged.set(executor, (merged.get(executor) ?? 0) + 1);
  }
  const groups = new Map<string, Attempt[]>();
  for (const attempt of ended) {
    const executor = executorOf(attempt, state);
    const group = groups.get(executor);
    if (group === undefined) groups.set(executor, [attempt]);
    else group.push(attempt);
  }
  const cost = ({ tokens }: Spending): number => tokens.costUsd ?? 0;
  const total = ({ tokens }: Spending): number => tokens.total ?? 0;
  return [...groups]
    .map(([executor, attempts]): Spending => {
      const sum = (key: keyof Usage): number | null => summed(attempts, key);
      return {
        executor,
        attempts: attempts.length,
        merged: merged.get(executor) ?? 0,
        tokens: tokensOf(attempts, pricedBy(state, price)),
        inputTokens: sum('inputTokens'),
        outputTokens: sum('outputTokens'),
        cachedTokens: sum('cachedTokens'),
        reportedUsd: sum('costUsd'),
        workMs: attempts.reduce((ms, attempt) => ms + spentOn(attempt, 0), 0),
      };
    })
    .toSorted((a, b) => cost(b) - cost(a) || total(b) - total(a) || b.attempts - a.attempts);
}

/** null when no attempt told. */
function summed(attempts: readonly Attempt[], key: keyof Usage): number | null {
  const figures = attempts.map((attempt) => usageOf(attempt)?.[key] ?? null).filter((one) => one !== null);
  return figures.length === 0 ? null : figures.reduce((sum, figure) => sum + figure, 0);
}
