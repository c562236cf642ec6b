/** Causes of failure and kinds of specs in Chinese. */
import { assertNever } from '../../../model/assert.ts';
import type { Cause, SpecKind } from '../model.ts';

export function causeText(cause: Cause): string {
  switch (cause.is) {
    case 'gate':
      return {
        scope: '越界改动',
        placeholder: '留有占位',
        content: '内容门禁',
        verify: '验证为红',
        tests: '测试数量门禁',
        commit: '没有提交',
      }[cause.gate];
    case 'provider':
      return {
        rate: '模型服务：请求过多',
        overload: '模型服务：过载',
        quota: '模型服务：额度用尽',
        account: '模型服务：欠费或无套餐',
        login: '模型服务：密钥无效',
      }[cause.refusal];
    case 'failed':
      return {
        prepare: '无法准备工作树',
        executor: '智能体程序出错',
        empty: '智能体没有改动',
        gate: '门禁无法运行',
      }[cause.what];
    case 'lost':
      return {
        rebooted: '丢失：节点重启',
        killed: '丢失：被杀',
        wiped: '丢失：节点被清空',
        'no-space': '丢失：节点磁盘已满',
      }[cause.why];
    case 'timeout':
      return '超时';
    case 'overspent':
      return '令牌超出单次上限';
    case 'cancelled':
      return '已取消';
    case 'fenced':
      return '被控制器放弃';
    case 'branch':
      return '被分支门禁退回';
    case 'merge':
      return '合并后为红';
    case 'conflict':
      return '合并冲突';
    default:
      return assertNever(cause);
  }
}

export function kindText(kind: SpecKind): string {
  switch (kind.by) {
    case 'executor':
      return `交给 ${kind.executor}`;
    case 'width':
      return {
        none: '不声明文件',
        one: '只声明一个文件',
        few: '声明二至四个文件',
        many: '声明五个以上文件',
        folder: '声明目录或通配',
      }[kind.width];
    case 'tests':
      return kind.tests ? '包含测试' : '不含测试';
    case 'depends':
      return kind.depends ? '依赖其他任务' : '无依赖';
    default:
      return assertNever(kind);
  }
}
