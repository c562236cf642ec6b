/** A part of the controller that goes on failing: told, started anew, and at last kept from starting new work. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Breakers } from '../../src/controller/breakers.ts';
import type { Effect, Input } from '../../src/controller/door.ts';
import type { ProjectName } from '../../src/model/ids.ts';
import { why } from '../../src/schedule/why.ts';
import { spec } from '../schedule/world.ts';
import { P, Story } from './story.ts';

const EFFECT: Effect = { do: 'base', key: 'base:p', project: P };
const failed = (code: string): Input => ({
  is: 'effect.failed',
  key: 'base:p',
  problem: { code, message: 'broken' },
});
const WORKS: Input = { is: 'tick' };

function counted(letThroughMs?: number): { breakers: Breakers; happened: string[] } {
  const happened: string[] = [];
  const breakers = new Breakers({
    onNote: ({ code, message }) => happened.push(code ?? message),
    restart: (project) => happened.push(`restart ${project}`),
    safe: (project, on) => happened.push(`safe ${project} ${on?.part ?? 'over'}`),
    now: () => 1000,
    ...(letThroughMs === undefined ? {} : { letThroughMs }),
  });
  onTestFinished(() => breakers.stop());
  return { breakers, happened };
}

describe('a hub that goes on failing', () => {
  test('is told of once, started anew three times, and then nothing new starts until it works', () => {
    const { breakers, happened } = counted();
    const at: [number, string][] = [];
    for (let failures = 1; failures <= 200; failures += 1) {
      const before = happened.length;
      breakers.heard(EFFECT, failed('E_INTERNAL'));
      for (const what of happened.slice(before)) at.push([failures, what]);
    }
    expect(at).toEqual([
      [3, 'E_DEGRADED'],
      [10, 'restart p'],
      [20, 'restart p'],
      [30, 'restart p'],
      [40, 'safe p the hub of p'],
      [40, 'E_SAFE_MODE'],
    ]);
    breakers.heard(EFFECT, WORKS);
    breakers.heard(EFFECT, WORKS);
    expect(happened.slice(6)).toEqual(['safe p over', 'works again']);
  });

  test('lets new work through now and then, and shuts again at the first failure without another word', async () => {
    const { breakers, happened } = counted(1);
    for (let failures = 1; failures <= 40; failures += 1) breakers.heard(EFFECT, failed('E_INTERNAL'));
    const opened = async (): Promise<void> =>
      vi.waitFor(() => expect(happened.at(-1)).toBe('safe p over'), { timeout: 60_000 });
    await opened();
    expect(breakers.parts.get('the hub of p')).toMatchObject({ failures: 40, safe: { since: 1000 } });
    const before = happened.length;
    breakers.heard(EFFECT, failed('E_INTERNAL'));
    await opened();
    expect(happened.slice(before)).toEqual(['safe p the hub of p', 'safe p over']);
    breakers.heard(EFFECT, WORKS);
    expect(breakers.parts.get('the hub of p')).toMatchObject({ failures: 0, safe: null });
  });

  test('is not counted where something works in between, or the fault is a node’s or the remote’s', () => {
    const { breakers, happened } = counted();
    for (let time = 0; time < 50; time += 1) {
      breakers.heard(EFFECT, failed('E_INTERNAL'));
      breakers.heard(EFFECT, failed('E_INTERNAL'));
      breakers.heard(EFFECT, WORKS);
      for (const code of ['E_NODE_DISCONNECTED', 'E_REPO_UNREACHABLE', 'E_NODE_TIMEOUT'])
        breakers.heard(EFFECT, failed(code));
    }
    expect(happened).toEqual([]);
  });
});

describe('safe mode', () => {
  test.each([[P], [null]])(
    'of %s starts no new work, and what runs is collected',
    (project: ProjectName | null) => {
      const story = new Story([spec('p', 'a')]);
      const a = story.started('a');
      story.turn({
        is: 'safe',
        project,
        on: { part: 'the hub of p', reason: 'broken', since: 1 },
      });
      story.load([spec('p', 'a'), spec('p', 'b')]);
      story.queued(a);
      expect(story.wanted(`collect:${a}`)).toBeDefined();
      const b = story.core.state.tasks.get('p/b' as never);
      expect(b?.progress.at).toBe('open');
      expect(b === undefined ? [] : why(story.core.snapshot(), b, 0)).toContainEqual(
        expect.objectContaining({ why: 'safe-mode', part: 'the hub of p', reason: 'broken' }),
      );
      story.turn({ is: 'safe', project, on: null });
      expect(story.core.state.tasks.get('p/b' as never)?.progress.at).toBe('attempt');
    },
  );
});
