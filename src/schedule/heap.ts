/**
 * A binary heap over an array: the smallest item first, built in linear time. With 10,000 candidates and three free
 * slots only three are ever put in order (Williams 1964, Floyd's bottom-up construction).
 */
export class Heap<T> {
  private readonly items: T[];
  private readonly before: (a: T, b: T) => number;

  /** Takes the array over. `before` is negative when `a` comes first and must not change while the heap is in use. */
  constructor(items: T[], before: (a: T, b: T) => number) {
    this.items = items;
    this.before = before;
    this.build();
  }

  private build(): void {
    for (let at = (this.items.length >> 1) - 1; at >= 0; at--) this.sink(at);
  }

  /** The smallest item, which stays; undefined when empty. */
  peek(): T | undefined {
    return this.items[0];
  }

  get size(): number {
    return this.items.length;
  }

  push(item: T): void {
    const { items, before } = this;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(item, items[parent] as T) >= 0) break;
      items[at] = items[parent] as T;
      at = parent;
    }
    items[at] = item;
  }

  /** Many at once are cheaper built anew than put in one by one. */
  pushAll(items: readonly T[]): void {
    if (items.length * 4 < this.items.length) {
      for (const item of items) this.push(item);
      return;
    }
    for (const item of items) this.items.push(item);
    this.build();
  }

  /** Takes the smallest item out; undefined when empty. */
  pop(): T | undefined {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) {
      items[0] = last;
      this.sink(0);
    }
    return first;
  }

  private sink(start: number): void {
    const { items, before } = this;
    const moving = items[start] as T;
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1] as T, items[child] as T) < 0) child += 1;
      if (before(moving, items[child] as T) <= 0) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = moving;
  }
}
