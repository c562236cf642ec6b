/**
 * What every file of chaos is as a command:
 *
 *   tsx test/chaos/<name>.ts [--seed S] [--scale 0.1] [--minutes M] [-o json] [--keep]
 *
 * A seed that is not given is drawn and printed. Exit code 1: something was violated.
 */
import { randomInt } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Arena, type ArenaOptions, buildForChaos, openArena } from './arena.ts';
import { Report, reportText } from './report.ts';

export interface Ask {
  readonly seed: number;
  /** Share of the full size, above 0. */
  readonly scale: number;
  /** Length of what has one, minutes; null: the full one. */
  readonly minutes: number | null;
  /** Leave the arena to be looked at. */
  readonly keep: boolean;
}

export interface Chaos {
  readonly name: string;
  /** Why it cannot be done on this machine; null where it can. */
  readonly unfit?: () => string | null;
  readonly arena: (ask: Ask) => Omit<ArenaOptions, 'seed'>;
  /** Does it, and says in the report what came of it. */
  readonly run: (arena: Arena, report: Report, ask: Ask) => Promise<void>;
}

/** One run from a seed. @throws what broke the run itself; what it violated is in the report. */
export async function runChaos(chaos: Chaos, ask: Ask): Promise<Report> {
  const arena = await openArena({ seed: ask.seed, ...chaos.arena(ask) });
  const report = new Report(chaos.name, ask.seed, ask.scale);
  const giveUp = (): void => void arena.end().finally(() => process.exit(130));
  process.once('SIGINT', giveUp).once('SIGTERM', giveUp);
  try {
    await chaos.run(arena, report, ask);
    return report;
  } finally {
    process.off('SIGINT', giveUp).off('SIGTERM', giveUp);
    if (ask.keep) process.stderr.write(`kept: ${arena.home.base}\n`);
    await arena.end(ask.keep);
  }
}

/** Runs it when its file is the program: `if` nothing else imported it. */
export async function command(chaos: Chaos, url: string): Promise<void> {
  if (url !== pathToFileURL(process.argv[1] ?? '').href) return;
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      scale: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'text' },
      keep: { type: 'boolean', default: false },
    },
  });
  const ask: Ask = {
    seed: values.seed === undefined ? randomInt(1, 1_000_000) : Number(values.seed),
    scale: Number(values.scale),
    minutes: values.minutes === undefined ? null : Number(values.minutes),
    keep: values.keep,
  };
  if (![ask.seed, ask.scale, ask.minutes ?? 1].every((value) => Number.isFinite(value) && value > 0))
    throw new Error('--seed, --scale and --minutes are numbers above 0');
  const unfit = chaos.unfit?.() ?? null;
  if (unfit !== null) {
    process.stderr.write(`${chaos.name} CANNOT BE RUN HERE: ${unfit}\n`);
    process.exitCode = 1;
    return;
  }
  process.stderr.write(`${chaos.name}: seed ${ask.seed}\n`);
  const removeBuild = buildForChaos();
  try {
    const report = await runChaos(chaos, ask);
    const data = report.data(commandText(chaos.name, ask));
    process.stdout.write(`${values.output === 'json' ? JSON.stringify(data) : reportText(data)}\n`);
    process.exitCode = data.violations.length === 0 ? 0 : 1;
  } finally {
    removeBuild();
  }
}

function commandText(name: string, { seed, scale, minutes }: Ask): string {
  const words = [`npx tsx test/chaos/${name}.ts --seed ${seed}`];
  if (scale !== 1) words.push(`--scale ${scale}`);
  if (minutes !== null) words.push(`--minutes ${minutes}`);
  return words.join(' ');
}
