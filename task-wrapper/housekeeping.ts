/**
 * What nobody announces: logs that outgrow their cap, steps whose processes vanished, an agent that has said its last
 * word and does not leave, a provider that refuses, an attempt that has fallen silent. Runs once a second while anything runs, and costs a few system calls per attempt.
 */
import { readOutcome } from '../src/executors/outcome.ts';
import type { Stall } from '../src/model/stall.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import type { Attempts, Entry } from './attempts.ts';
import { readEnds, sizeOf } from './ends.ts';
import { monotonicMs } from './host.ts';
import type { Journal } from './journal.ts';
import { RefusalWatch } from './refusal-watch.ts';
import { StallWatch } from './stall-watch.ts';
import { SpendWatch } from './spend-watch.ts';
import { DiskWatch } from './disk-watch.ts';
import type { FullDisk } from './full-disk.ts';
import { capLog } from './log-cap.ts';
import { readOrder, readStatus } from './record.ts';
import { attemptDir, type Root } from './root.ts';

const EVERY_MS = 1000;
/** Rounds between two looks at all processes: tmux tells of sessions that end, so this is for what it did not tell. */
const LOOK_ROUNDS = 10;
/** More attempts than this are tended in turns, up to so many rounds apart: a round costs a system call or two for each. */
const AT_ONCE = 250;
const MOST_TURNS = 4;
const TAIL_BYTES = 256 * 1024;
/** A plain attempt that lasts this long tells its step. */
const TELL_MS = 1000;

export class Housekeeping {
  readonly #root: Root;
  readonly #attempts: Attempts;
  readonly #journal: Journal;
  readonly #silentMs: number;
  /** Size of the log when it last grew, and when that was. */
  readonly #logs = new WeakMap<Entry, { size: number; since: number; judged: boolean }>();
  readonly #refusals: RefusalWatch;
  readonly #stalls: StallWatch;
  readonly #spending: SpendWatch;
  readonly #disk: DiskWatch;
  readonly #full: FullDisk;
  #timer: NodeJS.Timeout | null = null;
  #rounds = 0;

  /** @param diskMs between two looks at the files of an attempt. @param silentMs a closing event followed by this much silence: the agent has finished and hangs. */
  constructor(
    root: Root,
    attempts: Attempts,
    journal: Journal,
    {
      silentMs,
      diskMs,
      full,
    }: { readonly silentMs: number; readonly diskMs: number; readonly full: FullDisk },
  ) {
    this.#root = root;
    this.#attempts = attempts;
    this.#journal = journal;
    this.#silentMs = silentMs;
    this.#refusals = new RefusalWatch(journal);
    this.#stalls = new StallWatch(root, attempts, journal);
    this.#spending = new SpendWatch(attempts);
    this.#disk = new DiskWatch(diskMs);
    this.#full = full;
  }

  /** What the attempt does at this moment; null while none of its commands runs. */
  look(entry: Entry): Promise<Stall | null> {
    return this.#stalls.look(entry);
  }

  /** Goes on as long as anything runs; harmless when it does already. */
  wake(): void {
    this.#timer ??= setInterval(() => this.#round(), EVERY_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #round(): void {
    if (this.#attempts.running === 0) return this.stop();
    this.#full.look();
    const turns = Math.min(MOST_TURNS, Math.ceil(this.#attempts.running / AT_ONCE));
    let at = this.#rounds;
    for (const entry of this.#attempts.live()) {
      at += 1;
      if (at % turns !== 0) continue;
      try {
        this.#tend(entry);
      } catch (error) {
        process.stderr.write(`housekeeping ${entry.token}: ${String(error)}\n`);
      }
    }
    this.#stalls.tick();
    this.#rounds += 1;
    if (this.#rounds % LOOK_ROUNDS === 0) this.#attempts.look();
  }

  #tend(entry: Entry): void {
    if (entry.step === null) return;
    const dir = attemptDir(this.#root, entry.token);
    if (entry.untold && monotonicMs() - entry.stepSince > TELL_MS) {
      entry.untold = false;
      this.#journal.append({ type: 'attempt.step', token: entry.token, round: 1, step: 'agent' });
    }
    capLog(`${dir}/agent.log`, entry.logCapBytes);
    if (entry.step.endsWith('v')) capLog(`${dir}/${entry.step}.log`, entry.logCapBytes);
    else {
      this.#disk.look(entry, dir, () => this.#attempts.endStep(entry, 'disk'));
      this.#spending.look(entry, dir);
      if (entry.isRead) {
        this.#refusals.listen(entry, dir);
        this.#endIfFinished(entry, dir);
      }
    }
  }

  #endIfFinished(entry: Entry, dir: string): void {
    const log = this.#logs.get(entry) ?? { size: -1, since: 0, judged: false };
    const size = sizeOf(`${dir}/agent.log`);
    if (size !== log.size) {
      this.#logs.set(entry, { size, since: monotonicMs(), judged: false });
      return;
    }
    const silent = monotonicMs() - Math.max(log.since, entry.stepSince);
    if (log.judged || silent < (entry.hangMs ?? this.#silentMs)) return;
    log.judged = true;
    const work = readOrder(dir)?.work as WorkOrder | undefined;
    if (work === undefined) return;
    // The closing event of the round before is no word of this one.
    const from = Math.min(size, readStatus(dir)?.logFrom ?? 0);
    const said = readOutcome(
      work.executor,
      readEnds(`${dir}/agent.log`, Math.max(from, size - TAIL_BYTES), TAIL_BYTES),
    );
    if (said.finished) this.#attempts.endStep(entry, 'finished');
    else if (said.apiError !== null && !said.apiError.retryable) this.#attempts.endStep(entry, 'refused');
  }
}
