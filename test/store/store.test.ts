import { describe, expect, it } from 'vitest';
import type { Event, NewEvent } from '../../src/model/event.ts';
import { emptyState } from '../../src/model/state.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  commit,
  done,
  key,
  NODE,
  SET_UP,
  Story,
  spec,
  token,
  wayToMerge,
} from '../model/builder.ts';
import { openStore, raw, storeFile } from './scratch.ts';

async function storeWith(file: string, story: Story, events: readonly NewEvent[]) {
  const store = await openStore(file);
  const lease = await store.acquire('laptop', 7, 1000);
  await store.commit(lease, events, story.state);
  return { store, lease };
}

describe('a store in a file', () => {
  it('is the same after closing and opening it again', async () => {
    const file = storeFile();
    const story = new Story();
    const { store } = await storeWith(
      file,
      story,
      story.tell(...SET_UP, added('A'), ...wayToMerge('A', 1, BASE)),
    );
    await store.close();
    const again = await openStore(file);
    expect(await again.load()).toEqual(story.state);
    expect(await again.replayCheck()).toEqual([]);
  });

  it('numbers events from 1 and returns the number of the last one', async () => {
    const story = new Story();
    const { store, lease } = await storeWith(storeFile(), story, story.tell(...SET_UP));
    expect(await store.commit(lease, story.tell(added('A')), story.state)).toBe(4);
    expect(await store.commit(lease, [], story.state)).toBe(4);
    expect((await store.events(1, 2)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await store.events(4, 10)).toEqual([]);
  });

  it('is empty before the first event', async () => {
    const store = await openStore(storeFile());
    expect(await store.load()).toEqual(emptyState());
    expect(await store.replayCheck()).toEqual([]);
    const lease = await store.acquire('laptop', 7, 1000);
    expect(await store.commit(lease, [], emptyState())).toBe(0);
  });

  it('finds the events of one task, gates and late news included', async () => {
    const story = new Story();
    const [made, tree] = [commit(21), commit(22)];
    const subject = { of: 'merge' as const, workToken: token(1), commit: made, tree, ...BASIS };
    const head = commit(5);
    const { store } = await storeWith(
      storeFile(),
      story,
      story.tell(
        ...SET_UP,
        added('A'),
        added('B', { modifies: [] }),
        claim('A', 1),
        claim('B', 2),
        { type: 'attempt.ended', token: token(1), outcome: done(head) },
        { type: 'candidate.accepted', token: token(1), head, changed: 1 },
        {
          type: 'merge.prepared',
          token: token(1),
          onto: BASE,
          commit: subject.commit,
          tree: subject.tree,
          aside: false,
        },
        {
          type: 'attempt.claimed',
          token: token(3),
          task: key('A'),
          n: 1,
          work: { kind: 'gate', subject },
          node: NODE,
          base: null,
        },
        { type: 'attempt.fenced', token: token(3), reason: 'r' },
        { type: 'attempt.late', token: token(3), what: 'ended' },
        { type: 'attempt.late', token: token(99), what: 'nobody knows it' },
      ),
    );
    const types = (events: readonly Event[]) => events.map(({ fact }) => fact.type);
    expect(types(await store.eventsOf(key('A')))).toEqual([
      'task.added',
      'attempt.claimed',
      'attempt.ended',
      'candidate.accepted',
      'merge.prepared',
      'attempt.claimed',
      'attempt.fenced',
      'attempt.late',
    ]);
    expect(types(await store.eventsOf(key('B')))).toEqual(['task.added', 'attempt.claimed']);
    expect(await store.eventsOf(key('nope'))).toEqual([]);
  });

  it('keeps the text of a spec as it was accepted last, to the byte', async () => {
    const story = new Story();
    const { store, lease } = await storeWith(storeFile(), story, story.tell(...SET_UP, added('A')));
    expect(await store.specText(key('A'))).toBe('# A');
    const text = '---\r\n目标: "x"\n\0\ud800 \u{1f600}';
    await store.commit(lease, story.tell({ type: 'task.changed', spec: spec('A'), text }), story.state);
    expect(await store.specText(key('A'))).toBe(text);
    expect(await store.specText(key('nope'))).toBeNull();
  });

  it('lets a person query what the tables show', async () => {
    const file = storeFile();
    const story = new Story();
    await storeWith(
      file,
      story,
      story.tell(...SET_UP, added('A'), added('B'), ...wayToMerge('A', 1, BASE), claim('B', 2)),
    );
    const db = raw(file);
    expect(db.prepare('SELECT key, at, n, merged_commit, token FROM tasks ORDER BY ord').all()).toEqual([
      { key: 'app/A', at: 'merged', n: 1, merged_commit: commit(0x2001), token: token(1) },
      { key: 'app/B', at: 'attempt', n: 1, merged_commit: null, token: token(2) },
    ]);
    expect(db.prepare('SELECT task, node, phase, outcome FROM attempts ORDER BY ord').all()).toEqual([
      { task: 'app/A', node: 'mac2', phase: 'ended', outcome: 'done' },
      { task: 'app/B', node: 'mac2', phase: 'claimed', outcome: null },
    ]);
  });

  it('forbids to change or delete an event', async () => {
    const file = storeFile();
    const story = new Story();
    await storeWith(file, story, story.tell(...SET_UP));
    const db = raw(file);
    expect(() => db.prepare('UPDATE events SET at = 0').run()).toThrow(/append-only/);
    expect(() => db.prepare('DELETE FROM events WHERE seq = 1').run()).toThrow(/append-only/);
  });

  it('writes nothing when one event of a commit cannot be written', async () => {
    const story = new Story();
    const { store, lease } = await storeWith(storeFile(), story, story.tell(...SET_UP, added('A')));
    const before = await store.load();
    const events = story.tell(claim('A', 1), added('B'));
    await expect(store.commit(lease, events, before)).rejects.toThrow(/does not have its events applied/);
    expect(await store.load()).toEqual(before);
    expect(await store.events(4, 10)).toEqual([]);
    await store.commit(lease, events, story.state);
    expect(await store.load()).toEqual(story.state);
  });

  it('keeps instants with fractions of a millisecond', async () => {
    const story = new Story();
    const { store, lease } = await storeWith(storeFile(), story, story.tell(...SET_UP, added('A')));
    const fact = {
      type: 'task.backedoff' as const,
      task: key('A'),
      notBefore: 1_700_000_000_000.375,
      reason: 'r',
    };
    await store.commit(lease, story.tell(fact), story.state);
    expect((await store.load()).tasks.get(key('A'))?.notBefore).toBe(1_700_000_000_000.375);
  });
});

describe('durability', () => {
  it('is full on each connection, also after writes', async () => {
    const file = storeFile();
    const story = new Story();
    await storeWith(file, story, story.tell(...SET_UP));
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: 1000 });
    try {
      db.exec('UPDATE lease SET since = 5');
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    } finally {
      db.close();
    }
  });
});

describe('replayCheck', () => {
  const tampered: readonly [string, string, object][] = [
    ["UPDATE tasks SET n = 5 WHERE key = 'app/A'", 'tasks app/A', { field: 'n', fromEvents: 1, stored: 5 }],
    [
      `UPDATE tasks SET progress = json_set(progress, '$.commit', 'f00') WHERE key = 'app/A'`,
      'tasks app/A',
      { field: 'progress.commit', fromEvents: commit(0x2001), stored: 'f00' },
    ],
    [
      `UPDATE tasks SET spec = json_set(spec, '$.priority', 0) WHERE key = 'app/B'`,
      'tasks app/B',
      { field: 'spec.priority', fromEvents: 2, stored: 0 },
    ],
    [`UPDATE projects SET integration = NULL`, 'projects app', { field: 'integration', stored: null }],
    [`UPDATE nodes SET mark = 'drain'`, 'nodes mac2', { field: 'mark', fromEvents: 'none', stored: 'drain' }],
    [
      `UPDATE attempts SET detail = json_set(detail, '$.outcome.rounds', 9) WHERE phase = 'ended'`,
      `attempts ${token(1)}`,
      { field: 'phase.outcome.rounds', fromEvents: 1, stored: 9 },
    ],
    [
      `UPDATE attempts SET unconfirmed = 0 WHERE phase = 'fenced'`,
      `attempts ${token(2)}`,
      { field: 'unconfirmed', fromEvents: true, stored: false },
    ],
    [`DELETE FROM attempts WHERE phase = 'fenced'`, `attempts ${token(2)}`, { field: 'row', stored: null }],
    [`UPDATE meta SET epoch = 8`, 'state', { field: 'epoch', fromEvents: 1, stored: 8 }],
    [
      `UPDATE attempts SET ord = 10 WHERE phase = 'ended'`,
      'attempts',
      { field: 'order', fromEvents: [token(1), token(2)], stored: [token(2), token(1)] },
    ],
  ];

  it.each(tampered)('names what %s changed', async (sql, what, difference) => {
    const file = storeFile();
    const story = new Story();
    const facts = [...SET_UP, added('A'), added('B'), ...wayToMerge('A', 1, BASE), claim('B', 2)];
    const fence = { type: 'attempt.fenced' as const, token: token(2), reason: 'r' };
    const { store } = await storeWith(file, story, story.tell(...facts, fence));
    expect(await store.replayCheck()).toEqual([]);
    raw(file).exec(sql);
    const reader = await openReader(file);
    const found = await reader.replayCheck();
    await reader.close();
    expect(found).toContainEqual(expect.objectContaining({ what, ...difference }));
  });

  it.each([
    ['is of no known kind', "type = 'nonsense'", 'a fact of a known kind', 'nonsense'],
    ['cannot be read', `fact = '{broken'`, 'a fact that can be read', '{broken'],
    ['lacks what its kind has', `fact = '{}'`, '', 'attempt.claimed'],
  ])('names an event that %s, with both values', async (_, change, fromEvents, stored) => {
    const file = storeFile();
    const story = new Story();
    const { store } = await storeWith(file, story, story.tell(...SET_UP, added('A'), claim('A', 1)));
    const trigger = raw(file).prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck();
    const sql = String(trigger.get('events_are_never_changed'));
    raw(file).exec(
      `DROP TRIGGER events_are_never_changed; UPDATE events SET ${change} WHERE seq = 5; ${sql}`,
    );
    const [first, ...others] = await store.replayCheck();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ what: 'events 5', field: 'fact' });
    expect(first?.fromEvents).toContain(fromEvents);
    expect(JSON.stringify(first?.stored)).toContain(stored);
  });

  it('begins with what the earliest event says, and names that event', async () => {
    const file = storeFile();
    const story = new Story();
    const { store } = await storeWith(
      file,
      story,
      story.tell(...SET_UP, added('A'), added('B'), claim('A', 1)),
    );
    raw(file).exec(
      `UPDATE tasks SET returns = 1 WHERE key = 'app/B'; UPDATE tasks SET n = 5 WHERE key = 'app/A'`,
    );
    expect(await store.replayCheck()).toEqual([
      {
        what: 'tasks app/B',
        field: 'returns',
        fromEvents: 0,
        stored: 1,
        event: { seq: 5, type: 'task.added' },
      },
      {
        what: 'tasks app/A',
        field: 'n',
        fromEvents: 1,
        stored: 5,
        event: { seq: 6, type: 'attempt.claimed' },
      },
    ]);
  });

  it('names a hole in the log', async () => {
    const file = storeFile();
    const story = new Story();
    const { store } = await storeWith(file, story, story.tell(...SET_UP, added('A')));
    raw(file).exec('DROP TRIGGER events_are_never_deleted; DELETE FROM events WHERE seq = 2');
    expect(await store.replayCheck()).toEqual([{ what: 'events 2', field: 'seq', fromEvents: 2, stored: 3 }]);
  });

  it('names an event that does not fit what came before it', async () => {
    const file = storeFile();
    const story = new Story();
    const { store } = await storeWith(file, story, story.tell(...SET_UP, added('A'), claim('A', 1)));
    raw(file).exec(
      `DROP TRIGGER events_are_never_changed; UPDATE events SET fact = json_set(fact, '$.n', 4) WHERE type = 'attempt.claimed'`,
    );
    expect(await store.replayCheck()).toMatchObject([
      { what: 'events 5', field: 'fact', fromEvents: 'attempt.claimed: attempt 4 after 0' },
    ]);
  });

  it('names a row that cannot be read', async () => {
    const file = storeFile();
    const story = new Story();
    const { store } = await storeWith(file, story, story.tell(...SET_UP, added('A')));
    raw(file).exec(`PRAGMA ignore_check_constraints = ON; UPDATE tasks SET feedback = '{"why":'`);
    await expect(store.load()).rejects.toMatchObject({ code: 'E_STORE_DAMAGED' });
    expect(await store.replayCheck()).toMatchObject([{ what: 'tables', field: 'row' }]);
  });
});
