import type { Cause } from './alert.ts';
import type { AreaFacts } from './area.ts';
import type { AttemptKind, Finding, Notes, Outcome, RefusalKind, Step } from './attempt.ts';
import type { Amount } from './budget.ts';
import type { Clash } from './conflict.ts';
import type { Basis } from './evidence.ts';
import type { ProgramReport } from './executor.ts';
import type { AilmentKind, RepairKind } from './health.ts';
import type { CommitId, NodeName, ProjectName, TaskId, TaskKey, Token } from './ids.ts';
import type { SecondLook } from './second-look.ts';
import type { ProjectConfig, TaskSpec } from './spec.ts';
import type { Stall } from './stall.ts';
import type { Control, TestBaseline } from './task.ts';

/** What happened. The append-only log of these is the truth; every other table is derived from it and can be rebuilt. */
export type Fact =
  | { readonly type: 'controller.acquired'; readonly host: string; readonly pid: number }
  /** The controller's machine slept, or its process was stopped: nothing that waited was charged for it. */
  | { readonly type: 'controller.slept'; readonly ms: number }
  // projects and specs
  | { readonly type: 'project.configured'; readonly config: ProjectConfig }
  | { readonly type: 'project.based'; readonly project: ProjectName; readonly integration: CommitId }
  /** A person wants its specs run: whichever controller keeps the home goes on with it from now on. */
  | {
      readonly type: 'project.started';
      readonly project: ProjectName;
      /** Why this person wants no gate tried on a broken copy first; missing: gates are tried. */
      readonly skipControl?: string;
    }
  | { readonly type: 'task.added'; readonly spec: TaskSpec; readonly text: string }
  /** The file changed while the task was not final; counts for the next attempt. */
  | { readonly type: 'task.changed'; readonly spec: TaskSpec; readonly text: string }
  // nodes
  | {
      readonly type: 'node.connected';
      readonly node: NodeName;
      readonly bootId: string;
      readonly journal: string;
      readonly program: string;
    }
  | { readonly type: 'node.disconnected'; readonly node: NodeName; readonly reason: string }
  /** Silent for half of its lease: its gates run elsewhere from now on. `silentMs` as it was counted. */
  | { readonly type: 'node.suspected'; readonly node: NodeName; readonly silentMs: number }
  /** Its lease has ended, or a person (`by`) has ended it: its attempts were given up and start elsewhere. */
  | {
      readonly type: 'node.lost';
      readonly node: NodeName;
      readonly silentMs: number;
      readonly by: string | null;
    }
  /** It took no order for a reason of its own (no space, a missing program) and gets none before `until`. */
  | {
      readonly type: 'node.refused';
      readonly node: NodeName;
      readonly until: number;
      readonly reason: string;
      /** Whose order it was, when nobody but the node is to blame. */
      readonly task?: TaskKey;
    }
  /** Something is wrong with it, or its figures are others. */
  | {
      readonly type: 'node.ailing';
      readonly node: NodeName;
      readonly ailment: AilmentKind;
      /** What was seen, with figures. */
      readonly evidence: string;
    }
  /** Something is done about it, by the controller or by the node itself. */
  | {
      readonly type: 'node.repairing';
      readonly node: NodeName;
      readonly ailment: AilmentKind;
      readonly by: RepairKind;
    }
  /** That was done; whether it helped, a look shows. */
  | {
      readonly type: 'node.repaired';
      readonly node: NodeName;
      readonly ailment: AilmentKind;
      readonly did: string;
    }
  | {
      readonly type: 'node.healed';
      readonly node: NodeName;
      readonly ailment: AilmentKind;
      /** What shows it. */
      readonly how: string;
    }
  /** What its agents' programs say about themselves, as far as it was asked and is not known yet. */
  | {
      readonly type: 'node.probed';
      readonly node: NodeName;
      readonly programs: Readonly<Record<string, ProgramReport>>;
    }
  /** cordon: no new attempts; drain: the same, and it is empty when the running ones have ended. */
  | {
      readonly type: 'node.marked';
      readonly node: NodeName;
      readonly mark: 'none' | 'cordon' | 'drain';
      /** The ailment for which dispatch did it by itself; missing: a person did. */
      readonly for?: AilmentKind;
    }
  // alerts
  /** `quiet`: nobody is told, because somebody was within the last day. */
  | ({ readonly type: 'alert.raised'; readonly quiet?: true } & Cause)
  /** A sink took these: that they are there, that they are over. */
  | {
      readonly type: 'alert.told';
      readonly sink: string;
      readonly raised: readonly string[];
      readonly resolved: readonly string[];
    }
  /** A person knows: nobody is told again while it lasts. */
  | { readonly type: 'alert.acked'; readonly key: string; readonly by: string }
  | { readonly type: 'alert.resolved'; readonly key: string }
  // attempts
  | {
      readonly type: 'attempt.claimed';
      readonly token: Token;
      readonly task: TaskKey;
      readonly n: number;
      readonly work: AttemptKind;
      readonly node: NodeName;
      readonly base: CommitId | null;
      /** The key it is given; missing: it needs none. */
      readonly credential?: string;
      /** Which executor runs it, where that is not the one of its spec. */
      readonly executor?: string;
      /** Git's id of the shared contract that it has to keep to; missing: there is none at its base. */
      readonly contract?: string;
      /** What it counts for in budgets until its use is known; missing: none bounds it. */
      readonly reserved?: Amount;
    }
  | { readonly type: 'attempt.running'; readonly token: Token }
  | {
      readonly type: 'attempt.progressed';
      readonly token: Token;
      readonly round: number;
      readonly step: Step;
    }
  /** What its agent says of its work; the last one counts. Shown to people, and to nothing else. */
  | ({ readonly type: 'attempt.noted'; readonly token: Token } & Notes)
  /** It shows no progress, and this is why as far as its node can see; the newest word counts. */
  | { readonly type: 'attempt.stalled'; readonly token: Token; readonly stall: Stall }
  /** It goes on after a stall. */
  | { readonly type: 'attempt.moved'; readonly token: Token }
  /** A person took the keyboard of a running attempt. */
  | { readonly type: 'person.intervened'; readonly token: Token; readonly by: string }
  | { readonly type: 'attempt.ended'; readonly token: Token; readonly outcome: Outcome }
  | {
      readonly type: 'attempt.fenced';
      readonly token: Token;
      readonly reason: string;
      /** Its node is to blame, not the work: it counts as a loss. */
      readonly lost?: true;
    }
  /** News of an attempt that is over or unknown: recorded, shown, never merged. */
  | { readonly type: 'attempt.late'; readonly token: Token; readonly what: string }
  // the contract that the tasks of a project share
  /** The base has it otherwise than what was accepted, or just so again. `hash`: git's id of its content; null: no such file. */
  | {
      readonly type: 'contract.changed';
      readonly project: ProjectName;
      readonly path: string;
      readonly hash: string | null;
      readonly commit: CommitId;
    }
  /** The first that was seen, or what a person lets count from now on. */
  | {
      readonly type: 'contract.accepted';
      readonly project: ProjectName;
      readonly path: string;
      readonly hash: string | null;
      readonly by: string;
    }
  /** What its attempt made under an older contract is given up; the task starts again and no try is charged. */
  | { readonly type: 'task.recalled'; readonly task: TaskKey; readonly token: Token; readonly path: string }
  /** The branch of an attempt that merges no more was fetched into the hub: no work is lost. */
  | { readonly type: 'attempt.kept'; readonly token: Token; readonly head: CommitId }
  // keys
  /** Its provider refused it. `limit`: attempts at once from now on, null = not known; `seen`: how many were too many. */
  | {
      readonly type: 'credential.limited';
      readonly credential: string;
      readonly why: RefusalKind;
      readonly message: string;
      readonly limit: number | null;
      readonly seen: number | null;
      readonly notBefore: number;
      readonly strikes: number;
    }
  /** It was taken again: there may be more at once, or a back-off is over. */
  | {
      readonly type: 'credential.eased';
      readonly credential: string;
      readonly limit: number | null;
      readonly notBefore: number;
      readonly strikes: number;
    }
  // from branch to integration
  | {
      readonly type: 'candidate.accepted';
      readonly token: Token;
      readonly head: CommitId;
      /** Paths the branch really changed. */
      readonly changed: number;
      /** A file of tests is among them; missing when not known. */
      readonly changesTests?: boolean;
      /** What a person has to approve before it merges. */
      readonly approvals?: readonly Finding[];
      /** The first of these paths, for the report. */
      readonly paths?: readonly string[];
      /** It deletes tests that its spec lists literally. */
      readonly dropsTests?: true;
    }
  | {
      readonly type: 'candidate.refused';
      readonly token: Token;
      readonly findings: readonly Finding[];
      readonly paths?: readonly string[];
    }
  /**
   * A person's word on what waits for it: a branch, a task that was parked, or findings in what has merged. What is
   * rejected goes back to an agent with the reason.
   */
  | {
      readonly type: 'task.reviewed';
      readonly task: TaskKey;
      readonly approved: boolean;
      readonly by: string;
      readonly reason: string;
    }
  /** A person worked on it by hand; `commit` is in the hub. It passes the gates as an attempt of its own. */
  | { readonly type: 'task.handed'; readonly task: TaskKey; readonly by: string; readonly commit: CommitId }
  | {
      readonly type: 'merge.prepared';
      readonly token: Token;
      readonly onto: CommitId;
      readonly commit: CommitId;
      readonly tree: string;
      /** Judged by itself, beside the stack. */
      readonly aside: boolean;
      /** What it changes, by area; missing where the project has none. */
      readonly areas?: AreaFacts;
    }
  /** Does not go together with integration (`onto`): its task starts again, or a person is asked. */
  | {
      readonly type: 'merge.conflicted';
      readonly token: Token;
      readonly onto: CommitId;
      readonly clash: Clash;
    }
  /**
   * Found beforehand: it goes together with integration, but not with `onto`, which is on its way there. Null: what was
   * foreseen is so no more.
   */
  | {
      readonly type: 'merge.predicted';
      readonly token: Token;
      readonly onto: CommitId;
      readonly clash: Clash | null;
    }
  /** A gate could not judge, for the `times`th time in a row: the line stands still and nobody is blamed. */
  | {
      readonly type: 'gate.broke';
      readonly project: ProjectName;
      readonly reason: string;
      readonly times: number;
    }
  /** A gate was tried on a copy of the base that is broken on purpose, or a person wanted no try. */
  | ({ readonly type: 'gate.controlled'; readonly project: ProjectName } & Omit<Control, 'at' | 'epoch'>)
  /** A gate was green: whatever has this tree has passed this command in this environment. */
  | ({
      readonly type: 'gate.proved';
      readonly project: ProjectName;
      readonly tree: string;
      /** Whose merge it judged; missing for a delivery. */
      readonly token?: Token;
    } & Basis)
  /** A gate was red on the merged tree: something in it is not good, and it is not yet known what. */
  | ({
      readonly type: 'merge.doubted';
      readonly token: Token;
      readonly findings: readonly Finding[];
      readonly output: string;
      /** Tests that failed, as far as the runner named them. */
      readonly failed?: readonly string[];
    } & Basis)
  /** All below it on the stack is good, and with it the tree is red, as is that of it and its `backers`: off the stack. */
  | { readonly type: 'merge.suspected'; readonly token: Token; readonly backers: readonly Token[] }
  /** Good by itself: back to the queue. */
  | { readonly type: 'merge.cleared'; readonly token: Token }
  /** The work, together with what merged before it, is not good. */
  | {
      readonly type: 'merge.refused';
      readonly token: Token;
      readonly findings: readonly Finding[];
      readonly output: string;
    }
  /** The gate itself broke (nobody's fault): it is run again, not before `notBefore`. */
  | {
      readonly type: 'merge.stalled';
      readonly token: Token;
      readonly notBefore: number;
      readonly reason: string;
    }
  /** Its tree is green; it lands together with all `below` it on the stack, the lowest first. */
  | {
      readonly type: 'merge.passed';
      readonly token: Token;
      readonly tree: string;
      readonly below: readonly Token[];
    }
  | {
      readonly type: 'merge.landed';
      readonly token: Token;
      readonly commit: CommitId;
      readonly onto: CommitId;
      /** What gates counted on this tree. */
      readonly tests?: readonly TestBaseline[];
    }
  /** A person asks that what has merged be taken out again; the reverse goes through the queue. */
  | {
      readonly type: 'revert.requested';
      readonly task: TaskKey;
      readonly by: string;
      readonly reason: string;
      /** A person rejected the work: the task begins again when it is out. */
      readonly again?: true;
    }
  /** A second model has looked at what the attempt merged. */
  | { readonly type: 'review.found'; readonly token: Token; readonly look: SecondLook }
  /** The reverse conflicts with later work, is red, or was given up: the task stays merged. */
  | {
      readonly type: 'revert.refused';
      readonly token: Token;
      readonly reason: string;
      readonly clash?: Clash;
      readonly findings?: readonly Finding[];
      /** Of the gate that was red. */
      readonly output?: string;
    }
  | {
      readonly type: 'revert.landed';
      readonly token: Token;
      readonly commit: CommitId;
      readonly onto: CommitId;
      readonly tests?: readonly TestBaseline[];
    }
  /** What it stands on has landed as `onto`, which has the same tree. */
  | { readonly type: 'merge.carried'; readonly token: Token; readonly onto: CommitId }
  /** What it stands on is not there any more; the task goes back to the queue. */
  | { readonly type: 'merge.raced'; readonly token: Token }
  /** The line is stopped: no gate runs and nothing merges; nobody is blamed. */
  | {
      readonly type: 'queue.held';
      readonly project: ProjectName;
      readonly by: string;
      readonly reason: string;
      /** Because the target lost what it had. */
      readonly lost?: { readonly was: CommitId; readonly now: CommitId };
    }
  /** A person asks that the task merge before all that are not on the stack yet. */
  | { readonly type: 'queue.fronted'; readonly task: TaskKey; readonly by: string }
  | { readonly type: 'queue.released'; readonly project: ProjectName; readonly by: string }
  // tasks
  /** Done without a repository, or without a change to merge where that is allowed. */
  | { readonly type: 'task.completed'; readonly task: TaskKey; readonly token: Token }
  /** Goes to the start again; `notBefore` is wall-clock milliseconds. */
  | {
      readonly type: 'task.backedoff';
      readonly task: TaskKey;
      readonly notBefore: number;
      readonly reason: string;
    }
  | {
      readonly type: 'task.failed';
      readonly task: TaskKey;
      readonly reason: string;
      readonly findings: readonly Finding[];
    }
  | { readonly type: 'task.parked'; readonly task: TaskKey; readonly token: Token; readonly reason: string }
  | { readonly type: 'task.cancelled'; readonly task: TaskKey; readonly reason: string }
  /** A person asks for another try at a failed, cancelled or parked task. */
  | { readonly type: 'task.retried'; readonly task: TaskKey; readonly by: string }
  // landing on the target
  | { readonly type: 'delivery.requested'; readonly project: ProjectName }
  | { readonly type: 'delivery.drained'; readonly project: ProjectName }
  | {
      readonly type: 'delivery.prepared';
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId | null;
    }
  | { readonly type: 'delivery.passed'; readonly project: ProjectName; readonly tree: string }
  /** The target moved meanwhile; integrate and verify again. */
  | { readonly type: 'delivery.raced'; readonly project: ProjectName }
  | {
      readonly type: 'delivery.landed';
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly tasks: readonly TaskId[];
      /** What gates counted on this tree. */
      readonly tests?: readonly TestBaseline[];
    }
  | {
      readonly type: 'delivery.failed';
      readonly project: ProjectName;
      readonly code: string;
      readonly message: string;
      readonly why?: string;
      readonly fix?: string;
      /** The command that was red on it; missing when it failed for another reason. */
      readonly verify?: string;
    };

/** The journal position a fact came from. The cursor of a node is the highest of these, so each entry is applied once. */
export interface Source {
  readonly node: NodeName;
  readonly journal: string;
  readonly seq: number;
}

/** A fact with its place in the log. `seq` is given by the store on commit and only grows. */
export interface Event {
  readonly seq: number;
  /** Wall clock of the controller, milliseconds. Data, never a judge of order: `seq` is the order. */
  readonly at: number;
  readonly epoch: number;
  readonly fact: Fact;
  readonly source: Source | null;
}

/** An event before the store has numbered it. */
export type NewEvent = Omit<Event, 'seq'>;
