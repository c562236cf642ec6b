/** Writes specs/<project>/PLAN.md: as a whole or not at all, and around what a person wrote in it. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckedContract, checkContract } from '../contract/check.ts';
import { EXIT, type ExitCode } from '../model/exit.ts';
import type { ProjectConfig } from '../model/spec.ts';
import { planDocument } from '../plan/full/document.ts';
import { milestonesOf } from '../plan/full/milestones.ts';
import type { Plan } from '../plan/plan.ts';
import { planFile } from '../spec/load.ts';
import type { Context } from './context.ts';
import { baseFile, basePaths } from './repository.ts';

export async function writeFullPlan(context: Context, config: ProjectConfig, plan: Plan): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const file = planFile(config.name);
  const path = join(home, file);
  const before = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  const base = await basePaths(home, config);
  const text = planDocument({ plan, base, contract: await contractOf(home, config) }, before);
  await replaceFile(join(home, 'specs', config.name, `.PLAN.md.${process.pid}`), path, text);
  const milestones = milestonesOf(plan);
  if (output.machine) output.envelope('FullPlan', { file: path, changed: text !== before, milestones });
  else if (output.format === 'name') output.line(path);
  else output.line(`${text === before ? 'as it was' : 'wrote'} ${path}: ${milestones.length} milestones`);
  return EXIT.ok;
}

/** A contract that cannot be read now is as good as none. */
async function contractOf(home: string, config: ProjectConfig): Promise<CheckedContract | null> {
  if (config.contract === null) return null;
  const text = await baseFile(home, config, config.contract).catch(() => null);
  return text === null ? null : checkContract(text, config.contract);
}

async function replaceFile(temporary: string, path: string, text: string): Promise<void> {
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
