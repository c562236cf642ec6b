/**
 * The directory that everything on a node lives in, and the short paths its sockets need.
 *
 *   bin/  programs by hash        attempts/<token>/  claimed and not yet forgotten     journal/  what happened
 *   repos/<project>.git  mirrors  done/<token>/      forgotten: logs for a time        run/      lock, sockets, epoch
 *   pool/<project>/<slot>  trees  trash/<token>/     forgotten with work nobody fetched
 *
 * The path is restricted to characters that no shell and no tmux parser reads as anything but themselves, so it can
 * stand in a tmux command and in launch.sh without quoting.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { ProjectName, Token } from '../src/model/ids.ts';

export interface Root {
  readonly path: string;
  readonly bin: string;
  readonly repos: string;
  readonly pool: string;
  readonly attempts: string;
  readonly done: string;
  readonly trash: string;
  readonly journal: string;
  readonly run: string;
  /** Where controllers' streams arrive. */
  readonly socket: string;
  readonly tmuxSocket: string;
  /** FIFO that launch.sh writes to when a step has ended. */
  readonly wake: string;
}

export class RootError extends Error {
  override readonly name = 'RootError';
}

/**
 * Makes the directories, private to the user, and returns their real paths.
 * @throws RootError when the path has characters other than letters, digits, `.`, `_`, `-` and `/`, or a socket
 * directory belongs to somebody else.
 */
export function openRoot(given: string): Root {
  const text = given.startsWith('~/') ? join(process.env.HOME ?? homedir(), given.slice(2)) : given;
  if (!/^\/[A-Za-z0-9._/-]+$/.test(text))
    throw new RootError(
      `--root must be an absolute path of letters, digits, . _ - and /: ${JSON.stringify(given)}`,
    );
  mkdirSync(text, { recursive: true, mode: 0o700 });
  const path = realpathSync(text);
  if (!/^\/[A-Za-z0-9._/-]+$/.test(path))
    throw new RootError(
      `--root leads to ${JSON.stringify(path)}: only letters, digits, . _ - and / are safe there`,
    );
  const dirs = {
    bin: `${path}/bin`,
    repos: `${path}/repos`,
    pool: `${path}/pool`,
    attempts: `${path}/attempts`,
    done: `${path}/done`,
    trash: `${path}/trash`,
    journal: `${path}/journal`,
    run: `${path}/run`,
  };
  const isNew = !existsSync(dirs.attempts);
  for (const dir of Object.values(dirs)) mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (isNew) spreadOut(dirs.attempts);
  const sockets = socketDir(path, dirs.run);
  return {
    path,
    ...dirs,
    socket: `${sockets}/rpc.sock`,
    tmuxSocket: `${sockets}/tmux.sock`,
    wake: `${dirs.run}/wake`,
  };
}

/** Directory of an attempt that has not been forgotten. */
export function attemptDir(root: Root, token: Token): string {
  return `${root.attempts}/${token}`;
}

export function mirrorDir(root: Root, project: ProjectName): string {
  return `${root.repos}/${project}.git`;
}

/**
 * Each attempt in a block group of its own. Agents remove files by the ten thousand (builds, packages, trees), and for
 * minutes after that ext4 passes over each freed inode of a group when it makes a new file there: an attempt's few files
 * took 5 ms instead of 0.1. This is what the file system's own flag for directories of unrelated things is for
 * (EXT4_TOPDIR_FL, chattr(1)); where there is no such flag nothing is lost.
 */
function spreadOut(dir: string): void {
  if (process.platform === 'linux') spawnSync('chattr', ['+T', dir], { stdio: 'ignore', timeout: 5000 });
}

/** sockaddr_un holds 104 bytes on macOS and the BSDs, 108 on Linux, the final NUL included. */
const LONGEST_SOCKET = 103;

/**
 * `run/` where its paths fit a socket address; else a directory of the root's own in the home directory (or, last, in
 * /tmp, where it counts only when nobody else can have made it).
 */
function socketDir(path: string, run: string): string {
  if (fits(run)) return run;
  const id = createHash('sha256').update(path).digest('hex').slice(0, 12);
  const { homedir: home, uid } = userInfo();
  const parent = [`${home}/.dispatch-run`, `/tmp/dispatch-${uid}`].find(
    (dir) => /^\/[A-Za-z0-9._/-]+$/.test(dir) && fits(`${dir}/${id}`),
  );
  if (parent === undefined) throw new RootError(`no directory is short enough for the sockets of ${path}`);
  for (const dir of [parent, `${parent}/${id}`]) ownDirectory(dir, uid);
  return `${parent}/${id}`;
}

function fits(dir: string): boolean {
  return Buffer.byteLength(`${dir}/tmux.sock`) <= LONGEST_SOCKET;
}

function ownDirectory(dir: string, uid: number): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const stat = lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new RootError(`${dir} must be a directory of yours with mode 0700; remove it and try again`);
  }
}
