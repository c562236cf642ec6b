import type { Environment } from './environment.ts';
import { findHome } from './home.ts';
import { Output } from './output.ts';
import type { Settings } from './settings.ts';

/** What every verb is given: where it runs, what was chosen, where its words go. */
export class Context {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly output: Output;

  constructor(environment: Environment, settings: Settings) {
    this.environment = environment;
    this.settings = settings;
    this.output = new Output(environment, settings);
  }

  /** @throws DispatchError E_NO_HOME; only verbs that need a home ask. */
  home(): string {
    return findHome(this.environment, this.settings);
  }
}
