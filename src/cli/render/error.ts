import { DispatchError } from '../../model/error.ts';
import { codeEntry } from '../../model/codes/index.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Paint } from './colour.ts';
import { safeText } from './safe-text.ts';
import { GitError } from '../../git/run.ts';
import { systemError } from '../../model/system-error.ts';

/** What a person reads: what happened, where, why, and what to type. Each line only when there is something to say. */
export function renderError(error: DispatchError, paint: Paint): string {
  const lines = [`${paint.red(paint.bold(`error[${error.code}]`))} ${safeText(error.message)}`];
  const say = (label: string, text: string | undefined): void => {
    if (text === undefined || text === '') return;
    const [first = '', ...more] = safeText(text).trimEnd().split('\n');
    lines.push(`  ${paint.bold(`${label}:`)} ${first}`, ...more.map((line) => `    ${line}`));
  };
  say('where', error.where);
  say('why', error.why);
  say('fix', error.fix);
  return `${lines.join('\n')}\n`;
}

/** The same for a program; goes to stderr like every error, so that stdout is data or nothing. */
export function errorEnvelope(error: DispatchError): string {
  const { code, where, why, fix } = error;
  const body = { code, what: error.message, where, why, fix, exit: exitOf(error) };
  return `${JSON.stringify({ schema: 'dispatch/v1', kind: 'Error', data: body })}\n`;
}

export function exitOf(error: DispatchError): ExitCode {
  return codeEntry(error.code)?.exit ?? EXIT.internal;
}

/** Any thrown thing as an error that a person can read; what the system refused has a name, a defect of ours keeps its stack as the reason. */
export function asDispatchError(thrown: unknown): DispatchError {
  if (thrown instanceof DispatchError) return thrown;
  if (thrown instanceof GitError)
    return new DispatchError('E_GIT_FAILED', thrown.message, {
      fix: 'run the same command again',
      cause: thrown,
    });
  const refused = systemError(thrown);
  if (refused !== null) return refused;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new DispatchError('E_INTERNAL', error.message, {
    why: error.stack ?? error.message,
    fix: 'run the same command again; if it repeats, report this text',
    cause: thrown,
  });
}
