/**
 * Which pending specs may go to the queue. The whole set is judged together with the queue: a pending spec may depend
 * on a pending one, good ones go in the order of their dependencies, and a bad one holds back only those that need it.
 */
import type { Problem } from '../model/error.ts';
import { findCycles } from '../plan/cycles.ts';
import { checkProject } from '../spec/check-project.ts';
import type { ParsedSpec } from '../spec/parse-spec.ts';
import { shown, sortProblems } from '../spec/problem.ts';

export interface Held {
  readonly spec: ParsedSpec;
  /** Errors first of all; warnings beside them. */
  readonly problems: readonly Problem[];
}

export interface FeedDecision {
  /** Dependencies first. */
  readonly move: readonly ParsedSpec[];
  readonly held: readonly Held[];
  /** In the queue already, word for word under the same name: what a cut between two steps leaves. */
  readonly done: readonly ParsedSpec[];
}

export interface FeedMaterial {
  readonly queue: readonly ParsedSpec[];
  readonly pending: readonly ParsedSpec[];
  /** Names of all files in the queue's folder. */
  readonly taken: ReadonlySet<string>;
  readonly basePaths: ReadonlySet<string> | null;
}

export function decideFeed({ queue, pending, taken, basePaths }: FeedMaterial): FeedDecision {
  const queued = new Map(queue.map((spec) => [nameOf(spec), spec]));
  const done = pending.filter((spec) => queued.get(nameOf(spec))?.text === spec.text);
  const fresh = pending.filter((spec) => !done.includes(spec));
  const across = checkProject([...queue, ...fresh], basePaths);
  const used = new Set([...taken].map((name) => name.toLowerCase()));
  const held = new Map<ParsedSpec, Problem[]>();
  for (const spec of fresh) {
    const own = [
      ...spec.problems,
      ...across.filter(({ file }) => file === spec.file),
      ...nameProblems(spec, used),
    ];
    if (spec.spec === null || own.some(({ severity }) => severity === 'error')) held.set(spec, own);
  }
  for (const spec of inCircles(queue, fresh)) if (!held.has(spec)) held.set(spec, [...spec.problems]);
  const move = follow(fresh, held);
  return {
    move,
    done,
    held: fresh
      .filter((spec) => held.has(spec))
      .map((spec) => ({ spec, problems: sortProblems(held.get(spec) ?? []) })),
  };
}

export function nameOf({ file }: ParsedSpec): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

/** On a Mac names that differ only by case are one file. */
function nameProblems(spec: ParsedSpec, used: ReadonlySet<string>): Problem[] {
  const name = nameOf(spec);
  if (!used.has(name.toLowerCase())) return [];
  return [
    {
      code: 'E_FEED_NAME_TAKEN',
      severity: 'error',
      file: spec.file,
      line: 1,
      col: 1,
      message: `the queue has a file ${shown(name)} already`,
      fix: 'give this file another name',
    },
  ];
}

/** A circle is told at one of its files, which may be one of the queue: all pending ones in it have to stay. */
function inCircles(queue: readonly ParsedSpec[], pending: readonly ParsedSpec[]): ParsedSpec[] {
  const byId = new Map<string, ParsedSpec>();
  for (const spec of [...queue, ...pending])
    if (spec.id !== null && !byId.has(spec.id.text)) byId.set(spec.id.text, spec);
  const graph = new Map(Array.from(byId, ([id, { dependsOn }]) => [id, dependsOn.map(({ text }) => text)]));
  const circular = new Set(findCycles(graph).flat());
  return pending.filter(({ id }) => id !== null && circular.has(id.text));
}

/** Moves what needs no held spec, dependencies first; the rest is held as well, and told whom it waits for. */
function follow(pending: readonly ParsedSpec[], held: Map<ParsedSpec, Problem[]>): ParsedSpec[] {
  const left = new Set(pending.filter((spec) => !held.has(spec)));
  const waiting = new Map<string, ParsedSpec>();
  for (const spec of [...held.keys(), ...left]) if (spec.id !== null) waiting.set(spec.id.text, spec);
  const move: ParsedSpec[] = [];
  for (let before = -1; before !== move.length; ) {
    before = move.length;
    for (const spec of left) {
      if (spec.dependsOn.some(({ text }) => waiting.has(text))) continue;
      left.delete(spec);
      move.push(spec);
      if (spec.id !== null) waiting.delete(spec.id.text);
    }
  }
  for (const spec of left) held.set(spec, [...spec.problems, ...waits(spec, waiting)]);
  return move;
}

function waits(spec: ParsedSpec, waiting: ReadonlyMap<string, ParsedSpec>): Problem[] {
  return spec.dependsOn.flatMap(({ text, at }): Problem[] => {
    const other = waiting.get(text);
    if (other === undefined) return [];
    const message = `${shown(text)} is pending and cannot go yet`;
    const fix = `mend ${nameOf(other)}; this one then goes with it`;
    return [{ code: 'E_FEED_WAITS', severity: 'error', file: spec.file, ...at, message, fix }];
  });
}
