/**
 * The rules held against the state and what was measured: what is wrong now. What a rule cannot decide yet (a span that
 * has not run long enough, a figure that hovers at its bound) is undecided: an alert that stands stays, and none begins.
 */
import type { AlertLevel, Cause } from '../model/alert.ts';
import type { ErrorCode } from '../model/codes/index.ts';
import type { ProjectName } from '../model/ids.ts';
import { formatSize } from '../model/size.ts';
import { formatDuration } from '../model/time.ts';
import { budgetAlerts } from '../report/budget-alerts.ts';
import { type Alert, alertsOf, nodeAlerts, silentCause } from '../report/alerts.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { AlertRules, RuleName } from '../spec/alert-settings.ts';
import type { Figures } from './figures.ts';
import { blockedCount, budgetUse, failureRate, idleWork, lastProgress, utilisation } from './measures.ts';

export interface Judged {
  readonly found: readonly Cause[];
  /** Keys of which nothing can be said now. */
  readonly undecided: ReadonlySet<string>;
}

/** A figure has to come back by a tenth before what it showed is over. */
const MARGIN = 0.1;

/** @param now wall clock, milliseconds. */
export function causesOf(snapshot: Snapshot, figures: Figures, rules: AlertRules, now: number): Judged {
  const looks = [
    doubts,
    known,
    nodes,
    failures,
    progress,
    disk,
    budgets,
    slots,
    blocked,
    wal,
    eventLoop,
    sinks,
    parts,
    backup,
  ];
  const found = new Map<string, Cause>();
  const undecided = new Set<string>();
  const bench: Bench = {
    snapshot,
    figures,
    rules,
    now,
    // Two rules that see the same thing tell it once, the first in its words.
    found: (cause) => {
      if (!found.has(cause.key)) found.set(cause.key, cause);
    },
    undecided: (key) => undecided.add(key),
  };
  for (const look of looks) look(bench);
  return { found: [...found.values()], undecided };
}

interface Bench {
  readonly snapshot: Snapshot;
  readonly figures: Figures;
  readonly rules: AlertRules;
  readonly now: number;
  readonly found: (cause: Cause) => void;
  readonly undecided: (key: string) => void;
}

/** A defect of the controller itself; no rule switches this off. */
function doubts({ figures, found }: Bench): void {
  const [first] = figures.doubts;
  if (first === undefined) return;
  const more = figures.doubts.size === 1 ? '' : ` (and ${figures.doubts.size - 1} more)`;
  const message = `what must always hold does not, so no work starts and nothing lands: ${first}${more}`;
  const about = ofHome('invariants', 'P0', 'E_INVARIANT', message);
  found({ key: 'invariants', ...about, fix: 'dispatch replay --check' });
}

/** What the reports say too: gates, stalls, ailments, nodes that are silent by their lease. */
function known({ snapshot, rules, found, now }: Bench): void {
  const { state, nodes } = snapshot;
  const named = new Set(nodes.map(({ name }) => name));
  const alerts = [
    ...[...state.projects.values()].flatMap((project) => alertsOf(state, project)),
    ...(rules.budget === null ? [] : budgetAlerts(snapshot, null, now, rules.budget.over / 100)),
    ...nodeAlerts(state).filter(({ node }) => node === null || named.has(node)),
  ];
  for (const alert of alerts) {
    const { rule, level } = ruled(alert, rules);
    if (level === null) continue;
    const { cause: key, code, message, fix, project, node } = alert;
    found({ key, rule, level, code, about: project ?? node ?? 'here', message, fix });
  }
}

function ruled(
  { code, level, cause }: Alert,
  rules: AlertRules,
): { rule: RuleName; level: AlertLevel | null } {
  const ofFound = (rule: 'gate' | 'contract' | 'stalled' | 'ailment') => {
    const held = rules[rule];
    return { rule, level: held === null ? null : (held.level ?? level) };
  };
  if (code === 'E_STALLED') return ofFound('stalled');
  if (code === 'E_CONTRACT_CHANGED') return ofFound('contract');
  if (cause.startsWith('gate/')) return ofFound('gate');
  if (code === 'E_NODE_LOST') return { rule: 'node-lost', level: rules['node-lost']?.level ?? null };
  if (code === 'E_NODE_DOWN') return { rule: 'node-down', level: rules['node-down']?.level ?? null };
  if (code === 'E_BUDGET_LOW') return { rule: 'budget', level: rules.budget?.level ?? null };
  if (code === 'E_BUDGET_GONE') return { rule: 'budget', level: rules.budget === null ? null : level };
  return ofFound('ailment');
}

function nodes({ snapshot, figures, rules, now, found, undecided }: Bench): void {
  const { 'node-down': down, heartbeat } = rules;
  for (const { name } of snapshot.nodes) {
    const fix = `dispatch nodes probe ${name}`;
    const downSince = figures.downSince.get(name);
    if (downSince !== undefined && down !== null) {
      const ms = now - downSince;
      const message = `no connection for ${formatDuration(ms)}; what runs there runs on`;
      const cause = {
        key: silentCause(name),
        rule: 'node-down',
        level: down.level,
        about: name,
        message,
        fix,
      };
      if (ms < down.afterMs) undecided(cause.key);
      else found({ ...cause, code: 'E_NODE_DOWN' });
    }
    const heard = figures.heardAt.get(name);
    if (heartbeat === null || heard === undefined) continue;
    const ms = now - Math.max(heard, figures.awakeSince);
    if (ms < heartbeat.afterMs) continue;
    const message = `connected, and it has not said for ${formatDuration(ms)} how it is doing`;
    const about = { key: `heartbeat/${name}`, rule: 'heartbeat', level: heartbeat.level, about: name };
    found({ ...about, code: 'E_HEARTBEAT', message, fix });
  }
}

function failures(bench: Bench): void {
  const rule = bench.rules['failure-rate'];
  if (rule === null) return;
  const { failed, ended } = failureRate(bench.snapshot.state, bench.now - rule.windowMs);
  if (ended < rule.least) return;
  const percent = (100 * failed) / ended;
  const message = `${failed} of ${ended} attempts failed within ${formatDuration(rule.windowMs)} (${round(percent)} %, more than ${rule.over} %)`;
  bound(bench, percent, rule.over, {
    key: 'failure-rate',
    ...ofHome('failure-rate', rule.level, 'E_FAILURE_RATE', message),
    fix: 'dispatch daily-report',
  });
}

function progress({ snapshot, figures, rules, now, found, undecided }: Bench): void {
  const rule = rules['no-progress'];
  if (rule === null) return;
  for (const project of snapshot.state.projects.values()) {
    const { name } = project;
    if (!snapshot.dispatching.has(name) || project.hold !== null) continue;
    const waiting = idleWork(snapshot.state, name);
    if (waiting === 0) continue;
    const key = `no-progress/${name}`;
    const last = Math.max(lastProgress(snapshot.state, name), figures.movedAt.get(name) ?? 0);
    const ms = now - last;
    if (ms < rule.afterMs) continue;
    if (now - figures.awakeSince < rule.afterMs) undecided(key);
    else {
      const message = `nothing moved for ${formatDuration(ms)}, and ${waiting} of its tasks could`;
      const about = { key, rule: 'no-progress', level: rule.level, about: name };
      found({ ...about, code: 'E_NO_PROGRESS', message, fix: 'dispatch status' });
    }
  }
}

function disk(bench: Bench): void {
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

function budgets(bench: Bench): void {
  const rule = bench.rules.budget;
  if (rule === null) return;
  for (const { task, used, budget } of budgetUse(bench.snapshot.state)) {
    const percent = (100 * used) / budget;
    if (percent < rule.over) continue;
    const message = `${task} has used ${used} of ${budget} tokens (${round(percent)} %)`;
    const about = { key: `budget/${task}`, rule: 'budget', level: rule.level, about: task };
    bench.found({ ...about, code: 'E_BUDGET', message, fix: `dispatch why ${task}` });
  }
}

function slots({ snapshot, figures, rules, now, found, undecided }: Bench): void {
  const rule = rules.utilisation;
  if (rule === null) return;
  const { used, slots: all } = utilisation(snapshot);
  // Right after a start no node is connected yet.
  if (snapshot.nodes.length > 0 && snapshot.connected.size === 0) return undecided('utilisation');
  if (figures.idleSince === null) return;
  const ms = now - figures.idleSince;
  if (ms < rule.afterMs) return undecided('utilisation');
  const message = `fewer than ${rule.under} % of the slots worked for ${formatDuration(ms)} (now ${used} of ${all}), and tasks wait`;
  const about = ofHome('utilisation', rule.level, 'E_UTILISATION', message);
  found({ key: 'utilisation', ...about, fix: 'dispatch status' });
}

function blocked(bench: Bench): void {
  const rule = bench.rules.blocked;
  if (rule === null) return;
  const count = blockedCount(bench.snapshot.state);
  const message = `${count} tasks wait for one that failed, was cancelled or is parked`;
  bound(bench, count, rule.over, {
    key: 'blocked',
    ...ofHome('blocked', rule.level, 'E_MANY_BLOCKED', message),
    fix: 'dispatch status',
  });
}

function wal(bench: Bench): void {
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

function eventLoop(bench: Bench): void {
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

function sinks({ figures, rules, found, undecided }: Bench): void {
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
function parts({ snapshot, figures, rules, found, undecided }: Bench): void {
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

function backup({ figures, rules, found, undecided }: Bench): void {
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

function bound({ found, undecided }: Bench, figure: number, most: number, cause: Cause): void {
  if (figure > most) found(cause);
  else if (figure > most * (1 - MARGIN)) undecided(cause.key);
}

function ofHome(
  rule: RuleName | 'invariants',
  level: AlertLevel,
  code: ErrorCode,
  message: string,
): Pick<Cause, 'rule' | 'level' | 'code' | 'about' | 'message'> {
  return { rule, level, code, about: 'here', message };
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
