/** What a run of the crash points came to, as data and as text. */
import { type Coverage, type Share, sizeOf } from './coverage.ts';
import type { Pass } from './pass.ts';
import type { Mode } from './points/plan.ts';

export interface Report {
  readonly seed: number;
  /** Of this invocation, and of those before it that hit something. */
  readonly commits: readonly string[];
  /** Durable steps of the run in which nothing broke, in all and by process and kind of file. */
  readonly points: number;
  readonly names: number;
  readonly byRole: Readonly<Record<string, number>>;
  readonly byName: Readonly<Record<string, number>>;
  /** Of each mode: how many of these points and names were hit, and how many points each name has left. */
  readonly modes: Readonly<Record<string, Share & { readonly left: Readonly<Record<string, number>> }>>;
  /** Hits besides, on steps that only a run with failures has. */
  readonly beyond: number;
  /** Of this invocation. */
  readonly passes: number;
  readonly seconds: number;
  /** How commands ended, and how often. */
  readonly ends: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** With all invocations before it. */
  readonly history: Coverage['history'];
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
  return {
    seed,
    commits: coverage.commits,
    points: sizeOf(coverage.points),
    names: coverage.points.size,
    byRole,
    byName: Object.fromEntries([...coverage.points].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    modes: Object.fromEntries(
      modes.map((mode) => [mode, { ...coverage.share(mode), left: coverage.left(mode) }]),
    ),
    beyond: coverage.beyond,
    passes: passes.length,
    seconds: Math.round(ms / 1000),
    ends,
    violations: passes.flatMap(({ violations }) => violations),
    history: coverage.history,
  };
}

export function textOf(report: Report): string {
  const { seed, commits, points, names, byRole, modes, beyond, passes, ends, violations, seconds } = report;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const { history } = report;
  const lines = [
    `seed ${seed}, ${commits.join(' ')}: ${points} durable steps of ${names} names (${list(byRole)})`,
    `${passes} runs, ${seconds} s; with those before: ${history.runs} runs of ${history.minutes.toFixed(0)} min in all`,
    ...Object.entries(modes).map(([mode, { points: of, hit, names: ofNames, namesHit, left }]) => {
      const open = Object.keys(left);
      const rest =
        open.length === 0 ? 'all' : `not all: ${open.slice(0, 4).join('; ')}${open.length > 4 ? '; …' : ''}`;
      return `${mode.padEnd(14)} points ${hit} of ${of}, names ${namesHit} of ${ofNames}, ${rest}`;
    }),
    `and ${beyond} hits on steps that only a run with failures has`,
    `commands ended: ${list(ends)}`,
    violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS`,
    ...violations.map((what) => `  ${what}`),
    ...(history.violations.length > violations.length
      ? [`${history.violations.length} violations with those before`]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}
