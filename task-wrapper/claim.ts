/** Makes an attempt's directory. `mkdir` is the lock: of any number of tries with one token, one claims it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { AttemptOrder } from '../src/protocol/order.ts';
import { monotonicMs } from './host.ts';
import type { Program } from './program.ts';
import { type Recorded, readOrder, writeOrder } from './record.ts';
import { attemptDir, type Root } from './root.ts';

/** The attempt as recorded, or null when its token is known already. A directory without a whole order is a claim that was cut short and never answered. */
export function claim(
  root: Root,
  program: Program,
  bootId: string,
  seq: number,
  order: AttemptOrder,
): Recorded | null {
  const dir = attemptDir(root, order.token);
  if (existsSync(`${root.done}/${order.token}`) || existsSync(`${root.trash}/${order.token}`)) return null;
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (readOrder(dir) !== null) return null;
  }
  const recorded: Recorded = {
    ...order,
    node: {
      bootId,
      since: monotonicMs(),
      program: program.hash,
      wrapper: program.wrapper,
      launch: program.launch,
      seq,
    },
  };
  if (order.work.kind === 'work') {
    if (order.work.tree === null) mkdirSync(`${dir}/tree`, { recursive: true, mode: 0o755 });
    writeFileSync(`${dir}/prompt.md`, order.work.prompt, { mode: 0o600 });
    writeFileSync(`${dir}/spec.md`, order.work.spec, { mode: 0o600 });
  }
  writeOrder(dir, recorded);
  return recorded;
}
