/** A name server that never answers, for real: in a network and mount namespace of its own. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scratch } from '../store/scratch.ts';

const OWN = ['--net', '--mount', '--fork'];
const able =
  spawnSync('unshare', [...OWN, 'sh', '-c', 'ip link set lo up && test -e /etc/resolv.conf']).status === 0;
if (!able) console.warn('SKIPPED: a silent name server needs root, unshare (util-linux) and ip (iproute2)');

test.skipIf(!able)(
  'a sink whose name nobody answers for is given up at once when it is told to, and keeps the process from nothing',
  { timeout: 120_000 },
  () => {
    const resolv = join(scratch(), 'resolv.conf');
    writeFileSync(resolv, 'nameserver 127.0.0.1\n');
    const script = fileURLToPath(new URL('./silent-names.ts', import.meta.url));
    const inside = 'ip link set lo up; mount --bind "$1" /etc/resolv.conf; exec "$2" --import tsx "$3"';
    const argv = [...OWN, 'sh', '-c', inside, 'sh', resolv, process.execPath, script];
    const ran = spawnSync('unshare', argv, { encoding: 'utf8' });
    expect(JSON.parse(ran.stdout)).toEqual({ said: 'no name server answers', left: [] });
  },
);
