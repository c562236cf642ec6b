/**
 * The life of a gate attempt: a clean checkout of a commit from the mirror, without any repository in it, and the
 * verify command there. Exit 0 is green. What says nothing about the work (the program is missing, a signal, the
 * deadline) is a broken gate and nobody's fault; anything else is red.
 */
import { mkdirSync } from 'node:fs';
import { verifyVerdict } from '../src/gates/verify.ts';
import type { Outcome } from '../src/model/attempt.ts';
import type { GateOrder } from '../src/protocol/order.ts';
import { type Desk, launch, type Stand } from './desk.ts';
import { readEnds } from './ends.ts';
import { baseEnvironment } from './environment.ts';
import { killLeftovers } from './processes.ts';
import type { Recorded } from './record.ts';
import { attemptDir } from './root.ts';
import { hasBegun, type StepEnd, stepEnd, stepPid, writeStep } from './step.ts';
import { checkoutClean } from './trees.ts';

const STEP = '1v';
/** Bytes of the command's output that are looked at. */
const OUTPUT_BYTES = 1024 * 1024;

export async function advanceGate(desk: Desk, order: Recorded, gate: GateOrder): Promise<Stand> {
  const dir = attemptDir(desk.root, order.token);
  const stop = desk.interrupt();
  if (stop?.why === 'cancel') return ended({ kind: 'cancelled', reason: stop.reason });
  if (stop?.why === 'deadline') return ended(judged(dir, { by: 'timeout' }, gate.minTests));
  const end = stepEnd(`${dir}/${STEP}`);
  if (end === null) {
    if (!hasBegun(`${dir}/${STEP}`)) {
      try {
        await start(desk, order, gate, dir);
      } catch (error) {
        return ended(
          broken(
            `no clean checkout could be made: ${error instanceof Error ? error.message : String(error)}`,
            null,
          ),
        );
      }
      // Meanwhile it may have been cancelled.
      if (desk.interrupt() !== null) return await advanceGate(desk, order, gate);
    }
    return { is: 'waiting', step: STEP, until: null };
  }
  if ('by' in end && end.by === 'lost') return ended({ kind: 'lost', why: 'killed' });
  await killLeftovers({ token: order.token, leader: stepPid(`${dir}/${STEP}`) });
  return ended(judged(dir, end, gate.minTests));
}

async function start(desk: Desk, order: Recorded, gate: GateOrder, dir: string): Promise<void> {
  mkdirSync(`${dir}/home`, { recursive: true, mode: 0o700 });
  const cwd = await checkoutClean(desk.root, order, gate.commit);
  if (desk.interrupt() !== null) return;
  writeStep(`${dir}/${STEP}`, {
    argv: ['/bin/sh', '-c', gate.verify],
    env: {
      ...baseEnvironment(`${dir}/home`),
      DISPATCH_PROJECT: order.project,
      DISPATCH_TASK: order.task,
      DISPATCH_TASK_ID: order.task,
      DISPATCH_TOKEN: order.token,
    },
    cwd,
    stdin: null,
    output: `${dir}/agent.log`,
  });
  desk.report({ type: 'attempt.step', token: order.token, round: 1, step: 'verify' });
  await launch(desk, order, STEP);
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

function broken(message: string, exitCode: number | null): Outcome {
  return { kind: 'failed', cause: 'gate', message, exitCode, rounds: 1, usage: null };
}

function ended(outcome: Outcome): Stand {
  return { is: 'ended', outcome };
}
