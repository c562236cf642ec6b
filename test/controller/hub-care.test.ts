import { expect, test } from 'vitest';
import { HubCare } from '../../src/controller/hub-care.ts';
import { until } from '../cluster/until.ts';

/** A hub whose tidying takes until it is ended. */
class Hub {
  begun = 0;
  ended = 0;

  async tidy(signal: AbortSignal): Promise<void> {
    this.begun += 1;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.ended += 1;
    throw new Error('ended');
  }
}

test('hubs are tidied when nothing is at work, let go when something is, and again afterwards', async () => {
  const hub = new Hub();
  const care = new HubCare(async () => [hub], 1);
  let finish = (): void => {};
  const long = care.during(() => new Promise<void>((resolve) => (finish = resolve)));
  await care.during(async () => {});
  // Longer than it has to be quiet: something is still at work.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(hub.begun).toBe(0);
  finish();
  await long;
  await until('it is tidied', () => hub.begun === 1);
  await care.during(async () => {
    await until('it was let go', () => hub.ended === 1);
    expect(hub.begun).toBe(1);
  });
  await until('it is tidied again', () => hub.begun === 2);
  await care.stop();
  expect(hub).toMatchObject({ begun: 2, ended: 2 });
  await care.during(async () => {});
  await care.stop();
  expect(hub.begun).toBe(2);
});
