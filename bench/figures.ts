/** Medians, lines of a table, and what has to be said beside any figure: the machine and how busy it was. */
import { cpus, loadavg, totalmem } from 'node:os';
import { execFileSync } from 'node:child_process';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param q from 0 to 1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** One figure: what it is, its value, what it is compared with, and the aim where there is one. */
export function line(what: string, value: string, against = '', aim = ''): void {
  console.log(`  ${what.padEnd(50)} ${value.padStart(14)}   ${against.padEnd(34)} ${aim}`.trimEnd());
}

export function title(text: string): void {
  console.log(`\n${text}   (load ${load()})`);
}

export function machine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${memory}, ${process.platform}, node ${process.version}, commit ${commit()}`;
}

export function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}

/** `met` or `MISSED`, to be read at a glance. */
export function aim(value: number, most: number, unit: string): string {
  return `aim <= ${most} ${unit}: ${value <= most ? 'met' : 'MISSED'}`;
}

export const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
export const seconds = (value: number): string => `${(value / 1000).toFixed(2)} s`;
export const times = (value: number): string => `x${value.toFixed(2)}`;
export const mib = (value: number): string => `${Math.round(value)} MiB`;

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
