/** What a test lets another process do with a store: `child.ts <what> <file>`. Says on standard output how it went. */
import { createInterface } from 'node:readline';
import { DispatchError } from '../../src/model/error.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { added, SET_UP, Story } from '../model/builder.ts';

const [what, file] = process.argv.slice(2);
if (file === undefined) throw new Error('no file');
const stdin = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

switch (what) {
  case 'hold':
    await hold(file);
    break;
  case 'commit':
    await commitForEver(file);
    break;
  default:
    throw new Error(`what is ${String(what)}?`);
}

/** Waits for a line, then takes the lease and keeps it until standard input ends. */
async function hold(path: string): Promise<void> {
  process.stdout.write('ready\n');
  await stdin.next();
  const store = await openSqliteStore(path);
  try {
    const { epoch } = await store.acquire('elsewhere', process.pid, Date.now());
    process.stdout.write(`holds ${epoch}\n`);
  } catch (error) {
    process.stdout.write(
      error instanceof DispatchError ? `${error.code} ${error.message}\n` : `${String(error)}\n`,
    );
  }
  await stdin.next();
  await store.close();
}

/** Adds tasks, three in one commit, and prints the seq of each commit once the store has acknowledged it. */
async function commitForEver(path: string): Promise<void> {
  const store = await openSqliteStore(path);
  const lease = await store.acquire('elsewhere', process.pid, Date.now());
  const story = new Story(await store.load());
  if (story.state.projects.size === 0) await store.commit(lease, story.tell(...SET_UP), story.state);
  for (let number = story.state.tasks.size; ; number += 3) {
    const events = story.tell(added(`T${number}`), added(`T${number + 1}`), added(`T${number + 2}`));
    try {
      const seq = await store.commit(lease, events, story.state);
      process.stdout.write(`${seq}\n`);
    } catch (error) {
      process.stdout.write(`${error instanceof DispatchError ? error.code : String(error)}\n`);
      return;
    }
  }
}
