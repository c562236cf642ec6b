/**
 * The log of a home at work, made up but legal: every event is taken by `evolve`. Deterministic, as long as wanted, and
 * told one event at a time, so that a million of them need no more memory than the state. For reports to be looked at, for
 * properties, and for the bench.
 */
import type { Finding, Outcome } from '../../../src/model/attempt.ts';
import type { Event, Fact } from '../../../src/model/event.ts';
import { environmentOf } from '../../../src/model/evidence.ts';
import { evolve } from '../../../src/model/evolve.ts';
import type { CommitId, NodeName, ProjectName, TaskId, TaskKey, Token } from '../../../src/model/ids.ts';
import type { NodeConfig } from '../../../src/model/spec.ts';
import { emptyState, type State } from '../../../src/model/state.ts';
import { Heap } from '../../../src/schedule/heap.ts';
import { clash } from '../../model/builder.ts';
import { config, node, spec } from '../../schedule/world.ts';

export interface BusyOptions {
  /** Wall clock of the first event, and when no more tasks arrive. */
  readonly from: number;
  readonly to: number;
  /** Tasks for each hour of each project. */
  readonly tasksPerHour?: number;
  readonly seed?: number;
  /** Text that an agent or a person has a hand in; hostile on request. */
  readonly text?: string;
}

export const BUSY_NODES: readonly NodeConfig[] = [
  node('codex-node-1', { slots: 8 }),
  node('codex-node-2', { slots: 8 }),
  node('mac-studio', { slots: 6 }),
  node('laptop', { slots: 2, weight: 0.5 }),
];

const PROJECTS = ['api', 'clawmarketing', 'web'] as ProjectName[];
const EXECUTORS = ['claude', 'glm', 'codex'];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const TITLES = [
  '发布日程的接口校验 / Validate schedules',
  'Retry webhooks with back-off',
  'Pagination for the audit log',
  '为登录加上速率限制',
  'Drop the legacy price cache',
  'Accessible colour tokens',
  'Import contacts from CSV',
  'Telemetry opt-out in settings',
];

const FINDINGS: readonly Finding[] = [
  {
    gate: 'verify',
    path: null,
    line: null,
    message: '3 tests failed: test_schedule_overlap, test_tz, test_cancel',
    fix: null,
  },
  {
    gate: 'scope',
    path: 'backend/auth.py',
    line: null,
    message: 'backend/auth.py was changed, but the task does not claim it',
    fix: 'add it to modifies',
  },
  {
    gate: 'placeholder',
    path: 'src/api/retry.ts',
    line: 41,
    message: 'a TODO was added',
    fix: 'do it, or say in the spec that it stays',
  },
  { gate: 'tests', path: null, line: null, message: 'no test ran', fix: null },
];

/** Everything that happens, in order of time. */
export function* busyDays(options: BusyOptions): Generator<Event> {
  yield* new Home(options).run();
}

type Later = { readonly at: number; readonly order: number; readonly act: () => void };

class Home {
  readonly #options: BusyOptions;
  readonly #state: State = emptyState();
  readonly #agenda = new Heap<Later>([], (a, b) => a.at - b.at || a.order - b.order);
  readonly #ready: TaskKey[] = [];
  readonly #merging: Map<ProjectName, Token[]> = new Map();
  readonly #gating = new Set<ProjectName>();
  readonly #free = new Map<NodeName, number>(BUSY_NODES.map(({ name, slots }) => [name, slots]));
  readonly #up = new Set<NodeName>();
  #out: Event[] = [];
  #now: number;
  #seq = 0;
  #serial = 0;
  #tasks = 0;
  #random: number;

  constructor(options: BusyOptions) {
    this.#options = options;
    this.#now = options.from;
    this.#random = options.seed ?? 1;
  }

  *run(): Generator<Event> {
    this.#begin();
    for (;;) {
      yield* this.#out;
      this.#out = [];
      const next = this.#agenda.pop();
      if (next === undefined) return;
      this.#now = Math.max(this.#now, next.at);
      next.act();
    }
  }

  #begin(): void {
    const { from, tasksPerHour = 4 } = this.#options;
    this.#tell({ type: 'controller.acquired', host: 'laptop', pid: 4711 });
    for (const name of PROJECTS) {
      this.#tell({ type: 'project.configured', config: config(name, { verify: `./run.sh test ${name}` }) });
      this.#tell({ type: 'project.based', project: name, integration: this.#commit() });
      this.#tell({ type: 'project.started', project: name });
    }
    for (const [index, { name }] of BUSY_NODES.entries()) this.#in(index * 20_000, () => this.#connect(name));
    this.#every(HOUR / tasksPerHour, from, () => {
      // Nobody writes specs at night.
      const hour = new Date(this.#now).getUTCHours();
      if (hour < 22) for (const project of PROJECTS) this.#add(project);
      if (this.#chance(0.03)) this.#cut();
    });
    this.#every(24 * HOUR, from + 12 * HOUR, () => this.#restart());
    this.#every(24 * HOUR, from + 19 * HOUR, () => this.#sleep());
    for (const hours of [15, 17, 20, 34]) this.#every(24 * HOUR, from + hours * HOUR, () => this.#decide());
  }

  /** From then on, until the end. */
  #every(ms: number, at: number, act: () => void): void {
    if (at >= this.#options.to) return;
    this.#at(at, () => {
      act();
      this.#every(ms, at + ms, act);
    });
  }

  #connect(name: NodeName): void {
    this.#tell({ type: 'node.connected', node: name, bootId: 'b', journal: `j-${name}`, program: 'p' });
    this.#up.add(name);
    this.#fill();
  }

  #cut(): void {
    const { name } = this.#any(BUSY_NODES);
    if (!this.#up.delete(name)) return;
    this.#tell({ type: 'node.disconnected', node: name, reason: 'keepalive timed out' });
    this.#in(this.#minutes(4, 30), () => this.#connect(name));
  }

  #restart(): void {
    this.#tell({ type: 'controller.acquired', host: 'laptop', pid: 4712 });
    for (const name of this.#up) {
      this.#tell({ type: 'node.connected', node: name, bootId: 'b', journal: `j-${name}`, program: 'p' });
    }
  }

  #sleep(): void {
    this.#tell({ type: 'controller.slept', ms: 20 * MINUTE });
  }

  #decide(): void {
    const by = 'lin';
    for (const { key, progress } of this.#state.tasks.values()) {
      if (progress.at === 'review' && this.#chance(0.7)) {
        this.#tell({ type: 'task.reviewed', task: key, approved: true, by, reason: 'looks right' });
        this.#queue(progress.token);
      } else if (progress.at === 'failed' && this.#chance(0.6)) {
        this.#tell({ type: 'task.retried', task: key, by });
        this.#ready.push(key);
      }
    }
    this.#fill();
  }

  #add(project: ProjectName): void {
    const number = (this.#tasks += 1);
    const id = `S${String(number).padStart(2, '0')}-${this.#any(['schema', 'router', 'auth', 'cache', 'ui'])}`;
    const title = this.#options.text ?? this.#any(TITLES);
    const folder = this.#chance(0.3);
    const paths = folder ? ['backend/'] : ['src/a.ts', 'tests/a.test.ts'].slice(0, 1 + this.#pick(2));
    const given = spec(project, id, {
      title,
      executor: this.#any(EXECUTORS),
      modifies: paths.map((path) => `${number}/${path}`),
      review: this.#chance(0.06),
    });
    this.#tell({ type: 'task.added', spec: given, text: `# ${title}` });
    this.#ready.push(`${project}/${id}` as TaskKey);
    this.#fill();
  }

  #fill(): void {
    while (this.#ready.length > 0) {
      const place = this.#place();
      const task = place === null ? undefined : this.#ready.shift();
      if (place === null || task === undefined) return;
      this.#work(task, place);
    }
  }

  #place(): NodeName | null {
    const open = BUSY_NODES.filter(({ name }) => this.#up.has(name) && (this.#free.get(name) ?? 0) > 0);
    return open.length === 0 ? null : this.#any(open).name;
  }

  #take(name: NodeName, change: number): void {
    this.#free.set(name, (this.#free.get(name) ?? 0) + change);
  }

  #work(task: TaskKey, name: NodeName): void {
    const known = this.#state.tasks.get(task);
    if (known === undefined) return;
    const token = this.#token();
    this.#take(name, -1);
    const base = this.#state.projects.get(known.spec.project)?.integration ?? null;
    this.#tell({
      type: 'attempt.claimed',
      token,
      task,
      n: known.n + 1,
      work: { kind: 'work' },
      node: name,
      base,
    });
    this.#in(2000, () => this.#tell({ type: 'attempt.running', token }));
    const rounds = this.#chance(0.7) ? 1 : 2 + this.#pick(2);
    let at = 3000;
    for (let round = 1; round <= rounds; round += 1) {
      for (const [step, least, most] of [
        ['agent', 4, 22],
        ['gates', 0.1, 0.2],
        ['verify', 0.5, 3],
      ] as const) {
        this.#in(at, () => this.#tell({ type: 'attempt.progressed', token, round, step }));
        at += this.#minutes(least, most);
      }
    }
    this.#in(at, () => this.#end(token, name, rounds));
  }

  #end(token: Token, name: NodeName, rounds: number): void {
    this.#take(name, 1);
    const task = this.#state.attempts.get(token)?.task;
    const known = task === undefined ? undefined : this.#state.tasks.get(task);
    if (task === undefined || known === undefined) return;
    const outcome = this.#outcome(rounds);
    this.#tell({ type: 'attempt.ended', token, outcome });
    if (outcome.kind === 'done') {
      const head = outcome.head as CommitId;
      this.#tell({ type: 'candidate.accepted', token, head, changed: 2 });
      if (known.progress.at === 'queued') this.#queue(token);
    } else if (outcome.kind === 'refused') {
      const reason = `refused by the ${outcome.findings[0]?.gate} gate after ${rounds} round${rounds === 1 ? '' : 's'}`;
      this.#tell({
        type: 'task.failed',
        task,
        reason: this.#options.text ?? reason,
        findings: outcome.findings,
      });
    } else {
      this.#tell({ type: 'task.backedoff', task, notBefore: this.#now, reason: outcome.kind });
      this.#ready.push(task);
    }
    this.#fill();
  }

  #outcome(rounds: number): Outcome {
    const [inputTokens, outputTokens] = [20_000 + this.#pick(400_000), 1000 + this.#pick(30_000)];
    const usage = this.#chance(0.1)
      ? null
      : {
          inputTokens,
          outputTokens,
          cachedTokens: Math.floor(inputTokens / 2),
          costUsd: inputTokens / 300_000,
        };
    const luck = this.#pick(100);
    if (luck < 84) return { kind: 'done', head: this.#commit(), rounds, usage };
    if (luck < 90) {
      const found = this.#any(FINDINGS);
      const { text } = this.#options;
      const findings = [text === undefined ? found : { ...found, message: text, path: text }];
      return { kind: 'refused', findings, output: 'red', head: null, rounds, usage };
    }
    if (luck < 94) return { kind: 'timeout', rounds, head: null };
    if (luck < 97) return { kind: 'lost', why: 'rebooted' };
    const refusal = { kind: 'rate', retryAfterMs: 30_000 } as const;
    return { kind: 'failed', cause: 'executor', message: '429', refusal, exitCode: 1, rounds, usage: null };
  }

  #queue(token: Token): void {
    const task = this.#state.attempts.get(token)?.task;
    const known = task === undefined ? undefined : this.#state.tasks.get(task);
    if (known === undefined) return;
    const { project } = known.spec;
    const line = this.#merging.get(project) ?? [];
    this.#merging.set(project, line);
    line.push(token);
    this.#gate(project);
  }

  #gate(project: ProjectName): void {
    if (this.#gating.has(project)) return;
    const token = this.#merging.get(project)?.shift();
    const task = token === undefined ? undefined : this.#state.attempts.get(token)?.task;
    if (token === undefined || task === undefined) return;
    this.#gating.add(project);
    const onto = this.#state.projects.get(project)?.integration as CommitId;
    if (this.#chance(0.04)) {
      const id = task.slice(task.indexOf('/') + 1);
      this.#tell({ type: 'merge.conflicted', token, onto, clash: clash(id as TaskId) });
      this.#ready.push(task);
      this.#gating.delete(project);
      this.#in(1000, () => this.#gate(project));
      return;
    }
    const [commit, tree] = [this.#commit(), `tree-${this.#serial}`];
    this.#tell({ type: 'merge.prepared', token, onto, commit, tree, aside: false });
    this.#judge({ project, token, task, commit, tree, onto }, this.#chance(0.05));
  }

  #judge(merge: Merge, red: boolean): void {
    const { project, token, task, commit, tree, onto } = merge;
    const gate = this.#token();
    const verify = `./run.sh test ${project}`;
    const basis = { verify, environment: environmentOf(config(project)) };
    const subject = { of: 'merge' as const, workToken: token, commit, tree, ...basis };
    const { name } = this.#any(BUSY_NODES);
    this.#take(name, -1);
    const n = this.#state.attempts.get(token)?.n ?? 1;
    this.#tell({
      type: 'attempt.claimed',
      token: gate,
      task,
      n,
      work: { kind: 'gate', subject },
      node: name,
      base: commit,
    });
    this.#in(this.#minutes(0.5, 3), () => {
      this.#take(name, 1);
      const findings = FINDINGS.slice(0, 1);
      if (red) {
        const outcome: Outcome = {
          kind: 'refused',
          findings,
          output: 'x',
          head: null,
          rounds: 1,
          usage: null,
        };
        this.#tell({ type: 'attempt.ended', token: gate, outcome });
        this.#tell({ type: 'merge.doubted', token, findings, output: 'x', ...basis, failed: ['test_tz'] });
        this.#judge(merge, false);
        return;
      }
      this.#tell({
        type: 'attempt.ended',
        token: gate,
        outcome: { kind: 'done', head: null, rounds: 1, usage: null },
      });
      this.#tell({ type: 'gate.proved', project, tree, token, ...basis });
      if (this.#chance(0.04)) {
        this.#tell({ type: 'merge.refused', token, findings, output: 'x' });
        this.#ready.push(task);
      } else {
        this.#tell({ type: 'merge.passed', token, tree, below: [] });
        this.#tell({ type: 'merge.landed', token, commit, onto });
      }
      this.#gating.delete(project);
      this.#fill();
      this.#gate(project);
    });
  }

  #tell(fact: Fact): void {
    this.#seq += 1;
    const event: Event = { seq: this.#seq, at: this.#now, epoch: 1, fact, source: null };
    evolve(this.#state, event);
    this.#out.push(event);
  }

  #in(ms: number, act: () => void): void {
    this.#at(this.#now + ms, act);
  }

  #at(at: number, act: () => void): void {
    this.#agenda.push({ at, order: (this.#serial += 1), act });
  }

  #token(): Token {
    return (this.#serial += 1).toString(16).padStart(32, '0') as Token;
  }

  #commit(): CommitId {
    return (this.#serial += 1).toString(16).padStart(40, '0') as CommitId;
  }

  /** 0 to `below` - 1, by mulberry32. */
  #pick(below: number): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }

  #chance(share: number): boolean {
    return this.#pick(10_000) < share * 10_000;
  }

  #any<T>(list: readonly T[]): T {
    return list[this.#pick(list.length)] as T;
  }

  #minutes(least: number, most: number): number {
    return Math.round((least + (this.#pick(1000) / 1000) * (most - least)) * MINUTE);
  }
}

interface Merge {
  readonly project: ProjectName;
  readonly token: Token;
  readonly task: TaskKey;
  readonly commit: CommitId;
  readonly tree: string;
  readonly onto: CommitId;
}
