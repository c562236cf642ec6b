/** Attempts laid out on lanes, one for each slot they could have had, so that a day can be seen. */
import type { Attempt } from '../../model/attempt.ts';
import type { NodeName } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { endOf, isLive } from '../attempts.ts';
import type { Lane, LaneSpan, SpanKind, Timeline } from './model.ts';
import type { Span } from './window.ts';

/** Lanes on a page; more are counted. */
const LANES_SHOWN = 48;
/** Shares of the axis: spans closer and shorter than this cannot be told apart on paper. */
const FINEST = 1 / 900;

export function lanesOf(
  state: State,
  { period, axis, until }: { readonly period: Span; readonly axis: Span; readonly until: number },
): Timeline {
  const lanes = new Map<NodeName, { end: number; attempts: Attempt[] }[]>();
  const attempts = [...state.attempts.values()]
    .filter((attempt) => attempt.claimedAt < until && endOf(attempt, until) > period.from)
    .toSorted((a, b) => a.claimedAt - b.claimedAt);
  for (const attempt of attempts) {
    const slots = lanes.get(attempt.node) ?? [];
    lanes.set(attempt.node, slots);
    const free = slots.find(({ end }) => end <= attempt.claimedAt);
    const end = endOf(attempt, until);
    if (free === undefined) slots.push({ end, attempts: [attempt] });
    else {
      free.end = end;
      free.attempts.push(attempt);
    }
  }
  const all = [...lanes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([node, slots]) =>
      slots.map((slot, index): Lane => {
        const spans = slot.attempts.map((attempt) => spanOf(attempt, period, until));
        return { node, slot: index + 1, spans: merged(spans, (axis.to - axis.from) * FINEST) };
      }),
    );
  return { lanes: all.slice(0, LANES_SHOWN), more: Math.max(0, all.length - LANES_SHOWN) };
}

function spanOf(attempt: Attempt, period: Span, until: number): LaneSpan {
  const { task, n, work, claimedAt } = attempt;
  return {
    from: Math.max(claimedAt, period.from),
    to: Math.min(endOf(attempt, until), period.to),
    kind: kindOf(attempt),
    label: work.kind === 'work' ? `${task} #${n}` : `${task} · ${work.subject.of}`,
  };
}

function kindOf(attempt: Attempt): SpanKind {
  const { phase, work } = attempt;
  if (isLive(attempt)) return work.kind === 'gate' ? 'gate' : 'running';
  if (phase.is !== 'ended') return 'lost';
  const { kind } = phase.outcome;
  if (work.kind === 'gate') {
    const { subject } = work;
    // On a copy that is broken on purpose red is what was wanted.
    const wanted = subject.of === 'control' && subject.part === 'broken' ? 'refused' : 'done';
    return kind === wanted ? 'gate' : 'red';
  }
  if (kind === 'done') return 'good';
  return kind === 'lost' || kind === 'cancelled' ? 'lost' : 'bad';
}

/** Neighbours of one kind that are too short to be seen become one span, named by how many they are. */
function merged(spans: readonly LaneSpan[], finest: number): LaneSpan[] {
  const groups: { span: LaneSpan; count: number }[] = [];
  for (const span of spans) {
    const last = groups.at(-1);
    const isShort = (one: LaneSpan): boolean => one.to - one.from < finest;
    if (
      last !== undefined &&
      last.span.kind === span.kind &&
      span.from - last.span.to < finest &&
      isShort(span) &&
      (last.count > 1 || isShort(last.span))
    ) {
      last.span = { ...last.span, to: Math.max(last.span.to, span.to) };
      last.count += 1;
    } else groups.push({ span, count: 1 });
  }
  return groups.map(({ span, count }) => (count === 1 ? span : { ...span, label: `${count} ×` }));
}
