/** What a split came to, for a person and for a program. */
import type { Problem } from '../../model/error.ts';
import type { TokenUse } from '../../model/model-use.ts';
import { planMarkdown } from '../../plan/markdown.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Direction } from '../../split/directions.ts';
import type { SplitResult } from '../../split/rounds.ts';
import type { Context } from '../context.ts';
import { problemCounts, problemsText } from '../problems.ts';
import { safeLine, safeText } from '../render/safe-text.ts';
import { planJson, showPlan } from '../verbs/plan.ts';
import { tokensText } from '../asker.ts';

export interface Done {
  readonly direction: Direction;
  readonly result: SplitResult;
}

export interface Shown {
  readonly home: string;
  readonly project: string;
  readonly done: readonly Done[];
  readonly plan: Plan;
  readonly usage: TokenUse;
  readonly written: boolean;
  readonly dryRun: boolean;
}

export async function showSplit(context: Context, shown: Shown): Promise<void> {
  const { output } = context;
  const { done, usage, written, plan, project } = shown;
  if (output.format === 'json') {
    const directions = done.map(({ direction, result }) => directionJson(direction, result));
    output.envelope('Split', { project, written, directions, usage, plan: planJson(plan) });
    return;
  }
  if (output.format === 'ndjson') {
    for (const { direction, result } of done) output.event('Direction', directionJson(direction, result));
    return;
  }
  const good = done.flatMap(({ result }) => result.judged?.good ?? []);
  if (output.format === 'name') {
    for (const { spec } of good) output.line(spec.id);
    return;
  }
  if (shown.dryRun) for (const { spec, text } of good) output.line(safeText(`===== ${spec.file}\n${text}`));
  if (good.length > 0) {
    // The whole of it lies beside the specs once they are written.
    if (output.terminal.tty || written) showPlan(context, plan);
    else output.write(safeText(planMarkdown(plan)));
  }
  for (const one of done) await showRest(context, shown.home, one);
  output.note(`\n${tokensText(usage)}`);
  if (written)
    output.note(
      `${good.length} spec${good.length === 1 ? '' : 's'} in specs/${project}/pending/, with their plan in its README.md\nNext: look at them, then dispatch feed ${project}`,
    );
  else if (shown.dryRun) output.note('nothing was written (--dry-run)');
}

/** The direction's first line, within so many characters. */
export function titleIn(most: number, { title }: Direction): string {
  const characters = Array.from(safeLine(title));
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`;
}

/** What remains wrong after the last round, and the specs that were not used for it. */
async function showRest({ output }: Context, home: string, { direction, result }: Done): Promise<void> {
  const { judged, rounds } = result;
  if (judged === null) return;
  const { bad, good, problems } = judged;
  const told = problems.filter(({ severity, code }) => severity === 'error' || code.startsWith('E_SPLIT_'));
  if (told.length === 0) return;
  const texts = new Map([
    ...bad.map(({ file, text }) => [file, text] as const),
    ...good.map(({ spec, text }) => [spec.file, text] as const),
  ]);
  const title = titleIn(60, direction);
  output.line(`\ndirection ${direction.number} (${title}): ${problemCounts(told)} after ${rounds} rounds\n`);
  output.write(await problemsText(home, told, output.paint, texts));
  for (const { file, text } of bad) output.line(safeText(`\n===== not used: ${file}\n${text}`));
}

function directionJson(direction: Direction, { judged, rounds, usage, failure }: SplitResult): unknown {
  return {
    number: direction.number,
    title: direction.title,
    rounds,
    usage,
    specs: (judged?.good ?? []).map(({ spec, text }) => ({ ...spec, text })),
    rejected: judged?.bad ?? [],
    problems: (judged?.problems ?? []) satisfies readonly Problem[],
    failure: failure?.is ?? null,
  };
}
