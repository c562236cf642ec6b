import { ClientError } from '../errors.js';
import { parsePost } from '../schemas/post.js';

/** Posts in memory. */
export class PostService {
  #posts = new Map();

  add(input) {
    const post = parsePost(input);
    if (this.#posts.has(post.id)) throw new ClientError(409, 'exists', `post ${post.id} exists`);
    this.#posts.set(post.id, post);
    return post;
  }

  get(id) {
    const post = this.#posts.get(id);
    if (post === undefined) throw new ClientError(404, 'no_post', `no post ${id}`);
    return post;
  }
}
