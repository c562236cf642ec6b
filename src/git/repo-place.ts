/** A repository that no agent can write to, as `git()` takes it. */
export interface RepoPlace {
  readonly gitDir: string;
  readonly env?: Readonly<Record<string, string>>;
}
