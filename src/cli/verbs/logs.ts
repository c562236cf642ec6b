import { StringDecoder } from 'node:string_decoder';
import type { AgentWord } from '../../report/notes.ts';
import type { Token } from '../../model/ids.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Attempt } from '../../model/attempt.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import { readLog } from '../../node/follow-log.ts';
import { mendLine, stallLine } from '../../report/stalled.ts';
import { stalledOn } from '../../schedule/stalled.ts';
import type { Context } from '../context.ts';
import { wordLines, wordOfAttempt } from '../agent-word.ts';
import { withNodeLink, withNodeSession } from '../node-hand.ts';
import { selectNode } from '../nodes-file.ts';
import { wholeNumber } from '../numbers.ts';
import { interruption } from '../progress/interrupt.ts';
import { safeLine, SafeText } from '../render/safe-text.ts';
import { selectAttempt, selectTask } from '../select.ts';
import { withView } from '../view.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly attempt?: string;
  readonly tail?: string;
  readonly raw?: boolean;
  /** What the agent says of its work, instead of the log. */
  readonly notes?: boolean;
}

/** An attempt's log from its node: a file there, so it is had long after the attempt's window is gone. */
export async function logs(context: Context, typed: string, options: LogsOptions): Promise<ExitCode> {
  const tail = wholeNumber('--tail', options.tail);
  const n = wholeNumber('--attempt', options.attempt);
  return withView(context, async (view) => {
    const task = selectTask(view.state, typed);
    const attempt = selectAttempt(view.state, task, n);
    if (options.notes === true) return showNotes(context, await wordOfAttempt(view, task, attempt), task.key);
    const config = await selectNode(view.home, attempt.node);
    noteStall(context, view.state, attempt);
    const write = writerFor(context, options.raw === true);
    const bytes = await logSoFar(config, attempt.token);
    write(tail === null ? bytes : lastLines(bytes, tail));
    if (options.follow !== true) return EXIT.ok;
    const stop = interruption();
    const abort = new AbortController();
    void stop.asked.then(() => abort.abort());
    const onTrouble = (message: string): void => context.output.note(message);
    await withNodeLink(config, view.state, onTrouble, async (link) => {
      for await (const more of link.followLog(attempt.token, bytes.length, true, abort.signal)) write(more);
    }).finally(stop.forget);
    return EXIT.ok;
  });
}

/** Kept where the events are: no node is asked. */
function showNotes({ output }: Context, word: AgentWord | null, key: string): ExitCode {
  if (output.machine) output.envelope('Notes', word);
  else if (word === null) output.note(`the agent of ${key} has said nothing of its work`);
  else for (const line of wordLines(word)) output.line(line);
  return EXIT.ok;
}

/** Beside the log, so that a pipe gets the log alone. */
function noteStall({ output }: Context, state: State, attempt: Attempt): void {
  const stalled = stalledOn(state, attempt.node).find((one) => one.attempt === attempt);
  if (stalled === undefined) return;
  output.note(safeLine(`${stallLine(stalled)} (dispatch why ${attempt.task})`));
  output.note(safeLine(`fix: ${mendLine(stalled)}`));
}

function logSoFar(config: NodeConfig, token: Token): Promise<Buffer> {
  return withNodeSession(config, async (session) => {
    const parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      const part = readLog(session, token, size, false, undefined);
      for (;;) {
        const { done, value } = await part.next();
        if (done === true) {
          if (value === 'ended') return Buffer.concat(parts);
          break;
        }
        parts.push(value);
        size += value.length;
      }
    }
  });
}

/** The last `lines` lines; an unfinished one at the end counts. */
function lastLines(bytes: Buffer, lines: number): Buffer {
  if (lines === 0) return Buffer.alloc(0);
  let at = bytes.length;
  if (bytes[at - 1] === 0x0a) at -= 1;
  for (let left = lines; left > 0; left -= 1) {
    at = bytes.lastIndexOf(0x0a, at - 1);
    if (at <= 0) return at === 0 && left === 1 ? bytes.subarray(1) : bytes;
  }
  return bytes.subarray(at + 1);
}

/** An agent's output is hostile to a terminal: without --raw nothing but text comes through. */
function writerFor({ output }: Context, raw: boolean): (bytes: Buffer) => void {
  if (raw) return (bytes) => void process.stdout.write(bytes);
  const decoder = new StringDecoder('utf8');
  const safe = new SafeText();
  const text = (bytes: Buffer): string => safe.push(decoder.write(bytes));
  if (output.format !== 'ndjson') return (bytes) => output.write(text(bytes));
  let rest = '';
  return (bytes) => {
    const lines = (rest + text(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) output.event('Log', { line });
  };
}
