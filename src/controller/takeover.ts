/** Takes projects over from disk: their tasks into the state, their hubs into being, and what nodes have to be asked for them. */
import { DispatchError } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { Reply } from './commands.ts';
import type { Command, Input } from './door.ts';
import type { Hubs } from './hubs.ts';
import type { Note } from './note.ts';

export interface LoadedProject {
  readonly config: ProjectConfig;
  readonly specs: readonly { readonly spec: TaskSpec; readonly text: string }[];
}

export interface TakeoverOptions {
  readonly state: State;
  readonly hubs: Hubs;
  readonly ask: (command: Command) => Promise<Reply>;
  readonly push: (input: Input) => void;
  readonly note: (note: Note) => void;
  /** Tasks have come: nodes that were not asked yet for what they need are. */
  readonly lookAround: () => void;
}

export class Takeover {
  readonly #options: TakeoverOptions;
  readonly #sandboxed = new Set<ProjectName>();

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** Whether some verify command wants a sandbox. */
  get needsSandbox(): boolean {
    return this.#sandboxed.size > 0;
  }

  /** As it is on disk now. @throws DispatchError what keeps its hub from being set up. */
  async take({ config, specs }: LoadedProject): Promise<void> {
    const { state, hubs, ask, push, note, lookAround } = this.#options;
    const { name } = config;
    const before = state.projects.get(name)?.config;
    if (before?.repo !== config.repo || before.target !== config.target) hubs.reopen(name);
    const reply = await ask({ verb: 'load', config, specs });
    if (!reply.ok) throw new DispatchError(reply.code, reply.message);
    for (const message of reply.notes) note({ about: 'spec', name, code: null, message, fix: null });
    if (needsSandbox({ config, specs })) this.#sandboxed.add(name);
    else this.#sandboxed.delete(name);
    lookAround();
    if (config.repo === null) return;
    const hub = await hubs.of(name);
    const integration = await hub.base();
    push({ is: 'based', key: `base:${name}`, project: name, integration });
  }
}

function needsSandbox({ config, specs }: LoadedProject): boolean {
  if (config.sandbox.trusted) return false;
  return config.verify !== null || specs.some(({ spec }) => spec.verify !== null);
}
