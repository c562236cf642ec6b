/** A home on disk for the built command line: the fleet's nodes, and a project without a repository of so many specs. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';

export function writeHome(fleet: Fleet, project: string, count: number): string {
  const home = mkdtempSync(join(fleet.dir, 'cli-home-'));
  const nodes = fleet.nodes.flatMap(({ name, slots, root, reach }) =>
    reach.by === 'ssh'
      ? [{ name, ssh_target: reach.target, ssh_config: reach.configFile, slots, root, mode: 'hybrid' }]
      : [],
  );
  writeFileSync(join(home, 'nodes.json'), JSON.stringify(nodes));
  const folder = join(home, 'specs', project);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'project.yaml'),
    'executor: chore\nexecutors: { chore: { command: ["true"] } }\ntimeout: 10m\n',
  );
  for (let index = 0; index < count; index += 1) {
    const id = `T${String(index).padStart(5, '0')}`;
    writeFileSync(join(folder, `${id}.md`), specText(project, id));
  }
  return home;
}

function specText(project: string, id: string): string {
  return `---
task_id: ${id}
project: ${project}
---
## Goal
Look at part ${id} and say what you see.
## Acceptance
- the command ends with 0
`;
}
