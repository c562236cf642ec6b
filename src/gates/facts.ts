/**
 * What a branch did, as read from git objects in a repository that no agent can write to. The gates judge these facts
 * and nothing else: they never look at a working tree, and never ask the agent.
 */

/** One entry of `git diff --raw -z`. */
export interface ChangedPath {
  readonly status: 'A' | 'M' | 'D' | 'R' | 'C' | 'T';
  /** New path; for a deletion the path that is gone. Exactly as git has it, newlines and all. */
  readonly path: string;
  /** The other side of a rename or a copy, otherwise null. */
  readonly oldPath: string | null;
  /** Six octal digits; `000000` when that side does not exist. */
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldId: string;
  readonly newId: string;
}

/** A line that the new version of a file has and its old version has not. */
export interface AddedLine {
  readonly path: string;
  /** 1-based, in the new version. */
  readonly line: number;
  /** Without the line break. */
  readonly text: string;
}

/** A symbolic link that the branch adds or changes, and the text of its target. */
export interface LinkTarget {
  readonly path: string;
  readonly target: string;
}

/** A file that the gates read whole, before and after; null where it does not exist or is no readable text. */
export interface WholeFile {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface BranchFacts {
  readonly changed: readonly ChangedPath[];
  /** In the order of the diff: by file, then by line. */
  readonly added: readonly AddedLine[];
  /** Commits since the base. */
  readonly commits: number;
  /** Changed paths whose new content is not text. */
  readonly binary: readonly string[];
  /** Changed paths whose new mode is that of a symbolic link. */
  readonly links: readonly LinkTarget[];
  /** Bytes of the new content of each changed path that has one. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Changed paths that were too large to be read, alone or together; a part of `binary`. */
  readonly unread: readonly string[];
  /** Changed paths that are a Git LFS pointer on either side: their content is not in the repository. */
  readonly pointers: readonly string[];
  /** Changed manifests whose scripts run on other machines (package.json). */
  readonly manifests: readonly WholeFile[];
  /** Paths that the verify command runs, as the base has them; of the base alone, so no branch can change the list. */
  readonly gateFiles: readonly string[];
}

/** A branch that changes nothing. */
export const NO_CHANGE: BranchFacts = {
  changed: [],
  added: [],
  commits: 0,
  binary: [],
  links: [],
  sizes: new Map(),
  unread: [],
  pointers: [],
  manifests: [],
  gateFiles: [],
};
