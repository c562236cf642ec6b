import type { Area } from './area.ts';
import type { Amount, Bounds } from './budget.ts';
import type { CageRules } from './cage.ts';
import type { ExecutorDef } from './executor.ts';
import type { NodeName, ProjectName, TaskId } from './ids.ts';
import type { SandboxRules } from './sandbox.ts';
import type { LookRules } from './second-look.ts';

export type Priority = 0 | 1 | 2 | 3;

/** What a valid spec file becomes: everything that scheduling, gates and merging need. The text stays in the store. */
export interface TaskSpec {
  readonly project: ProjectName;
  readonly id: TaskId;
  /** First heading or first line of the goal section; the id when there is none. */
  readonly title: string;
  readonly priority: Priority;
  readonly dependsOn: readonly TaskId[];
  /** Glob patterns relative to the repository's top; a trailing `/` means the subtree. Empty only without a repository. */
  readonly modifies: readonly string[];
  /** Patterns of paths that it may ask for: locked like `modifies`, but a change of them waits for a person's approval. */
  readonly expands: readonly string[];
  /** Name of an executor. */
  readonly executor: string;
  /** Shell command that proves the task; null only in projects without a repository. */
  readonly verify: string | null;
  /** Span within which one attempt must end. */
  readonly timeoutMs: number;
  /** Feedback rounds inside an attempt, after the first one. */
  readonly retries: number;
  /** A person approves before it merges. */
  readonly review: boolean;
  readonly budgetTokens: number | null;
  /** Expected span of one attempt, for the critical path; null = unknown. */
  readonly estimateMs: number | null;
  /** sha256 (hex) of the file's text. */
  readonly digest: string;
  /** Path relative to the home. */
  readonly file: string;
}

export interface PlaceholderAllow {
  /** Glob of paths. */
  readonly path: string;
  /** Text that is allowed on the line. */
  readonly text: string;
  readonly reason: string;
}

/** What the gates of a project let through. */
export interface GateSettings {
  /** Largest file that a branch may add or change, KiB. */
  readonly largestFileKb: number;
  /** The same for a file whose content is not text, KiB. */
  readonly largestBinaryKb: number;
  /** Texts that look like keys and are none. */
  readonly secretAllow: readonly PlaceholderAllow[];
  /** Least number of tests that `verify` must run; 0: any, as long as it is not none. */
  readonly minTests: number;
  /** Why verify commands need not show that they go red on a broken copy; missing: they have to. */
  readonly skipControl?: string;
}

/** `project.yaml`, validated and with defaults filled in. */
export interface ProjectConfig {
  readonly name: ProjectName;
  /** Path or URL that git can fetch from and push to; null: tasks have no tree, no `modifies` and no merge. */
  readonly repo: string | null;
  /** Branch where `collect` lands. */
  readonly target: string;
  readonly verify: string | null;
  /** Parts that do not read each other's files, each with a command of its own; missing: there are none. */
  readonly areas?: readonly Area[];
  /** Repository files for the prompt's memory layer. */
  readonly context: readonly string[];
  /** The shared-contract file in the repository. */
  readonly contract: string | null;
  readonly executor: string;
  readonly executors: Readonly<Record<string, ExecutorDef>>;
  readonly timeoutMs: number;
  /** Silence after which the node says why an attempt shows no progress; missing: five minutes. */
  readonly stallMs?: number;
  readonly retries: number;
  /** Span of one merge gate. */
  readonly gateTimeoutMs: number;
  /** What verify commands may see and use on a node. */
  readonly sandbox: SandboxRules;
  /** What its agents may see and use; missing: `DEFAULT_CAGE`. */
  readonly cage?: CageRules;
  readonly placeholderAllow: readonly PlaceholderAllow[];
  /** Paths any task may touch besides its `modifies` (a changelog); they do not lock. */
  readonly allowedExtras: readonly string[];
  /** Files that conflict even if undeclared: lockfiles, root manifests, migrations. */
  readonly sharedPaths: readonly string[];
  /** A change of these waits for a person's approval unless the task's `modifies` lists the path literally. */
  readonly protectedPaths: readonly string[];
  readonly gates: GateSettings;
  readonly review: 'never' | 'p0' | 'always';
  /** Whose merged work a second model looks at; missing: `DEFAULT_LOOK`. */
  readonly look?: LookRules;
  /** Share of slots against other projects; 1 by default. */
  readonly weight: number;
  /** Attempts that a task gets before failures are final (refusals by gates are final at once). */
  readonly maxAttempts: number;
  /** Work starts only when a written plan of just these specs lies beside them; missing: it need not. */
  readonly requirePlan?: true;
  /** What all of its attempts may use; missing: no bound. */
  readonly budget?: Bounds;
  /** What each of its tasks may use, all attempts together; missing: no bound. */
  readonly taskBudget?: Amount;
}

/** One entry of nodes.json, validated and with defaults filled in. */
export interface NodeConfig {
  readonly name: NodeName;
  readonly slots: number;
  /** How many of the slots gates may take at once; null: all of them. */
  readonly gateSlots: number | null;
  /** Free space below which nothing new is placed there, MiB; missing: what the node keeps in reserve (256). */
  readonly minFreeMb?: number;
  /** `hybrid` takes every executor; a list names those it takes. */
  readonly mode: 'hybrid' | readonly string[];
  readonly labels: readonly string[];
  /** Preference among nodes; a slow machine has a small one. */
  readonly weight: number;
  readonly reach: NodeReach;
  /** Where the worker lives on the node; `~/agent-worker` when null. Letters, digits, `.`, `_`, `-`, `/` and a leading `~/` only. */
  readonly root: string | null;
  /** Silence after which its work starts elsewhere, milliseconds; null: only when a person says so. */
  readonly leaseMs: number | null;
}

export type NodeReach =
  | { readonly by: 'local' }
  | { readonly by: 'command'; readonly command: readonly string[] }
  | {
      readonly by: 'ssh';
      readonly target: string;
      /** `auto`: ssh2 unless `ssh -G` shows something it cannot do. */
      readonly transport: 'auto' | 'ssh2' | 'openssh';
      /** Control path of the system-ssh transport. */
      readonly socket: string | null;
      /** An ssh configuration file instead of the user's (`ssh -F`). */
      readonly configFile: string | null;
    };
