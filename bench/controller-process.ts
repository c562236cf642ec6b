/**
 * A controller in a process of its own, so that its CPU and memory are nobody else's: reads what to run from the file that is
 * its argument, and prints one line of JSON with what it cost. Bundled by build.ts and started by controller.ts.
 */
import { readFileSync } from 'node:fs';
import { keepHeapLean } from '../src/controller/lean-heap.ts';
import { openSession } from '../src/controller/open-session.ts';
import type { Session } from '../src/controller/session.ts';
import type { LoadedProject } from '../src/controller/takeover.ts';
import type { Event } from '../src/model/event.ts';
import type { NodeConfig } from '../src/model/spec.ts';
import type { TaskKey, Token } from '../src/model/ids.ts';

export interface ControllerJob {
  readonly home: string;
  readonly nodes: readonly NodeConfig[];
  readonly project: LoadedProject;
}

export interface ControllerRun {
  /** From the command `start` to the last task's end, milliseconds. */
  readonly wallMs: number;
  /** CPU of this process in that span, milliseconds. */
  readonly cpuMs: number;
  /** Highest resident memory of this process in its whole life, MiB. */
  readonly peakMb: number;
  readonly merged: number;
  readonly events: number;
  readonly attempts: number;
  /** Per task, from the durable end of the task before it (`startable`) and from its own claim, both wall-clock milliseconds. */
  readonly tasks: readonly { readonly task: string; readonly claimedAt: number; readonly endedAt: number }[];
}

async function main(): Promise<void> {
  keepHeapLean();
  const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ControllerJob;
  let events = 0;
  const times = new Map<Token, { task: TaskKey; claimedAt: number; endedAt: number }>();
  const note = ({ at, fact }: Event): void => {
    events += 1;
    if (fact.type === 'attempt.claimed')
      times.set(fact.token, { task: fact.task, claimedAt: at, endedAt: 0 });
    if (fact.type !== 'attempt.ended') return;
    const time = times.get(fact.token);
    if (time !== undefined) time.endedAt = at;
  };
  const session = await openSession({
    home: job.home,
    nodes: job.nodes,
    projects: [job.project],
    onEvents: (batch) => batch.forEach(note),
    onNote: (said) => process.stderr.write(`${said.name}: ${said.message}\n`),
  });
  try {
    await allConnected(session, job.nodes.length);
    const cpu = process.cpuUsage();
    const began = performance.now();
    await session.command({ verb: 'start', project: job.project.config.name });
    const { merged } = await session.until.settled([job.project.config.name]);
    const wallMs = performance.now() - began;
    const used = process.cpuUsage(cpu);
    const run: ControllerRun = {
      wallMs,
      cpuMs: (used.user + used.system) / 1000,
      peakMb: peak(),
      merged: merged.length,
      events,
      attempts: session.state.attempts.size,
      tasks: [...times.values()],
    };
    process.stdout.write(`${JSON.stringify(run)}\n`);
  } finally {
    await session.detach();
  }
}

async function allConnected(session: Session, count: number): Promise<void> {
  while (session.snapshot().connected.size < count) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Linux keeps the highest value itself; elsewhere the value now is the best there is. */
function peak(): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(line?.[1]) / 1024;
  } catch {
    return process.memoryUsage().rss / 2 ** 20;
  }
}

await main();
