/** Safe mode as a controller of production comes into it and leaves it, and what may not happen while it lasts. */
import { Breakers } from '../../src/controller/breakers.ts';
import type { Input } from '../../src/controller/door.ts';
import type { NewEvent } from '../../src/model/event.ts';
import { projectOfKey } from '../../src/model/found.ts';
import type { ProjectName } from '../../src/model/ids.ts';

export class Safety {
  readonly breakers: Breakers;
  readonly #safe = new Set<ProjectName | null>();

  /** @param now wall clock, milliseconds. */
  constructor(push: (input: Input) => void, now: () => number) {
    this.breakers = new Breakers({
      onNote: () => undefined,
      restart: () => undefined,
      now,
      safe: (project, on) => push({ is: 'safe', project, on }),
    });
  }

  /** What goes into the next turn. */
  heard(inputs: readonly Input[]): void {
    for (const input of inputs) {
      if (input.is !== 'safe') continue;
      if (input.on === null) this.#safe.delete(input.project);
      else this.#safe.add(input.project);
    }
  }

  /** No work of a project begins in a turn that knows that its hub does not work, and any may when it works again. */
  violations(events: readonly NewEvent[], believed: ReadonlyMap<ProjectName | null, unknown>): string[] {
    const stays = [...believed.keys()].filter((project) => !this.#safe.has(project));
    const begun = events.flatMap(({ fact }) => {
      if (fact.type !== 'attempt.claimed' || fact.work.kind !== 'work') return [];
      const isSafe = this.#safe.has(null) || this.#safe.has(projectOfKey(fact.task));
      return isSafe ? [`${fact.task}: starts in safe mode`] : [];
    });
    return [...begun, ...stays.map((project) => `${project ?? 'everything'}: stays in safe mode`)];
  }
}
