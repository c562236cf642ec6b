import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fenceLandings } from '../../src/git/fence.ts';
import { openHub } from '../../src/git/hub.ts';
import { git } from '../../src/git/run.ts';
import { type CommitId, commitId, taskId } from '../../src/model/ids.ts';
import { bundle, candidate, hubOf, landed, newToken, world } from './hub-fixture.ts';
import { Repo, scratch } from './repo.ts';

afterEach(() => vi.unstubAllEnvs());

const label = (task: string, token = newToken()) => ({ task: taskId(task), token, title: `Do ${task}` });

describe('the base', () => {
  test('integration begins at the tip of the target, and asking again changes nothing', async () => {
    const { hub, person } = await world();
    const tip = await person.tip();
    expect(await hub.base()).toBe(tip);
    expect(await hub.base()).toBe(tip);
    expect(await hub.integration()).toBe(tip);
  });

  test('a target that moved on takes an integration along that it contains, and leaves one that it does not', async () => {
    const w = await world();
    const moved = await w.person.commit({ 'n.txt': 'n\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    expect(await w.hub.base()).toBe(moved);
    const tip = await landed(w.hub, await candidate(w, moved, { 'b.txt': 'B\n' }), 'S01');
    await w.person.commit({ 'm.txt': 'm\n' });
    await w.person.git('push', '-q', 'origin', 'main');
    expect(await w.hub.base()).toBe(tip);
  });

  test.each(['plain', 'file://'])('a %s address of a directory works', async (form) => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'sp ace é'));
    const tip = await repo.commit({ 'a.txt': 'a\n' });
    const hub = await hubOf(root, form === 'plain' ? repo.dir : `file://${encodeURI(repo.dir)}`);
    expect(await hub.base()).toBe(tip);
  });

  test('a repository with 64-digit ids works', async () => {
    const root = scratch();
    const dir = join(root, 'repo');
    await git(['init', '-q', '-b', 'main', '--object-format=sha256', dir]);
    const repo = new Repo(dir);
    const tip = await repo.commit({ 'a.txt': 'a\n' });
    const hub = await hubOf(root, dir);
    expect(await hub.base()).toBe(tip);
    const file = join(root, 'all.bundle');
    await hub.exportBundle(file, [tip], []);
    await git(['init', '-q', '--bare', '--object-format=sha256', join(root, 'mirror')]);
    const mirror = { gitDir: join(root, 'mirror'), protocols: ['file'] as const };
    await git(['fetch', '-q', file, `+refs/dispatch/${tip}:refs/x`], mirror);
    expect((await git(['rev-parse', 'refs/x'], mirror)).stdout.toString().trim()).toBe(tip);
  });

  test('a missing directory, a file, a directory without a repository and an odd address are refused as missing', async () => {
    const root = scratch();
    await writeFile(join(root, 'file'), 'x');
    await mkdir(join(root, 'plain'));
    for (const repo of ['absent', 'file', 'plain'].map((name) => join(root, name))) {
      const hub = await hubOf(root, repo);
      await expect(hub.base()).rejects.toMatchObject({ code: 'E_REPO_MISSING', where: repo });
    }
    for (const repo of ['ext::sh -c id', 'git://host/x', 'file://elsewhere/x']) {
      await expect(hubOf(root, repo)).rejects.toMatchObject({ code: 'E_REPO_MISSING' });
    }
  });

  test('a directory inside a repository is not that repository', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'repo'));
    await repo.commit({ 'sub/a.txt': 'a\n' });
    await expect((await hubOf(root, join(repo.dir, 'sub'))).base()).rejects.toMatchObject({
      code: 'E_REPO_MISSING',
    });
  });

  test('a repository without a commit is refused as empty', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'repo'));
    await expect((await hubOf(root, repo.dir)).base()).rejects.toMatchObject({ code: 'E_REPO_EMPTY' });
  });

  test('a missing target names the nearest branch', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'repo'), 'develop');
    await repo.commit({ 'a.txt': 'a\n' });
    await repo.git('branch', 'release');
    await expect((await hubOf(root, repo.dir, 'develpo')).base()).rejects.toMatchObject({
      code: 'E_TARGET_MISSING',
      why: 'it has: develop, release',
      fix: expect.stringContaining('`target: develop`') as string,
    });
  });

  test('a tag or a remote branch of that name is not a branch', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'repo'), 'trunk');
    await repo.commit({ 'a.txt': 'a\n' });
    await repo.git('tag', 'main');
    await expect((await hubOf(root, repo.dir)).base()).rejects.toMatchObject({ code: 'E_TARGET_MISSING' });
  });

  test('a shallow clone is refused, with the command that completes it', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'full'));
    await repo.commit({ 'a.txt': 'a\n' });
    await repo.commit({ 'a.txt': 'b\n' });
    const shallow = join(root, 'shallow');
    await git(['clone', '-q', '--depth=1', `file://${repo.dir}`, shallow], { protocols: ['file'] });
    await expect((await hubOf(root, shallow)).base()).rejects.toMatchObject({
      code: 'E_REPO_SHALLOW',
      fix: `git -C ${shallow} fetch --unshallow`,
    });
  });

  test.runIf(process.getuid?.() === 0)(
    'a repository of another user is refused until the user says it is fine',
    async () => {
      const root = scratch();
      const repo = await Repo.create(join(root, 'repo'));
      const tip = await repo.commit({ 'a.txt': 'a\n' });
      const { execFileSync } = await import('node:child_process');
      execFileSync('chown', ['-R', '12345:12345', repo.dir]);
      const hub = await hubOf(root, repo.dir);
      await expect(hub.base()).rejects.toMatchObject({
        code: 'E_REPO_AUTH',
        fix: expect.stringContaining(`safe.directory ${repo.gitDir}`) as string,
      });
      const config = join(root, 'gitconfig');
      await writeFile(config, `[safe]\n\tdirectory = ${repo.gitDir}\n`);
      vi.stubEnv('GIT_CONFIG_GLOBAL', config);
      expect(await hub.base()).toBe(tip);
    },
  );

  test('ssh is used for host:path, without a terminal and with the user’s own command', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'repo'));
    const tip = await repo.commit({ 'a.txt': 'a\n' });
    const fake = join(root, 'ssh');
    await writeFile(fake, '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n');
    await chmod(fake, 0o755);
    vi.stubEnv('GIT_SSH', fake);
    const hub = await hubOf(root, `somewhere:${repo.dir}`);
    expect(await hub.base()).toBe(tip);
    await writeFile(fake, '#!/bin/sh\necho "user@host: Permission denied (publickey)." >&2\nexit 255\n');
    await repo.commit({ 'a.txt': 'b\n' });
    await expect(hub.base()).rejects.toMatchObject({ code: 'E_REPO_AUTH' });
    await writeFile(fake, '#!/bin/sh\necho "ssh: Could not resolve hostname somewhere: x" >&2\nexit 255\n');
    expect(await hub.base()).toBe(tip);
    await expect((await hubOf(scratch(), `somewhere:${repo.dir}`)).base()).rejects.toMatchObject({
      code: 'E_REPO_UNREACHABLE',
    });
  });

  test('old blemishes in the user’s own history are no obstacle', async () => {
    const root = scratch();
    const repo = await Repo.create(join(root, 'repo'));
    const first = await repo.commit({ 'd/a.txt': 'a\n' });
    const inner = await repo.git('rev-parse', `${first}:d`);
    // A mode with a leading zero, as some programs wrote it once: `git fsck --strict` refuses it.
    const bytes = Buffer.concat([Buffer.from('040000 d\0'), Buffer.from(inner, 'hex')]);
    const { stdout } = await git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      gitDir: repo.gitDir,
      input: bytes,
    });
    const tip = await repo.git('commit-tree', '-p', first, '-m', 'old', stdout.toString().trim());
    await repo.git('update-ref', 'refs/heads/main', tip);
    const hub = await hubOf(root, repo.dir);
    expect(await hub.base()).toBe(tip);
    const node = await Repo.create(join(root, 'node'));
    const w = { root, bare: repo.dir, person: repo, hub, node, base: commitId(tip) };
    await landed(hub, await candidate(w, commitId(tip), { 'b.txt': 'B\n' }), 'S01');
  });

  test('a hub that was cut short while it was made is made again', async () => {
    const { hub, person } = await world();
    await rm(join(hub.place.dir, 'dispatch-hub'));
    expect(await hub.base()).toBe(await person.tip());
  });

  test('without its hub, operations say so', async () => {
    const { hub } = await world();
    await rm(hub.place.dir, { recursive: true });
    await expect(hub.integration()).rejects.toMatchObject({ code: 'E_HUB_BROKEN' });
  });

  test('a lock file of a git that was killed is no obstacle, one that may have a living owner is', async () => {
    const w = await world();
    const { dir } = w.hub.place;
    const lock = join(dir, 'refs/heads/integration.lock');
    const moves = async (text: string): Promise<void> => {
      await w.person.commit({ 'n.txt': text });
      await w.person.git('push', '-q', 'origin', 'main');
      await writeFile(lock, '');
    };
    await moves('1\n');
    const owner = spawn('git', [`--git-dir=${dir}`, 'cat-file', '--batch'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(owner, 'spawn');
    await expect(w.hub.base()).rejects.toMatchObject({
      stderr: expect.stringContaining('File exists') as string,
    });
    await utimes(lock, 1, 1);
    expect(await w.hub.base()).toBe(await w.person.tip());
    owner.stdin.end();
    await once(owner, 'close');
    await moves('2\n');
    expect(await w.hub.base()).toBe(await w.person.tip());
  });

  test('a hub whose making was cut short while its settings were locked is made all the same', async () => {
    const w = await world();
    await rm(join(w.hub.place.dir, 'dispatch-hub'));
    await writeFile(join(w.hub.place.dir, 'config.lock'), '');
    expect(await w.hub.base()).toBe(await w.person.tip());
  });
});

describe('a machine full of configuration', () => {
  test('plays no part: hooks, drivers, attributes, aliases and signing of the user are not run', async () => {
    const root = scratch();
    const evil = join(root, 'evil');
    const touch = `touch ${evil}`;
    const home = join(root, 'home');
    await mkdir(join(home, '.config/git'), { recursive: true });
    await mkdir(join(root, 'hooks'));
    for (const hook of ['reference-transaction', 'post-merge', 'pre-push', 'post-checkout']) {
      await writeFile(join(root, 'hooks', hook), `#!/bin/sh\n${touch}\n`, { mode: 0o755 });
    }
    const config = `
[core]
	hooksPath = ${join(root, 'hooks')}
	fsmonitor = "${touch}"
	attributesFile = ${join(root, 'attributes')}
	sshCommand = "${touch}"
[merge "evil"]
	driver = "${touch}; exit 0"
[diff "evil"]
	textconv = "${touch}"
[diff]
	external = "${touch}"
	noprefix = true
	mnemonicPrefix = true
[commit]
	gpgSign = true
[gpg]
	program = "${touch}"
[merge]
	directoryRenames = true
	conflictStyle = diff3
[log]
	showSignature = true
	mailmap = true
[color]
	ui = always
[init]
	templateDir = ${root}
	defaultBranch = odd
[url "ext::"]
	insteadOf = /
[protocol]
	allow = always
[fetch]
	prune = true
`;
    await writeFile(join(home, '.gitconfig'), config);
    await writeFile(join(root, 'attributes'), '* merge=evil diff=evil\n');
    await writeFile(join(home, '.config/git/attributes'), '* merge=evil diff=evil\n');
    vi.stubEnv('HOME', home);
    vi.stubEnv('XDG_CONFIG_HOME', join(home, '.config'));
    vi.stubEnv('GIT_CONFIG_GLOBAL', join(home, '.gitconfig'));
    vi.stubEnv('GIT_DIR', '/nowhere');
    vi.stubEnv('GIT_EXTERNAL_DIFF', touch);
    vi.stubEnv('GIT_CONFIG_PARAMETERS', `'core.hooksPath=${join(root, 'hooks')}'`);
    vi.stubEnv('GIT_CONFIG_COUNT', 'nonsense');
    vi.stubEnv('GIT_AUTHOR_NAME', 'Eve');

    const w = await world();
    const one = await candidate(w, w.base, {
      'a.txt': 'ONE\ntwo\nthree\n',
      '.gitattributes': '* merge=evil\n',
    });
    const two = await candidate(w, w.base, { 'a.txt': 'one\ntwo\nTHREE\n' });
    await landed(w.hub, one, 'S01');
    const tip = await landed(w.hub, two, 'S02');
    expect(await w.hub.readFile(tip, 'a.txt')).toBe('ONE\ntwo\nTHREE\n');
    const facts = await w.hub.facts(w.base, one.head);
    expect(facts.added.map(({ path }) => path)).toEqual(['.gitattributes', 'a.txt']);
    const prepared = await w.hub.prepareDelivery();
    if (prepared.kind !== 'made') throw new Error(prepared.kind);
    expect(await w.hub.deliver(prepared.commit, prepared.onto, prepared.targetTip)).toMatchObject({
      kind: 'delivered',
    });
    const who = await git(['log', '-1', '--format=%an <%ae>', tip], { gitDir: w.hub.place.dir });
    expect(who.stdout.toString().trim()).toBe('dispatch <dispatch@localhost>');
    await expect(stat(evil)).rejects.toThrow(/ENOENT/);
  });
});

describe('bundles', () => {
  test('what a node lacks goes out thin, and what it has stays', async () => {
    const w = await world({ 'big.txt': 'x'.repeat(200_000).replaceAll('x', () => String(Math.random())) });
    const tip = await landed(w.hub, await candidate(w, w.base, { 'small.txt': 's\n' }), 'S01');
    const file = join(w.root, 'thin.bundle');
    await w.hub.exportBundle(file, [tip], [w.base, commitId('1'.repeat(40))]);
    expect((await stat(file)).size).toBeLessThan(5000);
    await w.node.git('fetch', '-q', file, `+refs/dispatch/${tip}:refs/new`);
    expect(await w.node.tip('refs/new')).toBe(tip);
    await w.hub.exportBundle(file, [tip], [tip]);
    await w.node.git('fetch', '-q', file, `+refs/dispatch/${tip}:refs/again`);
  });

  test('has() tells commits it has from those it has not, and trees do not count', async () => {
    const { hub, base } = await world();
    const tree = (await git(['rev-parse', `${base}^{tree}`], { gitDir: hub.place.dir })).stdout
      .toString()
      .trim();
    expect(await hub.has([commitId('1'.repeat(40)), base, commitId(tree)])).toEqual([base]);
  });

  test('a result comes in under its token, and again after a crash without a bundle', async () => {
    const w = await world();
    const { token, head } = await candidate(w, w.base, { 'b.txt': 'B\n' });
    expect(await w.hub.has([head])).toEqual([head]);
    expect(await w.hub.keepIfPresent(token, head, w.base)).toBe(true);
    expect(await w.hub.keepIfPresent(token, commitId('1'.repeat(40)), w.base)).toBe(false);
  });

  async function refused(
    make: (w: Awaited<ReturnType<typeof world>>) => Promise<{ file: string; head: string }>,
  ) {
    const w = await world();
    const { file, head } = await make(w);
    const before = await readdir(join(w.hub.place.dir, 'objects'), { recursive: true });
    const error: unknown = await w.hub
      .importBundle(file, newToken(), commitId(head), w.base)
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'E_BUNDLE_MISMATCH' });
    const after = await readdir(join(w.hub.place.dir, 'objects'), { recursive: true });
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
    return (error as { why: string }).why;
  }

  test('another commit than the announced one is refused', async () => {
    const why = await refused(async (w) => {
      await w.node.branch('x', w.base);
      await w.node.commit({ 'b.txt': 'B\n' });
      return { file: await bundle(w.node, w.root, w.base), head: '1'.repeat(40) };
    });
    expect(why).toMatch(/does not contain it/);
  });

  test('a history that does not stand on the base is refused', async () => {
    const why = await refused(async (w) => {
      await w.node.git('checkout', '-q', '--orphan', 'alone');
      const head = await w.node.commit({ 'b.txt': 'B\n' });
      const file = join(w.root, 'orphan.bundle');
      await w.node.git('bundle', 'create', '-q', file, 'HEAD');
      return { file, head };
    });
    expect(why).toMatch(/does not stand on the base/);
  });

  test('a bundle that is cut off, is no bundle, or leaves objects out is refused', async () => {
    await refused(async (w) => {
      await w.node.branch('x', w.base);
      const head = await w.node.commit({ 'b.txt': 'B\n' });
      const file = await bundle(w.node, w.root, w.base);
      await writeFile(file, (await readFile(file)).subarray(0, -30));
      return { file, head };
    });
    await refused(async (w) => {
      const file = join(w.root, 'junk');
      await writeFile(file, 'junk');
      return { file, head: '1'.repeat(40) };
    });
    await refused(async (w) => {
      await w.node.branch('x', w.base);
      await w.node.commit({ 'b.txt': 'B\n' });
      const middle = await w.node.tip();
      const head = await w.node.commit({ 'b.txt': 'BB\n' });
      return { file: await bundle(w.node, w.root, middle), head };
    });
  });

  test.each(['.git', '.GIT', 'git~1', '.g\u200cit', '..'])(
    'a tree with an entry named %j is refused',
    async (name) => {
      const why = await refused(async (w) => {
        const blob = await w.node.git('hash-object', '-w', '--stdin-paths').catch(() => '');
        await w.node.branch('x', w.base);
        await w.node.write('evil', 'x');
        const id = blob === '' ? await w.node.git('hash-object', '-w', 'evil') : blob;
        const inner = (
          await git(['mktree', '-z'], { gitDir: w.node.gitDir, input: `100644 blob ${id}\thooks\0` })
        ).stdout;
        const tree = (
          await git(['mktree', '-z'], {
            gitDir: w.node.gitDir,
            input: `040000 tree ${inner.toString().trim()}\t${name}\0`,
          })
        ).stdout;
        const head = await w.node.git('commit-tree', '-p', w.base, '-m', 'x', tree.toString().trim());
        await w.node.git('update-ref', 'HEAD', head);
        return { file: await bundle(w.node, w.root, w.base), head };
      });
      expect(why).toMatch(/hasDotgit|hasDotdot/);
    },
  );

  test('a .gitmodules that runs a command is refused', async () => {
    const why = await refused(async (w) => {
      await w.node.branch('x', w.base);
      const head = await w.node.commit({
        '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ./x\n\tupdate = !id\n',
      });
      return { file: await bundle(w.node, w.root, w.base), head };
    });
    expect(why).toMatch(/gitmodulesUpdate/);
  });
});

describe('merging', () => {
  test('two branches that touch different lines both land, each as a merge that says what it is', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const two = await candidate(w, w.base, { 'a.txt': 'one\ntwo\nTHREE\n', 'new.txt': 'n\n' });
    const first = await landed(w.hub, one, 'S01');
    const second = await landed(w.hub, two, 'S02');
    expect(await w.hub.readFile(second, 'a.txt')).toBe('ONE\ntwo\nTHREE\n');
    expect(await w.hub.landedTokens()).toEqual(
      new Map([
        [two.token, second],
        [one.token, first],
      ]),
    );
    expect(await w.hub.tasksBetween(w.base, second)).toEqual(['S01', 'S02']);
    const { stdout } = await git(['rev-list', '--first-parent', second], { gitDir: w.hub.place.dir });
    expect(stdout.toString().trim().split('\n')).toEqual([second, first, w.base]);
  });

  test('a branch on the tip is merged as its own tree, still with a merge commit', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const merged = await w.hub.merge(w.base, one.head, label('S01', one.token));
    const tree = (await git(['rev-parse', `${one.head}^{tree}`], { gitDir: w.hub.place.dir })).stdout
      .toString()
      .trim();
    expect(merged).toMatchObject({ clean: true, tree });
    if (!merged.clean) return;
    const parents = await git(['rev-parse', `${merged.commit}^1`, `${merged.commit}^2`], {
      gitDir: w.hub.place.dir,
    });
    expect(parents.stdout.toString().trim().split('\n')).toEqual([w.base, one.head]);
    expect(await w.hub.integration()).toBe(w.base);
  });

  test('a stack of merges lands as one step from a gated tree to a gated tree, and says all it brings', async () => {
    const w = await world();
    const branches = [
      await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' }),
      await candidate(w, w.base, { 'b.txt': 'B\n' }),
      await candidate(w, w.base, { 'new.txt': 'n\n' }),
    ];
    const labels = branches.map(({ token }, at) => label(`S0${at + 1}`, token));
    const stack = [w.base];
    for (const [at, { head }] of branches.entries()) {
      const merged = await w.hub.merge(stack.at(-1) ?? w.base, head, labels[at] ?? label('x'));
      if (!merged.clean) throw new Error('conflict');
      stack.push(merged.commit);
    }
    const [, first, second, third] = stack as [CommitId, CommitId, CommitId, CommitId];
    expect(await w.hub.seal(w.base, first, labels.slice(0, 1))).toBe(first);
    const two = await w.hub.seal(w.base, second, labels.slice(0, 2));
    expect(await w.hub.land(w.base, two)).toBe('landed');
    // What stood on the stack above needs no new merge: its tree is what it was.
    const three = await w.hub.seal(two, third, labels.slice(2));
    expect(three).not.toBe(third);
    expect(await w.hub.land(two, three)).toBe('landed');
    const { stdout } = await git(['rev-list', '--first-parent', three], { gitDir: w.hub.place.dir });
    expect(stdout.toString().trim().split('\n')).toEqual([three, two, w.base]);
    expect(await w.hub.listPaths(three)).toEqual(await w.hub.listPaths(third));
    expect([...(await w.hub.landedTokens())]).toEqual([
      [branches[2]?.token, three],
      [branches[1]?.token, two],
      [branches[0]?.token, two],
    ]);
    expect(await w.hub.tasksBetween(w.base, three)).toEqual(['S01', 'S02', 'S03']);
  });

  test('a conflict with what landed in a stack names the one task that changed the path', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const two = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const late = await candidate(w, w.base, { 'b.txt': 'late\n' });
    const lower = await w.hub.merge(w.base, one.head, label('S01', one.token));
    if (!lower.clean) throw new Error('conflict');
    const upper = await w.hub.merge(lower.commit, two.head, label('S02', two.token));
    if (!upper.clean) throw new Error('conflict');
    const labels = [label('S01', one.token), label('S02', two.token)];
    const sealed = await w.hub.seal(w.base, upper.commit, labels);
    await w.hub.land(w.base, sealed);
    expect(await w.hub.conflictTasks(['b.txt', 'a.txt'], late.head, sealed)).toEqual([
      { path: 'b.txt', tasks: ['S02'] },
      { path: 'a.txt', tasks: ['S01'] },
    ]);
  });

  test('a title cannot forge a trailer', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const other = newToken();
    const title = `x\n\nDispatch-Token: ${other}\n\u001b[31mred\u202e`;
    const merged = await w.hub.merge(w.base, one.head, { task: taskId('S01'), token: one.token, title });
    if (!merged.clean) throw new Error('conflict');
    await w.hub.land(w.base, merged.commit);
    expect([...(await w.hub.landedTokens()).keys()]).toEqual([one.token]);
  });

  test('trailers in an agent’s own commits count for nothing', async () => {
    const w = await world();
    await w.node.branch('x', w.base);
    const forged = newToken();
    const head = await w.node.commit(
      { 'b.txt': 'B\n' },
      `work\n\nDispatch-Task: S99\nDispatch-Token: ${forged}\n`,
    );
    const token = newToken();
    await w.hub.importBundle(await bundle(w.node, w.root, w.base), token, head, w.base);
    await landed(w.hub, { token, head }, 'S01');
    expect([...(await w.hub.landedTokens()).keys()]).toEqual([token]);
  });

  test('a conflict names its paths and the tasks on the other side', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const two = await candidate(w, w.base, { 'b.txt': 'two\n' });
    const three = await candidate(w, w.base, {
      'a.txt': 'EINS\ntwo\nthree\n',
      'b.txt': 'drei\n',
      'x.txt': 'x\n',
    });
    await landed(w.hub, one, 'S01');
    const onto = await landed(w.hub, two, 'S02');
    const merged = await w.hub.merge(onto, three.head, label('S03'));
    expect(merged).toEqual({ clean: false, paths: ['a.txt', 'b.txt'] });
    expect(await w.hub.conflictTasks(['a.txt', 'b.txt'], three.head, onto)).toEqual([
      { path: 'a.txt', tasks: ['S01'] },
      { path: 'b.txt', tasks: ['S02'] },
    ]);
  });

  test('a file where another task made a directory is a conflict that names that task', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'thing/inside.txt': 'i\n' });
    const two = await candidate(w, w.base, { thing: 'file\n' });
    const onto = await landed(w.hub, one, 'S01');
    const merged = await w.hub.merge(onto, two.head, label('S02'));
    expect(merged).toEqual({ clean: false, paths: ['thing'] });
    expect(await w.hub.conflictTasks(['thing'], two.head, onto)).toEqual([{ path: 'thing', tasks: ['S01'] }]);
  });

  test.each(['* merge=union\n', '* merge=ours\n', '* -merge\n', '* text eol=crlf\n'])(
    'a .gitattributes of %j neither settles a conflict nor makes one',
    async (attributes) => {
      const w = await world({ 'a.txt': 'one\ntwo\nthree\n', '.gitattributes': attributes });
      const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
      const same = await candidate(w, w.base, { 'a.txt': 'EINS\ntwo\nthree\n' });
      const apart = await candidate(w, w.base, { 'a.txt': 'one\ntwo\nTHREE\n' });
      const onto = await landed(w.hub, one, 'S01');
      expect(await w.hub.merge(onto, same.head, label('S02'))).toEqual({ clean: false, paths: ['a.txt'] });
      expect(await w.hub.merge(onto, apart.head, label('S03'))).toMatchObject({ clean: true });
    },
  );

  test('a file that one task renames and another changes is a conflict, not a change in a file nobody named', async () => {
    const text = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join('');
    const w = await world({ 'old.txt': text });
    const rename = await candidate(w, w.base, { 'old.txt': null, 'new.txt': text });
    const change = await candidate(w, w.base, { 'old.txt': text.replace('line 3\n', 'LINE 3\n') });
    const onto = await landed(w.hub, rename, 'S01');
    const conflict = { clean: false, paths: ['new.txt', 'old.txt'] };
    expect(await w.hub.merge(onto, change.head, label('S02'))).toEqual(conflict);
    // The other way round.
    const v = await world({ 'old.txt': text });
    const late = await candidate(v, v.base, { 'old.txt': null, 'new.txt': text });
    const early = await candidate(v, v.base, { 'old.txt': text.replace('line 3\n', 'LINE 3\n') });
    expect(await v.hub.merge(await landed(v.hub, early, 'S01'), late.head, label('S02'))).toEqual(conflict);
  });

  test('a file added to a directory that another task renamed stays where it was put', async () => {
    const text = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join('');
    const w = await world({ 'old/1.txt': `1${text}`, 'old/2.txt': `2${text}` });
    const rename = await candidate(w, w.base, {
      'old/1.txt': null,
      'old/2.txt': null,
      'new/1.txt': `1${text}`,
      'new/2.txt': `2${text}`,
    });
    const add = await candidate(w, w.base, { 'old/3.txt': '3\n' });
    await landed(w.hub, rename, 'S01');
    const tip = await landed(w.hub, add, 'S02');
    expect(await w.hub.listPaths(tip)).toEqual(['new/1.txt', 'new/2.txt', 'old/3.txt']);
  });

  test('deletions, modes, links, binaries, odd names and CRLF merge as they are', async () => {
    const w = await world({ 'a.txt': 'a\r\n', 'mode.sh': 'm\n', 'gone.txt': 'g\n', 'other.txt': 'o\n' });
    const bytes = Buffer.from([0, 255, 10, 13, 0]);
    const one = await candidate(w, w.base, {
      'a.txt': 'a\r\nb\r\n',
      'mode.sh': 'exec:m\n',
      'gone.txt': null,
      link: 'link:a.txt',
      'bin.dat': bytes,
      '-new\nline "é"': 'x\n',
    });
    const two = await candidate(w, w.base, { 'other.txt': 'O\n' });
    await landed(w.hub, two, 'S01');
    const tip = await landed(w.hub, one, 'S02');
    expect(await w.hub.listPaths(tip)).toEqual([
      '-new\nline "é"',
      'a.txt',
      'bin.dat',
      'link',
      'mode.sh',
      'other.txt',
    ]);
    expect(await w.hub.readFile(tip, 'a.txt')).toBe('a\r\nb\r\n');
    expect(await w.hub.readFile(tip, 'link')).toBeNull();
    expect(await w.hub.readFile(tip, '*.txt')).toBeNull();
    const { stdout } = await git(['diff', '--raw', one.head, tip, '--', ':!other.txt'], {
      gitDir: w.hub.place.dir,
    });
    expect(stdout.toString()).toBe('');
  });

  test('the same change on both sides merges', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'same\n', 'n.txt': 'n\n' });
    const two = await candidate(w, w.base, { 'a.txt': 'same\n', 'n.txt': 'n\n', 'b.txt': 'B\n' });
    await landed(w.hub, one, 'S01');
    const tip = await landed(w.hub, two, 'S02');
    expect(await w.hub.readFile(tip, 'b.txt')).toBe('B\n');
  });

  test('a submodule in a branch does not stop a merge', async () => {
    const w = await world();
    const other = await candidate(w, w.base, { 'b.txt': 'B\n' });
    await w.node.branch('sub', w.base);
    await w.node.git('update-index', '--add', '--cacheinfo', `160000,${w.base},sub`);
    await w.node.git('commit', '-q', '-m', 'sub');
    const head = await w.node.tip();
    const token = newToken();
    await w.hub.importBundle(await bundle(w.node, w.root, w.base), token, head, w.base);
    expect((await w.hub.facts(w.base, head)).changed).toMatchObject([{ path: 'sub', newMode: '160000' }]);
    await landed(w.hub, other, 'S01');
    await landed(w.hub, { token, head }, 'S02');
  });

  test('after a criss-cross the merge has two bases and is still right', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const two = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const tip = await landed(w.hub, one, 'S01');
    // A branch that merged the first task's commit itself, and has a change of its own.
    await w.node.branch('cross', two.head);
    await w.node.git('merge', '-q', '--no-ff', '-m', 'cross', one.head);
    const head = await w.node.commit({ 'dir/c.txt': 'C\n' });
    const token = newToken();
    await w.hub.importBundle(await bundle(w.node, w.root, w.base), token, head, w.base);
    const onto = await landed(w.hub, two, 'S02');
    const bases = await git(['merge-base', '--all', onto, head], { gitDir: w.hub.place.dir });
    expect(bases.stdout.toString().trim().split('\n').toSorted()).toEqual([one.head, two.head].toSorted());
    const merged = await landed(w.hub, { token, head }, 'S03');
    expect(await w.hub.readFile(merged, 'a.txt')).toBe('ONE\ntwo\nthree\n');
    expect(await w.hub.readFile(merged, 'b.txt')).toBe('B\n');
    expect(await w.hub.readFile(merged, 'dir/c.txt')).toBe('C\n');
    expect(tip).not.toBe(merged);
  });

  test('a replace ref in the hub does not change what is merged', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const evil = await candidate(w, w.base, { 'a.txt': 'evil\n' });
    await git(['update-ref', `refs/replace/${one.head}`, evil.head], { gitDir: w.hub.place.dir });
    const tip = await landed(w.hub, one, 'S01');
    expect(await w.hub.readFile(tip, 'a.txt')).toBe('ONE\ntwo\nthree\n');
  });

  test('hooks that lie in the hub are not run', async () => {
    const w = await world();
    const evil = join(w.root, 'evil');
    await mkdir(join(w.hub.place.dir, 'hooks'), { recursive: true });
    for (const hook of ['reference-transaction', 'update', 'post-update']) {
      await writeFile(join(w.hub.place.dir, 'hooks', hook), `#!/bin/sh\ntouch ${evil}\n`, { mode: 0o755 });
    }
    await landed(w.hub, await candidate(w, w.base, { 'b.txt': 'B\n' }), 'S01');
    await expect(stat(evil)).rejects.toThrow(/ENOENT/);
  });
});

describe('landing', () => {
  test('integration that moved in between makes it a race, and landing twice is landing once', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const two = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const [a, b] = [
      await w.hub.merge(w.base, one.head, label('S01', one.token)),
      await w.hub.merge(w.base, two.head, label('S02', two.token)),
    ];
    if (!a.clean || !b.clean) throw new Error('conflict');
    expect(await w.hub.land(w.base, a.commit)).toBe('landed');
    expect(await w.hub.land(w.base, a.commit)).toBe('already');
    expect(await w.hub.land(w.base, b.commit)).toBe('raced');
    expect(await w.hub.integration()).toBe(a.commit);
    await landed(w.hub, two, 'S02');
    expect(await w.hub.land(w.base, a.commit)).toBe('already');
  });

  test('what was begun before another store was put in place lands no more, and what is begun after it does', async () => {
    const w = await world();
    const one = await landed(w.hub, await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' }), 'S01');
    const two = await candidate(w, one, { 'b.txt': 'B\n' });
    const merged = await w.hub.merge(one, two.head, label('S02', two.token));
    if (!merged.clean) throw new Error('conflict');
    for (let time = 1; time <= 2; time++) {
      const before = await openHub(w.hub.place);
      expect(await before.land(w.base, merged.commit)).toBe('raced');
      await fenceLandings(w.hub.place.dir);
      expect(await before.land(one, merged.commit)).toBe('raced');
      expect(await before.integration()).toBe(one);
    }
    expect(await w.hub.land(one, merged.commit)).toBe('raced');
    const after = await openHub(w.hub.place);
    expect(await after.land(one, merged.commit)).toBe('landed');
  });

  test('two hubs on one directory race and one of them wins', async () => {
    const w = await world();
    const one = await candidate(w, w.base, { 'a.txt': 'ONE\ntwo\nthree\n' });
    const two = await candidate(w, w.base, { 'b.txt': 'B\n' });
    const other = await openHub(w.hub.place);
    const [a, b] = [
      await w.hub.merge(w.base, one.head, label('S01')),
      await w.hub.merge(w.base, two.head, label('S02')),
    ];
    if (!a.clean || !b.clean) throw new Error('conflict');
    const results = await Promise.all([w.hub.land(w.base, a.commit), other.land(w.base, b.commit)]);
    expect(results.toSorted()).toEqual(['landed', 'raced']);
  });
});
