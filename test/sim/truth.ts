/**
 * What is really so, whatever the controller believes: which tree was gated, whose work is in integration, what runs
 * where. Everything that would be damage in the real world is noted here as a violation the moment it happens.
 */
import type { Area } from '../../src/model/area.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import { type CommitId, type ProjectName, type TaskKey, taskKey, type Token } from '../../src/model/ids.ts';
import { eachPair, type Surroundings } from '../../src/model/invariants.ts';
import { overlap } from '../../src/plan/overlap.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { strayBase } from './oddities.ts';
import { Objects, VirtualHub } from './repository.ts';
import { EXTRA, type Fate, type Scenario } from './scenario.ts';
import type { VirtualNode, VirtualOrder } from './virtual-node.ts';

export class Truth {
  readonly objects = new Objects();
  readonly hubs = new Map<ProjectName, VirtualHub>();
  readonly violations: string[] = [];
  /** Trees that a gate on some node found green -> by which commands. */
  readonly #green = new Map<string, Set<string>>();
  readonly #landed = new Map<Token, CommitId>();
  /** What gates found on each commit with each command. */
  readonly #runs = new Map<string, { green: number; red: number }>();
  readonly #reverted = new Map<Token, CommitId>();
  /** Whose work of each task is in integration and was not taken out. */
  readonly #stands = new Map<TaskKey, Token>();
  readonly #cancelled = new Set<Token>();
  readonly #failures = new Map<TaskKey, number>();
  /** Heads that agents made -> the disk that they were made on. */
  readonly #made = new Map<CommitId, { token: Token; journal: string; project: ProjectName }>();

  readonly #projects: readonly ProjectConfig[];

  constructor(scenario: Scenario) {
    this.#projects = scenario.projects;
    for (const { name, repo } of scenario.projects) {
      if (repo !== null) this.hubs.set(name, new VirtualHub(this.objects, new Map([['README', '0']])));
    }
  }

  #config(project: ProjectName): ProjectConfig {
    const config = this.#projects.find(({ name }) => name === project);
    if (config === undefined) throw new Error(`no project ${project}`);
    return config;
  }

  hub(project: ProjectName): VirtualHub {
    const hub = this.hubs.get(project);
    if (hub === undefined) throw new Error(`no repository for ${project}`);
    return hub;
  }

  /** A node takes an order and begins to run it. */
  begins(node: VirtualNode, order: VirtualOrder, again: boolean): void {
    if (again) this.violations.push(`${node.name}: runs ${order.token} a second time`);
  }

  /** The commit that an agent makes of its order; null without a repository. */
  work(order: VirtualOrder, fate: Fate, astray: boolean): CommitId | null {
    if (order.work.kind !== 'work' || order.work.base === null) return null;
    const files = new Map(this.objects.get(order.work.base).files);
    const value = `${fate === 'red' ? 'red' : 'good'} ${order.token}`;
    for (const pattern of order.work.modifies) files.set(someMatch(pattern), value);
    if (fate === 'outside') files.set('outside.ts', value);
    if (fate === 'extra') files.set(EXTRA, value);
    const { base } = order.work;
    return this.objects.commit([astray ? strayBase(base, this.objects.get(base).parents) : base], files).id;
  }

  /** A node was asked to end an attempt. */
  cancels(token: Token): void {
    this.#cancelled.add(token);
  }

  /** An attempt is over, with what its agent made; whatever the controller hears of it. */
  ended({ journal }: VirtualNode, { project, task, token, work }: VirtualOrder, outcome: Outcome): void {
    if (work.kind !== 'work') return;
    if (outcome.kind === 'cancelled' && !this.#cancelled.has(token))
      this.violations.push(`${token}: was cancelled, and nobody asked for that`);
    const key = taskKey(project, task);
    if (outcome.kind !== 'done') this.#failures.set(key, this.failuresOf(key) + 1);
    const head = 'head' in outcome ? outcome.head : null;
    if (head !== null) this.#made.set(head, { token, journal, project });
  }

  /** Attempts at the task that did not come out well. */
  failuresOf(task: TaskKey): number {
    return this.#failures.get(task) ?? 0;
  }

  /** A disk is gone, with whatever was nowhere else. */
  gone(journal: string): void {
    for (const [commit, made] of this.#made) if (made.journal === journal) this.#made.delete(commit);
  }

  /** Commits of agents that can be found nowhere any more. @param kept what a node still has of an attempt. */
  lost(kept: (token: Token) => CommitId | null): string[] {
    return [...this.#made].flatMap(([commit, { token, project }]) => {
      const hub = this.hub(project);
      const known = hub.candidates.get(token) === commit || kept(token) === commit;
      const landed = hub.integration !== null && this.objects.isAncestor(commit, hub.integration);
      return known || landed ? [] : [`${token}: its commit ${commit} is nowhere any more`];
    });
  }

  /** Attempts whose work came onto a target, or onto integration, more than once by what the history itself says. */
  repeated(): string[] {
    return [...this.hubs].flatMap(([project, { target, integration }]) =>
      [target, integration].flatMap((tip) => (tip === null ? [] : this.#repeatedOn(project, tip))),
    );
  }

  #repeatedOn(project: ProjectName, tip: CommitId): string[] {
    const times = new Map<Token, number>();
    for (let at: CommitId | undefined = tip; at !== undefined; at = this.objects.get(at).parents[0])
      for (const { token } of this.objects.get(at).brings) times.set(token, (times.get(token) ?? 0) + 1);
    // The commit that takes it out names it, too.
    return [...times].flatMap(([token, n]) =>
      n > (this.#reverted.has(token) ? 2 : 1) ? [`${token} is in the history of ${project} ${n} times`] : [],
    );
  }

  /** What running the tests on a commit shows. */
  verdict(commit: CommitId): 'green' | 'red' {
    const { files } = this.objects.get(commit);
    return [...files.values()].some((value) => value.startsWith('red')) ? 'red' : 'green';
  }

  gated(commit: CommitId, verdict: 'green' | 'red', verify: string): void {
    const run = `${commit} ${verify}`;
    const runs = this.#runs.get(run) ?? { green: 0, red: 0 };
    runs[verdict] += 1;
    this.#runs.set(run, runs);
    if (verdict === 'red') return;
    const { tree } = this.objects.get(commit);
    this.#green.set(tree, new Set([...(this.#green.get(tree) ?? []), verify]));
  }

  /** Red runs on commits that a gate also found green with the same command. */
  flakes(): number {
    let flakes = 0;
    for (const { green, red } of this.#runs.values()) if (green > 0) flakes += red;
    return flakes;
  }

  /** Integration has just moved, by the work of these attempts, each proved by its own command, and without the `undoes`. */
  landed(
    project: ProjectName,
    work: readonly { readonly token: Token; readonly task: TaskKey; readonly verify: string | null }[],
    undoes: readonly Token[],
    commit: CommitId,
    previous: CommitId,
  ): void {
    const proofs = this.#green.get(this.objects.get(commit).tree);
    const judge = this.#config(project);
    for (const token of undoes) this.#takenOut(token, commit);
    for (const { token, task, verify } of work) {
      const areas = verify === null || verify === judge.verify ? this.#areasOf(judge, token) : [];
      if (verify !== null && areas.length !== 1 && proofs?.has(verify) !== true) {
        this.violations.push(`${token}: landed in ${commit} without "${verify}" having been run`);
      }
      const before = this.#landed.get(token);
      if (before !== undefined) this.violations.push(`${token} was merged twice, as ${before} and ${commit}`);
      this.#landed.set(token, commit);
      const other = this.#stands.get(task);
      if (other !== undefined && other !== token)
        this.violations.push(`${task}: ${token} landed on top of ${other}, which nobody took out`);
      this.#stands.set(task, token);
    }
    if (this.objects.get(commit).parents[0] !== previous) {
      this.violations.push(`${project}: ${commit} does not stand on ${previous} as its first parent`);
    }
    if (this.verdict(commit) === 'red') this.violations.push(`${project}: ${commit} landed and is red`);
    if (!this.objects.isAncestor(previous, commit)) {
      this.violations.push(`${project}: integration lost ${previous} when ${commit} landed`);
    }
    const { tree } = this.objects.get(commit);
    const parts = work.length > 0 && work.every(({ token }) => this.#areasOf(judge, token).length === 1);
    if (!this.#green.has(tree) && (!parts || undoes.length > 0))
      this.violations.push(`${project}: landed ${commit}, whose tree no gate found green`);
    this.#projectionsProved(judge, commit, previous);
  }

  /** A person wants the task done once more, whatever has landed of it. */
  askedAgain(task: TaskKey): void {
    this.#stands.delete(task);
  }

  /** The areas in all of whose files the attempt's branch lies; none when it changes a file that all share. */
  #areasOf({ name, areas = [] }: ProjectConfig, token: Token): readonly Area[] {
    const head = this.hub(name).candidates.get(token);
    const base = head === undefined ? undefined : this.objects.get(head).parents[0];
    if (head === undefined || base === undefined) return [];
    const paths = this.objects.changed(base, head);
    if (paths.some((path) => areas.every((area) => !liesIn(path, area)))) return [];
    return areas.filter((area) => paths.some((path) => liesIn(path, area)));
  }

  /** Every area whose files, or shared ones, have changed was found green on exactly what it sees of the commit. */
  #projectionsProved({ name, areas = [] }: ProjectConfig, commit: CommitId, previous: CommitId): void {
    const paths = this.objects.changed(previous, commit);
    const shared = paths.some((path) => !areas.some((area) => liesIn(path, area)));
    for (const area of areas) {
      if (!shared && !paths.some((path) => liesIn(path, area))) continue;
      const others = areas.filter((other) => other !== area);
      const seen = [...this.objects.get(commit).files].filter(([path]) =>
        others.every((other) => !liesIn(path, other)),
      );
      const tree = this.objects.treeOf(new Map(seen));
      if (this.#green.get(tree)?.has(area.verify) === true) continue;
      this.violations.push(
        `${name}: ${commit} landed and "${area.verify}" was not green on what ${area.name} sees`,
      );
    }
  }

  /** What an attempt wrote is gone, and it had been there. */
  #takenOut(token: Token, commit: CommitId): void {
    const before = this.#reverted.get(token);
    if (before !== undefined) this.violations.push(`${token} was reverted twice, by ${before} and ${commit}`);
    if (!this.#landed.has(token)) this.violations.push(`${token} was reverted and had never landed`);
    this.#reverted.set(token, commit);
    for (const [task, stands] of this.#stands) if (stands === token) this.#stands.delete(task);
    for (const [path, value] of this.objects.get(commit).files) {
      if (value.endsWith(token)) this.violations.push(`${token} was reverted, and ${path} is still its own`);
    }
  }

  /** The target has just moved by a delivery. */
  delivered(project: ProjectName, commit: CommitId): void {
    const { tree } = this.objects.get(commit);
    if (!this.#green.has(tree))
      this.violations.push(`${project}: delivered ${commit}, whose tree no gate found green`);
  }

  /** A node is told that it may reclaim an attempt. */
  forgets(node: VirtualNode, order: VirtualOrder, outcome: Outcome | null): void {
    if (outcome === null) {
      this.violations.push(`${node.name}: told to forget ${order.token}, which is running`);
      return;
    }
    const head = order.work.kind === 'work' && 'head' in outcome ? (outcome.head ?? null) : null;
    if (head !== null && this.hub(order.project).candidates.get(order.token) !== head) {
      this.violations.push(`${node.name}: told to forget ${order.token}, whose commits nobody else has`);
    }
  }
}

function liesIn(path: string, { paths }: Area): boolean {
  return paths.some((pattern) => overlap(pattern, path) !== null);
}

/** A path that the pattern stands for; the same one each time, so that two tasks under one pattern do meet. */
function someMatch(pattern: string): string {
  return pattern.replace(/\/$/, '/**').replaceAll('**', 'w.ts').replaceAll('*', 'x');
}

/** What simulated states are held against as a whole. */
export const AROUND: Surroundings = { lockAgainst: (state, task) => againstAll(state, task) };

const known = new Map<string, boolean>();

const againstAll = eachPair((a, b) => meets(a, b));

/** Can the two tasks touch the same path? Asked of the plan room's comparison, pattern by pattern. */
function meets(a: TaskSpec, b: TaskSpec): boolean {
  return a.modifies.some((one) => b.modifies.some((other) => patternsMeet(one, other)));
}

function patternsMeet(a: string, b: string): boolean {
  const key = `${a}\n${b}`;
  const met = known.get(key) ?? overlap(a, b) !== null;
  known.set(key, met);
  return met;
}
