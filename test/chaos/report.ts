/**
 * What one run of chaos was: what was done to it and when, what was measured, and whether anything was lost or done
 * twice. As text for a person, or as one JSON object (`-o json`).
 */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { quantile } from '../../bench/figures.ts';

/** One thing that was done to the run. */
export interface Deed {
  /** Since the run began, milliseconds. */
  readonly atMs: number;
  /** `SIGKILL`, `cut`, `disk full`, … */
  readonly what: string;
  /** Whom it hit: `controller`, a node's name. */
  readonly whom: string;
  /** How long it lasted, milliseconds; null for what is over at once, and for good. */
  readonly forMs: number | null;
}

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The most that it may be. */
  readonly most: number | null;
}

export interface ReportData {
  readonly name: string;
  readonly command: string;
  readonly seed: number;
  readonly scale: number;
  readonly commit: string;
  readonly machine: string;
  readonly tookMs: number;
  readonly deeds: readonly Deed[];
  readonly figures: readonly Figure[];
  /** Sentences; none: nothing was lost, done twice, or left behind. */
  readonly violations: readonly string[];
}

/** Deeds of a sort that are shown one by one; of more the text gives numbers only. */
const SHOWN_DEEDS = 24;

export class Report {
  readonly #name: string;
  readonly #seed: number;
  readonly #scale: number;
  readonly #commit = commit();
  readonly #began = performance.now();
  readonly #deeds: Deed[] = [];
  readonly #figures: Figure[] = [];
  readonly #violations: string[] = [];

  /** @param scale share of the full size. */
  constructor(name: string, seed: number, scale: number) {
    this.#name = name;
    this.#seed = seed;
    this.#scale = scale;
  }

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return performance.now() - this.#began;
  }

  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Something is done now. */
  did(what: string, whom: string, forMs: number | null = null): void {
    this.#deeds.push({ atMs: Math.round(this.nowMs), what, whom, forMs });
  }

  /** A measured value; more than `most` is a violation. */
  figure(what: string, value: number, unit: string, most: number | null = null): void {
    this.#figures.push({ what, value, unit, most });
    if (most !== null && !(value <= most))
      this.violation(`${what}: ${shown(value)} ${unit}, at most ${most} is allowed`);
  }

  /** Median, 95th percentile and most of these; `most` bounds the last. */
  spread(what: string, values: readonly number[], unit: string, most: number | null = null): void {
    if (values.length === 0) return this.figure(`${what}: how many`, 0, '');
    this.figure(`${what}: how many`, values.length, '');
    this.figure(`${what}: median`, quantile(values, 0.5), unit);
    this.figure(`${what}: 95th`, quantile(values, 0.95), unit);
    this.figure(`${what}: most`, Math.max(...values), unit, most);
  }

  violation(sentence: string): void {
    this.#violations.push(sentence);
  }

  /** For what has to hold. */
  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.violation(otherwise);
  }

  /** @param command how to have this again. */
  data(command: string): ReportData {
    return {
      name: this.#name,
      command,
      seed: this.#seed,
      scale: this.#scale,
      commit: this.#commit,
      machine: machine(),
      tookMs: Math.round(this.nowMs),
      deeds: this.#deeds,
      figures: this.#figures,
      violations: this.#violations,
    };
  }
}

/** The report as a person reads it. */
export function reportText(data: ReportData): string {
  const lines = [`${data.name}: ${data.command}`, `  commit ${data.commit}, ${data.machine}`];
  lines.push(`  took ${seconds(data.tookMs)}; done to it:`);
  for (const [what, deeds] of bySort(data.deeds)) {
    lines.push(`    ${what}: ${deeds.length} times`);
    if (deeds.length > SHOWN_DEEDS) continue;
    for (const { atMs, whom, forMs } of deeds)
      lines.push(
        `      ${seconds(atMs).padStart(8)}  ${whom}${forMs === null ? '' : `, for ${seconds(forMs)}`}`,
      );
  }
  const width = Math.max(0, ...data.figures.map(({ what }) => what.length));
  for (const { what, value, unit, most } of data.figures)
    lines.push(
      `  ${what.padEnd(width)}  ${shown(value).padStart(10)} ${unit}${most === null ? '' : `   (at most ${most})`}`.trimEnd(),
    );
  for (const sentence of data.violations) lines.push(`  VIOLATION: ${sentence}`);
  lines.push(
    data.violations.length === 0 ? '  verdict: clean' : `  verdict: ${data.violations.length} violations`,
  );
  return lines.join('\n');
}

function bySort(deeds: readonly Deed[]): Map<string, Deed[]> {
  const sorts = new Map<string, Deed[]>();
  for (const deed of deeds) sorts.set(deed.what, [...(sorts.get(deed.what) ?? []), deed]);
  return sorts;
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function machine(): string {
  const load = loadavg().map((value) => value.toFixed(1));
  return `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}, load ${load.join(' ')}`;
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${changed ? ', with changes that are not committed' : ''}`;
}
