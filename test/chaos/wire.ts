/**
 * A network of its own for a node: a namespace behind a pair of virtual Ethernet cards, so that the kernels' own TCP
 * sees what happens to packets. Needs root and `ip`. A hole is made by telling each end a wrong hardware address of the
 * other: packets go out and nobody takes them, which no program notices and no rule of a firewall is needed for.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** Nobody has this hardware address. */
const NOBODY = '02:00:00:00:00:01';

/** Why there can be none here; null where there can. */
export function noWires(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `dc${randomInt(1_000_000)}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.error !== undefined) return 'there is no `ip` here (apt install iproute2)';
  if (made.status !== 0) return `this machine makes no network namespaces: ${made.stderr.trim()}`;
  spawnSync('ip', ['netns', 'del', name]);
  return null;
}

export class Wire {
  /** The node's address, seen from here. */
  readonly address: string;
  readonly #space: string;
  readonly #near: string;
  readonly #far: string;
  readonly #nearAddress: string;
  readonly #mac: { readonly near: string; readonly far: string };

  constructor() {
    const id = randomInt(1 << 20).toString(36);
    const net = `10.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(64) * 4}`.split('.').map(Number);
    const host = (n: number): string => [...net.slice(0, 3), (net[3] ?? 0) + n].join('.');
    this.#space = `dc${id}`;
    this.#near = `dn${id}`;
    this.#far = `df${id}`;
    this.#nearAddress = host(1);
    this.address = host(2);
    ip('netns', 'add', this.#space);
    ip('link', 'add', this.#near, 'type', 'veth', 'peer', 'name', this.#far, 'netns', this.#space);
    ip('address', 'add', `${this.#nearAddress}/30`, 'dev', this.#near);
    ip('link', 'set', this.#near, 'up');
    this.#inside('address', 'add', `${this.address}/30`, 'dev', this.#far);
    this.#inside('link', 'set', 'lo', 'up');
    this.#inside('link', 'set', this.#far, 'up');
    this.#mac = {
      near: mac(ip('link', 'show', this.#near)),
      far: mac(this.#inside('link', 'show', this.#far)),
    };
  }

  /** Words in front of a program that runs at the far end. */
  get launcher(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#space];
  }

  /** Packets are lost in both directions, and nobody is told. */
  hole(): void {
    this.#neighbours(NOBODY, NOBODY);
  }

  /** The hole is gone; what TCP still tries to send arrives. */
  fill(): void {
    this.#neighbours(this.#mac.far, this.#mac.near);
  }

  /** The cable is pulled at the node's end: the card here has no carrier. */
  unplug(): void {
    this.#inside('link', 'set', this.#far, 'down');
  }

  plug(): void {
    this.#inside('link', 'set', this.#far, 'up');
  }

  remove(): void {
    spawnSync('ip', ['link', 'del', this.#near]);
    spawnSync('ip', ['netns', 'del', this.#space]);
  }

  #neighbours(far: string, near: string): void {
    ip('neigh', 'replace', this.address, 'lladdr', far, 'dev', this.#near, 'nud', 'permanent');
    this.#inside('neigh', 'replace', this.#nearAddress, 'lladdr', near, 'dev', this.#far, 'nud', 'permanent');
  }

  #inside(...args: string[]): string {
    return ip('-n', this.#space, ...args);
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function mac(shown: string): string {
  return /link\/ether (\S+)/u.exec(shown)?.[1] ?? NOBODY;
}
