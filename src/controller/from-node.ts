/** Inputs that come from nodes: connection news, journal entries, and answers to orders. */
import { assertNever } from '../model/assert.ts';
import type { Attempt } from '../model/attempt.ts';
import { cleanNotes } from '../executors/notes.ts';
import type { Source } from '../model/event.ts';
import type { NodeName, Token } from '../model/ids.ts';
import type { InventoryEntry, JournalEntry } from '../protocol/messages.ts';
import type { Input } from './door.ts';
import type { Memory } from './memory.ts';
import { MAX_START_TRIES } from './policy.ts';
import { hearRefusal } from './govern.ts';
import { arrival, nodeWord } from './node-words.ts';
import { giveUpClaim, loseClaim, settleEnd } from './settle.ts';
import { shun } from './shun.ts';
import type { Turn } from './turn.ts';

/** Adopts what the node has: nothing is reaped, and only what it provably lost is given up. */
export function nodeUp(turn: Turn, input: Extract<Input, { is: 'node.up' }>): void {
  const { node, welcome, inventory } = input;
  const { state, memory } = turn;
  memory.connected.add(node);
  memory.suspect.delete(node);
  memory.tried.add(node);
  heard(memory, node);
  memory.troubles.delete(node);
  const { bootId, journal, program } = welcome;
  const told = arrival(turn, input);
  turn.record({ type: 'node.connected', node, bootId, journal, program });
  told();
  const known = new Map(inventory.map((entry) => [entry.token, entry]));
  const gap = (welcome.held ?? 0) > (state.nodes.get(node)?.cursor ?? 0) + 1;
  // A set may lose members while it is walked.
  for (const token of state.live.get(node) ?? []) adopt(turn, token, known.get(token), gap);
  // A cancel that was taken may have gone with the disk or the boot: it is asked for again, and "unknown" settles it.
  for (const token of state.fenced) {
    if (state.attempts.get(token)?.node === node) memory.cancelling.delete(token);
  }
  for (const entry of inventory) sortOut(turn, node, entry);
}

/** Whatever comes from a node renews its lease. */
function heard({ silent, vain }: Memory, node: NodeName): void {
  silent.delete(node);
  vain.delete(node);
}

/** @param gap entries of the journal were acknowledged that this store does not know: it was put back from a backup. */
function adopt(turn: Turn, token: Token, entry: InventoryEntry | undefined, gap: boolean): void {
  const attempt = turn.state.attempts.get(token);
  if (attempt === undefined) return;
  if (entry === undefined) {
    // Claimed and unknown there: the order never arrived; it is sent again with the same token.
    if (attempt.phase.is === 'claimed') turn.memory.unordered.add(token);
    else settleEnd(turn, attempt, { kind: 'lost', why: 'wiped' }, null);
    return;
  }
  turn.memory.unordered.delete(token);
  if (entry.state !== 'ended') return;
  // Nobody will tell of this end again.
  if (gap && entry.outcome !== null) settleEnd(turn, attempt, entry.outcome, null);
  else turn.memory.awaited.add(token);
}

/** Ended attempts that a node still keeps: either somebody needs the result, or it may go. */
function sortOut(turn: Turn, node: NodeName, entry: InventoryEntry): void {
  const { state, memory } = turn;
  const attempt = state.attempts.get(entry.token);
  if (attempt === undefined || attempt.phase.is === 'claimed' || attempt.phase.is === 'running') return;
  if (state.fenced.has(entry.token)) return;
  if (entry.state !== 'ended' || isWanted(turn, attempt)) return;
  const head = entry.outcome !== null && 'head' in entry.outcome ? (entry.outcome.head ?? null) : null;
  if (head === null || attempt.work.kind === 'gate') memory.forgettable.set(entry.token, node);
  else memory.salvage.set(entry.token, head);
}

/** The branch is still only on the node. */
function isWanted(turn: Turn, attempt: Attempt): boolean {
  const progress = turn.state.tasks.get(attempt.task)?.progress;
  return progress?.at === 'finished' && progress.token === attempt.token;
}

export function nodeDown(turn: Turn, input: Extract<Input, { is: 'node.down' }>): void {
  const { state, memory } = turn;
  memory.tried.add(input.node);
  if (!memory.vain.has(input.node)) memory.vain.set(input.node, 'new');
  if (!memory.silent.has(input.node)) memory.silent.set(input.node, 0);
  for (const token of state.live.get(input.node) ?? []) memory.awaited.delete(token);
  if (input.code !== undefined) memory.troubles.set(input.node, { code: input.code, message: input.reason });
  const wasConnected = memory.connected.delete(input.node);
  if (!memory.suspect.delete(input.node) && !wasConnected) return;
  turn.record({ type: 'node.disconnected', node: input.node, reason: input.reason });
}

/**
 * After sleep every connection is suspect: until a node has answered nothing is placed there, nothing is asked of it, and
 * nobody concludes anything from its silence. Attempts and their deadlines are the nodes' business and went on; what
 * waits here waits for a moment of the wall clock, and has waited enough if it has passed.
 */
export function woke(turn: Turn, { sleptMs }: Extract<Input, { is: 'woke' }>): void {
  const { connected, suspect, tried, vain } = turn.memory;
  for (const node of connected) {
    suspect.add(node);
    tried.delete(node);
  }
  connected.clear();
  vain.clear();
  turn.record({ type: 'controller.slept', ms: sleptMs });
}

/**
 * The connection has outlived the sleep, and with it all that was said over it. A person who gave the node up meanwhile is
 * proved wrong as by a new connection: it is used again, and told to stop what was given up.
 */
export function nodeAlive(turn: Turn, { node }: Extract<Input, { is: 'node.alive' }>): void {
  const { memory, state } = turn;
  if (!memory.suspect.delete(node)) return;
  const { silence, bootId = null, journal = null, program = null } = state.nodes.get(node) ?? {};
  if (silence?.is === 'lost' && bootId !== null && journal !== null && program !== null)
    turn.record({ type: 'node.connected', node, bootId, journal, program });
  memory.connected.add(node);
  memory.tried.add(node);
  heard(memory, node);
}

/** Recorded when it is new: a node says the same with every connection. */
export function nodeProbed(turn: Turn, input: Extract<Input, { is: 'node.probed' }>): void {
  const known = turn.state.nodes.get(input.node)?.programs ?? {};
  const news = Object.entries(input.programs).filter(
    ([key, report]) => JSON.stringify(known[key]) !== JSON.stringify(report),
  );
  if (news.length === 0) return;
  turn.record({ type: 'node.probed', node: input.node, programs: Object.fromEntries(news) });
}

/** Applies each journal entry once: what the cursor has passed is skipped. */
export function nodeNews(turn: Turn, input: Extract<Input, { is: 'node.news' }>): void {
  const { node, journal } = input;
  for (const entry of input.entries) {
    const known = turn.state.nodes.get(node);
    if (known !== undefined && (known.journal !== journal || entry.seq <= known.cursor)) continue;
    applyEntry(turn, entry, { node, journal, seq: entry.seq });
  }
}

function applyEntry(turn: Turn, entry: JournalEntry, source: Source): void {
  switch (entry.type) {
    case 'supervisor.started':
      return;
    case 'attempt.running': {
      const attempt = turn.state.attempts.get(entry.token);
      if (attempt?.phase.is !== 'claimed') return;
      turn.memory.unordered.delete(entry.token);
      turn.record({ type: 'attempt.running', token: entry.token }, source);
      return;
    }
    case 'attempt.step': {
      const { token, round, step } = entry;
      if (turn.state.attempts.get(token)?.phase.is !== 'running') return;
      turn.record({ type: 'attempt.progressed', token, round, step }, source);
      return;
    }
    case 'attempt.noted': {
      const { token } = entry;
      const phase = turn.state.attempts.get(token)?.phase.is;
      // A node is where agents run: what it sends is cleaned once more.
      const notes = phase === 'claimed' || phase === 'running' ? cleanNotes(entry) : null;
      if (notes !== null) turn.record({ type: 'attempt.noted', token, ...notes }, source);
      return;
    }
    case 'attempt.stalled':
    case 'attempt.moved':
      return stallNews(turn, entry, source);
    case 'provider.refused':
      return providerRefused(turn, entry, source);
    case 'attempt.ended':
      return attemptEnded(turn, entry, source);
    case 'tmux.lost':
    case 'tmux.mended':
    case 'stuck.seen':
    case 'stuck.gone':
      return nodeWord(turn, entry, source);
    default:
      assertNever(entry);
  }
}

/** Said again after a new connection, or when the attempt is over by now: nothing to record. */
function stallNews(
  turn: Turn,
  entry: Extract<JournalEntry, { type: 'attempt.stalled' | 'attempt.moved' }>,
  source: Source,
): void {
  const { token } = entry;
  const phase = turn.state.attempts.get(token)?.phase;
  if (phase?.is !== 'running') return;
  if (entry.type === 'attempt.stalled') turn.record({ type: entry.type, token, stall: entry.stall }, source);
  else if (phase.stall !== undefined) turn.record({ type: entry.type, token }, source);
}

/** The key is spared from now on, whatever becomes of the attempt: its agent may still get through. */
function providerRefused(
  turn: Turn,
  { token, refusal, message }: Extract<JournalEntry, { type: 'provider.refused' }>,
  source: Source,
): void {
  const attempt = turn.state.attempts.get(token);
  if (attempt?.phase.is === 'running') hearRefusal(turn, attempt, { refusal, message, source });
}

function attemptEnded(
  turn: Turn,
  entry: Extract<JournalEntry, { type: 'attempt.ended' }>,
  source: Source,
): void {
  const { token, outcome } = entry;
  const { state, memory } = turn;
  memory.awaited.delete(token);
  const attempt = state.attempts.get(token);
  if (attempt !== undefined && (attempt.phase.is === 'claimed' || attempt.phase.is === 'running')) {
    return settleEnd(turn, attempt, outcome, source);
  }
  turn.record({ type: 'attempt.late', token, what: `ended: ${outcome.kind}` }, source);
  memory.cancelling.delete(token);
  // An end that is told a second time says nothing of what is still to be fetched.
  if (attempt === undefined || attempt.phase.is === 'ended' || memory.salvage.has(token)) return;
  const head = 'head' in outcome ? (outcome.head ?? null) : null;
  if (head === null || attempt.work.kind === 'gate') memory.forgettable.set(token, attempt.node);
  else memory.salvage.set(token, head);
}

export function started(turn: Turn, input: Extract<Input, { is: 'started' }>): void {
  turn.memory.unordered.delete(input.token);
}

/** The node will not run the attempt, and has not begun to. */
export function startRefused(
  turn: Turn,
  input: Extract<Input, { is: 'start.refused' }>,
  tries: number,
): void {
  const { token, refusal, message } = input;
  const attempt = turn.state.attempts.get(token);
  if (attempt === undefined || attempt.phase.is !== 'claimed') return;
  if (refusal === 'no-space' || refusal === 'missing-program') {
    shun(turn, attempt.node, message);
    if (refusal === 'no-space') turn.memory.cramped.add(attempt.node);
    return giveUpClaim(turn, attempt, message, null);
  }
  // A store that was put back does not know what became of it: it was told to the one before.
  if (refusal === 'forgotten') return loseClaim(turn, attempt, 'it ended before the state was put back');
  if (tries < MAX_START_TRIES) return;
  // What is wrong there is not the order: another node may take it, and this one is held to account.
  if (refusal === 'internal') {
    shun(turn, attempt.node, message, attempt.task);
    loseClaim(turn, attempt, message);
  } else giveUpClaim(turn, attempt, message, `the node refuses it (${refusal}): ${message}`);
}

/** Nothing new goes there for a while: it says what cannot be, or is not understood. */
export function unfit(turn: Turn, { node, why }: Extract<Input, { is: 'unfit' }>): void {
  shun(turn, node, why);
}

/** The node's word on a cancel: gone, over, or on its way. */
export function cancelTaken(turn: Turn, input: Extract<Input, { is: 'cancelled' }>): void {
  const { token, state } = input;
  if (!turn.state.fenced.has(token)) return;
  if (state === 'cancelling') {
    turn.memory.cancelling.add(token);
    return;
  }
  const what = state === 'unknown' ? 'the node does not know it' : 'it had ended';
  turn.record({ type: 'attempt.late', token, what });
}
