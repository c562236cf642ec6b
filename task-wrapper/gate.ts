/**
 * The life of a gate attempt: a clean checkout of a commit from the mirror, without any repository in it, and the
 * verify command there, in the sandbox. Exit 0 is green. What says nothing about the work (the program is missing, a signal, the
 * deadline) is a broken gate and nobody's fault; anything else is red. A checkout that cannot be made is the machine's fault, and no
 * verdict at all.
 */
import { verifyVerdict } from '../src/gates/verify.ts';
import type { Outcome } from '../src/model/attempt.ts';
import type { GateOrder } from '../src/protocol/order.ts';
import { type Desk, launchAgain, type Stand } from './desk.ts';
import { readEnds } from './ends.ts';
import { killLeftovers } from './processes.ts';
import type { Recorded } from './record.ts';
import { attemptDir } from './root.ts';
import { isWritten, type StepEnd, stepEnd, stepPid } from './step.ts';
import { checkoutClean } from './trees.ts';
import { endVerify, isOfNode, launchVerify, neverRan, reasonOf } from './verify.ts';

const STEP = '1v';
/** Bytes of the command's output that are looked at. */
const OUTPUT_BYTES = 1024 * 1024;

export async function advanceGate(desk: Desk, order: Recorded, gate: GateOrder): Promise<Stand> {
  const dir = attemptDir(desk.root, order.token);
  const stop = desk.interrupt();
  if (stop !== null) endVerify(order, STEP);
  if (stop?.why === 'cancel') return ended({ kind: 'cancelled', reason: stop.reason });
  if (stop?.why === 'deadline') return ended(judged(dir, { by: 'timeout' }, gate.minTests));
  const end = stepEnd(`${dir}/${STEP}`);
  if (end === null) {
    if (isWritten(`${dir}/${STEP}`)) await launchAgain(desk, order, STEP);
    else {
      try {
        const refusal = await start(desk, order, gate, dir);
        if (refusal !== null) return ended(refusal);
      } catch (error) {
        const outcome = broken(reasonOf(error), null);
        return ended(isOfNode(error) ? { ...outcome, blame: 'node' } : outcome);
      }
      // Meanwhile it may have been cancelled.
      if (desk.interrupt() !== null) return await advanceGate(desk, order, gate);
    }
    return { is: 'waiting', step: STEP, until: null };
  }
  if ('by' in end && end.by === 'lost') return ended({ kind: 'lost', why: 'killed' });
  await killLeftovers({ token: order.token, leader: stepPid(`${dir}/${STEP}`) });
  endVerify(order, STEP);
  const unrun = 'code' in end && end.code !== 0 ? neverRan(desk.root, order, `${dir}/agent.log`) : null;
  return ended(unrun === null ? judged(dir, end, gate.minTests) : broken(unrun, null));
}

/** The outcome when it cannot even begin because of what the commit holds; null when it is on its way, or interrupted. */
async function start(desk: Desk, order: Recorded, gate: GateOrder, dir: string): Promise<Outcome | null> {
  const tree = await checkoutClean(desk.root, order, gate.commit);
  if (desk.interrupt() !== null) return null;
  desk.report({ type: 'attempt.step', token: order.token, round: 1, step: 'verify' });
  const finding = await launchVerify(desk, order, {
    step: STEP,
    command: gate.verify,
    rules: gate.sandbox,
    tree,
    round: null,
    output: `${dir}/agent.log`,
  });
  if (finding === null) return null;
  return { kind: 'refused', findings: [finding], output: '', head: null, rounds: 1, usage: null };
}

function judged(dir: string, end: StepEnd, minTests: number): Outcome {
  const code = 'code' in end ? end.code : null;
  const { verdict, findings, output, tests } = verifyVerdict(
    { code, signal: null, timedOut: code === null },
    readEnds(`${dir}/agent.log`, 0, OUTPUT_BYTES),
    { min: minTests, none: 'broken' },
  );
  if (verdict === 'green')
    return { kind: 'done', head: null, rounds: 1, usage: null, ...(tests === null ? {} : { tests }) };
  if (verdict === 'broken') return broken(findings[0]?.message ?? 'the verify command is broken', code);
  return { kind: 'refused', findings, output, head: null, rounds: 1, usage: null };
}

function broken(message: string, exitCode: number | null): Extract<Outcome, { kind: 'failed' }> {
  return { kind: 'failed', cause: 'gate', message, exitCode, rounds: 1, usage: null };
}

function ended(outcome: Outcome): Stand {
  return { is: 'ended', outcome };
}
