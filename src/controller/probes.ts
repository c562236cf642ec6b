import { type ProbeAsk, probeOf, programKey } from '../executors/probe.ts';
import { cageLevel } from '../model/cage.ts';
import type { ProgramReport } from '../model/executor.ts';
import type { SandboxReport } from '../protocol/messages.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { isFinal } from '../model/task.ts';

/** The programs that a node is asked about: of the executors that open tasks name and that it takes. */
export function probesFor({ projects, tasks }: State, { mode }: NodeConfig): Record<string, ProbeAsk> {
  const asks: Record<string, ProbeAsk> = {};
  for (const { spec, progress } of tasks.values()) {
    const { executor } = spec;
    if (isFinal(progress) || (mode !== 'hybrid' && !mode.includes(executor))) continue;
    const def = projects.get(spec.project)?.config.executors[executor];
    const key = def === undefined ? null : programKey(def);
    if (def === undefined || key === null || key in asks) continue;
    const ask = probeOf(def);
    if (ask !== null) asks[key] = ask;
  }
  return asks;
}

/** True when open tasks that the node takes run in `cage: strict`. */
export function needsCage({ projects, tasks }: State, { mode }: NodeConfig): boolean {
  for (const { spec, progress } of tasks.values()) {
    if (isFinal(progress) || (mode !== 'hybrid' && !mode.includes(spec.executor))) continue;
    const config = projects.get(spec.project)?.config;
    if (cageLevel(config?.cage, config?.executors[spec.executor] ?? {}) === 'strict') return true;
  }
  return false;
}

/** What a node says of its sandbox, as it says it of a program. */
export function cageReport({ by, detail, fix }: SandboxReport): ProgramReport {
  const problem = `no sandbox for \`cage: strict\`: ${detail}${fix === null ? '' : `; ${fix}`}`;
  return { path: by, version: null, problems: by === null ? [problem] : [] };
}
