/** Answers /health where dispatch.yaml says, as long as somebody keeps the home. A port that is taken stops nothing else. */
import { DispatchError } from '../model/error.ts';
import type { ServeSettings } from '../spec/serve-settings.ts';
import type { HealthDesk } from './health.ts';
import type { HealthServer } from './health-http.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';

export interface HealthPortOptions {
  readonly home: string;
  readonly desk: HealthDesk;
  readonly onNote: (note: Note) => void;
}

export class HealthPort {
  readonly #options: HealthPortOptions;
  #server: HealthServer | null = null;
  /** What it was opened for, or could not be. */
  #listen: string | null = null;

  constructor(options: HealthPortOptions) {
    this.#options = options;
  }

  /** Listens there from now on. A port that was taken is tried again when the file changes. */
  async follow({ listen }: ServeSettings): Promise<void> {
    const wanted = listen === null ? 'off' : `${listen.host}:${listen.port}`;
    if (wanted === this.#listen && (this.#server !== null || listen === null)) return;
    await this.stop();
    this.#listen = wanted;
    if (listen === null) return;
    const { home, desk } = this.#options;
    try {
      const { serveHealth } = await import('./health-http.ts');
      this.#server = await serveHealth({ listen, tokenFile: homePaths(home).healthToken, desk });
      this.#note(null, `answers ${this.#server.url}/health, /health/ready and /health/deep`, null);
    } catch (error) {
      const {
        code,
        message,
        fix = null,
      } = error instanceof DispatchError
        ? error
        : { code: 'E_SERVE_PORT', message: error instanceof Error ? error.message : String(error) };
      this.#note(code, `${message}; everything else goes on`, fix);
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.stop();
  }

  #note(code: string | null, message: string, fix: string | null): void {
    this.#options.onNote({ about: 'health', name: 'http', code, message, fix });
  }
}
