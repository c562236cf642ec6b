/**
 * Which files of pending/ are specs, and which of those somebody is still writing. Whoever writes slowly (a program, a
 * copy over the network) writes under a name that begins with a dot or does not end in .md, and renames at the end.
 */

export const PENDING = 'pending';

const PROBLEMS = '.problems';

/** README.md is for people, hidden files are an editor's or half written. */
export function isPendingSpec(name: string): boolean {
  return name.endsWith('.md') && !/^[.~#]/.test(name) && name.toLowerCase() !== 'readme.md';
}

/** Marks that an editor leaves beside a file while it is open: vim, emacs, LibreOffice. */
export function isOpenInEditor(name: string, folder: ReadonlySet<string>): boolean {
  return [`.${name}.swp`, `.${name}.swo`, `.#${name}`, `.~lock.${name}#`].some((mark) => folder.has(mark));
}

/** What keeps a spec where it is stands in a file beside it. */
export function problemsName(name: string): string {
  return `${name}${PROBLEMS}`;
}

/** The spec that a `.problems` file is about; null for any other file. */
export function specOfProblems(name: string): string | null {
  return name.endsWith(`.md${PROBLEMS}`) ? name.slice(0, -PROBLEMS.length) : null;
}

/** The plan of what was split last, for whoever looks into pending/ before it is fed. Nobody reads it as a spec. */
export const PLAN_NAME = 'README.md';

/** Its first line, by which it is known from a README that a person wrote. */
export const PLAN_MARK = '<!-- written by dispatch split; gone when everything here is fed -->';
