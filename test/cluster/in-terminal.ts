/** A person at a terminal. */
import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import type { Home } from './home.ts';
import { program } from './running.ts';
import { until } from './until.ts';

interface Terminal {
  /** What the terminal has been given so far. */
  readonly shown: () => string;
  /** Waits until it shows this. @throws with what it shows, when that does not come or the command has ended. */
  readonly sees: (text: string) => Promise<void>;
  readonly type: (keys: string) => void;
  readonly isOver: () => boolean;
  /** The command's exit code, 128 + n when signal n ended it. */
  readonly code: Promise<number | null>;
}

/** Runs `dispatch …` in a terminal of its own, with script(1). @param args as a shell reads them. */
export function inTerminal(home: Home, args: string, env: Readonly<Record<string, string>> = {}): Terminal {
  const command = `'${process.execPath}' '${program()}' ${args}`;
  const script = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: home.dir,
    env: {
      ...process.env,
      HOME: `${home.base}/user`,
      SHELL: '/bin/sh',
      TERM: 'xterm-256color',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void script.kill('SIGKILL'));
  let shown = '';
  let over = false;
  script.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  // Keys may be typed at somebody who has just left.
  script.stdin.on('error', () => {});
  const code = new Promise<number | null>((resolve) => {
    script.once('close', (status) => {
      over = true;
      resolve(status);
    });
  });
  const sees = async (text: string): Promise<void> => {
    await until(text, () => over || shown.includes(text)).catch(() => undefined);
    if (!shown.includes(text))
      throw new Error(`no "${text}" ${over ? 'before it ended' : ''}, but:\n${shown}`);
  };
  return {
    shown: () => shown,
    sees,
    type: (keys) => void script.stdin.write(keys),
    isOver: () => over,
    code,
  };
}
