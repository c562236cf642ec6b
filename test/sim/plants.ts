/**
 * Bugs to order: each breaks one thing that keeps the main job safe, the way it gets broken in real programs. The
 * simulator is worth something only if it finds every one of them.
 */
import type { Core } from '../../src/controller/core.ts';
import type { Input } from '../../src/controller/door.ts';
import { bordersOf } from '../../src/merge/areas.ts';
import type { AreaFacts } from '../../src/model/area.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import type { Fact, NewEvent } from '../../src/model/event.ts';
import { evolve } from '../../src/model/evolve.ts';
import { environmentOf, evidenceKey } from '../../src/model/evidence.ts';
import { type CommitId, type TaskKey, taskKey, type Token } from '../../src/model/ids.ts';
import type { ProjectConfig } from '../../src/model/spec.ts';
import type { Gating, Project } from '../../src/model/task.ts';
import { node } from '../schedule/world.ts';
import { LATER } from './later-plants.ts';
import { often, type Plant } from './planting.ts';
import { VERIFY } from './scenario.ts';
import type { Simulation } from './simulation.ts';
import type { VirtualNode } from './virtual-node.ts';

/** Bugs of the core, of its nodes and of the hub; those of the menu's faults are in `later-plants.ts`. */
const EARLIER: Readonly<Record<string, Plant>> = {
  'a start ignores locks': {
    shows: /both hold locks that meet/,
    plant: (sim) => {
      // The scheduler is shown no locks; what it starts holds them all the same.
      aroundTurn(sim, ({ state }) => {
        const held = [...state.locked];
        state.locked.clear();
        return () => {
          for (const key of held) if (state.tasks.get(key)?.locked === true) state.locked.add(key);
        };
      });
    },
  },

  'a budget is released early: a start is not counted before it has ended': {
    shows: /overdraws/,
    plant: (sim) => {
      // The scheduler sees live attempts that hold nothing, as one does that counts only what was used.
      aroundTurn(sim, ({ state }) => {
        const held = [...state.attempts.values()].filter(({ reserved }) => reserved !== undefined);
        const before = held.map(({ reserved }) => reserved);
        for (const attempt of held) Object.assign(attempt, { reserved: { tokens: 0, usd: null } });
        return () => {
          for (const [i, attempt] of held.entries()) Object.assign(attempt, { reserved: before[i] });
        };
      });
    },
  },

  'a start ignores dependencies': {
    shows: /claimed while|does not contain/,
    plant: (sim) => {
      aroundTurn(sim, ({ state }) => {
        const waiting = [...state.tasks.values()].filter(
          (task) => task.progress.at === 'open' && task.unmet > 0,
        );
        for (const task of waiting) {
          task.unmet = 0;
          state.startable.add(task.key);
        }
        return () => {
          for (const task of waiting) {
            const keys = new Set(task.spec.dependsOn.map((id) => taskKey(task.spec.project, id)));
            task.unmet = [...keys].filter((key) => state.tasks.get(key)?.progress.at !== 'merged').length;
            if (task.unmet > 0) state.startable.delete(task.key);
          }
        };
      });
    },
  },

  'a red run is held against the next merge of the branch': {
    shows: /flakes are recorded|is called flaky/,
    plant: (sim) => {
      const reds = new Map<Token, Gating['red']>();
      sim.hooks.afterTurn.push((core, { events }) => {
        for (const { fact } of events) {
          if (fact.type !== 'merge.doubted' && fact.type !== 'merge.prepared') continue;
          const task = core.state.tasks.get(core.state.attempts.get(fact.token)?.task as TaskKey);
          if (task?.progress.at !== 'gating') continue;
          if (fact.type === 'merge.doubted') reds.set(fact.token, task.progress.red);
          else task.progress = { ...task.progress, red: reds.get(fact.token) ?? null };
        }
      });
    },
  },

  'an area does not see what all share': {
    shows: /was not green on what \w+ sees/,
    plant: (sim) => {
      aroundMerge(sim, ({ areas, ...made }, config) => {
        const sees = (name: string, path: string): boolean =>
          bordersOf(config.areas ?? []).areaOf(path) === name;
        const names = areas.touched.map(({ area }) => area);
        const touched = sim.truth.hub(config.name).project(made.commit, names, sees);
        return { ...made, areas: { ...areas, touched } };
      });
    },
  },

  'a branch in two areas is taken for one in the first': {
    shows: /was not green on what \w+ sees/,
    plant: (sim) => {
      aroundMerge(sim, ({ areas, ...made }) => {
        return { ...made, areas: { ...areas, touched: areas.touched.slice(0, 1), within: true } };
      });
    },
  },

  'a base is believed to have the contract of the one before': {
    shows: /told to keep to/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const { name, config, integration } of core.state.projects.values()) {
          if (config.contract === null || integration === null || !core.memory.contracts.has(name)) continue;
          core.memory.contracts.set(name, { commit: integration, path: config.contract });
        }
        return inputs;
      });
    },
  },

  'slots are not counted': {
    shows: /attempts in \d+ slots/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        core.setNodes(sim.scenario.nodes.map((node) => ({ ...node, slots: 1000 })));
        return inputs;
      });
    },
  },

  'a key that backs off is used all the same': {
    shows: /left alone until/,
    plant: (sim) => {
      aroundTurn(sim, ({ state }) => {
        const known = [...state.credentials];
        state.credentials.clear();
        return () => {
          for (const [name, credential] of known)
            if (!state.credentials.has(name)) state.credentials.set(name, credential);
        };
      });
    },
  },

  'an attempt number is used again after a lost answer': {
    shows: /n went from|claimed as number/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core, { events }) => {
        for (const { fact } of events) {
          if (fact.type !== 'attempt.fenced' && fact.type !== 'task.backedoff') continue;
          const key = fact.type === 'task.backedoff' ? fact.task : core.state.attempts.get(fact.token)?.task;
          const task = key === undefined ? undefined : core.state.tasks.get(key);
          if (task !== undefined && task.n > 0) task.n -= 1;
        }
      });
    },
  },

  '255 of ssh is read as a failed attempt, and the next one gets the same order': {
    shows: /really run at the same time/,
    plant: (sim) => {
      // "I could not ask" read as "it is not there": the order goes out again under a new token while the first one runs.
      sim.hooks.beforeTurn.push((core, inputs) =>
        inputs.map((input): Input => {
          const failed = input.is === 'effect.failed' && input.key.startsWith('start:');
          const token = failed ? (input.key.slice('start:'.length) as Token) : null;
          const attempt = token === null ? undefined : core.state.attempts.get(token);
          if (attempt === undefined || (attempt.phase.is !== 'claimed' && attempt.phase.is !== 'running'))
            return input;
          attempt.phase = { is: 'ended', at: 0, outcome: { kind: 'lost', why: 'killed' } };
          core.state.live.get(attempt.node)?.delete(attempt.token);
          core.memory.unordered.delete(attempt.token);
          const task = core.state.tasks.get(attempt.task);
          if (attempt.work.kind === 'work' && task !== undefined) {
            task.progress = { at: 'open' };
            core.state.startable.add(task.key);
            core.state.active.delete(task.key);
          }
          return input;
        }),
      );
    },
  },

  'integration moves without comparing': {
    shows: /integration lost/,
    plant: (sim) => {
      // Only another controller can have moved it meanwhile.
      often(sim, 'zombie', 10_000);
      for (const hub of sim.truth.hubs.values()) hub.mayMove = () => true;
    },
  },

  'a stack lands on the word of one verify command': {
    shows: /without ".*" having been run/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core, { events }) => {
        for (const { fact } of events) {
          if (fact.type !== 'gate.proved') continue;
          const project = core.state.projects.get(fact.project);
          if (project !== undefined) prove(project, fact.tree);
        }
      });
    },
  },

  'a gate judges the branch instead of the merged tree': {
    shows: /no gate found green/,
    plant: (sim) => {
      const parentOf = (commit: CommitId): CommitId => sim.truth.objects.get(commit).parents[1] ?? commit;
      eachNode(sim, (node) => {
        const handle = node.handle.bind(node);
        node.handle = (request) => {
          if (request.op !== 'start' || request.order.work.kind !== 'gate') return handle(request);
          const work = { ...request.order.work, commit: parentOf(request.order.work.commit) };
          return handle({ op: 'start', order: { ...request.order, work } });
        };
      });
    },
  },

  'a green verdict is remembered for every later tree': {
    shows: /no gate found green/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'merge.made') continue;
          const task = core.state.attempts.get(input.token)?.task;
          const project = core.state.tasks.get(task as TaskKey)?.spec.project;
          const known = project === undefined ? undefined : core.state.projects.get(project);
          if (known !== undefined && known.green.length > 0) prove(known, input.tree);
        }
        return inputs;
      });
    },
  },

  'a stack lands without what is on top of it being gated': {
    shows: /no gate found green|landed and is red/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const task of core.state.tasks.values()) {
          const project = core.state.projects.get(task.spec.project);
          if (project !== undefined && task.progress.at === 'gating' && task.progress.gate !== null)
            prove(project, task.progress.tree);
        }
        return inputs;
      });
    },
  },

  'a landing forgets one of the stack': {
    shows: /said to have landed, and did so 0 times|without its|not over in time|landed as another/,
    plant: (sim) => {
      for (const hub of sim.truth.hubs.values()) {
        const land = hub.land.bind(hub);
        hub.land = (tokens, undoes, onto, commit) =>
          land(tokens.length > 1 ? tokens.slice(1) : tokens, undoes, onto, commit);
      }
    },
  },

  'a revert takes nothing out': {
    shows: /is still its own/,
    plant: (sim) => {
      for (const hub of sim.truth.hubs.values()) {
        hub.reverse = (_, landed) =>
          sim.truth.objects.commit([landed], sim.truth.objects.get(landed).files).id;
      }
    },
  },

  'what stood on a suspect stays where it was': {
    shows: /does not stand on|landed and is red|not over in time|gated on top of something/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core, { events }) => {
        for (const { fact } of events) {
          if (fact.type !== 'merge.suspected') continue;
          const task = core.state.tasks.get(core.state.attempts.get(fact.token)?.task as TaskKey);
          if (task?.progress.at === 'gating') task.progress = { ...task.progress, aside: null, red: null };
        }
      });
    },
  },

  'the journal is acknowledged when it arrives instead of when it is durable': {
    shows: /acknowledged up to \d+, and \d+ is durable/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((_, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'node.news') continue;
          const seq = input.entries.at(-1)?.seq ?? 0;
          sim.node(input.node).handle({ op: 'ack', seq, journal: input.journal });
        }
        return inputs;
      });
    },
  },

  'the cursor moves before an entry is applied': {
    shows: /not over in time/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'node.news') continue;
          const node = core.state.nodes.get(input.node);
          if (node?.journal === input.journal && sim.rng.chance(0.2)) {
            node.cursor = Math.max(node.cursor, input.entries.at(-1)?.seq ?? 0);
          }
        }
        return inputs;
      });
    },
  },

  'journal entries are applied again when they come again': {
    shows: /applied after/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          const node = input.is === 'node.news' ? core.state.nodes.get(input.node) : undefined;
          if (node !== undefined && input.is === 'node.news') node.cursor = 0;
        }
        return inputs;
      });
    },
  },

  'the check of the fence is dropped: a late result of an attempt that was given up is taken': {
    shows: /was given up, and landed|finished with attempt|was cancelled and is|does not count any more/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'node.news') continue;
          for (const entry of input.entries) {
            if (entry.type === 'attempt.ended') revive(core, entry.token, entry.outcome);
          }
        }
        return inputs;
      });
    },
  },

  'what a node does not list is given up, although its order is still on the way': {
    shows: /which is running|really run/,
    plant: (sim) => {
      // What is on its way when a link is cut is what this is about.
      often(sim, 'cut', 2_000);
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'node.up') continue;
          const listed = new Set(input.inventory.map((entry) => entry.token));
          for (const token of core.state.live.get(input.node) ?? []) {
            const attempt = core.state.attempts.get(token);
            if (attempt === undefined || listed.has(token) || attempt.phase.is !== 'claimed') continue;
            // Counted as running, so that adopting finds it lost.
            attempt.phase = { is: 'running', since: 0, round: 1, step: 'prepare' };
          }
        }
        return inputs;
      });
    },
  },

  'a lost reply is taken for not done: an order is carried out again when it comes again': {
    shows: /a second time/,
    plant: (sim) => {
      eachNode(sim, (node) => {
        node.knows = () => false;
      });
    },
  },

  'results are forgotten before they are fetched': {
    shows: /whose commits nobody else has/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core, { events }) => {
        for (const { fact } of events) {
          if (fact.type !== 'attempt.ended' || fact.outcome.kind !== 'done') continue;
          const attempt = core.state.attempts.get(fact.token);
          if (attempt !== undefined) core.memory.forgettable.set(attempt.token, attempt.node);
        }
      });
    },
  },

  'an effect that failed is never tried again': {
    shows: /not over in time/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'effect.failed') continue;
          core.memory.retries.set(input.key, { tries: 60, at: Number.MAX_SAFE_INTEGER });
        }
        return inputs.filter((input) => input.is !== 'effect.failed');
      });
    },
  },

  'a stream that is cut is not connected again': {
    shows: /not over in time/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) if (input.is === 'node.up') core.memory.connected.delete(input.node);
        return inputs.filter((input) => input.is !== 'node.up' || !core.memory.tried.has(input.node));
      });
    },
  },

  'a lease is counted by the wall clock': {
    shows: /of its lease of/,
    plant: (sim) => {
      // Nothing tells it that the machine slept, or that somebody set the clock: it must be set while a node is away.
      often(sim, 'away', 60 * 60_000);
      often(sim, 'clock', 20 * 60_000);
      const looked = new WeakMap<Core, number>();
      sim.hooks.beforeTurn.push((core, inputs) => {
        const before = looked.get(core) ?? sim.wall();
        const awake = inputs.some(({ is }) => is === 'awake');
        if (awake || !looked.has(core)) looked.set(core, sim.wall());
        const ms = Math.max(0, sim.wall() - before);
        return inputs.map((input) => (input.is === 'awake' ? { ...input, ms } : input));
      });
    },
  },

  'a node is lost as soon as it is suspect': {
    shows: /of its lease of/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((_, inputs) =>
        inputs.map((input) => (input.is === 'awake' ? { ...input, ms: 2 * input.ms } : input)),
      );
    },
  },

  'work starts elsewhere when its node cannot be reached': {
    shows: /nobody asked for that/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core, { events }) => {
        const down = events.flatMap(({ fact }) => (fact.type === 'node.disconnected' ? fact.node : []));
        for (const token of down.flatMap((node) => [...(core.state.live.get(node) ?? [])])) {
          const attempt = core.state.attempts.get(token);
          if (attempt?.work.kind !== 'work' || attempt.startedAt === null) continue;
          const about = { at: sim.wall(), epoch: core.state.epoch, source: null };
          const facts: Fact[] = [
            { type: 'attempt.fenced', token, reason: 'its node is gone' },
            { type: 'task.backedoff', task: attempt.task, notBefore: 0, reason: 'its node is gone' },
          ];
          for (const fact of facts) {
            evolve(core.state, { seq: 0, ...about, fact });
            (events as NewEvent[]).push({ ...about, fact });
          }
        }
      });
    },
  },

  'leases run although nobody can be reached': {
    shows: /lost while nobody could be reached/,
    plant: (sim) => {
      // A machine that is not there bears witness.
      const witness = node('witness', { reach: { by: 'command', command: ['true'] }, slots: 0 });
      sim.hooks.beforeTurn.push((core, inputs) => {
        core.setNodes([...sim.scenario.nodes, witness]);
        core.memory.connected.add(witness.name);
        return inputs;
      });
    },
  },

  'a connection that outlived a sleep is not believed': {
    shows: /not over in time/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((_, inputs) => inputs.filter((input) => input.is !== 'node.alive'));
    },
  },
};

export const PLANTS: Readonly<Record<string, Plant>> = { ...EARLIER, ...LATER };

/** Changes what a turn sees of the state, and puts it right afterwards. */
function aroundTurn(sim: Simulation, change: (core: Core) => () => void): void {
  let undo: () => void = () => {};
  sim.hooks.beforeTurn.push((core, inputs) => {
    undo = change(core);
    return inputs;
  });
  sim.hooks.afterTurn.push(() => undo());
}

type Made = Extract<Input, { is: 'merge.made' }>;
type MadeByArea = Made & { readonly areas: AreaFacts };

/** Changes what the hub says of merges in a project that has areas. */
function aroundMerge(sim: Simulation, change: (made: MadeByArea, config: ProjectConfig) => Made): void {
  sim.hooks.beforeTurn.push((core, inputs) =>
    inputs.map((input) => {
      if (input.is !== 'merge.made' || input.areas === undefined) return input;
      const key = core.state.attempts.get(input.token)?.task;
      const config = sim.scenario.projects.find(({ name }) => key?.startsWith(`${name}/`) === true);
      return config === undefined ? input : change({ ...input, areas: input.areas }, config);
    }),
  );
}

function eachNode(sim: Simulation, plant: (node: VirtualNode) => void): void {
  for (const node of sim.nodes.values()) plant(node);
}

/** As if gates had found the tree green with every command. */
function prove({ green, config }: Project, tree: string): void {
  const environment = environmentOf(config);
  for (const verify of new Set(VERIFY)) green.push(evidenceKey(tree, { verify, environment }));
}

/** As if the attempt had never been fenced. */
function revive(core: Core, token: Token, outcome: Outcome): void {
  const { state } = core;
  const attempt = state.attempts.get(token);
  const task = attempt === undefined ? undefined : state.tasks.get(attempt.task);
  if (attempt?.phase.is !== 'fenced' || attempt.work.kind !== 'work' || task === undefined) return;
  if (outcome.kind !== 'done' || outcome.head === null || task.progress.at === 'merged') return;
  attempt.phase = { is: 'running', since: 0, round: 1, step: 'agent' };
  state.live.get(attempt.node)?.add(token);
  state.fenced.delete(token);
  task.progress = { at: 'attempt', token };
  task.locked = true;
  state.startable.delete(task.key);
  state.active.add(task.key);
  state.locked.add(task.key);
}
