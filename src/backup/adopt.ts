/** Tells a store that does not know it what has landed, from the history of integration in a project's hub. */
import { command } from '../controller/commands.ts';
import { type Adopted, adoptLandings } from '../controller/reconcile.ts';
import type { Turn } from '../controller/turn.ts';
import { landingsSince } from '../git/landings.ts';
import type { ProjectName } from '../model/ids.ts';
import type { Project } from '../model/task.ts';
import { loadProject } from '../spec/load.ts';

/** What has landed since the store's own integration; the project is in the state. @param hub its directory. */
export async function adoptProject(
  turn: Turn,
  home: string,
  project: Project,
  hub: string,
): Promise<Adopted> {
  const since = await landingsSince(hub, project.integration);
  if (since === null) {
    const problem = `${project.name}: its hub does not contain ${project.integration ?? 'an integration'}`;
    return { tasks: [], problems: project.integration === null ? [] : [problem] };
  }
  if (since.landings.length === 0) return { tasks: [], problems: [] };
  // A task that was written after the backup and has landed is not to run again when its spec is read next.
  await addSpecs(turn, home, project.name);
  return adoptLandings(turn, project.name, since.landings);
}

/** Takes a project's files over as a controller would. @returns why they cannot be; null: they were. */
export async function addSpecs(turn: Turn, home: string, project: ProjectName): Promise<string | null> {
  const { config, specs, problems } = await loadProject(home, project);
  const error = problems.find(({ severity }) => severity === 'error');
  if (config === null || error !== undefined) return error?.message ?? 'it cannot be read';
  const reply = command(turn, { verb: 'load', config, specs });
  return reply.ok ? null : reply.message;
}
