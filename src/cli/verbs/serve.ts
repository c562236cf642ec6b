/** Keeps the home: the controller of all its projects, without a terminal, until somebody stops it. */
import { keepHeapLean } from '../../controller/lean-heap.ts';
import type { Keeper } from '../../controller/keeper.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { backupOfDay } from '../backup-of-day.ts';
import type { Context } from '../context.ts';
import { secretVariable } from '../environment.ts';
import { chooseLanguage } from '../language.ts';
import { interruption } from '../progress/interrupt.ts';
import { serveLog } from '../progress/serve-log.ts';
import { AutomaticLooks } from '../second-look/automatic.ts';

/** @returns ok after a signal, so that whatever supervises it sees a clean stop. @throws what stopped the controller. */
export async function serve(context: Context): Promise<ExitCode> {
  const home = context.home();
  // A language that there is not is said now, and not in the evening.
  chooseLanguage(context.environment, { file: null });
  keepHeapLean();
  const log = serveLog(context);
  const stop = interruption();
  const { openKeeper } = await import('../../controller/keeper.ts');
  let keeper: Keeper | null = null;
  let looks: AutomaticLooks | null = null;
  let stopping = false;
  try {
    keeper = await openKeeper({
      home,
      language: (file) => chooseLanguage(context.environment, { file }),
      variable: secretVariable,
      backUp: () => backupOfDay(home),
      onEvents: (events, state) => {
        log.events(events, state);
        looks?.events(events);
      },
      // Letting go of the nodes is no news to whoever asked for it.
      onNote: (note) => {
        if (!stopping) log.note(note);
      },
    });
    const { projects, session } = keeper;
    looks = new AutomaticLooks(context, session, (note) => {
      if (!stopping) log.note(note);
    });
    const going = projects.length === 0 ? 'nothing is started yet' : `going on with ${projects.join(', ')}`;
    log.say(`pid ${process.pid} keeps ${home}: ${going}`);
    const signal = await Promise.race([stop.asked, session.until.stopped()]);
    stopping = true;
    log.say(`${signal}: letting go; agents go on`);
    return EXIT.ok;
  } finally {
    stopping = true;
    await looks?.stop();
    await keeper?.stop();
    stop.forget();
  }
}
