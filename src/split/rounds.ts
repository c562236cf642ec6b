/** One direction: asks, judges, tells the model what is wrong, and asks again; three times at most. */
import { addTokens, NO_TOKENS, type TokenUse } from '../model/model-use.ts';
import type { Problem } from '../model/error.ts';
import type { Answer, Message } from '../models/ask.ts';
import type { ModelFailure } from '../models/failure.ts';
import { isChinese, type SplitAnswer } from './answer.ts';
import { judge, type Judged, type Standing, worthTelling } from './judge.ts';

export interface SplitRounds {
  readonly prompt: string;
  readonly direction: string;
  readonly standing: Standing;
  /** Asks the model with the conversation so far. */
  readonly ask: (messages: readonly Message[]) => Promise<Answer<SplitAnswer>>;
  /** Told before each round after the first: how much there was to mend. */
  readonly onRound?: (round: number, problems: number) => void;
}

export interface SplitResult {
  /** The best answer; null: none could be judged, and there is a failure. */
  readonly judged: Judged | null;
  /** Why there is nothing to use. */
  readonly failure: ModelFailure | null;
  readonly usage: TokenUse;
  readonly rounds: number;
}

export const MOST_ROUNDS = 3;
/** Problems told at once; the rest shows in the next round. */
const TOLD = 40;

/** The best of up to three answers. A failure after an answer that can be used does not lose that answer. */
export async function splitDirection(work: SplitRounds): Promise<SplitResult> {
  const { standing } = work;
  const chinese = isChinese(work.direction);
  const messages: Message[] = [{ role: 'user', content: work.prompt }];
  let usage = NO_TOKENS;
  let best: Judged | null = null;
  let failure: ModelFailure | null = null;
  let round = 0;
  while (round < MOST_ROUNDS) {
    round++;
    const answer = await work.ask(messages);
    usage = addTokens(usage, answer.usage);
    failure = 'failure' in answer ? answer.failure : null;
    if (failure !== null && failure.is !== 'answer') break;
    const judged = 'value' in answer ? judge(answer.value.specs, standing, chinese) : null;
    if (judged !== null && (best === null || better(judged, best))) best = judged;
    const wrong = judged?.problems.filter(worthTelling) ?? [];
    const said = failure?.said ?? null;
    if (said === null && wrong.length === 0) break;
    if (round === MOST_ROUNDS) break;
    work.onRound?.(round + 1, said === null ? wrong.length : 1);
    const text = 'text' in answer ? answer.text : (failure?.text ?? '');
    messages.push(
      { role: 'assistant', content: text.trim() === '' ? '(nothing)' : text },
      { role: 'user', content: complaint(said, wrong) },
    );
  }
  const useless = best === null || best.good.length === 0 || failure?.is === 'stopped';
  return { judged: best, failure: useless ? failure : null, usage, rounds: round };
}

/** More that can be used, then fewer that cannot, then less that is worth telling; the later one when all is equal. */
function better(a: Judged, b: Judged): boolean {
  const order =
    b.good.length - a.good.length ||
    a.bad.length - b.bad.length ||
    a.problems.filter(worthTelling).length - b.problems.filter(worthTelling).length;
  return order <= 0;
}

function complaint(said: string | null, problems: readonly Problem[]): string {
  const lines =
    said === null ? problems.slice(0, TOLD).map(problemLine) : [`- Your answer cannot be read: ${said}`];
  const more = problems.length > TOLD ? [`- and ${problems.length - TOLD} more`] : [];
  return [
    'Your specs were checked as every spec is. These problems have to go:',
    ...lines,
    ...more,
    '',
    'Answer with the whole JSON object again: all specs, those that were right unchanged.',
  ].join('\n');
}

function problemLine({ file, message, expected, fix }: Problem): string {
  const name = file.split('/').at(-1)?.replace(/\.md$/, '') ?? file;
  const more = [expected === undefined ? '' : `expected ${expected}`, fix ?? ''].filter(
    (text) => text !== '',
  );
  return `- ${name}: ${message}${more.length === 0 ? '' : ` (${more.join('; ')})`}`;
}
