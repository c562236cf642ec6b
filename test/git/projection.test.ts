/** What an area sees of a commit, made by real git in a real hub. */
import { execFileSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { merge } from '../../src/merge/merge.ts';
import type { HubWork } from '../../src/merge/work.ts';
import { projectName, taskId } from '../../src/model/ids.ts';
import { candidate, type World, world } from './hub-fixture.ts';

// Each starts many programs; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

const FILES = {
  'README.md': '# app\n',
  'web/run': 'exec:#!/bin/sh\ntrue\n',
  'web/ünï "quote".txt': 'odd\n',
  'web/link': 'link:../README.md',
  'api/main.txt': 'works\n',
};
const AREAS = [
  { name: 'web', paths: ['web/'], verify: 'make web' },
  { name: 'api', paths: ['api/'], verify: 'make api' },
];

/** Mode, id and path of every file of a commit. */
function listing({ hub }: World, commit: string): string[] {
  const argv = ['-C', hub.place.dir, 'ls-tree', '-r', '-z', '--full-tree', commit];
  return execFileSync('git', argv, { encoding: 'utf8' }).split('\0').filter(Boolean);
}

/** What the merge of a branch with this edit says of the areas. */
async function mergedBy(here: World, edit: Parameters<typeof candidate>[2], onto = here.base) {
  const { token, head } = await candidate(here, here.base, edit);
  const attempt = () => ({ task: taskId('S01'), title: 'one' }) as ReturnType<HubWork['attempt']>;
  const work = { hub: here.hub, attempt } as unknown as HubWork;
  const place = { token, head, onto, aside: false, beside: [], areas: AREAS };
  const made = await merge({ do: 'merge', key: 'm', project: projectName('demo'), ...place }, work);
  if (made.is !== 'merge.made' || made.areas === undefined) throw new Error(`it is ${made.is}`);
  return { commit: made.commit, areas: made.areas };
}

test("a projection has the area's files and the shared ones as they are, and no others", async () => {
  const here = await world(FILES);
  const { commit, areas } = await mergedBy(here, { 'web/new.txt': 'new\n' });
  expect(areas).toMatchObject({ within: true, touched: [{ area: 'web' }] });
  const whole = listing(here, commit);
  expect(whole).toHaveLength(6);
  expect(listing(here, areas.touched[0]?.commit ?? '')).toEqual(
    whole.filter((line) => !line.includes('\tapi/')),
  );
});

test('a branch of another area below leaves the projection as it is, a shared file changes every one', async () => {
  const here = await world(FILES);
  const alone = await mergedBy(here, { 'web/new.txt': 'new\n' });
  const api = await mergedBy(here, { 'api/main.txt': 'works better\n' });
  const above = await mergedBy(here, { 'web/new.txt': 'new\n' }, api.commit);
  expect(above.areas.touched[0]?.tree).toBe(alone.areas.touched[0]?.tree);
  const shared = await mergedBy(here, { 'README.md': '# other\n' });
  expect(shared.areas).toMatchObject({ within: false, touched: [{ area: 'web' }, { area: 'api' }] });
  const onShared = await mergedBy(here, { 'web/new.txt': 'new\n' }, shared.commit);
  expect(onShared.areas.touched[0]?.tree).not.toBe(alone.areas.touched[0]?.tree);
});

test('a file that moves from one area to the other touches both', async () => {
  const here = await world(FILES);
  const { areas } = await mergedBy(here, { 'api/main.txt': null, 'web/main.txt': 'works\n' });
  expect(areas).toMatchObject({ within: false, touched: [{ area: 'web' }, { area: 'api' }] });
});
