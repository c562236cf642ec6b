/** The FIFO on which launch.sh says which step has ended. */
import { execFileSync } from 'node:child_process';
import { constants, lstatSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { isToken, type Token } from '../src/model/ids.ts';
import type { Root } from './root.ts';

/** Calls back for every line. Opened for reading and writing, so it never ends when the last writer leaves. */
export function openWake(root: Root, onEnd: (token: Token) => void): Socket {
  if (lstatSync(root.wake, { throwIfNoEntry: false })?.isFIFO() !== true) {
    rmSync(root.wake, { force: true });
    execFileSync('mkfifo', ['-m', '600', root.wake]);
  }
  const pipe = new Socket({
    fd: openSync(root.wake, constants.O_RDWR | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
  let rest = '';
  pipe.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const token = /\/attempts\/([0-9a-f]{32})\/[0-9]+[av]$/.exec(line)?.[1];
      if (isToken(token)) onEnd(token);
    }
  });
  pipe.on('error', (error) => process.stderr.write(`wake: ${String(error)}\n`));
  return pipe;
}
