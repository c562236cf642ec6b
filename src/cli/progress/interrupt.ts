import { constants } from 'node:os';
import { leaveAtOnce } from '../leave.ts';

export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const SIGNALS: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Resolves at the first signal that asks to stop; a second one ends the process at once. The listeners stay until they
 * are told to forget: the libraries that hide the cursor send the signal again when they find nobody else listening.
 */
export function interruption(): { readonly asked: Promise<Interrupt>; readonly forget: () => void } {
  let resolveAsked: (signal: Interrupt) => void = () => {};
  const asked = new Promise<Interrupt>((resolve) => {
    resolveAsked = resolve;
  });
  let count = 0;
  const listener = (signal: NodeJS.Signals): void => {
    const known = SIGNALS.find((one) => one === signal) ?? 'SIGTERM';
    count += 1;
    if (count > 1) leaveAtOnce(exitOfSignal(known));
    resolveAsked(known);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  const forget = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, listener);
  };
  return { asked, forget };
}

/** 128 and the signal's number, as a shell reports it: a script that chains verbs must not go on. */
export function exitOfSignal(signal: Interrupt): number {
  return 128 + constants.signals[signal];
}
