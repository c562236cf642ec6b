/** Work starts when every gate has shown, on a copy that is broken on purpose, that it can go red. */
import { describe, expect, test } from 'vitest';
import { settlement } from '../../src/controller/settlement.ts';
import type { Attempt, GateSubject, Outcome } from '../../src/model/attempt.ts';
import { projectName, type Token } from '../../src/model/ids.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';
import type { ProjectConfig } from '../../src/model/spec.ts';
import type { Control, Project } from '../../src/model/task.ts';
import { alertsOf } from '../../src/report/alerts.ts';
import { reasonOf, why } from '../../src/schedule/why.ts';
import { commit, config, key, spec } from '../schedule/world.ts';
import { Story, TIP } from './story.ts';

const P = projectName('p');
const { skipControl: _, ...gates } = config('p').gates;
const TRIED: Partial<ProjectConfig> = { gates };
const GREEN: Outcome = { kind: 'done', head: null, rounds: 1, usage: null };
const RED: Outcome = {
  kind: 'refused',
  findings: [{ gate: 'verify', path: null, line: null, message: 'exit code 1', fix: '' }],
  output: '',
  head: null,
  rounds: 1,
  usage: null,
};
const KILLED: Outcome = {
  kind: 'failed',
  cause: 'gate',
  message: 'ended by signal 9',
  exitCode: 137,
  rounds: 1,
  usage: null,
};

function projectIn(story: Story): Project {
  const project = story.core.state.projects.get(P);
  if (project === undefined) throw new Error('no project');
  return project;
}

/** The hub tells what the gates are at integration's tip. */
function inspected(story: Story, files = 'files 1', tree = 'base', paths = ['Makefile']): void {
  const effect = story.wanted('inspect:p');
  if (effect?.do !== 'inspect') throw new Error('nobody asks what the gates are');
  story.effects.delete('inspect:p');
  const { key: asked, project, commit: at, commands } = effect;
  const prints = Object.fromEntries(commands.map((verify) => [verify, files]));
  story.turn({ is: 'inspected', key: asked, project, commit: at, tree, files: prints, paths });
}

/** The hub makes the copy that is asked for. */
function copied(story: Story, files = 7): void {
  const effect = [...story.effects.values()].find((one) => one.do === 'break');
  if (effect?.do !== 'break') throw new Error('no copy is asked for');
  story.effects.delete(effect.key);
  const { key: asked, project, verify, base } = effect;
  story.turn({
    is: 'copy.broken',
    key: asked,
    project,
    verify,
    base,
    commit: commit(900),
    tree: 'broken',
    files,
  });
}

type Trial = Extract<GateSubject, { of: 'control' }>;

function trials(story: Story): { token: Token; subject: Trial }[] {
  const live = [...story.core.state.live.values()].flatMap((tokens) => [...tokens]);
  return live.flatMap((token) => {
    const work: Attempt['work'] | undefined = story.core.state.attempts.get(token)?.work;
    return work?.kind === 'gate' && work.subject.of === 'control' ? [{ token, subject: work.subject }] : [];
  });
}

function trial(story: Story): { token: Token; subject: Trial } {
  const [first, ...others] = trials(story);
  if (first === undefined || others.length > 0) throw new Error(`${others.length + 1} trials, or none`);
  return first;
}

function ends(story: Story, outcome: Outcome): void {
  const { token } = trial(story);
  story.news({ type: 'attempt.running', token });
  story.news({ type: 'attempt.ended', token, outcome });
}

/** A project whose gate is inspected and about to be tried. */
function onTrial(over: Partial<ProjectConfig> = {}): Story {
  const story = new Story([spec('p', 'A')], { ...TRIED, ...over });
  inspected(story);
  return story;
}

/** The same, with the gate as it ought to be. */
function shown(): Story {
  const story = onTrial();
  ends(story, GREEN);
  copied(story);
  ends(story, RED);
  return story;
}

/** The same, with one that stays green on rubbish. */
function blind(): Story {
  const story = onTrial();
  ends(story, GREEN);
  copied(story);
  ends(story, GREEN);
  return story;
}

function isAtWork(story: Story, id = 'A'): boolean {
  return story.core.state.tasks.get(key('p', id))?.progress.at === 'attempt';
}

function words(story: Story): Pick<Control, 'verify' | 'verdict'>[] {
  return projectIn(story).controls.map(({ verify, verdict }) => ({ verify, verdict }));
}

describe('a gate', () => {
  test('is run on the base, then on the broken copy, and work starts when it was green and then red', () => {
    const story = onTrial();
    expect(trial(story).subject).toMatchObject({ part: 'base', commit: TIP, tree: 'base' });
    expect(isAtWork(story)).toBe(false);
    ends(story, GREEN);
    expect(trials(story)).toEqual([]);
    expect(story.wanted('break:p:0')).toMatchObject({ base: TIP, verify: 'make test' });
    copied(story);
    expect(trial(story).subject).toMatchObject({ part: 'broken', commit: commit(900), broken: 7 });
    expect(isAtWork(story)).toBe(false);
    ends(story, RED);
    expect(isAtWork(story)).toBe(true);
    expect(projectIn(story).controls).toMatchObject([
      { verify: 'make test', verdict: 'proved', note: '7 files broken: exit code 1', tree: 'base' },
    ]);
    expect(alertsOf(story.core.state, projectIn(story))).toEqual([]);
  });

  test('that stays green on the broken copy keeps work from starting, and the run ends with that said', () => {
    const story = blind();
    story.later();
    expect(trials(story)).toEqual([]);
    expect(isAtWork(story)).toBe(false);
    const snapshot = story.core.snapshot();
    expect(settlement(snapshot, [P], 1e9)).toMatchObject({ blocked: [key('p', 'A')] });
    const task = story.core.state.tasks.get(key('p', 'A'));
    expect(task === undefined ? '' : reasonOf(why(snapshot, task, 1e9))).toBe('GateProvesNothing');
    expect(snapshot.controls?.get(P)?.failed).toMatchObject([
      { code: 'E_GATE_PROVES_NOTHING', verify: 'make test' },
    ]);
    expect(alertsOf(story.core.state, projectIn(story))).toMatchObject([{ code: 'E_GATE_PROVES_NOTHING' }]);
  });

  test.each<[string, Outcome]>([
    ['crashes', KILLED],
    ['does not end', { kind: 'timeout', rounds: 1, head: null }],
    ['runs no test', { ...KILLED, message: 'it ran no test', exitCode: 0 }],
  ])('that %s on the broken copy has shown that it notices', (_what, outcome) => {
    const story = onTrial();
    ends(story, GREEN);
    copied(story);
    ends(story, outcome);
    expect(words(story)).toEqual([{ verify: 'make test', verdict: 'proved' }]);
    expect(isAtWork(story)).toBe(true);
  });

  test('that cannot be run on the base is tried again, and stops the start after three times', () => {
    const story = onTrial();
    for (let times = 1; times <= 3; times += 1) {
      expect(settlement(story.core.snapshot(), [P], 1e9)).toBeNull();
      ends(story, KILLED);
    }
    expect(trials(story)).toEqual([]);
    expect(isAtWork(story)).toBe(false);
    expect(story.core.snapshot().controls?.get(P)?.failed).toMatchObject([{ code: 'E_GATE_BROKEN' }]);
    expect(settlement(story.core.snapshot(), [P], 1e9)).not.toBeNull();
  });

  test('for which nothing can be broken is noted, and work starts', () => {
    const story = onTrial();
    ends(story, GREEN);
    copied(story, 0);
    expect(words(story)).toEqual([{ verify: 'make test', verdict: 'nothing' }]);
    expect(isAtWork(story)).toBe(true);
  });
});

describe('a gate that is red on the base already', () => {
  test.each<[string, Outcome]>([
    ['because it is red', RED],
    ['because its command is not there yet', { ...KILLED, message: 'was not found', exitCode: 127 }],
    ['because there is no test yet', { ...KILLED, message: 'ran no test', exitCode: 0 }],
  ])('%s, is noted and does not keep work from starting', (_what, outcome) => {
    const story = onTrial();
    ends(story, outcome);
    expect(words(story)).toEqual([{ verify: 'make test', verdict: 'red' }]);
    expect(isAtWork(story)).toBe(true);
    expect(projectIn(story).broken).toBeNull();
  });

  test('is not tried again on the same base, and is on another', () => {
    const story = onTrial();
    ends(story, RED);
    const a = story.started('A');
    story.restart([a]);
    inspected(story);
    expect(trials(story)).toEqual([]);
    story.restart([a]);
    inspected(story, 'files 1', 'another base');
    expect(trial(story).subject).toMatchObject({ part: 'base', tree: 'another base' });
  });
});

describe('what a gate has shown', () => {
  test('is not asked for again at the next start', () => {
    const story = shown();
    const a = story.started('A');
    story.restart([a]);
    inspected(story, 'files 1', 'another base');
    expect(trials(story)).toEqual([]);
    expect(story.wanted('break:p:0')).toBeUndefined();
    expect(story.core.memory.controls.size).toBe(0);
  });

  test('is asked for again when the files that it runs have changed', () => {
    const story = shown();
    story.restart([story.started('A')]);
    inspected(story, 'files 2', 'another base');
    expect(trial(story).subject).toMatchObject({ part: 'base', files: 'files 2' });
  });

  test('is asked for again when its settings change in the middle of a run, on the base that passed before', () => {
    const story = shown();
    story.started('A');
    const b = spec('p', 'B');
    story.load([spec('p', 'A'), b], { ...TRIED, sandbox: { ...DEFAULT_SANDBOX, network: true } });
    inspected(story);
    expect(trial(story).subject).toMatchObject({ part: 'base' });
    expect(isAtWork(story, 'B')).toBe(false);
  });

  test('says nothing of another command: only the new one is tried when specs are read again', () => {
    const story = shown();
    story.started('A');
    story.load([spec('p', 'A'), spec('p', 'B', { verify: './other.sh' })], TRIED);
    inspected(story);
    expect(trial(story).subject).toMatchObject({ verify: './other.sh', part: 'base' });
    ends(story, GREEN);
    copied(story);
    ends(story, RED);
    expect(isAtWork(story, 'B')).toBe(true);
  });

  test('does not count for a refusal: the next start tries it again, and is believed', () => {
    const story = blind();
    story.restart();
    inspected(story);
    expect(trials(story)).toEqual([]);
    copied(story);
    expect(trial(story).subject).toMatchObject({ part: 'broken' });
    ends(story, RED);
    expect(isAtWork(story)).toBe(true);
    expect(alertsOf(story.core.state, projectIn(story))).toEqual([]);
  });

  test('ends the alert of a refusal when the files are again what they were before', () => {
    const story = shown();
    const a = story.started('A');
    story.restart([a]);
    inspected(story, 'files 2');
    copied(story);
    ends(story, GREEN);
    expect(alertsOf(story.core.state, projectIn(story))).toHaveLength(1);
    story.restart([a]);
    inspected(story);
    expect(trials(story)).toEqual([]);
    expect(alertsOf(story.core.state, projectIn(story))).toEqual([]);
  });
});

describe('a controller that takes over while a gate is tried', () => {
  test('hears how the run on the base ends, and goes on from there', () => {
    const story = onTrial();
    const { token } = trial(story);
    story.news({ type: 'attempt.running', token });
    story.restart([token]);
    inspected(story);
    expect(trial(story).token).toBe(token);
    ends(story, GREEN);
    copied(story);
    ends(story, RED);
    expect(isAtWork(story)).toBe(true);
  });

  test('takes the word of the run on the copy that its predecessor made', () => {
    const story = onTrial();
    ends(story, GREEN);
    copied(story);
    const { token } = trial(story);
    story.news({ type: 'attempt.running', token });
    story.restart([token]);
    inspected(story);
    ends(story, RED);
    expect(isAtWork(story)).toBe(true);
    expect(trials(story)).toEqual([]);
  });

  test('runs again what the node has lost', () => {
    const story = onTrial();
    const { token } = trial(story);
    story.news({ type: 'attempt.running', token });
    story.restart([]);
    inspected(story);
    expect(trial(story).token).not.toBe(token);
    expect(trial(story).subject).toMatchObject({ part: 'base' });
  });
});

describe('a landing', () => {
  /** A is at work and gates have shown what they are; B waits for A. */
  function withWork(paths: readonly string[], changed = paths.length): { story: Story; a: Token } {
    const story = new Story([spec('p', 'A'), spec('p', 'B', { dependsOn: ['A' as never] })], TRIED);
    inspected(story);
    ends(story, GREEN);
    copied(story);
    ends(story, RED);
    const a = story.started('A');
    story.queued(a, { paths, changed });
    story.mergedOntoTip(a, 201, 'tree of A');
    story.green('A');
    story.lands([a], TIP, 201);
    return { story, a };
  }

  test('that changes no file of the gate lets work go on at once', () => {
    const { story } = withWork(['src/A.ts']);
    expect(story.wanted('inspect:p')).toBeUndefined();
    expect(isAtWork(story, 'B')).toBe(true);
  });

  test.each<[string, string[], number]>([
    ['that changes what the gate runs', ['src/A.ts', 'Makefile'], 2],
    ['of more paths than are known', ['src/A.ts'], 3000],
  ])('%s lets work wait until the gate has gone red once more', (_what, paths, changed) => {
    const { story } = withWork(paths, changed);
    expect(isAtWork(story, 'B')).toBe(false);
    expect(story.wanted('inspect:p')).toMatchObject({ commit: commit(201) });
    inspected(story, 'files 2', 'tree of A');
    // It was green when A was gated: only the copy is still to be run.
    expect(trials(story)).toEqual([]);
    copied(story);
    expect(trial(story).subject).toMatchObject({ part: 'broken', files: 'files 2' });
    ends(story, RED);
    expect(isAtWork(story, 'B')).toBe(true);
  });

  test('in between makes an answer about the commit before it no answer', () => {
    const { story } = withWork(['Makefile']);
    const asked = { key: 'inspect:p', project: P, commit: TIP, tree: 'base', paths: [] };
    story.turn({ is: 'inspected', ...asked, files: { 'make test': 'files 1' } });
    expect(isAtWork(story, 'B')).toBe(false);
    expect(story.core.memory.controls.get(P)?.base).toBeNull();
  });
});

describe('a person who wants no try', () => {
  test('says why in the settings: work starts at once, and that is recorded once', () => {
    const story = new Story([spec('p', 'A')], { gates: { ...gates, skipControl: 'it calls a service' } });
    expect(isAtWork(story)).toBe(true);
    const a = story.started('A');
    story.restart([a]);
    expect(projectIn(story).controls).toMatchObject([{ verdict: 'skipped', note: 'it calls a service' }]);
    expect(story.wanted('inspect:p')).toBeUndefined();
  });

  test('says why at the start, which ends the alert and holds for that start', () => {
    const story = blind();
    story.restart([], { skipControl: 'ana: it looks at nothing' });
    expect(isAtWork(story)).toBe(true);
    expect(alertsOf(story.core.state, projectIn(story))).toEqual([]);
    expect(projectIn(story).skipControl).toBe('ana: it looks at nothing');
    story.restart([story.started('A')]);
    expect(story.wanted('inspect:p')).toBeDefined();
    expect(projectIn(story).skipControl).toBeNull();
  });
});

test('a project without a repository has nothing to break', () => {
  const story = new Story([spec('p', 'A', { verify: null, modifies: [] })], {
    ...TRIED,
    repo: null,
    verify: null,
  });
  expect(isAtWork(story)).toBe(true);
});
