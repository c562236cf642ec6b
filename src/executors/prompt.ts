/**
 * The prompt of an attempt, in layers from the general to the particular: what the repository tells every agent, what
 * the project remembers, the contract all tasks share, what the other tasks are doing, where this one runs and how it
 * will be judged; then the spec; then, for a later attempt, why the one before was not good enough. Plain text; each
 * quoted file stands in a fence that its content cannot close.
 */
import { formatDuration } from '../model/time.ts';
import { shorten } from '../gates/shorten.ts';

export { feedbackForAttempt } from './attempt-feedback.ts';

/** A file of the repository at the base, quoted in the prompt. */
export interface PromptFile {
  readonly path: string;
  readonly text: string;
}

/** Another task of the project, as far as this one has to know about it. */
export interface Sibling {
  readonly id: string;
  readonly title: string;
  /** Paths it claims. */
  readonly modifies: readonly string[];
  /** `merged`: its work is in the base. `active`: being worked on now. `waiting`: comes later. */
  readonly state: 'merged' | 'active' | 'waiting';
}

export interface PromptParts {
  readonly project: string;
  readonly task: string;
  readonly title: string;
  /** CLAUDE.md, AGENTS.md or the like; null when the repository has none, or the executor reads it by itself. */
  readonly agentFile: PromptFile | null;
  /** The project's `context` files. */
  readonly memory: readonly PromptFile[];
  /** The project's `contract` file. */
  readonly contract: PromptFile | null;
  readonly siblings: readonly Sibling[];
  readonly environment: PromptEnvironment;
  /** The spec file, as written. */
  readonly spec: string;
  /** Why this is not the first attempt, as `feedbackForAttempt` renders it; null for the first. */
  readonly feedback: string | null;
}

export interface PromptEnvironment {
  readonly node: string;
  /** Span of the whole attempt, milliseconds. */
  readonly timeoutMs: number;
  /** Feedback rounds after the first. */
  readonly retries: number;
  readonly budgetTokens: number | null;
  /** Command that proves the task; null in a project without a repository. */
  readonly verify: string | null;
  /** The base commit; null in a project without a repository. */
  readonly base: string | null;
  readonly modifies: readonly string[];
  readonly expands: readonly string[];
  readonly allowedExtras: readonly string[];
  readonly protectedPaths: readonly string[];
}

/** The whole prompt. Pure: the same parts give the same text. */
export function buildPrompt(parts: PromptParts): string {
  const sections = [
    opening(parts),
    ...(parts.agentFile === null
      ? []
      : [section("THE REPOSITORY'S INSTRUCTIONS FOR AGENTS", quoted(parts.agentFile))]),
    ...(parts.memory.length === 0
      ? []
      : [section('WHAT THE PROJECT REMEMBERS', parts.memory.map(quoted).join('\n\n'))]),
    ...(parts.contract === null
      ? []
      : [section('THE CONTRACT THAT ALL TASKS SHARE', `${CONTRACT}\n\n${quoted(parts.contract)}`)]),
    ...siblingSection(parts.siblings),
    section('WHERE YOU ARE', environment(parts.environment)),
    section('HOW YOUR WORK WILL BE JUDGED', gates(parts.environment)),
    section('THE TASK', fenced(parts.spec)),
    ...(parts.feedback === null ? [] : [section('WHY IT HAS TO BE DONE AGAIN', parts.feedback.trim())]),
    section('HOW TO WORK', working(parts.environment)),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Bytes of one quoted file. The rest is in the tree, where the agent can read it. */
const FILE_BYTES = 32 * 1024;
/** Tasks written out; in a project of thousands the far ones do not matter to this one. */
const SIBLINGS_SHOWN = 60;

const CONTRACT =
  'Names, types and interfaces below are relied upon by tasks that run at the same time. Keep to them exactly; do not change them.';

function opening(parts: PromptParts): string {
  return [
    `You carry out task ${parts.task} of project ${parts.project}: ${parts.title}.`,
    'Nobody is watching and nobody can answer a question: decide yourself, within the task, and finish.',
  ].join('\n');
}

function section(title: string, body: string): string {
  return `===== ${title} =====\n\n${body}`;
}

export function quoted(file: PromptFile): string {
  return `File ${JSON.stringify(file.path)}:\n${fenced(shorten(file.text, FILE_BYTES))}`;
}

/** Between two lines of backticks, more of them than anywhere in the text. */
export function fenced(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}\n${text.replace(/\n+$/, '')}\n${fence}`;
}

function siblingSection(siblings: readonly Sibling[]): string[] {
  if (siblings.length === 0) return [];
  const groups = SIBLING_GROUPS.flatMap(({ state, title }) => {
    const members = siblings.filter((one) => one.state === state);
    if (members.length === 0) return [];
    const shown = members.slice(0, SIBLINGS_SHOWN).map(siblingLine);
    if (members.length > shown.length) shown.push(`- and ${members.length - shown.length} more`);
    return [`${title}\n${shown.join('\n')}`];
  });
  return [section('THE OTHER TASKS', groups.join('\n\n'))];
}

const SIBLING_GROUPS: readonly { readonly state: Sibling['state']; readonly title: string }[] = [
  { state: 'merged', title: 'Already merged, and part of your base:' },
  { state: 'active', title: 'Being worked on now by others; their files are not yours:' },
  { state: 'waiting', title: 'Will come later; leave their work to them:' },
];

function siblingLine(sibling: Sibling): string {
  const owns = sibling.modifies.length === 0 ? '' : ` (owns ${sibling.modifies.join(', ')})`;
  return `- ${sibling.id}: ${sibling.title}${owns}`;
}

function environment(env: PromptEnvironment): string {
  const lines = [
    `- Node: ${env.node}. Your working directory is a tree of your own; nobody else works in it.`,
    env.base === null ? '- There is no repository.' : `- The tree starts at commit ${env.base}.`,
    `- Time: ${formatDuration(env.timeoutMs)} in all, checks and feedback rounds included.`,
    `- Feedback: after your turn the checks run; you get at most ${env.retries} more ${env.retries === 1 ? 'turn' : 'turns'} to mend what they find.`,
  ];
  if (env.budgetTokens !== null)
    lines.push(`- Budget: ${env.budgetTokens} tokens; above it you are stopped and what you have is kept.`);
  if (env.verify !== null) lines.push(`- Verify command: ${env.verify}`);
  return lines.join('\n');
}

function gates(env: PromptEnvironment): string {
  const rules = ['By checks that you cannot influence. That you say it is done counts for nothing.'];
  if (env.base !== null) {
    rules.push(
      `- Scope: only these paths may change, deletions and both sides of a rename included: ${list(env.modifies)}${env.allowedExtras.length === 0 ? '' : `; besides them ${list(env.allowedExtras)}`}.`,
      '- Placeholders: no added line may hold TODO, FIXME, XXX, "not implemented", "placeholder" or a function without a body.',
      '- Content: no submodules, no links out of the tree, nothing that git could take for its own files.',
    );
    if (env.expands.length > 0) {
      rules.push(
        `- Only if the task cannot be done without it, and then a person has to approve: ${list(env.expands)}.`,
      );
    }
    if (env.protectedPaths.length > 0) {
      rules.push(
        `- Protected unless listed above by name; a change waits for a person's approval: ${list(env.protectedPaths)}.`,
      );
    }
  }
  if (env.verify !== null) {
    rules.push(
      `- Verify: ${env.verify} has to pass on a clean checkout of what you leave behind, and again after merging with the other tasks' work. Files that are ignored or not in the tree are not there.`,
    );
  }
  return rules.join('\n');
}

function working(env: PromptEnvironment): string {
  const steps = [
    '1. Begin with a short plan: a few lines, which files, in what order, and how each acceptance criterion will be shown. Write it to the file "$DISPATCH_NOTES/plan.md" (a directory outside of the tree) before you change anything.',
    '2. Do the whole task. Write real code and real tests; leave no TODO and no stub.',
  ];
  if (env.base !== null) {
    steps.push(
      '3. Commit nothing outside of the paths named above. You may commit or leave your changes in the tree: what is left is committed for you. Do not push, do not change branches or git settings.',
    );
  }
  steps.push(
    env.verify === null
      ? `${steps.length + 1}. Check the result yourself.`
      : `${steps.length + 1}. Run the verify command; if it fails, mend the cause, never the check.`,
  );
  steps.push(
    `${steps.length + 1}. End with the evidence: repeat the acceptance list, each item as "- [x]" when it is met or "- [ ]" when it is not, with the command that shows it and what that printed; then an assessment of your own: what you are sure of, what you are not, what a reviewer should look at. Write it to "$DISPATCH_NOTES/evidence.md", or, where that directory cannot be written, make it your last message. Both are for the person who reviews; the checks do not read them.`,
  );
  return steps.join('\n');
}

function list(patterns: readonly string[]): string {
  return patterns.map((pattern) => JSON.stringify(pattern)).join(', ');
}
