/** What an agent may see and use on a node while it works. Pure data; task-wrapper/cage.ts makes it so. */

/**
 * `none`: the agent finds the home of the node's user where it lives off a login, and nothing is bounded.
 * `basic`: a HOME of its own, and limits as far as the node can set them.
 * `strict`: in addition it sees the system, its tree and its HOME, and reaches its model and what the project names.
 */
export const CAGE_LEVELS = ['none', 'basic', 'strict'] as const;
export type CageLevel = (typeof CAGE_LEVELS)[number];

/** Which bound of its cage an attempt met. */
export type CageLimit = 'memory' | 'processes' | 'disk' | 'file-size';

export interface CageRules {
  readonly level: CageLevel;
  /** With `strict`: `true` is the whole network of the node; a list is `host` or `host:port` besides the model's own. */
  readonly network: true | readonly string[];
  /** With `strict`: absolute paths, or `~/` for the home of the node's user, shown read-only besides the system. */
  readonly readOnly: readonly string[];
  readonly limits: CageLimits;
}

export interface CageLimits {
  /** Bytes of memory of all its processes together. null: the default, where a control group can hold it to that. */
  readonly memory: number | null;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Bytes of any one file that is written. */
  readonly fileSize: number;
  /** Bytes of its tree, HOME and /tmp together, looked at from time to time. */
  readonly disk: number;
  /** Processors' worth of time, where a control group can hold it to that; null: no bound. */
  readonly cpus: number | null;
}

const GIB = 1024 ** 3;

/** An agent runs builds and test suites with a worker per core, and packages by the gigabyte. */
export const DEFAULT_CAGE: CageRules = {
  level: 'basic',
  network: [],
  readOnly: [],
  limits: { memory: null, processes: 2048, fileSize: 8 * GIB, disk: 20 * GIB, cpus: null },
};

/** The stricter of what the project and the executor say: neither loosens the other's. */
export function cageLevel(cage: CageRules | undefined, executor: { readonly cage?: CageLevel }): CageLevel {
  const levels = [cage?.level ?? executor.cage ?? DEFAULT_CAGE.level, executor.cage ?? 'none'];
  return CAGE_LEVELS.findLast((level) => levels.includes(level)) ?? DEFAULT_CAGE.level;
}

/** A host that an attempt may reach, of `host`, `host:port` or `*.domain`; null when it is none of these. */
export function parseHost(text: string): { readonly host: string; readonly port: number } | null {
  const found = /^((?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(
    text,
  );
  const [, host = '', port = '443'] = found ?? [];
  return host === '' || Number(port) < 1 || Number(port) > 65_535
    ? null
    : { host: host.toLowerCase().replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** True when the list names this host and port. */
export function mayReach(allowed: readonly string[], host: string, port: number): boolean {
  const wanted = host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  return allowed.some((text) => {
    const entry = parseHost(text);
    if (entry === null || entry.port !== port) return false;
    return entry.host.startsWith('*.') ? wanted.endsWith(entry.host.slice(1)) : wanted === entry.host;
  });
}

/** What a node's word on `cage: strict` is kept under, beside its words on the programs of executors. */
export const STRICT_CAGE = 'cage: strict';
