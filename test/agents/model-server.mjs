// A model provider for real agents: Anthropic messages, OpenAI chat completions and responses, Gemini, streamed, with tool
// use. It has one skill: it writes a word into src/a.txt with the agent's shell tool, "bad" at first and "good" once it is told that the checks failed.
//   model-server.mjs <directory>    prints its port; reads how to behave from <directory>/behave at every request, one line
//   each until the last, which stays:
//   work (default), refuse:<status>:<type>[:<wait in ms>], drop (cuts the stream in the middle), end (ends it there, politely),
//   endless (a stream that says nothing any more), flood (one that never stops), hang (no answer)
// To dispatch itself (asked-by-dispatch.mjs) also say:<file> (answers that file's text), tell:<file> (the same as mere text),
// decline (a refusal by the protocol) and long (stops at the limit of tokens). Where <directory>/key exists, other keys are
// refused there; where <directory>/model does, other models are unknown.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { answerToDispatch } from './asked-by-dispatch.mjs';

const dir = process.argv[2];
// Names of the tool that runs a command, in one agent or another.
const SHELLS = ['Bash', 'bash', 'run_shell_command', 'exec_command', 'shell_command', 'shell'];

function behaviour() {
  try {
    const [line = 'work', ...more] = readFileSync(`${dir}/behave`, 'utf8').trim().split('\n');
    if (more.length > 0) writeFileSync(`${dir}/behave`, more.join('\n'));
    return line.split(':');
  } catch {
    return ['work'];
  }
}

/** What the conversation asks for next: a command, or closing words. */
function nextMove(said, results) {
  const corrected = said.includes('THE CHECKS SAY NO');
  const wanted = corrected ? 2 : 1;
  if (results < wanted) return { command: `echo ${corrected ? 'good' : 'bad'} > src/a.txt` };
  return { text: `DONE: wrote src/a.txt ${results} times` };
}

function shellArguments(name, command) {
  if (name === 'exec_command') return { cmd: command };
  if (name === 'shell') return { command: ['sh', '-c', command] };
  if (name === 'shell_command') return { command };
  const described = { command, description: 'write the file' };
  return name === 'run_shell_command' ? { ...described, is_background: false } : described;
}

function anthropic(body) {
  const said = JSON.stringify(body.messages ?? []);
  const results = said.split('"type":"tool_result"').length - 1;
  const tool = (body.tools ?? []).map(({ name }) => name).find((name) => SHELLS.includes(name));
  const move = tool === undefined ? { text: 'ok' } : nextMove(said, results);
  const uses = move.command !== undefined;
  const input = uses ? shellArguments(tool, move.command) : {};
  const usage = {
    input_tokens: 100,
    output_tokens: 1,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
  const block = uses
    ? { type: 'tool_use', id: `toolu_${results}`, name: tool, input: {} }
    : { type: 'text', text: '' };
  const delta = uses
    ? { type: 'input_json_delta', partial_json: JSON.stringify(input) }
    : { type: 'text_delta', text: move.text };
  const stop = uses ? 'tool_use' : 'end_turn';
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content: [] };
  return [
    { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null, usage } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: 20 },
    },
    { type: 'message_stop' },
  ];
}

function openai(body) {
  const said = JSON.stringify(body.input ?? []);
  const results = said.split('"type":"function_call_output"').length - 1;
  const tool = (body.tools ?? []).map(({ name }) => name).find((name) => SHELLS.includes(name));
  const move = tool === undefined ? { text: 'ok' } : nextMove(said, results);
  const item =
    move.command === undefined
      ? {
          type: 'message',
          id: 'm_1',
          role: 'assistant',
          content: [{ type: 'output_text', text: move.text, annotations: [] }],
        }
      : {
          type: 'function_call',
          id: `fc_${results}`,
          call_id: `call_${results}`,
          name: tool,
          arguments: JSON.stringify(shellArguments(tool, move.command)),
        };
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 120,
  };
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: body.model,
  };
  return [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
    { type: 'response.output_item.done', output_index: 0, item: { ...item, status: 'completed' } },
    { type: 'response.completed', response: { ...response, output: [item], usage } },
  ];
}

function chat(body) {
  const said = JSON.stringify(body.messages ?? []);
  const results = (body.messages ?? []).filter(({ role }) => role === 'tool').length;
  const tool = (body.tools ?? []).map((one) => one.function?.name).find((name) => SHELLS.includes(name));
  const move = tool === undefined ? { text: 'ok' } : nextMove(said, results);
  const call = (command) => ({
    index: 0,
    id: `call_${results}`,
    type: 'function',
    function: { name: tool, arguments: JSON.stringify(shellArguments(tool, command)) },
  });
  const delta =
    move.command === undefined
      ? { role: 'assistant', content: move.text }
      : { role: 'assistant', content: null, tool_calls: [call(move.command)] };
  const chunk = { id: 'c_1', object: 'chat.completion.chunk', created: 1, model: body.model };
  const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
  const finish_reason = move.command === undefined ? 'stop' : 'tool_calls';
  if (body.stream !== true)
    return {
      ...chunk,
      object: 'chat.completion',
      choices: [{ index: 0, message: delta, finish_reason }],
      usage,
    };
  return [
    { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason }] },
    { ...chunk, choices: [], usage },
    '[DONE]',
  ];
}

/** What Gemini CLI asks besides its work wants JSON: who speaks next, and which model is the right one. */
const ASIDE = JSON.stringify({
  reasoning: 'x',
  next_speaker: 'user',
  model_choice: 'flash',
  complexity_reasoning: 'x',
  complexity_score: 1,
});

function gemini(body, streamed) {
  const said = JSON.stringify(body.contents ?? []);
  // A resumed session repeats some of what was before: what counts is what came after the last words of the user.
  const contents = body.contents ?? [];
  const asked = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && parts.some(({ text }) => text),
  );
  const since = JSON.stringify(contents.slice(asked + 1)).includes('"functionResponse"') ? 1 : 0;
  const results = since + (said.includes('THE CHECKS SAY NO') ? 1 : 0);
  const tool = (body.tools ?? [])
    .flatMap((one) => (one.functionDeclarations ?? []).map(({ name }) => name))
    .find((name) => SHELLS.includes(name));
  const move = tool === undefined ? { text: ASIDE } : nextMove(said, results);
  const part =
    move.command === undefined
      ? { text: move.text }
      : { functionCall: { name: tool, args: shellArguments(tool, move.command) } };
  const answer = {
    candidates: [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 },
    modelVersion: 'mock-1',
  };
  if (!streamed) return answer;
  const opening = { candidates: [{ index: 0, content: { role: 'model', parts: [{ text: '' }] } }] };
  return [opening, answer];
}

function json(response, value, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(JSON.stringify(value));
}

function stream(response, events, how) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const write = (event) => {
    const name = event.type === undefined ? '' : `event: ${event.type}\n`;
    response.write(`${name}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
  };
  if (how === 'end') {
    for (const event of events.slice(0, 3)) write(event);
    response.end();
    return;
  }
  if (how === 'flood') {
    const [first, second, third] = events;
    for (const event of [first, second]) write(event);
    const pour = () => {
      while (
        !response.destroyed &&
        response.write(`${third.type ? `event: ${third.type}\n` : ''}data: ${JSON.stringify(third)}\n\n`)
      );
    };
    response.on('drain', pour);
    pour();
    return;
  }
  if (how === 'drop') {
    for (const event of events.slice(0, 1)) write(event);
    setImmediate(() => response.destroy());
    return;
  }
  if (how === 'endless') {
    for (const event of events.slice(0, 1)) write(event);
    const more = setInterval(() => response.write(': still thinking\n\n'), 50);
    response.on('close', () => clearInterval(more));
    return;
  }
  for (const event of events) write(event);
  response.end();
}

createServer((request, response) => {
  let text = '';
  request.on('data', (bytes) => (text += bytes));
  request.on('end', () => {
    const path = request.url.split('?')[0];
    const body = text === '' ? {} : JSON.parse(text);
    const behave = behaviour();
    const [how, status, type, wait] = behave;
    appendFileSync(`${dir}/requests`, `${request.method} ${path} ${how}\n`);
    if (request.method !== 'POST') return json(response, { object: 'list', data: [] });
    if (path.endsWith('/count_tokens')) return json(response, { input_tokens: 10 });
    if (how === 'hang') return;
    if (wait !== undefined) response.setHeader('retry-after-ms', wait);
    if (how === 'refuse') {
      const error = path.includes('enerateContent')
        ? { code: Number(status), message: `refused: ${type}`, status: type }
        : { type, code: type, message: `refused: ${type}` };
      return json(response, { type: 'error', error }, Number(status));
    }
    const asked = answerToDispatch(dir, request, body, behave);
    if (asked?.refusal !== undefined) return json(response, asked.refusal, asked.status);
    if (asked !== null) return stream(response, asked.events, how);
    if (path.endsWith('/messages')) return stream(response, anthropic(body), how);
    if (path.endsWith('/responses')) return stream(response, openai(body), how);
    const streamed = path.endsWith(':streamGenerateContent');
    const said = path.endsWith('/chat/completions')
      ? chat(body)
      : streamed || path.endsWith(':generateContent')
        ? gemini(body, streamed)
        : null;
    if (Array.isArray(said)) return stream(response, said, how);
    if (said !== null) return json(response, said);
    return json(response, { error: { message: `no route ${path}` } }, 404);
  });
}).listen(0, process.argv[3] ?? '127.0.0.1', function listening() {
  process.stdout.write(`${this.address().port}\n`);
});
