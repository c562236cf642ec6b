import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the rooms transport and node: reaching a machine and getting our program to run there. */
export const NODE_CODES = {
  E_SSH_ALIAS: {
    title: 'not a usable ssh target',
    exit: EXIT.usage,
    explain:
      'An ssh target is an alias of your ssh configuration, a host name, or user@host. It may not begin with a dash, because ssh would read it as an option, and it holds no spaces or shell characters. Give the machine an alias in ~/.ssh/config and use that.',
  },
  E_SSH_CONFIG: {
    title: 'the ssh configuration of a node cannot be read',
    exit: EXIT.usage,
    explain:
      '`ssh -G <alias>` is the single source of connection settings, and it failed or gave something that cannot be used. Run the command yourself: it names the file and the line.',
  },
  E_NODE_ROOT: {
    title: 'not a usable directory for the worker',
    exit: EXIT.usage,
    explain:
      'The root of a node is an absolute path or begins with ~/, and holds only letters, digits and the characters . _ - and /. The default is ~/agent-worker.',
  },
  E_HOST_KEY_UNKNOWN: {
    title: 'the host key of a node is not known yet',
    exit: EXIT.auth,
    explain:
      'Host keys are always verified, and no file of known hosts has one for this machine. Nothing was sent. `dispatch nodes add <name>` shows the fingerprint and records the key after you agree; connecting once with ssh by hand does the same.',
  },
  E_HOST_KEY_CHANGED: {
    title: 'the host key of a node is another one than before',
    exit: EXIT.auth,
    explain:
      'The machine answered with a key that differs from the recorded one: it was installed anew, the address now belongs to another machine, or somebody is in between. Nothing was sent. When you know why it changed, remove the old key with the printed ssh-keygen -R command and run `dispatch nodes add` again.',
  },
  E_SSH_AUTH: {
    title: 'the node does not accept our key',
    exit: EXIT.auth,
    explain:
      'The machine was reached and its host key is right, but no key of the agent or of the identity files was accepted. After two refusals dispatch waits a minute, then twice as long each time, because ssh servers punish sources that keep failing. Keys with a passphrase must be in the ssh agent (ssh-add).',
  },
  E_NODE_UNREACHABLE: {
    title: 'the node cannot be reached',
    exit: EXIT.unreachable,
    explain:
      'The connection could not be made: wrong address or port, the machine is off, or a network in between is down. Attempts that run there are not affected; dispatch connects again by itself and adopts them.',
  },
  E_NODE_TIMEOUT: {
    title: 'the node did not answer in time',
    exit: EXIT.timeout,
    explain:
      'A request, or the connection itself, got no answer before its deadline. Whether the request was carried out is unknown: dispatch asks again with the same token, so nothing runs twice.',
  },
  E_NODE_DISCONNECTED: {
    title: 'there is no connection to the node at the moment',
    exit: EXIT.unreachable,
    explain:
      'The stream to the node is down or went down before the answer came. Whether the request was carried out is unknown. Attempts on the node go on; dispatch connects again by itself and asks again.',
  },
  E_NODE_FAILING: {
    title: 'a node was cordoned because attempts fail there by its own fault',
    exit: EXIT.unreachable,
    explain:
      'Attempts could not be started or kept on the machine although nothing was wrong with them: after three in a row it was placed last, after ten its supervisor was restarted, and when that did not help it was cordoned. A spec, a gate or a refused key never counts. `dispatch nodes` shows the last reason. Mend the machine, then `dispatch nodes uncordon <name>`: it is tried as if nothing had been.',
  },
  E_NODE_STUCK: {
    title: 'processes on a node outlive SIGKILL',
    exit: EXIT.unreachable,
    explain:
      'A process that is still there a minute after SIGKILL hangs in the kernel, mostly in a file system that does not answer. Its attempt has ended without it, but it holds memory and files, so the node is drained: what runs there goes on, and nothing new is placed. When the process is gone, or the machine has been restarted, the node is used again by itself.',
  },
  E_NODE_SHELL: {
    title: 'no shell answered at the other end',
    exit: EXIT.unreachable,
    explain:
      'The connection stands, but the far end did not run the script that /bin/sh was given: a forced command, a login shell that refuses commands or waits for input, or a `command` in nodes.json that does not lead to a shell. `echo "echo hello" | ssh <alias> /bin/sh` must print hello.',
  },
  E_NODE_NO_NODE: {
    title: 'the node has no Node.js that is new enough',
    exit: EXIT.notFound,
    explain:
      'The worker is one JavaScript file and needs Node.js 20 or newer on the machine. It is looked for in ~/.dispatch/node/bin, the newest version of nvm, ~/.local/bin, /opt/homebrew/bin, /usr/local/bin and the PATH of the login shell. bootstrap.sh installs it.',
  },
  E_NODE_NO_TMUX: {
    title: 'the node has no tmux that is new enough',
    exit: EXIT.notFound,
    explain:
      'Every attempt runs in a tmux session, so that it survives connections and a person can look. Version 3.2 or newer is needed.',
  },
  E_NODE_NO_GIT: {
    title: 'the node has no git that is new enough',
    exit: EXIT.notFound,
    explain: 'Code travels as git bundles, so the machine needs git 2.30 or newer.',
  },
  E_NODE_NO_TOOL: {
    title: 'the node lacks a standard program',
    exit: EXIT.notFound,
    explain:
      'To receive the worker the shell needs head, tail and one of sha256sum, shasum or openssl. Any usual Linux or macOS has them.',
  },
  E_NODE_NO_SPACE: {
    title: 'no space left on the node',
    exit: EXIT.conflict,
    explain:
      'The disk or the quota where the worker lives is full, so its program, or the branch that it was to hand over, could not be written. Nothing is lost: free some space, and what waits there goes on by itself. Old attempts can be removed with `dispatch nodes` once they are merged.',
  },
  E_NODE_NOT_WRITABLE: {
    title: 'the worker directory of the node cannot be written',
    exit: EXIT.conflict,
    explain:
      'The directory belongs to somebody else or lies on a read-only file system. Choose another one with "root" in nodes.json or mend its rights.',
  },
  E_NODE_SHIP: {
    title: 'the program did not arrive on the node as it was sent',
    exit: EXIT.unreachable,
    explain:
      'The checksum of what the node received differs from what was sent. Nothing was put in place. Something on the way changes bytes: a `command` that allocates a terminal, or a broken network card. dispatch tries again by itself.',
  },
  E_NODE_NO_SANDBOX: {
    title: 'the node has no sandbox for verify commands, or for agents in cage: strict',
    exit: EXIT.conflict,
    explain:
      'A verify command runs what an agent wrote, so on Linux it runs in bubblewrap and on macOS in sandbox-exec. On this node neither works, and gates there would be refused. Install bubblewrap (apt install bubblewrap); where the kernel forbids it (AppArmor on Ubuntu 24.04, a container) the message names the setting. `trusted: true` in project.yaml runs the verify commands of a project without a sandbox, with every right of the account on the node. An agent whose project or executor says `cage: strict` runs in the same sandbox, and no such attempt is placed on a node without one; `cage: basic` does without.',
  },
  E_NODE_EXECUTOR: {
    title: 'an agent’s program on the node is missing or of the wrong version',
    exit: EXIT.conflict,
    explain:
      'Before an agent first runs on a node its program is asked for its version and its help, once for each version found there. This one is missing, is older than `probe.least`, or its help lacks a flag that the executor is called with, so every attempt would fail in a strange way. Install the version that your other nodes have, or describe the one that is there in executors.yaml (`arguments`, `resume`, `probe`). `dispatch nodes probe` shows what each node has.',
  },
  E_NODE_REFUSED: {
    title: 'a node understood a request and could not carry it out',
    exit: EXIT.unreachable,
    explain:
      'The node answered, so the connection works, and named what kept it from doing it: a git that failed there, a file that could not be written. Nothing is lost, and dispatch asks again by itself. If it repeats, look at the machine with `dispatch nodes probe <node>`.',
  },
  E_NODE_START: {
    title: 'the worker on the node does not start',
    exit: EXIT.unreachable,
    explain:
      'The program is on the node and was started, but it ended before it said hello. The message has its last words; more are in run/supervisor.log under the worker directory. Usual causes: tmux cannot make its socket there, or the directory is on a file system without sockets.',
  },
  E_NODE_PROTOCOL: {
    title: 'the node answers in a way that is not understood',
    exit: EXIT.unreachable,
    explain:
      'What came over the connection is not what our own program sends. The connection was closed, because nothing on it can be trusted any more; dispatch connects again by itself.',
  },
  E_NODE_PROGRAM: {
    title: 'the program for nodes is missing here',
    exit: EXIT.internal,
    explain:
      'task-wrapper.json and the two files it names lie beside the dispatch program. They are missing or damaged: install dispatch again, or build it with `make setup`.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
