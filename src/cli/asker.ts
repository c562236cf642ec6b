/** The model that a purpose is configured with, ready to be asked: with its key, its waits told, its use recorded. */
import { DispatchError } from '../model/error.ts';
import { type ModelPurpose, type ModelUse, type TokenUse } from '../model/model-use.ts';
import { formatDuration } from '../model/time.ts';
import type { Answer, Question } from '../models/ask.ts';
import { modelError } from '../models/failure.ts';
import { usableKey } from '../models/key.ts';
import { recordCall } from '../models/ledger.ts';
import { HOME_CONFIG, loadHomeConfig } from '../spec/load.ts';
import type { Context } from './context.ts';
import { secretVariable } from './environment.ts';
import { problemCounts, problemsText } from './problems.ts';
import { safeLine } from './render/safe-text.ts';

export interface Asker {
  readonly use: ModelUse;
  ask<T>(question: Pick<Question<T>, 'system' | 'messages' | 'schema' | 'signal'>): Promise<Answer<T>>;
}

/** @throws DispatchError E_MODEL_NOT_CONFIGURED, E_MODEL_KEY_MISSING, E_MODEL_KEY, or what is wrong in dispatch.yaml. */
export async function openAsker(
  context: Context,
  home: string,
  purpose: ModelPurpose,
  project: string,
): Promise<Asker> {
  const use = await configured(context, home, purpose);
  const key = keyOf(use);
  const { output } = context;
  return {
    use,
    ask: async (question) => {
      // Loaded late: the SDK is larger than all the rest of the program.
      const { askModel, MOST_TRIES } = await import('../models/ask.ts');
      const began = Date.now();
      const answer = await askModel({
        ...question,
        use,
        key,
        onWait: ({ ms, why, next }) =>
          output.note(
            safeLine(
              `${use.provider}: ${why}; trying again in ${formatDuration(ms)} (${next} of ${MOST_TRIES})`,
            ),
          ),
      });
      await recordCall(home, {
        at: Date.now(),
        ms: Date.now() - began,
        purpose,
        project,
        provider: use.provider,
        model: use.model,
        ...answer.usage,
        outcome: 'failure' in answer ? answer.failure.is : 'ok',
      }).catch((error: unknown) =>
        output.note(
          `the use of tokens could not be recorded: ${error instanceof Error ? error.message : ''}`,
        ),
      );
      return answer;
    },
  };
}

async function configured({ output }: Context, home: string, purpose: ModelPurpose): Promise<ModelUse> {
  const { config, problems } = await loadHomeConfig(home);
  const use = config.models[purpose];
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first !== undefined)
    throw new DispatchError(first.code, `${HOME_CONFIG} cannot be used: ${problemCounts(errors)}`, {
      where: home,
      why: await problemsText(home, errors, output.notePaint),
      fix: 'dispatch validate',
    });
  if (use !== undefined) return use;
  throw new DispatchError('E_MODEL_NOT_CONFIGURED', `no model is configured for ${purpose}`, {
    where: `${home}/${HOME_CONFIG}`,
    fix: `add to it:   models: { ${purpose}: { provider: glm } }   (dispatch help configuration)`,
  });
}

function keyOf(use: ModelUse): string | null {
  if (use.keyEnv === null) return null;
  const found = usableKey(secretVariable(use.keyEnv));
  if ('key' in found) return found.key;
  if (found.failure.is === 'stopped') return null;
  throw modelError(found.failure, use);
}

/** `12,300 tokens in, 2,100 out`; what nobody said is unknown. */
export function tokensText({ input, output }: TokenUse): string {
  const shown = (count: number | null): string => (count === null ? 'unknown' : count.toLocaleString('en'));
  return `${shown(input)} tokens in, ${shown(output)} out`;
}
