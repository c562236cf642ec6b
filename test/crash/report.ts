/** What a run of the crash points came to, as data and as text. */
import { type Coverage, sizeOf } from './coverage.ts';
import type { Pass } from './pass.ts';
import type { Mode } from './points/plan.ts';

export interface Report {
  readonly seed: number;
  /** Durable steps of the run in which nothing broke, in all and by process and kind of file. */
  readonly points: number;
  readonly byRole: Readonly<Record<string, number>>;
  readonly byName: Readonly<Record<string, number>>;
  /** Of each mode: how many of these points were hit, and the names of those that were not. */
  readonly modes: Readonly<
    Record<
      string,
      { readonly hit: number; readonly of: number; readonly missed: Readonly<Record<string, number>> }
    >
  >;
  /** Hits besides, on steps that only a run with failures has. */
  readonly beyond: number;
  readonly passes: number;
  /** How commands ended, and how often, over all passes. */
  readonly ends: Readonly<Record<string, number>>;
  readonly violations: readonly { readonly mode: Mode | null; readonly what: string }[];
  readonly seconds: number;
}

export function reportOf(run: {
  readonly seed: number;
  readonly modes: readonly Mode[];
  readonly coverage: Coverage;
  readonly passes: readonly Pass[];
  readonly ms: number;
}): Report {
  const { seed, modes, coverage, passes, ms } = run;
  const byRole: Record<string, number> = {};
  for (const [name, count] of coverage.points) {
    const role = name.slice(0, name.indexOf(' '));
    byRole[role] = (byRole[role] ?? 0) + count;
  }
  const ends: Record<string, number> = {};
  for (const pass of passes)
    for (const [how, count] of Object.entries(pass.ends)) ends[how] = (ends[how] ?? 0) + count;
  const missed = (mode: Mode): Record<string, number> =>
    Object.fromEntries(
      Object.entries(coverage.missing(mode)).map(([name, ordinals]) => [name, ordinals.length]),
    );
  return {
    seed,
    points: sizeOf(coverage.points),
    byRole,
    byName: Object.fromEntries([...coverage.points].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    modes: Object.fromEntries(
      modes.map((mode) => [
        mode,
        { hit: coverage.hits(mode), of: coverage.size(mode), missed: missed(mode) },
      ]),
    ),
    beyond: coverage.beyond,
    passes: passes.length,
    ends,
    violations: passes.flatMap(({ mode, violations }) => violations.map((what) => ({ mode, what }))),
    seconds: Math.round(ms / 1000),
  };
}

export function textOf(report: Report): string {
  const { seed, points, byRole, modes, beyond, passes, ends, violations, seconds } = report;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const lines = [
    `seed ${seed}: ${points} durable steps (${list(byRole)}), ${passes} runs, ${seconds} s`,
    ...Object.entries(modes).map(([mode, { hit, of, missed }]) => {
      const names = Object.keys(missed);
      const left =
        names.length === 0 ? 'all' : `not: ${names.slice(0, 5).join('; ')}${names.length > 5 ? '; …' : ''}`;
      return `${mode.padEnd(14)} ${hit} of ${of}, ${left}`;
    }),
    `and ${beyond} hits on steps that only a run with failures has`,
    `commands ended: ${list(ends)}`,
    violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS`,
    ...violations.map(({ mode, what }) => `  ${mode ?? 'nothing broken'}: ${what}`),
  ];
  return `${lines.join('\n')}\n`;
}
