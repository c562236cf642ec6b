/** Makes a home, and a project in it. Never overwrites: what exists is left alone and said so. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { isName } from '../../model/ids.ts';
import { loadProject } from '../../spec/load.ts';
import type { Context } from '../context.ts';
import { homeFlag, searchUpwards } from '../home.ts';
import type { ProjectAnswers } from '../init/answers.ts';
import { type InitOptions, askForProject } from '../init/ask.ts';
import { commandLines, offerCommands } from '../init/offer.ts';
import { GITIGNORE_LINE, nodesTemplate, projectTemplate, specTemplate } from '../init/templates.ts';

export async function init(
  context: Context,
  project: string | undefined,
  options: InitOptions,
): Promise<ExitCode> {
  const { environment, output } = context;
  refuseBadName(project, options);
  const home = homeToMake(context);
  const answers = await askForProject(context, project, options);
  const done: Done[] = [];
  await mkdir(join(home, 'specs'), { recursive: true });
  done.push(await create(home, 'nodes.json', nodesTemplate()));
  done.push(await ignoreState(home));
  if (answers !== null) done.push(...(await createProject(home, answers)));
  const repo = answers === null ? null : (answers.repo ?? (await knownRepository(home, answers.project)));
  const commands = await offerCommands(context, repo, options.yes === true);
  const next = nextSteps(answers, homeFlag(environment, home));
  if (output.machine) {
    output.envelope('Init', { home, project: answers?.project ?? null, files: done, commands, next });
    return EXIT.ok;
  }
  for (const { file, made } of done) {
    output.line(`${made ? output.paint.green('created') : output.paint.dim('kept   ')} ${join(home, file)}`);
  }
  if (answers !== null && commands !== null)
    for (const line of commandLines(commands, answers.project)) output.note(line);
  output.note(`\nNext:\n${next.map((line) => `  ${line}`).join('\n')}`);
  return EXIT.ok;
}

/** Of a project that was made before. */
async function knownRepository(home: string, project: string): Promise<string | null> {
  return (await loadProject(home, project)).config?.repo ?? null;
}

interface Done {
  readonly file: string;
  readonly made: boolean;
}

function refuseBadName(project: string | undefined, options: InitOptions): void {
  if (project !== undefined && !isName(project)) {
    throw new DispatchError('E_USAGE', `${JSON.stringify(project)} cannot name a project`, {
      why: 'a name begins with a letter or digit and has up to 64 letters, digits, `.`, `_`, `-`',
      fix: 'dispatch init my-project --repo PATH',
    });
  }
  const lonely = (['repo', 'target', 'verify'] as const).find((key) => options[key] !== undefined);
  if (project === undefined && lonely !== undefined) {
    throw new DispatchError('E_USAGE', `--${lonely} belongs to a project, and none is named`, {
      fix: `dispatch init my-project --${lonely} ${options[lonely]}`,
    });
  }
}

/** The named home, else the one that is here already, else this directory. */
function homeToMake({ environment, settings }: Context): string {
  return settings.home?.path ?? searchUpwards(environment.cwd) ?? environment.cwd;
}

async function createProject(home: string, answers: ProjectAnswers): Promise<Done[]> {
  const folder = join('specs', answers.project);
  await mkdir(join(home, folder), { recursive: true });
  return [
    await create(home, join(folder, 'project.yaml'), projectTemplate(answers)),
    await create(home, join(folder, 'S01-example.md'), specTemplate(answers)),
  ];
}

async function create(home: string, file: string, text: string): Promise<Done> {
  try {
    await writeFile(join(home, file), text, { flag: 'wx' });
    return { file, made: true };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return { file, made: false };
    throw thrown;
  }
}

/** The state never belongs into version control; a .gitignore that a person wrote gets one line more. */
async function ignoreState(home: string): Promise<Done> {
  const file = '.gitignore';
  const before = await readFile(join(home, file), 'utf8').catch(() => '');
  if (before.split('\n').some((line) => line.trim().replace(/^\//u, '') === GITIGNORE_LINE)) {
    return { file, made: false };
  }
  const joint = before === '' || before.endsWith('\n') ? '' : '\n';
  await writeFile(join(home, file), `${before}${joint}${GITIGNORE_LINE}\n`);
  return { file, made: true };
}

function nextSteps(answers: ProjectAnswers | null, flag: string): string[] {
  if (answers === null)
    return [
      `dispatch init my-project --repo PATH --target main${flag}`,
      `dispatch nodes add <ssh alias>${flag}`,
    ];
  const { project } = answers;
  return [
    `edit specs/${project}/S01-example.md, and add more specs beside it`,
    `dispatch validate ${project}${flag}`,
    `dispatch plan ${project}${flag}`,
    `dispatch start ${project}${flag}`,
  ];
}
