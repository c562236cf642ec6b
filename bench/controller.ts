/** Starts a controller in a process of its own over a fleet, and checks that what it says it did has happened. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../src/controller/paths.ts';
import type { LoadedProject } from '../src/controller/takeover.ts';
import { openReader } from '../src/store/sqlite/reader.ts';
import type { Build } from './build.ts';
import type { ControllerJob, ControllerRun } from './controller-process.ts';
import type { Fleet } from './fleet.ts';
import { difference, type Usage, usageNow } from './usage.ts';

export interface Measured extends ControllerRun {
  /** CPU of everything that took part; null where it cannot be told. */
  readonly usage: Usage | null;
}

/** @throws when a task did not merge, an event is not in the store, or a task did not run in tmux. */
export async function runController(build: Build, fleet: Fleet, project: LoadedProject): Promise<Measured> {
  const home = mkdtempSync(join(fleet.dir, 'home-'));
  const job: ControllerJob = { home, nodes: fleet.nodes, project };
  const file = join(home, 'job.json');
  writeFileSync(file, JSON.stringify(job));
  const sessions = sessionsMade(fleet);
  const before = usageNow(fleet.dir);
  const { stdout, status } = spawnSync(process.execPath, [build.controller, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const usage = difference(usageNow(fleet.dir), before);
  if (status !== 0) throw new Error(`the controller ended with ${status}`);
  const run = JSON.parse(stdout) as ControllerRun;
  await check(home, project.specs.length, run, sessionsMade(fleet) - sessions - fleet.nodes.length);
  return { ...run, usage };
}

/** Durable: the store has every event and replays to the same state. In tmux: so many sessions were made. */
export async function check(
  home: string,
  count: number,
  run: Pick<ControllerRun, 'merged' | 'attempts' | 'events'> | null,
  sessions: number,
): Promise<void> {
  const reader = await openReader(homePaths(home).database);
  try {
    const state = await reader.load();
    const merged = [...state.tasks.values()].filter(({ progress }) => progress.at === 'merged').length;
    const kept = (await reader.events(0, 1_000_000)).length;
    const differences = await reader.replayCheck();
    expect(merged === count && state.attempts.size >= count, `${merged} merged of ${state.attempts.size}`);
    expect(differences.length === 0, `the events replay to another state: ${JSON.stringify(differences[0])}`);
    expect(run === null || run.events === kept, `${kept} events in the store, ${run?.events} told`);
    expect(sessions >= count, `${sessions} tmux sessions for ${count} tasks`);
  } finally {
    await reader.close();
  }
}

/** Sessions that the nodes' tmux servers have made so far: their ids count up, and asking makes one more on each. */
export function sessionsMade(fleet: Fleet): number {
  let made = 0;
  for (const { root } of fleet.nodes) {
    const socket = join(root ?? '', 'run', 'tmux.sock');
    if (!existsSync(socket)) continue;
    const args = ['-S', socket, 'new-session', '-d', '-P', '-F', '#{session_id}', 'true'];
    made += Number(spawnSync('tmux', args, { encoding: 'utf8' }).stdout.trim().slice(1));
  }
  return made;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
