/**
 * Effects on a hub: carried out at one moment, reported at a later one. Each may fail before it was done, or after, and
 * the controller cannot tell which.
 */
import type { Effect, Input } from '../../src/controller/door.ts';
import { bordersOf, touchedBy } from '../../src/merge/areas.ts';
import { type Area, type AreaFacts, areasId } from '../../src/model/area.ts';
import type { Finding } from '../../src/model/attempt.ts';
import type { CommitId, NodeName, TaskKey, Token } from '../../src/model/ids.ts';
import type { State } from '../../src/model/state.ts';
import { overlap } from '../../src/plan/overlap.ts';
import type { Foreseen } from '../../src/merge/door.ts';
import type { Brings, VirtualHub } from './repository.ts';
import { EXTRA } from './scenario.ts';
import type { Simulation } from './simulation.ts';
import type { Stream } from './stream.ts';

type HubEffect = Exclude<Effect, { do: 'start' | 'cancel' | 'forget' | 'mend' }>;

export interface HubHands {
  readonly sim: Simulation;
  readonly state: State;
  readonly stream: (node: NodeName) => Stream | null;
  readonly done: (input: Input) => void;
  /** The controller dies here, or did before. */
  readonly dies: (when: string) => boolean;
}

export function performOnHub(effect: HubEffect, hands: HubHands): void {
  const { sim, done, dies } = hands;
  const { key } = effect;
  // A command of git that was started may outlive the process that waits for it.
  const outlives = sim.rng.chance(0.5);
  const { fence } = sim.truth.hub(effect.project);
  const answer = (input: Input): void => {
    const lost = sim.faults.strikes('unreported', sim.scenario.failedHub, key) !== null;
    sim.timeline.after(sim.rng.int(50), () => done(lost ? failed(key, 'it broke after it was done') : input));
  };
  sim.timeline.after(sim.rng.int(sim.scenario.slowHub), () => {
    if (dies(`in the middle of ${key}`) && !outlives) return;
    if (sim.truth.hub(effect.project).missing) {
      answer(failed(key, 'an object is missing'));
      return;
    }
    if (sim.faults.strikes('undone', sim.scenario.failedHub, key) !== null) {
      answer(failed(key, 'it broke before it was done'));
      return;
    }
    if (effect.do === 'collect') collect(effect, hands, answer);
    else answer(perform(effect, hands, fence));
  });
}

function failed(key: string, message: string): Input {
  return { is: 'effect.failed', key, problem: { code: 'E_SIMULATED', message } };
}

function collect(
  effect: Extract<HubEffect, { do: 'collect' }>,
  hands: HubHands,
  answer: (input: Input) => void,
): void {
  const { key, token, head, node, project } = effect;
  const hub = hands.sim.truth.hub(project);
  if (hub.candidates.get(token) === head) return answer(judged(effect, hands));
  const stream = hands.stream(node);
  if (stream === null) return answer(failed(key, 'no connection'));
  stream.call({ op: 'bundle.get', token }, (reply) => {
    if ('head' in reply) {
      const base = hands.state.attempts.get(token)?.base ?? null;
      if (base !== null && !hands.sim.truth.objects.isAncestor(base, head)) return answer(unusable(effect));
      hub.candidates.set(token, head);
      answer(judged(effect, hands));
    } else if ('refused' in reply) answer({ is: 'collect.gone', key, token });
    else answer(failed(key, 'unknown outcome'));
  });
}

/** A branch that does not stand on what its attempt was given is not let into the hub. */
function unusable({ key, token, head }: Extract<HubEffect, { do: 'collect' }>): Input {
  const message = 'it does not stand on the base of the attempt';
  const finding = { gate: 'commit' as const, path: null, line: null, message, fix: null };
  return { is: 'collected', key, token, head, changed: 0, findings: [finding], absent: true };
}

/** What the scope gate says of the branch. */
function judged(
  { key, token, head }: Extract<HubEffect, { do: 'collect' }>,
  { sim, state }: HubHands,
): Input {
  const { objects } = sim.truth;
  const attempt = state.attempts.get(token);
  const task = attempt === undefined ? undefined : state.tasks.get(attempt.task);
  const files = objects.get(head).files;
  const before = attempt?.base == null ? new Map<string, string>() : objects.get(attempt.base).files;
  const changed = [...files].filter(([path, value]) => before.get(path) !== value).map(([path]) => path);
  const outside = changed.filter(
    (path) => path !== EXTRA && task?.spec.modifies.every((pattern) => overlap(pattern, path) === null),
  );
  const findings = outside.map((path) => ({
    gate: 'scope' as const,
    path,
    line: null,
    message: 'outside',
    fix: null,
  }));
  return {
    is: 'collected',
    key,
    token,
    head,
    changed: changed.length,
    findings: [...findings, ...asked(head)],
  };
}

/** Every eighth branch touches what a person has to approve: by its id, so that asking again gives the same answer. */
function asked(head: CommitId): Finding[] {
  if (Number.parseInt(head.slice(-2), 16) % 8 !== 0) return [];
  const message = 'CLAUDE.md was changed, and it is protected';
  return [{ gate: 'scope', path: 'CLAUDE.md', line: null, message, fix: null, approval: true }];
}

/** @param fence as it was when the effect began. */
function perform(
  effect: Exclude<HubEffect, { do: 'collect' }>,
  { sim, state }: HubHands,
  fence: number,
): Input {
  const { key, project } = effect;
  const hub = sim.truth.hub(project);
  switch (effect.do) {
    case 'look':
      return { is: 'looked', key, project, lost: null };
    case 'base':
      return { is: 'based', key, project, integration: hub.base() };
    case 'merge': {
      const { token, onto, aside, undoes, beside } = effect;
      const brings = broughtBy(state, token);
      const head = undoes === undefined ? effect.head : hub.reverse(brings, undoes);
      const merged = hub.merge(brings, head, onto);
      if ('made' in merged) {
        const { id, tree } = merged.made;
        for (const other of beside) {
          const met = hub.fits(head, other);
          if (met !== null) return { is: 'merge.waits', key, token, onto: other, conflicts: met };
        }
        const facts = areaFacts(hub, onto, id, effect.areas);
        return { is: 'merge.made', key, token, onto, commit: id, tree, aside, ...facts };
      }
      const landed = hub.tip() === onto ? merged : hub.merge(brings, head, hub.tip());
      if ('made' in landed) return { is: 'merge.waits', key, token, onto, conflicts: merged.conflicts };
      return { is: 'merge.conflict', key, token, onto: hub.tip(), conflicts: landed.conflicts };
    }
    case 'predict': {
      const { tip, top } = effect;
      const branches = effect.branches.map(({ token, head }) => ({
        token,
        clash: clashWith(hub, head, [tip, top]),
      }));
      return { is: 'predicted', key, project, tip, top, branches };
    }
    case 'land': {
      const { tokens, onto, undoes = [] } = effect;
      const previous = hub.tip();
      const brings = tokens.map((token) => broughtBy(state, token));
      const commit = hub.seal(brings, onto, effect.commit);
      if (hub.fence === fence && hub.land(tokens, undoes, onto, commit) === 'landed') {
        const work = tokens.filter((token) => !undoes.includes(token));
        const landed = work.map((token) => ({ token, ...taskOf(state, token) }));
        sim.truth.landed(project, landed, undoes, commit, previous);
        return { is: 'landed', key, project, tokens, onto, commit, before: false };
      }
      const known = [
        ...hub.landed.filter(({ token }) => tokens.includes(token) && !undoes.includes(token)),
        ...hub.reverted.filter(({ token }) => undoes.includes(token)),
      ][0];
      if (known === undefined) return { is: 'land.raced', key, project };
      return { is: 'landed', key, project, tokens, onto, commit: known.commit, before: true };
    }
    case 'inspect': {
      const { commit, commands } = effect;
      const files = Object.fromEntries(commands.map((verify) => [verify, 'its files']));
      return {
        is: 'inspected',
        key,
        project,
        commit,
        tree: sim.truth.objects.get(commit).tree,
        files,
        paths: [],
      };
    }
    case 'contract': {
      const { commit, path } = effect;
      const hash = sim.truth.objects.get(commit).files.get(path) ?? null;
      return { is: 'contract.read', key, project, commit, path, hash };
    }
    case 'break': {
      const { base, verify } = effect;
      const { id, tree, files } = hub.breakCopy(base);
      return { is: 'copy.broken', key, project, verify, base, commit: id, tree, files: files.size };
    }
    case 'prepare-delivery': {
      const prepared = hub.prepare();
      if ('conflicts' in prepared) {
        const problem = { code: 'E_TARGET_CONFLICT', message: prepared.conflicts.join(' ') };
        return { is: 'deliver.refused', key, project, problem };
      }
      return { is: 'delivery.made', key, project, ...prepared };
    }
    case 'deliver': {
      const { commit, onto, targetTip } = effect;
      if (sim.faults.strikes('refused-push', sim.scenario.menu.refusedPush, key) !== null) {
        const problem = { code: 'E_PUSH_REFUSED', message: 'the target is protected' };
        return { is: 'deliver.refused', key, project, problem };
      }
      const moved = hub.target !== commit;
      if (hub.push(commit, targetTip) === 'raced') return { is: 'deliver.raced', key, project };
      if (moved && hub.target === commit) sim.truth.delivered(project, commit);
      // Between the two halves the process may be gone, or the report lost; the next one finds the first half done.
      if (sim.faults.strikes('half-delivered', sim.scenario.failedHub, key) !== null)
        return failed(key, 'it broke half-way');
      hub.follow(commit, onto);
      return { is: 'delivered', key, project, commit, tasks: hub.tasksBetween(targetTip, commit) };
    }
  }
}

/** As the merge room does it. */
function areaFacts(
  hub: VirtualHub,
  onto: CommitId,
  made: CommitId,
  areas: readonly Area[] = [],
): { areas?: AreaFacts } {
  const of = areasId(areas);
  if (of === undefined) return {};
  const { touched, within } = touchedBy(hub.objects.changed(onto, made), areas);
  return { areas: { of, within, touched: hub.project(made, touched, bordersOf(areas).sees) } };
}

function taskOf(state: State, token: Token): { task: TaskKey; verify: string | null } {
  const task = state.tasks.get(state.attempts.get(token)?.task as never);
  if (task === undefined) throw new Error(`no work attempt ${token}`);
  return { task: task.key, verify: task.spec.verify };
}

function clashWith(hub: VirtualHub, head: CommitId, others: readonly CommitId[]): Foreseen['clash'] {
  for (const onto of others) {
    const conflicts = hub.fits(head, onto);
    if (conflicts !== null) return { onto, conflicts };
  }
  return null;
}

function broughtBy(state: State, token: Token): Brings {
  const task = state.tasks.get(state.attempts.get(token)?.task as never)?.spec.id;
  if (task === undefined) throw new Error(`no work attempt ${token}`);
  return { token, task };
}
