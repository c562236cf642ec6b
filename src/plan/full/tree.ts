/** The project's files with who owns what: the paths that tasks claim, laid over the files that the base has. */
import type { TaskId } from '../../model/ids.ts';
import type { TaskSpec } from '../../model/spec.ts';
import { compileMatcher } from '../match.ts';

export interface TreeRow {
  /** 0 for the top. */
  readonly depth: number;
  /** One segment; folders end in `/`. */
  readonly name: string;
  readonly owners: readonly TaskId[];
  /** `there`: the base has it; `new`: a task makes it; `pattern`: stands for any number of files. */
  readonly is: 'there' | 'new' | 'pattern';
  /** Files below a folder that nobody owns, which are not shown one by one. */
  readonly unowned: number;
}

interface Folder {
  readonly below: Map<string, Folder>;
  owners: TaskId[];
  is: TreeRow['is'];
  unowned: number;
}

/**
 * Folders before files, each in the order of its name.
 * @param base files of the commit that tasks start from; null: not known.
 */
export function fileTree(specs: readonly TaskSpec[], base: ReadonlySet<string> | null): TreeRow[] {
  const top: Folder = { below: new Map(), owners: [], is: 'there', unowned: 0 };
  for (const { id, modifies, expands } of specs) {
    for (const pattern of [...modifies, ...expands]) place(top, pattern, id, base);
  }
  for (const path of base ?? []) count(top, path);
  const owners = ownersOf(specs);
  for (const path of base ?? []) show(top, path, owners(path));
  return rowsOf(top, 0);
}

function place(top: Folder, pattern: string, id: TaskId, base: ReadonlySet<string> | null): void {
  const whole = pattern.endsWith('/') ? `${pattern}**` : pattern;
  const wild = /[*?[{]/u.test(whole);
  const names = whole.split('/');
  let folder = top;
  for (const [at, name] of names.entries()) {
    const last = at === names.length - 1;
    const next = folder.below.get(last ? name : `${name}/`) ?? {
      below: new Map(),
      owners: [],
      is: wild && last ? 'pattern' : last && base?.has(pattern) !== true ? 'new' : 'there',
      unowned: 0,
    };
    folder.below.set(last ? name : `${name}/`, next);
    folder = next;
  }
  if (!folder.owners.includes(id)) folder.owners.push(id);
}

/** Files that fall under a pattern are shown with all their owners, as far as their folder is in the tree. */
function show(top: Folder, path: string, owners: readonly TaskId[]): void {
  if (owners.length === 0) return;
  const names = path.split('/');
  const file = names.pop() ?? '';
  let folder: Folder | undefined = top;
  for (const name of names) folder = folder?.below.get(`${name}/`);
  if (folder === undefined) return;
  folder.below.set(file, { below: new Map(), owners: [...owners], is: 'there', unowned: 0 });
}

/** Folders that no task looks into are one row; their files are counted at the first one. */
function count(top: Folder, path: string): void {
  const names = path.split('/');
  const first = names.length > 1 ? `${names[0]}/` : null;
  if (first === null) {
    top.unowned += 1;
    return;
  }
  const known = top.below.get(first);
  if (known === undefined) top.below.set(first, { below: new Map(), owners: [], is: 'there', unowned: 1 });
  else known.unowned += 1;
}

function ownersOf(specs: readonly TaskSpec[]): (path: string) => TaskId[] {
  const matchers = specs.map(({ id, modifies, expands }) => ({
    id,
    matches: compileMatcher([...modifies, ...expands]),
  }));
  return (path) => matchers.filter(({ matches }) => matches(path)).map(({ id }) => id);
}

function rowsOf({ below }: Folder, depth: number): TreeRow[] {
  const sorted = [...below].toSorted(
    ([a], [b]) => Number(b.endsWith('/')) - Number(a.endsWith('/')) || (a < b ? -1 : 1),
  );
  return sorted.flatMap(([name, { owners, is, unowned, ...folder }]) => {
    const inside = rowsOf({ ...folder, owners, is, unowned }, depth + 1);
    return [{ depth, name, owners, is, unowned: inside.length === 0 ? unowned : 0 }, ...inside];
  });
}
