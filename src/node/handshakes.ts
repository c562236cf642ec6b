/**
 * Logins take turns: one at a time per node, because sshd drops logins beyond its MaxStartups, and few in all. Nodes
 * that failed before have a lane of their own: a dozen machines that are switched off, each waiting for its time-out,
 * must not keep a good one from coming back.
 */
import pLimit, { type LimitFunction } from 'p-limit';
import { DispatchError } from '../model/error.ts';
import type { NodeName } from '../model/ids.ts';

/** Logins under way at the same time, in this process. */
export const HANDSHAKES = { fresh: 4, failing: 2 } as const;
export type Lane = keyof typeof HANDSHAKES;

const lanes: Readonly<Record<Lane, LimitFunction>> = {
  fresh: pLimit(HANDSHAKES.fresh),
  failing: pLimit(HANDSHAKES.failing),
};
const perNode = new Map<NodeName, LimitFunction>();

/**
 * Runs a login when it is its turn.
 * @param hurry aborted when the node is seen to be back: then its turn is also looked for among the good ones.
 * @throws what it throws, or DispatchError E_NODE_DISCONNECTED at once when `signal` is aborted before its turn.
 */
export function handshake<T>(
  node: NodeName,
  lane: Lane,
  login: () => Promise<T>,
  signal?: AbortSignal,
  hurry?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void =>
      reject(new DispatchError('E_NODE_DISCONNECTED', `connecting to ${node} was given up`, { where: node }));
    signal?.addEventListener('abort', giveUp, { once: true });
    const turn = async (): Promise<void> => {
      signal?.removeEventListener('abort', giveUp);
      if (signal?.aborted === true) return giveUp();
      await login().then(resolve, reject);
    };
    void turnsOf(node)(() => firstTurn(turn, lane, hurry));
  });
}

/** Runs it once, in the lane where its turn comes first. */
function firstTurn(turn: () => Promise<void>, lane: Lane, hurry: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    let begun = false;
    const once = async (): Promise<void> => {
      if (begun) return;
      begun = true;
      await turn();
      resolve();
    };
    const overtake = (): void => {
      if (!begun) void lanes.fresh(once);
    };
    hurry?.addEventListener('abort', overtake, { once: true });
    void lanes[lane](once);
    if (hurry?.aborted === true) overtake();
  });
}

function turnsOf(node: NodeName): LimitFunction {
  const known = perNode.get(node);
  if (known !== undefined) return known;
  const turns = pLimit(1);
  perNode.set(node, turns);
  return turns;
}
