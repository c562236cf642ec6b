import { writeFile } from 'node:fs/promises';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { buildReport } from '../../report/build.ts';
import { reportMarkdown } from '../../report/markdown.ts';
import type { Context } from '../context.ts';
import { safeText } from '../render/safe-text.ts';
import { selectProject } from '../select.ts';
import { withView } from '../view.ts';

/** The evening's report on a project: Markdown, or its model for a program. */
export async function report(context: Context, typed: string): Promise<ExitCode> {
  const { output, settings } = context;
  return withView(context, async (view) => {
    const project = selectProject(view.state, typed);
    const slots = view.nodes.reduce((sum, node) => sum + node.slots, 0);
    const events = await view.allEvents();
    const fleet = view.snapshot() ?? view.assumed();
    const built = buildReport({ state: view.state, events, project, slots, fleet, now: Date.now() });
    if (output.machine) {
      output.envelope('Report', built);
      return EXIT.ok;
    }
    const markdown = safeText(reportMarkdown(built));
    if (settings.file === null) output.write(markdown);
    else {
      await writeFile(settings.file, markdown);
      output.note(`wrote ${settings.file}`);
    }
    return EXIT.ok;
  });
}
