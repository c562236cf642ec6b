import { DispatchError } from '../model/error.ts';
import { openChild } from './child.ts';
import type { ByteStream, Transport } from './transport.ts';

/** Any program that joins us to a shell elsewhere: `kubectl exec -i agent-7 --`, `docker exec -i box`, `srun …`. `/bin/sh` is added at the end. */
export class CommandTransport implements Transport {
  readonly door = null;
  readonly #command: readonly string[];

  constructor(command: readonly string[]) {
    this.#command = command;
  }

  async open(signal?: AbortSignal): Promise<ByteStream> {
    const [program, ...args] = this.#command;
    if (program === undefined || program === '')
      throw new DispatchError('E_NODE_UNREACHABLE', 'the node has an empty command', {
        fix: 'give "command" in nodes.json a program, such as ["kubectl", "exec", "-i", "agent-7", "--"]',
      });
    return openChild({
      argv: [program, ...args, '/bin/sh'],
      env: process.env,
      explain: (end) => {
        if (end.failed === null) return null;
        return new DispatchError('E_NODE_UNREACHABLE', `${program} cannot be started (${end.failed})`, {
          fix: `install ${program}, or correct "command" in nodes.json`,
        });
      },
      signal,
    });
  }

  describe(): string {
    return `the command ${this.#command.join(' ')} /bin/sh`;
  }
}
