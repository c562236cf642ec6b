/**
 * Where chaos takes place: real sshd nodes, each with a HOME and a worker's directory of its own, a repository, and tasks
 * whose agents are scripts that take as long as was drawn for them. All of it is drawn from one seed, and all of it is
 * ended and removed by `end`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Home, makeHome, PROJECT, type TaskText } from '../cluster/home.ts';
import { type Sshd, type SshdOptions, startSshd } from '../cluster/sshd.ts';
import { Rng } from '../sim/rng.ts';
import { Controller, type ControllerOptions } from './controller.ts';
import { Line } from './line.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { Wire } from './wire.ts';

export interface ArenaOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Slots of each node. */
  readonly slots: number;
  readonly tasks: number;
  /** Shortest and longest work of an agent, milliseconds. */
  readonly agentMs: readonly [number, number];
  /** A mark (`home.mark`) that the agent of the n-th task waits for before its work, from 0 on; null: none. */
  readonly awaits?: (n: number) => string | null;
  /** Share of tasks whose agent gives up, so that they fail and stay failed. */
  readonly red?: number;
  /** Tasks that wait for none and share no file, so that all of them can run at once. */
  readonly independent?: boolean;
  /** How the controller reaches each node, the first of them being 1; straight by default. */
  readonly way?: (node: number) => Way;
  /** Further keys of project.yaml and of the entry of each node. */
  readonly project?: Readonly<Record<string, unknown>>;
  readonly nodeKeys?: Readonly<Record<string, unknown>>;
  readonly sshd?: (node: number) => SshdOptions;
  /** Every node is a machine of its own, that can be switched off, with a disk of this size and these variables. */
  readonly machines?: Omit<MachineOptions, 'name' | 'root' | 'home'>;
}

/** Straight, through a line that can be bad, or through a network of its own. */
export type Way = 'straight' | 'line' | 'wire';

export interface ArenaTask {
  readonly id: string;
  readonly workMs: number;
  readonly awaits: string | null;
  readonly dependsOn: readonly string[];
  /** What it changes. */
  readonly path: string;
  /** How it has to end, whatever happens meanwhile. */
  readonly ends: 'merged' | 'failed';
}

export interface ArenaNode {
  readonly name: string;
  readonly server: Sshd;
  /** What the worker has on the node. */
  readonly root: string;
  readonly line: Line | null;
  readonly wire: Wire | null;
  readonly machine: Machine | null;
}

/** Share of tasks that wait for an earlier one, and of those that all claim one file. */
const DEPENDENT = 0.15;
const SHARING = 0.04;
const SHARED = 'src/shared.txt';
/** Share of agents that commit their work themselves, and how: a commit that was made must be found afterwards. */
const COMMITTING = 0.3;
const COMMIT = `git add -A && git commit -qm "$DISPATCH_TASK"
echo "$DISPATCH_TOKEN $(git rev-parse HEAD)" >>"$MARKS/made"`;
/** Makes the suite of the home red where an agent left this word. */
const NOTHING_RED = '! grep -rq RED src\n';

export class Arena {
  readonly home: Home;
  readonly nodes: readonly ArenaNode[];
  readonly tasks: readonly ArenaTask[];
  /** Draws what is done to it; what it consists of was drawn before. */
  readonly rng: Rng;
  readonly #end: () => Promise<void>;
  readonly #controllers: Controller[] = [];
  readonly #ends: (() => Promise<void> | void)[] = [];

  constructor(
    home: Home,
    nodes: readonly ArenaNode[],
    tasks: readonly ArenaTask[],
    rng: Rng,
    end: () => Promise<void>,
  ) {
    this.home = home;
    this.nodes = nodes;
    this.tasks = tasks;
    this.rng = rng;
    this.#end = end;
  }

  /** The controller, kept alive from now on: `dispatch start`, unless other words are given. */
  keep(options: Partial<ControllerOptions> = {}): Controller {
    const args = ['start', PROJECT, '-o', 'ndjson'];
    const controller = new Controller(this.home, { args, nodes: this.nodes.length, ...options });
    this.#controllers.push(controller);
    return controller;
  }

  /** To be done when all controllers have ended, before the rest is removed. */
  atEnd(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  /** Ends everything, and removes it unless `keep`, which a person may want to look at. */
  async end(keep = false): Promise<void> {
    for (const controller of this.#controllers) await controller.stop();
    if (keep) return;
    for (const end of this.#ends.toReversed()) await end();
    await this.#end();
  }
}

/** A fresh arena. Nothing of the product runs yet. */
export async function openArena(options: ArenaOptions): Promise<Arena> {
  const rng = new Rng(options.seed);
  const tasks = drawTasks(options, rng);
  const ends: (() => Promise<void> | void)[] = [];
  const end = async (): Promise<void> => {
    for (const next of ends.toReversed()) await next();
  };
  try {
    const home = makeHome({
      tasks: Object.fromEntries(tasks.map((task) => [task.id, taskText(task, rng)])),
      files: {
        [SHARED]: '',
        'tests/red.sh': NOTHING_RED,
        ...Object.fromEntries(tasks.map(({ id }) => [`src/${id}.txt`, 'empty\n'])),
      },
      project: options.project ?? {},
      whenOver: (over) => ends.push(over),
    });
    const nodes: ArenaNode[] = [];
    const entries: { readonly name: string }[] = [];
    for (let i = 1; i <= options.nodes; i += 1) {
      const { node, config } = await openNode(`node${i}`, i, home, options, rng, ends);
      nodes.push(node);
      entries.push({
        name: node.name,
        ssh_target: node.server.alias,
        ssh_config: config,
        slots: options.slots,
        ...options.nodeKeys,
      } as { name: string });
    }
    home.writeNodes(entries);
    return new Arena(home, nodes, tasks, rng, end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function openNode(
  name: string,
  index: number,
  home: Home,
  { way: wayOf, sshd, machines }: ArenaOptions,
  rng: Rng,
  ends: (() => Promise<void> | void)[],
): Promise<{ node: ArenaNode; config: string }> {
  const way = wayOf?.(index) ?? 'straight';
  const wire = way === 'wire' ? new Wire() : null;
  if (wire !== null) ends.push(() => wire.remove());
  const root = home.root(name);
  // Below the home's directory, so that whatever a node leaves behind is found by it.
  const user = join(home.base, 'users', name);
  const machine =
    machines === undefined
      ? null
      : await Machine.start({
          name,
          root,
          home: user,
          ...machines,
          ...(wire === null ? {} : { network: wire }),
        });
  const server =
    machine?.sshd ??
    (await startSshd({
      alias: name,
      home: user,
      ...(wire === null ? {} : { address: wire.address, launcher: () => wire.launcher }),
      // What a cut leaves behind on a node goes within seconds, so that the end of a run shows it.
      env: { DISPATCH_QUIET_MS: '5000' },
      ...sshd?.(index),
    }));
  ends.push(() => machine?.remove() ?? server.stop());
  const known = { name, server, root, wire, machine };
  if (way !== 'line') return { node: { ...known, line: null }, config: server.configFile };
  const line = new Line(server.port, new Rng(rng.int(1 << 30)));
  await line.open();
  ends.push(() => line.cut());
  const config = join(server.dir, 'ssh_config_line');
  // The first value counts; the host is still known by the name that it has without the line.
  const own = `Host ${name}\n  Port ${line.port}\n  HostKeyAlias ${server.hostKeyName}\n`;
  writeFileSync(config, `${own}Include ${server.configFile}\n`);
  return { node: { ...known, line }, config };
}

function drawTasks(options: ArenaOptions, rng: Rng): ArenaTask[] {
  const { tasks: count, agentMs, red = 0, awaits = () => null, independent = false } = options;
  const width = String(count).length;
  const tasks: ArenaTask[] = [];
  for (let i = 1; i <= count; i += 1) {
    const id = `T${String(i).padStart(width, '0')}`;
    const workMs = rng.between(...agentMs);
    const ends = rng.chance(red) ? 'failed' : 'merged';
    // Never on one that fails: it would wait for a person for ever.
    const before = tasks.filter((task) => task.ends === 'merged').slice(-40);
    const isDependent = !independent && before.length > 0 && rng.chance(DEPENDENT);
    const dependsOn = isDependent ? [rng.pick(before).id] : [];
    const shares = !independent && ends === 'merged' && rng.chance(SHARING);
    const path = shares ? SHARED : `src/${id}.txt`;
    tasks.push({ id, workMs, awaits: awaits(i - 1), dependsOn, path, ends });
  }
  return tasks;
}

function taskText({ id, workMs, awaits, dependsOn, path, ends }: ArenaTask, rng: Rng): TaskText {
  const good = path === SHARED ? `echo ${id} >>${path}` : `put ${path} ${id}`;
  const bad = rng.chance(0.5) ? 'exit 7' : `put ${path} RED`;
  const steps: string[] = [];
  // Rarely looked at: dozens of agents wait at the same time.
  if (awaits !== null) steps.push(`until test -e "$MARKS/${awaits}"; do sleep 0.7; done`);
  steps.push(`sleep ${(workMs / 1000).toFixed(3)}`, ends === 'failed' ? bad : good);
  if (rng.chance(COMMITTING)) steps.push(COMMIT);
  return { agent: steps.join('\n'), modifies: [path], depends_on: dependsOn };
}

/** Builds what a user runs into a directory of this process's own, unless somebody has, and makes children use it. */
export function buildForChaos(): () => void {
  if (process.env.DISPATCH_DIST !== undefined) return () => {};
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const dist = join(root, 'node_modules/.cache/dispatch-chaos', String(process.pid));
  execFileSync(process.execPath, ['scripts/build.mjs', dist], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  process.env.DISPATCH_DIST = dist;
  return () => {
    delete process.env.DISPATCH_DIST;
    rmSync(dist, { recursive: true, force: true });
  };
}

/** Process id of the node's supervisor; 0 when none has begun, or the record is gone. */
export function supervisorOf({ root, machine }: ArenaNode): number {
  // Its own record names it as the machine counts.
  if (machine !== null) return machine.supervisor ?? 0;
  const record = join(root, 'run', 'supervisor');
  return existsSync(record) ? Number(readFileSync(record, 'utf8').split('\n')[0]) : 0;
}

/** Directories of attempts that a node keeps. */
export function attemptsKept({ root }: ArenaNode): number {
  const dir = join(root, 'attempts');
  return existsSync(dir) ? readdirSync(dir).length : 0;
}
