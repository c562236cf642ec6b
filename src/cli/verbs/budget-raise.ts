/**
 * Raises a bound where it is written, so that the files stay the one place that says what may be spent; comments and order
 * of the file are kept. A controller that runs takes the change up.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { homePaths } from '../../controller/paths.ts';
import { aboutController, handToController } from '../../controller/socket.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import { amountText } from '../../report/budget-text.ts';
import { HOME_CONFIG, listProjects } from '../../spec/load.ts';
import { awaitController } from '../ordering-controller.ts';
import type { Context } from '../context.ts';
import { viewOrNull } from '../view.ts';

export interface RaiseOptions {
  readonly all?: boolean;
  readonly credential?: string;
  readonly day?: boolean;
  readonly total?: boolean;
  readonly task?: boolean;
  readonly usd?: string;
  readonly tokens?: string;
}

const SPANS = ['day', 'total', 'task'] as const;
type Span = (typeof SPANS)[number];
const EXAMPLE = 'dispatch budget raise web --day --usd 30   (or --usd +10)';

export async function raiseBudget(
  context: Context,
  project: string | undefined,
  options: RaiseOptions,
): Promise<ExitCode> {
  const home = context.home();
  const place = await placeOf(home, project, options);
  const { unit, text: said } = amountOf(options);
  const file = join(home, place.file);
  const before = await readFile(file, 'utf8').catch(() => {
    throw new DispatchError('E_NOT_FOUND', `there is no ${place.file}`, { where: home });
  });
  const document = parseDocument(before);
  if (document.errors.length > 0 || !isMap(document.contents))
    throw new DispatchError('E_SPEC_SYNTAX', `${place.file} cannot be read`, { fix: 'dispatch validate' });
  const boundAt = (span: string): number | null => {
    const value = document.getIn([...place.path, span, unit]);
    return typeof value === 'number' ? value : null;
  };
  const span = spanOf(options, boundAt, place.file, unit);
  const from = boundAt(span) ?? 0;
  const to = said.startsWith('+') ? from + numberOf(said.slice(1), unit) : numberOf(said, unit);
  if (to <= from)
    throw new DispatchError('E_USAGE', `${amountText(to, unit)} is not more than ${amountText(from, unit)}`, {
      where: place.file,
      fix: `give more; to lower it, edit ${place.file}`,
    });
  document.setIn([...place.path, span, unit], to);
  await replace(file, document.toString({ lineWidth: 0 }));
  const told = await tell(context, home, place.project);
  const { output } = context;
  if (output.machine) output.envelope('BudgetRaised', { file: place.file, span, unit, from, to, told });
  else output.line(`${place.file}: ${span} is ${amountText(to, unit)} now, ${amountText(from, unit)} before`);
  return EXIT.ok;
}

interface Place {
  /** Relative to the home. */
  readonly file: string;
  readonly path: readonly string[];
  readonly project: ProjectName | null;
}

async function placeOf(
  home: string,
  typed: string | undefined,
  { all = false, credential, task = false }: RaiseOptions,
): Promise<Place> {
  if ([typed !== undefined, all, credential !== undefined].filter(Boolean).length !== 1)
    throw new DispatchError('E_USAGE', 'name one budget: a project, --all, or --credential <name>', {
      fix: EXAMPLE,
    });
  if (task && typed === undefined)
    throw new DispatchError('E_USAGE', 'what each task may use is set by its project', {
      fix: 'dispatch budget raise web --task --usd 10',
    });
  if (all) return { file: HOME_CONFIG, path: ['budget'], project: null };
  if (credential !== undefined)
    return { file: HOME_CONFIG, path: ['budget', 'credentials', credential], project: null };
  const project = (await listProjects(home)).find((name) => name === typed);
  if (project === undefined)
    throw new DispatchError('E_NOT_FOUND', `no project ${JSON.stringify(typed)}`, {
      where: `${home}/specs`,
      fix: 'dispatch budget',
    });
  return { file: `specs/${project}/project.yaml`, path: ['budget'], project };
}

function amountOf({ usd, tokens }: RaiseOptions): { unit: 'usd' | 'tokens'; text: string } {
  if (usd !== undefined && tokens === undefined) return { unit: 'usd', text: usd };
  if (tokens !== undefined && usd === undefined) return { unit: 'tokens', text: tokens };
  throw new DispatchError('E_USAGE', 'say how much: --usd or --tokens', { fix: EXAMPLE });
}

function spanOf(
  options: RaiseOptions,
  boundAt: (span: string) => number | null,
  file: string,
  unit: string,
): Span {
  const asked = SPANS.filter((span) => options[span] === true);
  const known = (asked.length > 0 ? asked : SPANS).filter((span) => boundAt(span) !== null);
  const [first] = known;
  if (first !== undefined && known.length === 1 && asked.length < 2) return first;
  if (first === undefined)
    throw new DispatchError('E_USAGE', `${file} has no such bound: what is not bounded need not be raised`, {
      fix: `dispatch budget   (a new bound: budget: { ${asked[0] ?? 'day'}: { ${unit}: … } } in ${file})`,
    });
  throw new DispatchError('E_USAGE', `there are ${known.length} bounds: ${known.join(', ')}`, {
    where: file,
    fix: `name one: ${known.map((span) => `--${span}`).join(' or ')}`,
  });
}

function numberOf(text: string, unit: 'usd' | 'tokens'): number {
  const amount = Number(text);
  const isGood = Number.isFinite(amount) && amount > 0 && (unit === 'usd' || Number.isInteger(amount));
  if (/^\d/.test(text) && isGood) return amount;
  throw new DispatchError('E_USAGE', `${JSON.stringify(text)} is not a number of ${unit}`, { fix: EXAMPLE });
}

/** At once: a controller that reads meanwhile sees the old file or the new one. */
async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  const mode = (await stat(file)).mode & 0o777;
  await writeFile(draft, text, { mode });
  await rename(draft, file);
}

/** Whoever keeps the home watches its files; who runs projects alone is told. @returns whether somebody goes on with it. */
async function tell(context: Context, home: string, project: ProjectName | null): Promise<boolean> {
  await awaitController(context, home);
  const { socket } = homePaths(home);
  const about = await aboutController(socket);
  if (about === null) return false;
  if (about.kind === 'serve') return true;
  const started = await viewOrNull(context, async ({ state }) =>
    [...state.projects.values()].flatMap((one) => (one.started ? one.name : [])),
  );
  const asked = project === null ? (started ?? []) : [project];
  const replies = await Promise.all(
    asked.map((name) => handToController(socket, { project: name }).catch(() => null)),
  );
  return replies.some((reply) => reply?.ok === true);
}
