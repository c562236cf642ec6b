import { type ProbeAsk, probeOf, programKey } from '../../../executors/probe.ts';
import type { DispatchError } from '../../../model/error.ts';
import type { ExecutorDef } from '../../../model/executor.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import type { NodeConfig } from '../../../model/spec.ts';
import { probeNode, type ProbeReport } from '../../../node/probe.ts';
import { loadProgram } from '../../../node/program.ts';
import { listProjects, loadExecutors, loadProject } from '../../../spec/load.ts';
import type { Context } from '../../context.ts';
import { executorLines, probeLine } from '../../nodes/probe-text.ts';
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
  const executors = await askedExecutors(home);
  const probed = await Promise.all(
    nodes.map(async (config): Promise<Probed> => {
      try {
        return { config, report: await probeNode(config, { program, executors }) };
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

/** Those that are built in, of executors.yaml, and of the projects. Whatever is wrong in those files is for `validate`. */
async function askedExecutors(home: string): Promise<Record<string, ProbeAsk>> {
  const { executors } = await loadExecutors(home);
  const projects = await Promise.all((await listProjects(home)).map((name) => loadProject(home, name)));
  const asks: Record<string, ProbeAsk> = {};
  for (const def of [executors, ...projects.map(({ config }) => config?.executors ?? {})].flatMap(
    Object.values,
  )) {
    const [key, ask] = [programKey(def as ExecutorDef), probeOf(def as ExecutorDef)];
    if (key !== null && ask !== null) asks[key] = ask;
  }
  return asks;
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
  else {
    output.line(`${output.paint.green('✔')} ${probed.config.name}: ${probeLine(probed.report)}`);
    for (const line of executorLines(probed.report)) output.line(`    ${line}`);
  }
}
