/**
 * The form of specs, project.yaml and nodes.json. The JSON Schemas for editors are generated from these, so what an
 * editor accepts and what `validate` accepts is one thing; rules that span several keys or files are checked elsewhere.
 */
import * as z from 'zod';
import { SHORTEST_LEASE_MS } from '../model/lease.ts';
import { SEVERITIES } from '../model/second-look.ts';
import { parseDuration } from '../model/time.ts';
import { patternProblem } from '../plan/pattern.ts';
import { cageSchema } from './cage.ts';
import { credential, executor } from './executor-schema.ts';
import { projectBudget, specBudget } from './budget-schema.ts';
import {
  argv,
  CONTROL,
  count,
  duration,
  line,
  LONGEST_SPAN_MS,
  name,
  place,
  refine,
  size,
} from './fields.ts';

const pattern = z
  .string()
  .check(
    refine((text) => {
      const problem = patternProblem(text);
      return problem === null ? null : { code: 'E_SPEC_MODIFIES', message: problem };
    }),
  )
  .describe('A path or glob relative to the top of the repository; a trailing / means the whole folder.');

const path = z.string().check(
  refine((text) => {
    const problem = patternProblem(text.replaceAll(/[\\*?[\]{}()!@+]/g, '\\$&'));
    return problem === null ? null : { code: 'E_SPEC_MODIFIES', message: problem };
  }),
);

const repository = line.check(
  refine((text) => {
    if (text.startsWith('-'))
      return { code: 'E_SPEC_VALUE', message: 'begins with `-`, which git would read as an option' };
    return /^[A-Za-z0-9]+::/.test(text)
      ? { code: 'E_SPEC_VALUE', message: 'names a remote helper, which would run a program' }
      : null;
  }),
);

/** What git accepts as a branch's name (git-check-ref-format), without the exotic. */
const branch = line.check(
  refine((text) =>
    /^(?![-/.])(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock(?:\/|$)))[^\s~^:?*[\\]+(?<![/.])$/.test(text) && text !== '@'
      ? null
      : { code: 'E_SPEC_VALUE', message: 'is not the name of a branch' },
  ),
);

const shellCommand = z.string().check(
  refine((text) => {
    if (text.trim() === '')
      return { code: 'E_SPEC_NO_VERIFY', message: 'is empty: nothing would prove the task' };
    return text.includes('\0') ? { code: 'E_SPEC_VALUE', message: 'contains a NUL character' } : null;
  }),
);

export const specSchema = z
  .strictObject({
    task_id: name('task id').describe('Unique in the project, also when case is ignored.'),
    project: name('project').optional().describe('The folder the spec lies in.'),
    priority: count(0, 3).optional().describe('0 is most urgent; 2 by default.'),
    depends_on: z
      .array(z.string())
      .max(1000)
      .nullish()
      .describe('Ids of tasks that must have merged before this one starts.'),
    modifies: z
      .array(pattern)
      .max(1000)
      .nullish()
      .describe('What the task may change: a lock and a permission.'),
    expands: z
      .array(pattern)
      .max(1000)
      .nullish()
      .describe('What the task may ask for besides: a lock, and a change of it waits for approval.'),
    executor: z.string().optional().describe('Which coding agent; default from project.yaml.'),
    verify: shellCommand.optional().describe('The command that proves the task; default from project.yaml.'),
    timeout: duration
      .optional()
      .describe('Span within which one attempt must end; default from project.yaml, 30m.'),
    estimate: duration.optional().describe('Expected span of one attempt, for the critical path.'),
    retries: count(0, 20).optional().describe('Feedback rounds inside an attempt; 3 by default.'),
    review: z.boolean().optional().describe('A person approves before it merges.'),
    budget: specBudget
      .optional()
      .describe(
        'Tokens one attempt may use: its agent is told, and ended when it reports more: `{ tokens: 400000 }`.',
      ),
  })
  .meta({ title: 'dispatch: front matter of a spec' });

const allowList = z.array(z.strictObject({ path: pattern, text: line, reason: line })).optional();
const prepare = z
  .strictObject({
    command: shellCommand.describe('What installs it, for example npm ci. It has the network.'),
    keyed_by: z
      .array(path)
      .min(1)
      .max(100)
      .describe(
        'Files whose content decides the result; the command sees these and the manifests beside them.',
      ),
    paths: z.array(path).min(1).max(20).describe('Folders it makes, shown read-only in each checkout.'),
  })
  .describe('Run once on a node for each content of `keyed_by`.');

const limits = z.strictObject({
  memory: size
    .optional()
    .describe(
      'Of all processes of a verify command together; 8GiB by default where control groups can be used.',
    ),
  processes: count(1, 1_000_000).optional().describe('Processes and threads at once; 1024 by default.'),
  file_size: size.optional().describe('Of any one file that is written; 4GiB by default.'),
});

const gates = z.strictObject({
  timeout: duration.optional().describe('Span of one merge gate; 30m by default.'),
  network: z.boolean().optional().describe('Verify commands reach the network; false by default.'),
  read_only: z
    .array(place)
    .max(100)
    .optional()
    .describe('Places on the node that verify commands may read besides the system: caches, toolchains.'),
  limits: limits.optional(),
  prepare: prepare.optional(),
  extras: z
    .array(pattern)
    .optional()
    .describe('Paths any task may touch besides its `modifies`; they do not lock.'),
  placeholder: z
    .strictObject({
      allow: allowList.describe('Markers such as TODO that are meant to stay.'),
    })
    .optional(),
  secrets: z
    .strictObject({
      allow: allowList.describe('Texts that look like keys and open nothing; `text` is a part of the line.'),
    })
    .optional(),
  tests: z
    .strictObject({
      min: count(0, 1_000_000)
        .optional()
        .describe('Least number of tests that `verify` must run; 0 by default.'),
    })
    .optional(),
  control: z
    .strictObject({
      skip: line.describe('The reason, for the report.'),
    })
    .optional()
    .describe(
      'With `skip` and a reason: `start` does not try whether verify commands go red on a copy that is broken on purpose.',
    ),
  largest_file_kb: count(1, 8192).optional().describe('Largest file a branch may add, KiB; 8192 by default.'),
  largest_binary_kb: count(1, 8192)
    .optional()
    .describe('Largest file that is not text, KiB; 2048 by default.'),
});

const areas = z
  .record(
    name('area name'),
    z.strictObject({
      paths: z.array(pattern).min(1).max(100).describe('What lies in it; no path may lie in two areas.'),
      verify: shellCommand.describe('Proves a branch that changes nothing else, without the other areas.'),
    }),
  )
  .describe(
    'Parts that do not read each other: `{ web: { paths: [web/], verify: make -C web test } }`. What lies in none is shared.',
  );

const share = z.number().min(0).max(1);

const modelReview = z
  .strictObject({
    serve: z.boolean().optional().describe('`serve` looks at what merges by itself; false by default.'),
    p1: share.optional().describe('Share of P1 tasks; 0.5 by default. P0 tasks are always looked at.'),
    others: share.optional().describe('Share of all other tasks; 0.1 by default.'),
    asks: z
      .enum(SEVERITIES)
      .optional()
      .describe('Least severity that you are asked about; major by default.'),
    confidence: share.optional().describe('Least confidence that you are asked about; 0.6 by default.'),
    follow_up: z
      .boolean()
      .optional()
      .describe('What you are asked about becomes a pending spec as well; false by default.'),
    seed: line.optional().describe('Chooses the sample: another seed, another sample.'),
  })
  .describe('What a second model looks at after the merge: `{ serve: true, p1: 1, others: 0.2 }`.');

export const projectSchema = z
  .strictObject({
    repo: repository
      .optional()
      .describe('Path (relative to the home) or URL. Without it tasks have no tree and no merge.'),
    target: branch.optional().describe('Branch where `collect` lands; main by default.'),
    verify: shellCommand.optional().describe('The command that proves a task which names none itself.'),
    areas: areas.optional(),
    context: z.array(path).optional().describe('Files of the repository that every prompt contains.'),
    contract: path
      .optional()
      .describe('The file of the repository with what all tasks agree on; SHARED_CONTEXT.md by default.'),
    executor: z.string().optional().describe('Default for specs that name none; claude.'),
    executors: z
      .record(name('executor name'), executor)
      .optional()
      .describe('Agents of your own: `{ mine: { command: [python3, agent.py] } }`.'),
    timeout: duration.optional().describe('Span within which one attempt must end; 30m by default.'),
    stall_after: duration.optional().describe('Silence after which a stall is explained; 5m by default.'),
    retries: count(0, 20).optional().describe('Feedback rounds inside an attempt; 3 by default.'),
    gates: gates
      .optional()
      .describe('How branches are judged: timeout, sandbox, prepare, extras, placeholder.'),
    cage: cageSchema.optional(),
    trusted: z
      .boolean()
      .optional()
      .describe('Verify commands run without a sandbox, as the user of the node; false by default.'),
    shared_paths: z
      .array(pattern)
      .optional()
      .describe('Each is one lock: two tasks that touch it never run together.'),
    protected_paths: z
      .array(pattern)
      .optional()
      .describe(
        'Besides the built-in ones: a change of these waits for approval unless `modifies` lists the path literally.',
      ),
    review: z
      .enum(['never', 'p0', 'always'])
      .optional()
      .describe('Whose merges a person approves: never, p0 or always.'),
    model_review: modelReview.optional(),
    weight: z
      .number()
      .positive()
      .max(1000)
      .optional()
      .describe('Share of slots against other projects; 1 by default.'),
    max_attempts: count(1, 20).optional().describe('Attempts before failures are final; 2 by default.'),
    require_plan: z
      .boolean()
      .optional()
      .describe(
        'Start only with a PLAN.md of just these specs, as `dispatch plan --full` writes it; false by default.',
      ),
    budget: projectBudget
      .optional()
      .describe(
        'What one attempt, a task, a day and the whole project may use: `{ tokens: 400000, task: { usd: 5 }, day: { usd: 20 } }`.',
      ),
  })
  .meta({ title: 'dispatch: project.yaml' });

/** executors.yaml: what project.yaml may say about executors, for all projects of a home. */
export const executorsFileSchema = z
  .strictObject({
    executors: projectSchema.shape.executors,
    credentials: z
      .record(name('credential name'), credential)
      .optional()
      .describe('Keys to model providers, and how much each may carry: `{ glm: { max_in_flight: 2 } }`.'),
  })
  .meta({ title: 'dispatch: executors.yaml' });

/** What can be said about executors while the rest of project.yaml is wrong. */
export const executorsSchema = projectSchema.pick({ executor: true, executors: true });

const nodeRoot = z
  .string()
  .regex(
    /^(?:~\/|\/)?[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/,
    'may have letters, digits, . _ - / and a leading ~/ only',
  )
  .refine((text) => !text.split('/').includes('..'), 'climbs out with `..`');

const lease = z.union([z.string(), z.number()]).superRefine((value, context) => {
  if (value === 'never') return;
  const ms = parseDuration(value);
  if (ms !== null && ms >= SHORTEST_LEASE_MS && ms <= LONGEST_SPAN_MS) return;
  const message =
    ms === null
      ? 'is neither `never` nor a span of time such as 90s, 30m or 1h30m'
      : ms < SHORTEST_LEASE_MS
        ? 'is shorter than 5 seconds: a lost connection takes longer to be noticed and made anew'
        : 'is longer than 7 days; `never` leaves it to a person';
  context.addIssue({ code: 'custom', message, params: { code: 'E_SPEC_VALUE' }, input: value });
});

export const nodeSchema = z.strictObject({
  name: name('node name'),
  ssh_target: z
    .string()
    .check(
      refine((text) =>
        !/^-|\s|(?:@|^ssh:\/\/)-/.test(text) && text !== '' && !CONTROL.test(text)
          ? null
          : {
              code: 'E_NODES_TARGET',
              message:
                'is not an ssh alias: it must not begin with `-` or contain blanks or control characters',
            },
      ),
    )
    .optional()
    .describe('An alias of your ssh configuration, or user@host.'),
  local: z.boolean().optional().describe('This machine.'),
  command: argv.optional().describe('Any program that gives a stream to the node.'),
  slots: count(1, 1024).optional().describe('Attempts at once; 1 by default.'),
  gate_slots: count(1, 1024)
    .optional()
    .describe('How many of the slots gates may take at once; all of them by default.'),
  min_free_mb: count(0, 100_000_000)
    .optional()
    .describe('Free space, in MiB, below which nothing new is placed there; 256 by default, and never less.'),
  mode: z
    .union([z.literal('hybrid'), z.array(z.string()).min(1)])
    .optional()
    .describe('hybrid takes every executor, a list those it names.'),
  labels: z.array(line).optional(),
  weight: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe('Preference; small for machines that should be used last.'),
  transport: z.enum(['auto', 'ssh2', 'openssh']).optional(),
  socket: line.optional().describe('Control path of the system-ssh transport.'),
  ssh_config: line.optional().describe('An ssh configuration file instead of your own.'),
  root: nodeRoot.optional().describe('Folder of the worker on the node; ~/agent-worker by default.'),
  lease: lease
    .optional()
    .describe('Silence after which its work starts elsewhere: a span from 5s on, or never; 30m by default.'),
});

const nodeList = z.array(nodeSchema).max(10_000);

export const nodesSchema = z
  .union([nodeList, z.strictObject({ $schema: z.string().optional(), nodes: nodeList })])
  .meta({ title: 'dispatch: nodes.json' });

export const nodesFileSchema = z.strictObject({ $schema: z.string().optional(), nodes: nodeList });
export const nodeListSchema = nodeList;

export type SpecInput = z.infer<typeof specSchema>;
export type ProjectInput = z.infer<typeof projectSchema>;
export type ExecutorsInput = z.infer<typeof executorsSchema>;
/** One entry of nodes.json as a person writes it. */
export type NodeEntry = z.infer<typeof nodeSchema>;
