/**
 * Points inside of git, by system calls: a program of that name on the PATH runs the real one under strace. A point's
 * name says in which repository, in which subcommand and at which kind of system call; its ordinal is the call's number
 * within that process. Besides, each subcommand can be done and be reported as failed.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mode, Reached, Targets } from '../points/plan.ts';

const CALLS = [
  'rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat',
  'fsync,fdatasync,ftruncate,write,pwrite64',
].join(',');
/** A pack is written in as many pieces as it is long: what breaks in the first of them breaks in all. */
const MOST_OF_A_KIND = 4;

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
export function frontGit(base: string, bins: readonly string[], targets: Targets, mode: Mode | null): void {
  const plan = join(base, 'git-points');
  mkdirSync(plan);
  copyFileSync(here('after.sh'), join(plan, 'after.sh'));
  if (targets !== null && mode !== null) writeFileSync(join(plan, 'targets'), linesOf(targets, mode));
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const text = readFileSync(here('git.sh'), 'utf8').replace('@GIT@', real).replace('@CALLS@', CALLS);
  for (const bin of bins) {
    mkdirSync(bin, { recursive: true });
    // The same for all runs; one of them may be reading it.
    if (!existsSync(join(bin, 'git'))) writeFileSync(join(bin, 'git'), text, { mode: 0o755 });
  }
}

/** `hub update-ref rename 1`, … */
export function gitTargets(points: readonly string[]): NonNullable<Targets> {
  const named = points.map((point) => /^(.*) (\d+)$/u.exec(point) ?? []);
  return Object.fromEntries(named.map(([, name = '', ordinal]) => [`git:${name}`, [Number(ordinal)]]));
}

/** `git:hub update-ref renameat` 1 -> one line of the plan. Its id stands for its place in it. */
function linesOf(targets: NonNullable<Targets>, mode: Mode): string {
  return pointsOf(targets)
    .map(({ place, sub, call, ordinal }, id) => `${id} ${place} ${sub} ${WORDS[mode]} ${call} ${ordinal}\n`)
    .join('');
}

function pointsOf(targets: NonNullable<Targets>) {
  return Object.entries(targets).flatMap(([name, ordinals]) => {
    const [role = '', sub = '', call = ''] = name.split(' ');
    if (!role.startsWith('git:')) return [];
    return ordinals.map((ordinal) => ({ name, place: role.slice(4), sub, call, ordinal }));
  });
}

/** A point of git that can be broken in this mode: what is done and reported as failed is a whole call of git. */
export function isApt(name: string, mode: Mode): boolean {
  if (!name.startsWith('git:')) return true;
  return name.endsWith(' exit') === (mode === 'unsure');
}

/** What git met in a run: without targets every system call, else those that were broken. */
export function gitReached(base: string, targets: Targets): Reached[] {
  const plan = join(base, 'git-points');
  if (!existsSync(plan)) return [];
  const names = readdirSync(plan);
  if (targets === null)
    return names.filter((name) => name.startsWith('seen.')).flatMap((name) => seenIn(plan, name));
  return pointsOf(targets).flatMap(({ name, ordinal }, id) => {
    const log = join(plan, `log.${id}`);
    if (!existsSync(log)) return [];
    const hit = /\(INJECTED\)|\(DELAYED\)|\+\+\+ killed by SIGKILL/u.test(readFileSync(log, 'utf8'));
    return [{ name, ordinal, hit }];
  });
}

function seenIn(plan: string, file: string): Reached[] {
  const [, place = '', sub = ''] = file.split('.');
  const counts = new Map<string, number>();
  for (const line of readFileSync(join(plan, file), 'utf8').split('\n')) {
    const [, pid, call] = /^(\d+)\s+(\w+)\(/u.exec(line) ?? [];
    if (call !== undefined) counts.set(`${pid} ${call}`, (counts.get(`${pid} ${call}`) ?? 0) + 1);
  }
  const calls = [...counts].map(([key, count]) => ({
    name: `git:${place} ${sub} ${key.slice(key.indexOf(' ') + 1)}`,
    ordinal: Math.min(count, MOST_OF_A_KIND),
    hit: false,
  }));
  return [...calls, { name: `git:${place} ${sub} exit`, ordinal: 1, hit: false }];
}

function here(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}
