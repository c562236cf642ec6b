import type { Command } from 'commander';
import type { AddOptions } from '../nodes/entry.ts';
import type { TunnelOptions } from '../verbs/tunnels.ts';
import type { ExpireOptions } from '../verbs/nodes/expire.ts';
import { type Act, byItself, GROUPS, verb } from './act.ts';
import { declareBootstrap } from './bootstrap.ts';

export function declareFleet(program: Command, act: Act): void {
  declareTunnels(program, act);
  const nodes = verb(program, 'nodes', {
    summary: 'the machines that run agents: how they are doing',
    group: GROUPS.fleet,
    examples: [
      ['dispatch nodes', 'load, memory, disk, clock, agents; what ails a machine, and what is done about it'],
      ['dispatch nodes -o wide', 'with boot, versions, and how long its supervisor stood still'],
      ['dispatch nodes list', 'what there is and what it does'],
      ['dispatch nodes add mac2', 'an ssh alias: shows its host key, probes it'],
      ['dispatch nodes drain mac2', 'let it finish and give it nothing new'],
    ],
  });

  byItself(nodes, act, async (context) => {
    const { health } = await import('../verbs/nodes/health.ts');
    return health(context);
  });

  verb(nodes, 'list', {
    summary: 'what there is: slots, marks, running attempts',
    group: GROUPS.fleet,
    examples: [
      ['dispatch nodes list', 'as a table'],
      ['dispatch nodes list -o wide', 'with labels, weight and address'],
    ],
  }).action(
    act(async (context) => {
      const { list } = await import('../verbs/nodes/list.ts');
      return list(context);
    }),
  );

  declareBootstrap(nodes, act);

  verb(nodes, 'add [name]', {
    summary: 'add a machine to nodes.json',
    group: GROUPS.fleet,
    examples: [
      ['dispatch nodes add mac2', 'an ssh alias; shows the fingerprint and asks'],
      ['dispatch nodes add mac2 --fingerprint SHA256:… --slots 4', 'without a question'],
      ['dispatch nodes add --from node-info.json', 'what bootstrap.sh printed there; - reads a pipe'],
      ['dispatch nodes add pod7 --command "kubectl exec -i agent-7 --"', 'any program that gives a stream'],
    ],
    more: 'The host key is accepted only here and by bootstrap, after you have seen its fingerprint. Then the node is probed.',
  })
    .option('--from <file>', 'name, slots, mode, address and host keys from a node-info.json; flags win')
    .option('--target <alias>', 'ssh alias or user@host, when it is not the name')
    .option('--local', 'this machine')
    .option('--command <words>', 'a program that gives a byte stream there: words, or a JSON list')
    .option('--slots <n>', 'attempts at once (default: half the cores)')
    .option('--mode <executors>', 'hybrid, or a comma-separated list of executors it takes')
    .option('--label <label...>', 'labels')
    .option('--weight <number>', 'preference among nodes (default: 1)')
    .option('--transport <kind>', 'auto, ssh2 or openssh')
    .option('--root <dir>', 'where the worker lives there (default: ~/agent-worker)')
    .option('--ssh-config <file>', 'ssh configuration instead of ~/.ssh/config')
    .option('--fingerprint <sha256>', 'accept the host key only if it has this fingerprint')
    .option('--yes', 'accept the host key that is shown')
    .action(
      act(async (context, name: string | undefined, options: AddOptions) => {
        const { add } = await import('../verbs/nodes/add.ts');
        return add(context, name, options);
      }),
    );

  verb(nodes, 'probe [names...]', {
    summary: 'connect and show what a machine has',
    group: GROUPS.fleet,
    examples: [
      ['dispatch nodes probe', 'all of them'],
      ['dispatch nodes probe mac2 -o json', 'one, for a program'],
    ],
  }).action(
    act(async (context, names: string[]) => {
      const { probe } = await import('../verbs/nodes/probe.ts');
      return probe(context, names);
    }),
  );

  declareMarks(nodes, act);
  declareExpire(nodes, act);
  declareCredentials(program, act);

  verb(nodes, 'remove <name>', {
    summary: 'take a machine out of nodes.json',
    group: GROUPS.fleet,
    examples: [['dispatch nodes remove mac2', 'refused while attempts run there']],
  }).action(
    act(async (context, name: string) => {
      const { remove } = await import('../verbs/nodes/remove.ts');
      return remove(context, name);
    }),
  );
}

function declareTunnels(program: Command, act: Act): void {
  const tunnels = verb(program, 'tunnels', {
    summary: 'keep `dispatch serve`, and with it the connections, across logins and sleep',
    group: GROUPS.fleet,
    examples: [
      ['dispatch tunnels install', 'a unit of your systemd, or an agent of launchd; starts it'],
      ['dispatch tunnels status', 'whether it runs'],
    ],
  });
  const verbs = [
    ['install', 'write the unit and start it; again: bring it up to date', '--dry-run'],
    ['uninstall', 'stop it and remove the unit; agents go on', '--dry-run'],
    ['status', 'whether it is installed and runs', '-o json'],
  ] as const;
  for (const [name, summary, flag] of verbs) {
    const declared = verb(tunnels, name, {
      summary,
      group: GROUPS.fleet,
      examples: [
        [`dispatch tunnels ${name}`, summary],
        [
          `dispatch tunnels ${name} ${flag}`,
          name === 'status' ? 'for a program' : 'only show what it would do',
        ],
      ],
    });
    if (name !== 'status') declared.option('--dry-run', 'show the file and the commands, change nothing');
    declared.action(
      act(async (context, options: TunnelOptions) => {
        const verbsOf = await import('../verbs/tunnels.ts');
        return verbsOf[name](context, options);
      }),
    );
  }
}

function declareCredentials(program: Command, act: Act): void {
  verb(program, 'credentials', {
    summary: 'the keys to model providers: use, limits seen, next retry',
    group: GROUPS.fleet,
    examples: [
      ['dispatch credentials', 'which key is busy or refused, and until when'],
      ['dispatch credentials -o wide', 'with what each provider has shown so far'],
    ],
    more: `A refusal for too many calls halves what a key may carry at once and starts a back-off; every window of successes
adds one. Bounds, pools of keys and a fallback are set in executors.yaml: dispatch help executors.`,
  }).action(
    act(async (context) => {
      const { credentials } = await import('../verbs/credentials.ts');
      return credentials(context);
    }),
  );
}

function declareMarks(nodes: Command, act: Act): void {
  const marks = [
    ['drain', 'drain', 'let running attempts end, give nothing new'],
    ['cordon', 'cordon', 'give nothing new for now'],
    ['uncordon', 'none', 'use it again'],
  ] as const;
  for (const [name, mark, summary] of marks) {
    verb(nodes, `${name} <names...>`, {
      summary,
      group: GROUPS.fleet,
      examples: [[`dispatch nodes ${name} mac2`, summary]],
    }).action(
      act(async (context, names: string[]) => {
        const verbs = await import('../verbs/nodes/mark.ts');
        return verbs.mark(context, names, mark);
      }),
    );
  }
}

function declareExpire(nodes: Command, act: Act): void {
  verb(nodes, 'expire <name>', {
    summary: 'a machine is gone: start its work elsewhere now',
    group: GROUPS.fleet,
    examples: [
      ['dispatch nodes expire mac2', 'shows what would be given up, and asks'],
      ['dispatch nodes expire mac2 --yes', 'without a question'],
    ],
    more: `A node that cannot be reached keeps its attempts until its lease has ended:
\`lease\` in nodes.json, 30m by default, \`never\` for a machine that only you give
up. This verb ends it at once: the tasks start elsewhere as their next attempt.
When the machine comes back it is used again, and what it finished meanwhile is
kept, shown and not merged. More: dispatch help leases`,
  })
    .option('--yes', 'do not ask')
    .action(
      act(async (context, name: string, options: ExpireOptions) => {
        const { expire } = await import('../verbs/nodes/expire.ts');
        return expire(context, name, options);
      }),
    );
}
