/** Whether bubblewrap can run where the tests run, and gates that try something there. */
import { spawnSync } from 'node:child_process';
import type { Outcome } from '../../src/model/attempt.ts';
import { DEFAULT_SANDBOX, type SandboxRules } from '../../src/model/sandbox.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { type Client, newToken, type TestNode } from './client.ts';
import { type Project, treeOrder } from './project.ts';

/** Why no sandbox can be built here; null when one can. */
export const noSandbox = whyNot();

if (noSandbox !== null)
  process.stderr.write(`\nSKIPPED: the tests of the sandbox prove nothing on this machine: ${noSandbox}\n\n`);

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'it is not Linux';
  const args = ['--ro-bind', '/', '/', '--unshare-user', '--unshare-pid', '--proc', '/proc', 'true'];
  const { error, status, stderr } = spawnSync('bwrap', args, { encoding: 'utf8' });
  if (error !== undefined) return 'bubblewrap is not installed (apt install bubblewrap)';
  return status === 0 ? null : stderr.trim();
}

/** A gate on the project's tip. */
export function gateOrder(project: Project, verify: string, rules: Partial<SandboxRules> = {}): AttemptOrder {
  return {
    ...treeOrder(project, ''),
    token: newToken(),
    work: {
      kind: 'gate',
      commit: project.tip(),
      verify,
      minTests: 0,
      sandbox: { ...DEFAULT_SANDBOX, ...rules },
    },
  };
}

export interface Ran {
  readonly outcome: Outcome;
  /** What the command printed. */
  readonly said: string;
}

/** Runs the gate to its end. */
export async function runGate(node: TestNode, client: Client, order: AttemptOrder): Promise<Ran> {
  await client.call({ op: 'start', order });
  const outcome = await client.ended(order.token);
  return { outcome, said: node.file(order.token, 'agent.log') };
}
