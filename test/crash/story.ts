/**
 * The run whose durable steps are broken: twenty tasks on two nodes, of every fate that a task has. What each must come
 * to is known beforehand, whatever happens to the programs.
 */
import type { TaskText } from '../cluster/home.ts';

/** The agent commits by itself, as many do, and leaves more that it has not committed. */
const COMMITS = `put "src/$DISPATCH_TASK.txt" first
git add -A
git -c user.name=agent -c user.email=agent@agent commit -q -m "by its agent"
echo "$DISPATCH_TOKEN $(git rev-parse HEAD)" >>"$MARKS/made"
put "src/$DISPATCH_TASK.txt" second`;

/** The first to merge makes the other one conflict: neither is done before both have begun. */
const clash = (other: string): string =>
  `mark "began-$DISPATCH_TASK"; await began-${other}
echo "- $DISPATCH_TASK, try $DISPATCH_ATTEMPT" >>CHANGELOG.md; put "src/$DISPATCH_TASK.txt" done`;

/** Sent back by the gates once, in the same attempt. */
const TWO_ROUNDS = `if test "$DISPATCH_ROUND" = 1; then put "src/$DISPATCH_TASK.txt" "TODO: the rest"
else put "src/$DISPATCH_TASK.txt" done; fi`;

/** The agent's program breaks in the first attempt. */
const BREAKS = `if test "$DISPATCH_ATTEMPT" = 1; then exit 3; fi; put "src/$DISPATCH_TASK.txt" done`;

const LARGE = `put "src/$DISPATCH_TASK.txt" "$(head -c 200000 /dev/zero | tr '\\0' 'x')"`;

const plain = (...ids: string[]): Record<string, TaskText> => Object.fromEntries(ids.map((id) => [id, {}]));

/** Twenty tasks. */
export const TASKS: Readonly<Record<string, TaskText>> = {
  'again-1': { agent: BREAKS, priority: 0 },
  'clash-1': { agent: clash('clash-2'), priority: 0 },
  'clash-2': { agent: clash('clash-1'), priority: 0 },
  'red-1': { verify: 'false' },
  'red-2': { verify: 'false', agent: COMMITS },
  'rounds-1': { agent: TWO_ROUNDS, retries: 2 },
  'large-1': { agent: LARGE },
  'commits-1': { agent: COMMITS },
  'commits-2': { agent: COMMITS, depends_on: ['commits-1'] },
  ...plain('plain-1', 'plain-2', 'plain-3', 'plain-4', 'plain-5', 'plain-6', 'plain-7'),
  'chain-1': { depends_on: ['plain-1'] },
  'chain-2': { depends_on: ['chain-1'] },
  'chain-3': { depends_on: ['chain-2', 'plain-2'] },
  'chain-4': { depends_on: ['chain-3', 'commits-2'] },
};

/** The story in small, for a test that must not take long. */
export const FEW: Readonly<Record<string, TaskText>> = Object.fromEntries(
  ['red-2', 'commits-1', 'commits-2', 'plain-1', 'chain-1'].map((id) => [id, TASKS[id] as TaskText]),
);

/** What a task must come to. */
export function endOf(id: string): 'merged' | 'failed' {
  return id.startsWith('red-') ? 'failed' : 'merged';
}
