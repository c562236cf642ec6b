/** Loaded before the program under test: notes its heap after a collection now and then, for whoever samples it. */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const file = process.env.CHAOS_HEAP;
if (file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setInterval(() => {
    collect();
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${process.pid} ${process.memoryUsage().heapUsed}\n`);
    renameSync(draft, file);
  }, 5000).unref();
}
