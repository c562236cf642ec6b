/** A small repository to work on, and how its commits come to a node. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeBundle } from '../../src/git/bundle.ts';
import { type CommitId, commitId, projectName } from '../../src/model/ids.ts';
import type { AttemptOrder, TreeOrder, WorkOrder } from '../../src/protocol/order.ts';
import { type Client, plainOrder, shell } from './client.ts';

export class Project {
  readonly dir = mkdtempSync(join(tmpdir(), 'tw-repo-'));
  readonly name = projectName('demo');

  constructor(files: Record<string, string>) {
    this.git('init', '-q', '-b', 'main');
    this.commit(files);
  }

  git(...args: string[]): string {
    return execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd: this.dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    }).trim();
  }

  commit(files: Record<string, string>): CommitId {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.dir, path)), { recursive: true });
      writeFileSync(join(this.dir, path), text);
    }
    this.git('add', '-A');
    this.git('commit', '-q', '-m', 'work');
    return this.tip();
  }

  tip(): CommitId {
    return commitId(this.git('rev-parse', 'HEAD'));
  }

  /** Brings the tip into the node's mirror. */
  async put(client: Client, have: readonly CommitId[] = []): Promise<void> {
    const file = join(this.dir, '.git', 'put.bundle');
    await writeBundle({ gitDir: join(this.dir, '.git') }, file, [this.tip()], have);
    const { id, reply } = client.begin({
      op: 'mirror.put',
      project: this.name,
      commits: [this.tip()],
      epoch: 1,
    });
    client.sendBytes(id, readFileSync(file));
    await reply;
  }

  /** Fetches an attempt's result into this repository and returns its commit. */
  async fetch(client: Client, order: AttemptOrder): Promise<CommitId> {
    const { id, reply } = client.begin({ op: 'bundle.get', token: order.token, have: [this.tip()] });
    const { head } = await reply;
    const file = join(this.dir, '.git', 'result.bundle');
    writeFileSync(file, client.received(id));
    this.git('fetch', '-q', file, `+refs/*:refs/results/*`);
    return head;
  }

  show(commit: CommitId, path: string): string {
    return this.git('show', `${commit}:${path}`);
  }

  clean(): void {
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** An order to work on the project's tip with a scripted agent. */
export function treeOrder(
  project: Project,
  script: string,
  tree: Partial<TreeOrder> = {},
  work: Partial<WorkOrder> = {},
  change: Partial<AttemptOrder> = {},
): AttemptOrder {
  return plainOrder(
    script,
    { project: project.name, ...change },
    {
      executor: shell(script),
      tree: {
        base: project.tip(),
        previous: null,
        modifies: ['src/**'],
        allowedExtras: [],
        expands: [],
        protectedPaths: [],
        gates: { largestFileKb: 8192, largestBinaryKb: 2048, secretAllow: [], minTests: 0 },
        placeholderAllow: [],
        ...tree,
      },
      verify: 'sh test.sh',
      retries: 3,
      ...work,
    },
  );
}
