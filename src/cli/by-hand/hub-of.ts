import { join } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import { DispatchError } from '../../model/error.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { Project } from '../../model/task.ts';
import { selectProject } from '../select.ts';
import type { HomeView } from '../view.ts';

/** A project and where its hub is. @throws DispatchError E_WRONG_STATE for one without a repository: nothing is gated there. */
export function hubOf(view: HomeView, name: ProjectName | string): { project: Project; dir: string } {
  const project = selectProject(view.state, name);
  if (project.config.repo === null) {
    throw new DispatchError('E_WRONG_STATE', `${project.name} has no repository, so it has no gates`, {
      fix: `dispatch report ${project.name}   (how each task ended)`,
    });
  }
  if (project.integration === null) {
    throw new DispatchError(
      'E_WRONG_STATE',
      `nothing of ${project.name} has merged: it has no integration yet`,
      {
        fix: `dispatch start ${project.name}`,
      },
    );
  }
  return { project, dir: join(homePaths(view.home).repos, `${project.name}.git`) };
}
