/**
 * A person's commands: to the controller that runs, else this verb becomes the controller for as long as it takes to
 * record them and to tell the nodes.
 */
import { askController } from '../controller/socket.ts';
import type { Reply } from '../controller/commands.ts';
import type { Command } from '../controller/door.ts';
import { homePaths } from '../controller/paths.ts';
import type { Session } from '../controller/session.ts';
import { codeEntry } from '../model/codes/index.ts';
import { EXIT, type ExitCode } from '../model/exit.ts';
import { orderingController } from './ordering-controller.ts';
import type { Context } from './context.ts';
import { nodesOf } from './nodes-file.ts';
import { safeLine } from './render/safe-text.ts';

type Named = readonly [name: string, command: Command];
type Before = (session: Session) => Promise<void>;

const forNothing: Before = async () => {};

/**
 * Gives the commands one after the other and says what became of each.
 * @param done what to say of one that was taken: `cancelled`.
 * @param before what to wait for when this verb has to be the controller.
 * @returns ok, or the exit code of the first refusal.
 */
export async function commandEach(
  context: Context,
  done: string,
  commands: readonly Named[],
  before: Before = forNothing,
): Promise<ExitCode> {
  const { output } = context;
  const replies = await giveAll(context, commands, before);
  let exit: ExitCode = EXIT.ok;
  for (const { name, reply } of replies) {
    if (!reply.ok && exit === EXIT.ok) exit = codeEntry(reply.code)?.exit ?? EXIT.internal;
    if (output.machine) continue;
    if (!reply.ok)
      process.stderr.write(`${output.notePaint.red(`error[${reply.code}]`)} ${safeLine(reply.message)}\n`);
    else if (output.format === 'name') output.line(name);
    else output.line(`${output.paint.green('✔')} ${name} ${done}`);
    for (const note of reply.ok ? reply.notes : []) output.note(`  ${safeLine(note)}`);
  }
  if (output.machine) output.envelope('CommandList', replies);
  return exit;
}

/** Gives the commands to the running controller, or is one for as long as it takes. What it says to them is the caller's to show. */
export function giveAll(
  context: Context,
  commands: readonly Named[],
  before: Before = forNothing,
): Promise<{ name: string; reply: Reply }[]> {
  const home = context.home();
  const { socket } = homePaths(home);
  const replies: { name: string; reply: Reply }[] = [];
  return orderingController(context, home, async () => {
    // What was answered is not given again.
    for (const [name, command] of commands.slice(replies.length)) {
      const reply = await askController(socket, command);
      if (reply === null)
        return [...replies, ...(await giveOurselves(context, home, commands.slice(replies.length), before))];
      replies.push({ name, reply });
    }
    return replies;
  });
}

/** No controller listens: be one, without starting anything, until every node that can be reached has heard. */
async function giveOurselves(
  { output }: Context,
  home: string,
  commands: readonly Named[],
  before: Before,
): Promise<{ name: string; reply: Reply }[]> {
  const { openSession } = await import('../controller/open-session.ts');
  let done = false;
  const session = await openSession({
    home,
    nodes: await nodesOf(home),
    projects: [],
    onNote: ({ name, message }) => {
      if (!done) output.note(safeLine(`${name}: ${message}`));
    },
  });
  try {
    await before(session);
    const replies: { name: string; reply: Reply }[] = [];
    for (const [name, command] of commands) replies.push({ name, reply: await session.command(command) });
    await session.until.quiesce();
    done = true;
    return replies;
  } finally {
    await session.detach();
  }
}
