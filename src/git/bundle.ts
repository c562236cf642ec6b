/**
 * Git bundles: a short header that names commits, then a pack. Written and read here rather than by `git bundle`, which
 * packs only what a ref points to and, up to git 2.45, unpacks without checking the objects.
 *
 * ```
 * # v2 git bundle               (v3 and "@object-format=sha256" for repositories with long ids)
 * -<commit> <comment>           the receiver must have these
 * <commit> <ref>                these come
 *
 * PACK…
 * ```
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type CommitId, isCommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { git } from './run.ts';

/** Longer headers are refused: thousands of refs have no business in an attempt's result. */
const LONGEST_HEADER = 256 * 1024;

/**
 * Writes a bundle with everything that the commits need and a repository that has `have` lacks. Each commit comes as
 * `refs/dispatch/<commit>`. The repository must have all of `commits` and `have`.
 */
export async function writeBundle(
  repo: RepoPlace,
  file: string,
  commits: readonly CommitId[],
  have: readonly CommitId[],
): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.write(header(commits, have));
    await git(['pack-objects', '--revs', '--thin', '--delta-base-offset', '--stdout', '-q'], {
      ...repo,
      input: `${[...commits, ...have.map((commit) => `^${commit}`)].join('\n')}\n`,
      outputFd: handle.fd,
    });
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function header(commits: readonly CommitId[], have: readonly CommitId[]): string {
  const long = commits.some((commit) => commit.length === 64);
  return [
    ...(long ? ['# v3 git bundle', '@object-format=sha256'] : ['# v2 git bundle']),
    ...have.map((commit) => `-${commit} `),
    ...commits.map((commit) => `${commit} refs/dispatch/${commit}`),
    '',
    '',
  ].join('\n');
}

interface BundleHeader {
  /** Commits that the bundle brings. */
  readonly commits: readonly string[];
  /** Commits that the receiver must have. */
  readonly needs: readonly string[];
}

/** A bundle opened for reading: its header, and its pack as a stream that closes the file. */
export interface OpenBundle extends BundleHeader {
  pack(): Readable;
  close(): Promise<void>;
}

/** @throws SyntaxError when the file is not a bundle of a version we know. */
export async function openBundle(file: string): Promise<OpenBundle> {
  const handle = await open(file, 'r');
  try {
    const { header: text, length } = await readHeader(handle);
    return {
      ...parseHeader(text),
      pack: () => handle.createReadStream({ start: length, autoClose: false }),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readHeader(handle: FileHandle): Promise<{ header: string; length: number }> {
  const buffer = Buffer.alloc(LONGEST_HEADER);
  let filled = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
    filled += bytesRead;
    const end = buffer.subarray(0, filled).indexOf('\n\n');
    if (end !== -1) return { header: buffer.toString('latin1', 0, end), length: end + 2 };
    if (bytesRead === 0 || filled === buffer.length)
      throw new SyntaxError('not a git bundle: no end of header');
  }
}

function parseHeader(text: string): BundleHeader {
  const [version, ...lines] = text.split('\n');
  if (version !== '# v2 git bundle' && version !== '# v3 git bundle') {
    throw new SyntaxError('not a git bundle of version 2 or 3');
  }
  const commits: string[] = [];
  const needs: string[] = [];
  for (const line of lines) {
    if (line.startsWith('@')) {
      // A filter would mean that objects are left out on purpose.
      if (!/^@object-format=(?:sha1|sha256)$/.test(line)) throw new SyntaxError(`unknown capability ${line}`);
      continue;
    }
    const needed = line.startsWith('-');
    const id = line.slice(needed ? 1 : 0).split(' ', 1)[0] ?? '';
    if (!isCommitId(id)) throw new SyntaxError('not a git bundle: a line without an object id');
    (needed ? needs : commits).push(id);
  }
  return { commits, needs };
}
