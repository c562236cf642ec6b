import type { ErrorCode } from './codes/index.ts';

export interface ErrorDetail {
  /** file:line:col, a node, a repository: whatever a person must look at. */
  where?: string;
  /** The reason, when `what` alone does not carry it. */
  why?: string;
  /** The exact command or edit that mends it. */
  fix?: string;
  cause?: unknown;
}

/** An error that a user is meant to read: what happened, where, why, what to type next, and a stable code. */
export class DispatchError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly why: string | undefined;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, what: string, detail: ErrorDetail = {}) {
    super(what, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'DispatchError';
    this.code = code;
    this.where = detail.where;
    this.why = detail.why;
    this.fix = detail.fix;
  }
}

/** One thing wrong in a file that a user wrote. All problems of all files are collected before anything is refused. */
export interface Problem {
  code: ErrorCode;
  severity: 'error' | 'warning';
  /** Path as the user would type it, relative to the home. */
  file: string;
  /** 1-based; 1:1 when the whole file is meant. */
  line: number;
  col: number;
  message: string;
  expected?: string;
  got?: string;
  /** How to mend it: the nearest known key, id or path, or the edit to make. */
  fix?: string;
}
