/** What the plan of a project from nothing should have and this one has not: neither in its base nor in any task. */
import type { TaskSpec } from '../../model/spec.ts';

export type Gap = 'contract' | 'commands' | 'model' | 'interfaces' | 'tests' | 'docs';

/** In the order in which a project is built. `named`: by the contract's presence alone. */
const SIGNS: readonly (readonly [Gap, RegExp])[] = [
  ['commands', /(?:^|\/)(?:Makefile|run\.sh|package\.json|pyproject\.toml|Cargo\.toml|go\.mod|justfile)$/iu],
  ['model', /model|schema|entit|migration|types?(?:\.|\/)|db(?:\.|\/)/iu],
  ['interfaces', /route|api|handler|controller|service|server|cli|views?(?:\.|\/)|pages?(?:\.|\/)/iu],
  ['tests', /test|spec(?:s|\.|\/)/iu],
  ['docs', /README|docs?(?:\/|$)|\.md$/iu],
];

/** A base with fewer files than this is a project from nothing. */
const FEW_FILES = 10;

/** @param base files of the commit that tasks start from; null: not known, which is taken for nothing. */
export function isFromNothing(base: ReadonlySet<string> | null): boolean {
  return base === null || base.size < FEW_FILES;
}

export function gapsOf(
  specs: readonly TaskSpec[],
  base: ReadonlySet<string> | null,
  hasContract: boolean,
): Gap[] {
  const paths = [...specs.flatMap(({ modifies, expands }) => [...modifies, ...expands]), ...(base ?? [])];
  const missing = SIGNS.filter(([, sign]) => !paths.some((path) => sign.test(path))).map(([gap]) => gap);
  return hasContract ? missing : ['contract', ...missing];
}
