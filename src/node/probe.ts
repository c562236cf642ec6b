import type { ProbeAsk } from '../executors/probe.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { Probe, Welcome } from '../protocol/messages.ts';
import type { Choice } from '../transport/choose.ts';
import { openSession } from './open-session.ts';
import type { NodeProgram } from './program.ts';
import { disconnected, SESSION_TIMINGS } from './session.ts';

export interface ProbeReport {
  readonly probe: Probe;
  readonly welcome: Welcome;
  readonly choice: Choice;
  /** Version of the Node.js that runs the worker there. */
  readonly nodeVersion: string;
  readonly shipped: boolean;
  /** Milliseconds: stream opened; script answered (and program shipped); supervisor said hello; one message there and back. */
  readonly timings: {
    readonly openMs: number;
    readonly bootMs: number;
    readonly helloMs: number;
    readonly roundTripMs: number;
  };
}

export interface ProbeOptions {
  readonly program: NodeProgram;
  /** Epoch 0 looks only: a node answers it whatever controller it knows. */
  readonly epoch?: number;
  readonly controller?: string;
  /** Programs whose place on the node is asked: `claude`, `python3`, … */
  readonly programs?: readonly string[];
  /** Programs of executors to be asked for version and flags. */
  readonly executors?: Readonly<Record<string, ProbeAsk>>;
  readonly signal?: AbortSignal;
}

/** Connects once, looks around, and leaves. @throws as openSession. */
export async function probeNode(config: NodeConfig, options: ProbeOptions): Promise<ProbeReport> {
  const { session, welcome, choice, connected, helloMs } = await openSession({
    config,
    epoch: options.epoch ?? 0,
    controller: options.controller ?? 'probe',
    program: options.program,
    timings: SESSION_TIMINGS,
    signal: options.signal,
  });
  try {
    const { programs = [], executors = {} } = options;
    const probe = await session.call({ op: 'probe', programs, executors });
    const began = performance.now();
    await session.call({ op: 'ping' });
    const roundTripMs = performance.now() - began;
    const { openMs, bootMs } = connected;
    return {
      probe,
      welcome,
      choice,
      nodeVersion: connected.node.version,
      shipped: connected.shipped,
      timings: { openMs, bootMs, helloMs, roundTripMs },
    };
  } finally {
    session.end(disconnected(config.name, 'the probe is done'));
    await session.closed;
  }
}
