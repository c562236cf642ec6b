/** A change of a project's contract: what it is, and a person's word that it counts from now on. */
import { blobDiff } from '../../git/blob-diff.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { Contract } from '../../model/task.ts';
import { hubOf } from '../by-hand/hub-of.ts';
import type { Context } from '../context.ts';
import { giveAll } from '../order.ts';
import { safeLine, safeText } from '../render/safe-text.ts';
import { withView } from '../view.ts';
import { showVerified, verifyMerged } from './verify.ts';

interface Change {
  readonly project: ProjectName;
  /** null: it was not looked at yet. */
  readonly contract: Contract | null;
  /** Lines that went and came; empty: none. */
  readonly diff: string;
  /** Something has merged that can be verified. */
  readonly merged: boolean;
}

export async function diffContract(context: Context, typed: string): Promise<number> {
  const { output } = context;
  const { project, contract, diff } = await changeOf(context, typed);
  if (output.machine) output.envelope('ContractDiff', { project, contract, diff });
  else if (diff === '') output.note(`the contract of ${project} has not changed since it was accepted`);
  else output.write(painted(context, diff));
  return EXIT.ok;
}

/** What a person accepts is what the store says now: when it changes once more meanwhile, nothing is accepted. */
export async function acceptContract(context: Context, typed: string): Promise<number> {
  const { output, environment } = context;
  const { project, contract, diff, merged } = await changeOf(context, typed);
  const changed = contract?.changed ?? null;
  if (contract === null || changed === null) {
    if (output.machine)
      output.envelope('ContractAccepted', { project, accepted: false, notes: [], verify: null });
    else output.note(`the contract of ${project} has not changed since it was accepted`);
    return EXIT.ok;
  }
  if (!output.machine) output.write(painted(context, diff));
  const { hash } = changed;
  const by = environment.user;
  const [given] = await giveAll(context, [[project, { verb: 'accept-contract', project, by, hash }]]);
  const reply = given?.reply;
  if (reply?.ok !== true)
    throw new DispatchError(reply?.code ?? 'E_INTERNAL', reply?.message ?? 'no answer', {
      where: contract.path,
      fix: `dispatch contract diff ${project}`,
    });
  if (!output.machine) {
    output.line(
      `${output.paint.green('✔')} ${safeLine(contract.path)} as it is now is the contract of ${project}`,
    );
    for (const note of reply.notes) output.note(`  ${safeLine(note)}`);
  }
  const verified = merged ? await verifyMerged(context, project, {}) : null;
  const { notes } = reply;
  if (output.machine)
    output.envelope('ContractAccepted', { project, accepted: true, notes, verify: verified?.result ?? null });
  else if (verified !== null) showVerified(context, verified.result, false);
  return verified?.exit ?? EXIT.ok;
}

async function changeOf(context: Context, typed: string): Promise<Change> {
  return withView(context, async (view) => {
    const { project, dir } = hubOf(view, typed);
    const { name, contract } = project;
    const changed = contract?.changed ?? null;
    const diff =
      contract === null || changed === null
        ? ''
        : await blobDiff({ gitDir: dir }, contract.accepted, changed.hash);
    const merged = [...view.state.tasks.values()].some(
      ({ spec, progress }) => spec.project === name && progress.at === 'merged',
    );
    return { project: name, contract, diff, merged };
  });
}

function painted({ output: { paint } }: Context, diff: string): string {
  const tone = (line: string): string =>
    line.startsWith('+') ? paint.green(line) : line.startsWith('-') ? paint.red(line) : line;
  return `${safeText(diff).trimEnd().split('\n').map(tone).join('\n')}\n`;
}
