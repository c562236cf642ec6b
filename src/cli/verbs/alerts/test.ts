/** Sends a test to sinks, from this process: no controller is needed, and none is told. */
import { basename } from 'node:path';
import { testMessage } from '../../../alerts/message.ts';
import { sendTo } from '../../../alerts/sinks/send.ts';
import { DispatchError } from '../../../model/error.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import type { SinkConfig } from '../../../spec/alert-settings.ts';
import { ALERTS_CONFIG, loadAlerts } from '../../../spec/load.ts';
import { nearest } from '../../../spec/nearest.ts';
import type { Context } from '../../context.ts';
import { secretVariable } from '../../environment.ts';
import { safeLine } from '../../render/safe-text.ts';

interface Tried {
  readonly sink: string;
  readonly kind: SinkConfig['kind'];
  readonly taken: boolean;
  /** Why not, and what mends it. */
  readonly reason: string | null;
  readonly fix: string | null;
}

/** @returns unfinished when a sink did not take it. @throws DispatchError for a sink that there is not. */
export async function test(context: Context, names: readonly string[]): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const { settings, problems } = await loadAlerts(home);
  const [problem] = problems;
  if (problem !== undefined) {
    const { code, message, line, col, fix } = problem;
    const where = `${ALERTS_CONFIG}:${line}:${col}`;
    throw new DispatchError(code, message, { where, ...(fix === undefined ? {} : { fix }) });
  }
  const sinks = names.length === 0 ? settings.sinks : names.map((name) => named(name, settings.sinks));
  const rows = await Promise.all(sinks.map((sink) => tried(context, home, sink)));
  output.list<Tried>({
    kind: 'SinkTestList',
    rows,
    name: ({ sink }) => sink,
    columns: [
      { title: 'sink', value: ({ sink }) => sink },
      { title: 'kind', value: ({ kind }) => kind },
      { title: 'is', value: ({ taken }) => (taken ? 'ok' : 'FAILS') },
      { title: 'reason', value: ({ reason, fix }) => [reason ?? '', fix ?? ''].filter(Boolean).join('; ') },
    ],
    empty: 'alerts.yaml names no sink',
  });
  return rows.every(({ taken }) => taken) ? EXIT.ok : EXIT.unfinished;
}

function named(name: string, sinks: readonly SinkConfig[]): SinkConfig {
  const found = sinks.find((sink) => sink.name === name);
  if (found !== undefined) return found;
  const names = sinks.map((sink) => sink.name);
  const near = nearest(name, names);
  throw new DispatchError('E_NOT_FOUND', `no sink ${JSON.stringify(name)}`, {
    where: ALERTS_CONFIG,
    fix: near === null ? `one of ${names.join(', ')}` : `did you mean ${JSON.stringify(near)}?`,
  });
}

async function tried({ output }: Context, home: string, sink: SinkConfig): Promise<Tried> {
  const now = (): number => Date.now();
  const hands = {
    home,
    variable: secretVariable,
    platform: process.platform,
    now,
    show: ({ title, text }: { title: string; text: string }) => output.note(safeLine(`${title}: ${text}`)),
  };
  const common = { sink: sink.name, kind: sink.kind };
  try {
    await sendTo(sink, testMessage(sink.name, basename(home), now()), hands);
    return { ...common, taken: true, reason: null, fix: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fix = error instanceof DispatchError ? (error.fix ?? null) : null;
    return { ...common, taken: false, reason, fix };
  }
}
