/**
 * Lets effects out, each to its node or its hub, and brings back what came of it. What goes wrong is told, and counted by
 * the breakers, until the session lets go of its nodes: what was under way then is asked for again by the next controller.
 */
import { DispatchError } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Store } from '../store/port.ts';
import { Breakers, type PartStanding } from './breakers.ts';
import { systemClock } from './clock.ts';
import type { Effect, Input } from './door.ts';
import type { Fleet } from './fleet.ts';
import { HubCare } from './hub-care.ts';
import { performOnHub } from './hub-effects.ts';
import type { Hubs } from './hubs.ts';
import { performNodeEffect } from './node-effects.ts';
import type { Note } from './note.ts';

export interface HandsOptions {
  readonly state: State;
  readonly epoch: number;
  readonly store: Pick<Store, 'specText'>;
  readonly fleet: Fleet;
  readonly hubs: Hubs;
  readonly push: (input: Input) => void;
  readonly note: (note: Note) => void;
  /** Another controller has taken over. */
  readonly onSuperseded: (error: DispatchError) => void;
}

export class Hands {
  readonly #options: HandsOptions;
  readonly #care: HubCare;
  readonly #breakers: Breakers;
  #lettingGo = false;

  constructor(options: HandsOptions) {
    this.#options = options;
    const { hubs, push, note } = options;
    this.#care = new HubCare(() => hubs.opened());
    this.#breakers = new Breakers({
      onNote: note,
      restart: (project) => this.#restart(project),
      safe: (project, on) => push({ is: 'safe', project, on }),
      now: () => systemClock.wall(),
    });
  }

  /** How the parts of the controller are doing, by name. */
  get parts(): ReadonlyMap<string, PartStanding> {
    return this.#breakers.parts;
  }

  /** Never throws: what went wrong comes back as an input. */
  async perform(effect: Effect): Promise<Input> {
    const input = await this.#care.during(() => this.#performNow(effect));
    if (this.#lettingGo) return input;
    this.#breakers.heard(effect, input);
    if (input.is === 'effect.failed') {
      const { code, message, why, fix = null } = input.problem;
      const told = why === undefined ? message : `${message}: ${why}`;
      this.#options.note({ about: 'effect', name: effect.key, code, message: told, fix });
    }
    return input;
  }

  /** From now on what fails is no news. */
  letGo(): void {
    this.#lettingGo = true;
    this.#breakers.stop();
  }

  /** Settles when no git of it is left that tidies. */
  stop(): Promise<void> {
    return this.#care.stop();
  }

  async #performNow(effect: Effect): Promise<Input> {
    const { state, epoch, store, fleet, hubs, onSuperseded } = this.#options;
    switch (effect.do) {
      case 'mend':
        return fleet.mend(effect);
      case 'start':
      case 'cancel':
      case 'forget':
        return performNodeEffect(effect, {
          state,
          epoch,
          links: fleet.links,
          hubs,
          orders: {
            epoch,
            specText: async (task) => (await store.specText(task.key)) ?? '',
            readFile: async (project, commit, path) => (await hubs.of(project.name)).readFile(commit, path),
          },
          onSuperseded: (node) => {
            const message = `another controller has taken over (node ${node} has seen a newer epoch)`;
            onSuperseded(new DispatchError('E_FENCED', message, { fix: 'dispatch status' }));
          },
          onNoSpace: (node) => fleet.look(node),
        });
      default:
        return performOnHub(effect, { state, hubs, links: fleet.links });
    }
  }

  /** Hubs are opened anew when they are next needed. */
  #restart(project: ProjectName | null): void {
    const { state, hubs } = this.#options;
    for (const name of project === null ? state.projects.keys() : [project]) hubs.reopen(name);
  }
}
