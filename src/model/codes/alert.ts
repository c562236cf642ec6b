import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes of alerts, of their sinks, and of health. */
export const ALERT_CODES = {
  E_FAILURE_RATE: {
    title: 'more attempts fail than usual',
    exit: EXIT.unfinished,
    explain:
      'Of the attempts at work that ended within the window of the rule `failure-rate` (24 h), more than its share (5 %) failed, were refused, timed out or were lost. Cancelled ones do not count. `dispatch daily-report` says why they failed; specs of one kind, one executor or one node usually stand out.',
  },
  E_NO_PROGRESS: {
    title: 'nothing has moved for a long time',
    exit: EXIT.unfinished,
    explain:
      'The project has work that could go on without a person, and for the time of the rule `no-progress` (60 min) no attempt began, moved or ended and nothing merged. `dispatch why <task>` says what each task waits for, `dispatch nodes` how the machines are doing.',
  },
  E_HEARTBEAT: {
    title: 'a node has not said how it is doing',
    exit: EXIT.unfinished,
    explain:
      'The connection to the node stands, but it has not answered a look for the time of the rule `heartbeat` (10 min). Its attempts go on; nothing is ended for silence. `dispatch nodes probe <name>` asks it anew.',
  },
  E_NODE_DOWN: {
    title: 'a node cannot be reached',
    exit: EXIT.unreachable,
    explain:
      'No connection to the node has stood for the time of the rule `node-down` (2 min). What runs there runs on, and is collected when it is back; until its lease has ended nothing starts elsewhere. `dispatch nodes probe <name>` says what is wrong, `dispatch nodes expire <name>` gives it up.',
  },
  E_NODE_LOST: {
    title: 'a node was given up',
    exit: EXIT.unreachable,
    explain:
      'The lease of the node has ended, or a person ended it: its attempts were given up and their tasks start elsewhere. It is used again as soon as it is back; what it finished meanwhile is kept, shown and not merged. Take it out with `dispatch nodes remove <name>` when it is gone for good.',
  },
  E_DISK_LOW: {
    title: 'the disk of this machine is nearly full',
    exit: EXIT.unfinished,
    explain:
      'The disk that holds the home has less free than the rule `disk` asks for (5 %, or 1 GiB). When it is full nothing is dispatched until there is space; nothing is lost. `.dispatch/repos` and the log of `.dispatch/state.db` are the largest parts.',
  },
  E_BUDGET: {
    title: 'a task has used most of its budget',
    exit: EXIT.unfinished,
    explain:
      'The attempts of the task have used more than the share of the rule `budget` (80 %) of the tokens that its spec or project.yaml allows. Agents that report no usage are not counted. A larger `budget` in the spec, or a smaller task, is the remedy.',
  },
  E_UTILISATION: {
    title: 'slots stand empty while work waits',
    exit: EXIT.unfinished,
    explain:
      'For the time of the rule `utilisation` (30 min) less than its share (60 %) of the slots had work, although tasks are not finished. Locks, dependencies, keys at their limit and marked nodes keep work from starting: `dispatch status` says whether more machines would help, `dispatch why <task>` what one waits for.',
  },
  E_MANY_BLOCKED: {
    title: 'many tasks are blocked',
    exit: EXIT.unfinished,
    explain:
      'More tasks than the rule `blocked` allows (10) wait for one that failed, was cancelled or is parked, however far up. `dispatch status` shows them; a retry of the few at the root frees all of them.',
  },
  E_WAL_SIZE: {
    title: 'the write-ahead log of the store is large',
    exit: EXIT.unfinished,
    explain:
      'SQLite cannot fold the log into the database while some process reads without end. It is larger than the rule `wal` allows (64 MiB). Find whoever has `.dispatch/state.db` open (`fuser`), and end what does not belong there; nothing is lost.',
  },
  E_EVENT_LOOP: {
    title: 'the controller answers late',
    exit: EXIT.unfinished,
    explain:
      'Of the turns of the controller’s event loop one in a hundred was later than the rule `event-loop` allows (500 ms). The machine is overloaded, or swaps. Agents do not notice; what they finish is merged later.',
  },
  E_SINK: {
    title: 'an alert could not be sent',
    exit: EXIT.unfinished,
    explain:
      'A sink of alerts.yaml refused a message, did not answer before its deadline, or its secret is missing. It is tried again with growing pauses, the run goes on, and after three failures the other sinks are told. `dispatch alerts test <name>` sends one message and says what came back.',
  },
  E_SERVE_PORT: {
    title: 'the address for health is taken',
    exit: EXIT.conflict,
    explain:
      '`dispatch serve` answers /health on a port of this machine, 127.0.0.1:7070 unless `serve: { listen: … }` in dispatch.yaml names another one. Something else listens there, so there is no HTTP this time; everything else goes on, and `dispatch health` works without it. Name another port, `127.0.0.1:0` for any, or `off`.',
  },
  E_NO_CONTROLLER: {
    title: 'no controller of this home answers',
    exit: EXIT.unreachable,
    explain:
      'Health is told by the controller that runs: `dispatch serve`, or `dispatch start` for as long as it runs. None listens, or it does not answer in time. Agents go on either way; `dispatch status` shows what the store knows, `dispatch doctor` what a controller would need.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
