const head = `import { ClientError } from '../errors.js';

/** Planned publications in memory; the caller brings the clock. */
export class ScheduleService {
  #items = new Map();

  add(schedule) {
    const item = { id: \`s\${this.#items.size + 1}\`, ...schedule, state: 'planned' };
    this.#items.set(item.id, item);
    return item;
  }

  list() {
    return [...this.#items.values()];
  }
`;
const cancel = `
  cancel(id) {
    const item = this.#items.get(id);
    if (item === undefined) throw new ClientError(404, 'no_schedule', \`no schedule \${id}\`);
    item.state = 'cancelled';
    return item;
  }
`;

export function work({ round }) {
  const due =
    round === 1
      ? `
  due() {
    // TODO: compare with the clock
    return this.list();
  }
`
      : `
  /** What is planned and not later than \`now\` (milliseconds). */
  due(now) {
    return this.list().filter((item) => item.state === 'planned' && Date.parse(item.publish_at) <= now);
  }
`;
  return {
    say: round === 1 ? 'service, with a part left open' : 'the part that was left open',
    files: { 'backend/services/schedules.js': `${head}${due}${cancel}}\n` },
  };
}
