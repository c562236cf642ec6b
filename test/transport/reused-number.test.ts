/** The number of a process that has ended is another one's some time; only a PID namespace gives it away at will. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const OWN_PIDS = ['--fork', '--pid', '--mount-proc'];
const able =
  spawnSync('unshare', [...OWN_PIDS, 'sh', '-c', 'echo 50 >/proc/sys/kernel/ns_last_pid']).status === 0;
if (!able) console.warn('SKIPPED: whether a stream ends a stranger needs root and unshare (util-linux)');

test.skipIf(!able)(
  'a stream that is closed late ends nobody who got the number of its process',
  { timeout: 120_000 },
  () => {
    const script = fileURLToPath(new URL('./reused-number.ts', import.meta.url));
    const ran = spawnSync('unshare', [...OWN_PIDS, process.execPath, '--import', 'tsx', script], {
      encoding: 'utf8',
    });
    expect(ran.stdout).toBe('alive\n');
  },
);
