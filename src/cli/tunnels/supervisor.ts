/** What a supervisor of services is asked, whichever of the two it is. */
export interface Manager {
  readonly kind: 'systemd' | 'launchd';
  /** Where the unit goes, and what is written there. */
  readonly file: string;
  readonly text: string;
  /** Shows what the service has printed. */
  readonly logs: string;
  /** @throws DispatchError E_NO_SUPERVISOR when nothing here would keep it running. */
  check(): Promise<void>;
  state(): Promise<ServiceState>;
  /** Command lines that make it run as the file says; `state` as it was before the file was written. */
  load(state: ServiceState, changed: boolean): readonly Words[];
  /** Command lines before the file is removed, and after. */
  unload(state: ServiceState): { readonly before: readonly Words[]; readonly after: readonly Words[] };
  /** What else a person may have to do so that it runs while nobody is logged in; null: nothing. */
  hint(): Promise<string | null>;
}

export type Words = readonly [program: string, ...args: string[]];

export interface ServiceState {
  /** The supervisor knows it and starts it at login. */
  readonly enabled: boolean;
  readonly running: boolean;
  readonly pid: number | null;
  /** In the supervisor's words. */
  readonly detail: string;
}
