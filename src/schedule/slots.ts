/**
 * Which nodes may take an attempt, and which of them is best. One test, `closed`, is used both to decide and to
 * explain, so that what `why` prints is what happened.
 */
import { cageLevel, STRICT_CAGE } from '../model/cage.ts';
import { programKey } from '../executors/probe.ts';
import type { Ailment } from '../model/health.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { NodeConfig, ProjectConfig } from '../model/spec.ts';
import type { NodeState, State } from '../model/state.ts';
import { hasCome } from '../model/time.ts';
import { ailmentText, closedBy, isLast } from './health.ts';
import type { NodeVerdict, Snapshot } from './snapshot.ts';

/** Stands for a gate: those run on every node, whatever executors it takes. */
export const ANY_EXECUTOR = null;

/** What an attempt needs of a node. */
export interface Need {
  readonly executor: string;
  /** What the node's word on the executor's program is kept under; null: it was never asked. */
  readonly program: string | null;
  /** It runs in `cage: strict`, which takes a sandbox. */
  readonly strict: boolean;
}

/** What this executor of the project needs; one that is not defined needs its name alone. */
export function needOf(project: ProjectName, executor: string, { projects }: State): Need {
  const config = projects.get(project)?.config;
  const def = config?.executors[executor];
  const needs = config === undefined ? undefined : (kept.get(config) ?? new Map<string, Need>());
  const known = needs?.get(executor);
  if (known !== undefined) return known;
  const need = {
    executor,
    program: def === undefined ? null : programKey(def),
    strict: cageLevel(config?.cage, def ?? {}) === 'strict',
  };
  if (config !== undefined && needs !== undefined) kept.set(config, needs.set(executor, need));
  return need;
}

/** A configuration is replaced, never changed, so its answers may be kept with it. */
const kept = new WeakMap<ProjectConfig, Map<string, Need>>();

type ClosedWhy = Extract<NodeVerdict, { ok: false }>['why'];

interface NodeSlots {
  readonly config: NodeConfig;
  /** Attempts that live there, those decided in this call included. */
  used: number;
  /** Those of them that are gates; counted only where gates may not take every slot. */
  gates: number;
  readonly programs: NodeState['programs'];
  /** How many it may run now: fewer than nodes.json says while attempts fail there. */
  readonly slots: number;
  /** Taken only when no other is free. */
  readonly last: boolean;
  /** What ails it and keeps it closed. */
  readonly ailment: Ailment | null;
  /** What keeps it closed for every executor, fullness aside. */
  readonly shut: 'not-connected' | 'cordoned' | 'draining' | 'ailing' | 'shunned' | null;
}

/** The slots of all nodes during one call: taken one by one as attempts are decided. */
export class Slots {
  private readonly snapshot: Snapshot;
  private readonly now: number;
  private readonly all: readonly NodeSlots[];
  /** Nodes that still have a slot for somebody. */
  private open: NodeSlots[];
  /** Whether some open node takes an executor, as far as it was asked since a node was last filled. */
  private readonly taken = new Map<Need | null, boolean>();

  constructor(snapshot: Snapshot, now: number) {
    this.snapshot = snapshot;
    this.now = now;
    this.all = snapshot.nodes.map((config) => {
      const known = snapshot.state.nodes.get(config.name);
      const last = known !== undefined && isLast(known);
      const ailment = known === undefined ? null : closedBy(known);
      return {
        config,
        used: snapshot.state.live.get(config.name)?.size ?? 0,
        gates: config.gateSlots === null ? 0 : gatesOn(snapshot, config.name),
        programs: known?.programs ?? {},
        slots: last ? Math.min(1, config.slots) : config.slots,
        last,
        ailment,
        shut: shutBecause(snapshot, config.name, ailment, now),
      };
    });
    this.open = this.all.filter((node) => node.shut === null && node.used < node.slots);
  }

  /** True while any node has a free slot for anybody. */
  get any(): boolean {
    return this.open.length > 0;
  }

  /** True while some node has a free slot for this executor. */
  takes(need: Need | null): boolean {
    const known = this.taken.get(need);
    if (known !== undefined) return known;
    const taken = this.open.some((node) => closed(node, need) === null);
    this.taken.set(need, taken);
    return taken;
  }

  /**
   * Takes a slot on the best node that is open for the executor; null when there is none.
   * @param avoid where the last attempt was lost: taken only when no other node is free.
   */
  take(need: Need | null, avoid: NodeName | null): NodeName | null {
    let best: NodeSlots | null = null;
    for (const node of this.open) {
      if (closed(node, need) !== null) continue;
      if (best === null || compareNodes(node, best, avoid) < 0) best = node;
    }
    if (best === null) return null;
    best.used += 1;
    if (need === ANY_EXECUTOR) best.gates += 1;
    if (best.used >= best.slots) {
      this.open = this.open.filter((node) => node !== best);
      this.taken.clear();
    } else if (need === ANY_EXECUTOR) this.taken.delete(ANY_EXECUTOR);
    return best.config.name;
  }

  /** What each node says to this executor, in the order of nodes.json. */
  verdicts(need: Need | null): NodeVerdict[] {
    return this.all.map((node) => {
      const why = closed(node, need);
      if (why === null) return { node: node.config.name, ok: true, free: node.slots - node.used };
      return { node: node.config.name, ok: false, why, detail: this.detail(node, why, need) };
    });
  }

  private detail(node: NodeSlots, why: ClosedWhy, need: Need | null): string {
    switch (why) {
      case 'not-connected':
        return 'no connection';
      case 'cordoned':
        return 'takes no new attempts until it is uncordoned';
      case 'draining':
        return 'finishes what it has and takes nothing new';
      case 'ailing':
        return node.ailment === null ? '' : ailmentText(node.ailment);
      case 'shunned': {
        const { shunned, refusals } = this.snapshot;
        const { name } = node.config;
        const until = shunned.get(name) ?? this.now;
        const reason = refusals?.get(name) ?? 'refused an order';
        return `${reason}; asked again in ${Math.ceil((until - this.now) / 1000)}s`;
      }
      case 'executor':
        return need?.executor ?? '';
      case 'program':
        return problemsOf(node, need).join('; ');
      case 'cage':
        return (node.programs[STRICT_CAGE]?.problems ?? []).join('; ');
      case 'unasked':
        return 'has not said yet whether it can cage an agent';
      case 'full':
        if (node.last) return `one attempt at a time while attempts fail there; ${node.used} in use`;
        return node.used < node.slots
          ? `${node.gates} of ${node.config.gateSlots} slots for gates in use`
          : `${node.used} of ${node.config.slots} slots in use`;
    }
  }
}

function gatesOn({ state }: Snapshot, name: NodeName): number {
  let gates = 0;
  for (const token of state.live.get(name) ?? [])
    if (state.attempts.get(token)?.work.kind === 'gate') gates += 1;
  return gates;
}

function shutBecause(
  snapshot: Snapshot,
  name: NodeName,
  ailment: Ailment | null,
  now: number,
): NodeSlots['shut'] {
  if (!snapshot.connected.has(name)) return 'not-connected';
  const mark = snapshot.state.nodes.get(name)?.mark ?? 'none';
  if (mark === 'cordon') return 'cordoned';
  if (mark === 'drain') return 'draining';
  if (ailment !== null) return 'ailing';
  return hasCome(snapshot.shunned.get(name) ?? 0, now) ? null : 'shunned';
}

/** Why the node takes no attempt of this executor now; null when it does. What lasts longest comes first. */
function closed(node: NodeSlots, need: Need | null): ClosedWhy | null {
  if (node.shut !== null) return node.shut;
  const { mode, gateSlots } = node.config;
  const { slots } = node;
  if (need !== ANY_EXECUTOR && mode !== 'hybrid' && !mode.includes(need.executor)) return 'executor';
  if (problemsOf(node, need).length > 0) return 'program';
  const uncaged = cageBlocker(node, need);
  if (uncaged !== null) return uncaged;
  if (node.used >= slots) return 'full';
  return need === ANY_EXECUTOR && node.gates >= (gateSlots ?? slots) ? 'full' : null;
}

/** What is wrong with the program that the executor runs; a node that was not asked yet may have a good one. */
function problemsOf({ programs }: NodeSlots, need: Need | null): readonly string[] {
  return need?.program == null ? [] : (programs[need.program]?.problems ?? []);
}

/** What keeps an agent from being caged there. A node is asked as soon as a task wants it, and gets none before it has answered. */
function cageBlocker({ programs }: NodeSlots, need: Need | null): 'cage' | 'unasked' | null {
  if (need?.strict !== true) return null;
  const said = programs[STRICT_CAGE];
  if (said === undefined) return 'unasked';
  return said.problems.length > 0 ? 'cage' : null;
}

function compareNodes(a: NodeSlots, b: NodeSlots, avoid: NodeName | null): number {
  // 1. Not where this task was lost last: a node that just failed is also the emptiest one.
  const lost = Number(a.config.name === avoid) - Number(b.config.name === avoid);
  if (lost !== 0) return lost;
  // 2. Not where attempts fail by the node's own fault, as long as another one is free.
  const degraded = Number(a.last) - Number(b.last);
  if (degraded !== 0) return degraded;
  // 3. Least load after taking the attempt, relative to slots; a node of half the weight counts as half as large.
  const load = loadAfter(a) - loadAfter(b);
  if (load !== 0 && !Number.isNaN(load)) return load;
  // 4. Larger weight: settles two nodes whose weight is zero, too.
  if (a.config.weight !== b.config.weight) return b.config.weight - a.config.weight;
  // 5. Name, so that the answer does not depend on the order of nodes.json.
  return a.config.name < b.config.name ? -1 : 1;
}

function loadAfter(node: NodeSlots): number {
  return (node.used + 1) / (node.config.slots * node.config.weight);
}
