import { type AddedLine, type BranchFacts, type ChangedPath, NO_CHANGE } from '../../src/gates/facts.ts';
import type { GateSettings } from '../../src/model/spec.ts';
import type { GateRules } from '../../src/gates/judge.ts';

const ID = 'a'.repeat(40);
const NONE = '0'.repeat(40);

/** What a project gets that says nothing about its gates. */
export const GATES: GateSettings = {
  largestFileKb: 8192,
  largestBinaryKb: 2048,
  secretAllow: [],
  minTests: 0,
};

/** A changed path; a modified plain file unless the parts say otherwise. */
export function change(path: string, parts: Partial<ChangedPath> = {}): ChangedPath {
  const status = parts.status ?? 'M';
  return {
    status,
    path,
    oldPath: null,
    oldMode: status === 'A' ? '000000' : '100644',
    newMode: status === 'D' ? '000000' : '100644',
    oldId: status === 'A' ? NONE : ID,
    newId: status === 'D' ? NONE : ID,
    ...parts,
  };
}

export function rename(from: string, to: string): ChangedPath {
  return change(to, { status: 'R', oldPath: from });
}

/** Consecutive added lines of one file, from line 1. */
export function lines(path: string, text: string): AddedLine[] {
  return text.split('\n').map((line, at) => ({ path, line: at + 1, text: line }));
}

export function facts(parts: Partial<BranchFacts> = {}): BranchFacts {
  return { ...NO_CHANGE, commits: 1, ...parts };
}

export function rules(parts: Partial<GateRules> = {}): GateRules {
  return {
    modifies: ['src/**'],
    expands: [],
    allowedExtras: [],
    protectedPaths: [],
    placeholderAllow: [],
    gates: GATES,
    ...parts,
  };
}
