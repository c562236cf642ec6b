/** Virtual time: things happen in the order of their moment, and in the order they were planned when it is the same. */
interface Planned {
  readonly at: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

export class Timeline {
  /** Milliseconds since the beginning. */
  now = 0;
  readonly #planned: Planned[] = [];
  #order = 0;

  after(span: number, run: () => void | Promise<void>): void {
    this.#order += 1;
    const planned = { at: this.now + Math.max(0, Math.round(span)), order: this.#order, run };
    const heap = this.#planned;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent], planned)) break;
      heap[at] = heap[parent] as Planned;
      at = parent;
    }
    heap[at] = planned;
  }

  /** Runs what is next; false when nothing is planned any more. Most of it is over at once, and not waited for. */
  step(): boolean | Promise<boolean> {
    const next = this.#pop();
    if (next === undefined) return false;
    this.now = next.at;
    const running = next.run();
    return running instanceof Promise ? running.then(() => true) : true;
  }

  #pop(): Planned | undefined {
    const heap = this.#planned;
    const first = heap[0];
    const moving = heap.pop();
    if (first === undefined || moving === undefined || first === moving) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child] as Planned)) child += 1;
      if (before(moving, heap[child] as Planned)) break;
      heap[at] = heap[child] as Planned;
      at = child;
    }
    heap[at] = moving;
    return first;
  }
}

function before(a: Planned | undefined, b: Planned): boolean {
  return a !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
}
