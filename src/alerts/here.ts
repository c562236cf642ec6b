/** Rules about this machine and this controller: disk, log of the store, lateness, parts that fail, backups, sinks. */
import type { ProjectName } from '../model/ids.ts';
import { formatSize } from '../model/size.ts';
import { formatDuration } from '../model/time.ts';
import { type Bench, bound, MARGIN, ofHome, round } from './bench.ts';

/** A defect of the controller itself; no rule switches this off. */
export function doubts({ figures, found }: Bench): void {
  const [first] = figures.doubts;
  if (first === undefined) return;
  const more = figures.doubts.size === 1 ? '' : ` (and ${figures.doubts.size - 1} more)`;
  const message = `what must always hold does not, so no work starts and nothing lands: ${first}${more}`;
  const about = ofHome('invariants', 'P0', 'E_INVARIANT', message);
  found({ key: 'invariants', ...about, fix: 'dispatch replay --check' });
}

/** So is what the state refuses; it lasts until somebody has looked at it. */
export function asides({ figures, found }: Bench): void {
  const [first] = figures.asides;
  if (first === undefined) return;
  const more = figures.asides.length === 1 ? '' : ` (and ${figures.asides.length - 1} more)`;
  const about = ofHome('aside', 'P1', 'E_UNFIT', `${first}${more}`);
  found({ key: 'aside', ...about, fix: 'dispatch replay --check' });
}

export function disk(bench: Bench): void {
  const { rules, figures } = bench;
  const rule = rules.disk;
  if (rule === null) return;
  if (figures.disk === null) return bench.undecided('disk');
  const { free, total } = figures.disk;
  const percent = (100 * free) / total;
  const message = `${formatSize(free)} of ${formatSize(total)} are free (${round(percent)} %)`;
  const cause = { key: 'disk', ...ofHome('disk', rule.level, 'E_DISK_LOW', message), fix: 'dispatch health' };
  if (percent < rule.under || free < rule.leastBytes) bench.found(cause);
  else if (percent < rule.under * (1 + MARGIN) || free < rule.leastBytes * (1 + MARGIN))
    bench.undecided('disk');
}

export function wal(bench: Bench): void {
  const rule = bench.rules.wal;
  if (rule === null) return;
  const { walBytes } = bench.figures;
  if (walBytes === null) return bench.undecided('wal');
  const message = `.dispatch/state.db-wal has ${formatSize(walBytes)}: some process reads the store and does not end`;
  bound(bench, walBytes, rule.overBytes, {
    key: 'wal',
    ...ofHome('wal', rule.level, 'E_WAL_SIZE', message),
    fix: 'fuser -v .dispatch/state.db',
  });
}

export function eventLoop(bench: Bench): void {
  const rule = bench.rules['event-loop'];
  if (rule === null) return;
  const { loopDelayMs } = bench.figures;
  if (loopDelayMs === null) return bench.undecided('event-loop');
  const message = `one turn of the controller's event loop in a hundred was ${formatDuration(loopDelayMs)} late or more`;
  bound(bench, loopDelayMs, rule.overMs, {
    key: 'event-loop',
    ...ofHome('event-loop', rule.level, 'E_EVENT_LOOP', message),
    fix: 'dispatch health',
  });
}

export function sinks({ figures, rules, found, undecided }: Bench): void {
  const { sink: rule } = rules;
  if (rule === null) return;
  for (const [name, { tried, failing }] of figures.sinks) {
    const key = sinkCause(name);
    // One that was not tried since the start may fail still.
    if (!tried) undecided(key);
    if (failing === null) continue;
    const message = `the sink ${name} takes no alerts: ${failing}`;
    const about = { key, rule: 'sink', level: rule.level, about: name };
    found({ ...about, code: 'E_SINK', message, fix: `dispatch alerts test ${name}` });
  }
}

/** Safe mode. A part that has not done anything since this process began may fail still. */
export function parts({ snapshot, figures, rules, found, undecided }: Bench): void {
  const rule = rules['safe-mode'];
  if (rule === null) return;
  for (const [name, { project, failures, safe }] of figures.parts) {
    const key = partCause(name);
    if (safe === null) {
      if (failures > 0) undecided(key);
      continue;
    }
    const what = project === null ? 'no new work starts' : `no new work of ${project} starts`;
    const message = `${what}, because ${name} does not work: ${safe.reason}`;
    const about = { key, rule: 'safe-mode', level: rule.level, about: project ?? 'here' };
    found({ ...about, code: 'E_SAFE_MODE', message, fix: 'dispatch doctor' });
  }
  for (const { key, rule: of, about } of snapshot.state.alerts.values()) {
    if (of !== 'safe-mode' || [...figures.parts.keys()].some((name) => partCause(name) === key)) continue;
    if (about === 'here' || snapshot.state.projects.has(about as ProjectName)) undecided(key);
  }
}

function partCause(name: string): string {
  return `part/${name.replaceAll(' ', '-')}`;
}

export function backup({ figures, rules, found, undecided }: Bench): void {
  const { backup: rule } = rules;
  if (rule === null) return;
  const { tried, failing } = figures.backup;
  if (!tried) undecided('backup');
  if (failing === null) return;
  const message = `the backup of the day cannot be made: ${failing}`;
  found({
    key: 'backup',
    ...ofHome('backup', rule.level, 'E_BACKUP_FAILED', message),
    fix: 'dispatch backup',
  });
}

/** Of a sink that fails. It is not told of itself. */
export function sinkCause(sink: string): string {
  return `sink/${sink}`;
}
