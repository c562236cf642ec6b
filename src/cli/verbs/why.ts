import { join } from 'node:path';
import { asidesOf, asideText } from '../../controller/asides.ts';
import { homePaths } from '../../controller/paths.ts';
import { assertNever } from '../../model/assert.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Attempt } from '../../model/attempt.ts';
import { isOutdated } from '../../model/contract.ts';
import { projectOfKey } from '../../model/found.ts';
import type { State } from '../../model/state.ts';
import { isLookOpen } from '../../model/second-look.ts';
import { isFinal, type Task, undoOf } from '../../model/task.ts';
import { formatDuration } from '../../model/time.ts';
import type { Blocker, CredentialVerdict, NodeVerdict } from '../../schedule/snapshot.ts';
import { clashesAgainst, clashOf } from '../../schedule/clash.ts';
import { stalledFor } from '../../schedule/stalled.ts';
import { statusOf } from '../../schedule/status.ts';
import { why as whyBlocked } from '../../schedule/why.ts';
import { budgetLine, needsText, raiseCommand } from '../../report/budget-text.ts';
import { clashLine } from '../../report/clash.ts';
import { wordLine } from '../../report/notes.ts';
import { wordOfAttempt } from '../agent-word.ts';
import { lateLine, type LateResult, lateResults, unheardLines } from '../../report/late.ts';
import { endText, expireCommand, silenceText } from '../../report/silence.ts';
import { safeModeText } from '../../report/safe-mode.ts';
import { lookFindingText, lookText, settledText } from '../../report/second-look.ts';
import { evidenceLines, mendLine, stallLine } from '../../report/stalled.ts';
import type { Context } from '../context.ts';
import { findingLine } from '../progress/summary.ts';
import { safeLine } from '../render/safe-text.ts';
import { selectTask } from '../select.ts';
import { type HomeView, withView } from '../view.ts';

/** Why a task is not running, from the same filters that decide. Exit 0 whatever the answer is. */
export async function why(context: Context, typed: string): Promise<ExitCode> {
  const { output } = context;
  return withView(context, async (view) => {
    const now = Date.now();
    const task = selectTask(view.state, typed);
    const about = await view.about();
    const blockers = whyBlocked(view.snapshot(about ?? undefined) ?? view.assumed(), task, now);
    const late = lateResults(view.state, (key) => key === task.key);
    const status = statusOf(task, view.state, now);
    const attempt = newestWork(view.state, task);
    const word = attempt === undefined ? null : await wordOfAttempt(view, task, attempt);
    const aside = asidesOf(view.home).filter(({ task: of }) => of === task.key);
    if (output.machine) {
      const conflict = clashOf(task);
      const ahead = clashesAgainst(view.state).get(task.key) ?? [];
      const stall = stalledFor(view.state, task)?.stall ?? null;
      output.envelope('Why', {
        task: task.key,
        status,
        controller: view.holder,
        blockers,
        conflict,
        ahead,
        word,
        stall,
        look: task.progress.at === 'merged' ? (task.progress.look ?? null) : null,
        late,
        aside,
      });
      return EXIT.ok;
    }
    const { paint } = output;
    output.line(`${paint.bold(task.key)} is ${paint.bold(status)}`);
    const lines = [
      ...controllerLines(view, task),
      ...blockerLines(blockers, view, task),
      ...stallLines(view.state, task),
      ...conflictLines(view.state, task),
      ...outdatedLines(view.state, task, attempt),
      ...(word === null ? [] : [`${wordLine(word)}: dispatch logs ${task.key} --notes`]),
      ...lookLines(task),
      ...aside.map((one) => `${asideText(one)} (dispatch explain E_UNFIT)`),
      ...unheardLines(view.state, (key) => key === task.key),
      ...late.flatMap((one) => lateLines(view, one)),
    ];
    for (const line of lines) output.line(`  ${safeLine(line)}`);
    return EXIT.ok;
  });
}

/** Its newest attempt was told to keep to another contract than the base has now. */
function outdatedLines({ projects }: State, { spec }: Task, attempt: Attempt | undefined): string[] {
  const contract = projects.get(spec.project)?.contract ?? null;
  if (attempt === undefined || contract === null || !isOutdated(attempt, contract)) return [];
  return [`attempt ${attempt.n} was made under another contract (${contract.path} has changed since)`];
}

/** The task's work attempt with the highest number. */
function newestWork({ attempts }: State, { key, n }: Task): Attempt | undefined {
  return [...attempts.values()].findLast(
    (one) => one.task === key && one.n === n && one.work.kind === 'work',
  );
}

/** A person may look at it, or take it by hand. */
function lateLines({ home }: HomeView, late: LateResult): string[] {
  if (late.kept === null) return [lateLine(late)];
  const hub = join(homePaths(home).repos, `${projectOfKey(late.task)}.git`);
  return [lateLine(late), `  to look at it: git fetch ${hub} ${late.kept.ref}`];
}

/** Without a controller nothing starts, whatever else is free. */
function controllerLines({ holder }: HomeView, { spec, progress }: Task): string[] {
  if (holder !== null || isFinal(progress)) return [];
  return [`no controller runs: dispatch start ${spec.project}`];
}

/** At work, and without progress: what it does instead, what shows that, what mends it. */
function stallLines(state: State, task: Task): string[] {
  const stalled = stalledFor(state, task);
  if (stalled === null) return [];
  const { stall } = stalled;
  return [
    `${stallLine(stalled)} (since ${new Date(stall.since).toISOString()})`,
    ...evidenceLines(stall.evidence).map((line) => `  ${line}`),
    `fix: ${mendLine(stalled)}`,
  ];
}

/** What is no blocker: an attempt is to begin after a conflict, or others will have to give way to this one. */
function conflictLines(state: State, task: Task): string[] {
  const own = task.progress.at === 'open' ? clashOf(task) : null;
  const others = clashesAgainst(state).get(task.key) ?? [];
  return [...(own === null ? [] : [own]), ...others].map((clash) => clashLine(clash, task.spec.project));
}

/** What a second model found in what has merged, and what came of it. */
function lookLines({ progress, key }: Task): string[] {
  if (progress.at !== 'merged' || progress.look === undefined) return [];
  const { look } = progress;
  const settled = settledText(look);
  return [
    [lookText(look), ...(settled === null ? [] : [settled])].join('; '),
    ...look.findings.slice(0, FINDINGS_SHOWN).map((finding) => `  ${lookFindingText(finding)}`),
    ...(isLookOpen(progress) ? [`fix: dispatch review ${key} --approve   or   --reject REASON`] : []),
  ];
}

function blockerLines(blockers: readonly Blocker[], { holder }: HomeView, task: Task): string[] {
  const { progress, n } = task;
  if (blockers.length > 0) return blockers.flatMap((blocker) => linesFor(blocker, task));
  if (progress.at === 'attempt') return [`attempt ${n} is running`];
  if (progress.at === 'gating') return ['its merge is being gated'];
  return holder === null ? [] : ['nothing keeps it: it starts when its turn comes'];
}

function linesFor(blocker: Blocker, { spec, key, progress }: Task): string[] {
  switch (blocker.why) {
    case 'dependency':
      return blocker.dead
        ? [
            `it depends on what failed, was cancelled or reverted, or waits for you: ${blocker.on.join(', ')}`,
            `fix: dispatch retry ${blocker.on[0] ?? key}`,
          ]
        : [`it waits for ${blocker.on.join(', ')}`];
    case 'lock':
      return [`${blocker.holder} holds ${blocker.path} until it has merged or is given up`];
    case 'backoff':
      return [
        `back-off: ${blocker.reason}; again in ${formatDuration(blocker.forMs)}, at ${new Date(blocker.until).toISOString()}`,
      ];
    case 'not-started':
      return [`its project was not started: dispatch start ${spec.project}`];
    case 'safe-mode':
      return [
        safeModeText(blocker, spec.project),
        'it ends by itself with the first success; what keeps it from that: dispatch doctor',
      ];
    case 'no-base':
      return ['the repository has not been fetched yet'];
    case 'control':
      return controlLines(blocker, spec.project);
    case 'contract':
      return contractLines(blocker, spec.project);
    case 'attempt':
      return [`an earlier attempt has not ended on ${blocker.node} yet`];
    case 'silent':
      return silentLines(blocker);
    case 'nodes':
      return [
        'no node takes it now:',
        ...blocker.nodes.map((verdict) => `  ${nodeLine(verdict)}`),
        ...(blocker.nodes.length === 0 ? ['  nodes.json has none: dispatch nodes add <ssh alias>'] : []),
      ];
    case 'credential':
      return ['no key of its executor can be used now:', ...blocker.credentials.map(credentialLine)];
    case 'budget':
      return blocker.budgets.flatMap((verdict) => [
        `no budget is left for it: ${budgetLine(verdict)}${needsText(verdict)}`,
        `fix: ${raiseCommand(verdict)}`,
      ]);
    case 'held':
      return [
        `its merge queue was stopped by ${blocker.by}: ${blocker.reason}`,
        `fix: dispatch queue release ${key.slice(0, key.indexOf('/'))}`,
      ];
    case 'review':
      return [
        `it waits for your approval: dispatch review ${key} --approve`,
        ...blocker.approvals.map(({ message }) => `  ${message}`),
      ];
    case 'parked':
      return [`it waits for you: ${blocker.reason}`, `fix: dispatch retry ${key}`];
    case 'conflict':
      return [clashLine(blocker.clash, spec.project)];
    case 'merging':
      return [`${undoOf(progress) === undefined ? 'it' : 'its revert'} ${mergingLine(blocker.at)}`];
    case 'rests':
      return [
        `it has merged, and rests on what was reverted: ${blocker.on.join(', ')}`,
        `fix: dispatch retry ${blocker.on[0] ?? key}   or   dispatch revert ${key}`,
      ];
    case 'over':
      return overLines(blocker, key);
    default:
      return assertNever(blocker);
  }
}

function silentLines({ node, silence }: Extract<Blocker, { why: 'silent' }>): string[] {
  if (silence === null) return [`its node ${node} does not answer`];
  return [
    `its node ${silenceText(silence)}; ${endText(silence)}`,
    `if you know that it is gone: ${expireCommand(node)}`,
  ];
}

/** So many of the gates' findings are printed; `dispatch report` has them all. */
const FINDINGS_SHOWN = 5;

function overLines({ at, reason, findings }: Extract<Blocker, { why: 'over' }>, key: Task['key']): string[] {
  if (reason === null) return [`it is over (${at})`];
  const shown = findings.slice(0, FINDINGS_SHOWN).map((finding) => `  ${findingLine(finding)}`);
  const left = findings.length - shown.length;
  return [
    `it is over (${at}): ${reason}`,
    ...shown,
    ...(left > 0 ? [`  and ${left} more: dispatch report`] : []),
    findings.length === 0
      ? `fix: dispatch retry ${key}`
      : `fix: dispatch logs ${key}, mend the spec where it is to blame, then dispatch retry ${key}`,
  ];
}

function controlLines({ failed, nodes }: Extract<Blocker, { why: 'control' }>, project: string): string[] {
  if (failed !== null)
    return [failed.message, `fix: dispatch explain ${failed.code}, then dispatch start ${project}`];
  return [
    'its gates are tried on a copy that is broken on purpose first',
    ...nodes.map((verdict) => `  ${nodeLine(verdict)}`),
  ];
}

function contractLines({ path, changed }: Extract<Blocker, { why: 'contract' }>, project: string): string[] {
  if (changed === null) return [`${path} is about to be looked at`];
  return [
    `the contract that the tasks share has changed (${path} in ${changed.commit.slice(0, 10)}), and no work starts before you accept it`,
    `fix: dispatch contract diff ${project}, then dispatch contract accept ${project}`,
  ];
}

function credentialLine({
  credential,
  executor,
  inFlight,
  allowed,
  forMs,
  refused,
  needsPerson,
}: CredentialVerdict): string {
  const use = `${inFlight} of ${allowed ?? 'any number'} in use`;
  const name = credential === executor ? credential : `${credential} (${executor})`;
  if (refused === null) return `  ${name}: ${use}`;
  const again = forMs === null ? use : `tried again in ${formatDuration(Math.ceil(forMs / 1000) * 1000)}`;
  const mend = needsPerson ? '; mend the key, then start the project again' : '';
  return `  ${name}: refused (${refused.why}): ${refused.message}; ${again}${mend}`;
}

function nodeLine(verdict: NodeVerdict): string {
  if (verdict.ok) return `${verdict.node}: ${verdict.free} free`;
  return `${verdict.node}: ${verdict.detail === '' ? verdict.why : verdict.detail}`;
}

function mergingLine(at: 'finished' | 'queued' | 'gating' | 'landing'): string {
  switch (at) {
    case 'finished':
      return 'has done its work, which is being fetched';
    case 'queued':
      return 'waits for its turn in the merge queue';
    case 'gating':
      return 'is being gated';
    case 'landing':
      return 'passed and is landing';
    default:
      return assertNever(at);
  }
}
