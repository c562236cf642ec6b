/** The command line of bubblewrap, from what shall be seen. Pure. */

/** One thing that is put into the empty file system of the sandbox, in order. */
export type Mount =
  | { readonly put: 'read-only'; readonly from: string; readonly at: string }
  | { readonly put: 'link'; readonly to: string; readonly at: string }
  /** An empty directory in the place of one that must not be seen. */
  | { readonly put: 'empty'; readonly at: string }
  /** An empty file in the place of one that must not be seen. */
  | { readonly put: 'blank'; readonly at: string };

export interface Bubble {
  /** Path of bwrap. */
  readonly program: string;
  /** bwrap can forbid further user namespaces inside (0.8 and newer). */
  readonly nestedOff: boolean;
  readonly view: readonly Mount[];
  /** null: the environment that bwrap itself is started with, so that no value stands in a command line. */
  readonly env: Readonly<Record<string, string>> | null;
  readonly places: Places;
  /** What is shown read-only over them. */
  readonly shown: readonly { readonly from: string; readonly at: string }[];
  readonly network: boolean;
  /** Descriptor 3 is open for bwrap's own report. */
  readonly reports: boolean;
}

/** What may be written, and where the command begins. */
export interface Places {
  /** Put there before the view, which may lie in it: a program on the PATH may be in /tmp or in /home. */
  readonly below: readonly Bind[];
  readonly above: readonly Bind[];
  readonly cwd: string;
}

interface Bind {
  readonly from: string;
  readonly at: string;
}

/** Where things are inside. The same for every attempt, so that paths in output and in caches say nothing of a node. */
export const INSIDE = { tree: '/tree', home: '/home/gate', tmp: '/tmp' } as const;

/** The places of a verify command: they say nothing of where they are outside. */
export function gatePlaces(own: {
  readonly tree: string;
  readonly home: string;
  readonly tmp: string;
}): Places {
  return {
    below: [
      { from: own.tmp, at: INSIDE.tmp },
      { from: own.home, at: INSIDE.home },
    ],
    above: [{ from: own.tree, at: INSIDE.tree }],
    cwd: INSIDE.tree,
  };
}

/** Bytes of shared memory: it is memory, and a program that asks for more than this is no test. */
const SHARED_MEMORY = 256 * 1024 * 1024;

/**
 * Switches of the kernel in /proc that root's number alone may write, whatever namespace it is in and however few rights
 * it has: core_pattern names a program that the kernel runs as root outside.
 */
const SWITCHES = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'acpi'].map((name) => `/proc/${name}`);

export function bubblewrapped(argv: readonly string[], bubble: Bubble): string[] {
  const { env, places } = bubble;
  const bind = ({ from, at }: Bind): string[] => ['--bind', from, at];
  const options: string[][] = [
    // As root, too, in a user namespace: without one it would keep root's powers over the machine.
    ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    bubble.network ? [] : ['--unshare-net'],
    ['--cap-drop', 'ALL'],
    bubble.nestedOff ? ['--disable-userns'] : [],
    // The first process inside ends with the command or with us, and the kernel then ends all others of its namespace.
    ['--die-with-parent', '--new-session'],
    ['--hostname', 'gate'],
    // Closed inside. Says whether the command ran at all: bwrap itself fails with 1, as a red test does.
    bubble.reports ? ['--json-status-fd', '3'] : [],
    env === null ? [] : ['--clearenv'],
    ...Object.entries(env ?? {}).map(([name, value]) => ['--setenv', name, value]),
    ...places.below.map(bind),
    ...bubble.view.map(mountArguments),
    ['--proc', '/proc'],
    ...SWITCHES.map((path) => ['--ro-bind-try', path, path]),
    ['--dev', '/dev'],
    ['--perms', '1777', '--size', String(SHARED_MEMORY), '--tmpfs', '/dev/shm'],
    ['--remount-ro', '/dev'],
    ...places.above.map(bind),
    ...bubble.shown.map(({ from, at }) => ['--ro-bind', from, at]),
    // The file system that everything was put into is memory of the machine: nothing is written there, either.
    ['--remount-ro', '/'],
    ['--chdir', places.cwd],
  ];
  return [bubble.program, ...options.flat(), '--', ...argv];
}

function mountArguments(mount: Mount): string[] {
  switch (mount.put) {
    case 'read-only':
      return ['--ro-bind', mount.from, mount.at];
    case 'link':
      return ['--symlink', mount.to, mount.at];
    case 'empty':
      return ['--tmpfs', mount.at];
    case 'blank':
      return ['--ro-bind', '/dev/null', mount.at];
  }
}
