import { spawn } from 'node:child_process';
import { quote } from '../../../task-wrapper/quote.ts';
import { assertNever } from '../../model/assert.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT } from '../../model/exit.ts';
import type { Attempt } from '../../model/attempt.ts';
import type { NodeConfig } from '../../model/spec.ts';
import { stallText } from '../../model/stall.ts';
import type { Replies } from '../../protocol/messages.ts';
import { targetArguments } from '../../transport/ssh-settings.ts';
import type { Context } from '../context.ts';
import { terminalVariables } from '../environment.ts';
import { withNodeSession } from '../node-hand.ts';
import { selectNode } from '../nodes-file.ts';
import { giveAll } from '../order.ts';
import { safeLine } from '../render/safe-text.ts';
import { selectAttempt, selectTask } from '../select.ts';
import { withView } from '../view.ts';

/** Where tmux is found on machines whose login shell says nothing of it. */
const PATHS = '/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin';

export interface AttachOptions {
  readonly write?: boolean;
}

/**
 * Shows the window of a running attempt, whose size does not follow this terminal. Read-only unless a person asks to type:
 * that is recorded, because a fleet that needs it is not left alone.
 */
export async function attach(context: Context, typed: string, options: AttachOptions): Promise<number> {
  const { environment, output } = context;
  const write = options.write === true;
  if (!environment.interactive || !environment.stdout.tty) {
    throw new DispatchError('E_NEEDS_TERMINAL', 'attach needs a terminal', {
      fix: `dispatch logs -f ${typed}`,
    });
  }
  return withView(context, async (view) => {
    const attempt = selectAttempt(view.state, selectTask(view.state, typed), null);
    if (attempt.phase.is !== 'running' && attempt.phase.is !== 'claimed') {
      throw new DispatchError('E_NO_ATTEMPT', `${attempt.task} has no attempt that runs`, {
        why: `attempt ${attempt.n} is ${attempt.phase.is}`,
        fix: `dispatch logs ${attempt.task}`,
      });
    }
    const config = await selectNode(view.home, attempt.node);
    const reply = await withNodeSession(config, (session) =>
      session.call({ op: 'attach', token: attempt.token, write }),
    );
    for (const line of notice(attempt, reply, write)) output.note(safeLine(line));
    const argv = commandOn(config, reply.argv, attempt.task);
    if (write) await recordIntervention(context, attempt);
    return takeOver(argv);
  });
}

/** Before the terminal is given away: what will be seen, whether keys reach it, how to leave, what it does now. */
function notice({ n, task, node }: Attempt, { shows, now }: Replies['attach'], write: boolean): string[] {
  const what = shows === 'terminal' ? 'its live session' : 'what it prints';
  const keys = write ? 'WRITABLE: every key you type reaches the agent' : 'read-only';
  return [
    `attempt ${n} of ${task} on ${node}: ${what}, ${keys}; leave with Ctrl-b d`,
    ...(now === null
      ? []
      : [`it ${stallText(now)}`, ...(write ? now.evidence.lastLines.map((line) => `> ${line}`) : [])]),
    ...(shows === 'terminal' ? [`what it prints is in its log: dispatch logs -f ${task}`] : []),
  ];
}

/** Before the terminal is given away: what could not be recorded does not happen. */
async function recordIntervention(context: Context, { task, token }: Attempt): Promise<void> {
  const command = { verb: 'intervene', task, token, by: context.environment.user } as const;
  const [given] = await giveAll(context, [[task, command]]);
  if (given?.reply.ok === false) throw new DispatchError(given.reply.code, given.reply.message);
}

/** The node's own tmux command line, brought to the node. */
function commandOn(config: NodeConfig, argv: readonly string[], task: string): readonly string[] {
  const { reach } = config;
  switch (reach.by) {
    case 'local':
      return argv;
    case 'ssh': {
      const target = targetArguments({ target: reach.target, configFile: reach.configFile });
      const script = `PATH="$PATH:${PATHS}"; export PATH; exec ${argv.map(quote).join(' ')}`;
      return ['ssh', '-t', '-o', 'StrictHostKeyChecking=yes', ...target, `exec /bin/sh -c ${quote(script)}`];
    }
    case 'command':
      throw new DispatchError('E_NEEDS_TERMINAL', 'the node is reached by a command that gives no terminal', {
        where: config.name,
        why: reach.command.join(' '),
        fix: `dispatch logs -f ${task}`,
      });
    default:
      return assertNever(reach);
  }
}

/**
 * Gives the terminal to a program until that ends. Ctrl-C and Ctrl-\\ are the program's own business as long as it has the
 * terminal, and one typed while it lets go of it must not turn its exit code into ours: so they are ignored until this
 * process ends. Listeners, not SIG_IGN: the program would inherit that.
 */
function takeOver(argv: readonly string[]): Promise<number> {
  const [program = '', ...args] = argv;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: terminalVariables() });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? EXIT.unreachable));
  });
}
