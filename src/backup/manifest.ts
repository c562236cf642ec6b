/**
 * What a backup is: one file, a compressed tar, that any machine can open without us.
 *
 * ```
 * backup.json            what it holds, with sizes and SHA-256 of every other file; a backup without it is none
 * state.db               the store: every event and what follows from them
 * home/nodes.json …      what a person wrote: nodes, executors, dispatch.yaml, alerts.yaml, specs
 * hubs/<project>.bundle  what the project's hub holds and its target branch does not
 * ```
 *
 * A hub's history that the target has already is not copied: it is in the user's own repository.
 */
import { type CommitId, isCommitId } from '../model/ids.ts';

export const FORMAT = 1;
export const MANIFEST = 'backup.json';
export const STORE = 'state.db';

/** Who asked for it: a person, the day's round, or an upgrade of the schema. */
export const REASONS = ['asked', 'daily', 'upgrade'] as const;
export type Reason = (typeof REASONS)[number];

export interface Manifest {
  readonly format: number;
  readonly reason: Reason;
  /** ISO moment. */
  readonly at: string;
  readonly host: string;
  readonly home: string;
  readonly schema: number;
  readonly events: number;
  readonly epoch: number;
  readonly hubs: Readonly<Record<string, HubPart>>;
  /** Path inside the backup -> what it must be. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** A project's hub: all its names, and the commit of the target that the bundle stands on. */
export interface HubPart {
  readonly target: CommitId | null;
  readonly refs: Readonly<Record<string, CommitId>>;
}

/** `20261120T134501Z-daily.tar.gz`: sorts by time. */
export function backupName(at: Date, reason: Reason): string {
  return `${at.toISOString().replaceAll(/[-:]|\.\d+/gu, '')}-${reason}.tar.gz`;
}

/** Reads a name that `backupName` gave; null for any other. */
export function parseBackupName(name: string): { readonly at: number; readonly reason: Reason } | null {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z]+)\.tar\.gz$/u.exec(name);
  const reason = REASONS.find((one) => one === found?.[7]);
  if (found === null || reason === undefined) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  return { at: Date.UTC(year, month - 1, day, hour, minute, second), reason };
}

/** @throws SyntaxError naming what is wrong: a backup comes from a disk, and perhaps from another one. */
export function parseManifest(text: string): Manifest {
  const manifest = JSON.parse(text) as Manifest;
  if (manifest?.format !== FORMAT)
    throw new SyntaxError(`its format is ${String(manifest?.format)}, this program reads ${FORMAT}`);
  if (manifest.files?.[STORE] === undefined) throw new SyntaxError('it holds no store');
  for (const path of Object.keys(manifest.files))
    if (path.startsWith('/') || path.split('/').includes('..')) throw new SyntaxError(`it names ${path}`);
  for (const { refs, target } of Object.values(manifest.hubs ?? {})) {
    const names = Object.entries(refs);
    if (
      names.some(([ref, id]) => !ref.startsWith('refs/') || !isCommitId(id)) ||
      (target !== null && !isCommitId(target))
    )
      throw new SyntaxError('a name of a hub is no name');
  }
  return manifest;
}
