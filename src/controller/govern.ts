/** What an attempt's end says about the key it ran with. */
import { poolOf } from '../executors/pool.ts';
import type { Attempt, Outcome, ProviderRefusal } from '../model/attempt.ts';
import { projectOfKey } from '../model/found.ts';
import type { Source } from '../model/event.ts';
import type { ProjectName } from '../model/ids.ts';
import { eased, lowered, needsPerson } from '../schedule/credential-rule.ts';
import { credentialsInUse } from '../schedule/credentials.ts';
import type { Turn } from './turn.ts';

/** Call it after the end is recorded. */
export function governCredential(turn: Turn, attempt: Attempt, outcome: Outcome): void {
  const { credential } = attempt;
  if (credential === undefined) return;
  if (outcome.kind === 'failed' && outcome.refusal !== undefined) {
    const { refusal, message } = outcome;
    return lower(turn, attempt, credential, { refusal, message, source: null, others: 1 });
  }
  if (answered(outcome)) ease(turn, attempt, credential);
}

/** A refusal in the middle of an attempt, which goes on. */
export function hearRefusal(turn: Turn, attempt: Attempt, heard: Omit<Heard, 'others'>): void {
  const { credential } = attempt;
  if (credential !== undefined) lower(turn, attempt, credential, { ...heard, others: 0 });
}

/** Its provider answered to the end of at least one round. */
function answered(outcome: Outcome): boolean {
  if (outcome.kind === 'failed') return outcome.cause === 'empty';
  return outcome.kind === 'done' || outcome.kind === 'refused';
}

interface Heard {
  readonly refusal: ProviderRefusal;
  readonly message: string;
  /** The journal entry that says this and nothing else; null: it came with the end. */
  readonly source: Source | null;
  /** 1: the attempt is over and is no longer counted among those with its key. */
  readonly others: 0 | 1;
}

function lower(
  turn: Turn,
  { claimedAt }: Attempt,
  credential: string,
  { refusal, message, source, others }: Heard,
): void {
  const { state, now } = turn;
  const { kind: why, retryAfterMs } = refusal;
  const inFlight = (credentialsInUse(state).get(credential) ?? 0) + others;
  const known = state.credentials.get(credential);
  const bound = lowered(known, { why, retryAfterMs, claimedAt, now, inFlight });
  if (bound === null) return;
  const said = message.slice(0, 500);
  turn.record({ type: 'credential.limited', credential, why, message: said, ...bound }, source);
  turn.wakeAt(bound.notBefore);
}

function ease(turn: Turn, { claimedAt, task, executor }: Attempt, credential: string): void {
  const { state, now } = turn;
  const known = state.credentials.get(credential);
  if (known === undefined) return;
  const project = state.projects.get(projectOfKey(task));
  const def = project?.config.executors[executor ?? state.tasks.get(task)?.spec.executor ?? ''];
  const key = def === undefined ? undefined : poolOf(def).find(({ name }) => name === credential);
  const inFlight = (credentialsInUse(state).get(credential) ?? 0) + 1;
  const bound = eased(known, { claimedAt, now, inFlight, max: key?.maxInFlight ?? null });
  if (bound !== null) turn.record({ type: 'credential.eased', credential, ...bound });
}

/** A person starts a project again: what only a person could mend may be mended. */
export function tryAgain(turn: Turn, project: ProjectName): void {
  const config = turn.state.projects.get(project)?.config;
  const keys = Object.values(config?.executors ?? {}).flatMap((def) => poolOf(def).map(({ name }) => name));
  for (const credential of new Set(keys)) {
    const known = turn.state.credentials.get(credential);
    if (known === undefined || !needsPerson(known)) continue;
    const { limit } = known;
    turn.record({ type: 'credential.eased', credential, limit, notBefore: 0, strikes: 0 });
  }
}
