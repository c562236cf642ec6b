/**
 * The verify command's cage. What it may write is the clean checkout, a /tmp and a home of its own; what it may read is
 * the system, and what the project names. It sees no other process, no other attempt, nobody's home, and no network
 * unless the project allows it; when it ends, everything that it started ends.
 *
 *   Linux   bubblewrap (sandbox-bubblewrap.ts), about 10 ms per start; control groups bound memory and processes where
 *           this user can make them (sandbox-group.ts), else limits of the shell do as far as they go
 *   macOS   sandbox-exec with a profile (sandbox-profile.ts); processes and memory are not bounded there
 *
 * There is no third way: where neither works, a verify command does not run, unless the project says `trusted: true`.
 */
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { SandboxRules } from '../src/model/sandbox.ts';
import { readIfThere } from './durable.ts';
import { removeTree } from './remove.ts';
import type { Root } from './root.ts';
import { bubblewrapped, gatePlaces, INSIDE } from './sandbox-bubblewrap.ts';
import { makeGroup } from './sandbox-group.ts';
import { limited } from './sandbox-limits.ts';
import { profileText } from './sandbox-profile.ts';
import { findSandbox, NoSandbox } from './sandbox-probe.ts';
import { systemView } from './sandbox-view.ts';
import type { Command } from './step.ts';

export interface Caged {
  /** Shell command. */
  readonly command: string;
  readonly rules: SandboxRules;
  /** Environment without HOME and TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Real path of the checkout. */
  readonly tree: string;
  /** Absolute path without extension, of a place that is the command's alone: `<place>-home` and so on are made anew. */
  readonly place: string;
  /** Name that no other command of this node has. */
  readonly name: string;
  /** Directories that were prepared: where they are kept, and where in the checkout they are shown. */
  readonly prepared: readonly { readonly kept: string; readonly path: string }[];
}

/**
 * What to run for the command to run in the sandbox.
 * @throws NoSandbox when this node has none and the project does not do without.
 */
export async function caged(
  root: Root,
  want: Caged,
): Promise<Pick<Command, 'argv' | 'env' | 'cwd' | 'groups' | 'third'>> {
  const { rules, tree } = want;
  const home = `${want.place}-home`;
  const tmp = `${want.place}-tmp`;
  // Anew: whatever the agent, or a round before, left there must not reach the gate.
  for (const dir of [home, tmp]) {
    await removeTree(dir);
    mkdirSync(dir, { mode: 0o700 });
  }
  const outside = { ...want.env, HOME: home, TMPDIR: tmp };
  rmSync(reportOf(want.place), { force: true });
  if (rules.trusted) return { argv: ['/bin/sh', '-c', want.command], env: outside, cwd: tree, groups: [] };
  const sandbox = await findSandbox(root);
  switch (sandbox.by) {
    case null:
      throw new NoSandbox(sandbox);
    case 'sandbox-exec': {
      const profile = `${want.place}.profile`;
      const readable = [...rules.readOnly, ...want.prepared.map(({ kept }) => realpathSync(kept))];
      writeFileSync(
        profile,
        profileText({ root: root.path, writable: [tree, home, tmp], readable, network: rules.network }),
      );
      const argv = ['/usr/bin/sandbox-exec', '-f', profile, ...limited(want.command, rules.limits, false)];
      return { argv, env: outside, cwd: tree, groups: [] };
    }
    case 'bubblewrap': {
      const group = makeGroup(want.name, rules.limits);
      const argv = bubblewrapped(limited(want.command, rules.limits, group === null), {
        program: sandbox.program,
        nestedOff: sandbox.nestedOff,
        view: systemView(root, rules.readOnly),
        env: { ...want.env, HOME: INSIDE.home, TMPDIR: INSIDE.tmp },
        places: gatePlaces({ tree, home, tmp }),
        shown: want.prepared.map(({ kept, path }) => ({ from: kept, at: `${INSIDE.tree}/${path}` })),
        network: rules.network,
        reports: true,
      });
      return { argv, env: want.env, cwd: tree, groups: group ?? [], third: reportOf(want.place) };
    }
  }
}

/**
 * True when the sandbox of the command that ended could not be built (a directory of the PATH went away, the machine has
 * no namespace left), so that its exit code is not the command's.
 */
export function unbuilt(place: string): boolean {
  return readIfThere(reportOf(place))?.includes('"exit-code"') === false;
}

function reportOf(place: string): string {
  return `${place}-report`;
}
