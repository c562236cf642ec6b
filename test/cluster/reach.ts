/** Nodes as nodes.json would have them, for tests that go over a real sshd. */
import { nodeName } from '../../src/model/ids.ts';
import type { NodeConfig, NodeReach } from '../../src/model/spec.ts';
import type { Sshd } from './sshd.ts';

export function nodeConfig(name: string, reach: NodeReach, over: Partial<NodeConfig> = {}): NodeConfig {
  return {
    name: nodeName(name),
    slots: 2,
    gateSlots: null,
    leaseMs: null,
    mode: 'hybrid',
    labels: [],
    weight: 1,
    reach,
    root: null,
    ...over,
  };
}

export function sshReach(
  sshd: Sshd,
  transport: 'auto' | 'ssh2' | 'openssh' = 'auto',
): Extract<NodeReach, { by: 'ssh' }> {
  return { by: 'ssh', target: sshd.alias, transport, socket: null, configFile: sshd.configFile };
}
