/** The words of a written plan, in the two languages that specs are written in. */
import { assertNever } from '../../model/assert.ts';
import { formatDuration } from '../../model/time.ts';
import type { Risk } from '../risks.ts';
import type { Gap } from './gaps.ts';

export type Language = 'en' | 'zh';

/** Chinese when most of the titles have Chinese characters. */
export function languageOf(titles: readonly string[]): Language {
  const chinese = titles.filter((title) => /\p{Script=Han}/u.test(title)).length;
  return 2 * chinese > titles.length ? 'zh' : 'en';
}

export interface Words {
  readonly title: (project: string) => string;
  readonly written: string;
  readonly headings: Readonly<Record<'milestones' | 'tree' | 'contract' | 'model' | 'risks', string>>;
  readonly summary: (tasks: number, milestones: number, best: string, widest: number) => string;
  readonly milestoneHead: readonly string[];
  readonly apiHead: readonly string[];
  readonly modelHead: readonly string[];
  readonly riskHead: readonly string[];
  readonly tooFew: (milestones: number, least: number) => string;
  readonly nothingMissing: string;
  readonly gaps: Readonly<Record<Gap, string>>;
  readonly noContract: string;
  readonly problems: (count: number, project: string) => string;
  readonly noRisks: string;
  readonly fresh: string;
  readonly unowned: (files: number) => string;
  readonly more: (rows: number) => string;
  /** What may go wrong, and what is done about it. */
  readonly risk: (risk: Risk) => readonly [what: string, mitigation: string];
  readonly contractRisk: readonly [what: string, mitigation: string];
  readonly gapRisk: (gap: string) => readonly [what: string, mitigation: string];
}

const EN: Words = {
  title: (project) => `Plan of ${project}`,
  written: 'Parts between marks are written anew by `dispatch plan --full`; everything else stays as it is.',
  headings: {
    milestones: 'Milestones',
    tree: 'Files and who owns them',
    contract: 'Interfaces',
    model: 'Data',
    risks: 'Risks',
  },
  summary: (tasks, milestones, best, widest) =>
    `${tasks} tasks in ${milestones} milestones; at best ${best}; at least ${widest} at the same time.`,
  milestoneHead: ['#', 'milestone', 'tasks', 'after', 'at best', 'done when'],
  apiHead: ['interface', 'request', 'response'],
  modelHead: ['resource', 'fields'],
  riskHead: ['risk', 'mitigation'],
  tooFew: (milestones, least) =>
    `A project from nothing has at least ${least} milestones; this has ${milestones}. No task and no file is about:`,
  nothingMissing: 'nothing that is missing can be named; split the largest tasks',
  gaps: {
    contract: 'the contract that tasks share (SHARED_CONTEXT.md)',
    commands: 'one command that runs it and one that tests it (Makefile or run.sh)',
    model: 'the data: models, schemas, migrations',
    interfaces: 'the interfaces: routes, services, commands, pages',
    tests: 'tests',
    docs: 'documentation (README.md)',
  },
  noContract: 'There is no contract that could be read.',
  problems: (count, project) => `${count} problems: \`dispatch contract check ${project}\``,
  noRisks: 'None that could be found from the specs.',
  fresh: 'new',
  unowned: (files) => `${files} files, nobody's`,
  more: (rows) => `and ${rows} more`,
  risk: (risk) => {
    switch (risk.kind) {
      case 'wide-lock': {
        const what = risk.pattern === null ? 'much of the repository' : code(risk.pattern);
        const others = risk.holdsUp === 0 ? '' : `, and excludes ${risk.holdsUp} others while it is open`;
        return [`${code(risk.task)} locks ${what}${others}`, 'name the folders it really changes'];
      }
      case 'long-chain':
        return [
          `${risk.tasks.length} tasks run one after the other, ${code(risk.tasks[0] ?? '')} to ${code(risk.tasks.at(-1) ?? '')} (${formatDuration(risk.ms)})`,
          'see whether a dependency can go, and look at the first of them early',
        ];
      case 'fan-in':
        return [
          `${code(risk.task)} waits for ${risk.count} tasks, and is blocked if any of them fails`,
          'split it by what each half needs',
        ];
      case 'fan-out':
        return [`${risk.count} tasks wait for ${code(risk.task)}`, 'give it a generous timeout, or a review'];
      default:
        return assertNever(risk);
    }
  },
  contractRisk: ['the contract has problems, so agents may read it differently', 'mend it before the start'],
  gapRisk: (gap) => [`nobody makes ${gap}`, 'write a spec for it, or say in the goal why it is not needed'],
};

const ZH: Words = {
  title: (project) => `${project} 执行计划`,
  written: '标记之间的部分由 `dispatch plan --full` 重新生成；其余内容保持不变。',
  headings: {
    milestones: '里程碑',
    tree: '文件树与归属',
    contract: '接口清单',
    model: '数据模型',
    risks: '风险与对策',
  },
  summary: (tasks, milestones, best, widest) =>
    `${tasks} 个任务，${milestones} 个里程碑；最快 ${best}；至少 ${widest} 个任务可同时进行。`,
  milestoneHead: ['序号', '里程碑', '任务', '前置', '最快', '完成条件'],
  apiHead: ['接口', '请求', '响应'],
  modelHead: ['资源', '字段'],
  riskHead: ['风险', '对策'],
  tooFew: (milestones, least) =>
    `从零开始的项目至少有 ${least} 个里程碑，这里只有 ${milestones} 个。没有任务也没有文件涉及：`,
  nothingMissing: '未发现明显缺项；请拆分最大的任务',
  gaps: {
    contract: '任务共享的契约（SHARED_CONTEXT.md）',
    commands: '一条运行命令和一条测试命令（Makefile 或 run.sh）',
    model: '数据：模型、模式、迁移',
    interfaces: '接口：路由、服务、命令、页面',
    tests: '测试',
    docs: '文档（README.md）',
  },
  noContract: '没有可读取的契约。',
  problems: (count, project) => `${count} 个问题：\`dispatch contract check ${project}\``,
  noRisks: '未从规格中发现风险。',
  fresh: '新建',
  unowned: (files) => `${files} 个文件，无人归属`,
  more: (rows) => `另有 ${rows} 行`,
  risk: (risk) => {
    switch (risk.kind) {
      case 'wide-lock': {
        const what = risk.pattern === null ? '仓库的大部分' : code(risk.pattern);
        const others = risk.holdsUp === 0 ? '' : `，期间排斥其他 ${risk.holdsUp} 个任务`;
        return [`${code(risk.task)} 锁定 ${what}${others}`, '写明真正要改的目录'];
      }
      case 'long-chain':
        return [
          `${risk.tasks.length} 个任务依次进行，从 ${code(risk.tasks[0] ?? '')} 到 ${code(risk.tasks.at(-1) ?? '')}（${formatDuration(risk.ms)}）`,
          '看能否去掉某个依赖，并尽早检查第一个任务',
        ];
      case 'fan-in':
        return [
          `${code(risk.task)} 等待 ${risk.count} 个任务，任何一个失败都会阻塞它`,
          '按各自需要的前置拆分',
        ];
      case 'fan-out':
        return [`${risk.count} 个任务等待 ${code(risk.task)}`, '给足超时时间，或安排人工审核'];
      default:
        return assertNever(risk);
    }
  },
  contractRisk: ['契约存在问题，各代理可能理解不一', '开始之前先修正'],
  gapRisk: (gap) => [`没有人负责${gap}`, '补一份规格，或在目标中说明为何不需要'],
};

export const WORDS: Readonly<Record<Language, Words>> = { en: EN, zh: ZH };

/** Code that cannot end its own quoting or its table cell, and opens no comment. */
export function code(name: string): string {
  const ticks = name.includes('`') ? '``' : '`';
  return `${ticks}${name.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<!--', '<!- -')}${ticks}`;
}
