/** Looks after the machines, every turn: holds what is known of each against the rules, and records what follows. */
import { assertNever } from '../model/assert.ts';
import type { Source } from '../model/event.ts';
import { newNode } from '../model/found.ts';
import { type Ailment, type AilmentKind, ailmentOf, countedFaults, WELL } from '../model/health.ts';
import type { NodeName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { NodeState } from '../model/state.ts';
import { AILMENTS, RULES, type Seen, type Treatment } from '../schedule/health.ts';
import { mark } from './marks.ts';
import type { Turn } from './turn.ts';

export function tendNodes(turn: Turn, configs: readonly NodeConfig[]): void {
  const { state, memory } = turn;
  for (const config of configs) {
    const { name } = config;
    // One that was never reached has no state yet, and may answer with a wrong host key all the same.
    const node = state.nodes.get(name) ?? newNode(name);
    tend(turn, {
      node,
      config,
      disk: memory.disks.get(name) ?? null,
      trouble: memory.troubles.get(name) ?? null,
      connected: memory.connected.has(name),
      faults: countedFaults(node, state.nodes.values()),
    });
  }
  const named = new Set(configs.map(({ name }) => name));
  for (const node of state.nodes.values()) if (!named.has(node.name)) forget(turn, node);
}

function tend(turn: Turn, seen: Seen): void {
  const { name } = seen.node;
  for (const kind of AILMENTS) {
    const rule = RULES[kind];
    const node = turn.state.nodes.get(name) ?? seen.node;
    const known = ailmentOf(node.health, kind);
    const found = rule.detect(seen);
    if (found !== null && 'ill' in found && (known === null || (rule.retold && known.evidence !== found.ill)))
      turn.record({ type: 'node.ailing', node: name, ailment: kind, evidence: found.ill });
    if (found !== null && 'well' in found && known !== null) heal(turn, node, kind, found.well);
    const ailment = ailmentOf(turn.state.nodes.get(name)?.health ?? WELL, kind);
    if (ailment !== null) treat(turn, name, ailment, rule.treat(ailment, { ...seen, node }, turn.now));
  }
}

function treat(turn: Turn, node: NodeName, { kind: ailment }: Ailment, treatment: Treatment): void {
  switch (treatment?.do) {
    case undefined:
      return;
    case 'wait':
      return turn.wakeAt(treatment.until);
    case 'repair':
      return turn.record({ type: 'node.repairing', node, ailment, by: treatment.by });
    case 'mark':
      turn.record({ type: 'node.repairing', node, ailment, by: treatment.mark });
      return mark(turn, node, treatment.mark, ailment);
    case 'end':
      return turn.record({ type: 'node.repaired', node, ailment, did: treatment.did });
    default:
      assertNever(treatment);
  }
}

/** A mark that was made for it goes with it. */
export function heal(
  turn: Turn,
  node: NodeState,
  ailment: AilmentKind,
  how: string,
  source: Source | null = null,
): void {
  if (ailmentOf(node.health, ailment) === null) return;
  if (node.health.markedFor === ailment) mark(turn, node.name, 'none', ailment);
  turn.record({ type: 'node.healed', node: node.name, ailment, how }, source);
  if (ailment === 'disk' && turn.memory.cramped.delete(node.name)) turn.memory.shunned.delete(node.name);
}

/** Nobody asks a node that is not in nodes.json any more. */
function forget(turn: Turn, node: NodeState): void {
  for (const { kind } of node.health.ailments) heal(turn, node, kind, 'it was taken out of nodes.json');
}
