import { assertNever } from '../model/assert.ts';
import { setBase } from './base.ts';
import { collect } from './collect.ts';
import { breakOnPurpose, inspect } from './control.ts';
import { readContract } from './contract.ts';
import { deliver, prepareDelivery } from './deliver.ts';
import { land } from './land.ts';
import { lookAtTarget } from './look.ts';
import { merge } from './merge.ts';
import { predict } from './predict.ts';
import { problemOf } from './problem.ts';
import type { HubEffect, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Performs an effect on a hub and returns what came of it, as the input with the effect's key. Never throws: what went
 * wrong is an `effect.failed`, after which the same effect may be tried again, or a refusal that a person has to mend.
 */
export async function performHubEffect(effect: HubEffect, work: HubWork): Promise<HubResult> {
  try {
    return await perform(effect, work);
  } catch (error) {
    return { is: 'effect.failed', key: effect.key, problem: problemOf(error) };
  }
}

async function perform(effect: HubEffect, work: HubWork): Promise<HubResult> {
  switch (effect.do) {
    case 'base':
      return await setBase(effect, work);
    case 'collect':
      return await collect(effect, work);
    case 'merge':
      return await merge(effect, work);
    case 'predict':
      return await predict(effect, work);
    case 'land':
      return await land(effect, work);
    case 'inspect':
      return await inspect(effect, work);
    case 'contract':
      return await readContract(effect, work);
    case 'break':
      return await breakOnPurpose(effect, work);
    case 'look':
      return await lookAtTarget(effect, work);
    case 'prepare-delivery':
      return await prepareDelivery(effect, work);
    case 'deliver':
      return await deliver(effect, work);
    default:
      return assertNever(effect);
  }
}
