/** What is said of nodes that do not answer: for how long, what waits for them, and what comes of it. */
import type { NodeName } from '../model/ids.ts';
import { formatDuration } from '../model/time.ts';
import { type Silence, silenceOf } from '../schedule/lease.ts';
import type { Snapshot } from '../schedule/snapshot.ts';

/** A sentence per node that holds something and does not answer, and one per node that was lost. */
export function silenceLines(snapshot: Snapshot): string[] {
  const { state } = snapshot;
  const holding = [...state.live].flatMap(([node, live]) => (live.size > 0 ? node : []));
  for (const key of state.active) {
    const progress = state.tasks.get(key)?.progress;
    const node = progress?.at === 'finished' ? state.attempts.get(progress.token)?.node : undefined;
    if (node !== undefined && !holding.includes(node)) holding.push(node);
  }
  const silent = holding.flatMap((node) => silenceOf(snapshot, node) ?? []);
  return [...silent.map((one) => `${silenceText(one)}; ${endText(one)}`), ...lostLines(snapshot)];
}

/** `mac2 has been silent for 4m 05s`. */
export function silenceText({ node, silentMs }: Silence): string {
  return `${node} has been silent for ${formatDuration(silentMs)}`;
}

/** When what it holds starts elsewhere, as the end of a sentence. */
export function endText({ node, silentMs, leaseMs, counts }: Silence): string {
  if (leaseMs === null) return `what it holds waits until ${node} is heard of, or you say that it is gone`;
  if (!counts) return `no other machine answers, so its lease of ${formatDuration(leaseMs)} stands still`;
  const left = formatDuration(Math.max(0, leaseMs - silentMs));
  return `what it holds starts elsewhere in ${left} unless ${node} is heard of`;
}

/** What a person who knows better types. */
export function expireCommand(node: NodeName): string {
  return `dispatch nodes expire ${node}`;
}

function lostLines({ state, nodes }: Snapshot): string[] {
  return nodes.flatMap(({ name }) => {
    const silence = state.nodes.get(name)?.silence;
    if (silence?.is !== 'lost') return [];
    const by = silence.by === null ? `silent for ${formatDuration(silence.silentMs)}` : `said ${silence.by}`;
    return [
      `${name} is lost since ${new Date(silence.at).toISOString()} (${by}): its tasks start elsewhere; it is used again when it is back`,
    ];
  });
}
