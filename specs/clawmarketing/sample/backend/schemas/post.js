import { ClientError } from '../errors.js';

/** { id, title, body } with a non-empty title of at most 120 characters. */
export function parsePost(input) {
  const { id, title, body = '' } = input ?? {};
  if (typeof id !== 'string' || id === '') throw new ClientError(422, 'bad_id', 'id must be a non-empty string');
  if (typeof title !== 'string' || title.trim() === '' || title.length > 120) {
    throw new ClientError(422, 'bad_title', 'title must have 1 to 120 characters');
  }
  return { id, title: title.trim(), body: String(body) };
}
