import { postRoutes, Router } from './router.js';
import { PostService } from './services/posts.js';

/** The whole application, without a network. */
export function createApp() {
  const posts = new PostService();
  return postRoutes(new Router(), posts);
}
