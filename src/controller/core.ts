/**
 * The controller without its hands: inputs in, facts and wanted effects out. It has no clock, no I/O and no randomness
 * of its own; the loop in production and the simulator in tests drive the same core.
 *
 * A driver's turn: `turn(inputs, now)`; commit the events durably; only then perform the effects, and bring each result
 * back as an input with the effect's key. When the commit fails, or the turn itself, nothing has happened: `again` with the
 * state as it is stored.
 */
import { assertNever } from '../model/assert.ts';
import type { BudgetRules } from '../model/budget.ts';
import type { NewEvent } from '../model/event.ts';
import { type ProjectName, type TaskKey, tokenFrom } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { violations, watch } from '../model/invariants.ts';
import { replaceState } from '../model/replace-state.ts';
import { chainLengths } from '../plan/chain.ts';
import { Budgets } from '../schedule/budget.ts';
import { decide } from '../schedule/decide.ts';
import { forgetState } from '../schedule/forget.ts';
import { gateSlots } from '../schedule/gates.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import { surroundings, surroundingsAnew } from '../schedule/surroundings.ts';
import { alertsTold, judgeAlerts } from './alerts.ts';
import { claim } from './claim.ts';
import { command, type Reply } from './commands.ts';
import { advanceControls, copyBroken, inspected } from './control.ts';
import { drain, passDeliveries } from './deliveries.ts';
import { contractRead } from './contract.ts';
import { doubt } from './doubts.ts';
import type { Effect, Input } from './door.ts';
import { looked } from './target-looks.ts';
import { finishEffect } from './effect-end.ts';
import * as hub from './from-hub.ts';
import * as node from './from-node.ts';
import { mergeConflict, mergeWaits, predicted } from './from-predictions.ts';
import { awake } from './leases.ts';
import { memoryKeeper } from './kept-memory.ts';
import { freshMemory, type Memory } from './memory.ts';
import { wantedEffects } from './needs.ts';
import { repaired } from './node-words.ts';
import { advanceQueues } from './queue.ts';
import { tendNodes } from './tend.ts';
import { Turn } from './turn.ts';
import { type Culprit, type Step, UnfitTurn } from './unfit.ts';

export interface CoreOptions {
  readonly epoch: number;
  /** 16 random bytes for a token. */
  readonly random: () => Uint8Array;
}

export interface TurnResult {
  /** To be committed before anything else happens. */
  readonly events: readonly NewEvent[];
  /** To be performed after the commit. They count as in flight from now on. */
  readonly effects: readonly Effect[];
  /** One per command among the inputs, in order; to be sent after the commit. */
  readonly replies: readonly Reply[];
  /** Wall clock at which another turn is due even if nothing comes in; null = none. */
  readonly wakeAt: number | null;
}

export class Core {
  readonly state: State;
  readonly memory: Memory;
  readonly #options: CoreOptions;
  #nodes: readonly NodeConfig[] = [];
  #budget: BudgetRules | null = null;
  #chainMs: ReadonlyMap<TaskKey, number>;
  #watch: ReturnType<typeof watch>;
  /** Steps that tripped over the state. */
  readonly #leftOut = new Set<Step>();
  readonly #keep: () => () => void;
  #undo: () => void = () => undefined;

  constructor(state: State, options: CoreOptions) {
    this.state = state;
    this.memory = freshMemory(state);
    this.#keep = memoryKeeper(this.memory);
    this.#options = options;
    this.#chainMs = chainLengths(state);
    this.#watch = this.#watched();
  }

  /** The last turn counts for nothing: goes on from this state, which is the one that was durable before it. */
  again(state: State): void {
    this.#undo();
    replaceState(this.state, state);
    forgetState(this.state);
    this.#chainMs = chainLengths(this.state);
    this.#watch = this.#watched();
  }

  /** Goes on without this step: it trips over the state, so that what must hold is in doubt. */
  leaveOut(step: Step, why: string): void {
    this.#leftOut.add(step);
    doubt(this.memory, [`a step of each turn (${step}) cannot be taken: ${why}`]);
  }

  /** nodes.json as it is now. */
  setNodes(nodes: readonly NodeConfig[]): void {
    this.#nodes = nodes;
  }

  /** The `budget` and `prices` of dispatch.yaml as they are now. */
  setBudget(rules: BudgetRules): void {
    this.#budget = rules;
  }

  snapshot(): Snapshot {
    const { connected, shunned, refusals, records, waiting, controls, contracts, silent, safe } = this.memory;
    const snapshot = {
      state: this.state,
      nodes: this.#nodes,
      chainMs: this.#chainMs,
      connected,
      dispatching: this.#dispatching(),
      shunned,
      refusals,
      records,
      waiting,
      controls,
      contracts,
      silent,
      safe,
    };
    return this.#budget === null ? snapshot : Object.assign(snapshot, { budget: this.#budget });
  }

  /** Looks at the whole state, which costs its size. @returns what must hold and does not, of now and of before. */
  lookOver(): ReadonlySet<string> {
    doubt(this.memory, violations(this.state, surroundingsAnew(this.state)));
    return this.memory.doubts;
  }

  /**
   * @param now wall clock, milliseconds.
   * @throws UnfitTurn when it cannot be taken; then `again` has to follow.
   */
  turn(inputs: readonly Input[], now: number): TurnResult {
    this.#undo = this.#keep();
    const turn = new Turn(this.state, this.memory, this.#options.epoch, now);
    const replies: Reply[] = [];
    inputs.forEach((input, number) => tried({ input: number }, () => this.#take(turn, input, replies)));
    const slots = gateSlots({ nodes: this.#nodes, connected: this.memory.connected });
    this.#step('nodes', () => tendNodes(turn, this.#nodes));
    this.#step('queues', () => advanceQueues(turn, slots));
    this.#step('controls', () => advanceControls(turn));
    this.#step('deliveries', () => {
      passDeliveries(turn);
      drain(turn, this.#nodes);
    });
    this.#step('decisions', () => this.#decide(turn));
    this.#step('watch', () => doubt(this.memory, this.#watch(turn.events)));
    const effects = this.#step('effects', () => wantedEffects(turn, slots)) ?? [];
    for (const effect of effects) this.memory.inflight.add(effect.key);
    return { events: turn.events, effects, replies, wakeAt: this.#nextWake(now) };
  }

  #watched(): ReturnType<typeof watch> {
    return watch(
      this.state,
      surroundings(() => ({
        nodes: this.#nodes,
        ...(this.#budget === null ? {} : { budget: this.#budget }),
      })),
    );
  }

  #step<T>(step: Step, take: () => T): T | null {
    return this.#leftOut.has(step) ? null : tried({ step }, take);
  }

  #decide(turn: Turn): void {
    const snapshot = this.snapshot();
    for (const decision of decide(snapshot, turn.now))
      claim(turn, decision, tokenFrom(this.#options.random()));
    const { dayEnd } = new Budgets(snapshot, turn.now);
    if (dayEnd !== null) turn.wakeAt(dayEnd);
  }

  #dispatching(): ReadonlySet<ProjectName> {
    const { dispatching, safe, doubts } = this.memory;
    if (doubts.size > 0) return new Set();
    if (safe.size === 0) return dispatching;
    if (safe.has(null)) return new Set();
    return new Set([...dispatching].filter((name) => !safe.has(name)));
  }

  #take(turn: Turn, input: Input, replies: Reply[]): void {
    const tries = finishEffect(turn, input);
    switch (input.is) {
      case 'tick':
        return;
      case 'acquired':
        turn.record({ type: 'controller.acquired', host: input.host, pid: input.pid });
        return;
      case 'command':
        replies.push(command(turn, input.command));
        if (input.command.verb === 'load') this.#chainMs = chainLengths(this.state);
        return;
      case 'safe':
        if (input.on === null) this.memory.safe.delete(input.project);
        else this.memory.safe.set(input.project, input.on);
        return;
      case 'node.up':
        return node.nodeUp(turn, input);
      case 'woke':
        return node.woke(turn, input);
      case 'awake':
        return awake(turn, input, this.#nodes);
      case 'node.alive':
        return node.nodeAlive(turn, input);
      case 'node.down':
        return node.nodeDown(turn, input);
      case 'node.looked':
        turn.memory.disks.set(input.node, input.disk);
        return;
      case 'mended':
        return repaired(turn, input);
      case 'unfit':
        return node.unfit(turn, input);
      case 'node.probed':
        return node.nodeProbed(turn, input);
      case 'node.news':
        return node.nodeNews(turn, input);
      case 'started':
        return node.started(turn, input);
      case 'start.refused':
        return node.startRefused(turn, input, tries);
      case 'cancelled':
        return node.cancelTaken(turn, input);
      case 'forgotten':
        turn.memory.forgettable.delete(input.token);
        return;
      case 'based':
        return hub.based(turn, input);
      case 'collected':
        return hub.collected(turn, input);
      case 'collect.gone':
        return hub.collectGone(turn, input);
      case 'merge.made':
        return hub.mergeMade(turn, input);
      case 'merge.waits':
        return mergeWaits(turn, input);
      case 'merge.conflict':
        return mergeConflict(turn, input);
      case 'predicted':
        return predicted(turn, input);
      case 'landed':
        return hub.landed(turn, input);
      case 'land.raced':
        return hub.landRaced(turn, input);
      case 'looked':
        return looked(turn, input);
      case 'inspected':
        return inspected(turn, input);
      case 'contract.read':
        return contractRead(turn, input);
      case 'copy.broken':
        return copyBroken(turn, input);
      case 'delivery.made':
        return hub.deliveryMade(turn, input);
      case 'delivered':
        return hub.delivered(turn, input);
      case 'deliver.raced':
        return hub.deliverRaced(turn, input);
      case 'deliver.refused':
        return hub.deliverRefused(turn, input);
      case 'alerts.judged':
        return judgeAlerts(turn, input);
      case 'alerts.told':
        return alertsTold(turn, input);
      case 'effect.failed':
        return;
      default:
        assertNever(input);
    }
  }

  #nextWake(now: number): number | null {
    let next: number | null = null;
    for (const moment of this.memory.wakeups) {
      if (moment <= now) this.memory.wakeups.delete(moment);
      else if (next === null || moment < next) next = moment;
    }
    return next;
  }
}

/** Whatever it throws is a defect: what was being done is to blame. */
function tried<T>(culprit: Culprit, take: () => T): T {
  try {
    return take();
  } catch (error) {
    throw new UnfitTurn(culprit, error);
  }
}
