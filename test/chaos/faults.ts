/**
 * What can be done to a run whose nodes are machines: each sort happens to somebody that is drawn, lasts as long as is
 * drawn, and heals by itself. None of them is anybody's fault, so none may change how a task ends.
 */
import { spawn } from 'node:child_process';
import { setTimeout as passing } from 'node:timers/promises';
import type { SmallDisk } from '../cluster/disk.ts';
import type { Rng } from '../sim/rng.ts';
import type { Arena, ArenaNode } from './arena.ts';
import type { Controller } from './controller.ts';
import { FAIR, type Line } from './line.ts';
import type { Clock, Machine } from './machine.ts';
import type { Report } from './report.ts';
import type { Wire } from './wire.ts';

export interface Field {
  readonly arena: Arena;
  readonly controller: Controller;
  /** Where the controller keeps its state, and what it is told of the time. */
  readonly disk: SmallDisk;
  readonly clock: Clock;
  readonly report: Report;
  readonly rng: Rng;
}

/** A node of which everything can be had. */
interface Place {
  readonly node: ArenaNode;
  readonly machine: Machine;
}

/** Settles when it is over. */
export type Fault = (field: Field) => Promise<void>;

const HOUR = 3_600_000;
const STEPS = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR];

export const FAULTS: Readonly<Record<string, Fault>> = {
  'controller SIGKILL': async (field) => {
    if (field.controller.signal('SIGKILL')) field.report.did('controller SIGKILL', 'controller');
  },
  'controller SIGSTOP': (field) => stopped(field, 'controller', () => field.controller.pid),
  'controller disk full': (field) => full(field, 'controller', field.disk),
  'controller clock step': async (field) => stepped(field, 'controller', field.clock),
  'link cut': async (field) => {
    const { line, node } = lined(field);
    await during(field, 'link cut', node.name, [1000, 40_000], () => line.cut());
    await line.open();
  },
  'link hole': async (field) => {
    const { line, node } = lined(field);
    await during(field, 'link hole', node.name, [1000, 40_000], () => line.hole());
    line.fill();
  },
  'link dropped': async (field) => {
    const { line, node } = lined(field);
    field.report.did('link dropped', node.name);
    line.drop();
  },
  'short cuts of all links': async ({ arena, report, rng }) => {
    for (let left = rng.between(2, 6); left > 0; left -= 1) {
      report.did('short cut', 'all');
      for (const { line } of arena.nodes) line?.drop();
      await passing(rng.between(300, 3000));
    }
  },
  'links clogged': async ({ arena, report, rng }) => {
    const lines = arena.nodes.flatMap(({ line, name }) => (line === null ? [] : { line, name }));
    for (const { line, name } of lines) {
      report.did('link clogged', name);
      line.clog();
      await passing(rng.between(0, 6000));
    }
    const drawn = lines.map(({ line }) => ({ line, at: rng.next() })).toSorted((a, b) => a.at - b.at);
    for (const { line } of drawn) {
      await passing(rng.between(0, 6000));
      line.unclog();
    }
  },
  'packets lost': async (field) => {
    const { wire, node } = wired(field);
    await during(field, 'packets lost', node.name, [500, 40_000], () => wire?.hole());
    wire?.fill();
  },
  'cable pulled': async (field) => {
    const { wire, node } = wired(field);
    await during(field, 'cable pulled', node.name, [500, 40_000], () => wire?.unplug());
    wire?.plug();
  },
  'bad weather': async (field) => {
    const { line, node } = lined(field);
    const weather = { delayMs: field.rng.between(10, 300), jitterMs: 200, loss: 0.05 };
    await during(field, 'bad weather', node.name, [5000, 40_000], () => {
      line.weather = weather;
    });
    line.weather = FAIR;
  },
  'connection SIGSTOP': async (field) => {
    const { node, machine } = place(field);
    const pids = machine.connections;
    await during(field, 'connection SIGSTOP', node.name, [1000, 30_000], () => {
      for (const pid of pids) signal(pid, 'SIGSTOP');
    });
    for (const pid of pids) signal(pid, 'SIGCONT');
  },
  'connection SIGKILL': async (field) => {
    const { node, machine } = place(field);
    field.report.did('connection SIGKILL', node.name);
    for (const pid of machine.connections) signal(pid, 'SIGKILL');
  },
  'connection stopped for good': async (field) => {
    const { node, machine } = place(field);
    field.report.did('connection stopped for good', node.name);
    for (const pid of [...machine.connections, ...machine.joints]) signal(pid, 'SIGSTOP');
  },
  'supervisor SIGKILL': async (field) => killed(field, 'supervisor', ({ machine }) => machine.supervisor),
  'supervisor SIGSTOP': (field) => {
    const { node, machine } = place(field);
    return stopped(field, node.name, () => machine.supervisor ?? 0, 'supervisor');
  },
  'tmux server stopped for good': async (field) => {
    const { node, machine } = place(field);
    if (machine.tmuxServer === undefined) return;
    field.report.did('tmux server stopped for good', node.name);
    signal(machine.tmuxServer, 'SIGSTOP');
  },
  'supervisor stopped for good': async (field) => {
    const { node, machine } = place(field);
    if (machine.supervisor === undefined) return;
    field.report.did('supervisor stopped for good', node.name);
    stopSupervisor(machine);
  },
  'tmux SIGKILL': async (field) => killed(field, 'tmux', ({ machine }) => machine.tmuxServer),
  'tmux SIGSTOP': (field) => {
    const { node, machine } = place(field);
    return stopped(field, node.name, () => machine.tmuxServer ?? 0, 'tmux');
  },
  'agent SIGSTOP': (field) => {
    const { node, machine } = place(field);
    const agent = someAgent(field, machine);
    return stopped(field, node.name, () => agent, 'agent');
  },
  'agent SIGKILL': async (field) => killed(field, 'agent', ({ machine }) => someAgent(field, machine)),
  'launcher SIGKILL': async (field) =>
    killed(field, 'launcher', ({ machine }) => someLauncher(field, machine)),
  'launcher SIGSTOP': (field) => {
    const { node, machine } = place(field);
    const launcher = someLauncher(field, machine);
    return stopped(field, node.name, () => launcher, 'launcher');
  },
  'node disk full': (field) => {
    const { node, machine } = place(field);
    return full(field, node.name, machine.disk);
  },
  reboot: (field) => reboot(field, place(field)),
  'node clock step': async (field) => {
    const { node, machine } = place(field);
    stepped(field, node.name, machine.clock);
  },
  'busy processors': async (field) => {
    const { node } = place(field);
    const hogs = Array.from({ length: 8 }, () =>
      spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
    );
    await during(field, 'busy processors', node.name, [2000, 20_000], () => undefined);
    for (const hog of hogs) hog.kill('SIGKILL');
  },
  // The kernel takes the greedy one first, as it would an agent.
  'memory taken': (field) =>
    squeezed(field, 'memory taken', 'echo 1000 >/proc/self/oom_score_adj; tail /dev/zero'),
  'processes taken': (field) => squeezed(field, 'processes taken', 'while :; do sleep 60 & done'),
};

/** tmux tells the supervisor to go on when it is stopped, so it stands still only where both do. */
export function stopSupervisor({ supervisor, tmuxServer }: Machine): void {
  if (tmuxServer !== undefined) signal(tmuxServer, 'SIGSTOP');
  if (supervisor !== undefined) signal(supervisor, 'SIGSTOP');
}

/** Off at once, on again after a while, with or without what the worker had in its `run/`. */
export async function reboot(
  field: Field,
  { node, machine }: Pick<Place, 'node' | 'machine'>,
  off: readonly [number, number] = [200, 20_000],
): Promise<void> {
  const { report, rng } = field;
  const offMs = rng.between(...off);
  report.did('reboot', node.name, offMs);
  await machine.switchOff();
  if (rng.chance(0.5)) machine.clearRun();
  await passing(offMs);
  await machine.switchOn();
}

function place({ arena, rng }: Field): Place {
  return machineAt(rng.pick(arena.nodes));
}

function machineAt(node: ArenaNode): Place {
  if (node.machine === null) throw new Error(`${node.name} is no machine`);
  return { node, machine: node.machine };
}

function lined({ arena, rng }: Field): { readonly node: ArenaNode; readonly line: Line } {
  const node = rng.pick(arena.nodes.filter(({ line }) => line !== null));
  if (node.line === null) throw new Error(`${node.name} is not behind a line`);
  return { node, line: node.line };
}

/** No wire where this machine makes none: then packets are not lost, and the report of the run has said so. */
function wired({ arena, rng }: Field): Pick<Place, 'node'> & { readonly wire: Wire | null } {
  const behind = arena.nodes.filter(({ wire }) => wire !== null);
  const node = rng.pick(behind.length === 0 ? arena.nodes : behind);
  return { node, wire: node.wire };
}

/** Something shares what the machine has, and takes all of it for a while. */
async function squeezed(field: Field, what: string, script: string): Promise<void> {
  const { node, machine } = place(field);
  const greedy = machine.squeeze(script);
  if (greedy === null) return;
  await during(field, what, node.name, [1000, 10_000], () => undefined);
  signal(-(greedy.pid ?? 0), 'SIGKILL');
}

async function during(
  { report, rng }: Field,
  what: string,
  whom: string,
  [least, most]: readonly [number, number],
  begin: () => Promise<void> | void,
): Promise<void> {
  const forMs = rng.between(least, most);
  report.did(what, whom, forMs);
  await begin();
  await passing(forMs);
}

async function stopped(field: Field, whom: string, find: () => number, what = whom): Promise<void> {
  const pid = find();
  if (pid === 0) return;
  await during(field, `${what} SIGSTOP`, whom, [1000, 30_000], () => signal(pid, 'SIGSTOP'));
  signal(pid, 'SIGCONT');
}

function killed(field: Field, what: string, find: (place: Place) => number | undefined): void {
  const at = place(field);
  const pid = find(at) ?? 0;
  if (pid === 0) return;
  field.report.did(`${what} SIGKILL`, at.node.name);
  signal(pid, 'SIGKILL');
}

/** The shell of some agent that works there; 0 when none does. */
function someAgent({ rng }: Field, machine: Machine): number {
  const agents = machine.running(/^sh\0agent\.sh\0/u);
  return agents.length === 0 ? 0 : rng.pick(agents);
}

/** The shell around some agent that works there, which records how it ended; 0 when none does. */
function someLauncher({ rng }: Field, machine: Machine): number {
  const launchers = machine.running(/^\/bin\/sh\0[^\0]*\/launch-[0-9a-f]+\.sh\0/u);
  return launchers.length === 0 ? 0 : rng.pick(launchers);
}

async function full(field: Field, whom: string, disk: SmallDisk): Promise<void> {
  const what = whom === 'controller' ? 'controller disk full' : 'node disk full';
  await during(field, what, whom, [1000, 20_000], () => disk.fill());
  disk.free();
}

function stepped({ report, rng }: Field, whom: string, clock: Clock): void {
  // Never far from the truth for ever: what was set forward is set back some time.
  const step = rng.pick(STEPS.filter((ms) => Math.abs(clock.wallMs + ms) <= 24 * HOUR));
  clock.step(step);
  report.did(`${whom === 'controller' ? 'controller' : 'node'} clock ${shown(step)}`, whom);
}

function shown(ms: number): string {
  return `${ms > 0 ? '+' : '-'}${Math.abs(ms) === HOUR ? 'hour' : 'day'}`;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
