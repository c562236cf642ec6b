/** Facts about nodes: marks, refusals, what ails them and what mends it. Part of `evolve`. */
import type { Outcome } from './attempt.ts';
import type { Fact } from './event.ts';
import { expect, nodeOf } from './found.ts';
import {
  type Ailment,
  ailmentOf,
  MOST_FAULTS,
  MOST_HEALED,
  type NodeHealth,
  verdictOnNode,
} from './health.ts';
import type { NodeName, TaskKey } from './ids.ts';
import type { NodeState, State } from './state.ts';

type Of<Type extends Fact['type']> = Extract<Fact, { type: Type }>;

/** Whoever uses a node again wants it tried as if nothing had been. */
export function markNode(state: State, fact: Of<'node.marked'>): void {
  const node = nodeOf(state, fact.node);
  node.mark = fact.mark;
  change(node, { markedFor: fact.for ?? null, ...(fact.mark === 'none' ? { faults: [] } : {}) });
}

export function refuseNode(state: State, fact: Of<'node.refused'>, at: number): void {
  const node = nodeOf(state, fact.node);
  if (fact.task !== undefined) addFault(node, { task: fact.task, reason: fact.reason, at });
}

/** Seen, or seen again with other figures. */
export function ailNode(
  state: State,
  { node: name, ailment: kind, evidence }: Of<'node.ailing'>,
  at: number,
): void {
  const node = nodeOf(state, name);
  const known = ailmentOf(node.health, kind);
  if (known === null) {
    change(node, { ailments: [...node.health.ailments, { kind, evidence, since: at, repair: null }] });
  } else putAilment(node, { ...known, evidence });
}

export function repairNode(state: State, fact: Of<'node.repairing'>, at: number): void {
  const { node, known } = ailingNode(state, fact);
  const times = known.repair?.by === fact.by ? known.repair.times + 1 : 1;
  putAilment(node, { ...known, repair: { by: fact.by, at, times, did: null } });
}

export function repairedNode(state: State, fact: Of<'node.repaired'>): void {
  const { node, known } = ailingNode(state, fact);
  if (known.repair !== null) putAilment(node, { ...known, repair: { ...known.repair, did: fact.did } });
}

export function healNode(state: State, fact: Of<'node.healed'>, at: number): void {
  const { node, known } = ailingNode(state, fact);
  const { kind, since } = known;
  change(node, {
    ailments: node.health.ailments.filter((ailment) => ailment !== known),
    healed: [{ kind, since, at, how: fact.how }, ...node.health.healed].slice(0, MOST_HEALED),
  });
}

/** What an attempt's end says of its node. */
export function creditNode(
  state: State,
  { node: name, task }: { readonly node: NodeName; readonly task: TaskKey },
  outcome: Outcome,
  at: number,
): void {
  const node = nodeOf(state, name);
  const verdict = verdictOnNode(outcome);
  if (verdict === 'works' && node.health.faults.length > 0) change(node, { faults: [] });
  if (verdict === 'node' && outcome.kind === 'failed') addFault(node, { task, reason: outcome.message, at });
}

function addFault(node: NodeState, fault: NodeHealth['faults'][number]): void {
  change(node, { faults: [...node.health.faults, fault].slice(-MOST_FAULTS) });
}

function ailingNode(
  state: State,
  fact: Of<'node.repairing'> | Of<'node.repaired'> | Of<'node.healed'>,
): { node: NodeState; known: Ailment } {
  const node = nodeOf(state, fact.node);
  const known = ailmentOf(node.health, fact.ailment);
  expect(known !== null, fact, `the node does not have ${fact.ailment}`);
  return { node, known: known as Ailment };
}

function putAilment(node: NodeState, ailment: Ailment): void {
  change(node, {
    ailments: node.health.ailments.map((known) => (known.kind === ailment.kind ? ailment : known)),
  });
}

function change(node: NodeState, part: Partial<NodeHealth>): void {
  node.health = { ...node.health, ...part };
}
