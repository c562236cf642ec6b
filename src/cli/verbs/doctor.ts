import { EXIT, type ExitCode } from '../../model/exit.ts';
import { loadHome } from '../../spec/load.ts';
import type { Context } from '../context.ts';
import type { Check } from '../doctor/check.ts';
import { checkHere } from '../doctor/here.ts';
import { checkHome } from '../doctor/home.ts';
import { checkNodeOf } from '../doctor/nodes.ts';
import { checkProjects } from '../doctor/projects.ts';
import { selectNode } from '../nodes-file.ts';
import { safeLine } from '../render/safe-text.ts';

export interface DoctorOptions {
  readonly node?: string;
}

/** Looks at each thing that can be missing and says how to mend it. Changes nothing. Exit 3 when something failed. */
export async function doctor(context: Context, options: DoctorOptions): Promise<ExitCode> {
  const home = context.home();
  const { output } = context;
  const checks: Check[] = [];
  const add = (found: readonly Check[]): void => {
    checks.push(...found);
    if (!output.machine && output.format !== 'name') for (const check of found) show(context, check);
  };
  const { checks: projects, programs, asks, caged } = await checkProjects(home);
  if (options.node === undefined) {
    const { nodes } = await loadHome(home);
    add(await checkHere(nodes));
    add(await checkHome(home));
    add(projects);
    await Promise.all(nodes.map(async (node) => add(await checkNodeOf(node, { programs, asks, caged }))));
  } else {
    add(await checkNodeOf(await selectNode(home, options.node), { programs, asks, caged }));
  }
  const bad = checks.filter(({ state }) => state === 'fail').length;
  const meh = checks.filter(({ state }) => state === 'warn').length;
  if (output.machine || output.format === 'name') {
    const wrong = checks.filter(({ state }) => output.machine || state !== 'ok');
    output.list({
      kind: 'CheckList',
      rows: wrong,
      columns: [],
      name: ({ id }) => id,
      meta: { failed: bad, warnings: meh },
    });
  } else {
    output.note(`\n${checks.length} checks: ${bad} failed, ${meh} warning${meh === 1 ? '' : 's'}`);
  }
  return bad === 0 ? EXIT.ok : EXIT.unfinished;
}

const SYMBOL = { ok: '✔', warn: '!', fail: '✘' } as const;

function show({ output }: Context, { id, state, what, why, fix }: Check): void {
  const { paint, terminal } = output;
  if (!terminal.tty) return output.line([state, id, what, why ?? '', fix ?? ''].map(safeLine).join('\t'));
  const tone = { ok: paint.green, warn: paint.yellow, fail: paint.red }[state];
  output.line(`${tone(`${SYMBOL[state]} ${state.padEnd(4)}`)} ${safeLine(what)}`);
  if (why !== null) output.line(`         ${safeLine(why)}`);
  if (fix !== null) output.line(`         ${paint.bold('fix:')} ${safeLine(fix)}`);
}
