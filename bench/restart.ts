/**
 * How long a controller takes to come back: `dispatch serve` keeps 1,000 running attempts on 32 nodes, is killed by SIGKILL
 * and started again by the command that a user types. Ready is when /health/ready says so (the store can be written, the
 * controller holds it, every node was asked what runs there); dispatching when the slot of an attempt that ended meanwhile
 * has new work. Nodes are simulated (simulated-node.ts), everything on the controller's side is real: processes, streams,
 * frames, store. Linux only, and not part of `make bench`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { homePaths } from '../src/controller/paths.ts';
import { handToController } from '../src/controller/socket.ts';
import { projectName } from '../src/model/ids.ts';
import { openReader } from '../src/store/sqlite/reader.ts';
import { freePort } from '../test/cluster/sshd.ts';
import { buildForBench } from './build.ts';
import { aim, line, machine, median, mib, quantile, seconds, title } from './figures.ts';
import { SimulatedNode } from './simulated-node.ts';

const { values } = parseArgs({
  options: {
    attempts: { type: 'string', default: '1000' },
    nodes: { type: 'string', default: '32' },
    restarts: { type: 'string', default: '20' },
    profile: { type: 'string' },
  },
});
const attempts = Number(values.attempts);
const restarts = Number(values.restarts);
const PROJECT = 'sweep';
const AIM_MS = 5000;
/** Of the clock that /proc counts in, a second. */
const TICKS = 100;
const LIMIT_MS = 600_000;

interface Restart {
  readonly readyMs: number;
  readonly dispatchMs: number;
  /** Of the process until then. */
  readonly cpuMs: number;
  readonly peakMb: number;
}

if (spawnSync('nc', ['-h'], { stdio: 'ignore' }).error !== undefined)
  throw new Error('needs nc: apt-get install netcat-openbsd');
const build = await buildForBench();
const dir = mkdtempSync(join(tmpdir(), 'dispatch-restart-'));
let wake = (): void => undefined;
const nodes = Array.from({ length: Number(values.nodes) }, (_, at) => {
  const name = `sim${String(at + 1).padStart(2, '0')}`;
  return new SimulatedNode(name, join(dir, `${name}.sock`), () => wake());
});
const started = (): number => nodes.reduce((sum, node) => sum + node.started, 0);
let serve: ChildProcess | null = null;
try {
  for (const node of nodes) await node.listen();
  const port = await freePort();
  const home = writeHome(port);
  serve = launch(home);
  await reached(() => isReady(port), 'ready for the first time');
  const reply = await handToController(homePaths(home).socket, { project: projectName(PROJECT) });
  if (reply?.ok !== true) throw new Error(JSON.stringify(reply));
  await reached(async () => started() === attempts, 'that all run');
  await settled(home);
  const found: Restart[] = [];
  for (let at = 0; at < restarts; at += 1) {
    serve = await restart(home, port, serve, found);
    await settled(home);
  }
  await check(home);
  if (values.profile !== undefined) {
    // A profile is written at an orderly end.
    const { exitCode } = await ended(serve, 'SIGTERM');
    if (exitCode !== 0) throw new Error(`serve ended with ${exitCode}`);
  }
  title(`${restarts} restarts with ${attempts} running attempts on ${nodes.length} nodes (${machine()})`);
  show('ready', found, ({ readyMs }) => readyMs, aim(worst(found), AIM_MS, 'ms'));
  show('new work has begun', found, ({ dispatchMs }) => dispatchMs);
  show('CPU of the controller until then', found, ({ cpuMs }) => cpuMs);
  line('peak memory of the controller', mib(Math.max(...found.map(({ peakMb }) => peakMb))));
} finally {
  serve?.kill('SIGKILL');
  for (const node of nodes) node.stop();
  build.remove();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Kills it, lets one attempt end that nobody hears of, and waits for the next one to be ready and at work. */
async function restart(
  home: string,
  port: number,
  before: ChildProcess,
  found: Restart[],
): Promise<ChildProcess> {
  await ended(before, 'SIGKILL');
  const node = nodes[found.length % nodes.length];
  const [token] = node?.running ?? [];
  if (node === undefined || token === undefined) throw new Error('nothing runs there');
  node.end(token);
  const orders = started();
  const began = performance.now();
  const next = launch(home);
  const dispatched = reached(async () => started() > orders, 'that new work begins').then(
    () => performance.now() - began,
  );
  await reached(() => isReady(port), 'ready');
  const readyMs = performance.now() - began;
  const dispatchMs = await dispatched;
  const { cpuMs, peakMb } = usageOf(next.pid ?? 0);
  found.push({ readyMs, dispatchMs, cpuMs, peakMb });
  return next;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<ChildProcess> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
  return child;
}

function writeHome(port: number): string {
  const home = join(dir, 'home');
  const folder = join(home, 'specs', PROJECT);
  mkdirSync(folder, { recursive: true });
  const entries = nodes.map(({ name, socket }, at) => ({
    name,
    command: ['sh', '-c', `exec nc -N -U ${socket}`],
    slots: Math.floor(attempts / nodes.length) + (at < attempts % nodes.length ? 1 : 0),
    mode: 'hybrid',
  }));
  writeFileSync(join(home, 'nodes.json'), JSON.stringify(entries));
  writeFileSync(join(home, 'dispatch.yaml'), `serve: { listen: "127.0.0.1:${port}" }\n`);
  writeFileSync(
    join(folder, 'project.yaml'),
    'executor: chore\nexecutors: { chore: { command: ["true"] } }\ntimeout: 10h\n',
  );
  for (let index = 0; index < attempts + restarts; index += 1) {
    const id = `T${String(index).padStart(5, '0')}`;
    const body = '## Goal\nLook at it.\n## Acceptance\n- the command ends with 0\n';
    writeFileSync(join(folder, `${id}.md`), `---\ntask_id: ${id}\nproject: ${PROJECT}\n---\n${body}`);
  }
  return home;
}

function launch(home: string): ChildProcess {
  const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const args = [...profile, join(build.dist, 'dispatch.js'), 'serve', '--home', home, '-o', 'ndjson'];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
  await response?.arrayBuffer();
  return response?.status === 200;
}

/** Every attempt is known to run, durably. */
async function settled(home: string): Promise<void> {
  const reader = await openReader(homePaths(home).database);
  try {
    await reached(async () => {
      const state = await reader.load();
      const running = [...state.attempts.values()].filter(({ phase }) => phase.is === 'running');
      return running.length === attempts;
    }, 'that the store knows them');
  } finally {
    await reader.close();
  }
}

/** Nothing ran twice, nothing was given up, and the log says what the tables say. */
async function check(home: string): Promise<void> {
  const reader = await openReader(homePaths(home).database);
  try {
    const { tasks, attempts: made, fenced } = await reader.load();
    const merged = [...tasks.values()].filter(({ progress }) => progress.at === 'merged').length;
    const again = [...tasks.values()].filter(({ n }) => n > 1).length;
    const differences = await reader.replayCheck();
    const seen = { made: made.size, started: started(), merged, again, fenced: fenced.size, differences };
    const wanted = { made: attempts + restarts, started: attempts + restarts, merged: restarts };
    const right = { ...wanted, again: 0, fenced: 0, differences: [] };
    if (JSON.stringify(seen) !== JSON.stringify(right)) throw new Error(JSON.stringify(seen));
  } finally {
    await reader.close();
  }
}

async function reached(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not reached: ${what} (${started()} started)`);
    await delay(20);
  }
}

function show(what: string, found: readonly Restart[], of: (one: Restart) => number, beside = ''): void {
  const all = found.map(of);
  const [least, p95, most] = [Math.min(...all), quantile(all, 0.95), Math.max(...all)];
  line(what, seconds(median(all)), `${seconds(least)} to ${seconds(most)}, p95 ${seconds(p95)}`, beside);
}

function worst(found: readonly Restart[]): number {
  return Math.max(...found.map(({ readyMs }) => readyMs));
}

/** Of a process, by /proc. */
function usageOf(pid: number): { cpuMs: number; peakMb: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuMs: ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1000,
    peakMb: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
  };
}
