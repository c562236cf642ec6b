/** Performs the effects that concern a node: orders, cancels, forgets. Every answer comes back as an input; none throws. */
import { problemOf } from '../merge/problem.ts';
import type { CommitId, NodeName, ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { NodeLink } from '../node/link.ts';
import { NodeRefusal } from '../node/refusal.ts';
import type { Effect, Input } from './door.ts';
import type { Hubs } from './hubs.ts';
import { buildOrder, type OrderSources } from './orders.ts';

export type NodeEffect = Extract<Effect, { do: 'start' | 'cancel' | 'forget' }>;

export interface NodeHands {
  readonly state: State;
  readonly epoch: number;
  readonly links: ReadonlyMap<NodeName, NodeLink>;
  readonly hubs: Hubs;
  readonly orders: OrderSources;
  /** The node has seen a higher epoch: another controller has taken over, and this one must stop. */
  readonly onSuperseded: (node: NodeName) => void;
  /** The node has no space for an order: how much it has is worth a look. */
  readonly onNoSpace: (node: NodeName) => void;
}

export async function performNodeEffect(effect: NodeEffect, hands: NodeHands): Promise<Input> {
  const { key, token } = effect;
  const link = hands.links.get(effect.node);
  if (link === undefined) return failed(key, 'E_NODE_UNREACHABLE', `no node ${effect.node}`);
  try {
    switch (effect.do) {
      case 'start':
        return await start(effect, link, hands);
      case 'cancel': {
        const { epoch } = hands;
        const { state } = await link.call({ op: 'cancel', token, reason: effect.reason, epoch });
        return { is: 'cancelled', key, token, state };
      }
      case 'forget':
        await link.call({ op: 'forget', token, epoch: hands.epoch });
        return { is: 'forgotten', key, token };
    }
  } catch (error) {
    return refusedOrFailed(effect, error, hands);
  }
}

async function start(
  effect: Extract<Effect, { do: 'start' }>,
  link: NodeLink,
  hands: NodeHands,
): Promise<Input> {
  const { key, token, node } = effect;
  const attempt = hands.state.attempts.get(token);
  if (attempt === undefined) return failed(key, 'E_INTERNAL', `no attempt ${token}`);
  const order = await buildOrder(hands.state, attempt, hands.orders);
  const commits = neededCommits(
    attempt.base,
    order.work.kind === 'work' ? (order.work.tree?.previous ?? null) : null,
  );
  if (commits.length > 0) await hands.hubs.supply(node, link, order.project, commits);
  // It may have been cancelled while its base was on the way; an order sent now would start it after all.
  if (attempt.phase.is !== 'claimed') return { is: 'started', key, token };
  await link.call({ op: 'start', order });
  return { is: 'started', key, token };
}

function neededCommits(base: CommitId | null, previous: CommitId | null): CommitId[] {
  return [base, previous].filter((commit) => commit !== null);
}

function refusedOrFailed(effect: NodeEffect, error: unknown, hands: NodeHands): Input {
  const { key, token, node } = effect;
  if (error instanceof NodeRefusal) {
    if (error.code === 'fenced') hands.onSuperseded(node);
    if (error.code === 'no-space') hands.onNoSpace(node);
    if (error.code === 'missing-base') hands.hubs.forgetSupply(node, projectOf(hands.state, token));
    if (effect.do === 'start' && error.code !== 'missing-base' && error.code !== 'fenced') {
      return { is: 'start.refused', key, token, refusal: error.code, message: error.message };
    }
    return failed(key, 'E_NODE_REFUSED', error.message);
  }
  const { code } = problemOf(error);
  return failed(key, code, error instanceof Error ? error.message : String(error));
}

function projectOf(state: State, token: NodeEffect['token']): ProjectName {
  const key = state.attempts.get(token)?.task ?? '/';
  return key.slice(0, key.indexOf('/')) as ProjectName;
}

export function failed(key: string, code: string, message: string): Input {
  return { is: 'effect.failed', key, problem: { code, message } };
}
