/**
 * How often each task has lost an attempt so far, from what the controller tells; and whether an attempt was ever begun
 * while a process of an earlier one of its task lived. A task that was lost five times is given up by the product's own
 * rule, so whoever draws the next blow waits while somebody has had nearly as many.
 */
import { readFileSync } from 'node:fs';
import { until } from '../cluster/until.ts';
import type { Arena, ArenaNode } from './arena.ts';
import type { Controller } from './controller.ts';
import type { Report } from './report.ts';

const MOST_LOSSES = 3;
const PATIENCE_MS = 600_000;
const LOOK_MS = 250;

export class Hits {
  readonly #lost = new Map<string, number>();
  readonly #over = new Set<string>();
  readonly #arena: Arena;
  readonly #report: Report;
  readonly #looks: NodeJS.Timeout;
  #seen = 0;

  constructor(arena: Arena, controller: Controller, report: Report) {
    this.#arena = arena;
    this.#report = report;
    controller.onTold(({ type, data }) => {
      if (type !== 'News') return;
      // News names it with its project before it.
      const task = String(data.about).replace(/^.*\//u, '');
      if (data.word === 'ended' && String(data.detail).startsWith('lost'))
        this.#lost.set(task, this.lost(task) + 1);
      if (data.word === 'merged' || data.word === 'failed') this.#over.add(task);
    });
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
  }

  lost(task: string): number {
    return this.#lost.get(task) ?? 0;
  }

  /** Attempts that were lost so far. */
  get total(): number {
    return [...this.#lost.values()].reduce((sum, times) => sum + times, 0);
  }

  /**
   * A node to strike, when nobody who still works has been lost so often that once more could be the end of it. Those who
   * wait for the last blow cannot end before it: they are not waited for, and the node where one of them works is spared.
   */
  async bearable(): Promise<ArenaNode> {
    const { tasks, nodes, rng } = this.#arena;
    const waiting = new Set(tasks.filter(({ awaits }) => awaits !== null).map(({ id }) => id));
    const tired = (): string[] =>
      [...this.#lost].flatMap(([task, times]) => (times < MOST_LOSSES || this.#over.has(task) ? [] : [task]));
    let free: ArenaNode[] = [];
    const holds = (): boolean => {
      if (tired().some((task) => !waiting.has(task))) return false;
      const spared = new Set(tired());
      const tokens = this.#arena.home.executions().filter(({ task }) => spared.has(task));
      free = nodes.filter(
        (node) => this.#alive(new Set(tokens.map(({ token }) => token)), [node]).length === 0,
      );
      return free.length > 0;
    };
    await until('that nobody has been lost too often', holds, PATIENCE_MS);
    return rng.pick(free);
  }

  stop(): void {
    clearInterval(this.#looks);
    this.#look();
  }

  #look(): void {
    const ran = this.#arena.home.executions();
    const fresh = ran.slice(this.#seen);
    this.#seen = ran.length;
    for (const { task, attempt } of fresh) {
      if (attempt === 1) continue;
      const earlier = ran.filter((one) => one.task === task && one.attempt < attempt);
      const alive = this.#alive(new Set(earlier.map(({ token }) => token)));
      for (const token of alive)
        this.#report.violation(`${task}: attempt ${attempt} was begun while ${token} had a process`);
    }
  }

  #alive(tokens: ReadonlySet<string>, nodes: readonly ArenaNode[] = this.#arena.nodes): string[] {
    if (tokens.size === 0) return [];
    const pids = nodes.flatMap(({ machine }) => machine?.processes() ?? []);
    return pids.flatMap((pid) => {
      const token = /(?:^|\0)DISPATCH_TOKEN=([0-9a-f]{32})\0/u.exec(environment(pid))?.[1];
      return token !== undefined && tokens.has(token) ? token : [];
    });
  }
}

function environment(pid: number): string {
  try {
    // One that has ended and is not reaped has none.
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}
