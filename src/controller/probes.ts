import { type ProbeAsk, probeOf, programKey } from '../executors/probe.ts';
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
