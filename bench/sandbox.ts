/**
 * What the sandbox of a verify command costs per start, beside the same shell without it. Wall time is what a gate waits
 * for; CPU time tells the same on a machine that others use as well. Prints milliseconds, the median of the runs (CPU:
 * the mean).
 *
 *   npx tsx bench/sandbox.ts [runs]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SANDBOX } from '../src/model/sandbox.ts';
import { openRoot } from '../task-wrapper/root.ts';
import { caged } from '../task-wrapper/sandbox.ts';
import { removeGroup } from '../task-wrapper/sandbox-group.ts';

const nowhere = openSync('/dev/null', 'w');
const RUNS = Number(process.argv[2] ?? 50);

const top = realpathSync(mkdtempSync(join(tmpdir(), 'bench-sandbox-')));
try {
  await bench();
} finally {
  rmSync(top, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const root = openRoot(join(top, 'worker'));
  const tree = join(top, 'tree');
  mkdirSync(tree);
  const rows = { plain: series(), sandboxed: series(), 'written down': series() };
  for (let run = 0; run <= RUNS; run += 1) {
    const began = performance.now();
    const { argv, env } = await caged(root, {
      command: ':',
      rules: DEFAULT_SANDBOX,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      tree,
      place: join(top, 'gate'),
      name: `bench_${run}`,
      prepared: [],
    });
    // The first looks for the sandbox, once per supervisor.
    if (run === 0) console.log(`looked for the sandbox: ${(performance.now() - began).toFixed(0)} ms`);
    else rows['written down'].wall.push(performance.now() - began);
    timed(rows.sandboxed, () => start(argv, env));
    timed(rows.plain, () => start(['/bin/sh', '-c', 'exec /bin/sh -c "$1"', 'sh', ':'], env));
    removeGroup(`bench_${run}`);
  }
  console.log(`${RUNS} starts of \`:\``);
  for (const [name, row] of Object.entries(rows)) console.log(`  ${name.padEnd(13)}${shown(row)}`);
}

function start([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): void {
  const { status, stderr } = spawnSync(program, args, {
    env,
    encoding: 'utf8',
    // The fourth is where bwrap reports.
    stdio: ['ignore', 'ignore', 'pipe', nowhere],
  });
  if (status !== 0) throw new Error(stderr);
}

interface Series {
  readonly wall: number[];
  cpu: number;
}

function series(): Series {
  return { wall: [], cpu: 0 };
}

function timed(into: Series, work: () => void): void {
  const cpu = childrenCpu();
  const began = performance.now();
  work();
  into.wall.push(performance.now() - began);
  into.cpu += childrenCpu() - cpu;
}

function shown({ wall, cpu }: Series): string {
  const median = wall.toSorted((a, b) => a - b)[Math.floor(wall.length / 2)] ?? Number.NaN;
  return `${median.toFixed(1).padStart(6)} ms   CPU ${(cpu / wall.length).toFixed(1)} ms`;
}

/** CPU of the children that have been waited for, milliseconds; the kernel counts in hundredths of a second. */
function childrenCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
