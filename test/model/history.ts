/**
 * Random legal histories: at each step one of the things that can happen in the present state, as the controller would
 * record it (an attempt's end comes with what follows from it). Everything derives from the numbers passed to `step`, so
 * a failing list of numbers replays, and shrinks by dropping steps.
 */
import { eachPair, type Surroundings } from '../../src/model/invariants.ts';
import { type Area, type AreaFacts, areasId } from '../../src/model/area.ts';
import type { Attempt, Outcome } from '../../src/model/attempt.ts';
import { isContractSettled } from '../../src/model/contract.ts';
import type { Event, Fact, NewEvent, Source } from '../../src/model/event.ts';
import { evolve } from '../../src/model/evolve.ts';
import { queueOf, type Queue, type Stacked } from '../../src/merge/queue/view.ts';
import type { CommitId, NodeName, ProjectName, TaskId, TaskKey, Token } from '../../src/model/ids.ts';
import { isLive } from '../../src/model/indexes.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { emptyState, type NodeState } from '../../src/model/state.ts';
import type { Basis } from '../../src/model/evidence.ts';
import { isFinal, judgedBy, type Progress, type Project, type Task, undoOf } from '../../src/model/task.ts';
import { BASIS, clash, stallFor } from './builder.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';

/** Facts that are recorded together, and the node whose journal they came from. */
interface Move {
  readonly facts: readonly Fact[];
  readonly from?: NodeName;
}

type At<Name extends Progress['at']> = Task & { progress: Extract<Progress, { at: Name }> };

const USED = { inputTokens: 12, outputTokens: null, cachedTokens: 0, costUsd: 0.125 };
const PROJECTS = ['app', 'site', 'chores'] as ProjectName[];
const NODES = ['mac2', 'codex-node-1', 'codex-node-2'] as NodeName[];
const PATHS = ['src/a.ts', 'src/b.ts', 'src/c.ts', 'docs/', 'test/'];
const AREAS: readonly Area[] = [
  { name: 'docs', paths: ['docs/'], verify: 'make docs' },
  { name: 'src', paths: ['src/'], verify: 'make src' },
];
const MOST_TASKS = 24;

/** Literal patterns only: two tasks meet when they share one. */
export function sharesPath(a: TaskSpec, b: TaskSpec): boolean {
  return a.modifies.some((path) => b.modifies.includes(path));
}

/** What states of tests are held against. */
export const SHARED: Surroundings = { lockAgainst: eachPair(sharesPath) };

export class History {
  readonly state = emptyState();
  readonly events: Event[] = [];
  #now = 1_700_000_000_000;
  #epoch = 1;
  #serial = 0;
  #random = randomFrom(0);

  /** Lets something happen that can happen now; the events are applied already. `afterEach` runs after each single one. */
  step(number: number, afterEach: (event: Event) => void = () => {}): NewEvent[] {
    this.#random = randomFrom(number);
    this.#now += this.#pick(5000) + (this.#pick(4) === 0 ? 0.25 : 0);
    return this.#apply(this.#any(this.#possible()), afterEach);
  }

  /** The moves of one kind that has any, each such kind as likely as the next. Most are not asked: that is what a step costs. */
  #possible(): Move[] {
    const kinds = this.#kinds();
    for (let left = kinds.length; left > 0; left -= 1) {
      const at = this.#pick(left);
      const moves = kinds[at]?.() ?? [];
      if (moves.length > 0) return moves;
      kinds[at] = kinds[left - 1] as () => Move[];
    }
    throw new Error('nothing can happen any more');
  }

  #apply(move: Move, afterEach: (event: Event) => void): NewEvent[] {
    return move.facts.map((fact, index) => {
      const source = index === 0 && move.from !== undefined ? this.#source(move.from) : null;
      const event: NewEvent = { at: this.#now, epoch: this.#epoch, fact, source };
      const numbered: Event = { seq: this.events.length + 1, ...event };
      evolve(this.state, numbered);
      this.events.push(numbered);
      afterEach(numbered);
      return event;
    });
  }

  #source(node: NodeName): Source {
    const known = this.state.nodes.get(node);
    return { node, journal: known?.journal ?? 'journal-0', seq: (known?.cursor ?? 0) + 1 };
  }

  #kinds(): (() => Move[])[] {
    return [
      () => this.#takeOver(),
      () => this.#sleep(),
      () => this.#configure(),
      () => this.#base(),
      () => this.#start(),
      () => this.#addTask(),
      () => this.#addTask(),
      () => this.#addTask(),
      () => this.#changeTask(),
      () => this.#connect(),
      () => this.#disconnect(),
      () => this.#refuse(),
      () => this.#suspectNode(),
      () => this.#lose(),
      () => this.#keep(),
      () => this.#probe(),
      () => this.#alert(),
      () => this.#limit(),
      () => this.#easeKey(),
      () => this.#mark(),
      () => this.#ail(),
      () => this.#repair(),
      () => this.#heal(),
      () => this.#claimWork(),
      () => this.#claimWork(),
      () => this.#claimWork(),
      () => this.#run(),
      () => this.#run(),
      () => this.#progress(),
      () => this.#note(),
      () => this.#stall(),
      () => this.#move(),
      () => this.#intervene(),
      () => this.#endWork(),
      () => this.#endWork(),
      () => this.#endWork(),
      () => this.#endGate(),
      () => this.#endGate(),
      () => this.#fence(),
      () => this.#late(),
      () => this.#judge(),
      () => this.#judge(),
      () => this.#review(),
      () => this.#secondLook(),
      () => this.#byHand(),
      () => this.#prepare(),
      () => this.#prepare(),
      () => this.#prepare(),
      () => this.#prepare(),
      () => this.#conflict(),
      () => this.#predict(),
      () => this.#claimGate(),
      () => this.#claimGate(),
      () => this.#claimGate(),
      () => this.#pass(),
      () => this.#suspect(),
      () => this.#settleAside(),
      () => this.#hold(),
      () => this.#control(),
      () => this.#contract(),
      () => this.#front(),
      () => this.#land(),
      () => this.#land(),
      () => this.#race(),
      () => this.#cancel(),
      () => this.#retry(),
      () => this.#revert(),
      () => this.#revert(),
      () => this.#delivery(),
      () => this.#delivery(),
    ];
  }

  #takeOver(): Move[] {
    if (!this.#rarely()) return [];
    this.#epoch += 1;
    return one({ type: 'controller.acquired', host: 'laptop', pid: 1000 + this.#epoch });
  }

  #sleep(): Move[] {
    if (!this.#rarely()) return [];
    return one({ type: 'controller.slept', ms: this.#pick(100_000) });
  }

  #configure(): Move[] {
    const name = this.#any(PROJECTS);
    if (this.state.projects.has(name) && !this.#rarely()) return [];
    return one({ type: 'project.configured', config: this.#config(name) });
  }

  #base(): Move[] {
    return this.#projects()
      .filter((project) => project.config.repo !== null && project.integration === null)
      .flatMap((project) =>
        one({ type: 'project.based', project: project.name, integration: this.#commit() }),
      );
  }

  #start(): Move[] {
    if (!this.#rarely()) return [];
    const why = this.#rarely() ? { skipControl: 'it judges no files' } : {};
    return this.#projects().flatMap(({ name }) => one({ type: 'project.started', project: name, ...why }));
  }

  #addTask(): Move[] {
    if (this.state.tasks.size >= MOST_TASKS) return [];
    return this.#projects().flatMap((project) => {
      const spec = this.#spec(project, this.#pick(40));
      if (this.state.tasks.has(`${spec.project}/${spec.id}` as TaskKey)) return [];
      return one({ type: 'task.added', spec, text: `# ${spec.title}\n\0 "text" ${this.#pick(1000)}\n` });
    });
  }

  #changeTask(): Move[] {
    return this.#tasks()
      .filter((task) => !task.locked && task.progress.at !== 'merged' && undoOf(task.progress) === undefined)
      .flatMap((task) => {
        const project = this.#project(task);
        const spec = this.#spec(project, Number(task.spec.id.slice(1)));
        return one({ type: 'task.changed', spec, text: `changed ${this.#pick(1000)}` });
      });
  }

  #connect(): Move[] {
    if (!this.#rarely()) return [];
    const node = this.#any(NODES);
    const wiped = this.#pick(3) === 0;
    const journal = wiped ? `journal-${this.#next()}` : (this.state.nodes.get(node)?.journal ?? 'journal-0');
    return one({ type: 'node.connected', node, bootId: `boot-${this.#pick(3)}`, journal, program: 'a1b2' });
  }

  #disconnect(): Move[] {
    if (!this.#rarely()) return [];
    return one({ type: 'node.disconnected', node: this.#any(NODES), reason: 'keepalive timed out' });
  }

  #refuse(): Move[] {
    if (!this.#rarely()) return [];
    const blamed = this.#tasks().flatMap(({ key }) => (this.#pick(4) === 0 ? [{ task: key }] : [{}]));
    const refused = { node: this.#any(NODES), until: this.#next(), reason: 'no space' };
    return one({ type: 'node.refused', ...refused, ...blamed[0] });
  }

  #ail(): Move[] {
    if (!this.#rarely()) return [];
    const node = this.#any(NODES);
    const ailment = this.#any(['disk', 'failing', 'unkillable'] as const);
    const facts: Fact[] = [{ type: 'node.ailing', node, ailment, evidence: `figure ${this.#pick(100)}` }];
    if (this.#pick(3) === 0) facts.push({ type: 'node.marked', node, mark: 'drain', for: ailment });
    return one(...facts);
  }

  #repair(): Move[] {
    return this.#ailing().flatMap(({ name: node, health }) =>
      health.ailments.flatMap(({ kind: ailment, repair }) =>
        repair !== null && repair.did === null
          ? one({ type: 'node.repaired', node, ailment, did: 'swept' })
          : one({ type: 'node.repairing', node, ailment, by: 'sweep' }),
      ),
    );
  }

  #heal(): Move[] {
    return this.#ailing().flatMap(({ name: node, health }) =>
      health.ailments.flatMap(({ kind: ailment }) => {
        const healed: Fact = { type: 'node.healed', node, ailment, how: 'it is gone' };
        if (health.markedFor !== ailment) return one(healed);
        return one({ type: 'node.marked', node, mark: 'none' }, healed);
      }),
    );
  }

  #ailing(): NodeState[] {
    return this.#rarely() ? [...this.state.nodes.values()] : [];
  }

  #suspectNode(): Move[] {
    if (!this.#rarely()) return [];
    return one({ type: 'node.suspected', node: this.#any(NODES), silentMs: this.#pick(100_000) });
  }

  /** With all that it holds; it connects again before anything else begins there. */
  #lose(): Move[] {
    if (!this.#rarely()) return [];
    const node = this.#any(NODES);
    const there = this.#live().filter((attempt) => attempt.node === node);
    const work = there.filter(({ work: { kind } }) => kind === 'work').map(({ task }) => task);
    const finished = this.#at('finished')
      .filter(({ progress }) => this.state.attempts.get(progress.token)?.node === node)
      .map(({ key }) => key);
    const by = this.#any([null, 'ana']);
    return one(
      ...there.map(({ token }): Fact => ({ type: 'attempt.fenced', token, reason: 'lost' })),
      { type: 'node.lost', node, silentMs: this.#pick(100_000), by },
      ...[...work, ...finished].map((task) => this.#backedOff(task)),
      { type: 'node.connected', node, bootId: 'boot-1', journal: `journal-${this.#next()}`, program: 'a1b2' },
    );
  }

  #keep(): Move[] {
    if (!this.#rarely()) return [];
    const over = [...this.state.attempts.values()].filter(
      ({ work, phase }) => work.kind === 'work' && (phase.is === 'ended' || phase.is === 'fenced'),
    );
    return over.flatMap(({ token }) => one({ type: 'attempt.kept', token, head: this.#commit() }));
  }

  #limit(): Move[] {
    if (!this.#rarely()) return [];
    const strikes = 1 + this.#pick(3);
    const limit = this.#any([null, 1, 2.5]);
    const why = this.#any(['rate', 'login', 'quota'] as const);
    const bound = { limit, seen: this.#any([null, 4]), notBefore: this.#next(), strikes };
    return one({
      type: 'credential.limited',
      credential: this.#any(['glm', 'b']),
      why,
      message: 'no',
      ...bound,
    });
  }

  #easeKey(): Move[] {
    return [...this.state.credentials.keys()].flatMap((credential) => {
      if (!this.#rarely()) return [];
      return one({ type: 'credential.eased', credential, limit: 3, notBefore: 0, strikes: 0 });
    });
  }

  #alert(): Move[] {
    if (!this.#rarely()) return [];
    const { alerts } = this.state;
    const key = this.#any(['wal', 'sink/ntfy', 'node/mac2']);
    const raised: Fact = {
      type: 'alert.raised',
      key,
      rule: 'wal',
      level: this.#any(['P0', 'P1', 'P2'] as const),
      code: 'E_WAL_SIZE',
      about: 'here',
      message: `the log has ${this.#pick(100)} MiB`,
      fix: this.#any([null, 'dispatch health']),
      ...(alerts.has(key) && this.#pick(2) === 0 ? { quiet: true } : {}),
    };
    const known = [...alerts.values()].flatMap(({ key: open, resolved }): Move[] => {
      const at = { raised: resolved === null ? [open] : [], resolved: resolved === null ? [] : [open] };
      const told: Fact = { type: 'alert.told', sink: this.#any(['ntfy', 'mail']), ...at };
      if (resolved !== null) return one(told);
      return [
        ...one(told),
        ...one({ type: 'alert.resolved', key: open }),
        ...one({ type: 'alert.acked', key: open, by: 'ann' }),
      ];
    });
    return [...one(raised), ...known];
  }

  #probe(): Move[] {
    if (!this.#rarely()) return [];
    const problems = this.#any([[], ['codex 0.1 has no --json']]);
    const report = { path: '/usr/bin/codex', version: '0.1', problems };
    return one({ type: 'node.probed', node: this.#any(NODES), programs: { codex: report } });
  }

  #mark(): Move[] {
    if (!this.#rarely()) return [];
    const mark = this.#any(['none', 'cordon', 'drain'] satisfies NodeState['mark'][]);
    return one({ type: 'node.marked', node: this.#any(NODES), mark });
  }

  #claimWork(): Move[] {
    return [...this.state.startable].flatMap((key) => {
      const task = this.#task(key);
      const { integration, config } = this.#project(task);
      if (config.repo !== null && integration === null) return [];
      if (!isContractSettled(this.state, task.spec.project)) return [];
      const accepted = this.#project(task).contract?.accepted;
      if (this.#isLockedOut(task)) return [];
      return one({
        type: 'attempt.claimed',
        token: this.#token(),
        task: key,
        n: task.n + 1,
        work: { kind: 'work' },
        node: this.#any(NODES),
        base: integration,
        ...(accepted == null ? {} : { contract: accepted }),
        ...(this.#pick(3) === 0
          ? { reserved: { tokens: 50_000, usd: this.#pick(2) === 0 ? null : 0.25 } }
          : {}),
      });
    });
  }

  #isLockedOut(task: Task): boolean {
    return [...this.state.locked].some((key) => {
      const other = this.#task(key);
      return other !== task && other.spec.project === task.spec.project && sharesPath(other.spec, task.spec);
    });
  }

  #run(): Move[] {
    return this.#live()
      .filter((attempt) => attempt.phase.is === 'claimed')
      .flatMap((attempt) => heard(attempt, { type: 'attempt.running', token: attempt.token }));
  }

  #progress(): Move[] {
    const step = this.#any(['prepare', 'agent', 'gates', 'verify'] as const);
    return this.#live()
      .filter((attempt) => attempt.phase.is === 'running')
      .flatMap((attempt) =>
        heard(attempt, { type: 'attempt.progressed', token: attempt.token, round: 1 + this.#pick(4), step }),
      );
  }

  #note(): Move[] {
    if (!this.#rarely()) return [];
    return this.#live()
      .filter((attempt) => attempt.work.kind === 'work' && attempt.phase.is === 'running')
      .flatMap((attempt) => {
        const plan = this.#any([null, 'first a, then b']);
        return heard(attempt, { type: 'attempt.noted', token: attempt.token, plan, evidence: '- [x] it is' });
      });
  }

  #stall(): Move[] {
    const stall = stallFor(this.#any(['keyboard', 'child', 'unknown'] as const));
    return this.#live()
      .filter((attempt) => attempt.phase.is === 'running')
      .flatMap((attempt) => heard(attempt, { type: 'attempt.stalled', token: attempt.token, stall }));
  }

  #move(): Move[] {
    return this.#live()
      .filter(({ phase }) => phase.is === 'running' && phase.stall !== undefined)
      .flatMap((attempt) => heard(attempt, { type: 'attempt.moved', token: attempt.token }));
  }

  #intervene(): Move[] {
    return this.#live().flatMap(({ token }) => one({ type: 'person.intervened', token, by: 'ann' }));
  }

  #endWork(): Move[] {
    return this.#live()
      .filter((attempt) => attempt.work.kind === 'work')
      .flatMap((attempt) => {
        const { token } = attempt;
        const hasRepo = this.#project(this.#task(attempt.task)).config.repo !== null;
        const outcome = this.#pick(2) === 0 ? this.#done(hasRepo) : this.#outcome(hasRepo);
        return heard(
          attempt,
          { type: 'attempt.ended', token, outcome },
          ...this.#afterWork(attempt, outcome),
        );
      });
  }

  /** What the controller records with the end of a work attempt. */
  #afterWork({ task, token }: Attempt, outcome: Outcome): Fact[] {
    switch (outcome.kind) {
      case 'done':
        return outcome.head === null ? [{ type: 'task.completed', task, token }] : [];
      case 'refused':
        return [{ type: 'task.failed', task, reason: 'refused', findings: outcome.findings }];
      case 'overspent':
        return [{ type: 'task.failed', task, reason: 'overspent', findings: [] }];
      case 'cancelled':
        return [{ type: 'task.cancelled', task, reason: outcome.reason }];
      case 'failed':
      case 'timeout':
      case 'lost':
        return [this.#pick(4) === 0 ? this.#failed(task) : this.#backedOff(task)];
    }
  }

  #endGate(): Move[] {
    return this.#live().flatMap((attempt) => {
      if (attempt.work.kind !== 'gate') return [];
      const { token, task, work } = attempt;
      const outcome = this.#pick(2) === 0 ? this.#done(false) : this.#outcome(false);
      const { subject } = work;
      const end: Fact = { type: 'attempt.ended', token, outcome };
      if (subject.of === 'control') return heard(attempt, end);
      if (subject.of === 'delivery') return heard(attempt, end, ...this.#afterDeliveryGate(attempt, outcome));
      const progress = this.state.tasks.get(task)?.progress;
      if (progress?.at !== 'gating' || progress.gate !== token) return heard(attempt, end);
      return heard(attempt, end, ...this.#afterMergeGate(task, subject.workToken, subject.tree, outcome));
    });
  }

  #afterMergeGate(task: TaskKey, token: Token, tree: string, outcome: Outcome): Fact[] {
    switch (outcome.kind) {
      case 'done':
        return [
          { type: 'gate.proved', project: this.#task(task).spec.project, token, tree, ...this.#basis() },
        ];
      case 'refused': {
        const { findings, output } = outcome;
        const failed = ['a', 'b', 'c'].filter(() => this.#pick(2) === 0).map((name) => `test ${name}`);
        const named = failed.length > 0 ? { failed } : {};
        return [{ type: 'merge.doubted', token, findings, output, ...this.#basis(), ...named }];
      }
      case 'lost':
        return [];
      case 'failed':
      case 'timeout':
      case 'overspent':
      case 'cancelled':
        return this.#brokenGate(task, token);
    }
  }

  #brokenGate(task: TaskKey, token: Token): Fact[] {
    const { project } = this.#task(task).spec;
    const broke: Fact = { type: 'gate.broke', project, reason: 'no bwrap', times: 1 + this.#pick(3) };
    return this.#pick(3) === 0
      ? [broke, { type: 'queue.held', project, by: 'dispatch', reason: 'no bwrap' }]
      : [broke, { type: 'merge.stalled', token, notBefore: this.#now + 12.5, reason: 'no bwrap' }];
  }

  /** A gate is tried on a broken copy, or a person wants no try. */
  #control(): Move[] {
    if (!this.#rarely()) return [];
    return this.#projects().flatMap(({ name: project }) => {
      const verdict = this.#any(['proved', 'red', 'nothing', 'blind', 'skipped'] as const);
      const found = { files: String(this.#pick(3)), tree: this.#commit(), note: 'a note' };
      return one({ type: 'gate.controlled', project, ...BASIS, ...found, verdict });
    });
  }

  /** It is looked at for the first time, is another one, or is accepted: what was made under another one is given up. */
  #contract(): Move[] {
    return this.#projects().flatMap((project) => {
      const { name, integration, contract, config } = project;
      if (config.contract === null || integration === null) return [];
      const about = { project: name, path: config.contract } as const;
      const hash = this.#any([null, 'a1', 'b2', 'c3']);
      if (contract === null) return one({ type: 'contract.accepted', ...about, hash, by: 'dispatch' });
      if (contract.changed === null)
        return this.#rarely() ? one({ type: 'contract.changed', ...about, hash, commit: integration }) : [];
      const now = contract.changed.hash;
      const recalls = this.#tasks().flatMap((task) => this.#recall(task, now, about.path));
      return one({ type: 'contract.accepted', ...about, hash: now, by: 'ana' }, ...recalls);
    });
  }

  #recall({ key, spec, progress }: Task, hash: string | null, path: string): Fact[] {
    if (spec.project !== 'app' || undoOf(progress) !== undefined) return [];
    if (!['attempt', 'finished', 'review', 'queued', 'gating'].includes(progress.at)) return [];
    const token = 'token' in progress ? progress.token : null;
    const attempt = token === null ? undefined : this.state.attempts.get(token);
    if (token === null || attempt === undefined || (attempt.contract ?? null) === hash) return [];
    const live = progress.at === 'attempt' ? token : progress.at === 'gating' ? progress.gate : null;
    const reason = 'the contract has changed';
    const fenced: Fact[] = live === null ? [] : [{ type: 'attempt.fenced', token: live, reason }];
    return [...fenced, { type: 'task.recalled', task: key, token, path }];
  }

  #afterDeliveryGate(attempt: Attempt, outcome: Outcome): Fact[] {
    const project = this.#projectOf(attempt.task);
    const delivery = project?.delivery;
    if (project === undefined || delivery?.at !== 'gating' || delivery.gate !== attempt.token) return [];
    const { tree } = delivery;
    const about = { project: project.name } as const;
    if (outcome.kind === 'done') {
      const proved: Fact = { type: 'gate.proved', ...about, tree, ...BASIS };
      return this.#pick(4) === 0 ? [proved] : [proved, { type: 'delivery.passed', ...about, tree }];
    }
    if (outcome.kind !== 'refused') return [];
    const { verify } = BASIS;
    return [{ type: 'delivery.failed', ...about, code: 'E_TIP_RED', message: 'verify is red', verify }];
  }

  #fence(): Move[] {
    if (!this.#rarely()) return [];
    return this.#live().flatMap((attempt) => {
      const fenced: Fact = { type: 'attempt.fenced', token: attempt.token, reason: 'no space' };
      if (attempt.work.kind === 'gate') return one(fenced);
      return one(fenced, this.#pick(2) === 0 ? this.#backedOff(attempt.task) : this.#failed(attempt.task));
    });
  }

  #late(): Move[] {
    const tokens = this.#pick(4) === 0 ? [this.#token()] : [...this.state.fenced];
    return tokens.map((token) => {
      const node = this.state.attempts.get(token)?.node;
      const facts: Fact[] = [{ type: 'attempt.late', token, what: 'ended: done' }];
      return node === undefined ? { facts } : { facts, from: node };
    });
  }

  #judge(): Move[] {
    return this.#at('finished').flatMap(({ key, progress: { token, head } }) => {
      if (this.#pick(5) === 0) {
        const approvals = this.#findings().map((found) => ({ ...found, approval: true as const }));
        const found = { approvals, dropsTests: true, changesTests: this.#pick(2) === 0 } as const;
        return one({ type: 'candidate.accepted', token, head, changed: 3, ...found });
      }
      if (this.#pick(4) > 0) return one({ type: 'candidate.accepted', token, head, changed: 3 });
      return one({ type: 'candidate.refused', token, findings: this.#findings() }, this.#failed(key));
    });
  }

  #review(): Move[] {
    return this.#at('review').flatMap(({ key }) => {
      const approved = this.#pick(3) > 0;
      return one({ type: 'task.reviewed', task: key, approved, by: 'ana', reason: 'ok' });
    });
  }

  /** A person takes over what waits, or says what is to become of what was parked. */
  #byHand(): Move[] {
    if (this.#pick(3) > 0) return [];
    return [...this.#at('parked'), ...this.#at('review')].flatMap(({ key, progress }) => {
      const parked = progress.at === 'parked' && this.#pick(2) === 0;
      if (parked)
        return one({
          type: 'task.reviewed',
          task: key,
          approved: this.#pick(2) === 0,
          by: 'ana',
          reason: 'ok',
        });
      return one({ type: 'task.handed', task: key, by: 'ana', commit: this.#commit() });
    });
  }

  /** A second model, and now and then a person's word on what it found. */
  #secondLook(): Move[] {
    if (!this.#rarely()) return [];
    const approved = this.#pick(2) === 0;
    const said = (task: TaskKey): Fact => ({
      type: 'task.reviewed',
      task,
      approved,
      by: 'ana',
      reason: 'ok',
    });
    return this.#at('merged').flatMap(({ key, progress: { token, commit, look } }): Move[] => {
      if (commit === null) return [];
      const phase = this.state.attempts.get(token)?.phase;
      const again: Fact = { type: 'revert.requested', task: key, by: 'ana', reason: 'ok', again: true };
      if (look !== undefined) return one(said(key), ...(approved || phase?.is !== 'ended' ? [] : [again]));
      const finding = {
        path: 'a',
        line: 1,
        side: 'new',
        severity: 'major',
        confidence: 1,
        message: 'm',
        by: 'model',
      } as const;
      const found = {
        by: 'mock/m',
        commit,
        findings: [finding],
        unseen: [],
        refused: null,
        asks: approved,
      };
      return one({ type: 'review.found', token, look: found });
    });
  }

  #prepare(): Move[] {
    return this.#at('queued').flatMap((task) => {
      const aside = this.#pick(4) === 0;
      const project = this.#project(task);
      const onto = aside ? project.integration : this.#queue(project).top;
      if (onto === null) return [];
      const { token } = task.progress;
      return one({
        type: 'merge.prepared',
        token,
        onto,
        commit: this.#commit(),
        tree: this.#commit(),
        aside,
        ...this.#areaFacts(project),
      });
    });
  }

  /** As if it changed one area or both. */
  #areaFacts({ config: { areas = [] } }: Project): { areas?: AreaFacts } {
    const of = areasId(areas);
    if (of === undefined) return {};
    const within = this.#pick(3) > 0;
    const met = within ? [areas[this.#pick(areas.length)] as Area] : areas;
    const touched = met.map(({ name: area }) => ({ area, commit: this.#commit(), tree: this.#commit() }));
    return { areas: { of, within, touched } };
  }

  #conflict(): Move[] {
    if (!this.#rarely()) return [];
    return this.#at('queued').flatMap((task) => {
      const { token } = task.progress;
      if (undoOf(task.progress) !== undefined)
        return one({ type: 'revert.refused', token, reason: '409', clash: clash(task.spec.id) });
      const fact: Fact = {
        type: 'merge.conflicted',
        token,
        onto: this.#commit(),
        clash: clash(task.spec.id),
      };
      return task.returns < 2 ? one(fact) : one(fact, this.#parked(task.key, token));
    });
  }

  /** Foreseen, or foreseen no more; of a branch that a person looks at as well. */
  #predict(): Move[] {
    return [...this.#at('queued'), ...this.#at('review')].flatMap((task) => {
      const { token, predicted } = task.progress;
      const onto = this.#commit();
      const found = predicted === undefined ? clash(task.spec.id, { next: 'waits' }) : null;
      return one({ type: 'merge.predicted', token, onto, clash: found });
    });
  }

  #claimGate(): Move[] {
    const merges = this.#at('gating').filter(({ progress }) => progress.gate === null);
    const claims = merges.flatMap(({ key, n, progress }) => {
      const trees = judgedBy(progress);
      const { commit, tree } = trees.length > 1 ? (trees[this.#pick(trees.length)] ?? progress) : progress;
      const subject = { of: 'merge', workToken: progress.token, commit, tree, ...this.#basis() } as const;
      return one(this.#gateClaim(key, n, subject));
    });
    const deliveries = this.#projects().flatMap(({ name, delivery }) => {
      if (delivery?.at !== 'gating' || delivery.gate !== null) return [];
      const { commit, tree } = delivery;
      return one(this.#gateClaim(`${name}/` as TaskKey, 0, { of: 'delivery', commit, tree, ...BASIS }));
    });
    const controls = this.#projects().flatMap(({ name, integration }) => {
      if (integration === null || !this.#rarely()) return [];
      const what = { part: 'broken', files: '1', base: this.#commit(), broken: 7 } as const;
      const subject = {
        of: 'control',
        ...BASIS,
        ...what,
        commit: this.#commit(),
        tree: this.#commit(),
      } as const;
      return one(this.#gateClaim(`${name}/@control` as TaskKey, 0, subject));
    });
    return [...claims, ...deliveries, ...controls];
  }

  #gateClaim(task: TaskKey, n: number, subject: Extract<Attempt['work'], { kind: 'gate' }>['subject']): Fact {
    const token = this.#token();
    const node = this.#any(NODES);
    return {
      type: 'attempt.claimed',
      token,
      task,
      n,
      work: { kind: 'gate', subject },
      node,
      base: subject.commit,
    };
  }

  /** Some of the stack, from the bottom, lands. */
  #pass(): Move[] {
    return this.#projects().flatMap((project) => {
      const { stack, landing } = this.#queue(project);
      if (stack.length < 2 && this.#pick(4) > 0) return [];
      const parts = stack.slice(0, this.#pick(3) === 0 ? 2 : 1);
      const top = parts.at(-1);
      if (top === undefined || landing.length > 0) return [];
      const { token, tree } = top.progress;
      const below = parts.slice(0, -1).map(({ progress }) => progress.token);
      return one(...this.#stopped(parts), { type: 'merge.passed', token, tree, below });
    });
  }

  /** One of the stack is taken aside, and what stood on it goes back. */
  #suspect(): Move[] {
    if (!this.#rarely()) return [];
    return this.#projects().flatMap((project) => {
      const [suspect, ...above] = this.#queue(project).stack.slice(this.#pick(2));
      if (suspect === undefined) return [];
      const back = above.map(({ progress }): Fact => ({ type: 'merge.raced', token: progress.token }));
      const { token } = suspect.progress;
      return one(...this.#stopped(above), ...back, {
        type: 'merge.suspected',
        token,
        backers: above.map(({ progress }) => progress.token),
      });
    });
  }

  #settleAside(): Move[] {
    if (this.#pick(2) === 0) return [];
    return this.#projects().flatMap((project) =>
      this.#queue(project).aside.flatMap((entry) => {
        const { token } = entry.progress;
        const stopped = this.#stopped([entry]);
        if (this.#pick(2) === 0) return one(...stopped, { type: 'merge.cleared', token });
        const said = { token, findings: this.#findings(), output: 'red' };
        if (entry.progress.undo !== undefined)
          return one(...stopped, { type: 'revert.refused', reason: 'it is red', ...said });
        const refused: Fact = { type: 'merge.refused', ...said };
        if (this.#pick(2) === 0) return one(...stopped, refused);
        return one(...stopped, refused, this.#parked(entry.task.key, token));
      }),
    );
  }

  #stopped(entries: readonly Stacked[]): Fact[] {
    return entries.flatMap(({ progress: { gate } }) =>
      gate === null ? [] : { type: 'attempt.fenced', token: gate, reason: 'not needed' },
    );
  }

  #front(): Move[] {
    const open = this.#tasks().filter(({ progress }) => !isFinal(progress));
    return this.#rarely()
      ? open.flatMap(({ key }) => one({ type: 'queue.fronted', task: key, by: 'ana' }))
      : [];
  }

  #hold(): Move[] {
    return this.#projects().flatMap(({ name: project, hold }) => {
      if (hold !== null) return one({ type: 'queue.released', project, by: 'ana' });
      return this.#rarely() ? one({ type: 'queue.held', project, by: 'ana', reason: 'to look' }) : [];
    });
  }

  #land(): Move[] {
    return this.#projects().flatMap((project) => {
      const { landing } = this.#queue(project);
      const [first] = landing;
      if (first === undefined || project.integration !== first.onto) return [];
      const commit = landing.length > 1 ? this.#commit() : first.commit;
      const counted = { verify: 'make test', ran: this.#pick(20), skipped: this.#pick(3) };
      const tests = this.#pick(2) === 0 ? {} : { tests: [counted] };
      const facts = landing.map(
        ({ token, undo }, at): Fact => ({
          type: undo === undefined ? 'merge.landed' : 'revert.landed',
          token,
          commit,
          onto: at === 0 ? first.onto : commit,
          ...tests,
        }),
      );
      const carried = this.#at('gating')
        .filter((task) => task.progress.aside === null && task.progress.onto === first.commit)
        .map(({ progress }): Fact => ({ type: 'merge.carried', token: progress.token, onto: commit }));
      return one(...facts, ...carried);
    });
  }

  #queue(project: Project): Queue {
    return queueOf(
      project,
      this.#tasks().filter((task) => task.spec.project === project.name),
      this.state.tasks,
    );
  }

  #race(): Move[] {
    if (!this.#rarely()) return [];
    const merging = [...this.#at('gating'), ...this.#at('landing')];
    return merging.flatMap(({ progress }) => one({ type: 'merge.raced', token: progress.token }));
  }

  #cancel(): Move[] {
    if (!this.#rarely()) return [];
    return this.#tasks().flatMap(({ key, progress }) => {
      if (isFinal(progress) || progress.at === 'landing' || undoOf(progress) !== undefined) return [];
      const cancelled: Fact = { type: 'task.cancelled', task: key, reason: 'not needed' };
      if (progress.at !== 'attempt') return one(cancelled);
      return one({ type: 'attempt.fenced', token: progress.token, reason: 'not needed' }, cancelled);
    });
  }

  #retry(): Move[] {
    return this.#tasks()
      .filter(({ progress: { at } }) => ['failed', 'cancelled', 'parked', 'reverted'].includes(at))
      .flatMap(({ key }) => one({ type: 'task.retried', task: key, by: 'ana' }));
  }

  #revert(): Move[] {
    if (!this.#rarely()) return [];
    return this.#at('merged').flatMap(({ key, progress }) => {
      const phase = this.state.attempts.get(progress.token)?.phase;
      if (progress.commit === null || phase?.is !== 'ended') return [];
      return one({ type: 'revert.requested', task: key, by: 'ana', reason: 'it was wrong' });
    });
  }

  #delivery(): Move[] {
    return this.#projects().flatMap((project): Move[] => {
      const { name, delivery, integration } = project;
      if (project.config.repo === null || integration === null) return [];
      switch (delivery?.at) {
        case undefined:
          return one({ type: 'delivery.requested', project: name });
        case 'draining':
          return one({ type: 'delivery.drained', project: name });
        case 'preparing': {
          const targetTip = this.#pick(2) === 0 ? null : this.#commit();
          const facts = { commit: this.#commit(), tree: this.#commit(), onto: integration, targetTip };
          return [
            ...one({ type: 'delivery.prepared', project: name, ...facts }),
            ...one({ type: 'delivery.landed', project: name, commit: integration, tasks: [] }),
          ];
        }
        case 'gating':
          return [
            ...one({ type: 'delivery.raced', project: name }),
            ...one({ type: 'delivery.failed', project: name, code: 'E_CONFLICT', message: 'conflict' }),
          ];
        case 'pushing':
          return [
            ...one({ type: 'delivery.raced', project: name }),
            ...one({
              type: 'delivery.landed',
              project: name,
              commit: delivery.commit,
              tasks: ['T1' as TaskId],
            }),
          ];
      }
    });
  }

  #done(withHead: boolean): Outcome {
    return { kind: 'done', head: withHead ? this.#commit() : null, rounds: 1 + this.#pick(3), usage: USED };
  }

  #outcome(withHead: boolean): Outcome {
    const head = withHead ? this.#commit() : null;
    const outcomes: Outcome[] = [
      { kind: 'refused', findings: this.#findings(), output: '✗ “fail”\n', head, rounds: 4, usage: null },
      { kind: 'failed', cause: 'executor', message: 'not found', exitCode: 127, rounds: 0, usage: null },
      {
        kind: 'failed',
        cause: 'prepare',
        message: 'EIO',
        blame: 'node',
        exitCode: null,
        rounds: 0,
        usage: null,
      },
      { kind: 'timeout', rounds: 2, head, usage: null },
      { kind: 'overspent', limitTokens: 40_000, rounds: 2, head, usage: USED },
      { kind: 'cancelled', reason: 'by hand' },
      { kind: 'lost', why: 'rebooted' },
    ];
    return this.#any(outcomes);
  }

  #findings() {
    return [{ gate: 'placeholder' as const, path: 'src/a.ts', line: 3, message: 'TODO', fix: null }];
  }

  /** What a gate runs where it is not the task's own command alone. */
  #basis(): Basis {
    return this.#pick(4) === 0 ? { ...BASIS, verify: 'make lint' } : BASIS;
  }

  #failed(task: TaskKey): Fact {
    return { type: 'task.failed', task, reason: 'gave up', findings: this.#findings() };
  }

  #backedOff(task: TaskKey): Fact {
    return { type: 'task.backedoff', task, notBefore: this.#now + this.#pick(9000) / 8, reason: 'try again' };
  }

  #parked(task: TaskKey, token: Token): Fact {
    return { type: 'task.parked', task, token, reason: 'three times' };
  }

  #config(name: ProjectName): ProjectConfig {
    return {
      name,
      repo: name === 'chores' ? null : `../${name}`,
      target: 'main',
      verify: 'make test',
      ...(name === 'site' ? { areas: AREAS } : {}),
      context: [],
      contract: name === 'app' ? 'SHARED_CONTEXT.md' : null,
      executor: 'shell',
      executors: {
        replay: {
          name: 'replay',
          kind: 'shell',
          command: ['python3', 'a.py'],
          env: { A: '1' },
          secrets: {},
          model: null,
        },
      },
      timeoutMs: 1_800_000,
      retries: 3,
      gateTimeoutMs: 600_000,
      sandbox: DEFAULT_SANDBOX,
      placeholderAllow: [],
      allowedExtras: [],
      sharedPaths: [],
      protectedPaths: [],
      gates: { largestFileKb: 8192, largestBinaryKb: 2048, secretAllow: [], minTests: 0 },
      review: this.#any(['never', 'never', 'p0', 'always'] as const),
      weight: 1 + this.#pick(3),
      maxAttempts: 3,
    };
  }

  /** Task number `index` depends only on lower numbers, whether they were added already or not, so there is no cycle. */
  #spec(project: Project, index: number): TaskSpec {
    const dependsOn = new Set<TaskId>();
    for (let left = this.#pick(3); left > 0 && index > 0; left -= 1) {
      dependsOn.add(`T${this.#pick(index)}` as TaskId);
    }
    return {
      project: project.name,
      id: `T${index}` as TaskId,
      title: `任务 ${index}`,
      priority: this.#any([0, 1, 2, 3] as const),
      dependsOn: [...dependsOn],
      modifies: project.config.repo === null ? [] : [this.#any(PATHS), this.#any(PATHS)],
      expands: [],
      executor: 'shell',
      verify: null,
      timeoutMs: 60_000,
      retries: 3,
      review: this.#pick(6) === 0,
      budgetTokens: null,
      estimateMs: this.#pick(2) === 0 ? null : 1000,
      digest: String(this.#pick(1000)),
      file: `specs/${project.name}/T${index}.md`,
    };
  }

  #projects(): Project[] {
    return [...this.state.projects.values()];
  }

  #tasks(): Task[] {
    return [...this.state.tasks.values()];
  }

  #at<Name extends Progress['at']>(name: Name): At<Name>[] {
    return this.#tasks().filter((task): task is At<Name> => task.progress.at === name);
  }

  #live(): Attempt[] {
    return [...this.state.attempts.values()].filter(isLive);
  }

  #task(key: TaskKey): Task {
    const task = this.state.tasks.get(key);
    if (task === undefined) throw new Error(`no task ${key}`);
    return task;
  }

  #project(task: Task): Project {
    const project = this.state.projects.get(task.spec.project);
    if (project === undefined) throw new Error(`no project of ${task.key}`);
    return project;
  }

  #projectOf(key: TaskKey): Project | undefined {
    return this.state.projects.get(key.slice(0, key.indexOf('/')) as ProjectName);
  }

  #token(): Token {
    return this.#next().toString(16).padStart(32, '0') as Token;
  }

  #commit(): CommitId {
    return this.#next().toString(16).padStart(40, 'c') as CommitId;
  }

  /** Things that undo progress happen rarely, or hardly anything would merge. */
  #rarely(): boolean {
    return this.#pick(5) === 0;
  }

  #next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #any<T>(items: readonly T[]): T {
    const item = items[this.#pick(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

function one(...facts: Fact[]): Move[] {
  return [{ facts }];
}

/** The first fact is what the node's journal said. */
function heard(attempt: Attempt, ...facts: Fact[]): Move[] {
  return [{ facts, from: attempt.node }];
}

/** mulberry32: a small generator whose whole state is one number. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
