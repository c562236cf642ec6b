/**
 * What stands around an agent while it works.
 *
 *   none     the environment is clean, and that is all; an agent that lives off a login finds the home of the node's user
 *   basic    a HOME and a TMPDIR of its own, and limits: control groups where this account can make them (directly as root,
 *            as a scope of the user's systemd otherwise), else what a shell can set
 *   strict   a view of the machine as verify commands have it (sandbox.ts), but at the places that the prompt and the
 *            agent's session name: the system read-only, the tree, HOME and /tmp to write. No process outside is seen, and
 *            no network but its model's host and those that the project names (way-out.ts)
 *
 * Its prompt, and what the gates said, are shown read-only. Nothing else of the worker is: not the journal, not the
 * sockets, not another attempt, not the order of its own.
 */
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { hostsOf } from '../src/executors/hosts.ts';
import type { Invocation } from '../src/executors/invoke.ts';
import { callOf } from '../src/executors/kinds.ts';
import { type CageLevel, cageLevel, type CageRules, DEFAULT_CAGE } from '../src/model/cage.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { groupName, hasGroup } from './cage-end.ts';
import { makeHome } from './cage-home.ts';
import { replaceFile } from './durable.ts';
import { baseEnvironment } from './environment.ts';
import { findProgram } from './find-program.ts';
import { quote } from './quote.ts';
import { isPlain, type Recorded } from './record.ts';
import { removeTree } from './remove.ts';
import { attemptDir, mirrorDir, type Root } from './root.ts';
import { bubblewrapped } from './sandbox-bubblewrap.ts';
import { makeGroup } from './sandbox-group.ts';
import { shellLimits } from './sandbox-limits.ts';
import { findSandbox, NoSandbox, type Sandbox } from './sandbox-probe.ts';
import { agentProfile } from './sandbox-profile.ts';
import { expanded, systemView, tooMuch } from './sandbox-view.ts';
import { findScopes, scoped } from './scope.ts';
import type { Command } from './step.ts';
import { openTheWay, proxyVariables, type WayOut } from './way-out.ts';

/** One round of an agent, not caged yet. */
export interface Round {
  readonly order: Recorded;
  readonly work: WorkOrder;
  readonly round: number;
  readonly call: Invocation;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Where a shell command writes its usage: a place that it can write in its cage. `read` is where that is outside. */
export function usagePlace(
  dir: string,
  level: CageLevel,
): { readonly inside: string; readonly read: string } {
  return level === 'strict'
    ? { inside: '/tmp/usage.json', read: `${dir}/tmp/usage.json` }
    : { inside: `${dir}/usage.json`, read: `${dir}/usage.json` };
}

/**
 * The round as a command in its cage.
 * @throws NoSandbox when `strict` is asked for and this node cannot, HomeRefused
 */
export async function cagedAgent(root: Root, round: Round): Promise<Omit<Command, 'output'>> {
  const { order, work, call } = round;
  const cage = work.cage ?? DEFAULT_CAGE;
  const level = cageLevel(work.cage, work.executor);
  const dir = attemptDir(root, order.token);
  const cwd = `${dir}/tree`;
  const home = await homeFor(round, dir, level);
  const env = environmentOf(round, home);
  if (level === 'none') return { argv: call.argv, env, cwd, stdin: call.stdinPath };
  if (level === 'strict') return await strict(root, round, cage, { dir, home, env });
  const bound = await bounds(round, cage, dir);
  const tmp = isPlain(order) ? {} : { TMPDIR: `${dir}/tmp` };
  if (!isPlain(order)) mkdirSync(`${dir}/tmp`, { recursive: true, mode: 0o700 });
  return {
    argv: bound.around(call.argv),
    env: { ...env, ...tmp },
    cwd,
    stdin: call.stdinPath,
    groups: bound.groups,
    limits: shellLimits(cage.limits, { group: bound.held, mine: false }),
  };
}

/** The HOME of the attempt, made in its first round; the agent's session lives there in the others. */
async function homeFor(
  { order, work, round, secrets }: Round,
  dir: string,
  level: CageLevel,
): Promise<string> {
  const { homeFiles, loginFiles } = callOf(work.executor);
  // An agent that brings no key lives off the login of the node's user, which is in that user's home.
  const byKey = work.executor.kind === 'shell' || Object.keys(secrets).length > 0;
  if (level === 'none' && !byKey) return process.env.HOME ?? homedir();
  const files = byKey ? homeFiles : [...homeFiles, ...loginFiles];
  // Where there is no tree that could be soiled, the working directory serves as both.
  if (isPlain(order) && files.length === 0) return `${dir}/tree`;
  if (round === 1) await makeHome(`${dir}/home`, files);
  return `${dir}/home`;
}

function environmentOf({ order, call, secrets }: Round, home: string): Record<string, string> {
  const base = baseEnvironment(home);
  for (const name of call.unset) delete base[name];
  return { ...base, DISPATCH_TASK_ID: order.task, ...call.env, ...secrets };
}

interface Bounds {
  readonly groups: readonly string[];
  /** A control group holds memory and processes. */
  readonly held: boolean;
  readonly around: (argv: readonly string[]) => readonly string[];
}

/** A group where one can be made and is worth it. */
async function bounds({ order, round }: Round, { limits }: CageRules, dir: string): Promise<Bounds> {
  const free: Bounds = { groups: [], held: false, around: (argv) => argv };
  if (!hasGroup(order)) return free;
  const name = groupName(order, `${round}a`);
  const groups = makeGroup(name, limits);
  if (groups !== null) return { ...free, groups, held: true };
  const manager = await findScopes();
  if (manager === null) return free;
  const counters = `${dir}/${round}a.scope`;
  writeFileSync(counters, '', { mode: 0o600 });
  return {
    ...free,
    held: true,
    around: (argv) => scoped(argv, { unit: `dispatch-${name}`, limits, dir: manager, counters }),
  };
}

interface Place {
  readonly dir: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

async function strict(
  root: Root,
  round: Round,
  cage: CageRules,
  place: Place,
): Promise<Omit<Command, 'output'>> {
  const sandbox = await findSandbox(root);
  if (sandbox.by === null) throw new NoSandbox(sandbox, 'agents in `cage: strict`', 'cage: basic');
  const { order, work, call } = round;
  const { dir, home } = place;
  const step = `${dir}/${round.round}a`;
  const cwd = `${dir}/tree`;
  const tmp = `${dir}/tmp`;
  if (round.round === 1) await removeTree(tmp);
  mkdirSync(tmp, { recursive: true, mode: 0o700 });
  const hosts = cage.network === true ? true : [...hostsOf(work.executor), ...cage.network];
  const shown = [
    `${dir}/prompt.md`,
    `${dir}/spec.md`,
    ...readable(round, dir),
    ...(work.tree === null ? [] : [`${mirrorDir(root, order.project)}/objects`]),
    ...programOf(root, call.argv[0] ?? ''),
  ];
  const bound = await bounds(round, cage, dir);
  const env = { ...place.env, TMPDIR: tmp };
  const parts: Parts = { root, cage, hosts, shown, home, tmp, cwd, step, call, held: bound.held };
  const built = sandbox.by === 'bubblewrap' ? inBubblewrap(sandbox, parts, env) : inSandboxExec(parts, env);
  const alone = hosts === true || hosts.length === 0;
  const argv = alone ? built.argv : throughTheWay(order, root, step, { argv: built.argv, hosts });
  return {
    argv: bound.around(argv),
    env: built.env,
    cwd,
    stdin: null,
    groups: bound.groups,
    third: `${step}.cage`,
    limits: shellLimits(cage.limits, { group: true, mine: false }),
  };
}

interface Parts {
  readonly root: Root;
  readonly cage: CageRules;
  readonly hosts: true | readonly string[];
  readonly shown: readonly string[];
  readonly home: string;
  readonly tmp: string;
  readonly cwd: string;
  readonly step: string;
  readonly call: Invocation;
  readonly held: boolean;
}

type Built = Pick<Command, 'argv' | 'env'>;

function inBubblewrap(
  { program, nestedOff }: Extract<Sandbox, { by: 'bubblewrap' }>,
  parts: Parts,
  env: Readonly<Record<string, string>>,
): Built {
  const { root, cage, hosts, shown, home, tmp, cwd } = parts;
  const proxied = hosts !== true && hosts.length > 0;
  const way = proxied ? openTheWay(process.execPath, quote) : [];
  const argv = bubblewrapped(inside(parts, way), {
    program,
    nestedOff,
    view: systemView(root, cage.readOnly),
    env: null,
    places: {
      below: [{ from: tmp, at: '/tmp' }],
      above: [...new Set([home, cwd])].map((path) => ({ from: path, at: path })),
      cwd,
    },
    shown: shown.map((path) => ({ from: path, at: path })),
    network: hosts === true,
    reports: true,
  });
  return { argv, env: { ...env, TMPDIR: '/tmp', ...(proxied ? proxyVariables() : {}) } };
}

function inSandboxExec(parts: Parts, env: Readonly<Record<string, string>>): Built {
  const { root, cage, hosts, shown, home, tmp, cwd, step } = parts;
  const profile = `${step}.profile`;
  const readOnly = cage.readOnly.map(expanded);
  writeFileSync(
    profile,
    agentProfile({
      root: root.path,
      own: [...new Set([cwd, home, tmp])],
      shown: [...readOnly, ...shown],
      network: hosts === true,
    }),
  );
  return { argv: ['/usr/bin/sandbox-exec', '-f', profile, ...inside(parts, [])], env };
}

/** The first program in the cage: its limits and its standard input are set in there, then it is the agent. */
function inside({ cage, call, held }: Parts, way: readonly string[]): string[] {
  const lines = [
    ...way,
    ...shellLimits(cage.limits, { group: held, mine: true }),
    // Opened in there the file is as read-only as it is shown; handed in it could be opened anew to be written.
    ...(call.stdinPath === null ? [] : [`exec <${quote(call.stdinPath)}`]),
    'exec "$@"',
  ];
  return ['/bin/sh', '-c', lines.join('; '), 'sh', ...call.argv];
}

function throughTheWay({ node }: Recorded, root: Root, step: string, way: WayOut): string[] {
  replaceFile(`${step}.way`, JSON.stringify(way));
  return [process.execPath, node.wrapper, 'way-out', '--root', root.path, `${step}.way`];
}

/** What this round is given to read besides its prompt. */
function readable({ round, work }: Round, dir: string): string[] {
  const names = [`feedback-${round}.txt`, `again-${round}.md`].map((name) => `${dir}/${name}`);
  return work.feedback === null && round === 1 ? [] : names.filter((path) => existsSync(path));
}

/** The agent's own program, which may lie in a home that is not shown: its directory, as a package or a binary has one. */
function programOf(root: Root, name: string): string[] {
  const found = findProgram(name);
  if (found?.startsWith('/') !== true) return [];
  const real = realpathSync(found);
  const dir = dirname(real);
  return [tooMuch(dir, root) ? real : dir];
}
