/**
 * Asks the programs of executors for their versions and flags, once for each version that is found here: what a program
 * said is kept beside the worker and counts until its file is another one.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { judgeProgram, type ProbeAsk } from '../src/executors/probe.ts';
import type { ProgramReport } from '../src/model/executor.ts';
import { readIfThere, replaceFile } from './durable.ts';
import { baseEnvironment } from './environment.ts';
import { findProgram } from './find-program.ts';
import type { Root } from './root.ts';

/** Large programs on a slow disk take seconds; one that wants a login may never answer. */
const PATIENCE_MS = 30_000;
const MAX_OUTPUT = 4 * 1024 * 1024;
/** Programs remembered. */
const KEPT = 64;

/** Those being asked now: attempts that start together wait for one answer. */
const asking = new Map<string, Promise<ProgramReport>>();

/** What this node's program has to say; a program that is not there is a report too. */
export async function probeExecutor(root: Root, ask: ProbeAsk): Promise<ProgramReport> {
  const path = findProgram(ask.program);
  if (path === null)
    return { path: null, version: null, problems: [`${ask.program} is not on the PATH of this node`] };
  const key = keyOf(path, ask);
  const known = readKnown(root)[key];
  if (known !== undefined) return known;
  const running = asking.get(key) ?? askAndKeep(root, path, key, ask);
  asking.set(key, running);
  try {
    return await running;
  } finally {
    asking.delete(key);
  }
}

async function askAndKeep(root: Root, path: string, key: string, ask: ProbeAsk): Promise<ProgramReport> {
  const { rule } = ask;
  const version = await output(root, path, rule.version);
  const help: (string | null)[] = [];
  for (const { args } of rule.help) help.push(await output(root, path, args));
  const report = { path, ...judgeProgram(ask, { version, help }) };
  // No answer may be the moment's fault: it is asked for again.
  if (version !== null && !help.includes(null)) {
    const others = Object.entries(readKnown(root)).filter(([other]) => other !== key);
    replaceFile(file(root), JSON.stringify(Object.fromEntries([...others.slice(1 - KEPT), [key, report]])));
  }
  return report;
}

/** stdout and stderr together; null when it does not answer well in time. */
function output(root: Root, path: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const options = {
      cwd: root.path,
      env: baseEnvironment(process.env.HOME ?? homedir()),
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL' as const,
      maxBuffer: MAX_OUTPUT,
    };
    const child = execFile(path, args, options, (error, stdout, stderr) =>
      resolve(error === null ? `${stdout}\n${stderr}` : null),
    );
    child.stdin?.end();
  });
}

/** Another file, or another question, is another key. */
function keyOf(path: string, ask: ProbeAsk): string {
  const real = realpathSync(path);
  const { mtimeMs, size, ino } = statSync(real);
  const question = createHash('sha256').update(JSON.stringify(ask)).digest('hex').slice(0, 16);
  return `${real}:${ino}:${size}:${mtimeMs}:${question}`;
}

function readKnown(root: Root): Record<string, ProgramReport> {
  const text = readIfThere(file(root));
  if (text === null) return {};
  try {
    return JSON.parse(text) as Record<string, ProgramReport>;
  } catch {
    return {};
  }
}

function file(root: Root): string {
  return `${root.path}/programs.json`;
}
