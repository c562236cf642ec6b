import { projectName, taskId } from '../../src/model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';

/** A valid spec; give what matters to the test. */
export function aSpec(
  id: string,
  more: { dependsOn?: string[]; modifies?: string[] } & Partial<
    Omit<TaskSpec, 'dependsOn' | 'modifies' | 'id'>
  > = {},
): TaskSpec {
  return {
    project: projectName('p'),
    title: id,
    priority: 2,
    executor: 'claude',
    verify: 'make test',
    timeoutMs: 1_800_000,
    retries: 3,
    review: false,
    budgetTokens: null,
    estimateMs: null,
    digest: '',
    file: `specs/p/${id}.md`,
    expands: [],
    ...more,
    id: taskId(id),
    dependsOn: (more.dependsOn ?? []).map(taskId),
    modifies: more.modifies ?? [`src/${id}/`],
  };
}

/** A valid configuration with a repository. */
export function aConfig(more: Partial<ProjectConfig> = {}): ProjectConfig {
  return {
    name: projectName('p'),
    repo: '/repo',
    target: 'main',
    verify: 'make test',
    context: [],
    contract: null,
    executor: 'claude',
    executors: {},
    timeoutMs: 1_800_000,
    retries: 3,
    gateTimeoutMs: 1_800_000,
    sandbox: DEFAULT_SANDBOX,
    placeholderAllow: [],
    allowedExtras: [],
    sharedPaths: [],
    protectedPaths: [],
    gates: { largestFileKb: 8192, largestBinaryKb: 2048, secretAllow: [], minTests: 0 },
    review: 'never',
    weight: 1,
    maxAttempts: 2,
    ...more,
  };
}
