/**
 * How long a task waits that has to wait for nothing: `npx tsx bench/latency.ts`. Each task of a chain writes the time at
 * which it runs, so the spans are read off the tasks themselves: from the end of the one before, and from `ready` (the
 * controller hears that end) to running in tmux. The latter is held against a bare `tmux new-session` by one exec on an
 * ssh2 connection that is open already. Rounds alternate.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { type Build, buildForBench } from './build.ts';
import { runController } from './controller.ts';
import { aim, line, median, ms, quantile, times, title } from './figures.ts';
import { chores, type Fleet, startFleet } from './fleet.ts';

const STEPS = 100;
const ROUNDS = 3;

const build = await buildForBench();
const fleet = await startFleet(1, 8);
try {
  await runController(build, fleet, chores('warm', 16));
  await latency(build, fleet);
} finally {
  await fleet.stop();
  build.remove();
}

async function latency(program: Build, on: Fleet): Promise<void> {
  title(`${STEPS} starts on a connected node, ${ROUNDS} alternating rounds`);
  const bare: number[] = [];
  const ready: number[] = [];
  const between: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const marks = join(on.dir, `marks${round}`);
    mkdirSync(marks);
    const theirs = await bareStarts(on, marks);
    const ours = await chainOf(program, on, marks);
    bare.push(...theirs);
    ready.push(...ours.ready);
    between.push(...ours.between);
    ratios.push(median(ours.ready) / median(theirs));
  }
  const spread = (values: readonly number[]): string => `p95 ${ms(quantile(values, 0.95))}`;
  line('tmux new-session by one ssh2 exec', ms(median(bare)), spread(bare));
  line('dispatch: from ready to running in tmux', ms(median(ready)), spread(ready));
  line('dispatch / bare, of the pairs', times(median(ratios)), '', aim(median(ratios), 1.5, 'times'));
  line(
    'end of a task to start of its dependent',
    ms(median(between)),
    spread(between),
    aim(median(between), 50, 'ms'),
  );
}

/** Milliseconds since 1970 that a task wrote with `date +%s%N`. */
function markOf(file: string): number {
  return Number(readFileSync(file, 'utf8').trim()) / 1e6;
}

async function chainOf(
  program: Build,
  on: Fleet,
  marks: string,
): Promise<{ ready: number[]; between: number[] }> {
  const command = ['/bin/sh', '-c', `date +%s%N > ${marks}/$DISPATCH_TASK_ID`];
  const dependsOn = (index: number): number[] => (index === 0 ? [] : [index - 1]);
  const { tasks } = await runController(program, on, chores('chain', STEPS, { command, dependsOn }));
  const ends = tasks.map(({ endedAt }) => endedAt).sort((a, b) => a - b);
  const starts = tasks.map(({ task }) => markOf(join(marks, task.slice(task.indexOf('/') + 1))));
  starts.sort((a, b) => a - b);
  return {
    ready: starts.slice(1).map((at, step) => at - (ends[step] ?? Number.NaN)),
    // What the command itself takes after its mark is in here too.
    between: starts.slice(1).map((at, step) => at - (starts[step] ?? Number.NaN)),
  };
}

async function bareStarts(on: Fleet, marks: string): Promise<number[]> {
  const client = await connected(on);
  const socket = join(on.dir, 'bare.sock');
  const spans: number[] = [];
  try {
    // A session that stays keeps the server, as a working node has one.
    await exec(client, `tmux -S ${socket} -f /dev/null new-session -d -s keep sleep 600`);
    for (let step = 0; step < STEPS; step += 1) {
      const file = join(marks, `bare${step}`);
      const began = performance.timeOrigin + performance.now();
      const script = `/bin/sh -c 'date +%s%N > ${file}.new; mv ${file}.new ${file}'`;
      await exec(client, `tmux -S ${socket} new-session -d -s b${step} "${script}"`);
      spans.push((await written(file)) - began);
    }
  } finally {
    await exec(client, `tmux -S ${socket} kill-server`);
    client.end();
  }
  return spans;
}

async function connected(on: Fleet): Promise<Client> {
  const [server] = on.servers;
  if (server === undefined) throw new Error('no server');
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({
      host: '127.0.0.1',
      port: server.port,
      username: server.user,
      privateKey: readFileSync(server.userKey),
    });
  });
  client.setNoDelay(true);
  return client;
}

function exec(client: Client, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      channel.on('close', () => resolve()).resume();
      channel.stderr.resume();
    });
  });
}

async function written(file: string): Promise<number> {
  for (;;) {
    try {
      return markOf(file);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
