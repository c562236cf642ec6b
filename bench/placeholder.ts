// How often the placeholder gate cries wolf, on real code.
// Run: npx tsx bench/placeholder.ts [--show] [folder ...]
// Each commit of real projects is judged as it was: this repository's, and the histories that the releases of packages
// on the npm registry make (each release a commit). Every file of each folder given is judged as if it had been added
// just now. A finding on a line that itself says TODO, FIXME, XXX, HACK, "not implemented" or the like is a true one by
// what the gate is for; all others are printed with --show and counted as doubtful, so the rate is an upper bound.
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AddedLine } from '../src/gates/facts.ts';
import { placeholderFindings } from '../src/gates/placeholder.ts';
import { readFacts } from '../src/git/facts.ts';
import { git } from '../src/git/run.ts';
import { commitId } from '../src/model/ids.ts';
import { releaseHistory } from './releases.ts';

/** Small packages whose sources are published as they were written. */
const PACKAGES = ['express', 'commander', 'ws', 'qs', 'semver', 'js-yaml', 'async', 'mocha'];
const RELEASES = 60;

const show = process.argv.includes('--show');
const folders = process.argv.slice(2).filter((word) => !word.startsWith('--'));

interface Tally {
  units: number;
  lines: number;
  findings: number;
  /** Findings on lines that do not say so themselves. */
  doubtful: number;
  /** Units with at least one of these. */
  stopped: number;
}

async function main(): Promise<void> {
  print('code base', ['units', 'lines', 'findings', 'doubtful', 'stopped', 'share', 'per 1,000']);
  for (const name of PACKAGES) await reportReleases(name);
  report('this repository (commits)', await ofHistory(resolve(import.meta.dirname, '..', '.git')));
  for (const folder of folders) report(`${folder} (files)`, ofFolder(folder));
}

async function reportReleases(name: string): Promise<void> {
  let history;
  try {
    history = releaseHistory(name, RELEASES);
  } catch (error) {
    console.error(`NOT MEASURED: ${name}: the npm registry is out of reach (npm ping): ${String(error)}`);
    process.exitCode = 1;
    return;
  }
  report(`${name} (${history.releases} releases)`, await ofHistory(history.gitDir));
  rmSync(dirname(history.gitDir), { recursive: true, force: true });
}
/** Each file is a unit. */
function ofFolder(folder: string): Tally {
  const tally = empty();
  for (const path of sources(folder)) {
    const text = readFileSync(join(folder, path), 'utf8');
    count(
      tally,
      text.split('\n').map((line, at) => ({ path, line: at + 1, text: line.replace(/\r$/, '') })),
    );
  }
  return tally;
}

/** Each commit is a unit. */
async function ofHistory(gitDir: string): Promise<Tally> {
  const tally = empty();
  const { stdout } = await git(['rev-list', '--no-merges', '--parents', 'HEAD'], { gitDir });
  for (const line of stdout.toString('latin1').trim().split('\n')) {
    const [head, parent] = line.split(' ');
    if (head === undefined || parent === undefined) continue;
    const { added } = await readFacts({ gitDir }, commitId(parent), commitId(head));
    count(tally, added);
  }
  return tally;
}

function count(tally: Tally, added: readonly AddedLine[]): void {
  const texts = new Map(added.map(({ path, line, text }) => [`${path}:${line}`, text]));
  const findings = placeholderFindings(added, []);
  const doubtful = findings.filter(({ path, line }) => !SAYS_SO.test(texts.get(`${path}:${line}`) ?? ''));
  if (show) {
    const kept = new Set(doubtful);
    for (const one of findings) process.stdout.write(`  ${kept.has(one) ? '?' : ' '} ${one.message}\n`);
  }
  tally.units += 1;
  tally.lines += added.length;
  tally.findings += findings.length;
  tally.doubtful += doubtful.length;
  if (doubtful.length > 0) tally.stopped += 1;
}

const SAYS_SO = /\b(?:TODO|FIXME|XXX|HACK)\b|not (?:yet )?implemented|NotImplemented|unimplemented|for now/i;

const SOURCE = /\.(?:py|ts|tsx|mts|cts|js|mjs|cjs)$/;
/** What no person wrote, or nobody would send as a task's work. */
const LEFT_OUT =
  /\.min\.|\.d\.[cm]?ts$|(?:^|\/)(?:\.cache|__pycache__|site-packages|dist|build|umd|lib2to3)\//;

function* sources(folder: string): Generator<string> {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!SOURCE.test(path) || LEFT_OUT.test(path)) continue;
    const { size } = statSync(join(folder, path), { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > 0 && size < 1024 * 1024) yield path;
  }
}

function empty(): Tally {
  return { units: 0, lines: 0, findings: 0, doubtful: 0, stopped: 0 };
}

function report(name: string, { units, lines, findings, doubtful, stopped }: Tally): void {
  const share = units === 0 ? '-' : `${((100 * stopped) / units).toFixed(2)} %`;
  const rate = lines === 0 ? '-' : ((1000 * doubtful) / lines).toFixed(3);
  print(name, [units, lines, findings, doubtful, stopped, share, rate]);
}

function print(name: string, cells: readonly (string | number)[]): void {
  process.stdout.write(`${name.padEnd(58)}${cells.map((cell) => String(cell).padStart(10)).join('')}\n`);
}

await main();
