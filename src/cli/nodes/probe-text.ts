import type { ProbeReport } from '../../node/probe.ts';
import { safeLine } from '../render/safe-text.ts';
import { inodesText } from './health-text.ts';

/** One line about a machine: what it is and how far away. */
export function probeLine({ probe, choice, timings }: ProbeReport): string {
  const parts = [
    `${probe.platform}/${probe.arch}`,
    `${probe.cores} cores`,
    `${bytesText(probe.memoryTotal)} memory`,
    `${bytesText(probe.diskFree)} free`,
    ...(probe.files == null ? [] : [`inodes ${inodesText(probe.files)}`]),
    `node ${probe.node}`,
    `git ${probe.git ?? 'missing'}`,
    `tmux ${probe.tmux ?? 'missing'}`,
    probe.sandbox === undefined || probe.sandbox.by === null ? 'no sandbox' : probe.sandbox.detail,
    `${timings.roundTripMs.toFixed(1)} ms away by ${choice.transport.describe()}`,
  ];
  return safeLine(parts.join(', '));
}

/** A line for each executor whose program is there: its version, and what it lacks. */
export function executorLines({ probe }: ProbeReport): string[] {
  return Object.entries(probe.executors ?? {}).flatMap(([name, { path, version, problems }]) => {
    if (path === null) return [];
    const state = problems.length === 0 ? '' : `: cannot be used: ${problems.join('; ')}`;
    return [safeLine(`${name} ${version ?? 'of no known version'}${state}`)];
  });
}

/** Bytes in the largest unit that leaves a figure in front: `512 MB`, `1.5 GB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}
