import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { loadSimulator } from '../simulator.ts';

export interface SimOptions {
  readonly seeds?: string;
  readonly seed?: string;
  readonly from?: string;
  readonly only?: string;
}

const SEEDS = 1000;
/** First seeds are drawn below this, so that they can be read and typed. */
const FRESH_BELOW = 1_000_000_000;

/** Runs the scheduler, the store and the protocol of attempts through simulated days, and says what did not hold. */
export async function sim({ output }: Context, options: SimOptions): Promise<ExitCode> {
  const { seed, seeds, from } = askedOf(options);
  const simulator = await loadSimulator();
  if (seed !== null) {
    const { only } = options;
    const { text, ...result } = await simulator.one({ seed, ...(only === undefined ? {} : { only }) });
    if (output.machine) output.envelope('SimulatedSeed', result);
    else output.line(`commit ${result.commit}\n${text}`);
    if (result.missed.length > 0)
      output.note(`never came up, so this is not the run that named it: ${result.missed.join(', ')}`);
    return result.violations.length === 0 ? EXIT.ok : EXIT.internal;
  }
  output.note(
    `${seeds} seeds from ${from} on; the same ones again: dispatch sim --seeds ${seeds} --from ${from}`,
  );
  const { text, ...result } = await simulator.many({ from, seeds });
  if (output.machine) output.envelope('SimulatedSeeds', result);
  else output.line(text);
  return result.failed.length + result.never.length === 0 ? EXIT.ok : EXIT.internal;
}

/** What is to be run. @throws DispatchError E_USAGE. */
export function askedOf(options: SimOptions): { seed: number | null; seeds: number; from: number } {
  const seed = wholeOf('--seed', options.seed);
  const seeds = wholeOf('--seeds', options.seeds) ?? SEEDS;
  const from = wholeOf('--from', options.from) ?? Math.floor(Math.random() * FRESH_BELOW);
  if (options.only !== undefined && seed === null)
    throw new DispatchError('E_USAGE', '--only names faults of one seed', { fix: 'add --seed <seed>' });
  return { seed, seeds, from };
}

function wholeOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const figure = Number(text);
  if (/^\d+$/u.test(text) && Number.isSafeInteger(figure)) return figure;
  throw new DispatchError('E_USAGE', `${option} takes a whole number`, { why: `it was given ${text}` });
}
