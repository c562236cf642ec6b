/** Causes of failure and kinds of specs in English. */
import { assertNever } from '../../../model/assert.ts';
import type { Cause, SpecKind } from '../model.ts';

export function causeText(cause: Cause): string {
  switch (cause.is) {
    case 'gate':
      return {
        scope: 'scope gate',
        placeholder: 'placeholder gate',
        content: 'content gate',
        verify: 'verify was red',
        tests: 'test count gate',
        commit: 'nothing committed',
      }[cause.gate];
    case 'provider':
      return {
        rate: 'provider: too many requests',
        overload: 'provider: overloaded',
        quota: 'provider: quota used up',
        account: 'provider: no money or plan',
        login: 'provider: key not taken',
      }[cause.refusal];
    case 'failed':
      return {
        prepare: 'no tree could be prepared',
        executor: "the agent's program failed",
        empty: 'the agent changed nothing',
        gate: 'a gate could not run',
      }[cause.what];
    case 'lost':
      return {
        rebooted: 'lost: the node rebooted',
        'no-space': 'lost: the disk of the node was full',
        killed: 'lost: killed',
        wiped: 'lost: the node was wiped',
      }[cause.why];
    case 'timeout':
      return 'no result before the deadline';
    case 'overspent':
      return 'used more tokens than it may';
    case 'cancelled':
      return 'cancelled';
    case 'fenced':
      return 'given up by the controller';
    case 'branch':
      return 'refused by the gates on the branch';
    case 'merge':
      return 'red on the merged tree';
    case 'conflict':
      return 'merge conflict';
    default:
      return assertNever(cause);
  }
}

export function kindText(kind: SpecKind): string {
  switch (kind.by) {
    case 'executor':
      return `for ${kind.executor}`;
    case 'width':
      return {
        none: 'claims nothing',
        one: 'claims one file',
        few: 'claims two to four files',
        many: 'claims five files or more',
        folder: 'claims a folder or a pattern',
      }[kind.width];
    case 'tests':
      return kind.tests ? 'claims tests too' : 'claims no test';
    case 'depends':
      return kind.depends ? 'depends on others' : 'depends on nothing';
    default:
      return assertNever(kind);
  }
}
