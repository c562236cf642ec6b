import { userInfo } from 'node:os';
import { DispatchError } from '../model/error.ts';
import { openChild } from './child.ts';
import type { ByteStream, Transport } from './transport.ts';

/** What an ssh login would have, and no more: keys and tokens in the controller's environment do not leak to attempts. */
const PASSED = ['PATH', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TMPDIR', 'TZ', 'XDG_RUNTIME_DIR'];

/** This machine as a node: a child process. */
export class LocalTransport implements Transport {
  readonly door = null;

  async open(signal?: AbortSignal): Promise<ByteStream> {
    return openChild({
      argv: ['/bin/sh'],
      env: loginEnvironment(process.env),
      cwd: '/',
      explain: (end) =>
        end.failed === null
          ? null
          : new DispatchError('E_NODE_UNREACHABLE', `/bin/sh cannot be started here (${end.failed})`),
      signal,
    });
  }

  describe(): string {
    return 'a child process on this machine';
  }
}

function loginEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { username, homedir } = userInfo();
  const env: NodeJS.ProcessEnv = { HOME: from.HOME ?? homedir, USER: username, LOGNAME: username };
  for (const name of PASSED) if (from[name] !== undefined) env[name] = from[name];
  return env;
}
