/** Memory of a supervisor with eight attempts alive, each with a tree of 5,000 files. Linux tells; elsewhere it is unknown. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from '../src/controller/open-session.ts';
import type { LoadedProject } from '../src/controller/takeover.ts';
import { buildForBench } from './build.ts';
import { chores, startFleet } from './fleet.ts';
import { aim, line, mib, title } from './figures.ts';
import { FILES, repository } from './repository.ts';

const ATTEMPTS = 8;

const build = await buildForBench();
const fleet = await startFleet(1, ATTEMPTS);
try {
  const go = join(fleet.dir, 'go');
  const here = mkdtempSync(join(fleet.dir, 'here-'));
  const command = [
    '/bin/sh',
    '-c',
    `echo x > ${here}/$DISPATCH_TASK_ID; while [ ! -e ${go} ]; do sleep 0.1; done; echo x > made.$DISPATCH_TASK_ID`,
  ];
  const project = withRepository(repository(fleet.dir), command);
  const { name } = project.config;
  const session = await openSession({
    home: mkdtempSync(join(fleet.dir, 'home-')),
    nodes: fleet.nodes,
    projects: [project],
  });
  try {
    await session.command({ verb: 'start', project: name });
    while (readdirSync(here).length < ATTEMPTS) await new Promise((resolve) => setTimeout(resolve, 50));
    const alive = residentMiB('VmRSS');
    writeFileSync(go, '');
    await session.until.settled([name]);
    title(`a supervisor with ${ATTEMPTS} attempts alive, each with a tree of ${FILES} files`);
    line('while their agents run', mib(alive), '', aim(alive, 80, 'MiB'));
    line('highest, through gates and bundles', mib(residentMiB('VmHWM')));
  } finally {
    await session.detach();
  }
} finally {
  await fleet.stop();
  build.remove();
}

function withRepository(repo: string, command: string[]): LoadedProject {
  const { config, specs } = chores('memory', ATTEMPTS, { command });
  return {
    config: { ...config, repo, verify: 'true', gates: { ...config.gates, skipControl: 'a bench' } },
    specs: specs.map(({ spec, text }) => ({
      spec: { ...spec, modifies: [`made.${spec.id}`], verify: 'true' },
      text,
    })),
  };
}

function residentMiB(field: 'VmRSS' | 'VmHWM'): number {
  const pid =
    readFileSync(join(fleet.nodes[0]?.root ?? '', 'run', 'supervisor'), 'utf8').split('\n')[0] ?? '';
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return Number.NaN;
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(status, 'utf8'))?.[1]) / 1024;
}
