/**
 * Points inside of git, by system calls: a program of that name on the PATH runs the real one under strace. A point's
 * name says in which repository, in which subcommand and at which system call of a kind within that process:
 * `git:hub update-ref rename/1`. Besides, each subcommand can be done and be reported as failed. What goes into a pipe is
 * no durable step; git takes no notice when that fails.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAptForSqlite } from './sqlite-points.ts';
import type { Mode, Reached, Targets } from '../points/plan.ts';

const CALLS = [
  'rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat',
  'fsync,fdatasync,ftruncate,write,pwrite64',
].join(',');
/** A pack is written in as many pieces as it is long: what breaks in the first of them breaks in all. */
const MOST_OF_A_KIND = 4;

const HIT = /\(INJECTED\)|\(DELAYED\)|\+\+\+ killed by SIGKILL/u;
/** What was broken in the end went into something else than a file. */
const INTO_PIPE = /^\d+\s+write\(\d+<(?:pipe|socket|\/dev).*\((?:INJECTED|DELAYED)\)$/mu;

const WORDS: Readonly<Record<Mode, string>> = {
  'killed before': 'before',
  'killed after': 'after',
  EIO: 'EIO',
  ENOSPC: 'ENOSPC',
  unsure: 'unsure',
};

/** Says why processes cannot be traced here; null: they can. */
export function whyNoStrace(): string | null {
  try {
    execFileSync('strace', ['-qq', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'], {
      stdio: 'pipe',
    });
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'strace is not installed: apt-get install strace' : `strace: ${String(error)}`;
  }
}

/** Puts the program in front of git in these directories; the plan of a run lies below its base. */
export function frontGit(base: string, bins: readonly string[], targets: Targets | null): void {
  const plan = join(base, 'git-points');
  mkdirSync(plan);
  copyFileSync(here('after.sh'), join(plan, 'after.sh'));
  if (targets !== null) writeFileSync(join(plan, 'targets'), linesOf(targets));
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const text = readFileSync(here('git.sh'), 'utf8').replace('@GIT@', real).replace('@CALLS@', CALLS);
  for (const bin of bins) {
    mkdirSync(bin, { recursive: true });
    // The same for all runs; one of them may be reading it.
    if (!existsSync(join(bin, 'git'))) writeFileSync(join(bin, 'git'), text, { mode: 0o755 });
  }
}

/** `hub update-ref rename/1`, … */
export function gitTargets(points: readonly string[], mode: Mode): Targets {
  return Object.fromEntries(points.map((point) => [`git:${point}`, [[1, mode]]]));
}

/** `git:hub update-ref renameat/1` -> one line of the plan. Its id stands for its place in it. */
function linesOf(targets: Targets): string {
  return pointsOf(targets)
    .map(
      ({ place, sub, call, number, mode }, id) => `${id} ${place} ${sub} ${WORDS[mode]} ${call} ${number}\n`,
    )
    .join('');
}

function pointsOf(targets: Targets) {
  return Object.entries(targets).flatMap(([name, modes]) => {
    const [role = '', sub = '', what = ''] = name.split(' ');
    const [mode] = modes.map(([, one]) => one);
    if (!role.startsWith('git:') || mode === undefined) return [];
    const [call = '', number = '1'] = what.split('/');
    return [{ name, place: role.slice(4), sub, call, number, mode }];
  });
}

/** A point of git that can be broken in this mode: what is done and reported as failed is a whole call of git. */
export function isApt(name: string, mode: Mode): boolean {
  if (name.startsWith('sqlite:')) return isAptForSqlite(name, mode);
  if (!name.startsWith('git:')) return true;
  return name.endsWith(' exit') === (mode === 'unsure');
}

/** What git met in a run: without targets every system call, else those that were broken. */
export function gitReached(base: string, targets: Targets | null): Reached[] {
  const plan = join(base, 'git-points');
  if (!existsSync(plan)) return [];
  const names = readdirSync(plan);
  if (targets === null)
    return names.filter((name) => name.startsWith('seen.')).flatMap((name) => seenIn(plan, name));
  return pointsOf(targets).flatMap(({ name, mode }, id) => {
    const log = join(plan, `log.${id}`);
    if (!existsSync(log)) return [];
    const said = readFileSync(log, 'utf8');
    const isHit = HIT.test(said) && !INTO_PIPE.test(said);
    return [{ name, ordinal: 1, hit: isHit ? mode : null }];
  });
}

function seenIn(plan: string, file: string): Reached[] {
  const [, place = '', sub = ''] = file.split('.');
  const counts = new Map<string, number>();
  const seen = new Set<string>(['exit']);
  for (const line of readFileSync(join(plan, file), 'utf8').split('\n')) {
    const [, pid, call = '', rest = ''] = /^(\d+)\s+(\w+)\((.*)$/u.exec(line) ?? [];
    if (pid === undefined) continue;
    const count = (counts.get(`${pid} ${call}`) ?? 0) + 1;
    counts.set(`${pid} ${call}`, count);
    if (count <= MOST_OF_A_KIND && !/^\d+<(?!\/(?!dev\/))/u.test(rest)) seen.add(`${call}/${count}`);
  }
  return [...seen].map((what) => ({ name: `git:${place} ${sub} ${what}`, ordinal: 1, hit: null }));
}

function here(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}
