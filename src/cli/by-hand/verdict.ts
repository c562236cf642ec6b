/** What gates that a person asked for have said, as rows of a table. */
import { findingLine } from '../progress/summary.ts';
import { assertNever } from '../../model/assert.ts';
import type { Finding, GateName, Outcome, TestCounts } from '../../model/attempt.ts';

/** `approval`: not wrong, but a person has to say so, or has said so; `flaky`: red, and green on the same commit. */
export type Verdict = 'green' | 'approval' | 'flaky' | 'red' | 'broken' | 'cancelled';

export interface GateRow {
  readonly gate: GateName;
  readonly verdict: Verdict;
  /** Of which area the command is; absent for the whole tree. */
  readonly area?: string;
  readonly findings: readonly Finding[];
}

/** The gates that need no command, in the order in which they are shown. */
export const PURE_GATES = ['commit', 'scope', 'content', 'placeholder'] as const satisfies GateName[];

/** One row for each of the pure gates. */
export function pureRows(findings: readonly Finding[]): GateRow[] {
  return PURE_GATES.map((gate) => {
    const own = findings.filter((finding) => finding.gate === gate);
    const wrong = own.some(({ approval }) => approval !== true);
    return { gate, verdict: wrong ? 'red' : own.length > 0 ? 'approval' : 'green', findings: own };
  });
}

/** What the run of a verify command is worth. */
export function verifyRow(outcome: Outcome): GateRow {
  switch (outcome.kind) {
    case 'done':
      return { gate: 'verify', verdict: 'green', findings: [] };
    case 'refused':
      return { gate: 'verify', verdict: 'red', findings: outcome.findings };
    case 'failed':
      return { gate: 'verify', verdict: 'broken', findings: [said(outcome.message)] };
    case 'timeout':
    case 'overspent':
      return { gate: 'verify', verdict: 'broken', findings: [said('it did not end in time')] };
    case 'lost':
      return { gate: 'verify', verdict: 'broken', findings: [said(`the node was ${outcome.why}`)] };
    case 'cancelled':
      return { gate: 'verify', verdict: 'cancelled', findings: [said(outcome.reason)] };
    default:
      return assertNever(outcome);
  }
}

/** What the runners counted; null when the command was not green, or no known runner reported. */
export function testsOf(outcome: Outcome): TestCounts | null {
  return outcome.kind === 'done' ? (outcome.tests ?? null) : null;
}

function said(message: string): Finding {
  return { gate: 'verify', path: null, line: null, message, fix: null };
}

/** The first finding with its place, and how many more there are. */
export function detailOf({ findings }: GateRow): string {
  const [first] = findings;
  if (first === undefined) return '';
  return `${findingLine(first)}${findings.length > 1 ? `, and ${findings.length - 1} more` : ''}`;
}

/** The worst of these: red before broken, because something is known to be wrong. */
export function worst(verdicts: Iterable<Verdict>): Verdict {
  const all = new Set(verdicts);
  const order = ['cancelled', 'red', 'broken', 'flaky', 'approval'] as const;
  return order.find((verdict) => all.has(verdict)) ?? 'green';
}
