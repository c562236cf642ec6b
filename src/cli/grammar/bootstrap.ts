import type { Command } from 'commander';
import type { BootstrapOptions } from '../nodes/baggage.ts';
import { type Act, GROUPS, verb } from './act.ts';

export function declareBootstrap(nodes: Command, act: Act): void {
  verb(nodes, 'bootstrap [target]', {
    summary: 'make a fresh machine a node, and add it',
    group: GROUPS.fleet,
    examples: [
      ['dispatch nodes bootstrap root@10.0.0.5 --name node-3 --slots 8', 'a fresh VM'],
      ['dispatch nodes bootstrap root@10.0.0.5 --check', 'what has drifted? changes nothing'],
      ['dispatch nodes bootstrap --script > bootstrap.sh', 'to run it there by hand'],
    ],
    more:
      'Runs bootstrap.sh there over a connection whose host key you have seen: Debian 12, Ubuntu 22.04 or newer as root ' +
      'or with a sudo that asks for no password, and macOS with Homebrew. It installs Node.js, git, tmux, bubblewrap, ' +
      'Python and the coding agents that the mode needs, makes an ordinary account for them, and a second run changes ' +
      'nothing. A lost connection does not stop it half way. `bash bootstrap.sh --help` says all of it.',
  })
    .option('--name <name>', 'its name in nodes.json (default: the host in the target)')
    .option('--slots <n>', 'attempts at once (default: half the cores)')
    .option('--mode <executors>', 'hybrid, or a comma-separated list: which agents are installed')
    .option('--user <account>', "the worker's account there (default: dispatch, made there; on macOS: you)")
    .option('--root <dir>', 'where the worker lives there (default: ~/agent-worker)')
    .option(
      '--key <name=file...>',
      'a key for secrets/<name>: anthropic, glm, …; without a file it is asked for',
    )
    .option('--authorize <file>', 'public keys that may log in as the worker (default: those of the target)')
    .option('--address <host>', 'how other controllers reach it, for node-info.json')
    .option('--registry <url>', 'an npm registry near the machine')
    .option('--keep-node', 'use the Node.js that is there')
    .option('--tune-sshd', 'raise the limits of its sshd')
    .option('--check', 'change nothing, list what has drifted; exit 3 when something has')
    .option('--dry-run', 'change nothing, say what would be done')
    .option('--uninstall', 'take back the services, settings, Node.js and agents; the work stays')
    .option('--purge', 'with --uninstall: the account and its work too')
    .option('--no-add', 'leave nodes.json as it is; prints node-info.json')
    .option('--script', 'print bootstrap.sh, and its checksum on stderr')
    .option('--transport <kind>', 'auto, ssh2 or openssh')
    .option('--ssh-config <file>', 'ssh configuration instead of ~/.ssh/config')
    .option('--fingerprint <sha256>', 'accept the host key only if it has this fingerprint')
    .option('--yes', 'accept the host key that is shown')
    .action(
      act(async (context, target: string | undefined, options: BootstrapOptions) => {
        const { bootstrap } = await import('../verbs/nodes/bootstrap.ts');
        return bootstrap(context, target, options);
      }),
    );
}
