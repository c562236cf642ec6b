import { EXIT, type ExitCode } from '../../../model/exit.ts';
import { probeNode, type ProbeReport } from '../../../node/probe.ts';
import { loadProgram } from '../../../node/program.ts';
import type { Context } from '../../context.ts';
import { entryFor, withEntry } from '../../nodes/entry.ts';
import { probeLine } from '../../nodes/probe-text.ts';
import { trustNode, type TrustOptions } from '../../nodes/trust.ts';
import { writeNodes } from '../../nodes/write.ts';
import { readNodes } from '../../nodes-file.ts';

export interface AddOptions extends TrustOptions {
  readonly target?: string;
  readonly local?: boolean;
  readonly command?: string;
  readonly slots?: string;
  readonly mode?: string;
  readonly label?: readonly string[];
  readonly weight?: string;
  readonly transport?: string;
  readonly root?: string;
  readonly sshConfig?: string;
}

/** Adds a machine: its host key is shown and accepted, it is probed, and only then written to nodes.json. */
export async function add(context: Context, name: string, options: AddOptions): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const before = await readNodes(home);
  const entry = entryFor(name, options);
  const { config } = withEntry(before, entry);
  await trustNode(context, config, options);
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

/** Agents mostly wait for their model, but their builds and tests do not: half the cores, at least one. */
function defaultSlots({ probe }: ProbeReport): number {
  return Math.max(1, Math.floor(probe.cores / 2));
}
