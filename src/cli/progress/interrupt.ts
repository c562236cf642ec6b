import { constants } from 'node:os';

export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * Resolves at the first signal that asks to stop, and lets a second one end the process at once.
 * @returns the wait, and how to stop listening.
 */
export function interruption(): { readonly asked: Promise<Interrupt>; readonly forget: () => void } {
  const signals: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const undo: (() => void)[] = [];
  const asked = new Promise<Interrupt>((resolve) => {
    for (const signal of signals) {
      const listener = (): void => {
        forget();
        resolve(signal);
      };
      process.on(signal, listener);
      undo.push(() => process.removeListener(signal, listener));
    }
  });
  const forget = (): void => {
    for (const one of undo.splice(0)) one();
  };
  return { asked, forget };
}

/** 128 and the signal's number, as a shell reports it: a script that chains verbs must not go on. */
export function exitOfSignal(signal: Interrupt): number {
  return 128 + constants.signals[signal];
}
