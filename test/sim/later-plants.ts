/** Planted bugs that the faults of the menu (menu.ts) show. */
import type { Input } from '../../src/controller/door.ts';
import { BrokenDisk } from './broken-disk.ts';
import { often, type Plant } from './planting.ts';
import type { Simulation } from './simulation.ts';
import type { VirtualNode } from './virtual-node.ts';

const HOUR_MS = 60 * 60_000;

export const LATER: Readonly<Record<string, Plant>> = {
  'a name is taken for the beginning of another: a cancel ends every session that begins so': {
    shows: /was cancelled, and nobody asked for that/,
    plant: (sim) => {
      // As `tmux kill-session -t p-T1` without `=` does to p-T10, where sessions are named after tasks.
      often(sim, 'person', sim.scenario.faultsMs / 600);
      for (const node of sim.nodes.values()) {
        const handle = node.handle.bind(node);
        node.handle = (request) => {
          const reply = handle(request);
          const order = request.op === 'cancel' ? node.attempts.get(request.token)?.order : undefined;
          if (order === undefined) return reply;
          const name = `${order.project}-${order.task}`;
          for (const { order: other } of node.running())
            if (`${other.project}-${other.task}`.startsWith(name) && other.work.kind === 'work')
              node.killed(other.token);
          return reply;
        };
      }
    },
  },

  'clocks of two hosts are compared: what a node says of an hour ago is stale news': {
    shows: /not over in time/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((_, inputs) =>
        inputs.map((input): Input => {
          if (input.is !== 'node.news') return input;
          return { ...input, entries: input.entries.filter(({ at }) => sim.wall() - at < HOUR_MS) };
        }),
      );
    },
  },

  'two controllers write without a check of the epoch': {
    shows:
      /UNIQUE|n went|applied after|claimed|merged twice|differs|believed|does not fit|IllegalFact|said to have landed|which is running/,
    plant: (sim) => {
      often(sim, 'zombie', sim.scenario.faultsMs / 50);
      const { store } = sim;
      const commit = store.commit.bind(store);
      store.commit = async (lease, events, state) => {
        const newest = await store.holder();
        return commit(newest ?? lease, events, state);
      };
    },
  },

  'a commit that broke half-way is taken for durable': {
    shows:
      /n went|is gone|was \w+ and is|acknowledged up to|applied after|merged twice|runs .* a second time/,
    plant: (sim) => {
      Object.assign(sim.scenario.menu, { brokenCommit: 0.05 });
      const { store } = sim;
      const commit = store.commit.bind(store);
      store.commit = async (lease, events, state) => {
        try {
          return await commit(lease, events, state);
        } catch (error) {
          if (error instanceof BrokenDisk) return 0;
          throw error;
        }
      };
    },
  },

  'the pause before another try doubles without bound': {
    shows: /not over in time/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core) => {
        for (const [key, { tries, at }] of core.memory.retries)
          core.memory.retries.set(key, { tries, at: Math.max(at, at - 30_000 + 1_000 * 8 ** tries) });
      });
    },
  },

  'a landing whose report was lost is made again': {
    shows: /merged twice/,
    plant: (sim) => {
      // What the hub says of a landing that stands already is taken for a lost race, and the branch is merged anew.
      sim.hooks.beforeTurn.push((_, inputs) =>
        inputs.map((input): Input => {
          if (input.is !== 'landed' || !input.before) return input;
          return { is: 'land.raced', key: input.key, project: input.project };
        }),
      );
    },
  },

  'a push that was forced is accepted as ours': {
    shows: /does not contain|integration lost|stand on/,
    plant: (sim) => {
      for (const hub of sim.truth.hubs.values()) {
        hub.base = () => {
          hub.integration = hub.target;
          return hub.integration;
        };
      }
    },
  },

  'a full disk is read as a failed attempt': {
    shows: /failures are held against it/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'start.refused' || input.refusal !== 'no-space') continue;
          const task = core.state.tasks.get(core.state.attempts.get(input.token)?.task as never);
          if (task !== undefined) task.failures += 1;
        }
        return inputs;
      });
    },
  },

  'safe mode goes on starting': {
    shows: /starts in safe mode/,
    plant: (sim) => {
      breakForLong(sim);
      sim.hooks.beforeTurn.push((_, inputs) => inputs.filter(({ is }) => is !== 'safe'));
    },
  },

  'an alert is told again by the controller that comes after': {
    shows: /told again, and that was known/,
    plant: (sim) => {
      const known = new WeakSet<object>();
      sim.hooks.beforeTurn.push((core, inputs) => {
        if (known.has(core)) return inputs;
        known.add(core);
        for (const [key, alert] of core.state.alerts) core.state.alerts.set(key, { ...alert, told: [] });
        return inputs;
      });
    },
  },

  'an alert that comes back is told again within the day': {
    shows: /told twice within a day/,
    plant: (sim) => {
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const [key, alert] of core.state.alerts) core.state.alerts.set(key, { ...alert, tellings: [] });
        return inputs;
      });
    },
  },

  'a budget is reserved twice': {
    shows: /overdraws|differs|believed/,
    plant: (sim) => {
      sim.hooks.afterTurn.push((core, { events }) => {
        for (const { fact } of events) {
          if (fact.type !== 'attempt.claimed' || fact.reserved === undefined) continue;
          const attempt = core.state.attempts.get(fact.token);
          const { tokens, usd } = fact.reserved;
          if (attempt !== undefined)
            Object.assign(attempt, { reserved: { tokens: tokens === null ? null : 2 * tokens, usd } });
        }
      });
    },
  },

  'retries of a task do not count against its budget': {
    shows: /overdraws task/,
    plant: (sim) => {
      // The scheduler is shown projects that bound no task.
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const project of core.state.projects.values()) {
          const { taskBudget: _, ...config } = project.config;
          Object.assign(project, { config });
        }
        return inputs;
      });
      sim.hooks.afterTurn.push((core) => {
        for (const project of core.state.projects.values()) {
          const own = sim.scenario.projects.find(({ name }) => name === project.name);
          if (own !== undefined) Object.assign(project, { config: sim.money.configOf(own) });
        }
      });
    },
  },

  'a branch is fetched by its name, with what a daemon committed after the end': {
    shows:
      /was not green|no gate found green|finished with|another commit|is nowhere any more|whose commits nobody else has|said to be kept/,
    plant: (sim) => {
      for (const node of sim.nodes.values()) {
        const handle = node.handle.bind(node);
        node.handle = (request) => {
          const reply = handle(request);
          if (request.op !== 'bundle.get' || !('head' in reply)) return reply;
          if (node.attempts.get(request.token)?.oddity !== 'daemon') return reply;
          const { objects, hubs } = sim.truth;
          const { files } = objects.get(reply.head);
          const later = objects.commit([reply.head], new Map([...files, ['outside.ts', 'by a daemon']]));
          for (const hub of hubs.values()) {
            const set = hub.candidates.set.bind(hub.candidates);
            hub.candidates.set = (token) => set(token, token === request.token ? later.id : reply.head);
          }
          return { head: later.id };
        };
      }
    },
  },

  'a second end of an attempt is believed': {
    shows:
      /finished with|but is|although its attempt|given up|another commit|differs|believed|was failed and is|lives while/,
    plant: (sim) => {
      Object.assign(sim.scenario.menu, { odd: 0.4 });
      sim.hooks.beforeTurn.push((core, inputs) => {
        for (const input of inputs) {
          if (input.is !== 'node.news') continue;
          for (const entry of input.entries) {
            const attempt = entry.type === 'attempt.ended' ? core.state.attempts.get(entry.token) : undefined;
            if (attempt?.phase.is !== 'ended' || entry.type !== 'attempt.ended') continue;
            attempt.phase = { ...attempt.phase, outcome: entry.outcome };
          }
        }
        return inputs;
      });
    },
  },

  'a store that was put back is not told what has landed since': {
    shows: /merged twice|said to have landed|landed as another|did not land once/,
    plant: (sim) => {
      often(sim, 'restore', sim.scenario.faultsMs / 3);
      sim.misfortunes.adopts = false;
    },
  },

  'a landing whose git outlives its controller is not fenced by a restore': {
    shows: /merged twice|said to have landed|landed as another|did not land once/,
    plant: (sim) => {
      often(sim, 'restore', sim.scenario.faultsMs / 12);
      Object.assign(sim.scenario, { slowHub: HOUR_MS / 2 });
      sim.misfortunes.fences = false;
    },
  },

  'a node says that it knows an order which it has forgotten': {
    shows: /not over in time/,
    plant: (sim) => {
      often(sim, 'restore', sim.scenario.faultsMs / 3);
      for (const node of sim.nodes.values()) sayKnown(node);
    },
  },

  'what a node has acknowledged is waited for again after a restore': {
    shows: /not over in time/,
    plant: (sim) => {
      often(sim, 'restore', sim.scenario.faultsMs / 3);
      sim.hooks.beforeTurn.push((_, inputs) =>
        inputs.map((input): Input => {
          if (input.is !== 'node.up') return input;
          const { held: _held, ...welcome } = input.welcome;
          return { ...input, welcome };
        }),
      );
    },
  },
};

/** Forty failures in a row take longer than most breakdowns last. */
function breakForLong(sim: Simulation): void {
  Object.assign(sim.scenario, { faultsMs: Math.max(sim.scenario.faultsMs, 3 * HOUR_MS) });
  often(sim, 'breakdown', HOUR_MS / 12);
  sim.misfortunes.breakdownMs = 2 * HOUR_MS;
}

function sayKnown(node: VirtualNode): void {
  const handle = node.handle.bind(node);
  node.handle = (request) => {
    const reply = handle(request);
    return 'refused' in reply && reply.refused === 'forgotten' ? { state: 'known' } : reply;
  };
}
