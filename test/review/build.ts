/** Changes as git tells them, written out. */
import type { DiffLine, FileDiff } from '../../src/review/diff.ts';
import type { Nonces } from '../../src/review/prompt.ts';

/** A file whose lines are all new, from line 1. */
export function added(path: string, ...texts: string[]): FileDiff {
  return { path, unread: null, lines: texts.map((text, index) => ({ kind: '+', line: index + 1, text })) };
}

export function changed(path: string, ...lines: [DiffLine['kind'], number, string][]): FileDiff {
  return { path, unread: null, lines: lines.map(([kind, line, text]) => ({ kind, line, text })) };
}

export const NONCES: Nonces = { mark: 'a1b2c3d4e5f6', canary: '000000aabbcc' };
