/** Shows all work that has not merged, wherever it is, and brings any of it back as a branch of the user's repository. */
import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import type { HubHome } from '../../git/hub-copy.ts';
import { bringBack, commitIn, needBranchName, takeRescued } from '../../git/rescue.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { CommitId, ProjectName } from '../../model/ids.ts';
import { SESSION_TIMINGS } from '../../node/session.ts';
import { getBundle } from '../../node/transfer.ts';
import type { Context } from '../context.ts';
import { withNodeSession } from '../node-hand.ts';
import { selectNode } from '../nodes-file.ts';
import { safeLine } from '../render/safe-text.ts';
import { findWork, type Work } from '../rescue/find.ts';
import { type Scope, withScope } from '../rescue/scope.ts';
import { selectProject } from '../select.ts';

export interface RescueOptions {
  readonly as?: string;
}

/** @param typed a project, or with `--as` what to bring back. Exit 7 when a node could not be asked. */
export async function rescue(
  context: Context,
  typed: string | undefined,
  { as }: RescueOptions,
): Promise<ExitCode> {
  if (as === undefined) return withScope(context, (view) => list(context, view, typed));
  if (typed === undefined)
    throw new DispatchError('E_USAGE', 'what is to be brought back?', { fix: 'dispatch rescue' });
  await needBranchName(as);
  return withScope(context, (view) => back(context, view, typed, as));
}

async function list(context: Context, view: Scope, typed: string | undefined): Promise<ExitCode> {
  const project = typed === undefined ? null : selectProject(view.state, typed).name;
  const { works, silent } = await findWork(view, project);
  const { output } = context;
  output.list<Work>({
    kind: 'WorkList',
    rows: works,
    columns: [
      { title: 'what', value: ({ what }) => what },
      { title: 'task', value: ({ task, project: of }) => safeLine(task ?? of) },
      { title: 'try', value: ({ n }) => (n === null ? '' : String(n)) },
      {
        title: 'where',
        value: ({ node, place }) =>
          safeLine(node === null ? 'hub' : place === 'trash' ? `${node} (trash)` : node),
      },
      { title: 'why', value: ({ why }) => safeLine(why) },
      { title: 'id', value: ({ id }) => id },
    ],
    name: ({ id }) => id,
    meta: { silent },
    ...(works.length > 0 ? { below: ['', 'to bring one back: dispatch rescue <id> --as <branch>'] } : {}),
    empty: 'nothing: all that was made has merged',
  });
  for (const { node, why } of silent) output.note(`${node} could not be asked: ${safeLine(why)}`);
  return silent.length === 0 ? EXIT.ok : EXIT.unreachable;
}

async function back(context: Context, view: Scope, typed: string, branch: string): Promise<ExitCode> {
  const work = await chosen(view, typed);
  const { repo, target } = selectProject(view.state, work.project).config;
  if (repo === null) throw new DispatchError('E_WRONG_STATE', `${work.project} has no repository`);
  const hub = { dir: join(homePaths(view.home).repos, `${work.project}.git`), repo, target };
  const commit = work.node === null ? work.head : await fetchFrom(view, hub, work);
  if (commit === null) throw new DispatchError('E_NOT_FOUND', `${work.id} names no commit`);
  await bringBack(hub, commit, branch);
  const { output } = context;
  if (output.machine) output.envelope('Rescued', { ...work, commit, branch, repo });
  else output.line(safeLine(`${commit.slice(0, 12)} is the branch ${branch} of ${repo} now`));
  return EXIT.ok;
}

/** By the whole id, or by its beginning as long as that fits one; else a name or commit that a hub knows. */
async function chosen(view: Scope, typed: string): Promise<Work> {
  const { works, silent } = await findWork(view, null);
  const exact = works.filter(({ id, token, head }) => [id, token, head].includes(typed));
  const fits =
    exact.length > 0
      ? exact
      : works.filter(({ id, token }) => typed.length >= 4 && (token ?? id).startsWith(typed));
  const [first, ...others] = fits;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined)
    throw new DispatchError('E_AMBIGUOUS', `${JSON.stringify(typed)} fits ${fits.length}`, {
      fix: fits
        .slice(0, 6)
        .map(({ id }) => id)
        .join('  or  '),
    });
  const named = await inAnyHub(view, typed);
  if (named !== null) return named;
  const asked = silent.map(({ node }) => node).join(', ');
  throw new DispatchError('E_NOT_FOUND', `no work ${JSON.stringify(typed)} that has not merged`, {
    ...(asked === '' ? {} : { why: `${asked} could not be asked` }),
    fix: 'dispatch rescue   (lists all)',
  });
}

/** What has merged can be had as a branch too. */
async function inAnyHub(view: Scope, name: string): Promise<Work | null> {
  for (const project of view.state.projects.keys()) {
    const head = await commitIn(join(homePaths(view.home).repos, `${project}.git`), name);
    if (head === null) continue;
    const where = { node: null, what: 'branch', place: 'hub', why: '' } as const;
    return {
      id: name,
      token: null,
      project: project as ProjectName,
      task: null,
      n: null,
      ...where,
      head,
      base: null,
    };
  }
  return null;
}

async function fetchFrom(view: Scope, hub: HubHome, { node, token, base }: Work): Promise<CommitId> {
  if (node === null || token === null || base === null) throw new TypeError('only a node is fetched from');
  const config = await selectNode(view.home, node);
  const scratch = mkdtempSync(join(tmpdir(), 'dispatch-rescue-'));
  const file = join(scratch, 'work.bundle');
  try {
    const wanted = { op: 'work.get', token, have: [base] } as const;
    const head = await withNodeSession(config, (session) =>
      getBundle(session, SESSION_TIMINGS, wanted, file),
    );
    await takeRescued(hub.dir, { file, token, head, base });
    return head;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
