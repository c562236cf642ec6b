/** A second look at one merge: our own rules first, then the model on each part, and what both come to. */
import type { CommitId } from '../model/ids.ts';
import { addTokens, NO_TOKENS, type TokenUse } from '../model/model-use.ts';
import {
  isGrave,
  type LookFinding,
  type LookRules,
  type SecondLook,
  SEVERITIES,
} from '../model/second-look.ts';
import type { TaskSpec } from '../model/spec.ts';
import type { Answer, Message } from '../models/ask.ts';
import type { ModelFailure } from '../models/failure.ts';
import { believed, type ReviewAnswer } from './answer.ts';
import { type FileDiff, type Part, partsOf } from './diff.ts';
import { type Nonces, reviewPrompt, systemPrompt } from './prompt.ts';
import { steeringIn } from './steering.ts';

export interface LookWork {
  readonly spec: TaskSpec;
  readonly specText: string;
  readonly commit: CommitId;
  readonly files: readonly FileDiff[];
  readonly rules: LookRules;
  /** `provider/model`. */
  readonly by: string;
  /** New ones each time, and none that stands in the data. */
  readonly nonces: () => Nonces;
  readonly ask: (system: string, messages: readonly Message[]) => Promise<Answer<ReviewAnswer>>;
}

/** `failure`: nobody could be asked, and nothing is known. */
export type LookResult = { readonly usage: TokenUse } & (
  | { readonly look: SecondLook }
  | { readonly failure: ModelFailure }
);

/** Answers that are asked for on one part, until one is believed. */
export const MOST_ANSWERS = 2;
/** Findings that are kept of one look. */
const MOST_FINDINGS = 60;

/** An answer that nobody believes is not left out: a person is asked instead. */
export async function lookAt(work: LookWork): Promise<LookResult> {
  const { spec, files, rules, by, commit } = work;
  const { parts, unseen } = partsOf(files);
  const findings: LookFinding[] = steeringIn(files);
  let usage = NO_TOKENS;
  let refused: string | null = null;
  for (const [index, part] of parts.entries()) {
    const asked = await askAbout(work, part, {
      number: index + 1,
      of: parts.length,
      unseen: unseen.map(({ path }) => path),
    });
    usage = addTokens(usage, asked.usage);
    if ('failure' in asked) return { failure: asked.failure, usage };
    if ('refused' in asked) refused ??= asked.refused;
    else findings.push(...asked.findings);
  }
  const kept = findings.toSorted(byGravity).slice(0, MOST_FINDINGS);
  // What must always be looked at, and could not be, is a person's.
  const unread = unseen.length > 0 && (spec.priority === 0 || parts.length === 0);
  const asks = refused !== null || unread || kept.some((finding) => isGrave(finding, rules));
  return { look: { by, commit, findings: kept, unseen, refused, asks }, usage };
}

type Asked = { readonly usage: TokenUse } & (
  | { readonly findings: readonly LookFinding[] }
  | { readonly refused: string }
  | { readonly failure: ModelFailure }
);

async function askAbout(
  work: LookWork,
  part: Part,
  place: { readonly number: number; readonly of: number; readonly unseen: readonly string[] },
): Promise<Asked> {
  let usage = NO_TOKENS;
  let wrong: readonly string[] = [];
  for (let tries = 0; tries < MOST_ANSWERS; tries++) {
    // Each question begins anew: what was answered before may be the data's own words.
    const nonces = work.nonces();
    const prompt = reviewPrompt({ spec: work.spec, specText: work.specText, part, ...place }, nonces);
    const answer = await work.ask(systemPrompt(nonces), [
      { role: 'user', content: prompt + complaint(wrong) },
    ]);
    usage = addTokens(usage, answer.usage);
    if ('failure' in answer) {
      if (answer.failure.is !== 'answer' && answer.failure.is !== 'refusal')
        return { failure: answer.failure, usage };
      wrong = [
        answer.failure.is === 'refusal'
          ? 'the model declines'
          : 'the answer has not the form that was asked for',
      ];
      continue;
    }
    const said = believed(answer.value, part, nonces);
    if ('findings' in said) return { findings: said.findings, usage };
    wrong = said.wrong;
  }
  return { refused: wrong.slice(0, 3).join('; '), usage };
}

/** In our own words and without the model's: its answer may be what the data wanted it to say. */
function complaint(wrong: readonly string[]): string {
  return wrong.length === 0 ? '' : `\n\nAn answer before this was not used: ${wrong.slice(0, 5).join('; ')}.`;
}

function byGravity(a: LookFinding, b: LookFinding): number {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.confidence - a.confidence;
}
