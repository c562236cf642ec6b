/** Whether the controller of this home, and all that it depends on, work. */
import type { HealthPart } from '../../controller/health.ts';
import { homePaths } from '../../controller/paths.ts';
import { healthOfController } from '../../controller/socket.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { homeFlag } from '../home.ts';

/** @throws DispatchError E_NO_CONTROLLER when nobody answers. */
export async function health(context: Context): Promise<ExitCode> {
  const { output, environment } = context;
  const home = context.home();
  const report = await healthOfController(homePaths(home).socket);
  if (report === null)
    throw new DispatchError('E_NO_CONTROLLER', 'no controller of this home answers', {
      where: home,
      fix: `dispatch serve${homeFlag(environment, home)}`,
    });
  const { ok, at, parts } = report;
  output.list<HealthPart>({
    kind: 'HealthPartList',
    rows: parts,
    name: ({ part, about }) => (about === null ? part : `${part}/${about}`),
    columns: [
      { title: 'part', value: ({ part, about }) => (about === null ? part : `${part} ${about}`) },
      { title: 'is', value: ({ ok: good }) => (good ? 'ok' : 'FAILS') },
      { title: 'took', value: ({ ms }) => `${ms} ms`, wide: true },
      { title: 'what was seen', value: ({ detail }) => detail },
    ],
    meta: { ok, at },
  });
  return ok ? EXIT.ok : EXIT.unfinished;
}
