import { resolve } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { formatSize } from '../../model/size.ts';
import { safeLine } from '../render/safe-text.ts';

export interface BackupOptions {
  readonly to?: string;
  readonly list?: boolean;
  readonly daily?: boolean;
}

/** Copies the home into one file, beside whatever runs, and proves that the file can be read again; or lists those there are. */
export async function backup(context: Context, options: BackupOptions): Promise<ExitCode> {
  const { environment, output } = context;
  const home = context.home();
  const places = { home, ...homePaths(home) };
  const { backupsIn, makeBackup } = await import('../../backup/make.ts');
  if (options.list === true) {
    output.list({
      kind: 'BackupList',
      rows: backupsIn(places.backups),
      columns: [
        { title: 'backup', value: ({ name }) => name },
        { title: 'made', value: ({ at }) => new Date(at).toISOString() },
        { title: 'why', value: ({ reason }) => reason },
        { title: 'size', value: ({ bytes }) => formatSize(bytes) },
      ],
      name: ({ name }) => name,
      meta: { directory: places.backups },
      empty: 'no backup yet: dispatch backup',
    });
    return EXIT.ok;
  }
  const { file, manifest, removed } = await makeBackup(places, {
    reason: options.daily === true ? 'daily' : 'asked',
    to: options.to === undefined ? null : resolve(environment.cwd, options.to),
    now: new Date(),
  });
  const { events, schema, hubs, files } = manifest;
  if (output.machine) {
    output.envelope('Backup', {
      file,
      events,
      schema,
      files: Object.keys(files),
      hubs: Object.keys(hubs),
      removed,
    });
    return EXIT.ok;
  }
  output.line(safeLine(file));
  output.note(`${events} events, replayed and equal; back with: dispatch restore ${safeLine(file)}`);
  if (removed.length > 0) output.note(`removed ${removed.length} older`);
  return EXIT.ok;
}
