import { createServer } from 'node:http';
import { createApp } from './app.js';

const app = createApp();
createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => {
    const { status, body } = app.handle(request.method, request.url, {
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
}).listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
