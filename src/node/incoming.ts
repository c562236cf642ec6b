/**
 * What a node says, checked before anybody believes it. The node's account is only half trusted, and a journal entry
 * becomes a fact of the store: ids and numbers must be what they claim. Anything else ends the session.
 */
import type { CageLimit } from '../model/cage.ts';
import { isCommitId, isName, isToken } from '../model/ids.ts';
import type { FromNode, Refusal, Request } from '../protocol/messages.ts';
import { figure, type Json, list, need, object, text, whole } from './incoming-form.ts';
import { checkRefusal, checkStall } from './incoming-stall.ts';

const REFUSALS: ReadonlySet<string> = new Set<Refusal>([
  'protocol',
  'fenced',
  'unknown',
  'missing-base',
  'forgotten',
  'no-space',
  'missing-program',
  'bad-request',
  'internal',
]);
const STEPS = new Set(['prepare', 'agent', 'gates', 'verify']);
const LIMITS: ReadonlySet<unknown> = new Set<CageLimit>(['memory', 'processes', 'disk', 'file-size']);
const CAUSES = new Set(['prepare', 'executor', 'empty', 'gate']);
/** Far more than a node's program sends. */
const MOST_NOTES = 64 * 1024;
const LOSSES = new Set(['rebooted', 'killed', 'wiped', 'no-space']);

/**
 * @param opOf the operation that was asked under an id; null when nobody waits for it.
 * @throws FrameError when it is not a message of the protocol.
 */
export function parseMessage(body: unknown, opOf: (id: number) => Request['op'] | null): FromNode {
  const message = object(body, 'message');
  if (message.events !== undefined) {
    for (const entry of list(message.events, 'events')) checkEntry(object(entry, 'entry'));
    return message as unknown as FromNode;
  }
  const id = whole(message.id, 'id');
  if (message.error !== undefined) {
    const error = object(message.error, 'error');
    need(REFUSALS.has(String(error.code)), `refusal ${String(error.code)}`);
    text(error.message, 'error message');
    return message as unknown as FromNode;
  }
  checkReply(opOf(id), object(message.reply, 'reply'));
  return message as unknown as FromNode;
}

function checkReply(op: Request['op'] | null, reply: Json): void {
  if (op === 'hello') {
    for (const key of ['program', 'bootId', 'journal', 'platform']) text(reply[key], key);
    for (const key of ['protocol', 'seq', 'epoch']) whole(reply[key], key);
    if (reply.held !== undefined) whole(reply.held, 'held');
  } else if (op === 'inventory') {
    for (const entry of list(reply.entries, 'entries')) checkInventory(object(entry, 'entry'));
  } else if (op === 'mirror.has') {
    for (const commit of list(reply.has, 'has')) need(isCommitId(commit), 'commit');
  } else if (op === 'works') {
    for (const work of list(reply.works, 'works')) checkWork(object(work, 'work'));
  } else if (op === 'bundle.get' || op === 'work.get') {
    need(isCommitId(reply.head), 'head');
  } else if (op === 'health') {
    checkHealth(reply);
  } else if (op === 'sweep') {
    for (const what of list(reply.removed, 'removed')) text(what, 'removed');
    for (const key of ['freed', 'free']) figure(reply[key], key);
    if (reply.files !== null) figure(reply.files, 'files');
  } else if (op === 'attach') {
    for (const word of list(reply.argv, 'argv')) text(word, 'argv');
    need(reply.shows === 'terminal' || reply.shows === 'log', 'shows');
    if (reply.now !== null) checkStall(object(reply.now, 'stall'));
  }
}

function checkWork(work: Json): void {
  need(isToken(work.token), 'token');
  need(isName(text(work.project, 'project')), 'project');
  need(isName(text(work.task, 'task')), 'task');
  whole(work.n, 'n');
  need(isCommitId(work.base), 'base');
  need(work.place === 'attempts' || work.place === 'trash', 'place');
  if (work.ended !== null) text(work.ended, 'ended');
  need(work.head === null || isCommitId(work.head), 'head');
}

/** Sizes of file systems may be beyond what a whole number holds. */
function checkHealth(reply: Json): void {
  const sizes = ['diskFree', 'diskTotal', 'memoryFree', 'memoryTotal'];
  for (const key of ['cores', 'attempts', 'load1', 'clock', ...sizes]) figure(reply[key], key);
  for (const key of ['bootId', 'node']) text(reply[key], key);
  for (const key of ['tmux', 'git']) if (reply[key] !== null) text(reply[key], key);
  if (reply.stallMs !== undefined) figure(reply.stallMs, 'stallMs');
  if (reply.reserve !== undefined) {
    const reserve = object(reply.reserve, 'reserve');
    for (const key of ['bytes', 'files']) figure(reserve[key], key);
  }
  if (reply.files === null) return;
  const files = object(reply.files, 'files');
  for (const key of ['free', 'total']) figure(files[key], key);
}

function checkInventory(entry: Json): void {
  need(isToken(entry.token), 'token');
  need(isName(text(entry.project, 'project')), 'project');
  need(isName(text(entry.task, 'task')), 'task');
  whole(entry.n, 'n');
  whole(entry.logBytes, 'logBytes');
  need(entry.state === 'running' || entry.state === 'ended', 'state');
  if (entry.outcome !== null) checkOutcome(object(entry.outcome, 'outcome'));
}

function checkEntry(entry: Json): void {
  whole(entry.seq, 'seq');
  const type = text(entry.type, 'type');
  if (type === 'supervisor.started') {
    text(entry.program, 'program');
    text(entry.bootId, 'bootId');
    return;
  }
  if (type === 'tmux.lost' || type === 'tmux.mended') {
    need(entry.what === 'server' || entry.what === 'socket', 'what');
    text(entry.detail, 'detail');
    return;
  }
  need(isToken(entry.token), 'token');
  if (type === 'attempt.step') {
    whole(entry.round, 'round');
    need(STEPS.has(String(entry.step)), 'step');
  } else if (type === 'stuck.seen') {
    for (const pid of list(entry.pids, 'pids')) whole(pid, 'pid');
    figure(entry.forMs, 'forMs');
  } else if (type === 'stuck.gone') {
    whole(entry.left, 'left');
  } else if (type === 'attempt.noted') {
    for (const key of ['plan', 'evidence'])
      if (entry[key] !== null) need(text(entry[key], key).length <= MOST_NOTES, `length of ${key}`);
  } else if (type === 'attempt.ended') {
    checkOutcome(object(entry.outcome, 'outcome'));
  } else if (type === 'attempt.stalled') {
    checkStall(object(entry.stall, 'stall'));
  } else if (type === 'provider.refused') {
    checkRefusal(object(entry.refusal, 'refusal'));
    text(entry.message, 'message');
  } else {
    need(type === 'attempt.running' || type === 'attempt.moved', `type ${type}`);
  }
}

function checkOutcome(outcome: Json): void {
  const head = (): void => need(outcome.head === null || isCommitId(outcome.head), 'head');
  switch (outcome.kind) {
    case 'done':
    case 'timeout':
      whole(outcome.rounds, 'rounds');
      checkUsage(outcome.usage);
      return head();
    case 'overspent':
      whole(outcome.rounds, 'rounds');
      whole(outcome.limitTokens, 'limitTokens');
      checkUsage(outcome.usage);
      return head();
    case 'refused':
      whole(outcome.rounds, 'rounds');
      for (const finding of list(outcome.findings, 'findings'))
        text(object(finding, 'finding').message, 'message');
      text(outcome.output, 'output');
      checkUsage(outcome.usage);
      return head();
    case 'failed':
      whole(outcome.rounds, 'rounds');
      text(outcome.message, 'message');
      checkUsage(outcome.usage);
      need(outcome.limit === undefined || LIMITS.has(outcome.limit), 'limit');
      need(outcome.blame === undefined || outcome.blame === 'node', 'blame');
      if (outcome.head !== undefined) head();
      return need(CAUSES.has(String(outcome.cause)), 'cause');
    case 'cancelled':
      text(outcome.reason, 'reason');
      return;
    case 'lost':
      return need(LOSSES.has(String(outcome.why)), 'why');
    default:
      need(false, 'outcome');
  }
}

/** Budgets add these figures up: one that is no figure would spoil them all. */
function checkUsage(usage: unknown): void {
  if (usage === undefined || usage === null) return;
  const figures = object(usage, 'usage');
  for (const name of ['inputTokens', 'outputTokens', 'cachedTokens', 'costUsd']) {
    const value = figures[name];
    need(value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0), name);
  }
}
