import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the controller. */
export const CONTROLLER_CODES = {
  E_WRONG_STATE: {
    title: 'the task is not in a state that allows this',
    exit: EXIT.conflict,
    explain:
      'A merged task cannot be cancelled, a running one cannot be retried, only one that waits for a review, was parked, or has merged with findings of a second model can be reviewed, and only a branch can be taken over. `dispatch status` shows where the task is, `dispatch why` what it waits for.',
  },
  E_DEGRADED: {
    title: 'a part of the controller goes on failing',
    exit: EXIT.internal,
    explain:
      'The hub of a project, or the making of orders for nodes, failed three times in a row. Everything is tried again with a growing back-off, and after ten failures the part is started anew. Nothing is lost meanwhile: agents go on and their work waits on its nodes. `dispatch doctor` looks at the usual causes: a full disk, a damaged hub, git.',
  },
  E_SAFE_MODE: {
    title: 'no new work starts, because a part of the controller does not work',
    exit: EXIT.internal,
    explain:
      'A part of the controller failed forty times in a row, and starting it anew did not help. No new attempt of the projects that depend on it starts; agents that run go on, and what they finish is collected, gated and landed as far as that can be. The first success ends safe mode by itself. `dispatch doctor` looks at the usual causes; a damaged hub is moved aside, and `dispatch restore` brings back what a backup has of it.',
  },
  E_UNFIT: {
    title: 'something could not be applied and was put aside',
    exit: EXIT.internal,
    explain:
      'What a node, a hub or a person told does not fit the state that the controller has, or its store refuses what follows from it. That is a defect. Nothing of it was recorded: the state was read again from the store, what was told is kept whole in a file in `.dispatch/aside/`, and all else goes on. A node that said it gets nothing new for a minute, an effect is tried again with a growing back-off, a command is answered with this error. The third time safe mode begins (E_INVARIANT, a P0 alert): what runs is still collected, and nothing starts or lands. An attempt whose end was put aside stays as it was: `dispatch why` says so, `dispatch cancel` and `dispatch retry` do it anew, and `dispatch rescue` lists its branch. `dispatch replay --check` says whether the state itself is sound. Please report it with the file, then delete the file, which ends the alert.',
  },
  E_INVARIANT: {
    title: 'something does not hold that must always hold',
    exit: EXIT.internal,
    explain:
      'The controller holds every turn, and the whole state at each start and once a day, against a list of what must hold: one live attempt per task, no two running tasks on one path, nothing merged twice, no slot or budget exceeded. One of them does not, so there is a defect, and what the controller believes may be wrong. It does nothing more that cannot be taken back: no work starts, nothing lands, nothing is reclaimed on a node; what runs goes on and its work is fetched. `dispatch replay --check` says what is wrong and since which event. When the state itself is sound, restarting the controller ends it; else keep a copy (`dispatch backup`) and go back to an earlier one (`dispatch restore`), which merges nothing twice. Please report it with the message.',
  },
  E_NO_NODE_REACHED: {
    title: 'none of the nodes can be reached',
    exit: EXIT.unreachable,
    explain:
      'Every node of nodes.json was tried, none could be reached, and nothing can go on without one. The message has the reason for each. Nothing was started and nothing is lost: mend one of them (`dispatch doctor` looks closer) and give the same command again. While attempts of the project are alive on a node that does not answer, `dispatch start` waits for it instead.',
  },
  E_CONTROLLER_GONE: {
    title: 'the controller that was watched went away',
    exit: EXIT.unreachable,
    explain:
      'This home was kept by `dispatch serve`, which has ended and was not started again within a minute. Agents on the nodes go on, and whatever controller comes next adopts them. `dispatch tunnels status` says what became of it; without it `dispatch start` is the controller itself.',
  },
  E_NOTHING_TO_COLLECT: {
    title: 'the project has no repository',
    exit: EXIT.usage,
    explain:
      "collect lands a project's integration branch on its target branch. A project without `repo` has neither: what its tasks produced is in their logs, and `dispatch report` shows how each ended.",
  },
  E_TIP_RED: {
    title: 'the verify command fails on what would land',
    exit: EXIT.unfinished,
    explain:
      'Before collect lands anything it verifies exactly the commit that would land. Usually the target moved in the meantime and does not fit what the tasks made, or the tests are flaky. The target is untouched; integration keeps everything that merged. The message has the end of its output; mend it on the target or with a new spec, then collect again.',
  },
  E_STALLED: {
    title: 'an attempt shows no progress and waits for somebody',
    exit: EXIT.unfinished,
    explain:
      'Its log has not grown for a while (`stall_after` in project.yaml, five minutes by default), and its processes or its last lines show that it waits for a person: a trust dialog, a permission, a login, a password, a signal. `dispatch why` shows the evidence, `dispatch attach <task> --write` lands in its live session. Nothing is ended for silence before the deadline of the attempt.',
  },
  E_GATE_BROKEN: {
    title: 'a gate could not run',
    exit: EXIT.unfinished,
    explain:
      'The verify command itself is missing, cannot be executed, was killed or did not end in time on several tries. That says nothing about the work, so nobody is blamed and nothing merges. Run the command by hand in a clean checkout on the node, mend it, then `dispatch retry` the task or `dispatch collect` again.',
  },
  E_CONTRACT_CHANGED: {
    title: 'the contract that the tasks share has changed',
    exit: EXIT.unfinished,
    explain:
      'Every attempt is told to keep to the contract that its base has (`contract` in project.yaml, SHARED_CONTEXT.md by default). It is another one now, so no work of the project starts: old and new would rely on different interfaces. What runs goes on and may merge. `dispatch contract diff <project>` shows the change; `dispatch contract accept <project>` lets it count: what was made under another contract and has not merged starts again, and the gates run once more on what has merged. To keep the old one, put it back in the repository.',
  },
  E_REVERT_CONFLICT: {
    title: 'later work changed the same files',
    exit: EXIT.conflict,
    explain:
      'The reverse of what a task merged does not fit what merged after it: both changed the same lines. Nothing was reverted and the task stays merged. The message names the files and the later tasks; revert those as well (the latest goes first by itself), or write a spec that undoes the one and keeps the other.',
  },
  E_REVERT_RED: {
    title: 'the verify command fails without the task',
    exit: EXIT.unfinished,
    explain:
      'The tree without the work of the task was gated like any other and is red, twice or together with what is known of it, so it did not land and the task stays merged. Usually something that merged later needs it: revert that as well, or mend both with a new spec. The message has the end of the output.',
  },
  E_REVERT_WAITS: {
    title: 'the revert waits in a queue that stands still',
    exit: EXIT.unfinished,
    explain:
      'The reverse is in the merge queue, and the queue is held: by a person, or because its gate broke and nobody is to blame. It goes on with `dispatch queue release`; `dispatch queue show` says who stopped it and why, `dispatch queue drop` gives the revert up and leaves the task merged.',
  },
  E_TARGET_RACE: {
    title: 'the target branch kept moving',
    exit: EXIT.conflict,
    explain:
      'Somebody pushed to the target each time while collect was verifying the merge with it. Nothing was landed. Run collect again when it is quieter.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
