/**
 * Refuses homes on network file systems. WAL needs an mmap that all processes share and POSIX locks that work; over a
 * network neither is certain, and the price is a corrupt store (https://sqlite.org/wal.html, "all processes must be on
 * the same host"). Linux names the kind of file system by a number in statfs, FUSE file systems by a name in the table
 * of mounts. macOS gives numbers out anew at each start, so there the word `local` in the list of mounts decides.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { DispatchError } from '../../model/error.ts';

/** linux/magic.h and the headers of file systems outside the kernel. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB2'],
  [0xff534d42, 'CIFS'],
  [0x564c, 'NCP'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0xaad7aaea, 'PanFS'],
  [0x786f4256, 'VirtualBox shared folder'],
]);
const FUSE_TYPE = 0x65735546;
/** Some FUSE file systems are local (encryption, NTFS); these are not. */
const NETWORK_FUSE =
  /^fuse\.(sshfs|s3fs|rclone|glusterfs|gcsfuse|goofys|davfs2?|curlftpfs|ceph|mfs|juicefs|smbnetfs)\b/;

/**
 * @throws DispatchError E_NETWORK_FS when the directory is on a network file system.
 */
export function refuseNetworkFileSystem(directory: string): void {
  const kind =
    process.platform === 'darwin'
      ? networkMountOnMac(realpathSync(directory), execFileSync('/sbin/mount', { encoding: 'utf8' }))
      : networkType(statfsSync(directory).type, () =>
          fuseName(realpathSync(directory), readFileSync('/proc/self/mountinfo', 'utf8')),
        );
  if (kind === null) return;
  throw new DispatchError('E_NETWORK_FS', `the home is on a network file system (${kind})`, {
    where: directory,
    why: 'the store needs shared memory and locks that such file systems do not have',
    fix: 'move the home to a local disk',
  });
}

/** Name of the network file system with this statfs type, or null when it is a local one. `fuse` is asked only for FUSE. */
export function networkType(type: number, fuse: () => string | null): string | null {
  const unsigned = type >>> 0;
  if (unsigned !== FUSE_TYPE) return NETWORK_TYPES.get(unsigned) ?? null;
  const name = fuse();
  return name !== null && NETWORK_FUSE.test(name) ? name : null;
}

/** File system type of the mount that holds the path, from the text of /proc/self/mountinfo. */
export function fuseName(path: string, mountinfo: string): string | null {
  let found: { point: string; type: string } | null = null;
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const point = unescapeMount(before?.split(' ')[4] ?? '');
    const type = after?.split(' ')[0];
    if (type === undefined || !holds(point, path)) continue;
    // Later lines are mounted over earlier ones at the same point.
    if (found === null || point.length >= found.point.length) found = { point, type };
  }
  return found?.type ?? null;
}

/** Type of the mount that holds the path when it is not `local`, from the output of macOS's `mount`; null otherwise. */
export function networkMountOnMac(path: string, mounts: string): string | null {
  let found: { point: string; options: readonly string[] } | null = null;
  for (const line of mounts.split('\n')) {
    const parts = /^.+? on (\/.*) \(([^()]*)\)$/.exec(line);
    if (parts?.[1] === undefined || parts[2] === undefined || !holds(parts[1], path)) continue;
    if (found === null || parts[1].length >= found.point.length) {
      found = { point: parts[1], options: parts[2].split(', ') };
    }
  }
  if (found === null || found.options.includes('local')) return null;
  return found.options[0] ?? 'unknown';
}

function holds(point: string, path: string): boolean {
  return path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
}

/** Blanks and backslashes are octal in the table of mounts. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
