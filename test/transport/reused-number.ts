/** In a PID namespace of its own: a stranger gets the number of a stream's process, and then the stream is closed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { openChild } from '../../src/transport/child.ts';

/** Of this process a thread may take the number first. */
const MOST_TRIES = 50;

async function main(): Promise<void> {
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const stream = openChild({ argv: ['/bin/sh', '-c', 'echo $$'], env: process.env, explain: () => null });
    const said: Buffer[] = [];
    stream.readable.on('data', (bytes: Buffer) => said.push(bytes));
    await stream.closed;
    const number = Number(Buffer.concat(said).toString());
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(number - 1));
    const stranger = spawn('cat', [], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(stranger, 'exit').then(() => 'ended');
    if (stranger.pid === number) {
      stream.close();
      // It answers, or its end comes: nothing has to be waited out.
      stranger.stdin.on('error', () => undefined).write('x');
      const answered = once(stranger.stdout, 'data').then(() => 'alive');
      console.log(await Promise.race([answered, ended]));
      stranger.kill('SIGKILL');
      return;
    }
    stranger.kill('SIGKILL');
    await ended;
  }
  console.log('the number was never given away');
}

void main();
