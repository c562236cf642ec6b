import { ClientError } from './errors.js';

/** A table of `METHOD /path` -> handler({ body, headers }) -> { status, body }. */
export class Router {
  #routes = new Map();

  on(route, handler) {
    this.#routes.set(route, handler);
    return this;
  }

  handle(method, path, request = {}) {
    const handler = this.#routes.get(`${method} ${path}`);
    if (handler === undefined) return { status: 404, body: { error: { code: 'no_route', message: path } } };
    try {
      return handler({ headers: {}, ...request });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return { status: error.status, body: { error: { code: error.code, message: error.message } } };
    }
  }
}

export function postRoutes(router, posts) {
  return router.on('POST /posts', ({ body }) => ({ status: 201, body: posts.add(body) }));
}
