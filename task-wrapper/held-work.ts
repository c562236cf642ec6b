/**
 * Work that attempts left on this node, for whoever wants it back: results that nobody has fetched, and the files of
 * attempts that were given up, cut short or lost. Looking changes nothing. What is fetched this way stays as it is and
 * where it is: whether it is needed any more is for the controller to say.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { writeBundle } from '../src/git/bundle.ts';
import { commitsHeld } from '../src/git/mirror.ts';
import { snapshot } from '../src/git/snapshot.ts';
import { type CommitId, isToken, type Token } from '../src/model/ids.ts';
import type { Outcome } from '../src/model/attempt.ts';
import type { HeldWork, Replies, Request } from '../src/protocol/messages.ts';
import type { Attempts } from './attempts.ts';
import { readOrder, readResult, type Recorded } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { type Line, Refused } from './stream.ts';
import { authorOf } from './trees.ts';

export function heldWorks(root: Root, attempts: Attempts): HeldWork[] {
  return (['attempts', 'trash'] as const).flatMap((place) =>
    readdirSync(root[place]).flatMap((name) => {
      const order = isToken(name) ? orderWithTree(`${root[place]}/${name}`) : null;
      return order === null ? [] : [heldWork(root, attempts, place, order)];
    }),
  );
}

/** Sends a bundle with the attempt's result, or else a commit of its files as they are. The reply names the commit. */
export async function sendWork(
  { root, attempts }: { readonly root: Root; readonly attempts: Attempts },
  { token, have }: Extract<Request, { op: 'work.get' }>,
  id: number,
  line: Line,
): Promise<Replies['work.get']> {
  const dir = [attemptDir(root, token), `${root.trash}/${token}`].find((path) => existsSync(path));
  const order = dir === undefined ? null : orderWithTree(dir);
  if (dir === undefined || order === null)
    throw new Refused('unknown', `there is no work of ${token} on this node`);
  const outcome = outcomeOf(attempts, dir, token);
  if (outcome === null && attempts.get(token) !== undefined)
    throw new Refused('bad-request', `${token} is still running: cancel it first, or wait for its end`);
  const head = headOf(outcome) ?? (await filesOf(dir, order));
  if (head === null) throw new Refused('unknown', `${token} left its files as it found them`);
  const repo = { gitDir: `${dir}/git` };
  const held = await commitsHeld(repo.gitDir, Array.from(new Set([order.base, ...have])));
  const file = `${root.run}/bundle-${randomBytes(8).toString('hex')}`;
  try {
    const known = held.filter((commit) => commit !== head);
    await writeBundle(repo, file, [head], known);
    await line.sendFile(id, file);
    return { head };
  } finally {
    await rm(file, { force: true });
  }
}

type WithTree = Recorded & { readonly base: CommitId };

/** The order of an attempt that had a tree of its own; null for any other. */
function orderWithTree(dir: string): WithTree | null {
  const order = readOrder(dir);
  if (order?.work.kind !== 'work' || order.work.tree === null || !existsSync(`${dir}/git`)) return null;
  return { ...order, base: order.work.tree.base };
}

function heldWork(root: Root, attempts: Attempts, place: HeldWork['place'], order: WithTree): HeldWork {
  const { token, project, task, n, base } = order;
  const outcome = outcomeOf(attempts, `${root[place]}/${token}`, token);
  const runs = attempts.get(token)?.outcome === null;
  const ended = outcome?.kind ?? (runs ? null : 'cut short');
  return { token, project, task, n, base, place, ended, head: headOf(outcome) };
}

function outcomeOf(attempts: Attempts, dir: string, token: Token): Outcome | null {
  const entry = attempts.get(token);
  return entry === undefined ? (readResult(dir)?.outcome ?? null) : entry.outcome;
}

function headOf(outcome: Outcome | null): CommitId | null {
  return outcome !== null && 'head' in outcome ? (outcome.head ?? null) : null;
}

async function filesOf(dir: string, order: WithTree): Promise<CommitId | null> {
  if (!existsSync(`${dir}/tree`)) return null;
  const place = { gitDir: `${dir}/git`, index: `${dir}/git/index`, tree: `${dir}/tree` };
  const message = `What attempt ${order.n} of ${order.task} left\n`;
  return await snapshot(place, { base: order.base, message, author: authorOf(order) });
}
