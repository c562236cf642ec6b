/**
 * What it costs to watch a thousand live attempts on one node: CPU time of its supervisor, while they are looked at and once
 * all of them have fallen silent. Linux only, and not part of `make bench`: it takes three times `--minutes`, the silence
 * after which they are explained (5, as for users; with less there are more looks).
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openSession } from '../src/controller/open-session.ts';
import { stalledOn } from '../src/schedule/stalled.ts';
import { buildForBench } from './build.ts';
import { aim, line, title } from './figures.ts';
import { chores, startFleet } from './fleet.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, attempts: { type: 'string', default: '1000' } },
});
const attempts = Number(values.attempts);
const stallMs = Number(values.minutes) * 60_000;

const build = await buildForBench();
const fleet = await startFleet(1, attempts);
try {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('no node');
  const { config, specs } = chores('stalls', attempts, { command: ['/bin/sh', '-c', 'sleep 3600; true'] });
  const project = {
    config: { ...config, stallMs, timeoutMs: 3_600_000 },
    specs: specs.map(({ spec, text }) => ({ spec: { ...spec, timeoutMs: 3_600_000 }, text })),
  };
  const home = mkdtempSync(join(fleet.dir, 'home-'));
  const session = await openSession({ home, nodes: fleet.nodes, projects: [project] });
  try {
    await session.command({ verb: 'start', project: config.name });
    const { state } = session;
    const running = (): number =>
      [...state.attempts.values()].filter(({ phase }) => phase.is === 'running').length;
    await session.until.reached(() => running() === attempts);
    title(`${attempts} live attempts on one node, explained after ${values.minutes} min of silence`);
    await delay(3000);
    // Several looks, while none has been silent for long enough.
    line('watched', ...share(await used(node.root, stallMs * 0.7)));
    await session.until.reached(() => stalledOn(state, node.name).length === attempts);
    line('all of them silent and explained once', ...share(await used(node.root, stallMs * 1.5)));
  } finally {
    await session.detach();
  }
} finally {
  await fleet.stop();
  build.remove();
}

/** Percent of one core that the supervisor takes within the span. */
async function used(root: string | null, span: number): Promise<number> {
  const [began, before] = [performance.now(), cpuMs(root)];
  await delay(span);
  return (100 * (cpuMs(root) - before)) / (performance.now() - began);
}

function cpuMs(root: string | null): number {
  const pid = readFileSync(join(root ?? '', 'run', 'supervisor'), 'utf8').split('\n')[0] ?? '';
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function share(percent: number): [string, string, string] {
  return [`${percent.toFixed(2)} % of a core`, '', aim(percent, 1, '% of a core')];
}
