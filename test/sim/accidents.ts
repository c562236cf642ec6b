/** What befalls the world from time to time, each kind at its own mean interval, until everything is mended. */
import { HOUR, SECOND, weathered } from './pace.ts';
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
    for (const kind of kinds) if (this.#sim.scenario.accidents[kind] > 0) this.#await(kind, 1);
  }

  #await(kind: Accident, n: number): void {
    const { timeline, scenario, faults } = this.#sim;
    const { rng, admit } = faults.accident(kind, n);
    const span = weathered(scenario.storms, timeline.now, rng.span(scenario.accidents[kind]));
    const strike = async (): Promise<void> => {
      if (this.#sim.calm) return;
      const place = admit();
      if (place !== null) {
        this.#sim.log(`accident: ${kind}`);
        const detail = await this.#happen(kind, rng);
        if (typeof detail === 'string') faults.specify(detail, place);
      }
      this.#await(kind, n + 1);
    };
    // Half of them happen while something else is under way.
    const ambush = rng.chance(0.5) ? rng.int(2 * scenario.delay + 100) : null;
    timeline.after(span, () => (ambush === null ? strike() : this.#sim.whenStirred(ambush, strike)));
  }

  /**
   * @param rng its own: the same accident is the same in every run of the seed.
   * @returns which of its kind it was, where there are several.
   */
  async #happen(kind: Accident, rng: Rng): Promise<string | void> {
    const sim = this.#sim;
    const node = sim.node(rng.pick(sim.scenario.nodes).name);
    switch (kind) {
      case 'clog':
      case 'rewind':
      case 'breakdown':
      case 'node-clock':
      case 'alarm':
      case 'restore':
        return sim.misfortunes.happen(kind, rng);
      case 'sleep':
        return sim.controller?.sleep(rng.magnitude(10 * SECOND, 8 * HOUR));
      case 'away':
        return node.leave(rng.magnitude(SECOND, 4 * HOUR));
      case 'offline':
        return sim.hearing.goOffline(rng.magnitude(10 * SECOND, 4 * HOUR));
      case 'ail':
        return node.ills.befall();
      case 'pass':
        return node.ills.pass();
      case 'cut':
        return [...node.streams][0]?.cut('the line was cut');
      case 'reboot':
        return node.reboot();
      case 'wipe':
        return node.wipe();
      case 'pause':
        return node.pause(rng.magnitude(SECOND, 2 * HOUR));
      case 'kill':
        return sim.controller?.die('killed');
      case 'zombie':
        return sim.controller === null ? undefined : sim.supersede();
      case 'clock':
        return this.#setClock(rng);
      case 'target':
        return this.#moveTarget(rng);
      case 'replay':
        return node.replay(rng.int(node.seq + 1));
      case 'person':
        return sim.person.act(rng);
    }
  }

  /** A laptop slept, or somebody set its clock: by as much as it was wrong, or by a zone or a day. */
  #setClock(rng: Rng): string {
    const by = rng.chance(0.5)
      ? rng.pick([HOUR, 24 * HOUR, -HOUR, -24 * HOUR])
      : rng.chance(0.7)
        ? rng.magnitude(SECOND, 24 * HOUR)
        : -rng.magnitude(SECOND, HOUR);
    this.#sim.jumpClock(by);
    const size = Math.abs(by) === HOUR ? ' an hour' : Math.abs(by) === 24 * HOUR ? ' a day' : '';
    return `${by > 0 ? 'ahead' : 'back'}${size}`;
  }

  /** Somebody pushes to the target branch, mostly beside the tasks' files and sometimes into them. */
  #moveTarget(rng: Rng): void {
    const { truth, scenario, timeline } = this.#sim;
    const { name } = rng.pick(scenario.projects);
    const hub = truth.hubs.get(name);
    if (hub === undefined) return;
    const files = new Map(truth.objects.get(hub.target).files);
    files.set(rng.chance(0.8) ? 'README' : 'g.ts', `pushed at ${timeline.now}`);
    hub.target = truth.objects.commit([hub.target], files).id;
    if (rng.chance(0.5)) this.#sim.ask({ verb: 'collect', project: name });
  }
}
