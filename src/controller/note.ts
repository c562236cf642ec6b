/** Something that a person should know and that is no event: a node's first failure, a problem with an effect. */
export interface Note {
  readonly about:
    | 'budget'
    | 'node'
    | 'network'
    | 'effect'
    | 'spec'
    | 'store'
    | 'config'
    | 'report'
    | 'alert'
    | 'health'
    | 'backup'
    | 'component';
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  /** What to type or edit, where one thing mends it. */
  readonly fix: string | null;
}
