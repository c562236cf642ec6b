import type { Step } from '../../model/attempt.ts';
import type { Fact } from '../../model/event.ts';
import type { Token } from '../../model/ids.ts';

/** Where the time of work attempts goes, as far as their nodes tell what they are doing. */
export class StepTime {
  readonly sums: Record<Step, number> = { prepare: 0, agent: 0, gates: 0, verify: 0 };
  readonly #doing = new Map<Token, { readonly step: Step; readonly since: number }>();
  readonly #inside: (from: number, to: number) => number;

  /** @param inside how much of a span lies within the period. */
  constructor(inside: (from: number, to: number) => number) {
    this.#inside = inside;
  }

  note(fact: Fact, at: number): void {
    switch (fact.type) {
      case 'attempt.claimed':
        if (fact.work.kind === 'work') this.#doing.set(fact.token, { step: 'prepare', since: at });
        return;
      case 'attempt.progressed': {
        const isWork = this.#doing.has(fact.token);
        this.#end(fact.token, at);
        if (isWork) this.#doing.set(fact.token, { step: fact.step, since: at });
        return;
      }
      case 'attempt.ended':
      case 'attempt.fenced':
        return this.#end(fact.token, at);
      default:
    }
  }

  /** Counts what goes on until this moment. */
  flush(at: number): void {
    for (const token of this.#doing.keys()) this.#end(token, at);
  }

  #end(token: Token, at: number): void {
    const doing = this.#doing.get(token);
    if (doing === undefined) return;
    this.sums[doing.step] += this.#inside(doing.since, at);
    this.#doing.delete(token);
  }
}
