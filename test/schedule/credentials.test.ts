import { describe, expect, test } from 'vitest';
import type { CredentialDef } from '../../src/model/credential.ts';
import type { ExecutorDef } from '../../src/model/executor.ts';
import { decide } from '../../src/schedule/decide.ts';
import { reasonOf, why } from '../../src/schedule/why.ts';
import { config, World } from './world.ts';

const key = (name: string, maxInFlight: number | null = null): CredentialDef => ({
  name,
  maxInFlight,
  secrets: null,
});

function glm(pool: readonly CredentialDef[], fallback?: string): Readonly<Record<string, ExecutorDef>> {
  const plain = { command: ['run'], env: {}, secrets: {}, model: null };
  return {
    shell: { ...plain, name: 'shell', kind: 'shell' },
    glm: { ...plain, name: 'glm', kind: 'claude', pool, ...(fallback === undefined ? {} : { fallback }) },
  };
}

/** Tasks of executor glm on two nodes of four slots. */
function world(executors: Readonly<Record<string, ExecutorDef>>, tasks = 6): World {
  const made = new World().node('n1', { slots: 4 }).node('n2', { slots: 4 });
  made.project('p');
  made.record({ type: 'project.configured', config: config('p', { executors }) });
  for (let i = 0; i < tasks; i++) made.add('p', `T${i}`, { executor: 'glm' });
  return made;
}

function limit(made: World, credential: string, over: object = {}): void {
  const fact = {
    type: 'credential.limited',
    credential,
    why: 'rate',
    message: 'too many',
    limit: 2,
    seen: 4,
  } as const;
  made.record({ ...fact, notBefore: 0, strikes: 1, ...over });
}

const chosen = (made: World): (string | null)[] =>
  decide(made.snapshot(), made.now).flatMap((one) =>
    one.start === 'work' ? [one.credential ?? one.executor] : [],
  );

describe('keys', () => {
  test('are counted over all nodes, and attempts that run with them too', () => {
    const made = world(glm([key('a', 3)]));
    const decisions = decide(made.snapshot(), made.now);
    expect(decisions).toHaveLength(3);
    expect(new Set(decisions.map(({ node }) => node)).size).toBe(2);
    made.apply(decisions[0] as (typeof decisions)[number]);
    expect(chosen(made)).toEqual(['a', 'a']);
  });

  test('of a pool are used evenly for what each may carry', () => {
    expect(chosen(world(glm([key('a', 1), key('b', 3)]))).toSorted()).toEqual(['a', 'b', 'b', 'b']);
  });

  test('that back off are left alone, and the others of the pool go on', () => {
    const made = world(glm([key('a'), key('b', 2)]));
    limit(made, 'a', { notBefore: made.now + 5000 });
    expect(chosen(made)).toEqual(['b', 'b']);
  });

  test('carry again what was found out when their back-off is over', () => {
    const made = world(glm([key('a')]));
    expect(chosen(made)).toHaveLength(6);
    limit(made, 'a', { notBefore: made.now + 5000 });
    expect(chosen(made)).toEqual([]);
    made.now += 5000;
    expect(chosen(made)).toEqual(['a', 'a']);
  });

  test('of other executors bound nothing here, and a shell command has none', () => {
    const made = world(glm([key('a', 1)]), 2);
    made.add('p', 'S', { executor: 'shell' });
    expect(chosen(made).toSorted()).toEqual(['a', 'shell']);
  });
});

describe('the fallback', () => {
  test('takes the tasks while all keys are refused, and not while they are merely in use', () => {
    const made = world(glm([key('a', 1)], 'shell'), 3);
    expect(chosen(made)).toEqual(['a']);
    limit(made, 'a', { notBefore: made.now + 5000 });
    expect(chosen(made)).toEqual(['shell', 'shell', 'shell']);
  });

  test('may be one another’s: nothing goes round in circles', () => {
    const executors = glm([key('a')], 'other');
    const other = { ...executors.glm, name: 'other', pool: [key('b')], fallback: 'glm' } as ExecutorDef;
    const made = world({ ...executors, other }, 2);
    limit(made, 'a', { notBefore: made.now + 5000 });
    expect(chosen(made)).toEqual(['b', 'b']);
    limit(made, 'b', { notBefore: made.now + 5000 });
    expect(chosen(made)).toEqual([]);
  });
});

describe('why', () => {
  test('names the key that is in full use, or refused, and until when', () => {
    const made = world(glm([key('a', 1)]), 2);
    made.apply(decide(made.snapshot(), made.now)[0] as never);
    const reason = (): string => reasonOf(why(made.snapshot(), made.task('p', 'T1'), made.now));
    expect(reason()).toBe('Credential(a 1/1)');
    limit(made, 'a', { notBefore: made.now + 41_500, why: 'login' });
    expect(reason()).toBe('Credential(a login 42s)');
    expect(why(made.snapshot(), made.task('p', 'T1'), made.now)).toEqual([
      {
        why: 'credential',
        credentials: [
          expect.objectContaining({ credential: 'a', inFlight: 1, allowed: 0, needsPerson: true }),
        ],
      },
    ]);
  });
});
