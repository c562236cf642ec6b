/** Exit codes of the command line. Documented in `dispatch help exit-codes`; never renumbered. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  unfinished: 3,
  auth: 4,
  notFound: 5,
  conflict: 6,
  unreachable: 7,
  timeout: 8,
  broken: 9,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a stable error code stands for. */
export interface CodeEntry {
  /** One line: what the code means. */
  title: string;
  exit: ExitCode;
  /** For `dispatch explain`: why it happens and how to get out of it. Plain text, a few sentences. */
  explain: string;
}
