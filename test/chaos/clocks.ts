/**
 * The clocks of the controller and of the nodes are set, by an hour and by a day, forward and back, while agents work; and,
 * in the second half, run ahead together with the clocks that count from the boot, as on a machine that was stopped. No
 * lease ends early, no attempt runs out of time, nobody waits until the clock is there again, and reports stay sane.
 */
import { setTimeout as passing } from 'node:timers/promises';
import { PROJECT } from '../cluster/home.ts';
import { type Chaos, command } from './command.ts';
import type { Field } from './faults.ts';
import { clockVariables, type Clock, noMachine } from './machine.ts';
import { awaitingTheLast, MACHINES, onMachines } from './on-machines.ts';
import type { Report } from './report.ts';

const TIMES = 60;
const TASKS = 150;
const HOUR = 3_600_000;
const STEPS = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR];

export const clocks: Chaos = {
  name: 'clocks',
  unfit: noMachine,
  arena: ({ scale }) => ({
    nodes: 3,
    slots: 4,
    ...awaitingTheLast(Math.max(12, Math.round(TASKS * scale))),
    agentMs: [1000, 30_000],
    // The first attempt of each fails now and then: its back-off is a moment that a clock can be set back from.
    project: { max_attempts: 3, timeout: '24h' },
    machines: MACHINES,
  }),
  run: async (arena, report, { scale }) => {
    const times = Math.max(4, Math.round(TIMES * scale));
    const told: string[] = [];
    const field = await onMachines(arena, report, async ({ field: on, isOver }) => {
      on.controller.onTold(({ type, data }) => {
        if (type === 'News') told.push(`${String(data.about)} ${String(data.word)} ${String(data.detail)}`);
      });
      for (let i = 0; i < times && !isOver(); i += 1) {
        await passing(on.rng.between(200, 6000));
        if (i < times / 2) set(on);
        else runAhead(on);
      }
    });
    for (const line of told)
      report.expect(
        !/ (?:lost|suspected) | no result before the deadline|^node \S+ ended/u.test(line),
        `told: ${line}`,
      );
    await judgeReports(field, report);
  },
};

/** Controller or node, all equally often. */
function anybody({ arena, clock, rng }: Field): { whom: string; clock: Clock } {
  const all = [
    { whom: 'controller', clock },
    ...arena.nodes.flatMap(({ name, machine }) =>
      machine === null ? [] : { whom: name, clock: machine.clock },
    ),
  ];
  return rng.pick(all);
}

function set(field: Field): void {
  const { whom, clock } = anybody(field);
  const step = field.rng.pick(STEPS.filter((ms) => Math.abs(clock.wallMs + ms) <= 24 * HOUR));
  clock.step(step);
  field.report.did(`clock set ${step > 0 ? 'forward' : 'back'} by ${Math.abs(step) / HOUR} h`, whom);
}

function runAhead(field: Field): void {
  const { whom, clock } = anybody(field);
  // By the only clock that a node has for it, an attempt there has then worked for so long: a day would be its end.
  const leap = whom === 'controller' ? field.rng.pick([HOUR, 24 * HOUR]) : HOUR;
  clock.leap(leap);
  field.report.did(`all clocks ahead by ${leap / HOUR} h`, whom);
}

/** What people read is made under the controller's clock and under the true one: no span in it is negative or no number. */
async function judgeReports({ arena, clock }: Field, report: Report): Promise<void> {
  const { home } = arena;
  const library = `${home.base}/machine.so`;
  for (const env of [{}, clockVariables(clock, library)])
    for (const args of [
      ['status'],
      ['report', PROJECT],
      ['daily-report'],
      ['nodes'],
      ['alerts', 'list'],
      ['queue', 'show', PROJECT],
    ]) {
      const { code, stdout, stderr } = await home.dispatch([...args, '-o', 'json'], { env });
      report.expect(code === 0 || code === 3, `${args.join(' ')}: ended with ${code}: ${stderr.slice(-300)}`);
      for (const path of strange(JSON.parse(stdout || 'null'), ''))
        report.violation(`${args.join(' ')}: ${path}`);
    }
}

/** Spans below nothing, by their path. JSON has null for what is no number, where a number belongs. */
function strange(value: unknown, path: string): string[] {
  if (typeof value === 'number')
    return /(?:Ms|ms|Hours|hours|minutes)$/u.test(path) && value < 0 ? [`${path} is ${value}`] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => strange(inner, `${path}.${key}`));
}

await command(clocks, import.meta.url);
