import { describe, expect, test } from 'vitest';
import type { GateRules } from '../../src/gates/judge.ts';
import { git } from '../../src/git/run.ts';
import type { HubEffect } from '../../src/merge/door.ts';
import { performHubEffect } from '../../src/merge/effects.ts';
import type { HubWork } from '../../src/merge/work.ts';
import { type CommitId, projectName, taskId, type Token } from '../../src/model/ids.ts';
import { type Branch, candidate, landed, type World, world } from '../git/hub-fixture.ts';

const project = projectName('demo');
const RULES: GateRules = {
  modifies: [],
  allowedExtras: [],
  expands: [],
  protectedPaths: [],
  gates: { largestFileKb: 8192, largestBinaryKb: 2048, secretAllow: [], minTests: 0 },
  placeholderAllow: [],
};

/** Hands for merges of branches that are in the hub already; `names` are the tasks that made them. */
function hands(w: World, names: ReadonlyMap<Token, string>): HubWork {
  return {
    hub: w.hub,
    attempt: (token) => {
      const task = taskId(names.get(token) ?? 'unknown');
      return { task, title: `Do ${task}`, base: w.base, rules: RULES, commands: [] };
    },
    bundleFile: () => '',
    getBundle: async () => false,
  };
}

function reverse(token: Token, onto: CommitId, undoes: CommitId): HubEffect {
  return { do: 'merge', key: 'merge', project, token, head: undoes, onto, aside: false, beside: [], undoes };
}

/** Stacks the branches and lands them as one step. */
async function landTogether(w: World, work: HubWork, branches: readonly Branch[]): Promise<CommitId> {
  const start = await w.hub.integration();
  let onto = start;
  for (const { token, head } of branches) {
    const made = await performHubEffect(
      { do: 'merge', key: 'm', project, token, head, onto, aside: false, beside: [] },
      work,
    );
    if (made.is !== 'merge.made') throw new Error(made.is);
    onto = made.commit;
  }
  const tokens = branches.map(({ token }) => token);
  const done = await performHubEffect(
    { do: 'land', key: 'l', project, tokens, onto: start, commit: onto },
    work,
  );
  if (done.is !== 'landed') throw new Error(done.is);
  return done.commit;
}

async function text(w: World, ...args: string[]): Promise<string> {
  return (await git(args, { gitDir: w.hub.place.dir })).stdout.toString().trim();
}

describe('the reverse of what landed', () => {
  test('takes one task out of a stack that landed as one, and keeps the others and what came later', async () => {
    const w = await world();
    const [one, two, three] = [
      await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' }),
      await candidate(w, w.base, { 'b.txt': 'B\n', 'new.txt': 'n\n' }),
      await candidate(w, w.base, { 'dir/c.txt': 'C\n' }),
    ];
    const names = new Map([one, two, three].map(({ token }, at) => [token, `S0${at + 1}`]));
    const work = hands(w, names);
    const step = await landTogether(w, work, [one, two, three]);
    const later = await candidate(w, step, { 'a.txt': 'ONE\ntwo\nTHREE\n' });
    const tip = await landed(w.hub, later, 'S04');

    const made = await performHubEffect(reverse(two.token, tip, step), work);
    if (made.is !== 'merge.made') throw new Error(made.is);
    expect(await w.hub.listPaths(made.commit)).toEqual(['a.txt', 'b.txt', 'dir/c.txt']);
    expect(await w.hub.readFile(made.commit, 'b.txt')).toBe('bee\n');
    expect(await w.hub.readFile(made.commit, 'a.txt')).toBe('ONE\ntwo\nTHREE\n');
    expect(await w.hub.readFile(made.commit, 'dir/c.txt')).toBe('C\n');
    // Asked for again, after a crash, it is the reverse that was made before.
    const again = await performHubEffect(reverse(two.token, tip, step), work);
    if (again.is !== 'merge.made') throw new Error(again.is);
    expect(again.tree).toBe(made.tree);
    expect(await text(w, 'rev-parse', `${again.commit}^2`)).toBe(
      await text(w, 'rev-parse', `${made.commit}^2`),
    );

    const tokens = [two.token];
    const land: HubEffect = {
      do: 'land',
      key: 'l',
      project,
      tokens,
      undoes: tokens,
      onto: tip,
      commit: made.commit,
    };
    const done = await performHubEffect(land, work);
    expect(done).toMatchObject({ is: 'landed', before: false });
    expect(await performHubEffect(land, work)).toMatchObject({
      is: 'landed',
      before: true,
      commit: made.commit,
    });
    expect(await text(w, 'log', '-1', '--format=%B', 'integration')).toBe(
      `Revert S02: Do S02\n\nDispatch-Reverts: S02\nDispatch-Reverts-Token: ${two.token}`,
    );
    expect(await w.hub.landedTokens('reverted')).toEqual(new Map([[two.token, made.commit]]));
    expect(await w.hub.tasksBetween(w.base, made.commit)).toEqual(['S01', 'S03', 'S04']);
  });

  test('that landed is not taken for the landing of the work, nor the other way round', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const work = hands(w, new Map([[one.token, 'S01']]));
    const tip = await landed(w.hub, one, 'S01');
    const made = await performHubEffect(reverse(one.token, tip, tip), work);
    if (made.is !== 'merge.made') throw new Error(made.is);
    const moved = await landed(w.hub, await candidate(w, w.base, { 'dir/c.txt': 'C\n' }), 'S02');
    const tokens = [one.token];
    const land: HubEffect = {
      do: 'land',
      key: 'l',
      project,
      tokens,
      undoes: tokens,
      onto: tip,
      commit: made.commit,
    };
    expect(await performHubEffect(land, work)).toEqual({ is: 'land.raced', key: 'l', project });
    expect(await w.hub.integration()).toBe(moved);
  });

  test('lands on one stack with new work, in a step that says what it brings and what it takes', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const two = await candidate(w, w.base, { 'dir/c.txt': 'C\n' });
    const work = hands(
      w,
      new Map([
        [one.token, 'S01'],
        [two.token, 'S02'],
      ]),
    );
    const tip = await landed(w.hub, one, 'S01');
    const below = await performHubEffect(reverse(one.token, tip, tip), work);
    if (below.is !== 'merge.made') throw new Error(below.is);
    const { token, head } = two;
    const top = await performHubEffect(
      { do: 'merge', key: 'm', project, token, head, onto: below.commit, aside: false, beside: [] },
      work,
    );
    if (top.is !== 'merge.made') throw new Error(top.is);
    const tokens = [one.token, token];
    const land: HubEffect = {
      do: 'land',
      key: 'l',
      project,
      tokens,
      undoes: [one.token],
      onto: tip,
      commit: top.commit,
    };
    expect(await performHubEffect(land, work)).toMatchObject({ is: 'landed' });
    expect(await text(w, 'log', '-1', '--format=%s', 'integration')).toBe('Merge S02; Revert S01');
    const end = await w.hub.integration();
    expect(await w.hub.tasksBetween(w.base, end)).toEqual(['S02']);
    // The other one can be taken out of that step, too.
    const undone = await performHubEffect(reverse(token, end, end), work);
    expect(undone).toMatchObject({ is: 'merge.made', tree: await text(w, 'rev-parse', `${w.base}^{tree}`) });
  });

  test('conflicts with later work on the same lines, which is named, and not with itself', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const work = hands(w, new Map([[one.token, 'S01']]));
    const step = await landed(w.hub, one, 'S01');
    const onto = await landed(w.hub, await candidate(w, step, { 'a.txt': 'ONE!\ntwo\nthree\n' }), 'S02');
    expect(await performHubEffect(reverse(one.token, onto, step), work)).toEqual({
      is: 'merge.conflict',
      key: 'merge',
      token: one.token,
      onto,
      conflicts: [{ path: 'a.txt', tasks: ['S02'] }],
    });
  });

  test('of what a commit did not bring in is no merge at all', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const two = await candidate(w, w.base, { 'dir/c.txt': 'C\n' });
    const work = hands(w, new Map());
    const tip = await landed(w.hub, one, 'S01');
    expect(await performHubEffect(reverse(two.token, tip, tip), work)).toMatchObject({
      is: 'effect.failed',
      problem: { code: 'E_MERGE_UNSOUND' },
    });
  });
});
