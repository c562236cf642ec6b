/**
 * Whose silence counts. When nobody over the network answers, the fault is most likely this machine's own network, and no
 * lease runs. Where a fleet has but one machine over the network, nobody can bear witness, and its lease alone decides,
 * as long as there is somewhere else to start at all.
 */
import type { NodeName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { Snapshot } from './snapshot.ts';

/** A node that does not answer now. */
export interface Silence {
  readonly node: NodeName;
  /** Silence as the lease counts it, milliseconds. */
  readonly silentMs: number;
  /** Null: only a person ends it. */
  readonly leaseMs: number | null;
  /** False: the lease stands still, because nobody else answers either. */
  readonly counts: boolean;
}

type Fleet = Pick<Snapshot, 'nodes' | 'connected'>;

/** Somebody else answers, so it is the node that does not, and not this machine's network that is gone. */
export function isWitnessed(node: NodeName, { nodes, connected }: Fleet): boolean {
  const others = nodes.filter(({ name }) => name !== node);
  const distant = others.filter(isDistant);
  return (distant.length > 0 ? distant : others).some(({ name }) => connected.has(name));
}

/** Several machines over the network, and none of them answers. */
export function isCutOff({ nodes, connected }: Fleet): boolean {
  const distant = nodes.filter(isDistant);
  return distant.length > 1 && distant.every(({ name }) => !connected.has(name));
}

function isDistant({ reach }: NodeConfig): boolean {
  return reach.by !== 'local';
}

/** Null for a node that answers, or that was never silent as far as is known. */
export function silenceOf(snapshot: Snapshot, node: NodeName): Silence | null {
  const { connected, silent, nodes } = snapshot;
  const silentMs = silent?.get(node);
  if (connected.has(node) || silentMs === undefined) return null;
  const leaseMs = nodes.find(({ name }) => name === node)?.leaseMs ?? null;
  return { node, silentMs, leaseMs, counts: isWitnessed(node, snapshot) };
}
