/** Reads the files of a project and hands them to the session; what cannot be used is refused as a whole. */
import { DispatchError, type Problem } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import { loadProject, planProblem } from '../spec/load.ts';
import type { Reply } from './commands.ts';
import { asError, firstError, type Refusals } from './refusals.ts';
import type { SeenFiles } from './seen-files.ts';
import type { Session } from './session.ts';

export interface ProjectFilesOptions {
  readonly home: string;
  readonly session: Session;
  readonly refusals: Refusals;
  readonly seen: SeenFiles;
}

export class ProjectFiles {
  readonly #home: string;
  readonly #session: Session;
  readonly #refusals: Refusals;
  readonly #seen: SeenFiles;

  constructor({ home, session, refusals, seen }: ProjectFilesOptions) {
    this.#home = home;
    this.#session = session;
    this.#refusals = refusals;
    this.#seen = seen;
  }

  /** What the person said who started it holds for changed files and for the next keeper too. */
  skip(project: ProjectName): string | undefined {
    return this.#session.state.projects.get(project)?.skipControl ?? undefined;
  }

  async load(project: ProjectName, skipControl: string | undefined): Promise<Reply> {
    const folder = folderOf(project);
    await this.#seen.note(folder);
    const { config, specs, problems } = await loadProject(this.#home, project);
    const error =
      firstError(problems) ??
      (config === null
        ? null
        : await planProblem(
            this.#home,
            config,
            specs.map(({ spec }) => spec),
          ));
    if (error !== null || config === null)
      return this.#refused(folder, error ?? new DispatchError('E_INTERNAL', `${folder} cannot be read`));
    try {
      await this.#session.take({ config, specs });
    } catch (thrown) {
      // Nothing is wrong with the files: the next look tries again.
      this.#seen.forget(folder);
      return this.#refused(folder, asError(thrown));
    }
    this.#refusals.accept(folder);
    return this.start(project, skipControl);
  }

  start(project: ProjectName, skipControl: string | undefined): Promise<Reply> {
    return this.#session.command({
      verb: 'start',
      project,
      ...(skipControl === undefined ? {} : { skipControl }),
    });
  }

  #refused(file: string, problem: Problem | DispatchError): Reply {
    this.#refusals.refuse(file, problem);
    return { ok: false, code: problem.code, message: problem.message };
  }
}

export function folderOf(project: ProjectName): string {
  return `specs/${project}`;
}
