import { spawn } from 'node:child_process';
import { quote } from '../../../task-wrapper/quote.ts';
import { assertNever } from '../../model/assert.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT } from '../../model/exit.ts';
import type { NodeConfig } from '../../model/spec.ts';
import { targetArguments } from '../../transport/ssh-settings.ts';
import type { Context } from '../context.ts';
import { terminalVariables } from '../environment.ts';
import { withNodeSession } from '../node-hand.ts';
import { selectNode } from '../nodes-file.ts';
import { selectAttempt, selectTask } from '../select.ts';
import { withView } from '../view.ts';

/** Where tmux is found on machines whose login shell says nothing of it. */
const PATHS = '/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin';

/**
 * Shows the window of a running attempt, read-only: what is typed does not reach the agent, and its size does not
 * follow this terminal.
 */
export async function attach(context: Context, typed: string): Promise<number> {
  const { environment, output } = context;
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
    const { argv } = await withNodeSession(config, (session) =>
      session.call({ op: 'attach', token: attempt.token }),
    );
    output.note(`attempt ${attempt.n} of ${attempt.task} on ${attempt.node}, read-only; leave with Ctrl-b d`);
    return takeOver(commandOn(config, argv, attempt.task));
  });
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
