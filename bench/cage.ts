/**
 * What the cage of an agent costs per start: the same step, written down and run by a shell as launch.sh does, without a
 * cage, in `basic`, in `strict` without a network, and in `strict` with the way out to one host. The levels take turns in
 * one run,
 * so read the ratios; CPU time tells the same on a machine that others use as well. The agent is `:`; a real one takes
 * 300 ms and more. Medians, CPU: means.
 *
 *   npx tsx bench/cage.ts [runs]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invocation } from '../src/executors/invoke.ts';
import { type CageRules, DEFAULT_CAGE } from '../src/model/cage.ts';
import type { ExecutorDef } from '../src/model/executor.ts';
import { projectName, taskId, tokenFrom } from '../src/model/ids.ts';
import { DEFAULT_SANDBOX } from '../src/model/sandbox.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { PROTOCOL } from '../src/protocol/version.ts';
import { cagedAgent, type Round } from '../task-wrapper/cage.ts';
import { endCage } from '../task-wrapper/cage-end.ts';
import { attemptDir, openRoot, type Root } from '../task-wrapper/root.ts';
import { writeStep } from '../task-wrapper/step.ts';
import { buildForBench } from './build.ts';
import { line, median, ms, times, title } from './figures.ts';

const RUNS = Number(process.argv[2] ?? 30);
const STRICT: CageRules = { ...DEFAULT_CAGE, level: 'strict' };
const LEVELS: Readonly<Record<string, CageRules>> = {
  none: { ...DEFAULT_CAGE, level: 'none' },
  basic: DEFAULT_CAGE,
  'strict, no network': STRICT,
  'strict, the whole network': { ...STRICT, network: true },
  'strict, one host': { ...STRICT, network: ['api.example.com'] },
};

const top = realpathSync(mkdtempSync(join(tmpdir(), 'bench-cage-')));
const built = await buildForBench();
try {
  await bench();
} finally {
  built.remove();
  rmSync(top, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const root = openRoot(join(top, 'worker'));
  const figures = new Map(Object.keys(LEVELS).map((name) => [name, { wall: [] as number[], cpu: 0 }]));
  for (let run = 0; run <= RUNS; run += 1) {
    for (const [at, [name, cage]] of Object.entries(LEVELS).entries()) {
      const before = cpuMs();
      const took = await start(root, run * 10 + at, cage);
      const row = figures.get(name);
      // The first looks for the sandbox, once per supervisor.
      if (run === 0 || row === undefined) continue;
      row.wall.push(took);
      row.cpu += cpuMs() - before;
    }
  }
  title(`${RUNS} starts of an agent that does nothing`);
  const plain = median(figures.get('none')?.wall ?? []);
  for (const [name, { wall, cpu }] of figures)
    line(`cage: ${name}`, ms(median(wall)), times(median(wall) / plain), `CPU ${ms(cpu / RUNS)}`);
}

async function start(root: Root, number: number, cage: CageRules): Promise<number> {
  const round = roundOf(number, cage);
  const { order } = round;
  const dir = attemptDir(root, order.token);
  mkdirSync(`${dir}/tree`, { recursive: true });
  mkdirSync(`${root.repos}/bench.git/objects`, { recursive: true });
  for (const name of ['prompt.md', 'spec.md']) writeFileSync(`${dir}/${name}`, '');
  const began = performance.now();
  const command = await cagedAgent(root, round);
  writeStep(`${dir}/1a`, { ...command, output: `${dir}/agent.log` });
  const { status } = spawnSync('/bin/sh', ['-c', '. "$1"', 'sh', `${dir}/1a.sh`], { env: {} });
  endCage(root, order, '1a', { code: 0 });
  const took = performance.now() - began;
  if (status !== 0) throw new Error(`${dir}/agent.log: the agent ended with ${status}`);
  return took;
}

/** CPU of this process and of the children that it has waited for, milliseconds; the kernel counts in hundredths of a second. */
function cpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]) * 10, 0);
}

function roundOf(number: number, cage: CageRules): Round {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(number);
  const token = tokenFrom(bytes);
  const executor: ExecutorDef = {
    name: 'bench',
    kind: 'shell',
    command: ['/bin/sh', '-c', ':'],
    env: {},
    secrets: {},
    model: null,
  };
  const work: WorkOrder = {
    kind: 'work',
    tree: null,
    spec: '',
    prompt: '',
    executor,
    verify: 'true',
    verifyTimeoutMs: 60_000,
    minTests: 0,
    sandbox: DEFAULT_SANDBOX,
    cage,
    retries: 0,
    feedback: null,
  };
  const order = {
    protocol: PROTOCOL,
    token,
    project: projectName('bench'),
    task: taskId('T1'),
    n: 1,
    epoch: 1,
    timeoutMs: 60_000,
    logCapBytes: 1_000_000,
    work,
    node: {
      bootId: '',
      since: 0,
      program: '',
      wrapper: join(built.dist, 'task-wrapper.mjs'),
      launch: '',
      seq: 0,
    },
  };
  const call = invocation(executor, {
    round: 1,
    sessionId: null,
    task: 'T1',
    project: 'bench',
    n: 1,
    token,
    promptPath: '/dev/null',
    specPath: '/dev/null',
    gateOutput: '',
    gateOutputPath: '/dev/null',
    againPath: '/dev/null',
    usagePath: '/dev/null',
    treeDir: '/dev/null',
    notesDir: '/tmp/notes',
    isRoot: false,
    caged: cage.level === 'strict',
  });
  return { order, work, round: 1, call, secrets: {} };
}
