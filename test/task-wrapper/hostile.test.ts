/** Agents that arrange for something to run, or to be left behind, after them. Nothing of theirs may ever be executed by us. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { snapshot } from '../../src/git/snapshot.ts';
import { checkoutWarm } from '../../src/git/tree.ts';
import { taskId } from '../../src/model/ids.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { type Client, TestNode } from './client.ts';
import { ordinaryNode } from './ordinary.ts';
import { Project, treeOrder } from './project.ts';

let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  node = new TestNode();
  project = new Project({
    'src/a.txt': 'a\n',
    'src/b.txt': 'b\n',
    'src/deep/c.txt': 'c\n',
    'run.sh': 'true\n',
    'test.sh': 'true\n',
  });
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

async function run(order: AttemptOrder): Promise<unknown> {
  await client.call({ op: 'start', order });
  return await client.ended(order.token);
}

/** Runs the attempt, fetches its result, and gives its tree back to the pool. */
async function finish(order: AttemptOrder): Promise<void> {
  expect(await run(order)).toMatchObject({ kind: 'done' });
  await project.fetch(client, order);
  await client.call({ op: 'forget', token: order.token, epoch: 1 });
}

function canary(): string {
  return join(node.root, 'canary');
}

test('hooks, monitors, filters, aliases and pagers that an agent configures are never run', async () => {
  const touch = `touch ${canary()}`;
  const script = `
git config core.fsmonitor '${touch}; false'
git config core.hooksPath .git/hooks
git config alias.add '!${touch}'
git config core.pager '${touch}'
git config filter.evil.clean '${touch}; cat'
git config filter.evil.smudge '${touch}; cat'
git config filter.evil.process '${touch}'
git config diff.evil.textconv '${touch}; cat'
git config merge.evil.driver '${touch}'
git config gpg.program '${touch}'
git config commit.gpgSign true
git config core.worktree /
mkdir -p .git/hooks .git/info
for hook in pre-commit post-commit post-checkout post-index-change reference-transaction pre-auto-gc fsmonitor-watchman; do printf '#!/bin/sh\\n${touch}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done
echo '* filter=evil diff=evil merge=evil' > src/.gitattributes
echo '* filter=evil diff=evil' > .git/info/attributes
echo changed > src/a.txt
rm -f ${canary()}`;
  for (const [n, more] of [
    [1, ''],
    [2, 'rm -rf .git; ln -s / .git'],
    [3, 'rm -rf .git; echo "gitdir: /tmp" > .git'],
    [4, 'rm -f .git/HEAD; mkfifo .git/HEAD'],
    [5, 'rm -rf .git/objects; ln -s / .git/objects'],
  ] as const) {
    await finish(treeOrder(project, `${script}\n${more}`, {}, {}, { n }));
    expect(existsSync(canary())).toBe(false);
  }
});

test("bits in the agent's index hide nothing from the snapshot, and nothing from the next tree", async () => {
  const order = treeOrder(
    project,
    'git update-index --assume-unchanged src/a.txt; git update-index --skip-worktree src/b.txt; echo evil > src/a.txt; echo evil > src/b.txt; git status --porcelain',
  );
  expect(await run(order)).toMatchObject({ kind: 'done' });
  expect(node.file(order.token, 'agent.log')).toBe('');
  const head = await project.fetch(client, order);
  expect([project.show(head, 'src/a.txt'), project.show(head, 'src/b.txt')]).toEqual(['evil', 'evil']);
});

test('a warm tree is as clean as a new one', async () => {
  const dirty = treeOrder(
    project,
    `echo changed > src/a.txt; rm src/b.txt; echo untracked > src/new.txt; mkdir -p src/build; echo x > src/build/out; echo 'src/build/' > src/.gitignore; touch -d '2001-01-01' src/a.txt
mkdir -p ignored; git init -q src/nested; echo x > src/nested/f; rm -rf src/nested; git tag leftover; git stash list >/dev/null; git branch leftover`,
  );
  await finish(dirty);
  expect(readdirSync(`${node.root}/pool/demo`).length).toBeGreaterThan(0);
  const inode = `stat -c %i src/deep/c.txt`;
  const clean = treeOrder(
    project,
    `git status --porcelain --ignored; git for-each-ref --format='%(refname)'; cat src/a.txt src/b.txt; find . -path ./.git -prune -o -type f -print | sort; git fsck 2>&1 | grep -v '^notice' ; ${inode}; echo ok > src/done.txt`,
    {},
    {},
    { task: taskId('T2'), n: 7 },
  );
  await finish(clean);
  const log = node.file(clean.token, 'agent.log').trim().split('\n');
  expect(log.slice(0, -1)).toEqual([
    'refs/heads/dispatch/T2-7',
    'a',
    'b',
    './run.sh',
    './src/a.txt',
    './src/b.txt',
    './src/deep/c.txt',
    './test.sh',
  ]);
});

test('a warm tree that holds what git does not see, or what only root could change, is thrown away', async () => {
  await node.clean();
  const ordinary = ordinaryNode();
  node = ordinary.node;
  client = await node.join(0, 1, ordinary.wrapper);
  await project.put(client);
  for (const [n, trap] of [
    [1, 'git init -q src; rm -f src/HEAD'],
    [2, `ln src/a.txt ${node.root}/linked`],
    [3, 'mkfifo src/pipe'],
    [4, 'chmod 4644 src/a.txt'],
    [5, 'chmod 600 src/deep/c.txt'],
    [6, 'mkdir -p src/locked; touch src/locked/f; chmod 500 src/deep'],
  ] as const) {
    await finish(treeOrder(project, `echo ${n} > src/n.txt; ${trap}`, {}, {}, { n }));
    const look = treeOrder(
      project,
      `find . -path ./.git -prune -o \\( -iname .git -o -links +1 -type f -o -type p -o -perm -4000 -o -type f ! -perm 644 ! -perm 755 -o -type d ! -perm 755 \\) -print; echo look > src/look.txt`,
      {},
      {},
      { task: taskId('look'), n },
    );
    await finish(look);
    expect(node.file(look.token, 'agent.log')).toBe('');
  }
});

test('a link in the place of the tree leads nothing anywhere: not a step, not the snapshot, not the cleaning', async () => {
  const victim = join(project.dir, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'precious'), 'precious\n');
  const order = treeOrder(
    project,
    `case $DISPATCH_ROUND in 1) cd ..; mv tree moved; ln -s ${victim} tree;; *) touch ${canary()};; esac`,
  );
  expect(await run(order)).toMatchObject({
    kind: 'failed',
    cause: 'executor',
    message: expect.stringContaining('not a directory'),
  });
  await client.call({ op: 'forget', token: order.token, epoch: 1 });

  const link = join(project.dir, 'link');
  symlinkSync(victim, link);
  const place = { gitDir: join(project.dir, '.git'), index: join(project.dir, 'other.index'), tree: link };
  expect(await checkoutWarm(place, project.tip())).toBe(false);
  await expect(snapshot(place, { base: project.tip(), message: 'x', author: 'x' })).rejects.toThrow(
    'not a directory',
  );
  expect(readdirSync(victim)).toEqual(['precious']);
  expect(existsSync(canary())).toBe(false);
});

test('words that a shell or tmux could read stay words', async () => {
  const nasty = `'; touch ${canary()}; echo '#(touch ${canary()})$(touch ${canary()})\`touch ${canary()}\`\n"`;
  const order = treeOrder(project, '');
  const work = {
    ...order.work,
    executor: {
      name: 'x',
      kind: 'shell' as const,
      command: ['sh', '-c', 'printf %s "$NASTY$1" > src/out.txt', 'sh', nasty],
      env: { NASTY: nasty },
      secrets: {},
      model: null,
    },
  };
  await finish({ ...order, work } as AttemptOrder);
  expect(existsSync(canary())).toBe(false);
});

test("the agent's home does not reach the verify command, and its environment is clean", async () => {
  const order = treeOrder(
    project,
    'echo "export EVIL=1" > "$HOME/.profile"; echo x > src/x; env | cut -d= -f1 | sort > src/env.txt',
    {},
    { verify: '[ ! -e "$HOME/.profile" ] && [ ! -e .git ] && ! env | grep -q TMUX' },
  );
  await finish(order);
  const names = project
    .git(
      'show',
      `refs/results/dispatch/${(client.ends(order.token)[0] as { head: string }).head}:src/env.txt`,
    )
    .split('\n');
  expect(
    names.filter(
      (name) =>
        !name.startsWith('DISPATCH_') &&
        !'HOME LANG LOGNAME PATH PWD OLDPWD SHELL TERM TMPDIR TZ USER _'.split(' ').includes(name),
    ),
  ).toEqual([]);
});

test('a stale lock that an agent left cannot stop the snapshot', async () => {
  await finish(treeOrder(project, 'touch .git/index.lock .git/HEAD.lock; echo x > src/x'));
});
