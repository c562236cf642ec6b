/**
 * Ends an agent that reports more tokens than its attempt may use. Reads what is new in its stream, or the usage file of a
 * shell command, every few seconds; an attempt without a limit is not looked at.
 */
import { LiveUsage } from '../src/executors/live-usage.ts';
import { isRead } from '../src/executors/outcome.ts';
import type { Usage } from '../src/model/attempt.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { usageFile } from './agent-words.ts';
import type { Attempts, Entry } from './attempts.ts';
import { readEnds, sizeOf } from './ends.ts';
import { monotonicMs } from './host.ts';
import { readOrder, readStatus, type Status } from './record.ts';
import { isOver, soFar } from './spent.ts';

/** Between two looks at one attempt. */
const LOOK_MS = 2000;
/** Bytes of a stream that are read at once; what is older is counted when the round is over. */
const MOST_BYTES = 1024 * 1024;

interface Meter {
  readonly step: string;
  readonly work: Pick<WorkOrder, 'cage' | 'executor'>;
  readonly live: LiveUsage;
  at: number;
  bytes: number;
}

export class SpendWatch {
  readonly #attempts: Attempts;
  readonly #meters = new WeakMap<Entry, Meter>();

  constructor(attempts: Attempts) {
    this.#attempts = attempts;
  }

  /** @param dir of the attempt. */
  look(entry: Entry, dir: string): void {
    const { step, limitTokens } = entry;
    if (limitTokens === null || step?.endsWith('a') !== true) return;
    const now = monotonicMs();
    const status = readStatusOnce(dir);
    const meter = this.#meterOf(entry, step, dir, status.value);
    if (meter === null || now - meter.at < LOOK_MS) return;
    meter.at = now;
    const usage = isRead(meter.work.executor) ? this.#readStream(meter, dir) : usageFile(dir, meter.work);
    if (isOver(limitTokens, soFar(meter.work.executor, status.value(), usage)))
      this.#attempts.endStep(entry, 'overspent');
  }

  #meterOf(entry: Entry, step: string, dir: string, status: () => Status | null): Meter | null {
    const known = this.#meters.get(entry);
    if (known?.step === step) return known;
    const work = known?.work ?? workOf(dir);
    if (work === null) return null;
    const bytes = status()?.logFrom ?? 0;
    const meter = { step, work, live: new LiveUsage(work.executor), at: 0, bytes };
    this.#meters.set(entry, meter);
    return meter;
  }

  #readStream(meter: Meter, dir: string): Usage | null {
    const log = `${dir}/agent.log`;
    const size = sizeOf(log);
    // It was cut to its cap.
    if (size < meter.bytes) meter.bytes = size;
    if (size > meter.bytes) {
      const from = Math.max(meter.bytes, size - MOST_BYTES);
      const text = readEnds(log, from, size - from);
      // What ends in the middle of a line is read again with its end.
      const end = text.lastIndexOf('\n') + 1;
      meter.bytes = size - Buffer.byteLength(text.slice(end));
      meter.live.read(text.slice(0, end));
    }
    return meter.live.usage;
  }
}

function workOf(dir: string): Meter['work'] | null {
  const work = readOrder(dir)?.work;
  if (work?.kind !== 'work') return null;
  const { cage, executor } = work;
  return cage === undefined ? { executor } : { cage, executor };
}

/** Read at most once, and only where somebody asks. */
function readStatusOnce(dir: string): { readonly value: () => Status | null } {
  let read: { readonly status: Status | null } | null = null;
  return {
    value: () => {
      read ??= { status: readStatus(dir) };
      return read.status;
    },
  };
}
