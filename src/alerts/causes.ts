/**
 * The rules held against the state and what was measured: what is wrong now. What a rule cannot decide yet (a span that
 * has not run long enough, a figure that hovers at its bound) is undecided: an alert that stands stays, and none begins.
 */
import type { AlertLevel, Cause } from '../model/alert.ts';
import { formatDuration } from '../model/time.ts';
import { budgetAlerts } from '../report/budget-alerts.ts';
import { type Alert, alertsOf, nodeAlerts, silentCause } from '../report/alerts.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { AlertRules, RuleName } from '../spec/alert-settings.ts';
import { type Bench, bound, ofHome, round } from './bench.ts';
import type { Figures } from './figures.ts';
import { asides, backup, disk, doubts, eventLoop, parts, sinks, wal } from './here.ts';
import { blockedCount, budgetUse, failureRate, idleWork, lastProgress, utilisation } from './measures.ts';

export interface Judged {
  readonly found: readonly Cause[];
  /** Keys of which nothing can be said now. */
  readonly undecided: ReadonlySet<string>;
}

/** @param now wall clock, milliseconds. */
export function causesOf(snapshot: Snapshot, figures: Figures, rules: AlertRules, now: number): Judged {
  const looks = [
    doubts,
    asides,
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
