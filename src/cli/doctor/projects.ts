/** Each project: its files, its repository, its target. */
import { join } from 'node:path';
import { type ProbeAsk, probeOf, programKey } from '../../executors/probe.ts';
import { cageLevel } from '../../model/cage.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { ProjectConfig } from '../../model/spec.ts';
import { homePaths } from '../../controller/paths.ts';
import { checkoutsOf } from '../../git/checkout.ts';
import { damageOf } from '../../git/hub-check.ts';
import { lostTargetIn, rewoundFix, rewoundText } from '../../git/target-watch.ts';
import { parseRemote } from '../../git/remote.ts';
import { targetMissing } from '../../git/target-missing.ts';
import { listProjects, loadProject } from '../../spec/load.ts';
import { asDispatchError } from '../render/error.ts';
import { branchesOf } from '../repository.ts';
import { type Check, fail, ok, warn } from './check.ts';

export interface ProjectsChecked {
  readonly checks: readonly Check[];
  /** Program -> executors of the home's specs that run it; nodes that take them must have it. */
  readonly programs: ReadonlyMap<string, ReadonlySet<string>>;
  /** Programs of those executors that are asked for version and flags -> the executor they are asked for. */
  readonly asks: ReadonlyMap<string, { readonly executor: string; readonly ask: ProbeAsk }>;
  /** Some project has verify commands, or agents in `cage: strict`, that run in a sandbox only. */
  readonly caged: boolean;
}

export async function checkProjects(home: string): Promise<ProjectsChecked> {
  const checks: Check[] = [];
  const programs = new Map<string, Set<string>>();
  const asks = new Map<string, { executor: string; ask: ProbeAsk }>();
  let caged = false;
  for (const name of await listProjects(home)) {
    const { config, specs, problems } = await loadProject(home, name);
    const id = `project.${name}`;
    const errors = problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) {
      checks.push(
        fail(id, `${name}: ${errors.length} errors`, errors[0]?.message ?? '', `dispatch validate ${name}`),
      );
    } else checks.push(ok(id, `${name}: ${specs.length} specs`));
    if (config === null) continue;
    if (config.verify !== null || specs.some(({ spec }) => spec.verify !== null)) {
      if (config.sandbox.trusted) checks.push(trustedCheck(id, name));
      else caged = true;
    }
    for (const { spec } of specs) {
      if (cageLevel(config.cage, config.executors[spec.executor] ?? {}) === 'strict') caged = true;
      addProgram(programs, config, spec.executor);
      addAsk(asks, config, spec.executor);
    }
    checks.push(...(await checkRepository(id, config)), ...(await checkHub(id, home, config)));
  }
  return { checks, programs, asks, caged };
}

function trustedCheck(id: string, name: string): Check {
  return warn(
    `${id}.trusted`,
    `${name}: trusted, so its verify commands run without a sandbox`,
    'what an agent wrote then runs with every right of the account on the node',
    `take "trusted: true" out of specs/${name}/project.yaml`,
  );
}

/** A path inside the tree (`tools/agent.py`) comes with the tree; a bare name must be on the node. */
function addProgram(programs: Map<string, Set<string>>, config: ProjectConfig, executor: string): void {
  const program = config.executors[executor]?.command[0];
  if (program === undefined || program.includes('/')) return;
  const users = programs.get(program) ?? new Set();
  programs.set(program, users.add(executor));
}

function addAsk(
  asks: Map<string, { executor: string; ask: ProbeAsk }>,
  config: ProjectConfig,
  executor: string,
): void {
  const def = config.executors[executor];
  const key = def === undefined ? null : programKey(def);
  const ask = def === undefined ? null : probeOf(def);
  if (key !== null && ask !== null) asks.set(key, { executor, ask });
}

async function checkRepository(id: string, config: ProjectConfig): Promise<Check[]> {
  const { repo, target } = config;
  if (repo === null) return [];
  try {
    const branches = await branchesOf(repo);
    if (!branches.heads.has(target)) {
      const missing = targetMissing(repo, target, branches);
      return [fail(`${id}.target`, missing.message, missing.why ?? repo, missing.fix ?? null)];
    }
    return [ok(`${id}.repo`, `${repo}, branch ${target}`), ...(await checkCheckedOut(id, repo, target))];
  } catch (thrown) {
    const error = asDispatchError(thrown);
    return [
      fail(`${id}.repo`, error.message, error.why ?? repo, error.fix ?? `dispatch explain ${error.code}`),
    ];
  }
}

/** Where the controller merges. What is wrong with it ends in safe mode. */
async function checkHub(id: string, home: string, { name, repo, target }: ProjectConfig): Promise<Check[]> {
  const dir = join(homePaths(home).repos, `${name}.git`);
  const damage = repo === null ? null : await damageOf(dir);
  if (damage === null) return lostChecks(id, dir, name, target);
  // A restore adds to a hub that can be read; one that cannot is put aside first.
  const fix = `stop the controller, mv ${dir} ${dir}.damaged, then dispatch restore <backup>   (dispatch backup --list)`;
  return [fail(`${id}.hub`, `${name}: its hub ${dir} is damaged`, damage, fix)];
}

/** As it was fetched last. */
async function lostChecks(id: string, dir: string, name: ProjectName, target: string): Promise<Check[]> {
  const lost = await lostTargetIn(dir, target);
  return lost === null
    ? []
    : [fail(`${id}.target`, rewoundText(lost, target), 'somebody pushed by force', rewoundFix(name))];
}

/** git refuses a push to a branch that a working copy has checked out; collect would say so at the very end. */
async function checkCheckedOut(id: string, repo: string, target: string): Promise<Check[]> {
  const remote = parseRemote(repo);
  if (remote.kind !== 'local') return [];
  const places = await checkoutsOf(remote.path, target);
  return places.map(({ path }) =>
    warn(
      `${id}.checked-out`,
      `${target} is checked out in ${path}`,
      'your checkout is never touched, so collect cannot land there while it is',
      `git -C ${path} switch --detach   (or another branch)`,
    ),
  );
}
