import { DispatchError } from '../../../model/error.ts';
import type { ExitCode } from '../../../model/exit.ts';
import type { NodeName, TaskKey } from '../../../model/ids.ts';
import type { State } from '../../../model/state.ts';
import type { Context } from '../../context.ts';
import { nodesOf } from '../../nodes-file.ts';
import { commandEach } from '../../order.ts';
import { notFound } from '../../select.ts';
import { withView } from '../../view.ts';

export interface ExpireOptions {
  readonly yes?: boolean;
}

/** Ends the lease of a machine that a person knows to be gone; what that does is shown first. */
export async function expire(context: Context, typed: string, options: ExpireOptions): Promise<ExitCode> {
  const { output, environment } = context;
  const configured = await nodesOf(context.home());
  const plan = await withView(context, async ({ state }) => {
    const known = [...new Set([...configured.map(({ name }) => name), ...state.nodes.keys()])];
    const name = known.find((one) => one === typed);
    if (name === undefined) throw notFound('node', typed, known, 'dispatch nodes list');
    return planOf(state, name);
  });
  for (const line of planLines(plan)) output.note(line);
  if (options.yes !== true) await agree(context, plan.node);
  const { node } = plan;
  const command = { verb: 'expire', node, by: environment.user } as const;
  // Without a controller this verb is one: nothing is concluded of a node before it was tried.
  return commandEach(context, 'taken for lost', [[node, command]], (session) =>
    session.until.nodeTried(node),
  );
}

/** What is given up. */
interface Plan {
  readonly node: NodeName;
  readonly running: readonly TaskKey[];
  /** Done there, and their branches were not fetched yet. */
  readonly finished: readonly TaskKey[];
  readonly gates: number;
}

function planOf({ live, attempts, active, tasks }: State, node: NodeName): Plan {
  const there = [...(live.get(node) ?? [])].flatMap((token) => attempts.get(token) ?? []);
  const work = there.filter((attempt) => attempt.work.kind === 'work');
  const finished = [...active].filter((key) => {
    const progress = tasks.get(key)?.progress;
    return progress?.at === 'finished' && attempts.get(progress.token)?.node === node;
  });
  const running = work.map(({ task }) => task);
  return { node, running, finished, gates: there.length - work.length };
}

function planLines({ node, running, finished, gates }: Plan): string[] {
  const kept = `if ${node} comes back, what it has done meanwhile is kept and shown, and not merged`;
  const lines = [
    ...(running.length > 0 ? [`given up on ${node}, to start elsewhere: ${running.join(', ')}`] : []),
    ...(finished.length > 0
      ? [`finished there and not fetched, to be done again: ${finished.join(', ')}`]
      : []),
    ...(gates > 0 ? [`${gates} gate${gates === 1 ? '' : 's'} to run elsewhere`] : []),
  ];
  return lines.length === 0 ? [`nothing is at work on ${node}`] : [...lines, kept];
}

async function agree({ environment }: Context, node: NodeName): Promise<void> {
  if (!environment.interactive) {
    throw new DispatchError('E_NEEDS_TERMINAL', 'this gives work up, and there is nobody to ask', {
      where: node,
      fix: `read what it does above, then: dispatch nodes expire ${node} --yes`,
    });
  }
  const { confirm } = await import('@clack/prompts');
  const answer = await confirm({
    message: `Is ${node} gone?`,
    initialValue: false,
    output: process.stderr,
  });
  if (answer !== true) throw new DispatchError('E_DECLINED', 'nothing was changed');
}
