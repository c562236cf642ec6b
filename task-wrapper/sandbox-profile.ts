/**
 * The profile for sandbox-exec on macOS: everything is denied that is not named. Later rules win over earlier ones, so
 * the worker's root and homes are hidden after the system is shown, and the attempt's own places are shown after that.
 * The language is Apple's and undocumented; the rules used here are those of the profiles in /System/Library/Sandbox.
 */
export interface Cage {
  /** The worker's root. */
  readonly root: string;
  readonly writable: readonly string[];
  /** Shown besides the system, read-only. */
  readonly readable: readonly string[];
  readonly network: boolean;
}

/** Pure: real paths in, the profile's text out. */
export function profileText({ root, writable, readable, network }: Cage): string {
  return [
    '(version 1)',
    '(deny default)',
    '(allow process-fork process-exec sysctl-read)',
    '(allow signal (target same-sandbox))',
    '(allow process-info* (target same-sandbox))',
    '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo") (global-name "com.apple.system.notification_center") (global-name "com.apple.trustd.agent"))',
    '(allow ipc-posix-shm* ipc-posix-sem*)',
    '(allow file-read* (subpath "/"))',
    // Names of directories on the way to what is shown are needed to reach it; their contents are not shown.
    `(deny file-read-data ${subpaths(['/Users', '/private/tmp', '/private/var/folders', '/Volumes', root])})`,
    ...(readable.length === 0 ? [] : [`(allow file-read* ${subpaths(readable)})`]),
    `(allow file-read* file-write* ${subpaths(writable)})`,
    '(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (literal "/dev/dtracehelper"))',
    network
      ? '(allow network*)'
      : '(allow network-bind network-inbound network-outbound (local ip "localhost:*") (remote ip "localhost:*"))\n(deny network-outbound (remote unix-socket))',
    '',
  ].join('\n');
}

/** Of an agent in `cage: strict`. Pure: real paths in, the profile's text out. */
export function agentProfile(agent: {
  readonly root: string;
  /** Its tree, HOME and /tmp. */
  readonly own: readonly string[];
  /** Read-only besides the system: its prompt, its program, what the project names. */
  readonly shown: readonly string[];
  /** False: the loopback alone, where the way out listens. */
  readonly network: boolean;
}): string {
  const { root, own, shown, network } = agent;
  return profileText({ root, writable: own, readable: shown, network });
}

function subpaths(paths: readonly string[]): string {
  return paths.map((path) => `(subpath ${literal(path)})`).join(' ');
}

/** A string of the profile's language, which is Scheme's. */
function literal(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
