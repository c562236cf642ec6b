import { assertNever } from '../../../model/assert.ts';
import type { Advice, Figures } from '../../advice.ts';
import { causeText, kindText } from './zh-kinds.ts';
import type { Messages } from './messages.ts';

const DAYS = ['日', '一', '二', '三', '四', '五', '六'];

const ACTS: Messages['act'] = {
  approve: '次批准',
  reject: '次驳回',
  'by-hand': '次手工完成',
  retry: '次重试',
  cancel: '次取消',
  revert: '次撤回',
  queue: '次队列操作',
  collect: '次交付',
  start: '次启动',
  node: '次节点标记',
};

export const zh = {
  locale: 'zh-CN',
  units: [
    { of: 1e8, name: ' 亿' },
    { of: 1e4, name: ' 万' },
  ],
  calendar: {
    full: (year, month, day, weekday) => `${year}年${month}月${day}日 星期${DAYS[weekday]}`,
    date: (month, day) => `${month}月${day}日`,
    short: (month, day, weekday) => `${month}月${day}日 周${DAYS[weekday]}`,
  },
  title: { day: '日报', week: '周报' },
  soFar: (clock, kind) => `截至 ${clock}，${kind === 'day' ? '当天' : '本周'}尚未结束`,
  lead: ({ measures, projects, period }, waiting, format) => {
    const span = period.kind === 'day' ? '当日' : '本周';
    const where = projects.length === 0 ? '' : ` ${projects.length} 个项目`;
    const back = measures.refusals === 0 ? '' : `，退回 ${measures.refusals} 次`;
    const share =
      measures.availableMs === 0 ? '' : `槽位利用率 ${format.share(measures.usedMs, measures.availableMs)}。`;
    const you = waiting === 0 ? '没有事项等你处理。' : `有 ${waiting} 件事等你处理。`;
    return `${span}${where}合入 ${measures.merged} 个任务${back}。${share}${you}`;
  },
  nothing: '无。',
  unknown: '未知',
  more: (count) => `另有 ${count} 项`,
  asTable: '以表格查看',
  separator: '、',
  alertIs: { open: '未解决', over: '已解决' },
  sections: {
    tomorrow: '接下来做什么',
    day: '全天走势',
    week: '一周走势',
    projects: '各项目',
    failures: '失败与原因',
    gates: '门禁',
    fleet: '机器',
    spending: '令牌与费用',
    specs: '规格质量',
    capacity: '容量建议',
    notes: '指标说明',
    alerts: '告警',
  },
  measures: {
    merged: '合入任务',
    utilisation: '利用率',
    firstRound: '首轮通过率',
    specToMerge: '规格到合入',
    person: '人工时间',
    spent: '花费',
  },
  notes: {
    perDay: (rate) => `日均 ${rate} 个`,
    reverted: (count) => `撤回 ${count} 个`,
    slotHours: (used, available) => `${used} / ${available} 槽位小时`,
    slotTime: (used, available) => `槽位时间 ${used} / ${available}`,
    passed: (passed, of) => `首次尝试 ${passed} / ${of}`,
    p90: (span) => `九成在 ${span}内`,
    acts: (count) => `${count} 次操作，估算`,
    tokens: (total, unknown) => `${total} 令牌${unknown === 0 ? '' : `，${unknown} 次未知`}`,
    untold: (count) => `${count} 次尝试未上报`,
    before: (change, kind, isOver) =>
      `较${kind === 'day' ? '前一日' : '前一周'}${isOver ? '' : '同期'} ${change}`,
    same: (kind, isOver) => `与${kind === 'day' ? '前一日' : '前一周'}${isOver ? '' : '同期'}持平`,
    minutes: (count) => `${count} 分钟`,
  },
  columns: {
    level: '级别',
    about: '对象',
    alert: '内容',
    task: '任务',
    title: '标题',
    took: '规格到合入',
    attempts: '尝试',
    rounds: '轮次',
    commit: '提交',
    at: '时间',
    by: '由谁退回',
    finding: '发现',
    against: '冲突对象',
    paths: '文件',
    times: '次数',
    cause: '原因',
    count: '次数',
    tasks: '任务',
    verify: '命令',
    project: '项目',
    runs: '运行',
    red: '红',
    broken: '中断',
    median: '中位数',
    longest: '最长',
    flakes: '抖动',
    rate: '总抖动率',
    tests: '测试',
    node: '节点',
    slots: '槽位',
    used: '已用',
    usedHours: '已用（时）',
    available: '可用',
    availableHours: '可用（时）',
    utilisation: '利用率',
    peak: '峰值',
    outages: '断连',
    away: '离线',
    executor: '执行器',
    merged: '合入',
    input: '输入',
    output: '输出',
    cached: '缓存',
    cost: '费用',
    computedCost: '费用（按价目计算）',
    reportedCost: '上报费用',
    perTask: '每次合入',
    time: '工作时长',
    kind: '规格类型',
    passed: '首轮通过',
    reason: '原因',
    state: '状态',
    hour: '起始',
    bad: '退回或失败',
    tokens: '令牌',
    day: '日期',
    firstRound: '首轮',
    minutes: '人工时间',
    span: '时段',
    slot: '槽位',
  },
  project: {
    merged: (count) => `合入 ${count}`,
    refused: (count) => `退回 ${count}`,
    conflicts: (count) => `冲突 ${count}`,
    reverted: '已撤回',
    waiting: (count) => `等你处理 ${count}`,
    quiet: (names) => `${names}：没有动静，也没有待办。`,
    delivered: (count, target) => `${count} 个任务已交付到 ${target}`,
    delivery: (delivery, target, format) => {
      switch (delivery.is) {
        case 'none':
          return `尚未向 ${target} 交付`;
        case 'running':
          return `正在交付（${delivery.at}）`;
        case 'failed':
          return `上次交付于 ${format.moment(delivery.when)} 被拒：${delivery.code}：${delivery.message}`;
        case 'landed':
          return `${target} 自 ${format.moment(delivery.when)} 起为 ${delivery.commit.slice(0, 10)}${delivery.pending === 0 ? '' : `，此后又合入 ${delivery.pending} 个`}`;
        default:
          return assertNever(delivery);
      }
    },
  },
  standing: {
    merged: '已合入',
    you: '等你处理',
    agents: '智能体进行中',
    gates: '门禁中',
    slots: '等槽位',
    tasks: '等其他任务',
    out: '已取消',
  },
  refusedBy: {
    node: '节点门禁',
    branch: '分支门禁',
    merge: '合并后的门禁',
    revert: '撤回后的门禁',
  },
  what: { found: '第二个模型的发现', review: '待审', parked: '搁置', failed: '失败', reverted: '已撤回' },
  cause: causeText,
  retries: (attempts, tasks, rounds) =>
    attempts === 0
      ? `没有重试；尝试内部返工 ${rounds} 轮。`
      : `${tasks} 个任务重试 ${attempts} 次；尝试内部返工 ${rounds} 轮。`,
  flaky: '抖动：同一提交先红后绿',
  slowest: '最慢的在前',
  stepsTitle: '尝试的时间花在哪里',
  step: { prepare: '准备', agent: '智能体', gates: '门禁', verify: '验证' },
  blind: (asleep, absent, restarts) => {
    const parts = [
      ...(asleep === null ? [] : [`控制器所在机器休眠 ${asleep}`]),
      ...(absent === null ? [] : [`无控制器运行 ${absent}`]),
      ...(restarts === 0 ? [] : [`控制器接管 ${restarts} 次`]),
    ];
    return parts.length === 0 ? null : `${parts.join('；')}。这些时间里的空闲槽位不计入可用。`;
  },
  onboarded: (node, took) =>
    `新节点 ${node}：${took === null ? '尚无成功结束的尝试' : `从首次连接到首个成功的尝试用时 ${took}`}。引导安装的耗时不在日志中。`,
  unlisted: '已不在 nodes.json 中',
  kind: kindText,
  advice: adviceText,
  noAdvice: ({ pending, running, slots, free }) =>
    `无需调整：${pending} 个就绪任务没有槽位，${running} 个运行中，${slots} 个槽位占用 ${slots - free} 个。`,
  next: (step) => {
    switch (step.do) {
      case 'alert':
        return `${step.project}：${step.message}`;
      case 'release':
        return `恢复合并：${step.reason}`;
      case 'review':
        return `${step.task}：${step.reason}`;
      case 'mend':
        return `${step.task}：${step.reason}；若问题在规格，先改规格，再重试`;
      case 'collect':
        return `把 ${step.count} 个已合入的任务交付到 ${step.target}`;
      case 'start':
        return `继续 ${step.count} 个任务`;
      case 'reach':
        return `查看 ${step.nodes.join('、')} 为何连不上`;
      case 'add-nodes':
        return `再加 ${step.nodes} 台同样规格的节点`;
      default:
        return assertNever(step);
    }
  },
  act: ACTS,
  estimate: ({ acts, minutes }) => {
    const parts = acts.map(({ act, count, minutesEach }) => `${count} ${ACTS[act]} × ${minutesEach}`);
    const sum = parts.length === 0 ? '日志中没有操作' : `${parts.join(' + ')} = ${minutes} 分钟`;
    return `人工时间为估算：日志中的每次操作乘以通常所需的分钟数（${sum}）。一秒内的同类操作算作一条命令。阅读与撰写规格不会留下记录，未计入。`;
  },
  availability:
    '利用率 = 尝试（含门禁）占用的槽位时间 ÷ 可用的槽位时间。正在工作的槽位即为可用；空闲槽位仅在控制器清醒、与节点相连、且节点未被 cordon 或 drain 时才算可用。槽位数以当前 nodes.json 为准。',
  unknownTokens: (count, isComputed) =>
    `${count} 次尝试未上报令牌：记为未知，而非零。${isComputed ? '' : '费用以执行器上报为准。'}`,
  computedCosts: (asOf) =>
    `费用按 ${asOf} 的标价与 dispatch.yaml 中的价目计算，并列出执行器自行上报的金额。价格会变，请核对。`,
  footer: (events, zone) => `由日志中的 ${events} 个事件计算得出，时间为 ${zone} 时区。`,
  charts: {
    utilisation: { title: '槽位使用', about: '各时段平均在用与可用的槽位数。' },
    throughput: { title: '吞吐', about: '线上为合入的任务，线下为失败的尝试与退回的分支。' },
    cost: { title: '费用', about: '美元金额，按执行器与尝试结束的时间统计。' },
    tokens: { title: '令牌', about: '输入与输出令牌，按执行器与尝试结束的时间统计。' },
    timeline: { title: '各槽位时间线', about: '何时在跑什么；每个槽位一行。' },
    trend: { title: '逐日', about: '同样的指标，按天列出。' },
  },
  legend: {
    used: '在用',
    available: '可用',
    merged: '合入',
    bad: '退回或失败',
    good: '工作，成功',
    failed: '工作，退回或失败',
    lost: '丢失或放弃',
    gate: '门禁，绿',
    red: '门禁，红',
    running: '仍在运行',
  },
  moreSlots: (count) => `另有 ${count} 个槽位未显示`,
} satisfies Messages;

function adviceText(advice: Advice, figures: Figures): string {
  const { pending, running, slots, free, flow, firstRound, conflicts } = figures;
  const load = `${pending} 个就绪任务没有槽位，${running} 个运行中，${slots} 个槽位占用 ${slots - free} 个`;
  switch (advice.advise) {
    case 'add-nodes': {
      const what = `为 ${advice.executors.join('、')} 增加 ${advice.nodes} 台各 ${advice.slotsEach} 槽位的节点`;
      const came =
        advice.because === 'flow' && flow !== null
          ? `最近一小时来了 ${flow.arrived} 个规格，走了 ${flow.left} 个；`
          : '';
      return `${what}：${came}${load}。`;
    }
    case 'use-nodes':
      return `先不要加节点：${advice.names.join('、')}（${advice.slots} 个槽位）连不上或未启用；${load}。`;
    case 'mend-specs':
      return `不要加节点，先改规格：${firstRound.of} 个任务中有 ${firstRound.failed} 个首轮未通过。`;
    case 'split-differently':
      return `不要加节点，换一种拆分：${conflicts.of} 个任务中有 ${conflicts.tasks} 个合并时冲突。`;
    default:
      return assertNever(advice);
  }
}

/** Spans of time in Chinese: the two largest units. */
export function zhSpan(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return `${(Math.max(0, ms) / 1000).toFixed(1)} 秒`;
  if (seconds < 60) return `${seconds} 秒`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} 分` : `${minutes} 分 ${seconds % 60} 秒`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} 小时` : `${hours} 小时 ${minutes % 60} 分`;
  return hours % 24 === 0
    ? `${Math.floor(hours / 24)} 天`
    : `${Math.floor(hours / 24)} 天 ${hours % 24} 小时`;
}
