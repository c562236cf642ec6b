/** Starts a round of the agent: its command, its environment, its secrets, and a last look at where it will run. */
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { invocation, startsAnew } from '../src/executors/invoke.ts';
import { callOf, namesSession } from '../src/executors/kinds.ts';
import { probeOf } from '../src/executors/probe.ts';
import { cageLevel } from '../src/model/cage.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { cagedAgent, usagePlace } from './cage.ts';
import { HomeRefused } from './cage-home.ts';
import { type Desk, launch } from './desk.ts';
import { readIfThere } from './durable.ts';
import { isDirectory, MissingSecret, resolveSecrets } from './environment.ts';
import { probeExecutor } from './executor-probe.ts';
import { notesPlace } from './notes.ts';
import type { Recorded, Status } from './record.ts';
import { attemptDir } from './root.ts';
import { NoSandbox } from './sandbox-probe.ts';
import { writeStep } from './step.ts';
import { branchOf } from './trees.ts';

/** Null when the round's session was asked for; else why the agent cannot run here. */
export async function launchAgent(
  desk: Desk,
  order: Recorded,
  work: WorkOrder,
  status: Status,
): Promise<string | null> {
  const dir = attemptDir(desk.root, order.token);
  const { round } = status;
  const tree = `${dir}/tree`;
  const misplaced = whereItIsNot(order, work, tree, round);
  if (misplaced !== null) return misplaced;

  const feedback = round === 1 && work.feedback === null ? '/dev/null' : `${dir}/feedback-${round}.txt`;
  if (round === 1 && work.feedback !== null) writeFileSync(feedback, work.feedback, { mode: 0o600 });
  const level = cageLevel(work.cage, work.executor);
  const usage = usagePlace(dir, level);
  if (round > 1) rmSync(usage.read, { force: true });
  const rules = callOf(work.executor);
  const session = status.sessionId ?? (namesSession(rules) ? sessionId(order.token) : null);
  const againPath = `${dir}/again-${round}.md`;
  if (round > 1 && startsAnew(rules, { round, sessionId: session })) writeAgain(dir, againPath, feedback);
  const call = invocation(work.executor, {
    round,
    sessionId: session,
    task: order.task,
    project: order.project,
    n: order.n,
    token: order.token,
    promptPath: `${dir}/prompt.md`,
    specPath: `${dir}/spec.md`,
    gateOutput: feedback === '/dev/null' ? '' : (readIfThere(feedback) ?? ''),
    gateOutputPath: feedback,
    againPath,
    usagePath: usage.inside,
    treeDir: tree,
    notesDir: notesPlace(dir, level).inside,
    isRoot: process.getuid?.() === 0,
    caged: level === 'strict',
  });
  // A wrong version shows as an agent that fails in a strange way: here it is named, before anything has run.
  const ask = probeOf(work.executor);
  const problems = ask === null ? [] : (await probeExecutor(desk.root, ask)).problems;
  if (problems.length > 0) return `executor ${work.executor.name} cannot run here: ${problems.join('; ')}`;
  let secrets: Record<string, string>;
  try {
    secrets = resolveSecrets(desk.root, call.secrets);
  } catch (error) {
    if (error instanceof MissingSecret) return error.message;
    throw error;
  }
  try {
    const command = await cagedAgent(desk.root, { order, work, round, call, secrets });
    // Behind the cage, which may begin with a place of its own for it.
    if (round === 1) mkdirSync(notesPlace(dir, level).read, { recursive: true, mode: 0o700 });
    writeStep(`${dir}/${round}a`, { ...command, output: `${dir}/agent.log` });
  } catch (error) {
    if (error instanceof NoSandbox || error instanceof HomeRefused) return error.message;
    throw error;
  }
  await launch(desk, order, `${round}a`);
  return null;
}

/**
 * No default directory, ever: an agent that starts somewhere else would work on something else. Its tree must be the
 * attempt's own directory, and before the first round its repository must stand on the attempt's branch. The agent's
 * files are read as text.
 */
function whereItIsNot(order: Recorded, work: WorkOrder, tree: string, round: number): string | null {
  if (!isDirectory(tree)) return `${tree} is not a directory (any more)`;
  if (work.tree === null || round > 1) return null;
  const head = `${tree}/.git/HEAD`;
  const expected = `ref: refs/heads/${branchOf(order)}\n`;
  const found =
    lstatSync(head, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(head, 'utf8') : 'nothing';
  return found === expected ? null : `the tree is not on its branch: ${JSON.stringify(found.slice(0, 200))}`;
}

/** What an agent without a memory is given in a later round: the prompt, and what the gates said of its last work. */
function writeAgain(dir: string, path: string, feedback: string): void {
  const prompt = readIfThere(`${dir}/prompt.md`) ?? '';
  const said = readIfThere(feedback) ?? '';
  const lead = '===== WHAT THE CHECKS SAID OF YOUR LAST WORK, WHICH IS IN THE TREE =====';
  writeFileSync(path, `${prompt}\n${lead}\n\n${said}`, { mode: 0o600 });
}

/** A UUID made of the token: the same however often the round is started. */
function sessionId(token: string): string {
  return `${token.slice(0, 8)}-${token.slice(8, 12)}-4${token.slice(13, 16)}-8${token.slice(17, 20)}-${token.slice(20, 32)}`;
}
