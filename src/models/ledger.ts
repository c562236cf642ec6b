/**
 * What asking models has cost: one JSON line for each question in `<home>/.dispatch/model-calls.jsonl`, appended in one
 * write, so that verbs that run at the same time do not mix. A controller's events are about tasks; these questions are
 * asked by verbs that need no controller. No prompt, answer or key is kept.
 */
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { homePaths } from '../controller/paths.ts';
import type { ModelUse, TokenUse } from '../model/model-use.ts';

export interface ModelCall extends TokenUse, Pick<ModelUse, 'purpose' | 'provider' | 'model'> {
  /** Wall clock at the end, milliseconds. */
  readonly at: number;
  readonly ms: number;
  readonly project: string;
  /** `ok`, or the failure's name. */
  readonly outcome: string;
}

export async function recordCall(home: string, call: ModelCall): Promise<void> {
  const file = join(homePaths(home).state, 'model-calls.jsonl');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await appendFile(file, `${JSON.stringify(call)}\n`, { mode: 0o600 });
}
