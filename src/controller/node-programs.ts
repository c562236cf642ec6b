/** What nodes have of what attempts need: the programs of executors, a sandbox, a cage. Each lack is told once for the same words. */
import { STRICT_CAGE } from '../model/cage.ts';
import type { ProgramReport } from '../model/executor.ts';
import type { NodeName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { NodeLink } from '../node/link.ts';
import type { Input } from './door.ts';
import type { Note } from './note.ts';
import { cageReport, needsCage, probesFor } from './probes.ts';

export interface NodeProgramsOptions {
  readonly state: State;
  readonly push: (input: Input) => void;
  readonly note: (note: Note) => void;
  /** Whether some verify command wants a sandbox. */
  readonly needsSandbox: () => boolean;
}

export class NodePrograms {
  readonly #options: NodeProgramsOptions;
  readonly #sandboxAsked = new Set<NodeName>();
  /** What was said of the program of an executor on a node. */
  readonly #saidOf = new Map<string, string>();

  constructor(options: NodeProgramsOptions) {
    this.#options = options;
  }

  /**
   * What would fail every attempt there is said when the node connects, not when the first task has ended: no sandbox for
   * verify commands, an agent's program that is missing or lacks a flag.
   */
  async ask(link: NodeLink, config: NodeConfig): Promise<void> {
    const { name } = config;
    const { state } = this.#options;
    const caged = !this.#sandboxAsked.has(name) && this.#options.needsSandbox();
    const strict = needsCage(state, config);
    const executors = probesFor(state, config);
    if (!caged && !strict && Object.keys(executors).length === 0) return;
    if (caged) this.#sandboxAsked.add(name);
    // What keeps it from answering is told by the link.
    const probe = await link.call({ op: 'probe', programs: [], executors }).catch(() => null);
    if (probe === null) return;
    this.#programs(name, probe.executors ?? {});
    if (strict && probe.sandbox !== undefined) this.#cage(name, cageReport(probe.sandbox));
    if (!caged || probe.sandbox === undefined || probe.sandbox.by !== null) return;
    const { detail, fix } = probe.sandbox;
    const message = `no verify command can run there: ${detail}`;
    this.#options.note({ about: 'node', name, code: 'E_NODE_NO_SANDBOX', message, fix });
  }

  /** It never said whether it can cage an agent, and one wants it. */
  owesCage(config: NodeConfig): boolean {
    const { state } = this.#options;
    return state.nodes.get(config.name)?.programs[STRICT_CAGE] === undefined && needsCage(state, config);
  }

  /** Something is missing that a person may have mended meanwhile. */
  lacks(name: NodeName): boolean {
    const programs = this.#options.state.nodes.get(name)?.programs ?? {};
    return Object.values(programs).some(({ problems }) => problems.length > 0);
  }

  #cage(name: NodeName, report: ProgramReport): void {
    this.#options.push({ is: 'node.probed', node: name, programs: { [STRICT_CAGE]: report } });
    const told = report.problems.join('; ');
    const before = this.#saidOf.get(`${name} ${STRICT_CAGE}`);
    this.#saidOf.set(`${name} ${STRICT_CAGE}`, told);
    if (told === '' || before === told) return;
    const message = `no agent in \`cage: strict\` can run there: ${told}`;
    this.#options.note({ about: 'node', name, code: 'E_NODE_NO_SANDBOX', message, fix: null });
  }

  #programs(name: NodeName, programs: Readonly<Record<string, ProgramReport>>): void {
    if (Object.keys(programs).length === 0) return;
    this.#options.push({ is: 'node.probed', node: name, programs });
    for (const [executor, { problems }] of Object.entries(programs)) {
      const told = problems.join('; ');
      // A node that connects again says the same again.
      if (problems.length === 0 || this.#saidOf.get(`${name} ${executor}`) === told) continue;
      this.#saidOf.set(`${name} ${executor}`, told);
      const message = `no attempt of executor ${executor} can run there: ${told}`;
      const fix = `install or update it on ${name}, then: dispatch nodes probe ${name}`;
      this.#options.note({ about: 'node', name, code: 'E_NODE_EXECUTOR', message, fix });
    }
  }
}
