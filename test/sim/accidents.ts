/** What befalls the world from time to time, each kind at its own mean interval, until everything is mended. */
import type { Rng } from './rng.ts';
import type { Accident } from './scenario.ts';
import type { Simulation } from './simulation.ts';

export class Accidents {
  readonly #sim: Simulation;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  begin(): void {
    const kinds = Object.keys(this.#sim.scenario.accidents) as Accident[];
    for (const kind of kinds) if (this.#sim.scenario.accidents[kind] > 0) this.#await(kind);
  }

  #await(kind: Accident): void {
    const { timeline, scenario } = this.#sim;
    const rng = this.#rngOf(kind);
    timeline.after(rng.span(scenario.accidents[kind]), async () => {
      if (this.#sim.calm) return;
      this.#sim.log(`accident: ${kind}`);
      await this.#happen(kind);
      this.#await(kind);
    });
  }

  /** What was added later draws from its own: the rest of a seed stays what it was. */
  #rngOf(kind: Accident): Rng {
    if (kind === 'sleep') return this.#sim.sleeps;
    if (kind === 'away' || kind === 'offline') return this.#sim.absences;
    return kind === 'ail' || kind === 'pass' ? this.#sim.ills : this.#sim.rng;
  }

  async #happen(kind: Accident): Promise<void> {
    const sim = this.#sim;
    const { rng } = sim;
    if (kind === 'sleep') return sim.controller?.sleep(sim.sleeps.span(600_000));
    if (kind === 'away') {
      const { name } = sim.absences.pick(sim.scenario.nodes);
      return sim.node(name).leave(sim.absences.span(90_000));
    }
    if (kind === 'offline') return sim.hearing.goOffline(sim.absences.span(120_000));
    if (kind === 'ail' || kind === 'pass') {
      const { ills } = sim.node(sim.ills.pick(sim.scenario.nodes).name);
      return kind === 'ail' ? ills.befall() : ills.pass();
    }
    const node = sim.node(rng.pick(sim.scenario.nodes).name);
    switch (kind) {
      case 'cut':
        return [...node.streams][0]?.cut('the line was cut');
      case 'reboot':
        return node.reboot();
      case 'wipe':
        return node.wipe();
      case 'pause':
        return node.pause(rng.span(20_000));
      case 'kill':
        return sim.controller?.die('killed');
      case 'zombie':
        return sim.controller === null ? undefined : sim.supersede();
      case 'clock':
        // A laptop that slept, or a clock that was set.
        return sim.jumpClock(rng.chance(0.7) ? rng.span(300_000) : -rng.int(60_000));
      case 'target':
        return this.#moveTarget();
      case 'replay':
        return node.replay(rng.int(node.seq + 1));
      case 'person':
        return sim.person.act();
    }
  }

  /** Somebody pushes to the target branch, mostly beside the tasks' files and sometimes into them. */
  #moveTarget(): void {
    const { rng, truth, scenario, timeline } = this.#sim;
    const { name } = rng.pick(scenario.projects);
    const hub = truth.hubs.get(name);
    if (hub === undefined) return;
    const files = new Map(truth.objects.get(hub.target).files);
    files.set(rng.chance(0.8) ? 'README' : 'g.ts', `pushed at ${timeline.now}`);
    hub.target = truth.objects.commit([hub.target], files).id;
    if (rng.chance(0.5)) this.#sim.ask({ verb: 'collect', project: name });
  }
}
