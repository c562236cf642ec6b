/**
 * A merge queue without git: the planner that runs in production over branches that are good or bad by a draw, gates
 * that take one unit of time each, and a number of slots. What it costs and how long it takes is counted.
 */
import { NO_RECORD, observe, type QueueRecord } from '../../../src/merge/queue/record.ts';
import { type Backers, judgesAloneFirst, planQueue, wantedDepth } from '../../../src/merge/queue/plan.ts';

export interface LineOptions {
  readonly branches: number;
  /** Chance that a branch is bad, and that a run on a good tree is red. */
  readonly badRate: number;
  readonly flakeRate: number;
  readonly slots: number;
  readonly seed: number;
  /** Branches are spread over so many areas, each within one; 1 by default. */
  readonly areas?: number;
  /** What an area's gate takes of the time of a whole one; 1 by default. */
  readonly areaTime?: number;
}

export interface LineResult {
  readonly runs: number;
  readonly merged: number;
  /** Good branches that were refused, and bad ones that merged. */
  readonly wronged: number;
  readonly slipped: number;
  /** In gate times. */
  readonly makespan: number;
  /** When each merged branch landed. */
  readonly landedAt: readonly number[];
  /** Runs on a tree that was green, or had been red twice: nothing could be learnt from them. */
  readonly repeated: number;
}

interface Branch {
  readonly id: number;
  readonly bad: boolean;
  cleared: boolean;
  backers: readonly number[];
  verdict: 'good' | 'bad' | null;
  /** What it would give: itself together with all of its area that it stands on. */
  tree: Tree;
}

/** A set of branches of one area: the sum of their names identifies it. */
interface Tree {
  readonly name: number;
  readonly bad: boolean;
}

interface Run {
  readonly branch: Branch;
  readonly tree: Tree;
  readonly ends: number;
}

/** Runs the whole line until every branch has landed or is refused. */
export function runLine(options: LineOptions): LineResult {
  return new Line(options).run();
}

/** A small generator of numbers in [0, 1) (mulberry32). */
export function drawing(seed: number): () => number {
  let at = seed >>> 0;
  return () => {
    at = (at + 0x6d2b79f5) >>> 0;
    let x = Math.imul(at ^ (at >>> 15), at | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Line {
  readonly #options: LineOptions;
  readonly #draw: () => number;
  readonly #branches: Branch[];
  #queue: Branch[];
  #stack: Branch[] = [];
  #aside: Branch[] = [];
  #running: Run[] = [];
  #record: QueueRecord = NO_RECORD;
  #now = 0;
  #runs = 0;
  #wronged = 0;
  #slipped = 0;
  #repeated = 0;
  readonly #landedAt: number[] = [];
  /** By area. */
  readonly #landed: Tree[];
  readonly #names: readonly number[];
  /** The gate cache. */
  readonly #verdicts = new Map<number, { green: boolean; reds: number }>();

  constructor(options: LineOptions) {
    this.#options = options;
    this.#draw = drawing(options.seed);
    this.#landed = Array.from({ length: options.areas ?? 1 }, () => ({ name: 0, bad: false }));
    this.#branches = Array.from({ length: options.branches }, (_, id) => ({
      id,
      bad: this.#draw() < options.badRate,
      cleared: false,
      backers: [],
      verdict: null,
      tree: { name: 0, bad: false },
    }));
    this.#names = this.#branches.map(() => Math.floor(this.#draw() * 2 ** 42));
    this.#queue = [...this.#branches];
  }

  run(): LineResult {
    for (;;) {
      this.#settle();
      if (this.#running.length === 0) break;
      this.#now = Math.min(...this.#running.map((run) => run.ends));
      for (const run of this.#running) if (run.ends === this.#now) this.#end(run);
    }
    if (this.#queue.length + this.#stack.length + this.#aside.length > 0)
      throw new Error('the line is stuck');
    return {
      runs: this.#runs,
      merged: this.#landedAt.length,
      wronged: this.#wronged,
      slipped: this.#slipped,
      makespan: this.#now,
      landedAt: this.#landedAt,
      repeated: this.#repeated,
    };
  }

  /** Does what the planner says until it has nothing more to say. */
  #settle(): void {
    for (;;) {
      this.#fill();
      const plan = planQueue({
        stack: this.#stack.map((branch) => this.#entry(branch)),
        aside: this.#aside.map((branch) => ({ ...this.#entry(branch), backers: this.#backers(branch) })),
        waiting: this.#queue.length + this.#aside.length,
        slots: this.#options.slots,
        record: this.#record,
      });
      for (const id of plan.refuse) this.#refuse(id);
      for (const id of plan.clear) this.#clear(id);
      if (plan.land > 0) this.#land(plan.land);
      if (plan.suspect !== null) this.#takeAside(plan.suspect.id, plan.suspect.backers);
      const begun = plan.gate.filter((id) => this.#start(id)).length;
      const moved = plan.refuse.length + plan.clear.length + plan.land + begun;
      if (moved === 0 && plan.suspect === null) return;
    }
  }

  #entry(branch: Branch): { id: number; green: boolean; reds: number; running: boolean } {
    const known = this.#verdicts.get(branch.tree.name);
    const open = this.#open(branch);
    const isRun = (one: Branch): boolean => this.#running.some((run) => run.branch === one);
    return {
      id: branch.id,
      green: open.length === 0,
      reds: known?.reds ?? 0,
      running: isRun(branch) || (open.length > 0 && open.every(isRun)),
    };
  }

  #area({ id }: Branch): number {
    return id % this.#landed.length;
  }

  /** The branches on which hangs what is not green of what this one needs: the highest of each area, up to it. */
  #open(branch: Branch): Branch[] {
    const at = this.#stack.indexOf(branch);
    const hosts = new Map<number, Branch>();
    for (const one of at < 0 ? [branch] : this.#stack.slice(0, at + 1)) hosts.set(this.#area(one), one);
    return [...hosts.values()].filter(({ tree }) => this.#verdicts.get(tree.name)?.green !== true);
  }

  #backers({ backers }: Branch): Backers {
    const verdicts = backers.map((id) => this.#branches[id]?.verdict);
    if (verdicts.length === 0) return 'none';
    if (verdicts.includes('bad')) return 'bad';
    return verdicts.includes(null) ? 'unjudged' : 'good';
  }

  /** Those that may be stacked now: in two stages only what is good alone. */
  #stackable(): Branch[] {
    const { slots } = this.#options;
    const alone = judgesAloneFirst({ slots, record: this.#record });
    return alone ? this.#queue.filter((branch) => branch.cleared) : this.#queue;
  }

  #fill(): void {
    const { slots } = this.#options;
    const want = wantedDepth({ slots, record: this.#record });
    // Two stages: the suspects and the fresh ones share the slots.
    const fresh = this.#queue.filter((branch) => !branch.cleared);
    while (this.#aside.length < want.aside && fresh.length > 0) {
      const branch = fresh.shift() as Branch;
      this.#queue = this.#queue.filter((one) => one !== branch);
      branch.tree = this.#on(this.#landedIn(branch), branch);
      branch.backers = [];
      this.#aside.push(branch);
    }
    const stackable = this.#stackable();
    const red = this.#stack.some((branch) => (this.#entry(branch).reds ?? 0) > 0);
    while (!red && this.#stack.length < want.stack && stackable.length > 0) {
      const branch = stackable.shift() as Branch;
      this.#queue = this.#queue.filter((one) => one !== branch);
      const below = this.#stack.findLast((one) => this.#area(one) === this.#area(branch));
      branch.tree = this.#on(below?.tree ?? this.#landedIn(branch), branch);
      this.#stack.push(branch);
    }
  }

  #on(below: Tree, branch: Branch): Tree {
    return { name: below.name + (this.#names[branch.id] ?? 0), bad: below.bad || branch.bad };
  }

  #landedIn(branch: Branch): Tree {
    return this.#landed[this.#area(branch)] as Tree;
  }

  /** Starts all that the branch needs, as far as there are slots. */
  #start(id: number): boolean {
    const { slots } = this.#options;
    const open = this.#open(this.#branches[id] as Branch);
    const idle = open.filter((one) => !this.#running.some((run) => run.branch === one));
    const begun = idle.slice(0, slots - this.#running.length);
    for (const one of begun) this.#begin(one);
    return begun.length > 0;
  }

  #begin(branch: Branch): void {
    const known = this.#verdicts.get(branch.tree.name);
    if (known?.green === true || (known?.reds ?? 0) > 1) this.#repeated += 1;
    this.#runs += 1;
    this.#running.push({ branch, tree: branch.tree, ends: this.#now + (this.#options.areaTime ?? 1) });
  }

  #end(run: Run): void {
    this.#running = this.#running.filter((one) => one !== run);
    const { name, bad } = run.tree;
    const green = !bad && this.#draw() >= this.#options.flakeRate;
    const known = this.#verdicts.get(name) ?? { green: false, reds: 0 };
    this.#verdicts.set(name, { green: known.green || green, reds: known.reds + (green ? 0 : 1) });
    if (green) {
      // Red runs that this one contradicts: on the same set, and on the prefixes below it.
      const below = this.#stack.slice(0, this.#stack.indexOf(run.branch) + 1);
      const flakes = [...new Set([...below, run.branch])].filter((one) => this.#entry(one).reds > 0).length;
      this.#record = observe(this.#record, { greens: 1, flakes });
    }
  }

  #land(count: number): void {
    for (const branch of this.#stack.slice(0, count)) {
      this.#landed[this.#area(branch)] = branch.tree;
      this.#landedAt.push(this.#now);
      branch.verdict = 'good';
      if (branch.bad) this.#slipped += 1;
      this.#record = observe(this.#record, branch.cleared ? { clearedPassed: 1 } : { passed: 1 });
      this.#running = this.#running.filter((run) => run.branch !== branch);
    }
    this.#stack = this.#stack.slice(count);
  }

  #takeAside(id: number, backers: readonly number[]): void {
    const at = this.#stack.findIndex((branch) => branch.id === id);
    const [suspect, ...behind] = this.#stack.slice(at);
    this.#stack = this.#stack.slice(0, at);
    (suspect as Branch).backers = backers;
    this.#aside.push(suspect as Branch);
    this.#running = this.#running.filter((run) => !behind.includes(run.branch));
    this.#queue = [...behind, ...this.#queue].toSorted((a, b) => a.id - b.id);
  }

  #refuse(id: number): void {
    const branch = this.#branches[id] as Branch;
    this.#aside = this.#aside.filter((one) => one !== branch);
    branch.verdict = 'bad';
    if (!branch.bad) this.#wronged += 1;
    this.#record = observe(this.#record, branch.cleared ? { clearedRefused: 1 } : { refused: 1 });
  }

  #clear(id: number): void {
    const branch = this.#branches[id] as Branch;
    this.#aside = this.#aside.filter((one) => one !== branch);
    this.#record = observe(this.#record, branch.cleared ? {} : { passed: 1 });
    branch.cleared = true;
    branch.verdict = 'good';
    this.#queue = [...this.#queue, branch].toSorted((a, b) => a.id - b.id);
  }
}
