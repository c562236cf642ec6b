import type { DispatchError } from '../../../model/error.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import type { NodeConfig } from '../../../model/spec.ts';
import { probeNode, type ProbeReport } from '../../../node/probe.ts';
import { loadProgram } from '../../../node/program.ts';
import type { Context } from '../../context.ts';
import { probeLine } from '../../nodes/probe-text.ts';
import { requireNodes, selectNode } from '../../nodes-file.ts';
import { asDispatchError, exitOf, renderError } from '../../render/error.ts';

type Probed = { config: NodeConfig; report: ProbeReport } | { config: NodeConfig; error: DispatchError };

/** Connects to machines and shows what they have. Exit: that of the first machine that could not be probed. */
export async function probe(context: Context, names: readonly string[]): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const nodes =
    names.length === 0
      ? await requireNodes(home)
      : await Promise.all(names.map((name) => selectNode(home, name)));
  const program = await loadProgram();
  const probed = await Promise.all(
    nodes.map(async (config): Promise<Probed> => {
      try {
        return { config, report: await probeNode(config, { program }) };
      } catch (thrown) {
        return { config, error: asDispatchError(thrown) };
      }
    }),
  );
  if (output.machine)
    output.list({
      kind: 'ProbeList',
      rows: probed,
      columns: [],
      name: ({ config }) => config.name,
      json: jsonOf,
    });
  else for (const one of probed) showOne(context, one);
  const failed = probed.find((one) => 'error' in one);
  return failed !== undefined && 'error' in failed ? exitOf(failed.error) : EXIT.ok;
}

function jsonOf(probed: Probed): unknown {
  const { name } = probed.config;
  if ('error' in probed) {
    const { code, message, where, why, fix } = probed.error;
    return { name, ok: false, error: { code, what: message, where, why, fix } };
  }
  const { probe: facts, timings, shipped, choice } = probed.report;
  return { ...facts, name, ok: true, via: choice.transport.describe(), shipped, timings };
}

function showOne({ output }: Context, probed: Probed): void {
  if ('error' in probed) {
    process.stderr.write(renderError(probed.error, output.notePaint));
    return;
  }
  if (output.format === 'name') output.line(probed.config.name);
  else output.line(`${output.paint.green('✔')} ${probed.config.name}: ${probeLine(probed.report)}`);
}
