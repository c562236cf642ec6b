import type { ExitCode } from '../../../model/exit.ts';
import type { Context } from '../../context.ts';
import { commandEach } from '../../order.ts';

/** A person knows of these alerts. */
export async function ack(context: Context, keys: readonly string[]): Promise<ExitCode> {
  const by = context.environment.user;
  return commandEach(
    context,
    'acknowledged',
    keys.map((key) => [key, { verb: 'ack', key, by }] as const),
  );
}
