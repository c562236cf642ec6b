/**
 * What a merge queue does next. Branches stand on one stack: each is merged onto the one before it, the first onto
 * integration, so a gate run on one of them judges it together with all below it (its prefix). From that follows
 * everything: a green run clears all below it; a red one says that something at or below it is bad; the first bad one
 * lies above the highest green run and at or below the lowest red one above that. What follows from earlier runs is
 * never run.
 *
 * A branch that is the only one left to blame is taken aside as a suspect and runs once more, alone, while those behind
 * it go back to the queue and are stacked anew without it. When many branches are bad and slots are many, every branch
 * is judged aside first and only those that are good alone are stacked (two stages).
 */
import { batchSize, cutsOf } from './batch.ts';
import { failureRate, isSteady, mayBackUp, type QueueRecord, residualRate } from './record.ts';

/** A branch that has been merged tentatively. */
export interface Entry<Id> {
  readonly id: Id;
  /** The tree it gives was found green, by whichever run. */
  readonly green: boolean;
  /** Red runs on this tree. */
  readonly reds: number;
  /** A gate is at work on it. */
  readonly running: boolean;
}

/** A branch that is judged by itself. */
export interface AsideEntry<Id> extends Entry<Id> {
  readonly backers: Backers;
}

/**
 * The branches with which it stood in a larger set that was red as well, and what became of them. Are they all good, the
 * larger set was red for its sake; is one of them bad, it was red for that one's, and says nothing.
 */
export type Backers = 'none' | 'unjudged' | 'good' | 'bad';

export interface QueueView<Id> {
  /** The stack, from the bottom. */
  readonly stack: readonly Entry<Id>[];
  /** Judged by themselves: suspects, and branches in the first of two stages. */
  readonly aside: readonly AsideEntry<Id>[];
  /** Branches that can still be put on the stack now. */
  readonly waiting: number;
  /** Gates that may run at once for this queue, running ones included. */
  readonly slots: number;
  readonly record: QueueRecord;
}

export interface QueuePlan<Id> {
  /** How many branches from the bottom of the stack may land. */
  readonly land: number;
  /** Goes aside; those above it go back to the queue, unjudged. `backers`: those with which it was red in a larger set. */
  readonly suspect: { readonly id: Id; readonly backers: readonly Id[] } | null;
  /** Bad, beyond reasonable doubt. */
  readonly refuse: readonly Id[];
  /** Good alone: back to the queue, to be stacked. */
  readonly clear: readonly Id[];
  /** Whose gate to start, most useful first; never more than the free slots. */
  readonly gate: readonly Id[];
}

/** Failure rate from which on every branch is judged alone first, or, with few slots, no batch is tested ahead. */
const MANY_BAD = 0.15;
/** Failure rate from which on a suspect waits for verdicts that are on their way, where slots are few. */
const SOME_BAD = 0.07;
/** Slots from which on time counts more than runs. */
const MANY_SLOTS = 4;
/** A further batch is tested ahead when all before it are good with at least this chance. */
const AHEAD_OF_FEW = 0.45;
const AHEAD_OF_MANY = 0.2;

/** True when a branch that has not been judged alone is to be judged so before it is stacked. */
export function judgesAloneFirst({ slots, record }: Pick<QueueView<unknown>, 'slots' | 'record'>): boolean {
  return slots >= MANY_SLOTS && failureRate(record) > MANY_BAD;
}

/** How many branches to stack, or to set aside in the first stage, so that no slot waits for one. */
export function wantedDepth({ slots, record }: Pick<QueueView<unknown>, 'slots' | 'record'>): {
  stack: number;
  aside: number;
} {
  const two = judgesAloneFirst({ slots, record });
  const batch = batchSize(two ? residualRate(record) : failureRate(record));
  return { stack: batch * Math.min(slots, 4), aside: two ? slots : 0 };
}

/** Pure: the same view gives the same plan. */
export function planQueue<Id>(view: QueueView<Id>): QueuePlan<Id> {
  const { stack, aside, slots } = view;
  const land = stack.findLastIndex((entry) => entry.green) + 1;
  const red = stack.findIndex((entry, at) => at >= land && entry.reds > 0);
  const suspect = red === land ? suspectAt(stack, red) : null;
  const settled = aside.map((entry) => ({ entry, verdict: judgeAside(entry, view) }));
  const ids = (verdict: Verdict): Id[] =>
    settled.filter((one) => one.verdict === verdict).map(({ entry }) => entry.id);
  const running = [...stack.slice(land), ...aside].filter((entry) => entry.running).length;
  const free = Math.max(0, slots - running);
  const deferred = ids('deferred');
  const waiting = view.waiting - deferred.length;
  const ahead = suspect === null ? narrowOrExtend({ ...view, waiting }, land, red) : [];
  const wanted = [...ahead, ...ids('open')];
  // Nobody is left whose verdict could spare the run.
  const idle = wanted.length + running + waiting + land === 0 && suspect === null;
  const gate = (idle ? deferred : wanted).slice(0, free);
  return { land, suspect, refuse: ids('bad'), clear: ids('good'), gate };
}

function suspectAt<Id>(stack: readonly Entry<Id>[], at: number): QueuePlan<Id>['suspect'] {
  const entry = stack[at];
  if (entry === undefined) return null;
  const larger = stack.findIndex((above, place) => place > at && above.reds > 0);
  const backers = stack.slice(at + 1, larger + 1).map(({ id }) => id);
  return { id: entry.id, backers };
}

/** `deferred`: red once, and a verdict that is on its way anyway may settle it. */
type Verdict = 'good' | 'bad' | 'open' | 'deferred' | 'running';

/**
 * A red run is repeated on the same commit before a branch is blamed. Where slots are few, repeating would be up to a
 * fourth of all runs, and is spared twice. Once those with which it was red in a larger set are found good, that larger
 * run was the second one: both would have had to be flakes. And where many are bad a gate that has shown itself steady
 * is taken at its word.
 */
function judgeAside(entry: AsideEntry<unknown>, { slots, record }: QueueView<unknown>): Verdict {
  if (entry.green) return 'good';
  if (entry.reds > 1) return 'bad';
  if (entry.running) return 'running';
  if (entry.reds === 0 || slots >= MANY_SLOTS || failureRate(record) <= SOME_BAD) return 'open';
  if (failureRate(record) > MANY_BAD && isSteady(record)) return 'bad';
  if (entry.backers === 'good' && mayBackUp(record)) return 'bad';
  return entry.backers === 'unjudged' && mayBackUp(record) ? 'deferred' : 'open';
}

function narrowOrExtend<Id>(view: QueueView<Id>, land: number, red: number): Id[] {
  const lengths = red < 0 ? extend(view, land) : narrow(view, land, red + 1);
  return lengths.flatMap((length) => view.stack[length - 1] ?? []).map((entry) => entry.id);
}

/** The first bad one is among those after `land` and up to `red`, which are prefix lengths. */
function narrow({ stack, slots, record }: QueueView<unknown>, land: number, red: number): number[] {
  if (stack.slice(land, red).some((entry) => entry.running)) return [];
  const parts = slots >= MANY_SLOTS ? slots : 1;
  return cutsOf(red - land, rateOf(slots, record), parts).map((cut) => land + cut);
}

/** Batch after batch, each on the guess that all before it are good. */
function extend({ stack, slots, record, waiting }: QueueView<unknown>, land: number): number[] {
  const rate = rateOf(slots, record);
  const batch = batchSize(rate);
  const likely = slots >= MANY_SLOTS ? AHEAD_OF_MANY : rate < MANY_BAD ? AHEAD_OF_FEW : 1;
  const lengths: number[] = [];
  let top = Math.max(land, stack.findLastIndex((entry) => entry.running) + 1);
  while (top < stack.length && (1 - rate) ** (top - land) >= likely) {
    // Not a smaller batch while more branches could be put on top of it.
    if (top + batch > stack.length && waiting > 0) break;
    top = Math.min(stack.length, top + batch);
    lengths.push(top);
  }
  // Slots to spare: the first batch, which is red as often as not, is cut at once, and no second round is needed.
  const first = lengths[0] ?? 0;
  const spare = slots >= MANY_SLOTS && batch <= slots && first > land ? slots - lengths.length : 0;
  return [...lengths, ...cutsOf(first - land, rate, spare).map((cut) => land + cut)];
}

function rateOf(slots: number, record: QueueRecord): number {
  return judgesAloneFirst({ slots, record }) ? residualRate(record) : failureRate(record);
}
