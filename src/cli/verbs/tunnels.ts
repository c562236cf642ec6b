/** Keeps `dispatch serve` running across logins and sleep, by the supervisor that the user's system has. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { serviceVariables } from '../environment.ts';
import { safeLine } from '../render/safe-text.ts';
import { managerFor, tell } from '../tunnels/manager.ts';
import type { Manager, Words } from '../tunnels/supervisor.ts';
import { serviceFor } from '../tunnels/service.ts';
import { viewOrNull } from '../view.ts';

export interface TunnelOptions {
  readonly dryRun?: boolean;
}

/** Writes the unit and starts it. A second time nothing changes; after an update of dispatch it is started anew. */
export async function install(context: Context, options: TunnelOptions): Promise<ExitCode> {
  const manager = managerOf(context);
  const dryRun = options.dryRun === true;
  if (!dryRun) await manager.check();
  const state = await manager.state();
  const before = await textOf(manager.file);
  const changed = before !== manager.text;
  const upToDate = !changed && state.enabled && state.running;
  const commands = upToDate ? [] : manager.load(state, changed);
  if (!dryRun) {
    if (changed) await put(manager.file, manager.text);
    for (const words of commands) await tell(words);
  }
  const did = { action: 'install', changed, commands, dryRun } as const;
  show(context, manager, did, [
    upToDate ? 'installed already; nothing to do' : changed ? `wrote ${manager.file}` : 'started',
  ]);
  if (context.output.machine || dryRun) return EXIT.ok;
  const { output } = context;
  output.note(`what it says: ${manager.logs}`);
  const hint = await manager.hint();
  if (hint !== null) output.note(hint);
  await noteOther(context);
  return EXIT.ok;
}

/** Stops it and removes the unit. Agents go on. */
export async function uninstall(context: Context, options: TunnelOptions): Promise<ExitCode> {
  const manager = managerOf(context);
  const dryRun = options.dryRun === true;
  const present = (await textOf(manager.file)) !== null;
  if (!dryRun && present) await manager.check();
  const state = await manager.state();
  const { before, after } = manager.unload(state);
  const changed = present || before.length > 0;
  const commands = changed ? [...before, ...after] : [];
  if (!dryRun && changed) {
    for (const words of before) await tell(words);
    await rm(manager.file, { force: true });
    for (const words of after) await tell(words);
  }
  const did = { action: 'uninstall', changed, commands, dryRun } as const;
  show(context, manager, did, [changed ? `removed ${manager.file}; agents go on` : 'it is not installed']);
  return EXIT.ok;
}

/** Whether it is installed as this version would install it, and whether it runs. Exit 3 when it does not. */
export async function status(context: Context): Promise<ExitCode> {
  const { output } = context;
  const manager = managerOf(context);
  const text = await textOf(manager.file);
  const state = await manager.state();
  const installed = text === null ? 'no' : text === manager.text ? 'yes' : 'differs';
  const good = installed === 'yes' && state.running;
  const { kind, file } = manager;
  if (output.machine) output.envelope('Tunnel', { supervisor: kind, file, installed, ...state });
  else {
    output.line(`${kind}: ${safeLine(state.detail)}${state.pid === null ? '' : `, pid ${state.pid}`}`);
    output.line(`unit: ${installed === 'no' ? 'not installed' : file}`);
    if (installed === 'differs') output.note('it is not what this version of dispatch would write');
    if (!good) output.note('fix: dispatch tunnels install');
    if (installed !== 'no') output.note(`what it says: ${manager.logs}`);
  }
  return good ? EXIT.ok : EXIT.unfinished;
}

function managerOf(context: Context): Manager {
  const { environment } = context;
  const service = serviceFor({
    home: context.home(),
    node: process.execPath,
    program: resolve(process.argv[1] ?? ''),
    variables: serviceVariables(),
  });
  return managerFor(service, environment);
}

function show(
  { output }: Context,
  { kind, file, text }: Manager,
  did: {
    readonly action: 'install' | 'uninstall';
    readonly changed: boolean;
    readonly commands: readonly Words[];
    readonly dryRun: boolean;
  },
  lines: readonly string[],
): void {
  if (output.machine) return output.envelope('Tunnel', { supervisor: kind, file, text, ...did });
  if (!did.dryRun) {
    for (const line of lines) output.line(line);
    return;
  }
  if (did.action === 'install') output.write(`# ${file}\n${text}`);
  else output.line(did.changed ? `rm ${file}` : 'it is not installed');
  for (const words of did.commands) output.line(`$ ${words.join(' ')}`);
}

/** A controller in a terminal has the home: the service asks again every ten seconds, and that must not be a riddle. */
async function noteOther(context: Context): Promise<void> {
  const holder = await viewOrNull(context, async (view) => view.holder);
  if (holder === null) return;
  context.output.note(
    `pid ${holder.pid} controls this home now; if that is a \`dispatch start\`, the service takes over when it ends`,
  );
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all: the supervisor may read it at any moment. */
async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o644 });
  await rename(draft, file);
}
