/** Feeding on a real disk: what is moved, what stays and why, and what is left alone. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { feedProject, type Fed } from '../../src/feed/feed.ts';
import { placeNew } from '../../src/feed/place.ts';
import { FeedWatch } from '../../src/feed/watch.ts';
import { makeHome, PROJECT_YAML, specText } from '../cli/dispatch.ts';
import { until } from '../cluster/until.ts';

const HOUR_MS = 3_600_000;

class Pending {
  readonly home: string;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.home = makeHome({ 'specs/app/project.yaml': PROJECT_YAML, 'specs/app/Q.md': specText('Q') });
    mkdirSync(this.folder);
    for (const [name, text] of Object.entries(files)) this.put(name, text);
  }

  get folder(): string {
    return join(this.home, 'specs/app/pending');
  }

  /** A file that nobody has touched for an hour. */
  put(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
    const then = new Date(Date.now() - HOUR_MS);
    utimesSync(join(this.folder, name), then, then);
  }

  feed(quietMs = 1000): Promise<Fed> {
    return feedProject({ home: this.home, project: 'app', quietMs });
  }

  pending(): string[] {
    return readdirSync(this.folder).sort();
  }

  queue(): string[] {
    return readdirSync(join(this.home, 'specs/app'))
      .filter((name) => name.endsWith('.md'))
      .sort();
  }
}

const ids = ({ moved }: Fed): string[] => moved.map(({ id }) => id);

describe('feeding', () => {
  test('moves good specs word for word, keeps bad ones with their problems, and forgets these when they are mended', async () => {
    const bad = specText('B', { nonsense: '1' });
    const place = new Pending({
      'A.md': specText('A', { depends_on: '[Q]' }),
      'B.md': bad,
      'notes.txt': 'mine',
    });
    const first = await place.feed();
    expect(ids(first)).toEqual(['A']);
    expect(readFileSync(join(place.home, 'specs/app/A.md'), 'utf8')).toBe(
      specText('A', { depends_on: '[Q]' }),
    );
    expect(place.pending()).toEqual(['B.md', 'B.md.problems', 'notes.txt']);
    const said = readFileSync(join(place.folder, 'B.md.problems'), 'utf8');
    expect(said).toContain('error[E_SPEC_UNKNOWN_KEY]');
    expect(said).toContain('specs/app/pending/B.md:6:1');
    expect(first.held[0]).toMatchObject({ file: 'specs/app/pending/B.md', news: true });

    const again = await place.feed();
    expect(again).toMatchObject({ moved: [], held: [{ news: false }] });
    place.put('B.md', specText('B'));
    expect(ids(await place.feed())).toEqual(['B']);
    expect(place.pending()).toEqual(['notes.txt']);
    expect(place.queue()).toEqual(['A.md', 'B.md', 'Q.md']);
  });

  test('leaves alone what is being written, open in an editor, hidden, or no file', async () => {
    const place = new Pending({
      'A.md': specText('A'),
      'B.md': specText('B'),
      '.B.md.swp': '',
      'C.md': specText('C'),
      '.#C.md': '',
      '.D.md': specText('D'),
      'E.md~': specText('E'),
      'F.md.tmp': specText('F'),
      'README.md': 'notes',
    });
    mkdirSync(join(place.folder, 'G.md'));
    writeFileSync(join(place.folder, 'H.md'), specText('H').slice(0, 40));
    const fed = await place.feed(HOUR_MS / 2);
    expect(ids(fed)).toEqual(['A']);
    expect(fed.held).toEqual([]);
    expect(fed.unsettled.map(({ file, why }) => `${file.split('/').at(-1)} ${why}`)).toEqual([
      'B.md open',
      'C.md open',
      'H.md fresh',
    ]);
    expect(place.queue()).toEqual(['A.md', 'Q.md']);
  });

  test('what a spec depends on may still be on its way, and that is no problem yet', async () => {
    const place = new Pending({ 'A.md': specText('A', { depends_on: '[B]' }) });
    writeFileSync(join(place.folder, 'B.md'), specText('B'));
    expect(await place.feed(HOUR_MS / 2)).toMatchObject({ moved: [], held: [] });
    expect(place.pending()).toEqual(['A.md', 'B.md']);
    place.put('B.md', specText('B'));
    expect(ids(await place.feed())).toEqual(['B', 'A']);
  });

  test('goes on after a crash between the two steps, and never writes over the queue', async () => {
    const place = new Pending({ 'A.md': specText('A'), 'Q.md': specText('Q', { priority: '0' }) });
    writeFileSync(join(place.home, 'specs/app/A.md'), specText('A'));
    const fed = await place.feed();
    expect(fed).toMatchObject({ moved: [], held: [{ file: 'specs/app/pending/Q.md' }] });
    expect(place.pending()).toEqual(['Q.md', 'Q.md.problems']);
    expect(readFileSync(join(place.home, 'specs/app/Q.md'), 'utf8')).toBe(specText('Q'));
    expect(await placeNew(place.folder, 'Q.md', 'other')).toBe(false);
    expect(place.pending()).toEqual(['Q.md', 'Q.md.problems']);
    rmSync(join(place.folder, 'Q.md'));
    await place.feed();
    expect(place.pending()).toEqual([]);
  });

  test('refuses a project that is wrong itself, and has nothing to do where nothing is pending', async () => {
    const place = new Pending({ 'A.md': specText('A') });
    writeFileSync(join(place.home, 'specs/app/project.yaml'), 'repoo: x\n');
    const fed = await place.feed();
    expect(fed).toMatchObject({ moved: [], refused: [{ code: 'E_SPEC_UNKNOWN_KEY' }] });
    expect(place.pending()).toEqual(['A.md']);
    rmSync(place.folder, { recursive: true });
    writeFileSync(join(place.home, 'specs/app/project.yaml'), PROJECT_YAML);
    expect(await place.feed()).toEqual({ project: 'app', moved: [], held: [], unsettled: [], refused: [] });
    const nowhere = await feedProject({ home: place.home, project: 'ap', quietMs: 0 });
    expect(nowhere.refused).toMatchObject([{ code: 'E_PROJECT_NOT_FOUND' }]);
  });

  test('two that feed at once move each spec once', async () => {
    const specs = Array.from({ length: 12 }, (_, n) => [`S${n}.md`, specText(`S${n}`)] as const);
    const place = new Pending(Object.fromEntries(specs));
    const both = await Promise.all([place.feed(), place.feed()]);
    expect(both.flatMap(ids).sort()).toEqual(
      specs.map(([, text]) => /task_id: (\S+)/.exec(text)?.[1]).sort(),
    );
    await place.feed();
    expect(place.pending()).toEqual([]);
    expect(place.queue()).toHaveLength(13);
  });

  test('watches: takes files as they appear, in a folder that was not there yet, and stops', async () => {
    const place = new Pending();
    rmSync(place.folder, { recursive: true });
    const moved: string[] = [];
    const watch = new FeedWatch({
      home: place.home,
      projects: async () => ['app'],
      onFed: (fed) => moved.push(...ids(fed)),
      onError: (error) => {
        throw error;
      },
      quietMs: 20,
      lookMs: 200,
    });
    watch.follow({ at: null, timezone: null });
    mkdirSync(place.folder);
    writeFileSync(join(place.folder, 'A.md'), specText('A'));
    await until('that A is fed', () => moved.includes('A'));
    writeFileSync(join(place.folder, 'B.md'), specText('B', { nonsense: '1' }));
    await until('that B is held', () => existsSync(join(place.folder, 'B.md.problems')));
    await watch.stop();
    writeFileSync(join(place.folder, 'B.md'), specText('B'));
    await watch.stop();
    expect(moved).toEqual(['A']);
  });
});
