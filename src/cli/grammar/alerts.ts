import type { Command } from 'commander';
import type { ListOptions } from '../verbs/alerts/list.ts';
import { type Act, byItself, GROUPS, verb } from './act.ts';

/** `health`, and `alerts`, which lists by itself. */
export function declareAlerts(program: Command, act: Act): void {
  verb(program, 'health', {
    summary: 'whether the controller and all that it depends on work, each tried now',
    group: GROUPS.look,
    examples: [
      ['dispatch health', 'store, nodes, hubs, disk, event loop, model endpoints'],
      ['dispatch health -o json', 'for a program; exit code 0: all is well'],
    ],
    more: `Exit codes: 0 all is well, 3 something does not work, 7 no controller answers.

While \`dispatch serve\` runs, the same is on 127.0.0.1:7070 for whatever supervises it: /health (it lives),
/health/ready (it works: 200 or 503), and /health/deep (every part), which wants the token of .dispatch/health.token as
\`Authorization: Bearer …\`. Another port, or off: \`serve: { listen: "127.0.0.1:7071" }\` in dispatch.yaml.`,
  }).action(
    act(async (context) => {
      const { health } = await import('../verbs/health.ts');
      return health(context);
    }),
  );

  const alerts = verb(program, 'alerts', {
    summary: 'what somebody has to know: what is wrong, who was told, what is over',
    group: GROUPS.look,
    examples: [
      ['dispatch alerts', 'what is wrong now'],
      ['dispatch alerts test phone', 'send a test to one sink of alerts.yaml'],
      ['dispatch alerts ack stalled/web/S03', 'you know: nobody is told again while it lasts'],
    ],
    more: `Rules, levels and sinks are in alerts.yaml beside nodes.json; without one the built-in rules hold and alerts
go to the terminal of \`dispatch serve\`:

  quiet: { from: "22:00", to: "07:00" }     # P1 waits; P0 does not
  rules:
    failure-rate: { over: 10, level: P0 }   # percent; the others: schemas/alerts.schema.json
    utilisation: { off: true }
  sinks:
    - { kind: terminal }
    - { kind: desktop }
    - { kind: ntfy, name: phone, url_env: NTFY_URL, token_file: ~/.config/ntfy-token, report: true }
    - { kind: slack, url_env: SLACK_URL }   # also webhook, feishu, dingtalk, wecom
    - { kind: email, host: smtp.example.com, user: me, password_env: SMTP_PASSWORD, from: me@example.com, to: [me@example.com] }

P0 is told now, P1 outside of quiet hours, P2 is in the daily report. A cause is told once in 24 hours, whatever
restarts, and once more when it is over. A sink that fails is tried again, and the others are told.`,
  });
  byItself(alerts, act, async (context) => {
    const { list } = await import('../verbs/alerts/list.ts');
    return list(context, {});
  });

  verb(alerts, 'list', {
    summary: 'what is wrong now, the worst first',
    group: GROUPS.look,
    examples: [
      ['dispatch alerts list', 'what is wrong now'],
      ['dispatch alerts list --all', 'and what is over'],
    ],
  })
    .option('--all', 'also what is over')
    .action(
      act(async (context, options: ListOptions) => {
        const verbs = await import('../verbs/alerts/list.ts');
        return verbs.list(context, options);
      }),
    );

  verb(alerts, 'test [sinks...]', {
    summary: 'send a test to the sinks of alerts.yaml, and say what came back',
    group: GROUPS.look,
    examples: [
      ['dispatch alerts test', 'to all of them'],
      ['dispatch alerts test phone', 'to one'],
    ],
  }).action(
    act(async (context, sinks: string[]) => {
      const verbs = await import('../verbs/alerts/test.ts');
      return verbs.test(context, sinks);
    }),
  );

  verb(alerts, 'ack <keys...>', {
    summary: 'you know of these: nobody is told again while they last',
    group: GROUPS.look,
    examples: [['dispatch alerts ack node/mac2', 'a key of dispatch alerts']],
  }).action(
    act(async (context, keys: string[]) => {
      const verbs = await import('../verbs/alerts/ack.ts');
      return verbs.ack(context, keys);
    }),
  );
}
