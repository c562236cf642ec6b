/** The node-side program. Its subcommands are called by the controller's script, by launch.sh and by the supervisor. */
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isToken } from '../src/model/ids.ts';
import { advanceOnce } from './advance.ts';
import { wayOut } from './way-out.ts';
import { thisProgram } from './program.ts';
import { openRoot, type Root, RootError } from './root.ts';
import { revive, rpc } from './rpc.ts';
import { SUPERVISE_DEFAULTS, supervise } from './supervise.ts';

const USAGE =
  'usage: task-wrapper (rpc | supervise | revive | advance <token> | way-out <file>) --root <directory> | --version';
/** Most bytes of the supervisor's own log. */
const LOG_BYTES = 1024 * 1024;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      root: { type: 'string' },
      idle: { type: 'string' },
      silent: { type: 'string' },
      quiet: { type: 'string' },
      stopped: { type: 'string' },
      disk: { type: 'string' },
      reserve: { type: 'string' },
      why: { type: 'string' },
      replace: { type: 'boolean' },
      version: { type: 'boolean' },
    },
  });
  if (values.version === true) {
    const { hash, protocol } = thisProgram();
    process.stdout.write(`${JSON.stringify({ hash, protocol })}\n`);
    return;
  }
  const [command, token] = positionals;
  if (values.root === undefined) throw new RootError(USAGE);
  const root = openRoot(values.root);
  switch (command) {
    case 'rpc':
      await rpc(root, settings() ?? [], {
        stoppedMs: Number(process.env.DISPATCH_STOPPED_MS ?? SUPERVISE_DEFAULTS.stoppedMs),
      });
      process.exit(0);
      break;
    case 'revive':
      logTo(`${root.run}/supervisor.log`);
      return await revive(root, values.replace === true, settings() ?? keptSettings(root));
    case 'supervise':
      logTo(`${root.run}/supervisor.log`);
      keepSettings(root);
      return await supervise(root, {
        idleMs: Number(values.idle ?? SUPERVISE_DEFAULTS.idleMs),
        reserve: Number(values.reserve ?? SUPERVISE_DEFAULTS.reserve),
        silentMs: Number(values.silent ?? SUPERVISE_DEFAULTS.silentMs),
        diskMs: Number(values.disk ?? SUPERVISE_DEFAULTS.diskMs),
        quietMs: Number(values.quiet ?? SUPERVISE_DEFAULTS.quietMs),
        stoppedMs: Number(values.stopped ?? SUPERVISE_DEFAULTS.stoppedMs),
      });
    case 'advance':
      if (!isToken(token)) throw new RootError(USAGE);
      return await advanceOnce(
        root,
        token,
        values.why === 'cancel' || values.why === 'deadline' ? values.why : null,
      );
    case 'way-out':
      if (token === undefined) throw new RootError(USAGE);
      return await wayOut(token);
    default:
      throw new RootError(USAGE);
  }
}

/** A supervisor starts from a clean environment, so what it may be told goes as arguments. Null: nothing was said. */
function settings(): string[] | null {
  const {
    DISPATCH_IDLE_MS,
    DISPATCH_RESERVE_BYTES,
    DISPATCH_STOPPED_MS,
    DISPATCH_SILENT_MS,
    DISPATCH_DISK_MS,
    DISPATCH_QUIET_MS,
  } = process.env;
  const said = [
    ...(DISPATCH_IDLE_MS === undefined ? [] : ['--idle', DISPATCH_IDLE_MS]),
    ...(DISPATCH_SILENT_MS === undefined ? [] : ['--silent', DISPATCH_SILENT_MS]),
    ...(DISPATCH_DISK_MS === undefined ? [] : ['--disk', DISPATCH_DISK_MS]),
    ...(DISPATCH_QUIET_MS === undefined ? [] : ['--quiet', DISPATCH_QUIET_MS]),
    ...(DISPATCH_STOPPED_MS === undefined ? [] : ['--stopped', DISPATCH_STOPPED_MS]),
    ...(DISPATCH_RESERVE_BYTES === undefined ? [] : ['--reserve', DISPATCH_RESERVE_BYTES]),
  ];
  return said.length === 0 ? null : said;
}

/** What this supervisor was told, for the one that launch.sh starts in its place: the environment of a step says nothing of it. */
function keepSettings(root: Root): void {
  const options = process.argv.slice(process.argv.indexOf('supervise') + 1);
  const at = options.indexOf('--root');
  const said = options.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  try {
    writeFileSync(`${root.run}/settings`, `${said.join('\n')}\n`, { mode: 0o600 });
  } catch {
    // On a full disk: then the next one has the usual settings.
  }
}

function keptSettings(root: Root): string[] {
  try {
    return readFileSync(`${root.run}/settings`, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** Nobody looks at the supervisor's window; what it has to say goes to a file that stays small. */
function logTo(path: string): void {
  const write = (text: string | Uint8Array): boolean => {
    if (text.length === 0) return true;
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) truncateSync(path, 0);
      appendFileSync(path, `${new Date().toISOString()} ${String(text)}`);
    } catch {
      // On a full disk nothing can be said, and whoever says it goes on.
    }
    return true;
  };
  process.stderr.write = write as typeof process.stderr.write;
  const fatal = (error: unknown): void => {
    write(`fatal: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(70);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
}

main().catch((error: unknown) => {
  process.stderr.write(`task-wrapper: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof RootError ? 64 : 1);
});
