import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Hub, openHub } from '../../src/git/hub.ts';
import { HUB_ENV } from '../../src/git/hub-dir.ts';
import { git } from '../../src/git/run.ts';
import { lostTargetIn } from '../../src/git/target-watch.ts';
import type { CommitId } from '../../src/model/ids.ts';
import { candidate, hubOf, landed, type World, world } from './hub-fixture.ts';
import { Repo } from './repo.ts';

async function tipOf(repository: string, ref = 'refs/heads/main'): Promise<string> {
  const { stdout } = await git(['-c', 'safe.bareRepository=all', 'rev-parse', ref], { cwd: repository });
  return stdout.toString().trim();
}

async function prepared(
  hub: Hub,
): Promise<{ commit: CommitId; onto: CommitId; targetTip: CommitId; tree: string }> {
  const result = await hub.prepareDelivery();
  if (result.kind !== 'made')
    throw new Error(result.kind === 'refused' ? result.problem.message : result.kind);
  return result;
}

async function oneTask(w: World): Promise<CommitId> {
  return await landed(w.hub, await candidate(w, w.base, { 'b.txt': 'B\n' }), 'S01');
}

describe('delivery to a bare repository', () => {
  test('a target that stood still moves forward to integration itself', async () => {
    const w = await world();
    const tip = await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    expect([commit, onto, targetTip]).toEqual([tip, tip, w.base]);
    expect(await tipOf(w.bare)).toBe(w.base);
    expect(await w.hub.deliver(commit, onto, targetTip)).toEqual({ kind: 'delivered', tasks: ['S01'] });
    expect(await tipOf(w.bare)).toBe(tip);
    expect(await w.hub.integration()).toBe(tip);
  });

  test('with nothing new the target’s own tip is the answer', async () => {
    const w = await world();
    expect(await w.hub.prepareDelivery()).toMatchObject({
      kind: 'nothing',
      commit: w.base,
      targetTip: w.base,
    });
  });

  test('a target that moved is merged, and integration follows', async () => {
    const w = await world();
    const tip = await oneTask(w);
    const moved = await w.person.commit({ 'mine.txt': 'm\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    const { commit, onto, targetTip } = await prepared(w.hub);
    expect([onto, targetTip]).toEqual([tip, moved]);
    expect(await w.hub.integration()).toBe(tip);
    expect(await w.hub.deliver(commit, onto, targetTip)).toEqual({ kind: 'delivered', tasks: ['S01'] });
    expect(await tipOf(w.bare)).toBe(commit);
    expect(await w.hub.integration()).toBe(commit);
    expect(await w.hub.listPaths(commit)).toEqual(['a.txt', 'b.txt', 'dir/c.txt', 'mine.txt']);
    const { stdout } = await git(['rev-parse', `${commit}^1`, `${commit}^2`], { gitDir: w.hub.place.dir });
    expect(stdout.toString().trim().split('\n')).toEqual([tip, moved]);
    expect(await w.hub.landedTokens()).toHaveProperty('size', 1);
  });

  test('a conflict with the target names the files and leaves the result where a person can merge it', async () => {
    const w = await world();
    const tip = await oneTask(w);
    const theirs = await w.person.commit({ 'b.txt': 'mine\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    const result = await w.hub.prepareDelivery();
    expect(result).toMatchObject({
      kind: 'refused',
      problem: { code: 'E_TARGET_CONFLICT', why: expect.stringContaining('b.txt') as string },
    });
    expect(await tipOf(w.bare, 'refs/dispatch/demo')).toBe(tip);
    expect(await tipOf(w.bare)).toBe(theirs);
    expect(await w.hub.integration()).toBe(tip);
    // What the message says to do works, and the next collect finds nothing left.
    await w.person.git('fetch', '-q', 'origin', 'refs/dispatch/demo');
    await w.person.git('merge', '-q', '-s', 'ours', '-m', 'solved', 'FETCH_HEAD');
    await w.person.git('push', '-q', 'origin', 'main');
    expect(await w.hub.prepareDelivery()).toMatchObject({ kind: 'nothing' });
  });

  test('a push of somebody else in between is a race, and nothing of theirs is lost', async () => {
    const w = await world();
    await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    const theirs = await w.person.commit({ 'mine.txt': 'm\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    expect(await w.hub.deliver(commit, onto, targetTip)).toEqual({ kind: 'raced' });
    expect(await tipOf(w.bare)).toBe(theirs);
    const again = await prepared(w.hub);
    expect(await w.hub.deliver(again.commit, again.onto, again.targetTip)).toMatchObject({
      kind: 'delivered',
    });
    expect(await w.hub.listPaths(again.commit)).toContain('mine.txt');
  });

  test('a push that overtakes ours inside the receiving repository is a race, too', async () => {
    const w = await world();
    await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    const theirs = await w.person.commit({ 'mine.txt': 'm\n' });
    await w.person.git('push', '-q', 'origin', `${theirs}:refs/heads/other`);
    // Runs after git has checked the lease and before it moves the branch.
    await mkdir(join(w.bare, 'hooks'), { recursive: true });
    const hook = join(w.bare, 'hooks/pre-receive');
    await writeFile(hook, `#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main ${theirs}\n`);
    await chmod(hook, 0o755);
    expect(await w.hub.deliver(commit, onto, targetTip)).toEqual({ kind: 'raced' });
    expect(await tipOf(w.bare)).toBe(theirs);
  });

  test('a target that was rewound in between is told of, and is not forced back', async () => {
    const w = await world();
    await w.person.commit({ 'x.txt': 'x\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    await w.hub.base();
    await landed(w.hub, await candidate(w, await w.hub.integration(), { 'b.txt': 'B\n' }), 'S01');
    const { commit, onto, targetTip } = await prepared(w.hub);
    await w.person.git('push', '-q', '--force', 'origin', `${w.base}:refs/heads/main`);
    const problem = { code: 'E_TARGET_REWOUND' };
    expect(await w.hub.deliver(commit, onto, targetTip)).toMatchObject({ kind: 'refused', problem });
    expect(await tipOf(w.bare)).toBe(w.base);
  });

  test('what was delivered must stay: a target that lost it is told of until it is back, or accepted as it is', async () => {
    const w = await world();
    await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    await w.hub.deliver(commit, onto, targetTip);
    // Others may push what they like on top.
    await w.person.git('pull', '-q', 'origin', 'main');
    const theirs = await w.person.commit({ 'x.txt': 'x\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    expect(await w.hub.lostTarget()).toBe(null);

    await w.person.git('push', '-q', '--force', 'origin', `${w.base}:refs/heads/main`);
    const lost = { was: theirs, now: w.base, tasks: ['S01'] };
    expect(await w.hub.lostTarget()).toEqual(lost);
    expect(await w.hub.prepareDelivery()).toMatchObject({ kind: 'refused' });
    expect(await lostTargetIn(w.hub.place.dir, 'main')).toEqual(lost);
    await w.person.git('push', '-q', 'origin', `${theirs}:refs/heads/main`);
    expect(await w.hub.lostTarget()).toBe(null);

    await w.person.git('push', '-q', '--force', 'origin', `${w.base}:refs/heads/main`);
    expect(await w.hub.lostTarget()).toEqual(lost);
    await w.hub.acceptTarget(w.base);
    expect(await w.hub.lostTarget()).toBe(null);
    expect(await w.hub.prepareDelivery()).toMatchObject({ kind: 'made' });
  });

  test('integration that somebody moved back goes where it was, and one that was rewritten is refused', async () => {
    const w = await world();
    const tip = await oneTask(w);
    const gitDir = w.hub.place.dir;
    await git(['update-ref', 'refs/heads/integration', w.base], { gitDir });
    expect(await w.hub.base()).toBe(tip);
    const tree = `${w.base}^{tree}`;
    const { stdout } = await git(['commit-tree', '-m', 'other', '-p', w.base, tree], {
      gitDir,
      env: HUB_ENV,
    });
    await git(['update-ref', 'refs/heads/integration', stdout.toString().trim()], { gitDir });
    await expect(w.hub.base()).rejects.toMatchObject({ code: 'E_HUB_BROKEN' });
  });

  test('a hook that refuses is quoted, without its control characters', async () => {
    const w = await world();
    await oneTask(w);
    await mkdir(join(w.bare, 'hooks'), { recursive: true });
    const hook = join(w.bare, 'hooks/pre-receive');
    await writeFile(hook, `#!/bin/sh\nprintf '\\033[31mno pushes\\033[0m on\\007 Friday\\n' >&2\nexit 1\n`);
    await chmod(hook, 0o755);
    const { commit, onto, targetTip } = await prepared(w.hub);
    const result = await w.hub.deliver(commit, onto, targetTip);
    expect(result).toMatchObject({ kind: 'refused', problem: { code: 'E_PUSH_REFUSED' } });
    if (result.kind !== 'refused') return;
    expect(result.problem.why).toBe('[remote rejected] (pre-receive hook declined)\nno pushes on Friday');
    expect(await tipOf(w.bare)).toBe(w.base);
  });

  test('a target that was deleted is refused as missing', async () => {
    const w = await world();
    await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    await w.person.git('push', '-q', 'origin', `${w.base}:refs/heads/mainline`);
    await git(['update-ref', '-d', 'refs/heads/main'], { gitDir: w.bare });
    await expect(w.hub.deliver(commit, onto, targetTip)).rejects.toMatchObject({
      code: 'E_TARGET_MISSING',
      fix: expect.stringContaining('mainline') as string,
    });
  });

  test('a delivery cut off between the push and the move of integration is finished by doing it again', async () => {
    const w = await world();
    const tip = await oneTask(w);
    await w.person.commit({ 'mine.txt': 'm\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    const { commit, onto, targetTip } = await prepared(w.hub);
    // The controller dies right after the push.
    const push = `${commit}:refs/heads/main`;
    await git(['push', '-q', w.bare, push], { gitDir: w.hub.place.dir, protocols: ['file'] });
    expect(await w.hub.integration()).toBe(tip);
    const after = await openHub(w.hub.place);
    expect(await after.deliver(commit, onto, targetTip)).toEqual({ kind: 'delivered', tasks: ['S01'] });
    expect(await after.integration()).toBe(commit);
    // And again, when the answer was lost.
    expect(await after.deliver(commit, onto, targetTip)).toEqual({ kind: 'delivered', tasks: ['S01'] });
    // Also when somebody has pushed on top of it since.
    await w.person.git('pull', '-q', '--ff-only', 'origin', 'main');
    const later = await w.person.commit({ 'later.txt': 'l\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    expect(await after.deliver(commit, onto, targetTip)).toEqual({ kind: 'delivered', tasks: ['S01'] });
    expect(await tipOf(w.bare)).toBe(later);
  });

  test('a repository that is another one now is refused, and nothing is pushed to it', async () => {
    const w = await world();
    await oneTask(w);
    const other = await Repo.create(join(w.root, 'other'));
    const tip = await other.commit({ 'x.txt': 'x\n' });
    await other.git('switch', '-q', '--detach');
    const hub = await openHub({ ...w.hub.place, repo: other.dir });
    expect(await hub.prepareDelivery()).toMatchObject({ kind: 'refused', problem: { code: 'E_HUB_BROKEN' } });
    expect(await other.tip('main')).toBe(tip);
  });

  test('an address without .git finds the repository that has it', async () => {
    const w = await world();
    const tip = await oneTask(w);
    const hub = await openHub({ ...w.hub.place, repo: w.bare.replace(/\.git$/, '') });
    const { commit, onto, targetTip } = await prepared(hub);
    expect(await hub.deliver(commit, onto, targetTip)).toMatchObject({ kind: 'delivered' });
    expect(await tipOf(w.bare)).toBe(tip);
  });

  test('a project whose name ends with a dot gets a valid name for its result', async () => {
    const { resultRef } = await import('../../src/git/refs.ts');
    const { projectName } = await import('../../src/model/ids.ts');
    await git(['check-ref-format', resultRef(projectName('odd.'))]);
  });
});

describe('delivery to a repository with a working copy', () => {
  /** Every byte that a checkout consists of. */
  async function bytes(repo: Repo): Promise<Record<string, string>> {
    const files = (await repo.git('ls-files', '-z', '--cached', '--others'))
      .split('\0')
      .filter((name) => name !== '');
    const seen: Record<string, string> = {};
    for (const name of [...files, '.git/index', '.git/HEAD']) {
      const path = join(repo.dir, name);
      seen[name] = `${(await stat(path)).mtimeMs} ${(await readFile(path)).toString('base64')}`;
    }
    return seen;
  }

  async function withCheckout(): Promise<World & { hub: Hub }> {
    const w = await world();
    const hub = await hubOf(join(w.root, 'second'), w.person.dir);
    await hub.base();
    return { ...w, hub };
  }

  test.each([
    ['clean', 'clean'],
    ['dirty', 'dirty: 2 uncommitted files'],
  ])(
    'a target that is checked out and %s is left alone, and the result is put beside it',
    async (kind, words) => {
      const w = await withCheckout();
      const tip = await oneTask(w);
      if (kind === 'dirty') {
        await w.person.write('a.txt', 'half done\n');
        await w.person.write('untracked.txt', 'u\n');
      }
      const before = await bytes(w.person);
      const { commit, onto, targetTip } = await prepared(w.hub);
      const result = await w.hub.deliver(commit, onto, targetTip);
      expect(result).toMatchObject({ kind: 'refused', problem: { code: 'E_TARGET_CHECKED_OUT' } });
      if (result.kind !== 'refused') return;
      expect(await bytes(w.person)).toEqual(before);
      expect(await w.person.tip('refs/heads/main')).toBe(w.base);
      expect(await w.person.tip('refs/dispatch/demo')).toBe(tip);
      expect(result.problem.message).toBe(`main is checked out in ${w.person.dir} (${words})`);
      const command = /git -C (\S+) (merge --ff-only \S+)/.exec(result.problem.fix ?? '');
      expect(command?.[1]).toBe(w.person.dir);
      await w.person.git(...(command?.[2] ?? '').split(' '));
      expect(await w.person.read('b.txt')).toBe('B\n');
      expect(await w.hub.prepareDelivery()).toMatchObject({ kind: 'nothing' });
    },
  );

  test('after the working copy has left the branch, the same delivery goes through', async () => {
    const w = await withCheckout();
    await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    expect(await w.hub.deliver(commit, onto, targetTip)).toMatchObject({ kind: 'refused' });
    await w.person.git('switch', '-q', '--detach');
    expect(await w.hub.deliver(commit, onto, targetTip)).toMatchObject({ kind: 'delivered' });
    expect(await w.person.tip('refs/heads/main')).toBe(commit);
  });

  test('another branch in the working copy is no obstacle, and its files stay as they are', async () => {
    const w = await withCheckout();
    await oneTask(w);
    await w.person.branch('feature', 'main');
    await w.person.write('a.txt', 'half done\n');
    const before = await bytes(w.person);
    const { commit, onto, targetTip } = await prepared(w.hub);
    expect(await w.hub.deliver(commit, onto, targetTip)).toMatchObject({ kind: 'delivered' });
    expect(await bytes(w.person)).toEqual(before);
    expect(await w.person.tip('refs/heads/main')).toBe(commit);
  });

  test('a second worktree that has the target is found, also from the path of another one', async () => {
    const w = await withCheckout();
    await w.person.branch('feature', 'main');
    const second = join(w.root, 'second worktree');
    await w.person.git('worktree', 'add', '-q', second, 'main');
    await oneTask(w);
    const { commit, onto, targetTip } = await prepared(w.hub);
    const result = await w.hub.deliver(commit, onto, targetTip);
    if (result.kind !== 'refused') throw new Error(result.kind);
    expect(result.problem.message).toBe(`main is checked out in ${second} (clean)`);
    expect(result.problem.fix).toContain(`git -C '${second}' merge --ff-only refs/dispatch/demo`);
  });

  test('a file:// address of a working copy is protected in the same way', async () => {
    const w = await world();
    const hub = await hubOf(join(w.root, 'second'), `file://${w.person.dir}`);
    await hub.base();
    await landed(hub, await candidate({ ...w, hub }, w.base, { 'b.txt': 'B\n' }), 'S01');
    const { commit, onto, targetTip } = await prepared(hub);
    expect(await hub.deliver(commit, onto, targetTip)).toMatchObject({
      kind: 'refused',
      problem: { code: 'E_TARGET_CHECKED_OUT' },
    });
    expect(await w.person.tip('refs/heads/main')).toBe(w.base);
  });

  test('a working copy on another host refuses by itself, and is answered in the same way', async () => {
    const w = await world();
    const ssh = join(w.root, 'ssh');
    await writeFile(ssh, '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n', { mode: 0o755 });
    process.env.GIT_SSH = ssh;
    try {
      const hub = await hubOf(join(w.root, 'second'), `far:${w.person.dir}`);
      await hub.base();
      await landed(hub, await candidate({ ...w, hub }, w.base, { 'b.txt': 'B\n' }), 'S01');
      const { commit, onto, targetTip } = await prepared(hub);
      const before = await bytes(w.person);
      expect(await hub.deliver(commit, onto, targetTip)).toMatchObject({
        kind: 'refused',
        problem: {
          code: 'E_TARGET_CHECKED_OUT',
          fix: expect.stringContaining('refs/dispatch/demo') as string,
        },
      });
      expect(await bytes(w.person)).toEqual(before);
      expect(await w.person.tip('refs/dispatch/demo')).toBe(commit);
    } finally {
      delete process.env.GIT_SSH;
    }
  });

  test('a branch that is being rebased counts as checked out', async () => {
    const w = await withCheckout();
    await oneTask(w);
    await w.person.branch('topic', 'main');
    await w.person.commit({ 'a.txt': 'topic\n' });
    await w.person.branch('main', w.base);
    const extra = await w.person.commit({ 'a.txt': 'main\n' });
    await w.person.git('rebase', '-q', 'topic').catch(() => undefined);
    const { commit, onto, targetTip } = await prepared(w.hub);
    expect(targetTip).toBe(extra);
    expect(await w.hub.deliver(commit, onto, targetTip)).toMatchObject({
      kind: 'refused',
      problem: { code: 'E_TARGET_CHECKED_OUT' },
    });
  });
});
