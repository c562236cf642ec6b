import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../backend/app.js';
import { Router } from '../backend/router.js';

test('a post is created', () => {
  const { status, body } = createApp().handle('POST', '/posts', { body: { id: 'p1', title: ' Hello ' } });
  assert.equal(status, 201);
  assert.deepEqual(body, { id: 'p1', title: 'Hello', body: '' });
});

test('the same id twice is a conflict', () => {
  const app = createApp();
  app.handle('POST', '/posts', { body: { id: 'p1', title: 'a' } });
  assert.equal(app.handle('POST', '/posts', { body: { id: 'p1', title: 'b' } }).status, 409);
});

test('a post without a title is refused', () => {
  assert.equal(createApp().handle('POST', '/posts', { body: { id: 'p1' } }).status, 422);
});

test('requests without a token reach public routes', () => {
  const router = new Router().on('GET /ping', () => ({ status: 200, body: 'pong' }));
  assert.equal(router.handle('GET', '/ping').status, 200);
});
