/** Performs the effects on a hub: gives the merge room what it has to know from state and nodes. */
import { gateRules } from '../gates/rules.ts';
import { performHubEffect } from '../merge/effects.ts';
import { problemOf } from '../merge/problem.ts';
import type { HubEffect, HubResult } from '../merge/door.ts';
import type { WorkFacts } from '../merge/work.ts';
import { DispatchError } from '../model/error.ts';
import type { CommitId, NodeName, Token } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { NodeLink } from '../node/link.ts';
import { NodeRefusal } from '../node/refusal.ts';
import type { Hubs } from './hubs.ts';

export interface HubHands {
  readonly state: State;
  readonly hubs: Hubs;
  readonly links: ReadonlyMap<NodeName, NodeLink>;
}

/** Never throws: what went wrong comes back as an input. */
export async function performOnHub(effect: HubEffect, hands: HubHands): Promise<HubResult> {
  try {
    const hub = await hands.hubs.of(effect.project);
    return await performHubEffect(effect, {
      hub,
      attempt: (token) => workFacts(hands.state, token),
      bundleFile: () => hands.hubs.bundleFile(),
      getBundle: (token, have, file) => getBundle(hands, token, have, file),
    });
  } catch (error) {
    return { is: 'effect.failed', key: effect.key, problem: problemOf(error) };
  }
}

function workFacts(state: State, token: Token): WorkFacts {
  const attempt = state.attempts.get(token);
  const task = attempt === undefined ? undefined : state.tasks.get(attempt.task);
  const config = task === undefined ? undefined : state.projects.get(task.spec.project)?.config;
  if (attempt === undefined || attempt.base === null || task === undefined || config === undefined) {
    throw new DispatchError('E_INTERNAL', `no work attempt ${token} with a base`);
  }
  const { id, title, verify } = task.spec;
  return {
    task: id,
    title,
    base: attempt.base,
    rules: gateRules(task.spec, config),
    commands: [verify, ...(config.areas ?? []).map((area) => area.verify)],
  };
}

async function getBundle(
  { state, links }: HubHands,
  token: Token,
  have: readonly CommitId[],
  file: string,
): Promise<boolean> {
  const node = state.attempts.get(token)?.node;
  const link = node === undefined ? undefined : links.get(node);
  if (link === undefined) throw new DispatchError('E_INTERNAL', `no node holds attempt ${token}`);
  try {
    await link.getBundle(token, have, file);
    return true;
  } catch (error) {
    if (!(error instanceof NodeRefusal)) throw error;
    if (error.code === 'unknown') return false;
    // The node's trouble, and not the hub's.
    if (error.code === 'no-space')
      throw new DispatchError('E_NODE_NO_SPACE', `${node} has no space left to hand a branch over in`, {
        why: error.message,
        fix: `free some space on ${node}; the branch is there, and is fetched then`,
      });
    throw new DispatchError('E_NODE_REFUSED', `${node} cannot hand a branch over now`, {
      why: error.message,
      fix: `the branch is there, and is asked for again; if it repeats: dispatch nodes probe ${node}`,
    });
  }
}
