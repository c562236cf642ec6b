/** What this machine needs to be the controller. */
import { asDispatchError } from '../render/error.ts';
import { gitVersion, OLDEST_GIT } from '../../git/run.ts';
import type { NodeConfig } from '../../model/spec.ts';
import { loadProgram } from '../../node/program.ts';
import { run } from '../../transport/child.ts';
import { atLeast, type Check, fail, ok, versionIn, warn } from './check.ts';

const OLDEST_NODE: readonly [number, number] = [20, 19];
/** First line of Node.js that still gets security updates. */
const KEPT_NODE = 22;
const PATIENCE_MS = 10_000;

export async function checkHere(nodes: readonly NodeConfig[]): Promise<Check[]> {
  const usesSsh = nodes.some(({ reach }) => reach.by === 'ssh');
  return Promise.all([
    checkNode(),
    checkGit(),
    checkProgram(),
    checkSqlite(),
    ...(usesSsh ? [checkTool('ssh', ['-V'], 'apt install openssh-client'), checkKeygen()] : []),
  ]);
}

async function checkNode(): Promise<Check> {
  const version = process.versions.node;
  const found = versionIn(version) ?? [0, 0];
  if (!atLeast(found, OLDEST_NODE)) {
    return fail(
      'here.node',
      `Node.js ${version}`,
      `${OLDEST_NODE.join('.')} or newer is needed`,
      'npm i -g node@24',
    );
  }
  if (found[0] < KEPT_NODE) {
    return warn(
      'here.node',
      `Node.js ${version}`,
      'this line gets no security updates any more',
      'npm i -g node@24',
    );
  }
  return ok('here.node', `Node.js ${version}`);
}

async function checkGit(): Promise<Check> {
  const least: readonly [number, number] = [OLDEST_GIT.major, OLDEST_GIT.minor];
  try {
    const { major, minor, text } = await gitVersion();
    if (atLeast([major, minor], least)) return ok('here.git', text);
    return fail(
      'here.git',
      text,
      `git ${least.join('.')} or newer is needed to merge without a checkout`,
      'apt install git, or https://git-scm.com',
    );
  } catch (thrown) {
    const error = asDispatchError(thrown);
    return fail('here.git', 'no git', error.message, error.fix ?? 'apt install git');
  }
}

/** What is shipped to nodes; without it nothing can start anywhere. */
async function checkProgram(): Promise<Check> {
  try {
    const { hash } = await loadProgram();
    return ok('here.program', `the program for nodes, ${hash.slice(0, 10)}`);
  } catch (thrown) {
    const error = asDispatchError(thrown);
    return fail(
      'here.program',
      'the program for nodes is missing',
      error.message,
      error.fix ?? 'npm ci && npm run build',
    );
  }
}

/** Compiled when it is installed, and installers differ in whether they let it. */
async function checkSqlite(): Promise<Check> {
  try {
    const { IN_MEMORY, openDatabase } = await import('../../store/sqlite/database.ts');
    const db = openDatabase(IN_MEMORY, { readonly: false, busyTimeoutMs: 0 });
    const version = String(db.prepare('SELECT sqlite_version()').pluck().get());
    db.close();
    return ok('here.sqlite', `SQLite ${version}`);
  } catch (thrown) {
    const error = asDispatchError(thrown);
    return fail(
      'here.sqlite',
      error.message,
      error.why ?? error.code,
      error.fix ?? 'npm rebuild better-sqlite3',
    );
  }
}

async function checkTool(name: string, args: readonly string[], install: string): Promise<Check> {
  const { failed, stdout, stderr } = await run(name, args, PATIENCE_MS);
  const said = `${stdout}${stderr}`.trim().split('\n')[0] ?? '';
  if (failed === null) return ok(`here.${name}`, said);
  return fail(`here.${name}`, `no ${name}`, 'nodes are reached by it', install);
}

/** It has no way to say its version; that it runs is what matters. */
async function checkKeygen(): Promise<Check> {
  const { failed } = await run('ssh-keygen', ['-F', 'dispatch.invalid', '-f', '/dev/null'], PATIENCE_MS);
  if (failed === null) return ok('here.ssh-keygen', 'ssh-keygen reads known hosts');
  return fail(
    'here.ssh-keygen',
    'no ssh-keygen',
    'host keys are checked with it',
    'apt install openssh-client',
  );
}
