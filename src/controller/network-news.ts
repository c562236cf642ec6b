/** Tells once that nobody over the network answers, and once that somebody does again. */
import type { Note } from './note.ts';

export class NetworkNews {
  #cutOff = false;

  /** @param isCutOff every machine was tried, and none answers. */
  look(isCutOff: boolean): Note[] {
    if (isCutOff === this.#cutOff) return [];
    this.#cutOff = isCutOff;
    const message = isCutOff
      ? 'no machine over the network answers, so the fault is taken to be this machine’s own network: no lease runs down'
      : 'the network is back; leases run again';
    return [{ about: 'network', name: 'network', code: null, message, fix: null }];
  }
}
