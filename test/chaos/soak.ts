/**
 * One hour, 500 tasks, one fault a minute of all sorts, and nobody who looks after it: every task comes to the end that it
 * has to come to, memory and handles stay flat, nothing is left behind, and nobody is told the same thing twice.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passing } from 'node:timers/promises';
import { type Chaos, command } from './command.ts';
import { FAULTS, type Field } from './faults.ts';
import { noMachine } from './machine.ts';
import { openField } from './field.ts';
import { judgeMachines } from './judge-machines.ts';
import { Alarm } from './alarm.ts';
import type { Rng } from '../sim/rng.ts';
import { type Sample, Sampling, slope } from './samples.ts';
import type { Report } from './report.ts';
import { noWires } from './wire.ts';

const MINUTES = 60;
const TASKS = 500;
const NODES = 4;
const MINUTE = 60_000;
/** What is left when the last fault is over has to end within this. */
const HEALING_MS = 20 * MINUTE;

export const soak: Chaos = {
  name: 'soak',
  unfit: noMachine,
  arena: ({ minutes }) => ({
    nodes: NODES,
    slots: 8,
    tasks: Math.max(20, Math.round((TASKS * (minutes ?? MINUTES)) / MINUTES)),
    agentMs: [20_000, 360_000].map((ms) => Math.round(ms * Math.min(1, (minutes ?? MINUTES) / 15))) as [
      number,
      number,
    ],
    red: 0.02,
    way: (node) => (node === NODES && noWires() === null ? 'wire' : 'line'),
    project: { max_attempts: 5 },
    machines: {
      disk: '512m',
      env: { DISPATCH_RESERVE_BYTES: String(16 * 2 ** 20), DISPATCH_QUIET_MS: '20000' },
      limits: { memory: 2048 * 2 ** 20, processes: 800 },
    },
  }),
  run: async (arena, report, { minutes }) => {
    const missing = noWires();
    if (missing !== null) report.figure(`NOT DONE, no lost packets and no pulled cable: ${missing}`, 0, '');
    const alarm = await Alarm.open();
    writeFileSync(join(arena.home.dir, 'alerts.yaml'), alarm.settings);
    const field = openField(arena, report, { disk: '256m' });
    const { controller } = field;
    const sampling = new Sampling(arena, controller, report, 10_000);
    try {
      let isOver = false;
      const over = controller.over.finally(() => {
        isOver = true;
      });
      over.catch(() => undefined);
      let left: string[] = [];
      for (let minute = 0; minute < (minutes ?? MINUTES) && !isOver; minute += 1) {
        // Each sort once before any comes again.
        if (left.length === 0) left = shuffled(Object.keys(FAULTS), field.rng);
        await faultyMinute(field, left.shift() ?? '');
      }
      report.figure('tasks that had ended when the last fault was over', await ended(field), '');
      const late = passing(HEALING_MS, 'late' as const, { ref: false });
      const code = await Promise.race([over, late]);
      report.expect(code !== 'late', `it was not over ${HEALING_MS / MINUTE} minutes after the last fault`);
      sampling.stop();
      await controller.stop();
      for (const { code: left, stderr } of controller.ownEnds)
        report.violation(`a controller ended by itself with ${left}: ${stderr}`);
      await judgeMachines(arena, report);
      alarm.judge(report, 1 + field.clock.days);
      judgeFlat(sampling, report);
    } finally {
      sampling.stop();
      alarm.close();
    }
  },
};

/** One fault, at a moment of this minute. */
async function faultyMinute(field: Field, name: string): Promise<void> {
  const { rng } = field;
  const endsAt = performance.now() + MINUTE;
  await passing(rng.between(0, 15_000));
  await FAULTS[name]?.(field);
  await passing(Math.max(0, endsAt - performance.now()));
}

function shuffled(names: readonly string[], rng: Rng): string[] {
  const drawn = names.map((name) => ({ name, at: rng.next() }));
  return drawn.toSorted((a, b) => a.at - b.at).map(({ name }) => name);
}

async function ended({ arena }: Field): Promise<number> {
  const words = Object.values(await arena.home.words());
  return words.filter((word) => word === 'merged' || word === 'failed').length;
}

/** The first tenth is for filling caches. A controller that has just begun to live has not grown yet. */
function judgeFlat({ samples }: Sampling, report: Report): void {
  const settled = samples.slice(Math.floor(samples.length / 10));
  const series: readonly (readonly [string, string, number, (sample: Sample) => number | null])[] = [
    ['heap of the controller', 'MiB', 30, ({ heap }) => heap],
    ['memory of the controller', 'MiB', 60, ({ controller }) => controller?.rss ?? null],
    ['handles of the controller', '', 20, ({ controller }) => controller?.files ?? null],
    ['memory of the supervisors', 'MiB', 100, ({ supervisors }) => supervisors.rss],
    ['handles of the supervisors', '', 40, ({ supervisors }) => supervisors.files],
    ['processes', '', 60, ({ processes }) => processes],
    ['tmux sessions', '', 20, ({ sessions }) => sessions],
  ];
  for (const [what, unit, most, of] of series) {
    const values = settled.map(of).filter((value) => value !== null);
    if (values.length === 0) continue;
    const tenth = Math.ceil(values.length / 6);
    const parts = Array.from({ length: 6 }, (_, i) => median(values.slice(i * tenth, (i + 1) * tenth)));
    parts.forEach((value, i) =>
      report.figure(`${what}: median of sixth ${i + 1}`, Math.round(value * 10) / 10, unit),
    );
    report.figure(`${what}: growth an hour`, slope(settled, of), unit, samples.length > 300 ? most : null);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

await command(soak, import.meta.url);
