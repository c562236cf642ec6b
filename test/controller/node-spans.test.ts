import { expect, test } from 'vitest';
import { NodeSpans } from '../../src/controller/node-spans.ts';
import type { NodeLook } from '../../src/controller/questions.ts';
import { nodeName } from '../../src/model/ids.ts';

const MAC2 = nodeName('mac2');
const MINUTE = 60_000;

function look(connected: boolean, saidAt: number | null): NodeLook[] {
  const said = { at: saidAt ?? 0, roundTripMs: 1, clockOffsetMs: 0, health: {} as never };
  return [{ name: MAC2, connected, trouble: null, silence: null, said: saidAt === null ? null : said }];
}

test('a node that comes back after an hour owes no word for the time in which it could not give one', () => {
  const spans = new NodeSpans();
  expect(spans.look(look(true, 1000), 1000).get(MAC2)).toBe(1000);
  expect(spans.look(look(true, 1000), 5 * MINUTE).get(MAC2)).toBe(1000);
  expect(spans.look(look(false, 1000), 6 * MINUTE).has(MAC2)).toBe(false);
  expect(spans.look(look(false, 1000), 66 * MINUTE).has(MAC2)).toBe(false);
  expect(spans.downSince.get(MAC2)).toBe(6 * MINUTE);
  expect(spans.look(look(true, 1000), 67 * MINUTE).get(MAC2)).toBe(67 * MINUTE);
  expect(spans.downSince.has(MAC2)).toBe(false);
  // Connected, and it never says anything: that is counted from here.
  expect(spans.look(look(true, 1000), 80 * MINUTE).get(MAC2)).toBe(67 * MINUTE);
});

test('after a sleep every span begins anew', () => {
  const spans = new NodeSpans();
  spans.look(look(false, null), 0);
  spans.forget();
  spans.look(look(false, null), 60 * MINUTE);
  expect(spans.downSince.get(MAC2)).toBe(60 * MINUTE);
});
