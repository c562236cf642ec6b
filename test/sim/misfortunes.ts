/** The accidents of the menu (menu.ts): what they do to lines, to the target, to hubs, to clocks. */
import { HOUR } from './pace.ts';
import { putBack } from './put-back.ts';
import type { Rng } from './rng.ts';
import type { Accident } from './scenario.ts';
import type { Simulation } from './simulation.ts';
import type { Way } from './stream.ts';

type Misfortune = Extract<Accident, 'clog' | 'rewind' | 'breakdown' | 'node-clock' | 'alarm' | 'restore'>;

/** Most commits that somebody takes off the target. */
const MOST_TAKEN_OFF = 4;

export class Misfortunes {
  readonly #sim: Simulation;
  /** Events that each transaction ended with. */
  readonly #commits: number[] = [];

  /** Whether a store that is put back is told what has landed since. */
  adopts = true;
  /** Whether what was landing when it was put back lands no more. */
  fences = true;
  /** Mean time for which a hub does not work. */
  breakdownMs: number;

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.breakdownMs = sim.scenario.faultsMs / 48;
  }

  /** @returns which of its kind it was, where there are several. */
  async happen(kind: Misfortune, rng: Rng): Promise<string | void> {
    switch (kind) {
      case 'clog':
        return this.#clog(rng);
      case 'rewind':
        return this.#rewind(rng);
      case 'breakdown':
        return this.#breakDown(rng);
      case 'node-clock':
        return this.#setClock(rng);
      case 'alarm':
        this.#sim.bell.change(rng);
        return this.#sim.controller?.judge();
      case 'restore':
        return this.#putBack(rng);
    }
  }

  /** A transaction of so many events is durable. */
  committed(events: number): void {
    this.#commits.push((this.#commits.at(-1) ?? 0) + events);
  }

  /** The state of some commit before, mostly of a late one. */
  async #putBack(rng: Rng): Promise<void> {
    if (this.#commits.length === 0) return;
    const at = Math.max(0, this.#commits.length - 1 - Math.floor(rng.span(this.#commits.length / 4)));
    const upTo = this.#commits[at] ?? 0;
    this.#sim.log(`the first ${upTo} events are put back`);
    const added = await putBack(this.#sim, { upTo, adopts: this.adopts, fences: this.fences });
    this.#commits.splice(at + 1);
    this.committed(added);
  }

  /** Every hub works. */
  mend(): void {
    for (const hub of this.#sim.truth.hubs.values()) hub.missing = false;
  }

  /** One line after the other fills up; they are free again in another order, unless they were given up meanwhile. */
  #clog(rng: Rng): void {
    const { nodes, timeline } = this.#sim;
    const lines = [...nodes.values()].flatMap(({ streams }) =>
      [...streams].flatMap((stream) => (['there', 'back'] as const).map((way: Way) => ({ stream, way }))),
    );
    const chosen = rng.shuffled(lines).slice(0, rng.between(1, Math.max(1, lines.length)));
    const [step, hold] = [rng.int(2_000), rng.span(8_000)];
    for (const [i, { stream, way }] of chosen.entries()) timeline.after(i * step, () => stream.clog(way));
    for (const [i, { stream, way }] of rng.shuffled(chosen).entries())
      timeline.after(chosen.length * step + hold + i * rng.int(2_000), () => stream.clear(way));
  }

  /** Somebody forces the target back to where it was, and perhaps pushes something else on top. */
  #rewind(rng: Rng): void {
    const { truth, timeline } = this.#sim;
    const hub = rng.pick([...truth.hubs.values(), null]);
    if (hub === null) return;
    for (let i = rng.between(1, MOST_TAKEN_OFF); i > 0; i--)
      hub.target = truth.objects.get(hub.target).parents[0] ?? hub.target;
    if (rng.chance(0.5)) return;
    const files = new Map(truth.objects.get(hub.target).files);
    files.set('README', `forced at ${timeline.now}`);
    hub.target = truth.objects.commit([hub.target], files).id;
  }

  #breakDown(rng: Rng): void {
    const hub = rng.pick([...this.#sim.truth.hubs.values(), null]);
    if (hub === null) return;
    hub.missing = true;
    this.#sim.timeline.after(rng.span(this.breakdownMs), () => {
      hub.missing = false;
    });
  }

  #setClock(rng: Rng): string {
    const [hour, day] = [HOUR, 24 * HOUR];
    const { name } = rng.pick(this.#sim.scenario.nodes);
    const by = rng.chance(0.5)
      ? rng.pick([hour, day, -hour, -day])
      : rng.chance(0.5)
        ? rng.between(-5_000, 5_000)
        : rng.between(-day, day);
    this.#sim.node(name).setClock(by);
    return by > 0 ? 'ahead' : 'back';
  }
}
