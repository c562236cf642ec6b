// What the model server says to questions of dispatch itself: it splits a direction into specs, reviews a
// change (`gullible`: as the change tells it to), or behaves as it is told.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { standInReview } from '../fixtures/stand-in-review.mjs';
import { standInSplit } from '../fixtures/stand-in-split.mjs';

/** The events of an answer, or a refusal with its status; null: it is an agent that asks. */
export function answerToDispatch(dir, request, body, behave) {
  if (!JSON.stringify(body).includes('Answer with one JSON object and nothing else')) return null;
  const path = request.url.split('?')[0];
  appendFileSync(`${dir}/asked`, `${JSON.stringify({ path, headers: request.headers, body })}\n`);
  const no = stranger(dir, request, body);
  if (no !== null) {
    const [status, type, message] = no;
    return { status, refusal: { type: 'error', error: { type, code: type, message } } };
  }
  const say = path.endsWith('/chat/completions') ? chatAnswer : anthropicAnswer;
  return { events: say(dir, body, behave) };
}

/** What is said to a question of dispatch, and how it ends. */
function answer(dir, body, [how, file]) {
  if (how === 'say' || how === 'tell') return { text: readFileSync(`${dir}/${file}`, 'utf8'), stop: 'end' };
  if (how === 'decline') return { text: '', stop: 'refusal' };
  const said = (body.messages ?? []).map(({ content }) =>
    typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('\n'),
  );
  const change = said.findLast((text) => text.includes('# The change'));
  if (change !== undefined) {
    const review = standInReview(systemOf(body), change, how === 'gullible');
    return { text: typeof review === 'string' ? review : JSON.stringify(review), stop: 'end' };
  }
  const prompt = said.findLast((text) => text.includes('# The direction')) ?? '';
  const text = JSON.stringify(standInSplit(prompt));
  return { text, stop: how === 'long' ? 'length' : 'end' };
}

/** The system's words, wherever the protocol has them. */
function systemOf({ system = '', messages = [] }) {
  const parts = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  return JSON.stringify([system, parts]);
}

const slices = (text) => text.match(/[\s\S]{1,40}/g) ?? [''];

function anthropicAnswer(dir, body, behave) {
  const { text, stop } = answer(dir, body, behave);
  const tool =
    behave[0] === 'tell' || stop === 'refusal' ? undefined : body.tools?.find(({ name }) => name === 'json');
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content: [] };
  const block = tool
    ? { type: 'tool_use', id: 'toolu_1', name: 'json', input: {} }
    : { type: 'text', text: '' };
  const reasons = { end: tool ? 'tool_use' : 'end_turn', length: 'max_tokens', refusal: 'refusal' };
  return [
    {
      type: 'message_start',
      message: {
        ...message,
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 1200, output_tokens: 1 },
      },
    },
    { type: 'content_block_start', index: 0, content_block: block },
    ...slices(text).map((slice) => ({
      type: 'content_block_delta',
      index: 0,
      delta: tool ? { type: 'input_json_delta', partial_json: slice } : { type: 'text_delta', text: slice },
    })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: reasons[stop], stop_sequence: null },
      usage: { output_tokens: 340 },
    },
    { type: 'message_stop' },
  ];
}

function chatAnswer(dir, body, behave) {
  const { text, stop } = answer(dir, body, behave);
  const chunk = (more) => ({
    id: 'c_1',
    object: 'chat.completion.chunk',
    created: 1,
    model: body.model,
    ...more,
  });
  const choice = (delta, finish_reason = null) => chunk({ choices: [{ index: 0, delta, finish_reason }] });
  const said = stop === 'refusal' ? [choice({ refusal: 'I cannot help with that.' })] : [];
  return [
    choice({ role: 'assistant', content: '' }),
    ...said,
    ...slices(text).map((content) => choice({ content })),
    choice({}, stop === 'length' ? 'length' : 'stop'),
    chunk({ choices: [], usage: { prompt_tokens: 1200, completion_tokens: 340, total_tokens: 1540 } }),
    '[DONE]',
  ];
}

/** The refusal of a key or model that is not this provider's, as each protocol has it; null: they are. */
function stranger(dir, request, body) {
  const given = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '');
  const is = (name) => readFileSync(`${dir}/${name}`, 'utf8').trim();
  if (existsSync(`${dir}/key`) && given !== is('key'))
    return [401, 'authentication_error', `invalid api key ${given}`];
  if (existsSync(`${dir}/model`) && body.model !== is('model'))
    return [404, 'not_found_error', `model: ${body.model}`];
  return null;
}
