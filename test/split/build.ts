import { builtinExecutors } from '../../src/executors/builtin.ts';
import type { ProjectConfig } from '../../src/model/spec.ts';
import { projectName } from '../../src/model/ids.ts';
import { type ParsedSpec, parseSpec } from '../../src/spec/parse-spec.ts';
import { parseProject } from '../../src/spec/parse-project.ts';
import type { ProposedSpec } from '../../src/split/answer.ts';

export { places } from '../spec/check.ts';

export const WEB = projectName('web');

export function configure(yaml = 'repo: ../app\nverify: make test\n'): ProjectConfig {
  const { config } = parseProject(yaml, 'specs/web/project.yaml', WEB, builtinExecutors());
  if (config === null) throw new Error('the configuration itself is wrong');
  return config;
}

/** A spec file as it was read: `pending` tells where it lies. */
export function file(id: string, front: readonly string[] = [], pending = false): ParsedSpec {
  const keys = [`task_id: ${id}`, ...front];
  if (!front.some((line) => line.startsWith('modifies'))) keys.push(`modifies: ["src/${id}.ts"]`);
  const text = `---\n${keys.join('\n')}\n---\n## Goal\nDo ${id}.\n## Acceptance\n- done\n`;
  const path = `specs/web/${pending ? 'pending/' : ''}${id}.md`;
  return parseSpec(text, path, { project: WEB, config: configure(), budgetTokens: null });
}

/** A proposal that is right by itself. */
export function proposed(task_id: string, more: Partial<ProposedSpec> = {}): ProposedSpec {
  return {
    task_id,
    title: `The ${task_id}`,
    goal: 'It is there.',
    constraints: ['Keep the names.'],
    acceptance: ['Its test passes.'],
    donts: ['Touch nothing else.'],
    modifies: [`src/${task_id}.ts`],
    depends_on: [],
    verify: null,
    priority: null,
    estimate: null,
    ...more,
  };
}
