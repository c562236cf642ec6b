/**
 * Runs gates for a person, on a node, beside the controller and without it.
 *
 * A gate by hand is worth something only if it says what the queue would say. So it is the queue's own: the same order to
 * the same program on a machine of nodes.json, with its PATH, its sandbox and its limits. But an attempt in the
 * controller's own books would take a slot, an epoch and entries of a log from whoever controls the home, and verbs that
 * only look must change nothing, whether a controller runs or not. Hence a root of its own on the node, `<root>/by-hand`:
 * with its own supervisor, mirror, journal and epoch, which the controller's worker there knows nothing of. The price is
 * that no slot is taken for it, and that what `gates.prepare` installs is installed there once more.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScratchHub } from '../../git/scratch-hub.ts';
import type { Outcome } from '../../model/attempt.ts';
import { DispatchError } from '../../model/error.ts';
import { type CommitId, type NodeName, type TaskId, type Token, tokenFrom } from '../../model/ids.ts';
import type { NodeConfig, ProjectConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import type { InventoryEntry } from '../../protocol/messages.ts';
import type { AttemptOrder } from '../../protocol/order.ts';
import { PROTOCOL } from '../../protocol/version.ts';
import { NodeLink } from '../../node/link.ts';
import { loadProgram } from '../../node/program.ts';
import { NodeRefusal } from '../../node/refusal.ts';

/** All who gate by hand there have the same rank: none takes the node from another. */
const EPOCH = 1;
const DEFAULT_ROOT = '~/agent-worker';
/** Bytes of the output that are kept: the first half and the last half. */
const LOG_CAP = 16 * 1024 * 1024;

export interface GateRun {
  readonly config: ProjectConfig;
  readonly task: TaskId;
  readonly commit: CommitId;
  readonly verify: string;
}

/** Uses the first of the nodes that can be reached and has a sandbox. @throws DispatchError E_NO_NODE_REACHED with the reason of each. */
export async function withGateNode<T>(
  nodes: readonly NodeConfig[],
  config: ProjectConfig,
  use: (node: GateNode) => Promise<T>,
): Promise<T> {
  const problems: DispatchError[] = [];
  for (const candidate of nodes) {
    const node = new GateNode(candidate, await loadProgram());
    try {
      const problem = await node.open(config);
      if (problem === null) return await use(node);
      problems.push(problem);
    } finally {
      await node.close();
    }
  }
  throw new DispatchError('E_NO_NODE_REACHED', 'no node can run the gate', {
    where: 'nodes.json',
    why:
      problems.map(({ message, why }) => [message, why].filter(Boolean).join(': ')).join('\n') ||
      'none takes gates now: they are cordoned, draining, or have no gate_slots',
    fix: [...new Set([...problems.flatMap(({ fix }) => fix ?? []), 'dispatch doctor'])].join('\n'),
  });
}

/** Nodes in the order in which a gate by hand tries them: those that take gates, the preferred first. */
export function gateNodes(nodes: readonly NodeConfig[], state: State): NodeConfig[] {
  return nodes
    .filter(({ name, gateSlots }) => gateSlots !== 0 && (state.nodes.get(name)?.mark ?? 'none') === 'none')
    .toSorted((a, b) => b.weight - a.weight);
}

export class GateNode {
  readonly name: NodeName;
  /** How many gates may run there at once, as for a queue. */
  readonly slots: number;
  readonly #link: NodeLink;
  readonly #ends = new Map<Token, (outcome: Outcome) => void>();
  #up: () => void = () => {};
  #trouble: (problem: DispatchError) => void = () => {};
  #cleared = false;
  /** Highest entry of the node's journal that came. */
  #seen = 0;

  constructor(config: NodeConfig, program: Awaited<ReturnType<typeof loadProgram>>) {
    this.name = config.name;
    this.slots = Math.max(1, Math.floor(config.gateSlots ?? config.slots / 4));
    this.#link = new NodeLink({
      config: { ...config, root: `${config.root ?? DEFAULT_ROOT}/by-hand` },
      epoch: EPOCH,
      controller: 'by hand',
      program,
      cursor: () => ({ journal: null, seq: 0 }),
      onUp: (_, inventory) => this.#adopt(inventory),
      onDown: () => {},
      onTrouble: (problem) => this.#trouble(problem),
      onNews: (_, entries) => {
        for (const entry of entries) {
          if (entry.type === 'attempt.ended') this.#ends.get(entry.token)?.(entry.outcome);
          this.#seen = entry.seq;
        }
      },
    });
  }

  /** Connects. @returns why it cannot be used; null when it can. */
  async open({ sandbox }: ProjectConfig): Promise<DispatchError | null> {
    const reached = this.#reached();
    this.#link.start();
    const problem = await reached;
    return problem !== null || sandbox.trusted ? problem : await this.#withoutSandbox();
  }

  async #withoutSandbox(): Promise<DispatchError | null> {
    try {
      const { sandbox } = await this.#link.call({ op: 'probe', programs: [] });
      if (sandbox === undefined || sandbox.by !== null) return null;
      const message = `no verify command can run on ${this.name}: ${sandbox.detail}`;
      return new DispatchError(
        'E_NODE_NO_SANDBOX',
        message,
        sandbox.fix === null ? {} : { fix: sandbox.fix },
      );
    } catch (error) {
      if (error instanceof DispatchError) return error;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#link.stop();
  }

  /**
   * Runs one gate to its end. Its output goes to `onOutput` as it comes.
   * @param signal gives it up: it ends as cancelled.
   * @throws DispatchError when the node cannot be reached again after a cut.
   */
  async run(
    hub: ScratchHub,
    wanted: GateRun,
    onOutput: (bytes: Buffer) => void,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const token = tokenFrom(randomBytes(16));
    const ended = new Promise<Outcome>((resolve) => this.#ends.set(token, resolve));
    const cancel = (): void => {
      const reason = 'the person who asked for it left';
      void this.#asking({ op: 'cancel', token, reason, epoch: EPOCH }).catch(() => undefined);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      await this.#start(hub, token, wanted);
      if (signal.aborted) cancel();
      for await (const bytes of this.#link.followLog(token, 0, true)) onOutput(bytes);
      return await ended;
    } catch (error) {
      if (!(error instanceof NodeRefusal)) throw error;
      const message = `${this.name} does not take it: ${error.message}`;
      return { kind: 'failed', cause: 'gate', message, exitCode: null, rounds: 1, usage: null };
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#ends.delete(token);
      await this.#asking({ op: 'forget', token, epoch: EPOCH }).catch(() => undefined);
      // The node keeps the ends of what is not forgotten, so nobody else misses anything.
      if (this.#seen > 0) await this.#asking({ op: 'ack', seq: this.#seen }).catch(() => undefined);
    }
  }

  async #start(hub: ScratchHub, token: Token, { config, task, commit, verify }: GateRun): Promise<void> {
    const { name: project, gates, sandbox, gateTimeoutMs } = config;
    const order: AttemptOrder = {
      protocol: PROTOCOL,
      token,
      project,
      task,
      n: 0,
      epoch: EPOCH,
      timeoutMs: gateTimeoutMs,
      logCapBytes: LOG_CAP,
      work: { kind: 'gate', commit, verify, minTests: gates.minTests, sandbox },
    };
    // Asked again with the same token after a cut, an order is taken once.
    await this.#throughCuts(async () => {
      const { has } = await this.#link.call({
        op: 'mirror.has',
        project,
        commits: [commit, hub.integration],
      });
      if (!has.includes(commit)) {
        const file = join(hub.directory, `${token}.bundle`);
        try {
          await hub.exportBundle(file, commit, has);
          await this.#link.putBundle(project, [commit], file);
        } finally {
          await rm(file, { force: true });
        }
      }
      await this.#link.call({ op: 'start', order });
    });
  }

  async #asking(request: Parameters<NodeLink['call']>[0]): Promise<void> {
    await this.#throughCuts(() => this.#link.call(request));
  }

  async #throughCuts(work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof DispatchError)) throw error;
        const problem = this.#link.state.is === 'up' ? null : await this.#reached();
        if (problem !== null) throw problem;
        if (error.code !== 'E_NODE_DISCONNECTED' && error.code !== 'E_NODE_TIMEOUT') throw error;
      }
    }
  }

  /** Null as soon as the link is up, else the first reason why it does not come up. */
  #reached(): Promise<DispatchError | null> {
    return new Promise((resolve) => {
      this.#up = () => resolve(null);
      this.#trouble = resolve;
    });
  }

  #adopt(inventory: readonly InventoryEntry[]): void {
    for (const { token, outcome } of inventory) {
      if (outcome === null) continue;
      const waiting = this.#ends.get(token);
      if (waiting !== undefined) waiting(outcome);
      // Somebody who gated here was killed before it could be forgotten.
      else if (!this.#cleared)
        void this.#asking({ op: 'forget', token, epoch: EPOCH }).catch(() => undefined);
    }
    this.#cleared = true;
    this.#up();
  }
}
