import { readIfThere, replaceFileDurably } from './durable.ts';
import type { Root } from './root.ts';

/** The highest epoch of a controller that this node has seen. It is on disk before it counts, so a controller that was fenced stays fenced. */
export class Epoch {
  readonly #path: string;
  #highest: number;

  constructor(root: Root) {
    this.#path = `${root.run}/epoch`;
    this.#highest = Number(readIfThere(this.#path) ?? 0) || 0;
  }

  get highest(): number {
    return this.#highest;
  }

  raise(epoch: number): void {
    if (epoch <= this.#highest) return;
    replaceFileDurably(this.#path, `${epoch}\n`);
    this.#highest = epoch;
  }
}
