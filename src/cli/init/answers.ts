/** What a new project is made of. */
export interface ProjectAnswers {
  readonly project: string;
  /** Absolute path or URL; null: no repository, the tasks' commands decide. */
  readonly repo: string | null;
  readonly target: string;
  readonly verify: string | null;
}
