export function work() {
  return {
    say: 'schema of a schedule',
    files: {
      'backend/schemas/schedule.js': `import { ClientError } from '../errors.js';

const CHANNELS = new Set(['blog', 'mail', 'social']);

/** { post_id, publish_at, channel } with an ISO instant in UTC and a known channel. */
export function parseSchedule(input) {
  const { post_id, publish_at, channel } = input ?? {};
  if (typeof post_id !== 'string' || post_id === '') {
    throw new ClientError(422, 'bad_post_id', 'post_id must be a non-empty string');
  }
  if (typeof publish_at !== 'string' || !publish_at.endsWith('Z') || Number.isNaN(Date.parse(publish_at))) {
    throw new ClientError(422, 'bad_publish_at', 'publish_at must be an ISO instant in UTC');
  }
  if (!CHANNELS.has(channel)) {
    throw new ClientError(422, 'bad_channel', \`channel must be one of \${[...CHANNELS].join(', ')}\`);
  }
  return { post_id, publish_at, channel };
}
`,
    },
  };
}
