/**
 * Attempts with a real repository of 5,000 files: tree, agent, gates, verify on a clean checkout, bundle, merge, merge
 * gate, landing. The agent writes one file; verify looks at it: what is measured is the way, not the work.
 */
import type { LoadedProject } from '../src/controller/takeover.ts';
import { type Build, buildForBench } from './build.ts';
import { runController } from './controller.ts';
import { line, median, mib, ms, seconds, title } from './figures.ts';
import { chores, type Fleet, startFleet } from './fleet.ts';
import { FILES, repository } from './repository.ts';

const TASKS = 64;
const NODES = 2;
const SLOTS = 4;
const ROUNDS = 3;

const build = await buildForBench();
const fleet = await startFleet(NODES, SLOTS);
try {
  await realRepository(build, fleet);
} finally {
  await fleet.stop();
  build.remove();
}

async function realRepository(program: Build, on: Fleet): Promise<void> {
  const repo = repository(on.dir);
  title(`${TASKS} tasks on a repository of ${FILES} files, ${NODES} sshd nodes x ${SLOTS} slots`);
  const cold = await runController(program, on, withRepository('cold', TASKS, repo));
  line('first run: mirrors and trees are made', seconds(cold.wallMs), rate(cold.wallMs));
  const warm = [];
  for (let round = 0; round < ROUNDS; round += 1)
    warm.push(await runController(program, on, withRepository('cold', TASKS, repo)));
  const wall = median(warm.map(({ wallMs }) => wallMs));
  line(`warm trees, median of ${ROUNDS}`, seconds(wall), rate(wall));
  line('controller with its git, CPU a task', ms(median(warm.map(({ cpuMs }) => cpuMs)) / TASKS));
  line('controller, peak memory', mib(median(warm.map(({ peakMb }) => peakMb))));
}

function rate(wallMs: number): string {
  return `${((TASKS * 1000) / wallMs).toFixed(1)} tasks landed a second`;
}

function withRepository(name: string, count: number, repo: string): LoadedProject {
  const command = [
    '/bin/sh',
    '-c',
    'mkdir -p made && echo "$DISPATCH_TASK_ID" > "made/$DISPATCH_TASK_ID.txt"',
  ];
  const { config, specs } = chores(name, count, { command });
  return {
    config: { ...config, repo, verify: 'ls made', gates: { ...config.gates, skipControl: 'a bench' } },
    specs: specs.map(({ spec, text }) => ({
      spec: { ...spec, modifies: [`made/${spec.id}.txt`], verify: 'ls made' },
      text,
    })),
  };
}
