/** The home: its layout, its files, its state. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { asidesOf, asideText } from '../../controller/asides.ts';
import { homePaths } from '../../controller/paths.ts';
import { DispatchError } from '../../model/error.ts';
import { loadHome } from '../../spec/load.ts';
import { openReader } from '../../store/sqlite/reader.ts';
import { bytesText } from '../nodes/probe-text.ts';
import { asDispatchError } from '../render/error.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** The store and the hubs grow by the branches that come in. */
const LOW_BYTES = 2e9;
const EMPTY_BYTES = 200e6;

export async function checkHome(home: string): Promise<Check[]> {
  return [
    checkLayout(home),
    checkIgnored(home),
    await checkNodesFile(home),
    checkDisk(home),
    await checkStore(home),
    ...checkAsides(home),
  ];
}

/** Until somebody has looked at it. */
function checkAsides(home: string): Check[] {
  return asidesOf(home).map((aside) =>
    fail(
      'home.aside',
      asideText(aside),
      'a defect: the state refuses it',
      `dispatch replay --check, report it with the file, then rm ${join(home, aside.file)}`,
    ),
  );
}

function checkLayout(home: string): Check {
  if (!existsSync(join(home, 'specs'))) {
    return fail('home.layout', home, 'there is no specs/', `dispatch init --home ${home}`);
  }
  try {
    accessSync(home, constants.W_OK);
  } catch {
    return fail(
      'home.layout',
      home,
      'it cannot be written, and state is kept in it',
      `chown -R $USER ${home}`,
    );
  }
  return ok('home.layout', home);
}

/** Only a home under version control needs it. */
function checkIgnored(home: string): Check {
  if (!existsSync(join(home, '.git'))) return ok('home.ignored', 'not under version control');
  const file = join(home, '.gitignore');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  if (lines.some((line) => /^\/?\.dispatch\/?$/u.test(line.trim())))
    return ok('home.ignored', '.dispatch/ is ignored');
  return warn(
    'home.ignored',
    '.dispatch/ is not in .gitignore',
    'state would be committed',
    `echo .dispatch/ >> ${file}`,
  );
}

async function checkNodesFile(home: string): Promise<Check> {
  const { nodes, problems } = await loadHome(home);
  const [first] = problems;
  if (first === undefined) {
    const slots = nodes.reduce((sum, node) => sum + node.slots, 0);
    return ok('home.nodes', `nodes.json: ${nodes.length} nodes, ${slots} slots`);
  }
  const make = first.severity === 'error' ? fail : warn;
  return make(
    'home.nodes',
    `${first.file}:${first.line}:${first.col}`,
    first.message,
    first.fix ?? 'dispatch validate',
  );
}

function checkDisk(home: string): Check {
  const { bavail, bsize } = statfsSync(home);
  const free = bavail * bsize;
  const what = `${bytesText(free)} free`;
  if (free < EMPTY_BYTES)
    return fail('home.disk', what, 'nothing can be recorded soon', `free space on the disk of ${home}`);
  if (free < LOW_BYTES)
    return warn('home.disk', what, 'branches and logs need room', `free space on the disk of ${home}`);
  return ok('home.disk', what);
}

async function checkStore(home: string): Promise<Check> {
  try {
    const reader = await openReader(homePaths(home).database);
    try {
      const holder = await reader.holder();
      const who =
        holder === null
          ? 'no controller runs'
          : `controller: pid ${holder.pid} on ${holder.host} since ${new Date(holder.since).toISOString()}`;
      return ok('home.store', `state.db is readable; ${who}`);
    } finally {
      await reader.close();
    }
  } catch (thrown) {
    if (thrown instanceof DispatchError && thrown.code === 'E_NO_STORE')
      return ok('home.store', 'nothing was started yet');
    const error = asDispatchError(thrown);
    return fail(
      'home.store',
      error.message,
      error.why ?? error.code,
      error.fix ?? `dispatch explain ${error.code}`,
    );
  }
}
