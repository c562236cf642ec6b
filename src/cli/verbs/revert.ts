/** Takes out of integration what tasks merged: the reverse goes through the queue and its gate, and lands like a branch. */
import type { Finding } from '../../model/attempt.ts';
import type { Conflict } from '../../model/conflict.ts';
import { codeEntry, type ErrorCode } from '../../model/codes/index.ts';
import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import { EXIT } from '../../model/exit.ts';
import type { CommitId, ProjectName, TaskKey } from '../../model/ids.ts';
import { taskKey } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { type Task, undoOf } from '../../model/task.ts';
import { mergedAbove } from '../../schedule/resting.ts';
import type { Context } from '../context.ts';
import { homeFlag } from '../home.ts';
import { exitOfSignal } from '../progress/interrupt.ts';
import { renderError } from '../render/error.ts';
import { seeThrough } from '../see-through.ts';
import { selectTask } from '../select.ts';
import { withView } from '../view.ts';

export interface RevertOptions {
  readonly reason?: string;
}

/** What came of one. */
type Row =
  | {
      readonly task: TaskKey;
      readonly ok: true;
      readonly commit: CommitId;
      /** Merged tasks that depend on it and stay. */
      readonly resting: readonly TaskKey[];
    }
  | {
      readonly task: TaskKey;
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly why: string | null;
      readonly fix: string;
      readonly conflicts: readonly Conflict[];
      readonly findings: readonly Finding[];
    };

/** @returns ok; or the exit code of the first that was refused. */
export async function revert(
  context: Context,
  typed: readonly string[],
  options: RevertOptions,
): Promise<number> {
  const { environment, output } = context;
  const tasks = await withView(context, async ({ state }) => inOrder(state, typed));
  const names = tasks.map(({ key }) => key);
  const projects = [...new Set(tasks.map(({ spec }) => spec.project))];
  const by = environment.user;
  const reason = options.reason ?? `reverted by ${by}`;
  const again = `dispatch revert ${names.join(' ')}${homeFlag(environment, context.home())}`;
  const seen = await seeThrough(context, {
    commands: names.map((task) => ({ verb: 'revert', task, by, reason })),
    projects,
    over: (state) => names.every((name) => isOver(state, name)),
    again,
  });
  if (seen.interrupted !== null) {
    output.note(`detached; nothing is half done. Go on with: ${again}`);
    return exitOfSignal(seen.interrupted);
  }
  const rows = names.map((name) => rowOf(seen.state, seen.events, name));
  show(context, rows, projects);
  const refused = rows.find((row) => !row.ok);
  return refused?.ok === false ? (codeEntry(refused.code)?.exit ?? EXIT.internal) : EXIT.ok;
}

/**
 * All of them can be reverted, or none is. The latest that came in goes first: nothing later stands on that.
 * @throws DispatchError E_NOT_FOUND, E_AMBIGUOUS, E_WRONG_STATE.
 */
function inOrder(state: State, typed: readonly string[]): Task[] {
  const tasks = [...new Set(typed.map((name) => selectTask(state, name)))];
  for (const task of tasks) refuseUnmerged(task);
  return tasks.toSorted((a, b) => mergedAt(b) - mergedAt(a) || b.order - a.order);
}

function refuseUnmerged({ key, progress }: Task): void {
  if (progress.at === 'merged' || undoOf(progress) !== undefined) return;
  const reverted = progress.at === 'reverted';
  throw new DispatchError(
    'E_WRONG_STATE',
    reverted ? `${key} was reverted already` : `${key} has not merged: it is ${progress.at}`,
    {
      why: reverted ? progress.reason : 'only what is in integration can be taken out of it',
      fix: reverted ? `dispatch retry ${key}   (does it again)` : `dispatch cancel ${key}   (stops it)`,
    },
  );
}

function mergedAt({ progress }: Task): number {
  return progress.at === 'merged' ? progress.when : (undoOf(progress)?.when ?? 0);
}

/** Also while the queue stands still, where nothing comes of it until a person acts. */
function isOver(state: State, key: TaskKey): boolean {
  const task = state.tasks.get(key);
  if (task === undefined || undoOf(task.progress) === undefined) return true;
  return task.progress.at !== 'landing' && state.projects.get(task.spec.project)?.hold != null;
}

function rowOf(state: State, events: readonly Event[], key: TaskKey): Row {
  const task = state.tasks.get(key) as Task;
  const { progress, spec } = task;
  if (progress.at === 'reverted') {
    return { task: key, ok: true, commit: progress.commit, resting: mergedAbove(task, state).map(keyOf) };
  }
  const nothing = { task: key, ok: false, why: null, conflicts: [], findings: [] } as const;
  if (undoOf(progress) !== undefined) {
    const hold = state.projects.get(spec.project)?.hold;
    const message = `the revert of ${key} waits: the queue stands still (${hold?.reason ?? 'held'})`;
    return {
      ...nothing,
      code: 'E_REVERT_WAITS',
      message,
      fix: `dispatch queue release ${spec.project}   then: dispatch revert ${key}`,
    };
  }
  const refusal = events.findLast(
    ({ fact }) => fact.type === 'revert.refused' && state.attempts.get(fact.token)?.task === key,
  )?.fact;
  if (refusal?.type !== 'revert.refused') {
    // It was reverted, and something else was made of it since.
    return {
      ...nothing,
      code: 'E_WRONG_STATE',
      message: `${key} is ${progress.at}`,
      fix: `dispatch why ${key}`,
    };
  }
  const { reason, clash, findings = [], output } = refusal;
  const conflicts = clash?.conflicts ?? [];
  if (conflicts.length > 0) return { ...nothing, ...conflictOf(state, task, conflicts), conflicts };
  if (findings.length > 0) {
    return {
      ...nothing,
      code: 'E_REVERT_RED',
      message: `without ${key} verify is red: ${findings[0]?.message ?? ''}`,
      why: output ?? null,
      fix: redFix(state, task),
      findings,
    };
  }
  return {
    ...nothing,
    code: 'E_WRONG_STATE',
    message: `the revert of ${key} was given up: ${reason}`,
    fix: `dispatch revert ${key}`,
  };
}

function keyOf({ key }: Task): TaskKey {
  return key;
}

/** Later work touches the same files: that goes out first, the latest of it before all. */
function conflictOf(
  state: State,
  { key, spec }: Task,
  conflicts: readonly Conflict[],
): { code: ErrorCode; message: string; why: string; fix: string } {
  const later = new Set(conflicts.flatMap(({ tasks }) => tasks));
  const merged = [...later]
    .flatMap((id) => state.tasks.get(taskKey(spec.project, id)) ?? [])
    .filter(({ progress }) => progress.at === 'merged')
    .toSorted((a, b) => mergedAt(b) - mergedAt(a));
  const why = conflicts.map(
    ({ path, tasks }) => `${path}: changed since by ${tasks.length > 0 ? tasks.join(', ') : 'somebody else'}`,
  );
  const fix =
    merged.length > 0
      ? `dispatch revert ${[...merged.map(keyOf), key].join(' ')}   (the later work as well), or mend it with a new spec`
      : 'take it back by hand on the target, or with a new spec';
  return {
    code: 'E_REVERT_CONFLICT',
    message: `409: ${key} cannot be taken out: later work changed the same files`,
    why: why.join('\n'),
    fix,
  };
}

function redFix(state: State, task: Task): string {
  const resting = mergedAbove(task, state).toSorted((a, b) => mergedAt(b) - mergedAt(a));
  if (resting.length === 0) return 'mend it with a new spec';
  return `dispatch revert ${[...resting, task].map(keyOf).join(' ')}   (what depends on it as well), or mend it with a new spec`;
}

function show({ output }: Context, rows: readonly Row[], projects: readonly ProjectName[]): void {
  if (output.format === 'json') return output.envelope('RevertList', rows);
  for (const row of rows) {
    if (output.format === 'ndjson') output.event('Revert', row);
    else if (row.ok && output.format === 'name') output.line(row.task);
    else if (row.ok) {
      output.line(`${output.paint.green('✔')} ${row.task} reverted by ${row.commit.slice(0, 10)}`);
      for (const resting of row.resting)
        output.note(`  ${resting} has merged and depends on it: it rests on reverted work now`);
    } else {
      const { code, message, why, fix } = row;
      const error = new DispatchError(code, message, { ...(why === null ? {} : { why }), fix });
      process.stderr.write(renderError(error, output.notePaint));
    }
  }
  const done = rows.filter((row) => row.ok).map(({ task }) => task);
  if (done.length === 0 || output.format === 'ndjson') return;
  output.note(
    `next: dispatch collect ${projects[0] ?? ''} lands it on the target; dispatch retry ${done.join(' ')} does the work again`,
  );
}
