/**
 * What a user could type instead: `xargs` over ssh and GNU parallel, both with a control master per node, so that a task
 * costs them a session and not a login. Neither keeps a record, and neither survives a cut; they set the pace all the same.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';

export interface Rivals {
  /** Runs `true` so many times over the fleet, 32 at once; milliseconds. */
  xargs(count: number): number;
  /** The same with GNU parallel; null when it is not installed. */
  parallel(count: number): number | null;
  /** One after the other in a shell, nodes in turn. */
  chain(count: number): number;
  stop(): Promise<void>;
}

/** Options that forbid a full login when the master refuses a session: a rival that fell back would look slow. */
const NO_LOGIN = ['-o', 'ControlMaster=no', '-o', 'ProxyCommand=false'];

export async function startRivals(fleet: Fleet): Promise<Rivals> {
  const dir = join(fleet.dir, 'rivals');
  mkdirSync(dir);
  const config = join(dir, 'ssh_config');
  writeFileSync(config, fleet.servers.map(({ configFile }) => `Include ${configFile}\n`).join(''));
  const socket = (alias: string): string => join(dir, `${alias}.sock`);
  const masters = fleet.servers.map(({ alias }) =>
    spawn('ssh', ['-F', config, '-M', '-N', '-S', socket(alias), alias], { stdio: 'ignore' }),
  );
  for (const { alias } of fleet.servers) await answers(config, socket(alias), alias);
  const ssh = (alias: string): string[] => ['-F', config, ...NO_LOGIN, '-S', socket(alias), alias];
  return {
    xargs: (count) => runXargs(dir, fleet, count, ssh),
    parallel: (count) => runParallel(dir, fleet, count, ssh),
    chain: (count) => runChain(dir, fleet, count, ssh),
    stop: async () => {
      await Promise.all(masters.map(ended));
    },
  };
}

async function answers(config: string, socket: string, alias: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (spawnSync('ssh', ['-F', config, '-S', socket, '-O', 'check', alias]).status === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no control master for ${alias}`);
}

type SshOf = (alias: string) => string[];

function runXargs(dir: string, fleet: Fleet, count: number, ssh: SshOf): number {
  const input = join(dir, 'xargs.in');
  const lines = fleet.servers.map(({ alias }) => `${ssh(alias).join(' ')} true\n`);
  writeFileSync(input, Array.from({ length: count }, (_, index) => lines[index % lines.length]).join(''));
  return timed('xargs', ['-a', input, '-P', String(slotsOf(fleet)), '-L', '1', 'ssh']);
}

function runParallel(dir: string, fleet: Fleet, count: number, ssh: SshOf): number | null {
  if (spawnSync('parallel', ['--version'], { stdio: 'ignore' }).status !== 0) return null;
  const input = join(dir, 'parallel.in');
  writeFileSync(input, 'true\n'.repeat(count));
  const logins = fleet.servers.flatMap(({ alias }) => ['--sshlogin', `ssh ${ssh(alias).join(' ')}`]);
  return timed('parallel', [
    '--will-cite',
    '--jobs',
    String(slotsOf(fleet) / fleet.servers.length),
    ...logins,
    '-a',
    input,
  ]);
}

function runChain(dir: string, fleet: Fleet, count: number, ssh: SshOf): number {
  const script = join(dir, 'chain.sh');
  const lines = fleet.servers.map(({ alias }) => `ssh -n ${ssh(alias).join(' ')} true\n`);
  writeFileSync(
    script,
    `set -e\n${Array.from({ length: count }, (_, index) => lines[index % lines.length]).join('')}`,
  );
  return timed('sh', [script]);
}

function slotsOf(fleet: Fleet): number {
  return fleet.nodes.reduce((sum, { slots }) => sum + slots, 0);
}

/** Under load a server may still hold the sessions that have just ended, refuse the next, and end a rival's whole run. */
const TRIES = 5;

/** Milliseconds of the first run in which nothing failed. */
function timed(program: string, args: string[]): number {
  for (let tries = 1; ; tries += 1) {
    const began = performance.now();
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status === 0) return performance.now() - began;
    const failed = `${program} ended with ${status}: ${stderr.slice(0, 500)}`;
    if (tries === TRIES) throw new Error(failed);
    process.stderr.write(`${failed}\nIt begins again.\n`);
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill();
  });
}
