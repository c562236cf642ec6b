import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the command line itself. */
export const CLI_CODES = {
  E_USAGE: {
    title: 'the command line is not understood',
    exit: EXIT.usage,
    explain:
      'A verb, an option or an argument is unknown, missing or of the wrong form. `dispatch help <verb>` shows examples.',
  },
  E_INTERNAL: {
    title: 'dispatch itself failed',
    exit: EXIT.internal,
    explain:
      'A defect of dispatch, not of your files. Nothing was half done: every change of state is one transaction. Run the same command again; if it repeats, report the printed text.',
  },
  E_NO_HOME: {
    title: 'no dispatch home here',
    exit: EXIT.notFound,
    explain:
      'A home is a directory with nodes.json and specs/. dispatch looks for one from the current directory upwards, or takes --home or DISPATCH_HOME. `dispatch init` makes one.',
  },
  E_NOT_FOUND: {
    title: 'no such project, task or node',
    exit: EXIT.notFound,
    explain: 'The name is not known in this home. The message names the nearest one that is.',
  },
  E_CONFIG: {
    title: 'a configuration file or variable has a value that is not understood',
    exit: EXIT.usage,
    explain:
      'Settings come from flags, then DISPATCH_* variables, then ./dispatch.yaml, then $XDG_CONFIG_HOME/dispatch/config.yaml. The keys are home, output, color and progress; dispatch.yaml of a home also has sections such as models and feed. The message names the file or variable. `dispatch help configuration` lists what each takes.',
  },
  E_AMBIGUOUS: {
    title: 'the name fits more than one task',
    exit: EXIT.usage,
    explain: 'Two projects have a task with this id. Write it with its project: project/task.',
  },
  E_NO_ATTEMPT: {
    title: 'the task has no such attempt',
    exit: EXIT.notFound,
    explain:
      'Logs and windows belong to attempts, and an attempt exists once a task was given to a node. `dispatch why <task>` says why a task is not running; `dispatch report <project>` lists its attempts.',
  },
  E_NEEDS_TERMINAL: {
    title: 'the command needs a terminal',
    exit: EXIT.usage,
    explain:
      'dispatch never asks or takes over the screen when its input or output is a pipe. Each question has a flag that answers it; the message names it. `attach` has `logs -f` as its equivalent.',
  },
  E_DECLINED: {
    title: 'a question was answered with no',
    exit: EXIT.internal,
    explain:
      'Nothing was changed. Run the command again to be asked once more, or answer with the flag that its help names.',
  },
  E_NODE_INFO: {
    title: 'not a node-info.json',
    exit: EXIT.usage,
    explain:
      'bootstrap.sh prints a description of the machine as JSON on its standard output, and everything else on standard error. `dispatch nodes add --from <file>` takes that file, and `-` for a pipe.',
  },
  E_BOOTSTRAP: {
    title: 'a machine could not be made a node',
    exit: EXIT.internal,
    explain:
      'bootstrap.sh ran on the machine and stopped; its own words say in which step and why. What it did stays. Mend the cause and run the same command again: it only does what is missing.',
  },
  E_NODE_BUSY: {
    title: 'attempts are still running on the node',
    exit: EXIT.conflict,
    explain:
      'A node with live attempts is not removed: their results would be stranded. `dispatch nodes drain <name>` lets the running ones end and takes no new ones; remove it then.',
  },
  E_FINGERPRINT: {
    title: 'the host key is not the one that was named',
    exit: EXIT.auth,
    explain:
      'The node offered a key whose fingerprint differs from --fingerprint. Either the fingerprint was mistyped or something else answers at that address. Compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine itself.',
  },
  E_REPLAY: {
    title: 'the events and the tables disagree',
    exit: EXIT.internal,
    explain:
      'Rebuilding the state from the log of events gave something else than the tables hold. The events are the truth. Keep a copy of .dispatch/state.db and report the printed differences.',
  },
  E_NO_SUPERVISOR: {
    title: 'nothing here keeps programs running for this user',
    exit: EXIT.conflict,
    explain:
      "`dispatch tunnels install` writes a unit for the user's systemd, or an agent for launchd. In a container, over `su`, or on a system without systemd there is none to take it. `dispatch serve` in a terminal that stays open (tmux, screen) does the same work; whatever supervises programs there can start it too: it stops cleanly on SIGTERM.",
  },
  E_SUPERVISOR: {
    title: 'systemd or launchd refused',
    exit: EXIT.internal,
    explain:
      'The message has the command and what it said. `dispatch tunnels install --dry-run` shows the unit and the commands, to be run by hand.',
  },
  E_CODE_UNKNOWN: {
    title: 'no such error code',
    exit: EXIT.notFound,
    explain: '`dispatch explain` without a code lists all codes.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
