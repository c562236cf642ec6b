/**
 * The run from its first command to its last: tasks, the home that is kept (backup of the day, alerts, report), a backup,
 * delivery, what has not merged brought back, and the backup put back, from which all ends as it had ended.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../../src/controller/paths.ts';
import { backupName, parseBackupName } from '../../src/backup/manifest.ts';
import { isFinal } from '../../src/model/task.ts';
import { type Home, PROJECT } from '../cluster/home.ts';
import { type Commands, stateOf } from './commands.ts';
import { refsOf } from './history.ts';

/** Which parts of the run there are besides tasks and delivery. */
export interface Parts {
  /** `serve` as well: its report is written once a minute, which takes that long. */
  readonly serves: boolean;
  /** Backup, rescue and restore as well. */
  readonly keeps: boolean;
}

const RESCUED = 'rescued';
const OLD_MS = 2 * 24 * 60 * 60_000;

/** Puts beside the home what `serve` needs to have something to write. */
export function prepareHome(home: Home, alerts: string): void {
  writeFileSync(join(home.dir, 'alerts.yaml'), alerts);
  writeFileSync(join(home.dir, 'dispatch.yaml'), 'report: { at: "* * * * *" }\n');
}

/** @returns what was wrong with how commands ended. */
export async function wholeRun(home: Home, commands: Commands, { serves, keeps }: Parts): Promise<string[]> {
  const run = (): Promise<string[]> => commands.repeat(['start', PROJECT], () => allFinal(home));
  const collect = (): Promise<string[]> => commands.repeat(['collect', PROJECT], () => isDelivered(home));
  const found = await run();
  if (serves) found.push(...(await kept(home, commands)));
  if (!keeps) return [...found, ...(await collect())];
  let backup = '';
  found.push(
    ...(await commands.repeat(['backup', '-o', 'json'], ({ code, stdout }) => {
      if (code !== 0) return false;
      backup = (JSON.parse(stdout) as { data: { file: string } }).data.file;
      return true;
    })),
    ...(await collect()),
    ...(await rescued(home, commands)),
  );
  if (backup !== '') found.push(...(await commands.repeat(['restore', backup], ({ code }) => code === 0)));
  return [...found, ...(await run()), ...(await collect())];
}

/** The home is kept until there are a backup of the day and a report. */
async function kept(home: Home, commands: Commands): Promise<string[]> {
  const { backups } = homePaths(home.dir);
  mkdirSync(backups, { recursive: true });
  // What is there says that the next one is due; it is never read.
  writeFileSync(join(backups, backupName(new Date(Date.now() - OLD_MS), 'daily')), '');
  const hasBackup = (): boolean =>
    namesIn(backups).some((name) => Date.now() - (parseBackupName(name)?.at ?? 0) < OLD_MS / 2);
  const hasReport = (): boolean =>
    ['.md', '.html'].every((end) => namesIn(join(home.dir, 'reports')).some((name) => name.endsWith(end)));
  return commands.keep(['serve'], () => hasBackup() && hasReport());
}

/** What was refused in the end is a branch of the user's repository by the end of this. */
async function rescued(home: Home, commands: Commands): Promise<string[]> {
  const state = await stateOf(home);
  const [token] = [...(state?.attempts.values() ?? [])].flatMap(({ token: one, task, phase }) =>
    task.endsWith('/red-2') && phase.is === 'ended' && 'head' in phase.outcome ? [one] : [],
  );
  if (token === undefined) return ['rescue: no attempt of red-2 has made anything'];
  return commands.repeat(['rescue', token, '--as', RESCUED], () =>
    refsOf(home.repo).has(`refs/heads/${RESCUED}`),
  );
}

async function allFinal(home: Home): Promise<boolean> {
  const tasks = [...((await stateOf(home))?.tasks.values() ?? [])];
  return tasks.length > 0 && tasks.every(({ progress }) => isFinal(progress));
}

async function isDelivered(home: Home): Promise<boolean> {
  const project = [...((await stateOf(home))?.projects.values() ?? [])][0];
  return project?.delivered != null && project.delivery === null;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
