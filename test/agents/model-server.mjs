// A model provider for real agents: Anthropic messages and OpenAI responses, streamed, with tool use. It has one skill: it
// writes a word into src/a.txt with the agent's shell tool, "bad" at first and "good" once it is told that the checks failed.
//   model-server.mjs <directory>    prints its port; reads how to behave from <directory>/behave at every request:
//   work (default), refuse:<status>:<type>, drop (cuts the stream in the middle), endless (a stream without end)
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const dir = process.argv[2];
const SHELLS = ['Bash', 'exec_command', 'shell_command', 'shell'];

function behaviour() {
  try {
    return readFileSync(`${dir}/behave`, 'utf8').trim().split(':');
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
  return name === 'Bash' ? { command, description: 'write the file' } : { command };
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

function json(response, value, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(JSON.stringify(value));
}

function stream(response, events, how) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const write = (event) => response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  if (how === 'drop') {
    for (const event of events.slice(0, 2)) write(event);
    setImmediate(() => response.destroy());
    return;
  }
  if (how === 'endless') {
    for (const event of events.slice(0, 2)) write(event);
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
    const [how, status, type] = behaviour();
    appendFileSync(`${dir}/requests`, `${request.method} ${path} ${how}\n`);
    if (request.method !== 'POST') return json(response, { object: 'list', data: [] });
    if (path.endsWith('/count_tokens')) return json(response, { input_tokens: 10 });
    if (how === 'refuse')
      return json(
        response,
        { type: 'error', error: { type, code: type, message: `refused: ${type}` } },
        Number(status),
      );
    if (path.endsWith('/messages')) return stream(response, anthropic(body), how);
    if (path.endsWith('/responses')) return stream(response, openai(body), how);
    return json(response, { error: { message: `no route ${path}` } }, 404);
  });
}).listen(0, process.argv[3] ?? '127.0.0.1', function listening() {
  process.stdout.write(`${this.address().port}\n`);
});
