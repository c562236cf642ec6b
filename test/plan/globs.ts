import fc from '../property.ts';

const NAMES = ['a', 'b', 'ab', 'c', 'x.ts', 'bb', '.h', '中'];

/** Every path of one to three of a few names: small enough to try them all, rich enough to tell patterns apart. */
export const ALL_PATHS: readonly string[] = NAMES.flatMap((p) => [
  p,
  ...NAMES.flatMap((q) => [`${p}/${q}`, ...NAMES.map((r) => `${p}/${q}/${r}`)]),
]);

// The excluded character has no case: `[^a]` lets `A` in, and so meets `a` on a Mac, which a matcher cannot confirm.
const segment = fc.constantFrom(
  'a',
  'b',
  'ab',
  '*',
  'a*',
  '*b',
  '?',
  '??',
  '[ab]',
  '[^中]',
  '{a,b}',
  '{a*,b/*}',
  '**',
  'x.ts',
  '*.ts',
  '.h',
  '中*',
);

/** Patterns over the same few names. */
export const glob = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([parts, subtree]) => parts.join('/') + (subtree ? '/' : ''));
