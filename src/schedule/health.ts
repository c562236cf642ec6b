/**
 * The rules of health, as a table: for each ailment how it is detected, what it means for placing work, what is done
 * about it, and when a person has to know. Detecting, diagnosing and verifying are one function, asked again with every
 * look; so what was mended is not believed before a look shows it. What only the node itself can see (its tmux server, a
 * process that does not die) comes as a word in its journal, and the table says what follows from it.
 *
 *   ailment      seen by                  placing   mended by                              a person is told
 *   disk         its health answer        closed    sweep, again every ten minutes         when the first sweep was not enough
 *   failing      three faults in a row    last      restart at ten                         when it was cordoned for it
 *   host-key     the connection           (none)    nobody: nothing is sent there          at once, P0
 *   program      its hello                as ever   the program is shipped with the link   never
 *   reboot       its boot id              as ever   the node: what ran is lost at once     never
 *   tmux-server  its journal              as ever   the node: a new server, adopted        never; while it lasts it is shown
 *   tmux-socket  its journal              as ever   the node: SIGUSR1 to the server        never; while it lasts it is shown
 *   unkillable   its journal              drained   nobody: the kernel holds the process   at once
 */
import type { ErrorCode } from '../model/codes/index.ts';
import { type Ailment, ailmentOf, type AilmentKind, type Fault, type RepairKind } from '../model/health.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { NodeState } from '../model/state.ts';
import { hasCome } from '../model/time.ts';

/** What a node said of its disk last. Bytes. */
export interface DiskLook {
  readonly free: number;
  readonly total: number;
  /** Null: the file system has no fixed number. */
  readonly files: { readonly free: number; readonly total: number } | null;
  /** With less it takes no attempt. */
  readonly reserve: { readonly bytes: number; readonly files: number };
}

/** What is known of a node besides its state. */
export interface Seen {
  readonly node: NodeState;
  readonly config: NodeConfig;
  /** Null: it has not been asked yet. */
  readonly disk: DiskLook | null;
  /** Why there is no connection; null: there is one, or nobody has tried. */
  readonly trouble: { readonly code: string; readonly message: string } | null;
  readonly connected: boolean;
  /** Those that count against it, in a row. */
  readonly faults: readonly Fault[];
}

/** What a look shows; null: it cannot be told now, so what was believed stays. */
export type Diagnosis = { readonly ill: string } | { readonly well: string } | null;

/** What is done next about an ailment; null: nothing, for now. */
export type Treatment =
  | { readonly do: 'repair'; readonly by: RepairKind }
  | { readonly do: 'mark'; readonly mark: 'cordon' | 'drain' }
  /** The repair under way counts as tried. */
  | { readonly do: 'end'; readonly did: string }
  /** Nothing before this moment. */
  | { readonly do: 'wait'; readonly until: number }
  | null;

export interface AlertLevel {
  /** P0: something is wrong that must not wait; P1: work goes on, and a person has to act. */
  readonly level: 'P0' | 'P1';
  readonly code: ErrorCode;
  readonly fix: (node: string) => string;
}

export interface Rule {
  /** In a few words, for one line on a screen. */
  readonly title: string;
  readonly detect: (seen: Seen) => Diagnosis;
  /** Its figures are told anew when they change. */
  readonly retold: boolean;
  /** `closed`: nothing new; `last`: one attempt at a time, and only what no other node has a slot for. */
  readonly placing: 'closed' | 'last' | 'as-ever';
  readonly treat: (ailment: Ailment, seen: Seen, now: number) => Treatment;
  /** Null: nobody has to do anything yet. */
  readonly alert: (ailment: Ailment, node: NodeState) => AlertLevel | null;
}

/** Faults in a row after which a node is placed last, and restarted; and more of them after that, cordoned. */
export const DEGRADE_AT = 3;
export const RESTART_AT = 10;
const CORDON_AFTER = 3;
/** Between two sweeps that did not make enough room, milliseconds. */
const SWEEP_AGAIN_MS = 10 * 60_000;
/** A supervisor that was asked to leave is followed by another one within this, or never. Milliseconds. */
const RESTART_MS = 60_000;
/** Free space must exceed what is asked by this much before a node counts as mended. */
const SLACK = 1.05;

const saysItself = (): Diagnosis => null;
const nothing = (): null => null;

export const RULES: Readonly<Record<AilmentKind, Rule>> = {
  disk: {
    title: 'low disk',
    detect: detectDisk,
    retold: false,
    placing: 'closed',
    treat: ({ repair }, { connected }, now) => {
      if (!connected || (repair !== null && repair.did === null)) return null;
      const until = repair === null ? now : repair.at + SWEEP_AGAIN_MS;
      return hasCome(until, now) ? { do: 'repair', by: 'sweep' } : { do: 'wait', until };
    },
    alert: ({ repair }) =>
      repair === null || (repair.times < 2 && repair.did === null)
        ? null
        : {
            level: 'P1',
            code: 'E_NODE_NO_SPACE',
            fix: (node) => `free space on ${node}; it is used again by itself`,
          },
  },
  failing: {
    title: 'attempts fail',
    detect: ({ faults }) => {
      const last = faults.at(-1);
      if (last === undefined) return { well: 'an attempt succeeded' };
      if (faults.length < DEGRADE_AT) return null;
      return {
        ill: `${faults.length} attempts in a row failed by the node's own fault; the last: ${last.reason}`,
      };
    },
    retold: true,
    placing: 'last',
    treat: ({ repair }, { faults, connected, node }, now) => {
      if (repair === null)
        return faults.length >= RESTART_AT && connected ? { do: 'repair', by: 'restart' } : null;
      if (repair.by !== 'restart' || node.mark !== 'none') return null;
      if (repair.did === null) {
        const until = repair.at + RESTART_MS;
        return hasCome(until, now)
          ? { do: 'end', did: 'none came back in its place' }
          : { do: 'wait', until };
      }
      const since = faults.filter(({ at }) => at > repair.at).length;
      return since >= CORDON_AFTER ? { do: 'mark', mark: 'cordon' } : null;
    },
    alert: (_, { health }) =>
      health.markedFor === 'failing'
        ? {
            level: 'P1',
            code: 'E_NODE_FAILING',
            fix: (node) => `dispatch nodes probe ${node}; when it is mended: dispatch nodes uncordon ${node}`,
          }
        : null,
  },
  'host-key': {
    title: 'wrong host key',
    detect: ({ trouble, connected }) => {
      if (connected) return { well: 'it answered with the recorded key' };
      return trouble?.code === 'E_HOST_KEY_CHANGED' ? { ill: trouble.message } : null;
    },
    retold: true,
    placing: 'closed',
    treat: nothing,
    alert: () => ({
      level: 'P0',
      code: 'E_HOST_KEY_CHANGED',
      fix: () => 'dispatch explain E_HOST_KEY_CHANGED',
    }),
  },
  program: {
    title: 'stale program',
    detect: saysItself,
    retold: false,
    placing: 'as-ever',
    treat: nothing,
    alert: nothing,
  },
  reboot: {
    title: 'rebooted',
    detect: saysItself,
    retold: false,
    placing: 'as-ever',
    treat: nothing,
    alert: nothing,
  },
  'tmux-server': {
    title: 'dead tmux server',
    detect: saysItself,
    retold: false,
    placing: 'as-ever',
    treat: nothing,
    alert: nothing,
  },
  'tmux-socket': {
    title: 'lost tmux socket',
    detect: saysItself,
    retold: false,
    placing: 'as-ever',
    treat: nothing,
    alert: nothing,
  },
  unkillable: {
    title: 'unkillable process',
    detect: saysItself,
    retold: false,
    placing: 'as-ever',
    // Once: a person who uses it all the same has the last word.
    treat: ({ repair }, { node }) =>
      repair === null && node.mark === 'none' ? { do: 'mark', mark: 'drain' } : null,
    alert: () => ({
      level: 'P1',
      code: 'E_NODE_STUCK',
      fix: (node) => `restart ${node} when what runs there has ended; it is used again by itself`,
    }),
  },
};

export const AILMENTS = Object.keys(RULES) as AilmentKind[];

/** The ailment that keeps a node from taking anything; null: none does. */
export function closedBy({ health }: NodeState): Ailment | null {
  const isClosed = ({ kind, repair }: Ailment): boolean =>
    RULES[kind].placing === 'closed' || (repair?.by === 'restart' && repair.did === null);
  return health.ailments.find(isClosed) ?? null;
}

export function isLast({ health }: NodeState): boolean {
  return health.ailments.some(({ kind }) => RULES[kind].placing === 'last');
}

/** `low disk (31 MiB are free, 256 are kept in reserve)`, and what is done about it. */
export function ailmentText({ kind, evidence, repair }: Ailment): string {
  return `${RULES[kind].title} (${evidence})${repair === null ? '' : `, ${repairText(repair)}`}`;
}

/** What is being done, or was done without a look that shows it helped. */
export function repairText({ by, times, did }: NonNullable<Ailment['repair']>): string {
  const again = times > 1 ? `, ${times} times` : '';
  if (did !== null) return `${DONE[by]}${again}: ${did}`;
  return `${DOING[by]}${again}`;
}

const DOING: Readonly<Record<RepairKind, string>> = {
  sweep: 'sweeping',
  restart: 'restarting its supervisor',
  ship: 'shipping the program',
  node: 'the node is mending it',
  drain: 'drained',
  cordon: 'cordoned',
};
const DONE: Readonly<Record<RepairKind, string>> = {
  sweep: 'swept',
  restart: 'its supervisor was restarted',
  ship: 'shipped',
  node: 'mended by the node',
  drain: 'drained',
  cordon: 'cordoned',
};

function detectDisk({ disk, node, config }: Seen): Diagnosis {
  if (disk === null) return null;
  // What is enough to stay in use is not enough to be used again: it would be full with the next attempt.
  const slack = ailmentOf(node.health, 'disk') === null ? 1 : SLACK;
  const bytes = Math.max(disk.reserve.bytes, (config.minFreeMb ?? 0) * 2 ** 20);
  const inodes = disk.files === null ? '' : `, ${disk.files.free} files can be made`;
  if (disk.free < bytes * slack) {
    const kept = Math.ceil(bytes / 2 ** 20);
    return { ill: `${Math.floor(disk.free / 2 ** 20)} MiB are free, ${kept} are kept in reserve` };
  }
  if (disk.files !== null && disk.files.free < disk.reserve.files * slack)
    return { ill: `only ${disk.files.free} files can be made, ${disk.reserve.files} are kept in reserve` };
  return { well: `${Math.floor(disk.free / 2 ** 20)} MiB are free${inodes}` };
}
