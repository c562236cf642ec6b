/** What a session answers to other processes: nothing of it is recorded. */
import { assertNever } from '../model/assert.ts';
import type { ProjectName } from '../model/ids.ts';
import type { Reply } from './commands.ts';
import type { Core } from './core.ts';
import type { HealthDesk, HealthReport } from './health.ts';
import type { About, NodeLook, Question } from './questions.ts';

/** Answers for whoever keeps the home with a session. */
export interface KeeperAnswers {
  readonly take: (project: ProjectName, skipControl: string | undefined) => Promise<Reply>;
  readonly refused: () => About['refused'];
}

export interface Answering {
  readonly pid: number;
  readonly core: Core;
  readonly looks: () => NodeLook[];
  readonly health: HealthDesk;
  readonly isCutOff: () => boolean;
  /** Absent for a session of one verb. */
  readonly keeper: KeeperAnswers | undefined;
  /** Takes a project of this session over from disk again, for whoever has written specs; absent: nobody may ask. */
  readonly again: ((project: ProjectName) => Promise<Reply>) | undefined;
}

export type Answer = Reply | About | readonly NodeLook[] | HealthReport;

export async function answerTo(question: Question, session: Answering): Promise<Answer> {
  switch (question.ask) {
    case 'about':
      return about(session);
    case 'nodes':
      return session.looks();
    case 'health':
      return session.health.deep();
    case 'take': {
      const { keeper, again } = session;
      if (keeper !== undefined) return keeper.take(question.project, question.skipControl);
      if (again !== undefined) return again(question.project);
      return { ok: false, code: 'E_CONTROLLER_RUNNING', message: 'this controller ends with its own verb' };
    }
    default:
      return assertNever(question);
  }
}

function about({ pid, core, keeper, isCutOff }: Answering): About {
  const controls = [...(core.snapshot().controls ?? [])];
  return {
    kind: keeper === undefined ? 'verb' : 'serve',
    pid,
    refused: keeper?.refused() ?? [],
    controls,
    safe: [...core.memory.safe],
    silent: [...core.memory.silent],
    cutOff: isCutOff(),
  };
}
