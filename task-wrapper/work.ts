/**
 * The life of a work attempt, as a table of phases. Everything it knows is in files, so each call begins where the files
 * say and goes on until a command runs or the attempt has ended:
 *
 *   prepare ─> agent (round 1) ─> gates ─> verify ─> done
 *                 ^                 │         │
 *                 └── feedback ─────┴─────────┘   up to `retries` times, then refused
 *
 * An agent's exit code and words count for nothing where there is a tree to judge: the gates see what it changed.
 * Every phase may run twice (the supervisor was killed in it) and must then come to the same place.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { ApiError } from '../src/executors/api-error.ts';
import { callOf } from '../src/executors/kinds.ts';
import { isRead, readOutcome, totalUsage } from '../src/executors/outcome.ts';
import { NO_CHANGE } from '../src/gates/facts.ts';
import { feedbackText } from '../src/gates/feedback.ts';
import { judge } from '../src/gates/judge.ts';
import { verifyVerdict } from '../src/gates/verify.ts';
import { readFacts } from '../src/git/facts.ts';
import { snapshot, takenBack } from '../src/git/snapshot.ts';
import { assertNever } from '../src/model/assert.ts';
import type { Finding, Outcome, ProviderRefusal, TestCounts } from '../src/model/attempt.ts';
import type { CageLimit } from '../src/model/cage.ts';
import type { CommitId } from '../src/model/ids.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { launchAgent } from './agent.ts';
import { cageUnbuilt, endCage, limitText } from './cage-end.ts';
import { type Desk, launchAgain, type Stand } from './desk.ts';
import { readEnds, sizeOf } from './ends.ts';
import { monotonicMs } from './host.ts';
import { readNotes } from './notes.ts';
import { killLeftovers } from './processes.ts';
import { FIRST, isPlain, readStatus, type Recorded, type Status, writeStatus } from './record.ts';
import { attemptDir } from './root.ts';
import { emptyScript, isWritten, type StepEnd, stepEnd, stepPid } from './step.ts';
import { authorOf, checkoutClean, prepareTree, treePlace } from './trees.ts';
import { GitError } from '../src/git/run.ts';
import { endVerify, isOfNode, launchVerify, neverRan, reasonOf } from './verify.ts';
import { usageFile, whyEnded } from './agent-words.ts';
import { isOver, usedSoFar } from './spent.ts';

/** The attempt in hand. */
interface Work {
  readonly desk: Desk;
  readonly order: Recorded;
  readonly work: WorkOrder;
  readonly dir: string;
}

/** Bytes of a round's log that its agent's events are read from. */
const EVENTS_BYTES = 8 * 1024 * 1024;
/** Bytes of a command's output that are looked at. */
const OUTPUT_BYTES = 1024 * 1024;

export async function advanceWork(desk: Desk, order: Recorded, workOrder: WorkOrder): Promise<Stand> {
  const work: Work = { desk, order, work: workOrder, dir: attemptDir(desk.root, order.token) };
  let status = readStatus(work.dir) ?? { ...FIRST, phase: isPlain(order) ? 'agent' : 'prepare' };
  for (;;) {
    const stop = desk.interrupt();
    if (stop !== null && status.phase === 'verify') endVerify(order, `${status.round}v`);
    if (stop !== null && status.phase === 'agent') endCage(desk.root, order, `${status.round}a`, null);
    if (stop?.why === 'cancel') return ended({ kind: 'cancelled', reason: stop.reason });
    if (stop?.why === 'deadline') return ended(await timedOut(work, status));
    const next = await turn(work, status);
    if ('is' in next) return next;
    const isNew = next.phase !== status.phase || next.round !== status.round;
    status = next;
    // What cannot be written down, because the disk is full, is done again, and told when it has been.
    writeStatus(work.dir, status);
    if (isNew)
      desk.report({ type: 'attempt.step', token: order.token, round: status.round, step: status.phase });
  }
}

/** One phase: what the files say next, or where it stands. */
async function turn(work: Work, status: Status): Promise<Status | Stand> {
  switch (status.phase) {
    case 'prepare':
      return await prepare(work, status);
    case 'agent':
      return await agent(work, status);
    case 'gates':
      return await gates(work, status);
    case 'verify':
      return await verify(work, status);
    default:
      return assertNever(status.phase);
  }
}

async function prepare(work: Work, status: Status): Promise<Status | Stand> {
  const { tree } = work.work;
  if (tree !== null) {
    try {
      await prepareTree(work.desk.root, work.order, tree);
    } catch (error) {
      const outcome = failedWith('prepare', `no tree could be made: ${message(error)}`, null, status);
      return ended({ ...outcome, blame: 'node' });
    }
  }
  return { ...status, phase: 'agent', since: monotonicMs() };
}

async function agent(work: Work, status: Status): Promise<Status | Stand> {
  const step = `${status.round}a`;
  const end = stepEnd(`${work.dir}/${step}`);
  if (end === null) {
    if (isWritten(`${work.dir}/${step}`)) await launchAgain(work.desk, work.order, step);
    else {
      const refusal = await launchAgent(work.desk, work.order, work.work, status);
      if (refusal !== null) return failed('executor', refusal, null, status);
    }
    const { roundMs } = callOf(work.work.executor);
    // A plain attempt has no status of its own, and its one step begins with it.
    const since = status.since === 0 ? work.order.node.since : status.since;
    return { is: 'waiting', step, until: roundMs === null ? null : since + roundMs };
  }
  const limit = endCage(work.desk.root, work.order, step, end);
  if ('by' in end && end.by === 'lost') return ended({ kind: 'lost', why: 'killed' });
  const unbuilt = limit === null ? cageUnbuilt(work.desk.root, work.order, work.work, step, end) : null;
  if (unbuilt !== null) return failed('executor', unbuilt, null, status);
  return await afterAgent(work, { ...status, limit: null }, { end, limit });
}

interface AgentEnd {
  readonly end: StepEnd;
  /** The bound of its cage that it met. */
  readonly limit: CageLimit | null;
}

async function afterAgent(work: Work, status: Status, { end, limit }: AgentEnd): Promise<Status | Stand> {
  const { dir } = work;
  if (Object.keys(work.work.executor.secrets).length > 0) emptyScript(`${dir}/${status.round}a`);
  const { executor } = work.work;
  const said = readOutcome(
    executor,
    isRead(executor) ? readEnds(`${dir}/agent.log`, status.logFrom, EVENTS_BYTES) : '',
  );
  reportNotes(work, said.text);
  const spent = isRead(executor) ? said : { usage: usageFile(work.dir, work.work) };
  // A session that was not gone on with has another name, or none.
  const resumed = said.sessionId === null || said.sessionId === status.sessionId;
  const next: Status = {
    ...status,
    usage: totalUsage(executor, { before: status.usage, said: spent, first: status.round === 1, resumed }),
    sessionId: said.sessionId ?? status.sessionId,
    exitCode: 'code' in end ? end.code : null,
    cutAfterMs: 'by' in end && end.by === 'timeout' ? callOf(executor).roundMs : null,
    apiError: said.apiError === null ? null : said.apiError.message,
    refusal: refusalOf(said.apiError),
    // A test that ran out of memory and that the agent coped with is no end of the attempt.
    limit: 'code' in end && end.code === 0 ? null : limit,
  };
  if ('by' in end && end.by === 'overspent') return await stopped(work, status);
  // There is no room to go on in.
  if ('by' in end && end.by === 'disk') return failed('executor', whyEnded(work, next), null, next);
  const well = said.apiError === null && ('code' in end ? end.code === 0 : end.by === 'finished');
  if (work.work.tree === null && !well) return failed('executor', whyEnded(work, next), next.exitCode, next);
  if (isPlain(work.order)) return ended({ kind: 'done', head: null, rounds: next.round, usage: next.usage });
  await killLeftovers({ token: work.order.token, leader: stepPid(`${dir}/${status.round}a`) });
  return { ...next, phase: work.work.tree === null ? 'verify' : 'gates', since: monotonicMs() };
}

async function gates(work: Work, status: Status): Promise<Status | Stand> {
  const { tree } = work.work;
  if (tree === null) return { ...status, phase: 'verify', since: monotonicMs() };
  const place = treePlace(work.desk.root, work.order);
  let head: CommitId | null;
  let back: CommitId | null;
  let findings: Finding[];
  try {
    head = await snapshot(place, {
      base: tree.base,
      message: commitMessage(work),
      author: authorOf(work.order),
    });
    back = head === null ? await takenBack(place, { base: tree.base, author: authorOf(work.order) }) : null;
    const facts = head === null ? NO_CHANGE : await readFacts(place, tree.base, head, work.work.verify);
    // What a person has to approve is not the agent's to take back: the controller asks when it collects the branch.
    findings = judge(facts, tree).filter(({ approval }) => approval !== true);
  } catch (error) {
    const outcome = failedWith(
      'executor',
      `what the agent left cannot be read: ${message(error)}`,
      status.exitCode,
      status,
    );
    // A git that was killed or could not start says nothing about what it was to read.
    const isOfNode = error instanceof GitError && (error.why === 'signal' || error.why === 'spawn');
    return ended(isOfNode ? { ...outcome, blame: 'node' } : outcome);
  }
  if (head === null && (status.exitCode !== 0 || status.apiError !== null))
    return withHead(failed('executor', whyEnded(work, status), status.exitCode, status), back);
  const next = { ...status, head };
  if (findings.length > 0) return withHead(nextRound(work, next, findings, '', 'red'), back);
  if (work.work.verify === null)
    return ended({ kind: 'done', head, rounds: status.round, usage: status.usage });
  return { ...next, phase: 'verify', since: monotonicMs() };
}

async function verify(work: Work, status: Status): Promise<Status | Stand> {
  const { dir, order, desk } = work;
  const step = `${status.round}v`;
  const end = stepEnd(`${dir}/${step}`);
  if (end === null) {
    if (isWritten(`${dir}/${step}`)) await launchAgain(desk, order, step);
    else {
      try {
        const finding = await beginVerify(work, status, step);
        if (finding !== null) return nextRound(work, status, [finding], '', 'red');
      } catch (error) {
        const outcome = failedWith('gate', reasonOf(error), null, status);
        return ended(isOfNode(error) ? { ...outcome, blame: 'node' } : outcome);
      }
      // Meanwhile it may have been cancelled.
      if (desk.interrupt() !== null) return status;
      // What had to be prepared first does not count against the command.
      const begun = { ...status, since: monotonicMs() };
      writeStatus(dir, begun);
      return { is: 'waiting', step, until: begun.since + work.work.verifyTimeoutMs };
    }
    return { is: 'waiting', step, until: status.since + work.work.verifyTimeoutMs };
  }
  if ('by' in end && end.by === 'lost') return ended({ kind: 'lost', why: 'killed' });
  await killLeftovers({ token: order.token, leader: stepPid(`${dir}/${step}`) });
  endVerify(order, step);
  const unrun = 'code' in end && end.code !== 0 ? neverRan(desk.root, order, `${dir}/${step}.log`) : null;
  if (unrun !== null) return failed('gate', unrun, null, status);
  const verdict = verifyVerdict(
    { code: 'code' in end ? end.code : null, signal: null, timedOut: 'by' in end },
    readEnds(`${dir}/${step}.log`, 0, OUTPUT_BYTES),
    { min: work.work.minTests, none: 'red' },
  );
  if (verdict.verdict === 'green') {
    const { head, round, usage } = status;
    return ended({ kind: 'done', head, rounds: round, usage, ...testsOf(verdict.tests) });
  }
  return nextRound(work, status, verdict.findings, verdict.output, verdict.verdict);
}

/** The finding that keeps it from beginning; null when it is on its way, or interrupted. */
async function beginVerify(work: Work, status: Status, step: string): Promise<Finding | null> {
  const { dir, order, desk } = work;
  const tree = status.head === null ? `${dir}/tree` : await checkoutClean(desk.root, order, status.head);
  return await launchVerify(desk, order, {
    step,
    command: work.work.verify ?? 'true',
    rules: work.work.sandbox,
    tree,
    round: status.round,
    output: `${dir}/${step}.log`,
  });
}

/** Told while it is alive: an attempt that is over is told by its outcome alone. */
function reportNotes({ desk, order, work, dir }: Work, lastWords: string | null): void {
  const notes = readNotes(desk.root, dir, work, lastWords);
  if (notes !== null) desk.report({ type: 'attempt.noted', token: order.token, ...notes });
}

function testsOf(tests: TestCounts | null): { tests?: TestCounts } {
  return tests === null ? {} : { tests };
}

/** What was wrong goes back to the agent; or, after the last round, to the controller. */
function nextRound(
  work: Work,
  status: Status,
  findings: readonly Finding[],
  output: string,
  verdict: 'red' | 'broken',
): Status | Stand {
  const { dir } = work;
  const { round, head, usage } = status;
  const rounds = work.work.retries + 1;
  const bound = status.limit == null ? '' : `\n${limitText(status.limit, work.work)}\n`;
  const text = `${feedbackText(findings, output, round, rounds)}${bound}`;
  appendFileSync(`${dir}/agent.log`, `\ndispatch: round ${round} of ${rounds} is not accepted\n${text}\n`);
  if (status.apiError !== null) return failed('executor', whyEnded(work, status), status.exitCode, status);
  // What it has done was judged all the same: that costs nothing more.
  const { limitTokens } = work.work;
  if (limitTokens !== undefined && isOver(limitTokens, usage))
    return ended({ kind: 'overspent', limitTokens, rounds: round, head, usage });
  if (round >= rounds) {
    if (head === null && work.work.tree !== null)
      return failed('empty', findings[0]?.message ?? 'nothing was changed', status.exitCode, status);
    if (verdict === 'broken')
      return failed('gate', findings[0]?.message ?? 'the verify command is broken', null, status);
    return ended({ kind: 'refused', findings, output, head, rounds: round, usage });
  }
  writeFileSync(`${dir}/feedback-${round + 1}.txt`, text, { mode: 0o600 });
  return {
    ...status,
    phase: 'agent',
    round: round + 1,
    logFrom: sizeOf(`${dir}/agent.log`),
    since: monotonicMs(),
  };
}

/** Its agent went over its tokens and was ended: what there is is kept. */
async function stopped(work: Work, status: Status): Promise<Stand> {
  await killLeftovers({ token: work.order.token, leader: stepPid(`${work.dir}/${status.round}a`) });
  const { limitTokens = 0 } = work.work;
  const head = await headNow(work, status);
  return ended({
    kind: 'overspent',
    limitTokens,
    rounds: status.round,
    head,
    usage: usedSoFar(work.dir, work.work, status),
  });
}

/** What there is when time is up is kept: half of the work may be worth more than none. */
async function timedOut(work: Work, status: Status): Promise<Outcome> {
  const usage = status.phase === 'agent' ? usedSoFar(work.dir, work.work, status) : status.usage;
  return { kind: 'timeout', rounds: status.round, head: await headNow(work, status), usage };
}

async function headNow(work: Work, status: Status): Promise<CommitId | null> {
  const { tree } = work.work;
  let { head } = status;
  if (status.phase === 'agent') reportNotes(work, null);
  if (tree !== null && status.phase !== 'prepare') {
    const place = treePlace(work.desk.root, work.order);
    const of = { base: tree.base, author: authorOf(work.order) };
    head = await snapshot(place, { ...of, message: commitMessage(work) })
      .then(async (made) => made ?? (await takenBack(place, of)))
      .catch(() => status.head);
  }
  return head;
}

function commitMessage({ order }: Work): string {
  return `${order.task}: attempt ${order.n}`;
}

/** What the agent committed and took back is kept, though the attempt has failed. */
function withHead<T extends Status>(next: T | Stand, head: CommitId | null): T | Stand {
  if (head === null || !('is' in next) || next.is !== 'ended' || next.outcome.kind !== 'failed') return next;
  return ended({ ...next.outcome, head });
}

type FailedOutcome = Extract<Outcome, { kind: 'failed' }>;

function failed(cause: FailedOutcome['cause'], text: string, exitCode: number | null, status: Status): Stand {
  return ended(failedWith(cause, text, exitCode, status));
}

function failedWith(
  cause: FailedOutcome['cause'],
  text: string,
  exitCode: number | null,
  status: Status,
): FailedOutcome {
  const { round: rounds, usage, refusal = null, limit = null } = status;
  const of = {
    ...(cause === 'executor' && refusal !== null ? { refusal } : {}),
    ...(cause === 'executor' && limit !== null ? { limit } : {}),
  };
  return { kind: 'failed', cause, message: text, ...of, exitCode, rounds, usage };
}

function refusalOf(error: ApiError | null): ProviderRefusal | null {
  return error?.kind == null ? null : { kind: error.kind, retryAfterMs: error.retryAfterMs };
}

function ended(outcome: Outcome): Stand {
  return { is: 'ended', outcome };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
