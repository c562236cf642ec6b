/** What agents say of their own work, from the log of events. For people to read; nothing is decided by it. */
import type { Attempt, Notes } from '../model/attempt.ts';
import type { Event } from '../model/event.ts';
import type { TaskId, Token } from '../model/ids.ts';

export interface AgentWord extends Notes {
  readonly task: TaskId;
  readonly n: number;
  /** Of the acceptance list, as the agent ticked it; null when it has no such list. */
  readonly ticked: { readonly met: number; readonly of: number } | null;
}

/** The last word on each attempt. */
export function notesByAttempt(events: readonly Event[]): Map<Token, Notes> {
  const notes = new Map<Token, Notes>();
  for (const { fact } of events) {
    if (fact.type !== 'attempt.noted') continue;
    const { token, plan, evidence } = fact;
    notes.set(token, { plan, evidence });
  }
  return notes;
}

/** The word of one attempt; null when it said nothing. */
export function wordOf(
  notes: ReadonlyMap<Token, Notes>,
  { token, n }: Pick<Attempt, 'token' | 'n'>,
  task: TaskId,
): AgentWord | null {
  const said = notes.get(token);
  return said === undefined ? null : { task, n, ...said, ticked: ticksIn(said.evidence) };
}

/** `- [x]` and `- [ ]`, numbered or not. */
function ticksIn(evidence: string | null): AgentWord['ticked'] {
  const marks = [...(evidence ?? '').matchAll(/^\s*(?:[-*+]|\d+[.)])\s+\[([ xX✓✔])\]/gmu)];
  if (marks.length === 0) return null;
  return { met: marks.filter(([, mark]) => mark !== ' ').length, of: marks.length };
}

/** `attempt 2 says: 3 of 4 criteria met`, in one line. */
export function wordLine({ n, ticked, plan, evidence }: AgentWord): string {
  const parts = [
    ticked === null ? null : `${ticked.met} of ${ticked.of} criteria met`,
    plan === null ? 'no plan' : 'a plan',
    evidence === null ? 'no evidence' : 'evidence',
  ];
  return `the agent of attempt ${n} says: ${parts.filter((part) => part !== null).join(', ')} (no gate believes it)`;
}
