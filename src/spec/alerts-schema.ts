/** The form of alerts.yaml in a home: which rules hold with which bounds, and where alerts go. */
import * as z from 'zod';
import { isTimezone } from '../model/timezone.ts';
import { duration, line, name, refine, size } from './fields.ts';

const level = z.enum(['P0', 'P1', 'P2']).describe('P0: now. P1: today. P2: in the daily report only.');

const percent = z.number().min(0).max(100);

const common = {
  off: z.boolean().optional().describe('true: nobody looks for it.'),
  level: level.optional(),
};

const lasting = (what: string) =>
  z.strictObject({ ...common, after: duration.optional().describe(what) }).optional();

const asFound = (what: string) => z.strictObject(common).optional().describe(what);

const rules = z
  .strictObject({
    'failure-rate': z
      .strictObject({
        ...common,
        over: percent.optional().describe('Percent of ended attempts; 5 by default.'),
        window: duration.optional().describe('Attempts that ended within it; 24h by default.'),
        least: z
          .int()
          .min(1)
          .optional()
          .describe('With fewer ended attempts nothing is said; 20 by default.'),
      })
      .optional(),
    'no-progress': lasting('Nothing moved for so long; 60m by default.'),
    heartbeat: lasting('Connected, and no word of how it is doing for so long; 10m by default.'),
    'node-down': lasting('No connection for so long; 2m by default.'),
    'node-lost': asFound('The lease of a node has ended.'),
    disk: z
      .strictObject({
        ...common,
        under: percent.optional().describe('Percent free on the disk of the home; 5 by default.'),
        least: size.optional().describe('Free at least; 1g by default.'),
      })
      .optional(),
    budget: z
      .strictObject({ ...common, over: percent.optional().describe('Percent of a budget; 80 by default.') })
      .optional(),
    utilisation: z
      .strictObject({
        ...common,
        under: percent.optional().describe('Percent of the slots that work; 60 by default.'),
        after: duration.optional().describe('For so long; 30m by default.'),
      })
      .optional(),
    blocked: z
      .strictObject({ ...common, over: z.int().min(0).optional().describe('Tasks; 10 by default.') })
      .optional(),
    wal: z.strictObject({ ...common, over: size.optional().describe('64m by default.') }).optional(),
    'event-loop': z
      .strictObject({
        ...common,
        over: duration.optional().describe('Delay of one turn in a hundred; 500ms by default.'),
      })
      .optional(),
    'safe-mode': asFound('A part of the controller does not work, so no new work starts for it.'),
    backup: asFound('The backup of the day cannot be made.'),
    gate: asFound('A gate that is broken, or proves nothing.'),
    contract: asFound('A contract that has changed, and that nobody has accepted.'),
    stalled: asFound('An attempt that goes on only when somebody does something.'),
    ailment: asFound('What ails a node.'),
    sink: asFound('A sink that fails.'),
  })
  .describe('Bounds and levels; what is left out is as built in.');

const clock = z
  .string()
  .check(
    refine((text) =>
      /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text)
        ? null
        : { code: 'E_SPEC_VALUE', message: 'is not a time of day such as "22:00"' },
    ),
  );

const timezone = z
  .string()
  .check(
    refine((text) =>
      isTimezone(text) ? null : { code: 'E_SPEC_VALUE', message: 'is not a time zone such as Asia/Shanghai' },
    ),
  );

export const SINK_KINDS = [
  'terminal',
  'desktop',
  'webhook',
  'slack',
  'feishu',
  'dingtalk',
  'wecom',
  'ntfy',
  'email',
] as const;

const sink = z.strictObject({
  name: name('name').optional().describe('How you speak of it; its kind by default.'),
  kind: z.enum(SINK_KINDS),
  levels: z
    .array(z.enum(['P0', 'P1']))
    .optional()
    .describe('What it is told: [P0, P1] by default.'),
  report: z.boolean().optional().describe('Whether the daily report goes there.'),
  url: line
    .optional()
    .describe('Where to post. Most webhook addresses are secrets: rather url_env or url_file.'),
  url_env: line.optional().describe('Variable that holds the address.'),
  url_file: line.optional().describe('File of mode 0600 that holds the address.'),
  token_env: line.optional().describe('webhook, ntfy: variable with the bearer token.'),
  token_file: line.optional().describe('webhook, ntfy: file of mode 0600 with the bearer token.'),
  secret_env: line
    .optional()
    .describe('feishu, dingtalk, webhook: variable with the secret that signs messages.'),
  secret_file: line.optional().describe('The same in a file of mode 0600.'),
  host: line.optional().describe('email: the SMTP server.'),
  port: z.int().min(1).max(65_535).optional().describe('email: 465 with tls: implicit, else 587.'),
  tls: z
    .enum(['starttls', 'implicit', 'none'])
    .optional()
    .describe('email: starttls by default; none only to this machine.'),
  user: line.optional().describe('email: who logs in.'),
  password_env: line.optional().describe('email: variable with the password.'),
  password_file: line.optional().describe('email: file of mode 0600 with the password.'),
  from: line.optional().describe('email: the sender.'),
  to: z.array(line).min(1).optional().describe('email: the recipients.'),
});

export const alertsSchema = z
  .strictObject({
    every: duration.optional().describe('Between two looks; 10s by default.'),
    again: duration
      .optional()
      .describe('What is still wrong, or again, is told once in this time; 24h by default.'),
    quiet: z
      .strictObject({ from: clock, to: clock, timezone: timezone.optional() })
      .optional()
      .describe('Hours in which P1 waits: { from: "22:00", to: "07:00" }.'),
    rules: rules.optional(),
    sinks: z.array(sink).optional().describe('Where alerts go; the terminal alone when left out.'),
  })
  .meta({ title: 'dispatch: alerts.yaml' });

export type AlertsInput = z.infer<typeof alertsSchema>;
export type SinkInput = z.infer<typeof sink>;
