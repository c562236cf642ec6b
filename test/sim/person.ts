/** The people around a home: they load specs, start, collect, review, cancel, revert and retry, and change their minds. */
import { isLookOpen } from '../../src/model/second-look.ts';
import type { Command } from '../../src/controller/door.ts';
import { taskKey } from '../../src/model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import type { Task } from '../../src/model/task.ts';
import { isFinal } from '../../src/model/task.ts';
import { MINUTE } from './pace.ts';
import { Rng } from './rng.ts';
import { drawTask } from './scenario.ts';
import type { Simulation } from './simulation.ts';

const LOOKS_EVERY_MS = 10 * MINUTE;
/** In the day, somebody looks after things now and then, and brings new work when little is left of the old. */
const ROUNDS_EVERY_MS = 100 * MINUTE;
const LITTLE = 1;
const MOST_TASKS = 6;

export class Person {
  readonly #sim: Simulation;
  readonly #specs: TaskSpec[] = [];
  readonly #started = new Set<string>();

  constructor(sim: Simulation) {
    this.#sim = sim;
    for (const { name } of sim.scenario.projects) if (sim.rng.chance(0.9)) this.#started.add(name);
  }

  /** Work comes in over the day. */
  begin(): void {
    const { scenario, timeline } = this.#sim;
    for (const [batch, at] of scenario.arrivals.entries()) {
      if (batch === 0) this.#bring(batch);
      else timeline.after(at, () => this.#bring(batch));
    }
    this.#awaitRound(1);
  }

  #bring(batch: number): void {
    const { tasks, arrivalOf, projects } = this.#sim.scenario;
    this.#specs.push(...tasks.filter((task) => arrivalOf.get(taskKey(task.project, task.id)) === batch));
    if (batch > 0) for (const project of projects) this.#sim.ask(this.#load(project));
  }

  #awaitRound(n: number): void {
    const { seed, timeline } = this.#sim;
    const rng = Rng.of(seed, `round:${n}`);
    timeline.after(rng.span(ROUNDS_EVERY_MS), () => {
      if (this.#sim.calm) return;
      this.#makeRound(rng);
      this.#awaitRound(n + 1);
    });
  }

  /** What waits for a person is decided, mostly; what failed is tried again, now and then. */
  #makeRound(rng: Rng): void {
    this.#mend();
    this.#review(rng.chance(0.8));
    for (const { key, progress } of this.#tasks())
      if ((progress.at === 'failed' || progress.at === 'parked') && rng.chance(0.3))
        this.#sim.ask({ verb: 'retry', task: key, by: 'somebody' });
    for (const project of this.#sim.scenario.projects) {
      const own = this.#tasks().filter(({ spec }) => spec.project === project.name);
      if (own.length >= MOST_TASKS || own.filter(({ progress }) => !isFinal(progress)).length > LITTLE)
        continue;
      for (let i = rng.between(1, 2); i > 0; i--)
        this.#specs.push(drawTask(rng, project, this.#nextNumber(project)));
      this.#sim.ask(this.#load(project));
      this.#started.add(project.name);
      this.#sim.ask({ verb: 'start', project: project.name });
      if (rng.chance(0.3)) this.#sim.ask({ verb: 'collect', project: project.name });
    }
  }

  /** What a session begins with. */
  opening(): Command[] {
    return this.#sim.scenario.projects.flatMap((config) => [
      this.#load(config),
      ...(this.#started.has(config.name) ? [{ verb: 'start', project: config.name } as const] : []),
    ]);
  }

  /** Does something, sensible or not. */
  act(rng: Rng): void {
    const { scenario } = this.#sim;
    if (rng.chance(0.3)) this.#acceptContracts();
    const project = rng.pick(scenario.projects);
    const task = rng.pick(this.#specs);
    const key = taskKey(task.project, task.id);
    switch (rng.int(15)) {
      case 0:
        this.#started.add(project.name);
        return this.#sim.ask({ verb: 'start', project: project.name });
      case 1:
      case 2:
        return this.#sim.ask({ verb: 'collect', project: project.name });
      case 3:
        return this.#sim.ask({ verb: 'cancel', task: key, reason: 'on second thought' });
      case 4:
      case 5:
        return this.#sim.ask({ verb: 'retry', task: key, by: 'somebody' });
      case 6:
        return this.#sim.ask({
          verb: 'mark',
          node: rng.pick(scenario.nodes).name,
          mark: rng.pick(['none', 'none', 'cordon', 'drain'] as const),
        });
      case 7:
        return this.#sim.ask(
          rng.chance(0.5)
            ? { verb: 'hold', project: project.name, by: 'somebody', reason: 'to look at something' }
            : { verb: 'release', project: project.name, by: 'somebody' },
        );
      case 8:
        return this.#sim.ask({ verb: 'front', task: key, by: 'somebody' });
      case 9:
        return this.#revert(rng);
      case 10:
        return this.#review(rng.chance(0.8));
      case 12:
        return this.#secondLook(rng);
      case 13:
        return this.#handBack();
      case 11:
        return this.#sim.ask({ verb: 'expire', node: rng.pick(scenario.nodes).name, by: 'somebody' });
      default:
        this.#edit(project, rng);
        return this.#sim.ask(this.#load(project));
    }
  }

  /** Puts everything right and sees it through. */
  mend(): void {
    const { scenario, timeline, rng } = this.#sim;
    for (const { name } of scenario.projects) {
      this.#started.add(name);
      const config = scenario.projects.find((project) => project.name === name);
      if (config !== undefined) this.#sim.ask(this.#load(config));
      this.#sim.ask({ verb: 'start', project: name });
      timeline.after(rng.int(600_000), () => this.#sim.ask({ verb: 'collect', project: name }));
    }
    this.#look();
  }

  #look(): void {
    this.#mend();
    this.#review(true);
    this.#sim.timeline.after(LOOKS_EVERY_MS, () => this.#look());
  }

  #mend(): void {
    for (const { name } of this.#sim.scenario.nodes) {
      const mark = this.#sim.controller?.core.state.nodes.get(name)?.mark ?? 'none';
      if (mark !== 'none') this.#sim.ask({ verb: 'mark', node: name, mark: 'none' });
    }
    for (const project of this.#sim.controller?.core.state.projects.values() ?? []) {
      if (project.hold !== null) this.#sim.ask({ verb: 'release', project: project.name, by: 'somebody' });
    }
    for (const [project, { failed }] of this.#sim.controller?.core.memory.controls ?? []) {
      if (failed.length > 0) this.#sim.ask({ verb: 'start', project });
    }
    this.#acceptContracts();
  }

  #acceptContracts(): void {
    for (const { name, contract } of this.#sim.controller?.core.state.projects.values() ?? []) {
      if (contract?.changed != null)
        this.#sim.ask({
          verb: 'accept-contract',
          project: name,
          by: 'somebody',
          hash: contract.changed.hash,
        });
    }
  }

  /** Mostly of what has merged, and now and then of something that cannot be reverted. */
  #revert(rng: Rng): void {
    const merged = this.#tasks().filter(({ progress }) => progress.at === 'merged');
    const [task] = merged.length > 0 && rng.chance(0.9) ? [rng.pick(merged)] : this.#tasks();
    if (task === undefined) return;
    this.#sim.ask({ verb: 'revert', task: task.key, by: 'somebody', reason: 'it was wrong' });
  }

  /** Finds something in what has merged; what comes of that is said by the next review. */
  #secondLook(rng: Rng): void {
    for (const { key, progress } of this.#tasks()) {
      if (progress.at !== 'merged' || progress.commit === null || rng.chance(0.5)) continue;
      const { token, commit } = progress;
      const look = { by: 'mock/m', commit, findings: [], unseen: [], refused: 'it was not read', asks: true };
      this.#sim.ask({ verb: 'look', task: key, token, look });
    }
  }

  /** Hands back what was taken over as it was: that is a merge of the same work onto a newer base. */
  #handBack(): void {
    for (const { key, progress } of this.#tasks()) {
      if (progress.at !== 'review') continue;
      this.#sim.ask({ verb: 'hand-back', task: key, commit: progress.head, by: 'somebody' });
    }
  }

  #review(approved: boolean): void {
    for (const task of this.#tasks()) {
      const found = task.progress.at === 'merged' && isLookOpen(task.progress);
      if (task.progress.at !== 'review' && !found) continue;
      this.#sim.ask({ verb: 'review', task: task.key, approved, by: 'somebody', reason: 'looked at it' });
    }
  }

  #load(config: ProjectConfig): Command {
    const own = this.#specs.filter(
      ({ project, id }) => project === config.name && this.#sim.keeps(project, id),
    );
    const recorded = this.#tasks().flatMap(({ spec }) => (spec.project === config.name ? spec : []));
    const known = new Set([...own, ...recorded].map(({ id }) => id));
    const specs = own.map((spec) => ({ ...spec, dependsOn: spec.dependsOn.filter((id) => known.has(id)) }));
    return {
      verb: 'load',
      config: this.#sim.money.configOf(config),
      specs: specs.map((spec) => ({ spec, text: spec.digest })),
    };
  }

  /** Changes, adds or removes a spec file. */
  #edit(project: ProjectConfig, rng: Rng): void {
    const own = this.#specs.filter((spec) => spec.project === project.name);
    const chosen = rng.pick(own);
    const at = this.#specs.indexOf(chosen);
    const number = Number(chosen.id.slice(1));
    switch (rng.int(3)) {
      case 0:
        this.#specs[at] = drawTask(rng, project, number);
        return;
      case 1:
        if (own.length < 12) this.#specs.push(drawTask(rng, project, this.#nextNumber(project)));
        return;
      default:
        if (own.length > 2) this.#specs.splice(at, 1);
    }
  }

  /** Ids are not used again: a file that was removed stays removed. */
  #nextNumber(project: ProjectConfig): number {
    const known = [...this.#sim.scenario.tasks, ...this.#tasks().map((task) => task.spec), ...this.#specs];
    const own = known.filter((spec) => spec.project === project.name);
    return Math.max(-1, ...own.map((spec) => Number(spec.id.slice(1)))) + 1;
  }

  #tasks(): Task[] {
    return [...(this.#sim.controller?.core.state.tasks.values() ?? [])];
  }
}
