/** What nodes say of their own health: in the journal, with a hello, and when they are asked. */
import type { Source } from '../model/event.ts';
import { ailmentOf, type AilmentKind } from '../model/health.ts';
import type { NodeName } from '../model/ids.ts';
import type { NodeState } from '../model/state.ts';
import type { InventoryEntry, JournalEntry } from '../protocol/messages.ts';
import type { Input } from './door.ts';
import { heal } from './tend.ts';
import type { Turn } from './turn.ts';

type Word = Extract<JournalEntry, { type: 'tmux.lost' | 'tmux.mended' | 'stuck.seen' | 'stuck.gone' }>;

export function nodeWord(turn: Turn, entry: Word, source: Source): void {
  const { node } = source;
  switch (entry.type) {
    case 'tmux.lost': {
      const ailment = `tmux-${entry.what}` as const;
      turn.record({ type: 'node.ailing', node, ailment, evidence: entry.detail }, source);
      turn.record({ type: 'node.repairing', node, ailment, by: 'node' });
      return;
    }
    case 'tmux.mended':
      return mended(turn, `tmux-${entry.what}`, entry.detail, source);
    case 'stuck.seen': {
      const many = entry.pids.length === 1 ? 'process' : 'processes';
      const evidence = `${many} ${entry.pids.join(', ')} of attempt ${entry.token.slice(0, 8)} still there ${Math.round(entry.forMs / 1000)} s after SIGKILL`;
      turn.record({ type: 'node.ailing', node, ailment: 'unkillable', evidence }, source);
      return;
    }
    case 'stuck.gone':
      return entry.left > 0 ? undefined : mended(turn, 'unkillable', 'the last of them is gone', source);
  }
}

function mended(turn: Turn, ailment: AilmentKind, how: string, source: Source): void {
  const node = turn.state.nodes.get(source.node);
  if (node !== undefined) heal(turn, node, ailment, how, source);
}

/**
 * What a hello tells besides its words, held against what was known of the node before: another boot, another program.
 * To be called before the hello is recorded.
 */
export function arrival(turn: Turn, { node: name, welcome, inventory, program }: NodeUp): () => void {
  const known = turn.state.nodes.get(name);
  const before = {
    bootId: known?.bootId ?? null,
    program: known?.program ?? null,
    journal: known?.journal ?? null,
  };
  return () => {
    const node = turn.state.nodes.get(name);
    if (node === undefined) return;
    if (turn.memory.restarting.delete(name) && ailmentOf(node.health, 'failing')?.repair?.did === null) {
      const did = 'another supervisor took its place and adopted what ran';
      turn.record({ type: 'node.repaired', node: name, ailment: 'failing', did });
    }
    if (before.bootId !== null && before.bootId !== welcome.bootId)
      rebooted(turn, node, before.bootId, inventory);
    else if (before.journal !== null && before.journal !== welcome.journal)
      forgetWords(turn, node, 'what it knew of itself was wiped');
    if (program === undefined) return;
    if (welcome.program !== program) stale(turn, node, welcome.program, program);
    else if (ailmentOf(node.health, 'program') !== null)
      heal(turn, node, 'program', `it runs ${short(program)} now`);
    else if (before.program !== null && before.program !== program)
      reshipped(turn, node, before.program, program);
  };
}

type NodeUp = Extract<Input, { is: 'node.up' }>;

/** What ran is dead, and the node's journal says so of each attempt; what hung in the old kernel is gone. */
function rebooted(turn: Turn, node: NodeState, before: string, inventory: readonly InventoryEntry[]): void {
  const lost = inventory.filter(
    ({ outcome }) => outcome?.kind === 'lost' && outcome.why === 'rebooted',
  ).length;
  const evidence = `boot ${short(before)} is over, it runs ${short(node.bootId ?? '')}`;
  seen(turn, node.name, 'reboot', evidence, 'node');
  heal(turn, node, 'reboot', `it is back; attempts of the old boot: ${lost} lost`);
  forgetWords(turn, node, 'the machine started anew');
}

/** What only its journal could take back. */
function forgetWords(turn: Turn, node: NodeState, how: string): void {
  for (const kind of ['unkillable', 'tmux-server', 'tmux-socket'] as const) heal(turn, node, kind, how);
}

/** Others use it, and it speaks the same protocol: so it stays until they have left (see task-wrapper/supervise.ts). */
function stale(turn: Turn, node: NodeState, runs: string, wanted: string): void {
  const evidence = `it runs ${short(runs)} for another controller, this one has ${short(wanted)}`;
  if (ailmentOf(node.health, 'program')?.evidence !== evidence)
    seen(turn, node.name, 'program', evidence, 'ship');
}

function reshipped(turn: Turn, node: NodeState, ran: string, program: string): void {
  const evidence = `it ran ${short(ran)}, this controller has ${short(program)}`;
  seen(turn, node.name, 'program', evidence, 'ship');
  heal(turn, node, 'program', `it runs ${short(program)} now`);
}

function seen(turn: Turn, node: NodeName, ailment: AilmentKind, evidence: string, by: 'node' | 'ship'): void {
  turn.record({ type: 'node.ailing', node, ailment, evidence });
  turn.record({ type: 'node.repairing', node, ailment, by });
}

function short(id: string): string {
  return id.slice(0, 8);
}

/** A repair was carried out; whether it helped, the next look shows. */
export function repaired(
  turn: Turn,
  { node: name, ailment: kind, did }: Extract<Input, { is: 'mended' }>,
): void {
  const node = turn.state.nodes.get(name);
  const ailment = node === undefined ? null : ailmentOf(node.health, kind);
  if (ailment?.repair?.did !== null) return;
  if (did === null) turn.memory.restarting.add(name);
  else turn.record({ type: 'node.repaired', node: name, ailment: kind, did });
}
