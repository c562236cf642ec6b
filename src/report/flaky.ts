import type { GateRecord } from '../model/gate-record.ts';
import type { Project } from '../model/task.ts';
import type { FlakyGateReport } from './model.ts';

/** The project's gates that went both ways on one commit, those that do it most often first. */
export function flakyGates({ gates }: Project): FlakyGateReport[] {
  return gates
    .filter(({ flakes }) => flakes > 0)
    .map(reportGate)
    .toSorted((a, b) => b.rate - a.rate);
}

function reportGate({ verify, runs, flakes, lastFlake, tests }: GateRecord): FlakyGateReport {
  const named = tests.map((test) => ({ ...test, rate: test.flakes / runs }));
  return { verify, runs, flakes, rate: flakes / runs, last: lastFlake, tests: named };
}

/** `3 of 120 runs (2.5 %)`: red ones that turned green on the same commit. */
export function flakeText(flakes: number, runs: number): string {
  const share = ((100 * flakes) / runs).toFixed(1);
  return `${flakes} of ${runs} ${runs === 1 ? 'run' : 'runs'} (${share} %)`;
}
