import { describe, expect, test } from 'vitest';
import { TOPICS } from '../../src/cli/topics.ts';
import { dispatch, hasEscapes } from './dispatch.ts';

const VERBS = [
  ['init'],
  ['validate'],
  ['plan'],
  ['start'],
  ['serve'],
  ['collect'],
  ['cancel'],
  ['retry'],
  ['revert'],
  ['review'],
  ['status'],
  ['why'],
  ['logs'],
  ['gate'],
  ['verify'],
  ['attach'],
  ['report'],
  ['budget'],
  ['budget', 'raise'],
  ['replay'],
  ['doctor'],
  ['health'],
  ['alerts'],
  ['alerts', 'list'],
  ['alerts', 'test'],
  ['alerts', 'ack'],
  ['nodes'],
  ['nodes', 'list'],
  ['nodes', 'add'],
  ['nodes', 'bootstrap'],
  ['nodes', 'probe'],
  ['nodes', 'drain'],
  ['nodes', 'cordon'],
  ['nodes', 'uncordon'],
  ['nodes', 'remove'],
  ['backup'],
  ['restore'],
  ['rescue'],
  ['tunnels'],
  ['tunnels', 'install'],
  ['tunnels', 'status'],
  ['tunnels', 'uninstall'],
  ['credentials'],
  ['sim'],
  ['explain'],
  ['completion'],
  ['help'],
];

describe('help', () => {
  test.each(VERBS.map((verb) => [verb]))('of %s begins with real examples', async (verb) => {
    const asked = await dispatch([...verb, '--help']);
    expect({ code: asked.code, stderr: asked.stderr }).toEqual({ code: 0, stderr: '' });
    expect(asked.stdout).toMatch(new RegExp(`^Examples:\n {2}\\$ dispatch .*${verb.at(-1)}.* # `, 'u'));
    expect(asked.stdout).toContain('Global Options:');
    expect(hasEscapes(asked.stdout)).toBe(false);
  });

  test.each([[['plan']], [['nodes']], [['nodes', 'add']], [['help']]])(
    'of %s is given by help as well, which has one way for all',
    async (verb) => {
      expect((await dispatch(['help', ...verb])).stdout).toBe((await dispatch([...verb, '--help'])).stdout);
    },
  );

  test.each([
    ['exit-codes', '6    conflict'],
    ['environment', 'DISPATCH_HOME'],
    ['configuration', 'dispatch.yaml'],
    ['output', 'ndjson'],
    ['states', 'blocked'],
    ['specs', 'modifies'],
    ['executors', 'opencode'],
    ['leases', 'nodes expire'],
  ])('has the topic %s', async (topic, content) => {
    const { code, stdout } = await dispatch(['help', topic]);
    expect(code).toBe(0);
    expect(stdout).toContain(content);
  });

  test('without a topic is that of the program, and names all topics', async () => {
    const { stdout } = await dispatch(['help']);
    expect(stdout).toBe((await dispatch(['--help'])).stdout);
    expect(stdout).toContain(`Topics: dispatch help ${Object.keys(TOPICS).join(' | ')}\n`);
  });

  test('names the nearest topic for one that does not exist', async () => {
    const { code, stderr } = await dispatch(['help', 'exit-code']);
    expect(code).toBe(5);
    expect(stderr).toContain('did you mean exit-codes?');
  });
});
