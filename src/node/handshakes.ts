import pLimit, { type LimitFunction } from 'p-limit';
import type { NodeName } from '../model/ids.ts';

/** Logins under way at the same time, in this process: sshd drops logins beyond its MaxStartups. */
export const HANDSHAKES = 6;

const all = pLimit(HANDSHAKES);
const perNode = new Map<NodeName, LimitFunction>();

/** Runs a login when it is its turn: one at a time per node, few in all. */
export function handshake<T>(node: NodeName, login: () => Promise<T>): Promise<T> {
  let own = perNode.get(node);
  if (own === undefined) {
    own = pLimit(1);
    perNode.set(node, own);
  }
  return own(() => all(login));
}
