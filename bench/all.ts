/** Every bench, one after the other, in processes of their own: `make bench`. A figure that misses its aim says so. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { load, machine } from './figures.ts';

const BENCHES = [
  'throughput',
  'latency',
  'repo',
  'slot',
  'cage',
  'memory',
  'decide',
  'plan',
  'store',
  'daily',
  'connect',
  'placeholder',
  'queue-real',
];

const asked = process.argv.slice(2);
console.log(`${machine()}\nload ${load()}`);
for (const name of asked.length > 0 ? asked : BENCHES) {
  console.log(`\n== ${name}`);
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  // The flags that this process was started with make TypeScript run.
  const { status } = spawnSync(process.execPath, [...process.execArgv, file], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${name} ended with ${status}`);
    process.exitCode = 1;
  }
}
console.log(`\nload ${load()}`);
