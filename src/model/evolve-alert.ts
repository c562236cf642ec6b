/** Facts about alerts. Part of `evolve`. */
import type { AlertState } from './alert.ts';
import type { Fact } from './event.ts';
import { IllegalFact } from './found.ts';
import type { State } from './state.ts';

type Of<Type extends Fact['type']> = Extract<Fact, { type: Type }>;

/** Found, found again after it was over, or still there a day after it was told. */
export function raiseAlert(state: State, fact: Of<'alert.raised'>, at: number): void {
  const { quiet = false, key, rule, level, code, about, message, fix } = fact;
  const before = state.alerts.get(key);
  const since = before === undefined || before.resolved !== null ? at : before.since;
  const announcedAt = quiet && before !== undefined ? before.announcedAt : at;
  const cause = { key, rule, level, code, about, message, fix };
  const others = before?.tellings.filter((telling) => telling.code !== code || telling.level !== level) ?? [];
  const tellings = quiet && before !== undefined ? before.tellings : [...others, { code, level, at }];
  // Who was told of it in another form, and is not told of this one, is still to hear that it is over.
  const told = quiet && before?.resolved === null ? before.told : [];
  const fresh = { told, acked: null, resolved: null };
  state.alerts.set(key, { ...cause, since, announcedAt, tellings, quiet, ...fresh });
}

/** One whose sink was slow may have been found again meanwhile: it was told all the same. */
export function tellAlert(state: State, fact: Of<'alert.told'>): void {
  for (const key of fact.raised) {
    const alert = alertOf(state, fact, key);
    if (!alert.told.includes(fact.sink))
      state.alerts.set(key, { ...alert, told: [...alert.told, fact.sink] });
  }
  for (const key of fact.resolved) {
    const alert = alertOf(state, fact, key);
    const { resolved } = alert;
    if (resolved === null || resolved.told.includes(fact.sink)) continue;
    state.alerts.set(key, { ...alert, resolved: { ...resolved, told: [...resolved.told, fact.sink] } });
  }
}

export function ackAlert(state: State, fact: Of<'alert.acked'>, at: number): void {
  const alert = alertOf(state, fact, fact.key);
  state.alerts.set(fact.key, { ...alert, acked: { by: fact.by, at } });
}

export function resolveAlert(state: State, fact: Of<'alert.resolved'>, at: number): void {
  const alert = alertOf(state, fact, fact.key);
  if (alert.resolved !== null) throw new IllegalFact(fact, 'the alert is over already');
  state.alerts.set(fact.key, { ...alert, resolved: { at, told: [] } });
}

function alertOf(state: State, fact: Fact, key: string): AlertState {
  const alert = state.alerts.get(key);
  if (alert === undefined) throw new IllegalFact(fact, `no alert ${key} was ever raised`);
  return alert;
}
