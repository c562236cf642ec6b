/**
 * Gives commands and stays until something has come of them: beside the controller that runs, or as the controller where
 * none does. One that leaves in the middle (a `start` whose work is done) is followed by this one, so that nothing that
 * was asked for lies still while somebody waits for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../controller/door.ts';
import { homePaths } from '../controller/paths.ts';
import type { Session } from '../controller/session.ts';
import { askController } from '../controller/socket.ts';
import { DispatchError } from '../model/error.ts';
import type { Event } from '../model/event.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { orderingController } from './ordering-controller.ts';
import type { Context } from './context.ts';
import { nodesOf } from './nodes-file.ts';
import { type Interrupt, interruption } from './progress/interrupt.ts';
import { type Screen, screenFor } from './progress/screen.ts';
import { gateWaits, noNodeReached } from './progress/stranded.ts';
import { withView } from './view.ts';

export interface Wish {
  readonly commands: readonly Command[];
  readonly projects: readonly ProjectName[];
  /** True when there is nothing to wait for any more. */
  readonly over: (state: State) => boolean;
  /** The command line that goes on after an interruption. */
  readonly again: string;
}

export interface Seen {
  readonly state: State;
  /** Everything that happened since the first command was given. */
  readonly events: readonly Event[];
  /** Set when a person did not wait for the end. */
  readonly interrupted: Interrupt | null;
}

/** How often the store is looked at while another process controls. Milliseconds. */
const LOOK_MS = 100;

/** @throws DispatchError when a command was refused, or no node can be reached and a gate has to run. */
export function seeThrough(context: Context, wish: Wish): Promise<Seen> {
  // What a controller took is not given again.
  let taken = 0;
  return orderingController(context, context.home(), () =>
    seeIn(context, { ...wish, commands: wish.commands.slice(taken) }, (count) => {
      taken += count;
    }),
  );
}

async function seeIn(context: Context, wish: Wish, took: (count: number) => void): Promise<Seen> {
  const screen = await screenFor(context, wish.projects);
  const stop = interruption();
  try {
    return await withView(context, async (view) => {
      const { socket } = homePaths(view.home);
      const events: Event[] = [];
      let seq = view.eventCount;
      const given = await giveAll(socket, wish.commands);
      took(given);
      for (;;) {
        await view.refresh();
        const page = await view.reader.events(seq, 1000);
        screen.events(page, view.state);
        events.push(...page);
        seq = page.at(-1)?.seq ?? seq;
        if (page.length === 1000) continue;
        const left = wish.commands.slice(given);
        if (left.length === 0 && wish.over(view.state)) {
          return { state: view.state, events, interrupted: null };
        }
        if (view.holder === null || left.length > 0) {
          const own = await seeOurselves(context, { ...wish, commands: left }, screen, stop.asked);
          return { ...own, events: [...events, ...own.events] };
        }
        const signal = await Promise.race([sleep(LOOK_MS), stop.asked]);
        if (signal !== undefined) return { state: view.state, events, interrupted: signal };
      }
    });
  } finally {
    stop.forget();
    await screen.end();
  }
}

/** @returns how many were taken by a controller that runs. */
async function giveAll(socket: string, commands: readonly Command[]): Promise<number> {
  for (const [at, command] of commands.entries()) {
    const reply = await askController(socket, command);
    if (reply === null) return at;
    if (!reply.ok) throw new DispatchError(reply.code, reply.message);
  }
  return commands.length;
}

async function seeOurselves(
  context: Context,
  { commands, projects, over, again }: Wish,
  screen: Screen,
  asked: Promise<Interrupt>,
): Promise<Seen> {
  const home = context.home();
  const nodes = await nodesOf(home);
  const events: Event[] = [];
  const { openSession } = await import('../controller/open-session.ts');
  let session: Session | null = null;
  try {
    session = await openSession({
      home,
      nodes,
      projects: [],
      onEvents: (news, state) => {
        events.push(...news);
        screen.events(news, state);
      },
      onNote: (note) => screen.note(note),
    });
    const running = session;
    screen.watch(() => running.snapshot());
    for (const command of commands) {
      const reply = await running.command(command);
      if (!reply.ok) throw new DispatchError(reply.code, reply.message);
    }
    const stranded = running.until
      .stranded((state) => projects.some((project) => gateWaits(state, project)))
      .then(() => null);
    const ended = await Promise.race([running.until.reached(over), asked, stranded]);
    await screen.end();
    if (ended === null) throw noNodeReached(running, nodes, again);
    return { state: running.state, events, interrupted: typeof ended === 'string' ? ended : null };
  } finally {
    await session?.detach();
  }
}
