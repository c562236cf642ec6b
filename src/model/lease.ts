/**
 * How long a node may be silent before what runs on it is given up. Silence is not death: until the lease has ended
 * nothing of the node's work starts anywhere else, and who counts it, and when it stands still, is in
 * `controller/leases.ts`.
 */

/** Where nodes.json says nothing. A cut of ten minutes, noticed late and mended slowly, does not even reach half of it. */
export const DEFAULT_LEASE_MS = 30 * 60_000;
/** Shorter than this, a lease would end while a lost connection is only being noticed and made anew. */
export const SHORTEST_LEASE_MS = 5_000;

/** A node that was lost, or that is near to it: what it was taken for, when (wall clock), after how much silence. */
export type NodeSilence =
  /** Its gates run elsewhere already, for a gate changes nothing; its work does not. */
  | { readonly is: 'suspect'; readonly at: number; readonly silentMs: number }
  /** Its work starts elsewhere. `by`: who said so; null: the lease has ended. */
  | { readonly is: 'lost'; readonly at: number; readonly silentMs: number; readonly by: string | null };

/** Silence after which a node is suspect: half of its lease. @param leaseMs null: it is never lost by itself. */
export function suspectAfterMs(leaseMs: number | null): number {
  return (leaseMs ?? DEFAULT_LEASE_MS) / 2;
}
