/**
 * What `serve` does about second looks by itself: whenever something has merged into a project that asks for them, the
 * tasks that are due are looked at, one after the other and beside everything else. A model that cannot be asked is
 * noted once and tried again later; it keeps nothing from merging.
 */
import { join } from 'node:path';
import type { Note } from '../../controller/note.ts';
import { homePaths } from '../../controller/paths.ts';
import type { Session } from '../../controller/session.ts';
import { openScratchHub } from '../../git/scratch-hub.ts';
import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import type { Project } from '../../model/task.ts';
import { modelError } from '../../models/failure.ts';
import { toLookAt } from '../../review/pick.ts';
import { openReader } from '../../store/sqlite/reader.ts';
import { openAsker } from '../asker.ts';
import type { Context } from '../context.ts';
import { writeFollowUp } from './follow-up.ts';
import { lookAtMerged, type Looked } from './look-merged.ts';

/** After a failure that waiting may mend, milliseconds. */
const LATER_MS = 10 * 60_000;
const DUE = new Set<string>(['merge.landed', 'project.configured', 'revert.refused']);

export class AutomaticLooks {
  readonly #context: Context;
  readonly #session: Session;
  readonly #onNote: (note: Note) => void;
  readonly #abort = new AbortController();
  /** What was said of a project's failure last, so that it is said once. */
  readonly #said = new Map<string, string>();
  #turn: Promise<void> = Promise.resolve();
  #wanted = false;
  #later: NodeJS.Timeout | null = null;

  constructor(context: Context, session: Session, onNote: (note: Note) => void) {
    this.#context = context;
    this.#session = session;
    this.#onNote = onNote;
    this.#stir();
  }

  events(events: readonly Event[]): void {
    if (events.some(({ fact }) => DUE.has(fact.type))) this.#stir();
  }

  /** Resolves when the question that is under way has been given up. */
  async stop(): Promise<void> {
    this.#abort.abort();
    if (this.#later !== null) clearTimeout(this.#later);
    await this.#turn;
  }

  #stir(): void {
    if (this.#wanted || this.#abort.signal.aborted) return;
    this.#wanted = true;
    this.#turn = this.#turn.then(() => {
      this.#wanted = false;
      return this.#all();
    });
  }

  async #all(): Promise<void> {
    for (const name of this.#session.state.projects.keys()) {
      const project = this.#session.state.projects.get(name);
      if (this.#abort.signal.aborted || project?.config.look?.serve !== true) continue;
      try {
        await this.#one(project);
        this.#said.delete(name);
      } catch (thrown) {
        this.#failed(project, thrown);
      }
    }
  }

  async #one(project: Project): Promise<void> {
    const home = this.#context.home();
    const session = this.#session;
    const tasks = toLookAt(session.state, project, { all: false, again: false });
    if (tasks.length === 0) return;
    const asker = await openAsker(this.#context, home, 'review', project.name);
    const hub = await openScratchHub(join(homePaths(home).repos, `${project.name}.git`));
    const reader = await openReader(homePaths(home).database);
    try {
      const { looked, failure } = await lookAtMerged({
        project,
        tasks,
        hub,
        asker,
        specText: (task) => reader.specText(task),
        record: (_, command) => session.command(command),
        signal: this.#abort.signal,
      });
      if (project.config.look?.followUp === true) await this.#followUps(home, project, looked);
      if (failure !== null && failure.is !== 'stopped') throw modelError(failure, asker.use);
    } finally {
      await reader.close();
      await hub.remove();
    }
  }

  async #followUps(home: string, project: Project, looked: readonly Looked[]): Promise<void> {
    for (const one of looked) if (one.reply.ok) await writeFollowUp(home, this.#session.state, project, one);
  }

  #failed({ name }: Project, thrown: unknown): void {
    if (this.#abort.signal.aborted) return;
    const error = thrown instanceof DispatchError ? thrown : null;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (this.#said.get(name) !== message) {
      this.#said.set(name, message);
      this.#onNote({
        about: 'effect',
        name: `second look at ${name}`,
        code: error?.code ?? null,
        message,
        fix: error?.fix ?? null,
      });
    }
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#stir(), LATER_MS);
    this.#later.unref();
  }
}
