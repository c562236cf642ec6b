/** The form of one executor, in project.yaml and in executors.yaml. */
import * as z from 'zod';
import { EXECUTOR_KINDS, PLACEHOLDERS } from '../model/executor.ts';
import { PROMPT_CAUSES } from '../model/stall.ts';
import { nearest } from './nearest.ts';
import { cageLevelSchema, hostSchema } from './cage.ts';
import { argv, count, duration, line, name, refine, secret, variable } from './fields.ts';

const words = z
  .array(
    z.string().check(
      refine((text) => {
        if (text.includes('\0')) return { code: 'E_SPEC_VALUE', message: 'contains a NUL character' };
        const strange = [...text.matchAll(/\{([a-z_]+)\}/g)].find(
          ([, name]) => !(PLACEHOLDERS as readonly string[]).includes(name ?? ''),
        );
        if (strange === undefined) return null;
        const near = nearest(strange[1] ?? '', PLACEHOLDERS);
        const known = PLACEHOLDERS.map((one) => `{${one}}`).join(', ');
        return {
          code: 'E_PROJECT_EXECUTOR',
          message: `names ${strange[0]}, which is none of ${known}${near === null ? '' : `; did you mean {${near}}?`}`,
        };
      }),
    ),
  )
  .max(100);

const dotted = z
  .string()
  .regex(/^[^.\s]+(?:\.[^.\s]+)*$/, 'is not a dotted path such as usage.input_tokens')
  .describe('A dotted path into the event, such as usage.input_tokens.');
const match = z
  .record(dotted, z.union([z.string(), z.number(), z.boolean()]))
  .describe('Fields that an event has to have, by dotted path: { type: result }.');
const pick = z.strictObject({
  when: match.optional().describe('Which events; all of them by default.'),
  at: dotted.describe('Where the text is.'),
});
const usage = z.strictObject({
  when: match.describe('Which events.'),
  input: dotted.optional(),
  output: dotted.optional(),
  cached: dotted.optional(),
  cost: dotted.optional().describe('US dollars.'),
  input_holds_cached: z.boolean().optional().describe('`input` counts what came from the cache too.'),
  counts: z
    .enum(['event', 'round', 'session'])
    .optional()
    .describe('What one of them counts: what is new, this round (by default), or the whole session.'),
});

const events = z.strictObject({
  session: pick.optional().describe('The session to resume.'),
  result: pick.optional().describe('The event that closes a turn, and where its words are.'),
  error: pick.optional().describe('A call that failed, and where its words are.'),
  usage: usage.optional().describe('Where the tokens are counted.'),
});

const probe = z.strictObject({
  version: words.optional().describe('Arguments that print the version; [--version] by default.'),
  least: line.optional().describe('Oldest version that will do: 2.1.0'),
  help: words.optional().describe('Arguments that print the help; [--help] by default.'),
  needs: z.array(line).max(100).optional().describe('Words that the help must have: [--json, --resume]'),
});

/** Attempts at once with one key, on all nodes together. */
const inFlight = count(1, 10_000);

const belowHome = line.check(
  refine((text) => {
    const path = text.replace(/^~\//, '');
    const inside = !path.startsWith('/') && !path.split('/').some((part) => ['', '.', '..'].includes(part));
    return inside
      ? null
      : { code: 'E_SPEC_VALUE', message: 'is not a file below the home: ~/.config/mine.json' };
  }),
);

const limits = z.strictObject({
  max_in_flight: inFlight.optional().describe('Attempts at once with its key, on all nodes together.'),
  round: duration.optional().describe('Longest span of one round; the attempt’s own by default.'),
  hang: duration.optional().describe('Silence after the closing event, then the agent is ended; 15s.'),
});

export const executor = z.strictObject({
  kind: z
    .enum(EXECUTOR_KINDS)
    .optional()
    .describe('What program it is, which says how it is called and read; shell by default.'),
  extends: z.string().optional().describe('Another executor, whose settings count where this one has none.'),
  command: argv.optional().describe('The program and its arguments.'),
  model: line.optional(),
  env: z.record(variable, z.string()).optional().describe('Plain environment; never secrets.'),
  secrets: z.record(variable, secret).optional().describe('Variables whose values only the node knows.'),
  prompt: z
    .enum(['variables', 'stdin', 'file'])
    .optional()
    .describe(
      'How the agent gets its prompt: DISPATCH_PROMPT alone, stdin, or {prompt_file} in its arguments.',
    ),
  arguments: words.optional().describe('After `command` in the first round; {session}, {model_arguments}, …'),
  resume: z
    .union([z.literal(false), words])
    .optional()
    .describe(
      'After `command` in later rounds of a session; false: it starts anew, with what the gates said.',
    ),
  model_arguments: words.optional().describe('What {model_arguments} stands for where a model is named.'),
  unset: z.array(variable).max(200).optional().describe('Variables of the node that the agent must not see.'),
  login: z.boolean().optional().describe('The login of the node’s user can stand in for the secrets.'),
  reads: z
    .union([z.enum(['nothing', ...EXECUTOR_KINDS.filter((kind) => kind !== 'shell')]), events])
    .optional()
    .describe('Whose output it writes, or where its JSON lines say what.'),
  probe: z
    .union([z.literal(false), probe])
    .optional()
    .describe('What the program must have before it is run on a node.'),
  limits: limits.optional(),
  stalls: z
    .array(
      z.strictObject({
        text: line.describe('Found in one of the last lines, whatever its case.'),
        cause: z.enum(PROMPT_CAUSES).describe('What it waits for then.'),
      }),
    )
    .max(100)
    .optional()
    .describe('Words that tell what a silent agent waits for, before those that are known of its kind.'),
  cage: cageLevelSchema
    .optional()
    .describe('The least cage that it is run in: none, basic or strict; the project’s by default.'),
  home: z
    .array(belowHome)
    .max(100)
    .optional()
    .describe('Files below the home of the node’s user that are copied into the HOME of each attempt.'),
  hosts: z
    .array(hostSchema)
    .max(100)
    .optional()
    .describe('Where its model is, for `cage: strict`: [api.example.com]; those of its kind by default.'),
  credentials: z
    .array(name('credential name'))
    .min(1)
    .max(100)
    .optional()
    .describe('Keys it may run with, of `credentials` in executors.yaml; by default one named like itself.'),
  fallback: z
    .string()
    .optional()
    .describe('The executor that takes its tasks while all its keys are refused by their provider.'),
});

export const credential = z.strictObject({
  max_in_flight: inFlight.optional().describe('Attempts at once, on all nodes together.'),
  secrets: z
    .record(variable, secret)
    .optional()
    .describe('Where a node finds the key; in place of the secrets of the executor.'),
});

export type CredentialInput = z.infer<typeof credential>;

export type ExecutorInput = z.infer<typeof executor>;
