/**
 * The events of a home, from the first one on, one at a time, to a DailyReport. The state is rebuilt on the way by the one
 * door that made it, so a report on a past day says what was so in its evening, the log alone decides, and memory holds
 * the state and what is counted, never the events. Attempts that began the day before count with what lies in the period.
 *
 * Wall clocks may be set back; `seq` is the order, and the moment of an event only says which span it lies in.
 */
import type { Event, Fact } from '../../model/event.ts';
import { evolve } from '../../model/evolve.ts';
import type { NodeName, ProjectName, TaskKey, Token } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { PriceTable } from '../../model/price.ts';
import { emptyState } from '../../model/state.ts';
import { tokensIn, usageOf } from '../../model/usage.ts';
import { axisOf } from './axis.ts';
import { buildDay, type Folded } from './build.ts';
import { Buckets } from './buckets.ts';
import type { DailyReport } from './model.ts';
import { asReported, byList, type Price } from './money.ts';
import { Noted } from './noted.ts';
import { daysUpTo, moved, type Period } from '../../model/period.ts';
import { actOf } from './person.ts';
import { type Piece, SlotClock } from './slots.ts';
import { StepTime } from './step-time.ts';
import { executorOf, type Span, Window } from './window.ts';

export interface DailyOptions {
  readonly period: Period;
  /** nodes.json as it is now. */
  readonly nodes: readonly NodeConfig[];
  readonly now: number;
  /** US dollars per million tokens, and of when; missing: money is what executors reported. */
  readonly prices?: { readonly asOf: string; readonly table: PriceTable };
}

const TREND_DAYS = 7;

export class DailyFold {
  readonly #options: DailyOptions;
  readonly #state = emptyState();
  readonly #price: Price;
  readonly #main: Window;
  readonly #before: Window;
  readonly #trend: readonly { readonly date: string; readonly window: Window }[];
  readonly #windows: readonly Window[];
  readonly #buckets: Buckets;
  readonly #noted = new Noted();
  readonly #clock: SlotClock;
  readonly #nodes = new Map<NodeName, NodeTally>();
  readonly #steps = new StepTime((from, to) => this.#inside(from, to));
  readonly #firstSeen = new Map<NodeName, { readonly at: number; doneAt: number | null }>();
  readonly #delivery = new Map<ProjectName, Event>();
  readonly #conflicted = new Set<TaskKey>();
  readonly #blind = { asleep: 0, absent: 0 };
  #restarts = 0;
  #events = 0;
  #firstAt: number | null = null;
  #next: Event | null = null;

  constructor(options: DailyOptions) {
    this.#options = options;
    const { period, nodes, prices } = options;
    this.#price = prices === undefined ? asReported : byList(this.#state, prices.table);
    this.#main = new Window(period);
    this.#before = new Window(spanBefore(period, options.now));
    this.#trend = daysUpTo(period, TREND_DAYS).map((day) => ({
      date: day.label,
      window: new Window(day),
    }));
    this.#windows = [this.#main, this.#before, ...this.#trend.map(({ window }) => window)];
    this.#buckets = new Buckets(period);
    this.#clock = new SlotClock(new Map(nodes.map(({ name, slots }) => [name, slots])), {
      spend: (piece) => this.#spend(piece),
      blind: (why, from, to) => {
        this.#blind[why] += this.#inside(from, to);
      },
    });
  }

  /** Takes the next event. @returns false when the period is over: no later one is needed. */
  push(event: Event): boolean {
    const { fact, at } = event;
    // A moment that has not come yet is a clock that was wrong, and ends nothing.
    if (at >= this.#main.to && at <= this.#options.now) {
      this.#next = event;
      return false;
    }
    this.#firstAt ??= at;
    if (fact.type === 'controller.acquired') this.#clock.acquired(at);
    this.#clock.seen(at);
    const here = this.#windows.filter((window) => window.has(at));
    const act = actOf(fact, this.#state);
    if (act !== null) for (const window of here) window.acts.note(act, at);
    this.#steps.note(fact, at);
    const flakesBefore = fact.type === 'gate.proved' ? this.#flakes(fact) : 0;
    evolve(this.#state, event);
    if (fact.type === 'gate.proved' && this.#main.has(at)) {
      const times = this.#flakes(fact) - flakesBefore;
      if (times > 0) this.#noted.flaked(fact.project, fact.verify, times);
    }
    this.#follow(fact, at);
    this.#count(event, here);
    if (!this.#main.has(at)) return true;
    this.#events += 1;
    this.#noted.note(event, this.#state);
    this.#chart(fact, at);
    return true;
  }

  /** @param alive a controller keeps the home now. */
  finish(alive: boolean): DailyReport {
    const until = Math.min(this.#options.period.to, this.#options.now);
    this.#last(alive, until);
    this.#steps.flush(until);
    const axis = axisOf(this.#options.period, this.#buckets.happened);
    const folded: Folded = {
      options: this.#options,
      price: this.#price,
      until,
      state: this.#state,
      connected: this.#clock.connected,
      windows: { main: this.#main, before: this.#before, trend: this.#trend },
      firstAt: this.#firstAt,
      axis,
      buckets: this.#buckets.list(axis),
      bucketMs: this.#buckets.ms,
      noted: this.#noted,
      nodes: this.#nodes,
      steps: this.#steps.sums,
      firstSeen: this.#firstSeen,
      deliveries: [...this.#delivery.values()],
      conflicted: this.#conflicted,
      blind: this.#blind,
      restarts: this.#restarts,
      events: this.#events,
    };
    return buildDay(folded);
  }

  /** Up to the end: the first event beyond it, if there is one, says whether somebody was there until then. */
  #last(alive: boolean, until: number): void {
    const next = this.#next;
    if (next === null) {
      if (!alive) this.#clock.leave();
    } else if (next.fact.type === 'controller.acquired') this.#clock.acquired(next.at);
    else if (next.fact.type === 'controller.slept') this.#clock.slept(next.fact.ms, next.at);
    this.#clock.flush(until);
  }

  #follow(fact: Fact, at: number): void {
    const { attempts } = this.#state;
    switch (fact.type) {
      case 'controller.acquired':
        if (this.#main.has(at)) this.#restarts += 1;
        return;
      case 'controller.slept':
        return this.#clock.slept(fact.ms, at);
      case 'node.connected': {
        this.#clock.connect(fact.node, true, at);
        if (!this.#firstSeen.has(fact.node)) this.#firstSeen.set(fact.node, { at, doneAt: null });
        return;
      }
      case 'node.disconnected':
        this.#clock.connect(fact.node, false, at);
        if (this.#main.has(at)) this.#node(fact.node).outages += 1;
        return;
      case 'node.marked':
        return this.#clock.mark(fact.node, fact.mark, at);
      case 'attempt.claimed':
        return this.#clock.busy(fact.node, 1, at);
      case 'attempt.ended':
      case 'attempt.fenced': {
        const attempt = attempts.get(fact.token);
        if (attempt === undefined) return;
        this.#clock.busy(attempt.node, -1, at);
        const seen = this.#firstSeen.get(attempt.node);
        const good = fact.type === 'attempt.ended' && fact.outcome.kind === 'done';
        if (good && attempt.work.kind === 'work' && seen !== undefined) seen.doneAt ??= at;
        return;
      }
      case 'merge.conflicted': {
        const task = attempts.get(fact.token)?.task;
        if (task !== undefined) this.#conflicted.add(task);
        return;
      }
      case 'delivery.failed':
      case 'delivery.landed':
        this.#delivery.set(fact.project, { seq: 0, at, epoch: 0, fact, source: null });
        return;
      default:
    }
  }

  #count({ fact, at }: Event, windows: readonly Window[]): void {
    for (const window of windows) {
      switch (fact.type) {
        case 'merge.landed':
        case 'task.completed': {
          const task = this.#state.tasks.get(this.#state.attempts.get(fact.token)?.task ?? ('' as TaskKey));
          if (task !== undefined) window.took.push(Math.max(0, at - task.addedAt));
          break;
        }
        case 'revert.landed':
          window.reverted += 1;
          break;
        case 'task.failed':
          window.failed += 1;
          break;
        case 'attempt.ended':
          if (this.#isWork(fact.token) && fact.outcome.kind === 'refused') window.refusals += 1;
          break;
        case 'candidate.refused':
        case 'merge.refused':
          window.refusals += 1;
          break;
        case 'revert.refused':
          if (fact.findings !== undefined) window.refusals += 1;
          break;
        default:
      }
    }
  }

  #chart(fact: Fact, at: number): void {
    switch (fact.type) {
      case 'merge.landed':
      case 'task.completed':
        return this.#buckets.merged(at);
      case 'candidate.refused':
      case 'merge.refused':
      case 'merge.conflicted':
        return this.#buckets.bad(at);
      case 'attempt.claimed':
        this.#node(fact.node).attempts += 1;
        return;
      case 'attempt.ended': {
        const attempt = this.#state.attempts.get(fact.token);
        if (attempt?.work.kind !== 'work') return;
        if (fact.outcome.kind !== 'done') this.#buckets.bad(at);
        const usage = usageOf(attempt);
        if (usage === null) return;
        const executor = executorOf(attempt, this.#state);
        const cost = this.#price(executor, usage) ?? 0;
        this.#buckets.spent(at, executor, tokensIn(usage) ?? 0, cost);
        return;
      }
      default:
    }
  }

  #spend(piece: Piece): void {
    for (const window of this.#windows) window.spend(piece);
    const ms = this.#inside(piece.from, piece.to);
    if (ms <= 0) return;
    this.#buckets.spend(piece);
    const tally = this.#node(piece.node);
    tally.usedMs += ms * piece.used;
    tally.availableMs += ms * piece.available;
    tally.peak = Math.max(tally.peak, piece.used);
    if (piece.away) tally.awayMs += ms;
  }

  #flakes({ project, verify }: Extract<Fact, { type: 'gate.proved' }>): number {
    const gates = this.#state.projects.get(project)?.gates ?? [];
    return gates.find((gate) => gate.verify === verify)?.flakes ?? 0;
  }

  #isWork(token: Token): boolean {
    return this.#state.attempts.get(token)?.work.kind === 'work';
  }

  #node(name: NodeName): NodeTally {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const tally = { usedMs: 0, availableMs: 0, awayMs: 0, peak: 0, attempts: 0, outages: 0 };
    this.#nodes.set(name, tally);
    return tally;
  }

  #inside(from: number, to: number): number {
    return Math.max(0, Math.min(to, this.#main.to) - Math.max(from, this.#main.from));
  }
}

/** The day or week before; while the period lasts, as much of that as has passed of this. */
function spanBefore(period: Period, now: number): Span {
  const before = moved(period, -1);
  const passed = now >= period.to ? before.to - before.from : Math.max(0, now - period.from);
  return { from: before.from, to: Math.min(before.to, before.from + passed) };
}

export interface NodeTally {
  usedMs: number;
  availableMs: number;
  awayMs: number;
  peak: number;
  attempts: number;
  outages: number;
}
