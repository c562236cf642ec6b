/** The review queue on a terminal: a page for each task, and one key for each decision. */
import { createInterface } from 'node:readline/promises';
import { DispatchError } from '../../model/error.ts';
import { itemOf, type QueueItem, reviewQueue } from '../../review/queue.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { Context } from '../context.ts';
import { terminalRows } from '../environment.ts';
import { giveAll } from '../order.ts';
import { safeLine } from '../render/safe-text.ts';
import type { HomeView } from '../view.ts';
import { dossierOf } from './dossier.ts';
import { dossierLines } from './screen.ts';
import { takeOver, takenLines } from './take.ts';

const HELP = 'j next   k back   a approve   r reject   t take over   q quit';
const CLEAR = '\u001b[2J\u001b[H';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** Goes on until `q`, Ctrl-C, or nothing waits any more. @returns how many were decided. */
export async function decideByKeys(
  context: Context,
  view: HomeView,
  project: ProjectName | null,
): Promise<number> {
  const { output, environment } = context;
  const keys = new Keys();
  let decided = 0;
  let index = 0;
  let said = '';
  try {
    for (;;) {
      await view.refresh();
      const queue = reviewQueue(view.state, project);
      index = Math.min(Math.max(index, 0), queue.length - 1);
      const item = queue[index];
      if (item === undefined) {
        output.line(`${said === '' ? '' : `${said}\n`}nothing waits for you any more`);
        return decided;
      }
      await draw(context, view, item, `${index + 1} of ${queue.length}   ${HELP}`, said);
      said = '';
      const key = await keys.next();
      if (key === 'q' || key === CTRL_C || key === CTRL_D || key === null) return decided;
      if (key === 'j') index += 1;
      else if (key === 'k') index -= 1;
      else if (key === 'a' || key === 'r') {
        const reason = key === 'a' ? '' : await keys.line(`\nWhy is ${item.id} rejected? (empty: go back) `);
        if (reason === null || (key === 'r' && reason === '')) continue;
        said = await decide(context, view, item, key === 'a', reason);
        if (said.startsWith('✔')) decided += 1;
      } else if (key === 't') said = await take(context, view, item);
      else said = HELP;
    }
  } finally {
    keys.stop();
    output.line('');
  }

  async function decide(
    at: Context,
    seen: HomeView,
    item: QueueItem,
    approved: boolean,
    reason: string,
  ): Promise<string> {
    if (await hasMoved(seen, item)) return `${item.task} has moved on meanwhile; look again`;
    const by = environment.user;
    const [given] = await giveAll(at, [
      [item.task, { verb: 'review', task: item.task, approved, by, reason }],
    ]);
    if (given?.reply.ok !== true)
      return `${item.task}: ${safeLine(given?.reply.ok === false ? given.reply.message : 'no answer')}`;
    return `✔ ${item.task} ${approved ? 'approved' : 'rejected'}`;
  }
}

/** A page that a person read slowly may be about work that is gone. */
async function hasMoved(view: HomeView, { task, token, commit, at }: QueueItem): Promise<boolean> {
  await view.refresh();
  const now = view.state.tasks.get(task);
  const project = now === undefined ? undefined : view.state.projects.get(now.spec.project);
  const item = now === undefined || project === undefined ? null : itemOf(now, project);
  return item === null || item.token !== token || item.commit !== commit || item.at !== at;
}

async function take(context: Context, view: HomeView, item: QueueItem): Promise<string> {
  try {
    return takenLines(await takeOver(context, view, item, undefined)).join('\n');
  } catch (thrown) {
    if (!(thrown instanceof DispatchError)) throw thrown;
    return [thrown.message, thrown.fix ?? '']
      .filter((text) => text !== '')
      .map(safeLine)
      .join('\n');
  }
}

async function draw(
  context: Context,
  view: HomeView,
  item: QueueItem,
  status: string,
  said: string,
): Promise<void> {
  const { output } = context;
  const now = Date.now();
  const below = said === '' ? [] : ['', ...said.split('\n')];
  const rows = terminalRows() - below.length - 2;
  const size = { columns: output.terminal.columns, rows };
  const lines = dossierLines(await dossierOf(view, item, now), now, size, output.paint);
  output.write(`${CLEAR}${[...lines, ...below, '', output.paint.dim(status)].join('\n')}\n`);
}

/** Keys one by one, as a terminal sends them; what is typed while something else is done waits. */
class Keys {
  readonly #typed: string[] = [];
  #wake: (() => void) | null = null;
  #ended = false;
  readonly #onData = (bytes: Buffer): void => {
    this.#typed.push(...Array.from(bytes.toString('utf8')));
    this.#wake?.();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  constructor() {
    this.#listen();
  }

  /** The next key; null when the terminal is gone. */
  async next(): Promise<string | null> {
    while (this.#typed.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    return this.#typed.shift() ?? null;
  }

  /** A line with the terminal's own editing; null for Ctrl-C and Ctrl-D. */
  async line(question: string): Promise<string | null> {
    this.stop();
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      const closed = new Promise<null>((resolve) => {
        lines.once('close', () => resolve(null));
        lines.once('SIGINT', () => lines.close());
      });
      const answer = lines.question(question).then((text) => text.trim());
      answer.catch(() => undefined);
      return await Promise.race([answer, closed]);
    } finally {
      lines.close();
      this.#listen();
    }
  }

  stop(): void {
    const { stdin } = process;
    stdin.off('data', this.#onData).off('end', this.#onEnd);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }

  #listen(): void {
    const { stdin } = process;
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on('data', this.#onData).on('end', this.#onEnd);
    stdin.resume();
  }
}
