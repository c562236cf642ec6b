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
}
