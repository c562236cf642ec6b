/** What attempts used whose use is known, by executor and by the size of their specs. */
import type { TaskSpec } from '../model/spec.ts';

interface Use {
  readonly tokens: number;
  readonly usd: number;
  readonly unknownUsd: number;
}

/** So many uses are remembered; what an agent took half a year ago says little. */
const MOST = 20;
/** Fewer than this are an accident. */
const LEAST = 3;
/** What nine in ten attempts stay below is reserved: too little would let a budget be overrun by many at once. */
const SHARE = 0.9;

export class History {
  readonly #uses = new Map<string, Use[]>();

  add(executor: string, spec: TaskSpec, use: Use): void {
    for (const key of keysOf(executor, spec)) {
      const uses = this.#uses.get(key) ?? [];
      this.#uses.set(key, uses);
      uses.push({ tokens: use.tokens, usd: use.usd, unknownUsd: use.unknownUsd });
      if (uses.length > MOST) uses.shift();
    }
  }

  /** Of specs of the same size if there are enough, else of all; null when too little is known. */
  expected(
    executor: string,
    spec: TaskSpec,
  ): { readonly tokens: number; readonly usd: number | null } | null {
    for (const key of keysOf(executor, spec)) {
      const uses = this.#uses.get(key) ?? [];
      if (uses.length < LEAST) continue;
      const priced = uses.flatMap(({ usd, unknownUsd }) => (unknownUsd === 0 ? usd : []));
      return {
        tokens: most(uses.map(({ tokens }) => tokens)),
        usd: priced.length < LEAST ? null : most(priced),
      };
    }
    return null;
  }
}

function most(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * SHARE) - 1] ?? 0;
}

/** How much a spec asks for is not known before; how many places it may change is. */
function keysOf(executor: string, { modifies }: TaskSpec): [string, string] {
  const size = modifies.length <= 2 ? 'small' : modifies.length <= 6 ? 'medium' : 'large';
  return [`${executor} ${size}`, executor];
}
