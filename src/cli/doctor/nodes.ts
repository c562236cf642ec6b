/** Each node: reachable, host key, programs, room, clock. */
import type { ProbeAsk } from '../../executors/probe.ts';
import type { ProgramReport } from '../../model/executor.ts';
import type { NodeConfig } from '../../model/spec.ts';
import { probeNode, type ProbeReport } from '../../node/probe.ts';
import { loadProgram } from '../../node/program.ts';
import type { SandboxReport } from '../../protocol/messages.ts';
import { bytesText } from '../nodes/probe-text.ts';
import { asDispatchError } from '../render/error.ts';
import { atLeast, type Check, fail, ok, versionIn, warn } from './check.ts';

const OLDEST_TMUX: readonly [number, number] = [3, 2];
const OLDEST_GIT: readonly [number, number] = [2, 30];
const OLDEST_NODE: readonly [number, number] = [20, 0];
/** A tree and its build per slot. Bytes. */
const ROOM_PER_SLOT = 1e9;
const EMPTY_BYTES = 500e6;
/** Certificates and build tools begin to complain about clocks that differ by more. Milliseconds. */
const CLOCK_OFF_MS = 60_000;

/** What the projects of the home ask of a node. */
export interface Asked {
  /** Program -> executors that run it. */
  readonly programs: ReadonlyMap<string, ReadonlySet<string>>;
  /** What is asked of programs, by `programKey`. */
  readonly asks: ReadonlyMap<string, { readonly executor: string; readonly ask: ProbeAsk }>;
  /** There are verify commands, or agents in `cage: strict`, that run in a sandbox only. */
  readonly caged: boolean;
}

export async function checkNodeOf(config: NodeConfig, { programs, asks, caged }: Asked): Promise<Check[]> {
  const wanted = [...programs]
    .filter(([, executors]) => takesAny(config, executors))
    .map(([program]) => program);
  const id = `node.${config.name}`;
  try {
    const began = Date.now();
    const executors = Object.fromEntries(
      [...asks]
        .filter(([, { executor }]) => takesAny(config, new Set([executor])))
        .map(([key, { ask }]) => [key, ask]),
    );
    const report = await probeNode(config, { program: await loadProgram(), programs: wanted, executors });
    return checksOf(id, config, report, { at: (began + Date.now()) / 2, caged });
  } catch (thrown) {
    const error = asDispatchError(thrown);
    return [
      fail(
        `${id}.reach`,
        error.message,
        error.why ?? error.code,
        error.fix ?? `dispatch explain ${error.code}`,
      ),
    ];
  }
}

function takesAny({ mode }: NodeConfig, executors: ReadonlySet<string>): boolean {
  return mode === 'hybrid' || mode.some((executor) => executors.has(executor));
}

function checksOf(
  id: string,
  config: NodeConfig,
  { probe, choice, timings }: ProbeReport,
  { at, caged }: { readonly at: number; readonly caged: boolean },
): Check[] {
  const { name, slots } = config;
  const via = `${choice.transport.describe()}, ${timings.roundTripMs.toFixed(1)} ms`;
  return [
    ok(`${id}.reach`, `${name}: reached by ${via}`),
    checkVersion(
      `${id}.node`,
      'Node.js',
      probe.node,
      OLDEST_NODE,
      'run bootstrap.sh on the machine, or install Node.js 24',
    ),
    checkVersion(
      `${id}.tmux`,
      'tmux',
      probe.tmux,
      OLDEST_TMUX,
      `install tmux on ${name}: apt install tmux, or brew install tmux`,
    ),
    checkVersion(
      `${id}.git`,
      'git',
      probe.git,
      OLDEST_GIT,
      `install git on ${name}: apt install git, or brew install git`,
    ),
    checkRoom(`${id}.disk`, name, slots, probe.diskFree),
    checkClock(`${id}.clock`, name, probe.clock - at),
    ...checkSandbox(`${id}.sandbox`, name, probe.sandbox, caged),
    ...Object.entries(probe.executors ?? {}).flatMap(([key, found]) => checkProgram(id, name, key, found)),
    ...Object.entries(probe.programs).map(([program, path]) =>
      path === null
        ? fail(
            `${id}.program.${program}`,
            `${name}: no ${program}`,
            'specs name an executor that runs it',
            `install ${program} on ${name}, or leave its executor out of "mode" in nodes.json`,
          )
        : ok(`${id}.program.${program}`, `${name}: ${path}`),
    ),
  ];
}

function checkSandbox(id: string, name: string, sandbox: SandboxReport | undefined, caged: boolean): Check[] {
  if (sandbox === undefined) return [];
  if (sandbox.by !== null) return [ok(id, `${name}: ${sandbox.detail}`)];
  const make = caged ? fail : warn;
  return [
    make(
      id,
      `${name}: ${sandbox.detail}`,
      'verify commands, and agents in cage: strict, run in a sandbox only',
      sandbox.fix,
    ),
  ];
}

/** A program that is not there at all has its own check. */
function checkProgram(
  id: string,
  name: string,
  key: string,
  { path, version, problems }: ProgramReport,
): Check[] {
  if (path === null) return [];
  const check = `${id}.executor.${key}`;
  if (problems.length === 0) return [ok(check, `${name}: ${key} ${version ?? 'of no known version'}`)];
  const fix = `install the version on ${name} that your other nodes have, or describe this one in executors.yaml`;
  return [fail(check, `${name}: ${problems.join('; ')}`, 'no attempt of this executor can run there', fix)];
}

function checkVersion(
  id: string,
  what: string,
  found: string | null,
  least: readonly [number, number],
  fix: string,
): Check {
  const version = found === null ? null : versionIn(found);
  if (version === null) return fail(id, `no ${what}`, `${what} ${least.join('.')} or newer is needed`, fix);
  if (!atLeast(version, least))
    return fail(id, `${what} ${found}`, `${least.join('.')} or newer is needed`, fix);
  return ok(id, `${what} ${found}`);
}

function checkRoom(id: string, name: string, slots: number, free: number): Check {
  const what = `${name}: ${bytesText(free)} free`;
  if (free < EMPTY_BYTES)
    return fail(id, what, 'attempts would fail for lack of space', `free space on ${name}`);
  if (free < slots * ROOM_PER_SLOT) {
    return warn(
      id,
      what,
      `${slots} slots may need ${bytesText(slots * ROOM_PER_SLOT)}`,
      `free space on ${name}, or give it fewer slots`,
    );
  }
  return ok(id, what);
}

function checkClock(id: string, name: string, offsetMs: number): Check {
  const off = Math.abs(offsetMs);
  const what = `${name}: clock ${off < 1000 ? 'agrees' : `is ${Math.round(off / 1000)} s ${offsetMs < 0 ? 'behind' : 'ahead'}`}`;
  return off < CLOCK_OFF_MS
    ? ok(id, what)
    : warn(id, what, 'logs from there show another time', `timedatectl set-ntp true on ${name}`);
}
