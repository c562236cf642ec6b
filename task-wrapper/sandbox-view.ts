/**
 * What of this machine a sandbox shows, read-only: a list of what is there, not of what is hidden, so that what nobody
 * thought of (another disk, a socket in /run, somebody's home) is not there. Programs that a person put elsewhere are
 * found when they are on the PATH: its directories are shown, and the libraries beside them, without the rest of the
 * home that they are in.
 */
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Root } from './root.ts';
import type { Mount } from './sandbox-bubblewrap.ts';

const SYSTEM = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/opt',
  '/nix/store',
  '/gnu/store',
  // How many processors there are.
  '/sys/devices/system/cpu',
  // Where resolv.conf leads on machines with systemd-resolved.
  '/run/systemd/resolve',
];

/** What programs in `<prefix>/bin` load: Node's and Python's libraries, the versions that pyenv's shims stand for. */
const BESIDE = ['lib', 'lib64', 'libexec', 'versions'];

/** Mounts for the system, the PATH's programs and the paths that the project names, in order. */
export function systemView(root: Root, readOnly: readonly string[]): Mount[] {
  const system = SYSTEM.flatMap(systemMount);
  const shown = system.flatMap(({ put, at }) => (put === 'read-only' ? [at] : []));
  const hidden = [homedir(), root.path]
    .filter((path) => within(path, shown))
    .map((at) => ({ put: 'empty', at }) as const);
  const covered = hidden.map(({ at }) => at);
  const programs = [dirname(process.execPath), ...(process.env.PATH ?? '').split(':')]
    .flatMap((dir) => programDirs(dir, root))
    .filter((dir) => !within(dir, shown) || within(dir, covered));
  const named = readOnly.map(expanded).filter((path) => typeOf(path) !== null);
  return [
    ...system,
    ...secretMounts(),
    { put: 'link', to: '/tmp', at: '/var/tmp' },
    ...hidden,
    ...[...new Set([...programs, ...named])].map((at) => ({ put: 'read-only', from: at, at }) as const),
  ];
}

/** The path with `~/` replaced by the home of the node's user. */
export function expanded(path: string): string {
  return path.startsWith('~/') ? `${process.env.HOME ?? homedir()}/${path.slice(2)}` : path;
}

function systemMount(at: string): Mount[] {
  const type = typeOf(at);
  if (type === null) return [];
  if (type === 'link') return [{ put: 'link', to: readlinkSync(at), at }];
  return [{ put: 'read-only', from: at, at }];
}

/** Where a link on the PATH leads is shown under its own name and the link's. */
function programDirs(dir: string, root: Root): string[] {
  if (!dir.startsWith('/') || !isDirectory(dir)) return [];
  const real = realpathSync(dir);
  if (tooMuch(real, root)) return [];
  const prefix = dirname(real);
  const beside = isHome(prefix) ? [] : BESIDE.map((name) => `${prefix}/${name}`).filter(isDirectory);
  return [dir, real, ...beside];
}

/** A PATH that names a whole home, /tmp, or what is above or inside the worker's root shows none of it. */
export function tooMuch(dir: string, root: Root): boolean {
  return (
    isHome(dir) ||
    ['/', '/tmp', '/var', '/home'].includes(dir) ||
    within(root.path, [dir]) ||
    within(dir, [root.path])
  );
}

function isHome(dir: string): boolean {
  return (
    dir === homedir() ||
    dir === process.env.HOME ||
    dir === '/root' ||
    dirname(dir) === '/home' ||
    dirname(dir) === '/Users'
  );
}

/** How long what was found in /etc counts, milliseconds. */
const SECRETS_MS = 60_000;
let secrets: { readonly at: number; readonly mounts: readonly Mount[] } | null = null;

/**
 * For root alone the owner's right to read is no bound: what others may not read in /etc (password hashes, host keys,
 * certificates' keys) is covered.
 */
function secretMounts(): Mount[] {
  if (process.getuid?.() !== 0) return [];
  const now = performance.now();
  if (secrets === null || now - secrets.at > SECRETS_MS) secrets = { at: now, mounts: secretsIn('/etc') };
  return secrets.mounts.filter(({ at }) => typeOf(at) !== null);
}

function secretsIn(dir: string): Mount[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry): Mount[] => {
    const at = `${dir}/${entry.name}`;
    const mode = lstatSync(at, { throwIfNoEntry: false })?.mode ?? 0;
    if (entry.isDirectory()) return (mode & 0o005) === 0o005 ? secretsIn(at) : [{ put: 'empty', at }];
    return entry.isFile() && (mode & 0o004) === 0 ? [{ put: 'blank', at }] : [];
  });
}

function within(path: string, dirs: readonly string[]): boolean {
  return dirs.some((dir) => path === dir || path.startsWith(`${dir}/`));
}

function typeOf(path: string): 'link' | 'other' | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : stat.isSymbolicLink() ? 'link' : 'other';
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
