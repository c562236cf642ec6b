import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GateRules } from '../../src/gates/judge.ts';
import { openHub } from '../../src/git/hub.ts';
import { git } from '../../src/git/run.ts';
import { performHubEffect } from '../../src/merge/effects.ts';
import type { HubEffect, HubEffectOf } from '../../src/merge/door.ts';
import type { HubWork } from '../../src/merge/work.ts';
import { type CommitId, commitId, nodeName, projectName, taskId, type Token } from '../../src/model/ids.ts';
import { bundle, candidate, hubOf, landed, newToken, supply, type World, world } from '../git/hub-fixture.ts';
import { scratch } from '../git/repo.ts';

const project = projectName('demo');
const node = nodeName('n1');
const RULES: GateRules = {
  modifies: ['b.txt', 'b.py'],
  allowedExtras: [],
  expands: [],
  protectedPaths: [],
  gates: { largestFileKb: 8192, largestBinaryKb: 2048, secretAllow: [], minTests: 0 },
  placeholderAllow: [],
};

/** What the controller hands in, with results that lie as bundles in a directory. */
class Hands implements HubWork {
  readonly hub: HubWork['hub'];
  readonly root: string;
  readonly tasks = new Map<Token, { task: string; base: CommitId }>();
  readonly results = new Map<Token, string>();
  fetched = 0;
  readonly files: string[] = [];

  constructor(w: World) {
    this.hub = w.hub;
    this.root = w.root;
  }

  readonly attempt = (token: Token) => {
    const found = this.tasks.get(token);
    if (found === undefined) throw new Error('unknown attempt');
    return {
      task: taskId(found.task),
      title: `Do ${found.task}`,
      base: found.base,
      rules: RULES,
      commands: [],
    };
  };

  readonly bundleFile = (): string => {
    const file = join(this.root, `incoming-${newToken()}`);
    this.files.push(file);
    return file;
  };

  readonly getBundle = async (token: Token, _have: readonly CommitId[], file: string): Promise<boolean> => {
    this.fetched += 1;
    const result = this.results.get(token);
    if (result === undefined) return false;
    if (result === 'cut') throw new Error('connection lost');
    const { readFile } = await import('node:fs/promises');
    await writeFile(file, await readFile(result));
    return true;
  };
}

/** An attempt's result on its node, not yet in the hub. */
async function finished(
  w: World,
  hands: Hands,
  task: string,
  edit: Parameters<typeof candidate>[2],
): Promise<{ token: Token; head: CommitId }> {
  const base = await w.hub.integration();
  const token = newToken();
  await supply(w.hub, w.node, w.root, base);
  await w.node.branch(`attempt-${token}`, base);
  const head = await w.node.commit(edit);
  hands.tasks.set(token, { task, base });
  hands.results.set(token, await bundle(w.node, w.root, base));
  return { token, head };
}

const collect = (token: Token, head: CommitId): HubEffect => ({
  do: 'collect',
  key: `collect:${token}`,
  project,
  token,
  node,
  head,
});
const merge = (token: Token, head: CommitId, onto: CommitId): HubEffectOf<'merge'> => ({
  do: 'merge',
  key: `merge:${token}`,
  project,
  token,
  head,
  onto,
  aside: false,
  beside: [],
});

describe('collect', () => {
  test('a good branch comes in and is judged in the hub; a second time nothing is transferred', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S01', { 'b.txt': 'better\n' });
    const good = {
      is: 'collected',
      key: `collect:${token}`,
      token,
      head,
      changed: 1,
      findings: [],
      paths: ['b.txt'],
    };
    expect(await performHubEffect(collect(token, head), hands)).toEqual(good);
    expect(await performHubEffect(collect(token, head), hands)).toEqual(good);
    expect(hands.fetched).toBe(1);
    expect(hands.files.some((file) => existsSync(file))).toBe(false);
  });

  test('a change outside of what the task may touch is found, whatever the node said', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S01', { 'b.txt': 'B\n', 'a.txt': 'A\n' });
    const result = await performHubEffect(collect(token, head), hands);
    expect(result).toMatchObject({
      is: 'collected',
      changed: 2,
      findings: [{ gate: 'scope', path: 'a.txt' }],
    });
  });

  test('a marker that attributes try to hide is found', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S01', {
      'b.py': '# TODO later\n',
      '.gitattributes': '* -diff\n',
    });
    const result = await performHubEffect(collect(token, head), hands);
    if (result.is !== 'collected') throw new Error(result.is);
    expect(result.findings).toContainEqual(
      expect.objectContaining({ gate: 'placeholder', path: 'b.py', line: 1 }),
    );
  });

  test('a result that is gone, a lost connection and an unusable result are three different things', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S01', { 'b.txt': 'B\n' });
    const [good] = [hands.results.get(token) ?? ''];
    hands.results.delete(token);
    expect(await performHubEffect(collect(token, head), hands)).toEqual({
      is: 'collect.gone',
      key: `collect:${token}`,
      token,
    });
    hands.results.set(token, 'cut');
    expect(await performHubEffect(collect(token, head), hands)).toMatchObject({
      is: 'effect.failed',
      problem: { message: 'connection lost' },
    });
    hands.results.set(token, good);
    const other = commitId('1'.repeat(40));
    expect(await performHubEffect(collect(token, other), hands)).toMatchObject({
      is: 'collected',
      findings: [{ gate: 'commit', message: expect.stringContaining('does not contain it') as string }],
    });
    expect(hands.files.some((file) => existsSync(file))).toBe(false);
  });

  test('an attempt that nobody knows is a failed effect, not a crash', async () => {
    const w = await world();
    expect(await performHubEffect(collect(newToken(), w.base), new Hands(w))).toMatchObject({
      is: 'effect.failed',
    });
  });
});

describe('merge and land', () => {
  test('a branch goes from the node to integration', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S01', { 'b.txt': 'better\n' });
    await performHubEffect(collect(token, head), hands);
    const made = await performHubEffect(merge(token, head, w.base), hands);
    if (made.is !== 'merge.made') throw new Error(made.is);
    expect(made.onto).toBe(w.base);
    const [tokens, onto] = [[token], made.onto];
    const land: HubEffect = { do: 'land', key: 'land', project, tokens, onto, commit: made.commit };
    const done = { is: 'landed', key: 'land', project, tokens, onto, commit: made.commit };
    expect(await performHubEffect(land, hands)).toEqual({ ...done, before: false });
    expect(await w.hub.integration()).toBe(made.commit);
    // The answer was lost, the controller died: the same again, by a hub opened anew.
    expect(await performHubEffect(land, Object.assign(hands, { hub: await openHub(w.hub.place) }))).toEqual({
      ...done,
      before: true,
    });
    const { stdout } = await git(['log', '-1', '--format=%B', made.commit], { gitDir: w.hub.place.dir });
    expect(stdout.toString().trim()).toBe(
      `Merge S01: Do S01\n\nDispatch-Task: S01\nDispatch-Token: ${token}`,
    );
  });

  test('a conflict names the files and the tasks on the other side', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S02', { 'b.txt': 'mine\n' });
    await performHubEffect(collect(token, head), hands);
    const onto = await landed(w.hub, await candidate(w, w.base, { 'b.txt': 'theirs\n' }), 'S01');
    expect(await performHubEffect(merge(token, head, onto), hands)).toEqual({
      is: 'merge.conflict',
      key: `merge:${token}`,
      token,
      onto,
      conflicts: [{ path: 'b.txt', tasks: ['S01'] }],
    });
  });

  test('a conflict with the stack alone is no conflict: the branch waits', async () => {
    const w = await world();
    const hands = new Hands(w);
    const one = await finished(w, hands, 'S01', { 'b.txt': 'one\n' });
    const two = await finished(w, hands, 'S02', { 'b.txt': 'two\n' });
    for (const { token, head } of [one, two]) await performHubEffect(collect(token, head), hands);
    const stacked = await performHubEffect(merge(one.token, one.head, w.base), hands);
    if (stacked.is !== 'merge.made') throw new Error(stacked.is);
    const onto = stacked.commit;
    const conflicts = [{ path: 'b.txt', tasks: ['S01'] }];
    const waits = { is: 'merge.waits', key: `merge:${two.token}`, token: two.token, onto, conflicts };
    expect(await performHubEffect(merge(two.token, two.head, onto), hands)).toEqual(waits);
  });

  test('branches are looked at beforehand: with integration, with the stack, and nothing moves', async () => {
    const w = await world();
    const hands = new Hands(w);
    const one = await finished(w, hands, 'S01', { 'b.txt': 'one\n' });
    const two = await finished(w, hands, 'S02', { 'b.txt': 'two\n' });
    const three = await finished(w, hands, 'S03', { 'b.py': 'three\n' });
    const four = await finished(w, hands, 'S04', { 'a.txt': 'four\n' });
    for (const { token, head } of [one, two, three, four])
      await performHubEffect(collect(token, head), hands);
    const tip = await landed(w.hub, await candidate(w, w.base, { 'a.txt': 'landed\n' }), 'S00');
    const stacked = await performHubEffect(merge(one.token, one.head, tip), hands);
    if (stacked.is !== 'merge.made') throw new Error(stacked.is);
    const { commit: top } = stacked;
    const { stdout: before } = await git(['for-each-ref'], { gitDir: w.hub.place.dir });
    const branches = [two, three, four].map(({ token, head }) => ({ token, head }));
    const effect: HubEffect = { do: 'predict', key: 'predict:demo', project, tip, top, branches };
    expect(await performHubEffect(effect, hands)).toEqual({
      is: 'predicted',
      key: 'predict:demo',
      project,
      tip,
      top,
      branches: [
        { token: two.token, clash: { onto: top, conflicts: [{ path: 'b.txt', tasks: ['S01'] }] } },
        { token: three.token, clash: null },
        { token: four.token, clash: { onto: tip, conflicts: [{ path: 'a.txt', tasks: ['S00'] }] } },
      ],
    });
    const { stdout: after } = await git(['for-each-ref'], { gitDir: w.hub.place.dir });
    expect(after.toString()).toBe(before.toString());
  });

  test('a branch that is to be judged alone is held against what else is on its way', async () => {
    const w = await world();
    const hands = new Hands(w);
    const one = await finished(w, hands, 'S01', { 'b.txt': 'one\n' });
    const two = await finished(w, hands, 'S02', { 'b.txt': 'two\n' });
    for (const { token, head } of [one, two]) await performHubEffect(collect(token, head), hands);
    const alone = await performHubEffect({ ...merge(one.token, one.head, w.base), aside: true }, hands);
    if (alone.is !== 'merge.made') throw new Error(alone.is);
    const { commit } = alone;
    const effect: HubEffect = { ...merge(two.token, two.head, w.base), aside: true, beside: [commit] };
    expect(await performHubEffect(effect, hands)).toMatchObject({
      is: 'merge.waits',
      onto: commit,
      conflicts: [{ path: 'b.txt', tasks: ['S01'] }],
    });
  });

  test('two branches land as one, and are found as one when the answer was lost', async () => {
    const w = await world();
    const hands = new Hands(w);
    const one = await finished(w, hands, 'S01', { 'b.txt': 'one\n' });
    const two = await finished(w, hands, 'S02', { 'b.py': 'two\n' });
    for (const { token, head } of [one, two]) await performHubEffect(collect(token, head), hands);
    const lower = await performHubEffect(merge(one.token, one.head, w.base), hands);
    if (lower.is !== 'merge.made') throw new Error(lower.is);
    const top = await performHubEffect(merge(two.token, two.head, lower.commit), hands);
    if (top.is !== 'merge.made') throw new Error(top.is);
    const tokens = [one.token, two.token];
    const land: HubEffect = { do: 'land', key: 'land', project, tokens, onto: w.base, commit: top.commit };
    const landing = await performHubEffect(land, hands);
    const commit = await w.hub.integration();
    expect(landing).toEqual({
      is: 'landed',
      key: 'land',
      project,
      tokens,
      onto: w.base,
      commit,
      before: false,
    });
    expect(await performHubEffect(land, hands)).toEqual({ ...landing, before: true });
    const { stdout } = await git(['log', '-1', '--format=%B', commit], { gitDir: w.hub.place.dir });
    expect(stdout.toString().trim()).toBe(
      `Merge S01, S02\n\nDispatch-Task: S01\nDispatch-Token: ${one.token}\nDispatch-Task: S02\nDispatch-Token: ${two.token}`,
    );
  });

  test('integration that moved is a race, and an attempt that landed before is found by what the history says', async () => {
    const w = await world();
    const hands = new Hands(w);
    const { token, head } = await finished(w, hands, 'S01', { 'b.txt': 'B\n' });
    await performHubEffect(collect(token, head), hands);
    const [first, second] = [
      await performHubEffect(merge(token, head, w.base), hands),
      await performHubEffect(merge(token, head, w.base), hands),
    ];
    if (first.is !== 'merge.made' || second.is !== 'merge.made') throw new Error('no merge');
    const moved = await landed(w.hub, await candidate(w, w.base, { 'dir/c.txt': 'C\n' }), 'S02');
    const land = { do: 'land', key: 'land', project, tokens: [token], commit: first.commit } as const;
    const raced = { is: 'land.raced', key: 'land', project };
    expect(await performHubEffect({ ...land, onto: w.base }, hands)).toEqual(raced);
    const commit = await landed(w.hub, { token, head }, 'S01');
    expect(await performHubEffect({ ...land, onto: moved }, hands)).toMatchObject({ is: 'landed', commit });
    expect(await w.hub.integration()).toBe(commit);
  });
});

describe('base and delivery', () => {
  test('a base is set up, and a repository that is not there is a failed effect that says what to do', async () => {
    const w = await world();
    const base: HubEffect = { do: 'base', key: 'base:demo', project };
    expect(await performHubEffect(base, new Hands(w))).toEqual({
      is: 'based',
      key: 'base:demo',
      project,
      integration: w.base,
    });
    const hub = await hubOf(scratch(), '/no/such/repository');
    const result = await performHubEffect(base, Object.assign(new Hands(w), { hub }));
    expect(result).toMatchObject({
      is: 'effect.failed',
      key: 'base:demo',
      problem: { code: 'E_REPO_MISSING' },
    });
    if (result.is !== 'effect.failed') return;
    expect(result.problem.message).toContain('no git repository at /no/such/repository');
    expect(result.problem.fix).toContain('git ls-remote');
  });

  test('what landed is prepared and delivered, with its tasks', async () => {
    const w = await world();
    const hands = new Hands(w);
    const tip = await landed(w.hub, await candidate(w, w.base, { 'b.txt': 'B\n' }), 'S01');
    const prepare: HubEffect = { do: 'prepare-delivery', key: 'prepare', project };
    const made = await performHubEffect(prepare, hands);
    if (made.is !== 'delivery.made') throw new Error(made.is);
    expect(made).toMatchObject({ commit: tip, onto: tip, targetTip: w.base });
    const { commit, onto, targetTip } = made;
    const deliver: HubEffect = { do: 'deliver', key: 'deliver', project, commit, onto, targetTip };
    expect(await performHubEffect(deliver, hands)).toEqual({
      is: 'delivered',
      key: 'deliver',
      project,
      commit,
      tasks: ['S01'],
    });
    expect(await performHubEffect(prepare, hands)).toMatchObject({
      is: 'delivery.made',
      commit: tip,
      targetTip: tip,
    });
  });

  test('a race is a race; what only a person can mend ends the collect; an unreachable host does not', async () => {
    const w = await world();
    const hands = new Hands(w);
    const tip = await landed(w.hub, await candidate(w, w.base, { 'b.txt': 'B\n' }), 'S01');
    await w.person.commit({ 'b.txt': 'mine\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    const deliver: HubEffect = {
      do: 'deliver',
      key: 'd',
      project,
      commit: tip,
      onto: tip,
      targetTip: w.base,
    };
    expect(await performHubEffect(deliver, hands)).toEqual({ is: 'deliver.raced', key: 'd', project });
    const prepare: HubEffect = { do: 'prepare-delivery', key: 'p', project };
    expect(await performHubEffect(prepare, hands)).toMatchObject({
      is: 'deliver.refused',
      problem: { code: 'E_TARGET_CONFLICT' },
    });
    expect(await performHubEffect({ ...deliver, targetTip: null }, hands)).toMatchObject({
      is: 'deliver.refused',
      problem: { code: 'E_TARGET_MISSING' },
    });
    const ssh = join(w.root, 'ssh');
    await writeFile(
      ssh,
      '#!/bin/sh\necho "ssh: connect to host h port 22: Connection refused" >&2\nexit 255\n',
      { mode: 0o755 },
    );
    process.env.GIT_SSH = ssh;
    try {
      const hub = await openHub({ ...w.hub.place, repo: 'h:p' });
      const unreachable = await performHubEffect(prepare, Object.assign(hands, { hub }));
      expect(unreachable).toMatchObject({ is: 'effect.failed', problem: { code: 'E_REPO_UNREACHABLE' } });
    } finally {
      delete process.env.GIT_SSH;
    }
  });
});
