/** Does something about what ails a node. */
import { DispatchError } from '../model/error.ts';
import type { NodeLink } from '../node/link.ts';
import { NodeRefusal } from '../node/refusal.ts';
import type { Effect, Input } from './door.ts';
import { failed } from './node-effects.ts';

/** Removing a million files takes its time. */
const SWEEP_MS = 10 * 60_000;

export type Mend = Extract<Effect, { do: 'mend' }>;

/** Never throws: what went wrong comes back as an input. */
export async function mend(effect: Mend, link: NodeLink, epoch: number): Promise<Input> {
  const { key, node, ailment } = effect;
  try {
    return { is: 'mended', key, node, ailment, did: await treat(effect, link, epoch) };
  } catch (error) {
    // An older program knows no repairs; what it says is as final as if it had tried.
    if (error instanceof NodeRefusal)
      return { is: 'mended', key, node, ailment, did: `refused: ${error.message}` };
    const code = error instanceof DispatchError ? error.code : 'E_INTERNAL';
    return failed(key, code, error instanceof Error ? error.message : String(error));
  }
}

async function treat({ by }: Mend, link: NodeLink, epoch: number): Promise<string | null> {
  if (by === 'restart') {
    await link.call({ op: 'restart', epoch });
    return null;
  }
  const { removed, freed } = await link.call({ op: 'sweep', epoch }, { timeoutMs: SWEEP_MS });
  const what = removed.length === 0 ? 'nothing that can be made again is left' : removed.join(', ');
  return `${Math.round(freed / 2 ** 20)} MiB freed: ${what}`;
}
