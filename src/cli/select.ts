/** From what a person typed to the project or task that was meant. */
import { DispatchError } from '../model/error.ts';
import type { Attempt } from '../model/attempt.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Project, Task } from '../model/task.ts';
import { nearest } from '../spec/nearest.ts';

/**
 * A task by `project/id`, by its id alone, or by the beginning of its id up to a separator (`S03` for `S03-router`),
 * as long as only one fits.
 * @throws DispatchError E_NOT_FOUND naming the nearest, E_AMBIGUOUS naming all that fit.
 */
export function selectTask(state: State, typed: string): Task {
  const tasks = [...state.tasks.values()];
  const [first, ...others] = matches(tasks, typed);
  if (first === undefined) throw noTask(state, typed);
  if (others.length === 0) return first;
  throw new DispatchError('E_AMBIGUOUS', `${JSON.stringify(typed)} fits ${others.length + 1} tasks`, {
    fix: [first, ...others]
      .slice(0, 6)
      .map(({ key }) => key)
      .join('  or  '),
  });
}

/** A work attempt of the task: number `n`, or the newest. @throws DispatchError E_NO_ATTEMPT. */
export function selectAttempt(state: State, task: Task, n: number | null): Attempt {
  const attempts = [...state.attempts.values()].filter(
    ({ task: key, work }) => key === task.key && work.kind === 'work',
  );
  const found = n === null ? attempts.at(-1) : attempts.find((attempt) => attempt.n === n);
  if (found !== undefined) return found;
  throw new DispatchError('E_NO_ATTEMPT', `${task.key} has no attempt${n === null ? ' yet' : ` ${n}`}`, {
    fix:
      attempts.length === 0
        ? `dispatch why ${task.key}`
        : `its attempts: ${attempts.map((one) => one.n).join(', ')}`,
  });
}

/** @throws DispatchError E_NOT_FOUND naming the nearest. */
export function selectProject(state: State, typed: string): Project {
  const project = state.projects.get(typed as ProjectName);
  if (project !== undefined) return project;
  throw notFound('project', typed, state.projects.keys(), 'dispatch status');
}

/** An error that names the nearest of what there is. @param lister command that lists them. */
export function notFound(
  what: string,
  typed: string,
  known: Iterable<string>,
  lister: string,
): DispatchError {
  const near = nearest(typed, known);
  return new DispatchError('E_NOT_FOUND', `no ${what} ${JSON.stringify(typed)}`, {
    fix: near === null ? lister : `did you mean ${near}?`,
  });
}

function matches(tasks: readonly Task[], typed: string): Task[] {
  const exact = tasks.filter(({ key, spec }) => key === typed || spec.id === typed);
  if (exact.length > 0) return exact;
  return tasks.filter(({ key, spec }) => begins(key, typed) || begins(spec.id, typed));
}

/** `S0` does not stand for `S01`: what follows the typed part must not be a letter or digit. */
function begins(name: string, typed: string): boolean {
  return typed !== '' && name.startsWith(typed) && /^[._-]/u.test(name.slice(typed.length));
}

function noTask(state: State, typed: string): DispatchError {
  const names = [...state.tasks.values()].flatMap(({ key, spec }) => (typed.includes('/') ? key : spec.id));
  return notFound('task', typed, names, 'dispatch status   (lists all)');
}
