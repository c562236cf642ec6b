import { DispatchError } from '../../../model/error.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import { probeNode, type ProbeReport } from '../../../node/probe.ts';
import { loadProgram } from '../../../node/program.ts';
import type { NodeEntry } from '../../../spec/nodes.ts';
import type { Context } from '../../context.ts';
import { type AddOptions, entryFor, withEntry } from '../../nodes/entry.ts';
import { entryOf, type NodeInfo, readNodeInfo, targetOf } from '../../nodes/node-info.ts';
import { probeLine } from '../../nodes/probe-text.ts';
import { trustNode, type TrustOptions } from '../../nodes/trust.ts';
import { writeNodes } from '../../nodes/write.ts';
import { readNodes } from '../../nodes-file.ts';

/** Adds a machine: its host key is shown and accepted, it is probed, and only then written to nodes.json. */
export async function add(
  context: Context,
  name: string | undefined,
  options: AddOptions,
): Promise<ExitCode> {
  if (options.from !== undefined) {
    const info = await readNodeInfo(options.from);
    return addEntry(context, entryFrom(info, name, options), trustIn(info, options));
  }
  if (name !== undefined) return addEntry(context, entryFor(name, options), options);
  throw new DispatchError('E_USAGE', 'which machine?', {
    fix: 'dispatch nodes add <name>, or dispatch nodes add --from node-info.json',
  });
}

/**
 * The rest of adding, for an entry that is known. Without slots it gets half the machine's cores.
 * @param trust null: its host key has just been verified, and an unknown one is an error.
 */
export async function addEntry(
  context: Context,
  entry: NodeEntry,
  trust: TrustOptions | null,
): Promise<ExitCode> {
  const { output } = context;
  const { name } = entry;
  const home = context.home();
  const { config } = withEntry(await readNodes(home), entry);
  if (trust !== null) await trustNode(context, config, trust);
  output.note(`probing ${name} …`);
  const report = await probeNode(config, { program: await loadProgram() });
  const slots = entry.slots ?? defaultSlots(report);
  // Read again: probing took seconds, and a person may have saved the file meanwhile.
  await writeNodes(home, withEntry(await readNodes(home), { ...entry, slots }).text);
  if (output.machine) output.envelope('Node', { ...config, slots, probe: report.probe });
  else if (output.format === 'name') output.line(name);
  else output.line(`${output.paint.green('added')} ${name} with ${slots} slots: ${probeLine(report)}`);
  return EXIT.ok;
}

/** What the machine said about itself, and what the flags say instead. */
function entryFrom(info: NodeInfo, name: string | undefined, options: AddOptions): NodeEntry {
  const reached = options.local === true || options.command !== undefined;
  const said = name === undefined ? info : { ...info, name };
  const target = reached ? {} : { target: options.target ?? targetOf(info) };
  return { ...entryOf(said), ...entryFor(said.name, { ...options, ...target }) };
}

/** Whoever gives the file vouches for the keys in it, as for a fingerprint on the command line. */
function trustIn({ hostKeys }: NodeInfo, options: AddOptions): TrustOptions {
  if (options.fingerprint !== undefined || hostKeys.length === 0) return options;
  return { ...options, fingerprint: hostKeys.map(({ fingerprint }) => fingerprint) };
}

/** Agents mostly wait for their model, but their builds and tests do not: half the cores, at least one. */
function defaultSlots({ probe }: ProbeReport): number {
  return Math.max(1, Math.floor(probe.cores / 2));
}
