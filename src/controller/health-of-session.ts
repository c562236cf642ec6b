/** The parts of a session that health checks try. */
import type { Lease, Store } from '../store/port.ts';
import type { Core } from './core.ts';
import type { Fleet } from './fleet.ts';
import { HealthDesk } from './health.ts';
import { type Checked, deepChecks, readyChecks } from './health-checks.ts';
import type { Hubs } from './hubs.ts';
import type { SpaceNews } from './space-news.ts';

export interface SessionParts extends Pick<Checked, 'home' | 'looks' | 'delay' | 'parts'> {
  readonly store: Pick<Store, 'holder'>;
  readonly lease: Lease;
  readonly core: Core;
  readonly fleet: Fleet;
  readonly hubs: Hubs;
  readonly space: SpaceNews;
}

export function healthOf(parts: SessionParts): HealthDesk {
  const { home, looks, delay, parts: standings, lease, core, fleet, hubs } = parts;
  const checked: Checked = {
    home,
    looks,
    delay,
    parts: standings,
    pid: lease.pid,
    nodes: () => fleet.configs,
    holds: () => holds(parts),
    lookOver: () => core.lookOver(),
    untried: () => fleet.configs.flatMap(({ name }) => (core.memory.tried.has(name) ? [] : [name])),
    hubs: () =>
      [...core.state.projects.values()].flatMap(({ name: project, config, integration, hold }) =>
        config.repo === null || integration === null
          ? []
          : [
              {
                project,
                tip: async () => {
                  if (hold?.lost !== undefined) throw new Error(hold.reason);
                  return (await hubs.of(project)).integration();
                },
              },
            ],
      ),
  };
  return new HealthDesk({ ready: () => readyChecks(checked), deep: () => deepChecks(checked) });
}

async function holds({ space, store, lease }: SessionParts): Promise<void> {
  if (space.isFull) throw new Error('the last commit found no space on the disk; it is tried again');
  const holder = await store.holder();
  if (holder?.epoch !== lease.epoch) throw new Error('another controller has taken over');
}
