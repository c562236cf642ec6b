/**
 * `make chaos`: every sort of chaos at its full size, one after the other, each with a fresh seed that it prints. What is
 * given goes to each: `tsx test/chaos/all.ts --scale 0.1`. Exit code 1: one of them was violated or could not be run.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WAYS = ['controller-kills', 'stops', 'link-cut', 'short-cuts'];
const MACHINES = ['disk-full', 'reboot', 'tmux-kill', 'clocks', 'pressure', 'soak'];

const failed = WAYS.concat(MACHINES).filter((name) => {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const args = ['--import', 'tsx', file, ...process.argv.slice(2)];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0;
});
process.stderr.write(failed.length === 0 ? 'chaos: all clean\n' : `chaos: NOT clean: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
