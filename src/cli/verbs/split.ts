/** Turns directions into specs with a model's help, and puts what is valid into specs/<project>/pending/. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DispatchError } from '../../model/error.ts';
import { EXIT } from '../../model/exit.ts';
import { addTokens, NO_TOKENS } from '../../model/model-use.ts';
import type { TaskSpec } from '../../model/spec.ts';
import { modelError } from '../../models/failure.ts';
import { planMarkdown } from '../../plan/markdown.ts';
import { buildPlan, type Plan } from '../../plan/plan.ts';
import type { ParsedSpec } from '../../spec/parse-spec.ts';
import { type SplitAnswer, splitAnswer } from '../../split/answer.ts';
import { type Direction, directionsOf } from '../../split/directions.ts';
import { fillPrompt, SYSTEM } from '../../split/prompt.ts';
import { splitDirection, type SplitResult } from '../../split/rounds.ts';
import type { Context } from '../context.ts';
import { searchUpwards } from '../home.ts';
import { exitOfSignal, type Interrupt, interruption } from '../progress/interrupt.ts';
import { safeLine } from '../render/safe-text.ts';
import { type Asker, openAsker } from '../asker.ts';
import { type Material, promptTemplate, splitMaterial } from '../split/material.ts';
import { type Done, showSplit, titleIn } from '../split/show.ts';
import { writePending } from '../split/write.ts';

export interface SplitOptions {
  readonly file?: string;
  readonly only?: string;
  readonly dryRun?: boolean;
  readonly printPrompt?: boolean;
}

/** @throws DispatchError what keeps a direction from becoming specs; those before it are in pending/ then. */
export async function split(
  context: Context,
  project: string | undefined,
  words: readonly string[],
  options: SplitOptions,
): Promise<number> {
  if (project === undefined) {
    if (options.printPrompt !== true)
      throw new DispatchError('E_USAGE', 'no project is named', {
        fix: 'dispatch split web "what you want"',
      });
    const { environment, settings, output } = context;
    output.write(await promptTemplate(context, settings.home?.path ?? searchUpwards(environment.cwd)));
    return EXIT.ok;
  }
  const home = context.home();
  const directions = await directionsToSplit(context, words, options);
  const material = await splitMaterial(context, home, project);
  if (options.printPrompt === true) {
    for (const { text } of directions) context.output.line(filled(material, text, []));
    return EXIT.ok;
  }
  const asker = await openAsker(context, home, 'split', project);
  const stop = interruption();
  const abort = new AbortController();
  let signal: Interrupt | null = null;
  void stop.asked.then((asked) => {
    signal = asked;
    abort.abort();
  });
  try {
    const done = await splitAll(context, { material, asker, directions, signal: abort.signal });
    if (signal !== null) {
      context.output.note('stopped; nothing was written');
      return exitOfSignal(signal);
    }
    return await conclude(context, { home, project, material, asker, directions, done, options });
  } finally {
    stop.forget();
  }
}

async function directionsToSplit(
  { environment }: Context,
  words: readonly string[],
  { file, only }: SplitOptions,
): Promise<Direction[]> {
  const typed = words.join(' ').trim();
  if ((typed === '') === (file === undefined))
    throw new DispatchError(
      'E_USAGE',
      typed === '' ? 'no direction is given' : 'a direction and a file are given',
      {
        fix: 'dispatch split web "what you want", or dispatch split web --file inputs/directions/2026-02-12.md',
      },
    );
  const all =
    file === undefined
      ? [{ number: 1, title: typed.split('\n')[0] ?? '', text: typed }]
      : directionsOf(await textOf(resolve(environment.cwd, file)));
  const numbers = only === undefined ? null : new Set(only.split(',').map(Number));
  const wanted = all.filter(({ number }) => numbers === null || numbers.has(number));
  if (wanted.length > 0 && (numbers === null || wanted.length === numbers.size)) return wanted;
  throw new DispatchError(
    'E_USAGE',
    only === undefined ? 'the file has no direction' : `there is no direction ${only}`,
    {
      where: file ?? 'the command line',
      why: `${all.length} found: one for each ## section, else one for each top-level item, else the whole text`,
      fix:
        only === undefined
          ? 'write what you want into it'
          : `--only takes numbers from 1 to ${all.length}: --only 2,3`,
    },
  );
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DispatchError('E_USAGE', 'the file of directions cannot be read', { where: file, why });
  }
}

function filled(material: Material, direction: string, added: readonly TaskSpec[]): string {
  const open = [...material.open, ...added.map((spec) => ({ spec, merged: false }))];
  return fillPrompt(material.template, { ...material, open, direction });
}

interface Work {
  readonly material: Material;
  readonly asker: Asker;
  readonly directions: readonly Direction[];
  readonly signal: AbortSignal;
}

/** One after the other, since each has to know what the ones before it became. Ends at the first that fails. */
async function splitAll(context: Context, { material, asker, directions, signal }: Work): Promise<Done[]> {
  const { output } = context;
  const { config, budgetTokens, basePaths } = material;
  const open = material.open.flatMap(({ spec, merged }) => (merged ? [] : [spec]));
  const added: TaskSpec[] = [];
  const there: ParsedSpec[] = [...material.there];
  const done: Done[] = [];
  for (const direction of directions) {
    output.note(
      `direction ${direction.number}: ${titleIn(80, direction)} (asking ${safeLine(asker.use.model)})`,
    );
    const result: SplitResult = await splitDirection({
      direction: direction.text,
      prompt: filled(material, direction.text, added),
      standing: { config, budgetTokens, there, open: [...open, ...added], basePaths },
      ask: (messages) => asker.ask<SplitAnswer>({ system: SYSTEM, messages, schema: splitAnswer, signal }),
      onRound: (round, problems) =>
        output.note(
          `  round ${round}: ${problems} problem${problems === 1 ? '' : 's'} went back to the model`,
        ),
    });
    done.push({ direction, result });
    added.push(...(result.judged?.good ?? []).map(({ spec }) => spec));
    there.push(...(result.judged?.good ?? []).map(asParsed));
    if (result.failure !== null) break;
  }
  return done;
}

/** A spec that was judged good, as the next direction's specs are held against it. */
function asParsed({ spec, text }: { readonly spec: TaskSpec; readonly text: string }): ParsedSpec {
  const at = { line: 1, col: 1 };
  const placed = (list: readonly string[]) => list.map((one) => ({ text: one, at }));
  return {
    file: spec.file,
    text,
    spec,
    id: { text: spec.id, at },
    dependsOn: placed(spec.dependsOn),
    modifies: placed(spec.modifies),
    expands: placed(spec.expands),
    problems: [],
  };
}

interface Outcome extends Omit<Work, 'signal'> {
  readonly home: string;
  readonly project: string;
  readonly done: readonly Done[];
  readonly options: SplitOptions;
}

async function conclude(context: Context, outcome: Outcome): Promise<number> {
  const { home, project, material, asker, done, options } = outcome;
  const good = done.flatMap(({ result }) => result.judged?.good ?? []);
  const plan = planOf(
    material,
    good.map(({ spec }) => spec),
  );
  const writes = options.dryRun !== true && good.length > 0;
  if (writes) await writePending(home, project, good, planMarkdown(plan));
  const usage = done.reduce((sum, { result }) => addTokens(sum, result.usage), NO_TOKENS);
  await showSplit(context, {
    home,
    project,
    done,
    plan,
    usage,
    written: writes,
    dryRun: options.dryRun === true,
  });
  const last = done.at(-1);
  const failure = last?.result.failure ?? null;
  if (last !== undefined && failure !== null && failure.is !== 'stopped')
    throw failed(modelError(failure, asker.use), outcome, last.direction);
  const empty = done.find(({ result }) => (result.judged?.good ?? []).length === 0);
  if (empty !== undefined)
    throw new DispatchError('E_SPLIT_NOTHING', `no usable spec came of direction ${empty.direction.number}`, {
      where: `specs/${project}`,
      fix: 'say it more exactly, name the files it is about, or name a stronger model in dispatch.yaml',
    });
  return done.some(({ result }) => (result.judged?.bad ?? []).length > 0) ? EXIT.unfinished : EXIT.ok;
}

/** Of the new specs and what is open beside them, so that locks between the two are seen. */
function planOf({ config, open }: Material, specs: readonly TaskSpec[]): Plan {
  return buildPlan(config, [...open.flatMap(({ spec, merged }) => (merged ? [] : [spec])), ...specs]);
}

/** The failure of one of several directions, with what to type for it and those after it. */
function failed(
  error: DispatchError,
  { directions, project, options }: Outcome,
  at: Direction,
): DispatchError {
  const rest = directions.slice(directions.indexOf(at)).map(({ number }) => number);
  if (directions.length === 1 || options.file === undefined) return error;
  const again = `dispatch split ${project} --file ${options.file} --only ${rest.join(',')}`;
  return new DispatchError(error.code, `direction ${at.number}: ${error.message}`, {
    ...(error.where === undefined ? {} : { where: error.where }),
    ...(error.why === undefined ? {} : { why: error.why }),
    fix: `${error.fix ?? ''}; then ${again}`,
  });
}
