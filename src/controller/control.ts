/**
 * Before work of a project starts, each of its verify commands has to show that it can go red: it runs once on a copy of
 * the base that is broken on purpose. One that stays green there proves nothing, and nothing is started.
 *
 * For each command, in turn: the base itself has to be green (what a gate has found green before is not run again), then
 * the copy red. What was shown is a fact and holds for the command, its own files and its environment, so it is shown
 * once and not at every start. A command that is red on the base, as one for tests that are still to be written, can
 * show nothing: that is noted, does not keep work from starting, and is asked again by a later controller, once the base
 * is another. A refusal is only ever believed by the controller that saw it: whoever starts again has mended something.
 *
 * It is tried at each start, when specs and settings are read again, and when something has landed that may have changed
 * the gate's own files (`control-watch.ts`). Work waits for the whole of it, gates of the merge queue do not. `advanceControls` derives what is to be done from
 * the facts each turn; what is kept beside them (`ControlRun`) may be lost.
 */
import { assertNever } from '../model/assert.ts';
import type { Attempt, GateSubject, Outcome } from '../model/attempt.ts';
import { commandsInUse, environmentOf, isProved, lastControl } from '../model/evidence.ts';
import { projectOfKey } from '../model/found.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Control, ControlVerdict, Project } from '../model/task.ts';
import type { ControlFailure, ControlGate } from '../schedule/snapshot.ts';
import { type ControlBase, type ControlRun, freshRun } from './control-run.ts';
import type { Effect, Input } from './door.ts';
import { MAX_GATE_BREAKS } from './policy.ts';
import type { Turn } from './turn.ts';

/** The project's work may start when its gates have passed this. Whatever an earlier run had begun is begun anew. */
export function beginControl(turn: Turn, project: Project): void {
  const { memory, state } = turn;
  const { name, config, skipControl } = project;
  memory.controls.delete(name);
  if (config.repo === null) return;
  const commands = commandsInUse(state, project);
  const skip = skipControl ?? config.gates.skipControl;
  if (skip !== undefined) for (const verify of commands) recordSkip(turn, project, verify, skip);
  else if (commands.length > 0) memory.controls.set(name, freshRun(commands));
}

function recordSkip(turn: Turn, project: Project, verify: string, note: string): void {
  const last = lastControl(project, verify);
  if (last?.verdict === 'skipped' && last.note === note) return;
  record(turn, project, { verify, files: '', tree: '' }, 'skipped', note);
}

/** What is to be run now, what has failed, and which projects have passed. */
export function advanceControls(turn: Turn): void {
  const { controls } = turn.memory;
  for (const [name, run] of controls) {
    const project = turn.state.projects.get(name);
    if (project === undefined) controls.delete(name);
    else if (run.base !== null) advance(turn, project, run, run.base);
  }
}

function advance(turn: Turn, project: Project, run: ControlRun, base: ControlBase): void {
  const live = liveCommands(turn.state, project.name);
  const unmade: string[] = [];
  const wanted: ControlGate[] = [];
  const failed: ControlFailure[] = [];
  let settled = 0;
  for (const verify of run.commands) {
    const next = nextFor(turn, { project, run, base, verify });
    if (next.is === 'settled') settled += 1;
    else if (next.is === 'failed') failed.push(next.failure);
    else if (next.is === 'unmade') unmade.push(verify);
    else if (!live.has(verify)) wanted.push(next.gate);
  }
  if (settled === run.commands.length) turn.memory.controls.delete(project.name);
  else Object.assign(run, { unmade, wanted, failed });
}

interface Trial {
  readonly project: Project;
  readonly run: ControlRun;
  readonly base: ControlBase;
  readonly verify: string;
}

type Next =
  | { readonly is: 'settled' }
  | { readonly is: 'failed'; readonly failure: ControlFailure }
  /** Its broken copy is still to be made. */
  | { readonly is: 'unmade' }
  | { readonly is: 'gate'; readonly gate: ControlGate };

function nextFor(turn: Turn, { project, run, base, verify }: Trial): Next {
  const files = base.files[verify] ?? '';
  const found = shownBy(turn, project, base, { verify, files });
  if (found !== undefined) {
    if (found.verdict !== 'blind') {
      // The files are again what they were before a refusal: that is no longer the last word.
      if (lastControl(project, verify)?.verdict === 'blind')
        record(turn, project, found, found.verdict, found.note);
      return { is: 'settled' };
    }
    const message = `${verify} stays green on a copy that is broken on purpose (${found.note})`;
    return { is: 'failed', failure: { code: 'E_GATE_PROVES_NOTHING', verify, message } };
  }
  const broke = run.breaks.get(verify);
  if (broke !== undefined && broke.times >= MAX_GATE_BREAKS) {
    const message = `${verify} could not be run, ${broke.times} times in a row: ${broke.reason}`;
    return { is: 'failed', failure: { code: 'E_GATE_BROKEN', verify, message } };
  }
  const common = { verify, files, base: base.tree };
  if (!isProved(project, base.tree, verify)) {
    const { commit, tree } = base;
    return { is: 'gate', gate: { ...common, part: 'base', broken: 0, commit, tree } };
  }
  const copy = run.copies.get(verify);
  if (copy === undefined) return { is: 'unmade' };
  const { commit, tree, files: broken } = copy;
  return { is: 'gate', gate: { ...common, part: 'broken', broken, commit, tree } };
}

/** The newest word that still counts. */
function shownBy(
  { epoch }: Turn,
  project: Project,
  base: ControlBase,
  { verify, files }: { readonly verify: string; readonly files: string },
): Control | undefined {
  const environment = environmentOf(project.config);
  const found = project.controls.findLast(
    (one) => one.verify === verify && one.environment === environment && one.files === files,
  );
  return found !== undefined && counts(found, epoch, base.tree) ? found : undefined;
}

function counts({ verdict, epoch, tree }: Control, now: number, base: string): boolean {
  switch (verdict) {
    case 'proved':
      return true;
    case 'red':
    case 'nothing':
      return epoch === now || tree === base;
    case 'blind':
      return epoch === now;
    case 'skipped':
      return false;
    default:
      return assertNever(verdict);
  }
}

/** Commands that a trial of this project runs now. */
function liveCommands(state: State, name: ProjectName): Set<string> {
  const commands = new Set<string>();
  for (const tokens of state.live.values()) {
    for (const token of tokens) {
      const attempt = state.attempts.get(token);
      if (attempt?.work.kind !== 'gate' || attempt.work.subject.of !== 'control') continue;
      if (projectOfKey(attempt.task) === name) commands.add(attempt.work.subject.verify);
    }
  }
  return commands;
}

export function controlEffects({ memory }: Turn, { name, config, integration }: Project): Effect[] {
  const run = memory.controls.get(name);
  if (run === undefined || integration === null) return [];
  const { commands, base } = run;
  if (base === null) {
    return [{ do: 'inspect', key: `inspect:${name}`, project: name, commit: integration, commands }];
  }
  const keep = config.sandbox.prepare?.keyedBy ?? [];
  return run.unmade.map((verify) => {
    const key = `break:${name}:${commands.indexOf(verify)}`;
    return { do: 'break', key, project: name, base: base.commit, verify, keep };
  });
}

export function inspected(turn: Turn, input: Extract<Input, { is: 'inspected' }>): void {
  const { controls, gatePaths } = turn.memory;
  const run = controls.get(input.project);
  const { project: name, commit, tree, files, paths } = input;
  // It may be the answer to a run that was begun anew meanwhile, with other commands or because of what has landed.
  if (run?.base !== null || run.commands.some((verify) => files[verify] === undefined)) return;
  if (turn.state.projects.get(name)?.integration !== commit) return;
  run.base = { commit, tree, files };
  gatePaths.set(name, new Set(paths));
}

export function copyBroken(turn: Turn, input: Extract<Input, { is: 'copy.broken' }>): void {
  const { project: name, verify, commit, tree, files } = input;
  const run = turn.memory.controls.get(name);
  const project = turn.state.projects.get(name);
  if (project === undefined || run === undefined || run.base?.commit !== input.base) return;
  run.copies.set(verify, { commit, tree, files });
  if (files > 0) return;
  const shown = { verify, files: run.base.files[verify] ?? '', tree: run.base.tree };
  record(turn, project, shown, 'nothing', 'no file to break');
}

/** What the end of a trial shows. */
export function settleControl(
  turn: Turn,
  attempt: Attempt,
  subject: Extract<GateSubject, { of: 'control' }>,
  outcome: Outcome,
): void {
  const project = turn.state.projects.get(projectOfKey(attempt.task));
  if (project === undefined || outcome.kind === 'lost') return;
  const { verify, environment, files, base, broken, tree } = subject;
  const shown = { verify, files, tree: base };
  const copy = `${broken} ${broken === 1 ? 'file' : 'files'} broken`;
  if (outcome.kind === 'done') {
    if (subject.part === 'broken') record(turn, project, shown, 'blind', copy);
    else turn.record({ type: 'gate.proved', project: project.name, tree, verify, environment });
    return;
  }
  const said = subject.part === 'base' ? wordOnBase(outcome) : wordOnCopy(outcome);
  if (said === null) return broke(turn, project, verify, brokenBecause(outcome));
  if (subject.part === 'base') record(turn, project, shown, 'red', said);
  else record(turn, project, shown, 'proved', `${copy}: ${said}`);
}

type NotGreen = Exclude<Outcome, { kind: 'done' | 'lost' }>;

/**
 * What the command itself said, when it did not pass; null when it could not say anything. A command that is not there,
 * or that runs no test, may be one that the tasks are to make; one that was killed says nothing about the base.
 */
function wordOnBase(outcome: NotGreen): string | null {
  if (outcome.kind === 'refused') return outcome.findings[0]?.message ?? 'red';
  if (outcome.kind !== 'failed') return null;
  const { exitCode, message } = outcome;
  return exitCode === null || exitCode > 128 ? null : message;
}

/** It was green on the base a moment ago: a crash or a hang on the broken copy is because that is broken. */
function wordOnCopy(outcome: NotGreen): string | null {
  if (outcome.kind === 'timeout') return brokenBecause(outcome);
  return outcome.kind === 'failed' && outcome.exitCode !== null ? outcome.message : wordOnBase(outcome);
}

function brokenBecause(outcome: NotGreen): string {
  switch (outcome.kind) {
    case 'failed':
      return outcome.message;
    case 'timeout':
    case 'overspent':
      return 'it did not end in time';
    case 'cancelled':
      return outcome.reason;
    case 'refused':
      return 'red';
    default:
      return assertNever(outcome);
  }
}

function broke(turn: Turn, { name }: Project, verify: string, reason: string): void {
  const breaks = turn.memory.controls.get(name)?.breaks;
  const times = (breaks?.get(verify)?.times ?? 0) + 1;
  breaks?.set(verify, { times, reason });
  turn.record({ type: 'gate.broke', project: name, reason, times });
}

function record(
  turn: Turn,
  { name, config }: Project,
  shown: Pick<Control, 'verify' | 'files' | 'tree'>,
  verdict: ControlVerdict,
  note: string,
): void {
  const environment = environmentOf(config);
  turn.record({ type: 'gate.controlled', project: name, environment, ...shown, verdict, note });
}
