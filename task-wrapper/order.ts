/**
 * Orders and requests, checked where they enter. The controller is trusted, but a frame of another version or a wrong
 * type must be an answer with a reason, not a crash in the middle of an attempt.
 */
import { EXECUTOR_KINDS } from '../src/model/executor.ts';
import { isCommitId, isName, isToken } from '../src/model/ids.ts';
import type { Request } from '../src/protocol/messages.ts';
import type { AttemptOrder, GateOrder, TreeOrder, WorkOrder } from '../src/protocol/order.ts';

export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

type Fields = Record<string, unknown>;

/** @throws BadRequest naming the first field that is wrong. */
export function checkRequest(value: unknown): Request {
  const fields = record(value, 'request');
  const { op } = fields;
  switch (op) {
    case 'hello':
      need(fields, { protocol: isCount, epoch: isCount, controller: isText });
      break;
    case 'start':
      checkOrder(fields.order);
      break;
    case 'cancel':
      need(fields, { token: isToken, reason: isText, epoch: isCount });
      break;
    case 'forget':
      need(fields, { token: isToken, epoch: isCount });
      break;
    case 'subscribe':
      need(fields, { from: isCount });
      break;
    case 'ack':
      need(fields, { seq: isCount });
      break;
    case 'log':
      need(fields, { token: isToken, from: isCount, follow: isFlag });
      break;
    case 'stop':
      need(fields, { request: isCount });
      break;
    case 'mirror.has':
      need(fields, { project: isNameText, commits: isCommits });
      break;
    case 'mirror.put':
      need(fields, { project: isNameText, commits: isCommits, epoch: isCount });
      break;
    case 'bundle.get':
    case 'work.get':
      need(fields, { token: isToken, have: isCommits });
      break;
    case 'probe':
      need(fields, { programs: isTexts, executors: orMissing(isRecord) });
      for (const ask of Object.values((fields.executors ?? {}) as Fields)) checkAsk(record(ask, 'executors'));
      break;
    case 'attach':
      need(fields, { token: isToken });
      break;
    case 'sweep':
    case 'restart':
      need(fields, { epoch: isCount });
      break;
    case 'inventory':
    case 'works':
    case 'health':
    case 'ping':
      break;
    default:
      throw new BadRequest(`unknown request: ${JSON.stringify(op)}`);
  }
  return fields as unknown as Request;
}

/** @throws BadRequest naming the first field that is wrong. */
export function checkOrder(value: unknown): AttemptOrder {
  const fields = record(value, 'order');
  need(fields, {
    protocol: isCount,
    token: isToken,
    project: isNameText,
    task: isNameText,
    n: isCount,
    epoch: isCount,
    timeoutMs: isCount,
    logCapBytes: isCount,
  });
  const work = record(fields.work, 'order.work');
  if (work.kind === 'gate') checkGate(work);
  else if (work.kind === 'work') checkWork(work);
  else throw new BadRequest(`order.work.kind is ${JSON.stringify(work.kind)}`);
  return fields as unknown as AttemptOrder;
}

function checkAsk(ask: Fields): void {
  need(ask, { program: isText });
  const rule = record(ask.rule, 'executors.rule');
  need(rule, { program: orNull(isText), version: isTexts, least: orNull(isText), help: Array.isArray });
  for (const help of rule.help as unknown[])
    need(record(help, 'executors.rule.help'), { args: isTexts, flags: isTexts });
}

function checkGate(work: Fields): GateOrder {
  need(work, { commit: isCommitId, verify: isText, minTests: isCount });
  checkSandbox(record(work.sandbox, 'order.work.sandbox'));
  return work as unknown as GateOrder;
}

function checkWork(work: Fields): WorkOrder {
  need(work, {
    spec: isText,
    prompt: isText,
    verify: orNull(isText),
    verifyTimeoutMs: isCount,
    minTests: isCount,
    retries: isCount,
    limitTokens: orMissing(isCount),
    feedback: orNull(isText),
  });
  checkSandbox(record(work.sandbox, 'order.work.sandbox'));
  const executor = record(work.executor, 'order.work.executor');
  need(executor, {
    name: isText,
    kind: isKind,
    command: isTexts,
    env: isTextMap,
    secrets: isRecord,
    model: orNull(isText),
    call: orMissing(isRecord),
  });
  for (const [name, source] of Object.entries(record(executor.secrets, 'secrets'))) {
    need(record(source, `secret ${name}`), { env: orMissing(isText), file: orMissing(isText) });
  }
  if (work.tree !== null) checkTree(record(work.tree, 'order.work.tree'));
  return work as unknown as WorkOrder;
}

function checkSandbox(sandbox: Fields): void {
  need(sandbox, { trusted: isFlag, network: isFlag, readOnly: isTexts });
  need(record(sandbox.limits, 'sandbox.limits'), {
    memory: orNull(isCount),
    processes: isCount,
    fileSize: isCount,
  });
  if (sandbox.prepare === null) return;
  need(record(sandbox.prepare, 'sandbox.prepare'), { command: isText, keyedBy: isTexts, paths: isTexts });
}

function checkTree(tree: Fields): TreeOrder {
  need(tree, {
    base: isCommitId,
    previous: orNull(isCommitId),
    modifies: isTexts,
    expands: isTexts,
    allowedExtras: isTexts,
    protectedPaths: isTexts,
    placeholderAllow: Array.isArray,
  });
  checkAllowances(tree.placeholderAllow as unknown[], 'placeholderAllow');
  const gates = record(tree.gates, 'order.work.tree.gates');
  need(gates, {
    largestFileKb: isCount,
    largestBinaryKb: isCount,
    minTests: isCount,
    secretAllow: Array.isArray,
  });
  checkAllowances(gates.secretAllow as unknown[], 'secretAllow');
  return tree as unknown as TreeOrder;
}

function checkAllowances(allowances: readonly unknown[], what: string): void {
  for (const allow of allowances) need(record(allow, what), { path: isText, text: isText, reason: isText });
}

type Check = (value: unknown) => boolean;

function need(fields: Fields, checks: Readonly<Record<string, Check>>): void {
  for (const [name, check] of Object.entries(checks)) {
    if (!check(fields[name]))
      throw new BadRequest(`${name} is ${JSON.stringify(fields[name])?.slice(0, 100)}`);
  }
}

function record(value: unknown, what: string): Fields {
  if (!isRecord(value)) throw new BadRequest(`${what} is not an object`);
  return value as Fields;
}

const isRecord: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isKind: Check = (value) => (EXECUTOR_KINDS as readonly unknown[]).includes(value);
const isNameText: Check = (value) => typeof value === 'string' && isName(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isCommits: Check = (value) => Array.isArray(value) && value.every(isCommitId);
const isTextMap: Check = (value) => isRecord(value) && Object.values(value as Fields).every(isText);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const orMissing =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
