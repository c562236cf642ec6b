/**
 * Merge commits say in trailers which task and which attempt they brought in. Refs and databases can be lost or lag
 * behind after a crash; what is written in the history itself cannot, so this is the truth about what has landed.
 */
import { type CommitId, commitId, isName, isToken, type TaskId, type Token } from '../model/ids.ts';
import { stripControls } from '../gates/shorten.ts';
import type { RepoPlace } from './repo-place.ts';
import { decodePath, splitZ } from './paths.ts';
import { firstParent } from './merge-tree.ts';
import { git } from './run.ts';

export interface MergeLabel {
  readonly task: TaskId;
  readonly token: Token;
  /** Shown in the subject; any text. */
  readonly title: string;
  /** The commit takes the attempt's work out. */
  readonly undoes?: true;
}

const LONGEST_SUBJECT = 100;

/** The message of the commit that brings one task in, or takes it out. A title cannot add a line, and so no trailer. */
export function mergeMessage(label: MergeLabel): string {
  const { task, title, undoes } = label;
  const text = oneLine(title);
  const does = `${undoes === true ? 'Revert' : 'Merge'} ${task}`;
  return `${cut(text === '' || text === task ? does : `${does}: ${text}`)}\n\n${trailersOf(label)}`;
}

function trailersOf({ task, token, undoes }: MergeLabel): string {
  return undoes === true
    ? `Dispatch-Reverts: ${task}\nDispatch-Reverts-Token: ${token}\n`
    : `Dispatch-Task: ${task}\nDispatch-Token: ${token}\n`;
}

/** The message of the commit that brings several tasks in at once, in the order in which they were stacked. */
export function batchMessage(labels: readonly MergeLabel[]): string {
  const [only] = labels;
  if (only !== undefined && labels.length === 1) return mergeMessage(only);
  const named = (undone: boolean): string =>
    labels.flatMap(({ task, undoes }) => ((undoes === true) === undone ? task : [])).join(', ');
  const [merged, reverted] = [named(false), named(true)];
  const parts = [merged === '' ? [] : `Merge ${merged}`, reverted === '' ? [] : `Revert ${reverted}`].flat();
  return `${cut(parts.join('; '))}\n\n${labels.map(trailersOf).join('')}`;
}

/** The message of the commit that joins a target that has moved with what has landed. */
export function deliveryMessage(target: string): string {
  return `${cut(`Merge ${oneLine(target)} into the work of dispatch`)}\n`;
}

function oneLine(text: string): string {
  return stripControls(text).replace(/\s+/gu, ' ').trim();
}

function cut(text: string): string {
  const letters = Array.from(text);
  return letters.length <= LONGEST_SUBJECT ? text : `${letters.slice(0, LONGEST_SUBJECT - 1).join('')}…`;
}

/** A merge that landed: what it brought in or took out, and which paths it changed against what was there before. */
export interface LandedMerge {
  readonly commit: CommitId;
  readonly task: TaskId;
  readonly token: Token;
  /** It took the task's work out. */
  readonly undoes: boolean;
  readonly paths: readonly string[];
}

const FORMAT = [
  '%H',
  '%P',
  trailer('Dispatch-Task'),
  trailer('Dispatch-Token'),
  trailer('Dispatch-Reverts'),
  trailer('Dispatch-Reverts-Token'),
].join('%x01');

function trailer(key: string): string {
  return `%(trailers:key=${key},valueonly,separator=%x2C)`;
}

interface Brought {
  readonly task: TaskId;
  readonly token: Token;
  readonly undoes: boolean;
}

export interface LandedCommit {
  readonly commit: CommitId;
  readonly parents: readonly CommitId[];
  /** Several for a commit that landed a stack, the one on top last. */
  readonly brings: readonly Brought[];
  readonly paths: readonly string[];
}

/**
 * Merges by dispatch on the first-parent history of `to` that are not in the history of `from` (null: from the start),
 * newest first. Paths are read only when asked for: it costs a comparison of trees for each commit.
 */
export async function landedMerges(
  repo: RepoPlace,
  from: CommitId | null,
  to: CommitId,
  withPaths: boolean,
): Promise<LandedMerge[]> {
  const merges: LandedMerge[] = [];
  for (const { commit, parents, brings, paths } of await landedCommits(repo, from, to, withPaths)) {
    // Which task of a stack changed which path, the merges of the stack itself say.
    const stack = withPaths && brings.length > 1 ? await pathsInStack(repo, parents) : null;
    for (const { task, token, undoes } of brings.toReversed()) {
      merges.push({ commit, task, token, undoes, paths: stack?.get(token) ?? paths });
    }
  }
  return merges;
}

async function pathsInStack(
  repo: RepoPlace,
  [onto, top]: readonly CommitId[],
): Promise<Map<Token, readonly string[]>> {
  if (onto === undefined || top === undefined) return new Map();
  const commits = await landedCommits(repo, onto, top, true);
  return new Map(commits.flatMap(({ brings, paths }) => brings.map(({ token }) => [token, paths] as const)));
}

/** The merge that brought one attempt in and nothing else: `landed` itself, or one within the stack that it landed; null when none did. */
export async function mergeOf(repo: RepoPlace, landed: CommitId, token: Token): Promise<CommitId | null> {
  const isIt = (one: Brought): boolean => one.token === token && !one.undoes;
  const [step] = await landedCommits(repo, await firstParent(repo, landed), landed, false);
  if (step === undefined || !step.brings.some(isIt)) return null;
  if (step.brings.length === 1) return landed;
  const [onto, top] = step.parents;
  if (onto === undefined || top === undefined) return null;
  const stack = await landedCommits(repo, onto, top, false);
  return stack.find(({ brings }) => brings.some(isIt))?.commit ?? null;
}

/** Tasks that landed and were not taken out again, in the order in which they landed. */
export function tasksIn(newestFirst: readonly LandedMerge[]): TaskId[] {
  const tasks = new Set<TaskId>();
  for (const { task, undoes } of newestFirst.toReversed()) {
    tasks.delete(task);
    if (!undoes) tasks.add(task);
  }
  return [...tasks];
}

export async function landedCommits(
  repo: RepoPlace,
  from: CommitId | null,
  to: CommitId,
  withPaths: boolean,
): Promise<LandedCommit[]> {
  const { stdout } = await git(
    [
      'log',
      '-z',
      '--first-parent',
      '--no-show-signature',
      '--no-notes',
      `--format=${FORMAT}`,
      ...(withPaths ? ['--diff-merges=first-parent', '--raw', '--no-abbrev', '--no-renames'] : []),
      '--end-of-options',
      to,
      ...(from === null ? [] : [`^${from}`]),
    ],
    repo,
  );
  const commits: LandedCommit[] = [];
  let paths: string[] | null = null;
  const fields = splitZ(stdout);
  for (let at = 0; at < fields.length; at += 1) {
    const field = (fields[at] as Buffer).toString('latin1').trimStart();
    if (field.startsWith(':')) {
      at += 1;
      paths?.push(decodePath(fields[at] ?? Buffer.alloc(0)));
    } else if (field !== '') {
      paths = [];
      const [commit = '', parents = '', tasks = '', tokens = '', undone = '', undoneTokens = ''] =
        field.split('\x01');
      const brings = [...pairsOf(tasks, tokens, false), ...pairsOf(undone, undoneTokens, true)];
      if (brings.length > 0) {
        commits.push({ commit: commitId(commit), parents: parents.split(' ').map(commitId), brings, paths });
      }
    }
  }
  return commits;
}

/** Trailers of one kind of one commit, pair by pair; none when they are not as dispatch writes them. */
function pairsOf(tasks: string, tokens: string, undoes: boolean): Brought[] {
  const [ids, given] = [tasks.split(','), tokens.split(',')];
  const pairs = ids.map((task, at) => ({
    task: task as TaskId,
    token: (given[at] ?? '') as Token,
    undoes,
  }));
  const sound =
    ids.length === given.length && pairs.every(({ task, token }) => isName(task) && isToken(token));
  return sound ? pairs : [];
}
