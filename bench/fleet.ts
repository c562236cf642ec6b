/**
 * A fleet for the benches: real OpenSSH servers on loopback, one node each, and a home whose project has no repository,
 * so that what is measured is the way of a task and not its work.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import type { LoadedProject } from '../src/controller/takeover.ts';
import { nodeName, projectName, taskId } from '../src/model/ids.ts';
import type { NodeConfig, ProjectConfig, TaskSpec } from '../src/model/spec.ts';
import { type Sshd, startSshd } from '../test/cluster/sshd.ts';
import { config } from '../test/model/builder.ts';

export interface Fleet {
  readonly dir: string;
  readonly nodes: readonly NodeConfig[];
  readonly servers: readonly Sshd[];
  stop(): Promise<void>;
}

export async function startFleet(count: number, slots: number): Promise<Fleet> {
  const dir = makeGround();
  const servers: Sshd[] = [];
  for (let index = 0; index < count; index += 1)
    servers.push(await startSshd({ alias: `bench${index + 1}` }));
  const nodes = servers.map((server, index) => sshNode(server, join(dir, `node${index + 1}`), slots));
  return {
    dir,
    nodes,
    servers,
    stop: async () => {
      for (const node of nodes) killNode(node.root);
      for (const server of servers) await server.stop();
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/**
 * Where the nodes live. ext4 searches past every inode of a block group that was freed in the last minutes: right after a
 * test suite a directory with six files takes 5 ms instead of 0.08 ms, and a bench would measure what other programs here
 * have deleted. So each node gets a block group of its own (`chattr +T` on the parent), as on a machine of its own, and
 * DISPATCH_BENCH_DIR names a fresh file system where that is not enough.
 */
function makeGround(): string {
  const dir = mkdtempSync(join(process.env.DISPATCH_BENCH_DIR ?? tmpdir(), 'dispatch-bench-'));
  spawnSync('chattr', ['+T', dir], { stdio: 'ignore' });
  return dir;
}

function sshNode(server: Sshd, root: string, slots: number): NodeConfig {
  mkdirSync(root, { recursive: true });
  return {
    name: nodeName(server.alias),
    slots,
    gateSlots: null,
    leaseMs: null,
    mode: 'hybrid',
    labels: [],
    weight: 1,
    reach: {
      by: 'ssh',
      target: server.alias,
      transport: 'auto',
      socket: null,
      configFile: server.configFile,
    },
    root,
  };
}

/** The supervisor would outlive its tmux server, and wait for work until it is idle. */
export function killNode(root: string | null): void {
  if (root === null) return;
  spawnSync('tmux', ['-S', join(root, 'run', 'tmux.sock'), 'kill-server'], { stdio: 'ignore' });
  try {
    process.kill(Number(readFileSync(join(root, 'run', 'supervisor'), 'utf8').split('\n')[0]), 'SIGKILL');
  } catch {
    // It never started, or has left.
  }
}

/** A project without a repository: each task runs one command. */
export function chores(
  name: string,
  count: number,
  shape: { dependsOn?: (index: number) => number[]; command?: string[] } = {},
): LoadedProject {
  const project = projectName(name);
  const id = (index: number): ReturnType<typeof taskId> => taskId(`T${String(index).padStart(5, '0')}`);
  const specs = Array.from({ length: count }, (_, index): { spec: TaskSpec; text: string } => ({
    spec: {
      project,
      id: id(index),
      title: 'chore',
      priority: 2,
      dependsOn: (shape.dependsOn?.(index) ?? []).map(id),
      modifies: [],
      expands: [],
      executor: 'chore',
      verify: null,
      timeoutMs: 600_000,
      retries: 0,
      review: false,
      budgetTokens: null,
      estimateMs: null,
      digest: String(index),
      file: `specs/${name}/${id(index)}.md`,
    },
    text: '## Acceptance\n- it ends with 0\n',
  }));
  return { config: choreConfig(name, shape.command ?? ['true']), specs };
}

function choreConfig(name: string, command: string[]): ProjectConfig {
  return config({
    name: projectName(name),
    repo: null,
    verify: null,
    executor: 'chore',
    executors: { chore: { name: 'chore', kind: 'shell', command, env: {}, secrets: {}, model: null } },
    timeoutMs: 600_000,
    retries: 0,
    gateTimeoutMs: 600_000,
    maxAttempts: 1,
  });
}
