/**
 * What a reviewing model has to answer, and what is believed of it. An answer counts as a whole or not at all: one that
 * names lines which are not there, leaves files out, contradicts itself or misses the canary was not made by reading.
 */
import * as z from 'zod';
import { type LookFinding, SEVERITIES } from '../model/second-look.ts';
import type { Part } from './diff.ts';
import { visible } from './hidden.ts';
import { canaryPlace, canaryText, type Nonces } from './prompt.ts';

const line = z.number().int().min(1);

export const reviewAnswer = z.object({
  canary: z.object({ path: z.string(), line }).describe('Where the canary stands.'),
  files: z.array(z.string()).describe('Every path of the data, each once.'),
  findings: z
    .array(
      z.object({
        path: z.string(),
        line,
        side: z.enum(['new', 'old']),
        severity: z.enum(SEVERITIES),
        confidence: z.number().min(0).max(1),
        message: z.string(),
      }),
    )
    .max(50),
  verdict: z.enum(['clean', 'concerns']),
});

export type ReviewAnswer = z.infer<typeof reviewAnswer>;

/** Letters of a finding that are kept. */
const LONGEST_MESSAGE = 600;

/** The findings, or why the answer is not believed: in our words alone, because its own may be those of the data. */
export function believed(
  answer: ReviewAnswer,
  part: Part,
  nonces: Nonces,
): { readonly findings: readonly LookFinding[] } | { readonly wrong: readonly string[] } {
  const files = new Map(part.map((file) => [visible(file.path), file]));
  const wrong = [
    ...canaryProblems(answer, part, nonces),
    ...fileProblems(answer.files, files.keys()),
    ...verdictProblems(answer),
  ];
  const findings = answer.findings.flatMap((found, index): LookFinding[] => {
    const file = files.get(found.path);
    const side = found.side === 'old' ? ['-'] : ['+', '='];
    const stands =
      file?.lines.some(({ kind, line: at }) => at === found.line && side.includes(kind)) === true;
    if (!stands) wrong.push(`finding ${index + 1} names a line that is not in the data`);
    const message = visible(found.message.replaceAll(/\s+/gu, ' ').trim()).slice(0, LONGEST_MESSAGE);
    if (message === '') wrong.push(`finding ${index + 1} says nothing`);
    return file === undefined ? [] : [{ ...found, path: file.path, message, by: 'model' }];
  });
  return wrong.length > 0 ? { wrong } : { findings };
}

function canaryProblems({ canary, findings }: ReviewAnswer, part: Part, nonces: Nonces): string[] {
  const { path, line: at } = canaryPlace(part, nonces);
  if (findings.some(({ message }) => message.includes(canaryText(nonces))))
    return ['the canary is not a finding'];
  return canary.path === visible(path) && canary.line === at
    ? []
    : ['`canary` is not where the canary stands'];
}

function fileProblems(said: readonly string[], shown: Iterable<string>): string[] {
  const wanted = new Set(shown);
  const strange = said.some((path) => !wanted.has(path));
  const missing = [...wanted].some((path) => !said.includes(path));
  return [
    ...(missing ? ['`files` leaves out a file of the data'] : []),
    ...(strange ? ['`files` names one that is not in the data'] : []),
  ];
}

function verdictProblems({ verdict, findings }: ReviewAnswer): string[] {
  const grave = findings.some(({ severity }) => severity === 'critical' || severity === 'major');
  if (verdict === 'clean' && grave) return ['`verdict` is clean and a finding is not'];
  if (verdict === 'concerns' && !grave) return ['`verdict` is concerns and no finding is critical or major'];
  return [];
}
