/**
 * A turn that cannot be taken: the state refuses what follows from one of its inputs (`IllegalFact`), or a step of every
 * turn trips over the state. It is a defect, and ending the process would only begin the same again with the next one.
 * So nothing of the turn counts: the state is read again from the store, what is to blame is put aside (see `asides`), and
 * the turn is taken without it. What was tried is over then: an effect is tried again after a while, as any that failed.
 */
import type { Input } from './door.ts';

/** What every turn does after its inputs, in this order. */
export type Step = 'nodes' | 'queues' | 'controls' | 'deliveries' | 'decisions' | 'watch' | 'effects';

export const STEPS: readonly Step[] = [
  'nodes',
  'queues',
  'controls',
  'deliveries',
  'decisions',
  'watch',
  'effects',
];

/** What a turn tripped over: the input of this number, or a step. */
export type Culprit = { readonly input: number } | { readonly step: Step };

export class UnfitTurn extends Error {
  readonly culprit: Culprit;
  constructor(culprit: Culprit, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'UnfitTurn';
    this.culprit = culprit;
  }
}

/** News of many things, one by one: only what is to blame is put aside. Null: it is one thing. */
export function partsOf(input: Input): readonly Input[] | null {
  if (input.is !== 'node.news' || input.entries.length < 2) return null;
  return input.entries.map((entry) => ({ ...input, entries: [entry] }));
}

/** What is taken in its place. @param file where it is kept. */
export function inPlaceOf(input: Input, why: string, file: string): readonly Input[] {
  const message = `what it brought could not be applied (${why}), and is kept in ${file}`;
  const problem = { code: 'E_UNFIT', message } as const;
  switch (input.is) {
    case 'node.up':
      return [{ is: 'node.down', node: input.node, reason: message, code: 'E_UNFIT' }];
    case 'node.news':
      return [{ is: 'unfit', node: input.node, why: message }];
    default:
      return 'key' in input ? [{ is: 'effect.failed', key: input.key, problem }] : [];
  }
}
