/** How a machine is doing, in the few words that fit a table, and the lines below it. */
import type { NodeLook } from '../../controller/questions.ts';
import type { ProgramReport } from '../../model/executor.ts';
import type { NodeHealth } from '../../model/health.ts';
import { formatDuration } from '../../model/time.ts';
import { ailmentText, RULES } from '../../schedule/health.ts';
import { safeLine } from '../render/safe-text.ts';

/** A clock that is further away than this makes logs hard to read. Milliseconds. */
const CLOCK_MS = 2000;
/** A supervisor that stood still for longer than this let others wait. Milliseconds. */
const STALL_MS = 1000;
/** What healed longer ago is no news. Milliseconds. */
const LATELY_MS = 24 * 3_600_000;
/** Most agents that a table names per node. */
const AGENTS_SHOWN = 3;

/** `ok`, or the titles of what ails it. */
export function healthWord({ ailments }: NodeHealth): string {
  return ailments.length === 0 ? 'ok' : ailments.map(({ kind }) => RULES[kind].title).join(', ');
}

/** One line for each thing that is wrong, being mended, or was lately; and one for facts that nobody has to mend. */
export function healthLines(node: string, health: NodeHealth, said: NodeLook['said'], now: number): string[] {
  const { ailments, healed, faults } = health;
  const lines = ailments.map(
    (ailment) => `${ailmentText(ailment)}, for ${formatDuration(now - ailment.since)}`,
  );
  const count = faults.length;
  if (count > 0 && !ailments.some(({ kind }) => kind === 'failing'))
    lines.push(
      `${count} attempt${count === 1 ? '' : 's'} failed by its own fault; the last: ${faults.at(-1)?.reason}`,
    );
  for (const { kind, at, how } of healed) {
    if (now - at < LATELY_MS)
      lines.push(`healed ${formatDuration(now - at)} ago: ${RULES[kind].title} (${how})`);
  }
  if (said !== null) lines.push(...factLines(said));
  return lines.map((line) => safeLine(`${node}: ${line}`));
}

/** Facts with a bound: nothing follows from them, and whoever reads its logs wants to know. */
function factLines({ clockOffsetMs, health: { stallMs = 0 } }: NonNullable<NodeLook['said']>): string[] {
  return [
    ...(isClockOff(clockOffsetMs)
      ? [`its clock is off by ${clockText(clockOffsetMs)}; nothing is judged by it`]
      : []),
    ...(stallMs > STALL_MS ? [`its supervisor stood still for ${stillText(stallMs)}`] : []),
  ];
}

export function stillText(stallMs: number): string {
  return stallMs > STALL_MS ? formatDuration(stallMs) : `${stallMs} ms`;
}

export function clockText(offsetMs: number): string {
  if (!isClockOff(offsetMs)) return 'ok';
  return `${offsetMs > 0 ? '+' : '-'}${formatDuration(Math.abs(offsetMs))}`;
}

function isClockOff(offsetMs: number): boolean {
  return Math.abs(offsetMs) >= CLOCK_MS;
}

export function inodesText(
  files: { readonly free: number; readonly total: number } | null | undefined,
): string {
  if (files == null || files.total === 0) return '-';
  return `${Math.floor((100 * files.free) / files.total)}% free`;
}

/** `claude 2.1.4, codex 0.1!, no qwen`: an exclamation mark stands for a program that cannot be used as it is. */
export function agentsText(programs: Readonly<Record<string, ProgramReport>>): string {
  const words = Object.entries(programs).map(([name, { path, version, problems }]) => {
    if (path === null) return `no ${name}`;
    return `${name}${version === null ? '' : ` ${version}`}${problems.length === 0 ? '' : '!'}`;
  });
  if (words.length === 0) return '-';
  const more = words.length - AGENTS_SHOWN;
  return more > 0 ? `${words.slice(0, AGENTS_SHOWN).join(', ')} +${more}` : words.join(', ');
}

/** Why agents cannot be used there, one line each. */
export function agentLines(node: string, programs: Readonly<Record<string, ProgramReport>>): string[] {
  return Object.entries(programs).flatMap(([name, { problems }]) =>
    problems.length === 0 ? [] : [safeLine(`${node}: ${name} cannot be used: ${problems.join('; ')}`)],
  );
}
