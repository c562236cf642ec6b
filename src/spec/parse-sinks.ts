/** `sinks` of alerts.yaml: which keys a kind has, and where its secrets come from. */
import type { Problem } from '../model/error.ts';
import { assertNever } from '../model/assert.ts';
import type { MailConfig, Secret, SinkConfig, SinkKind } from './alert-settings.ts';
import type { SinkInput } from './alerts-schema.ts';
import { shown } from './problem.ts';
import type { Source } from './source.ts';

type Key = keyof SinkInput;

/** Of every kind. */
const COMMON: readonly Key[] = ['name', 'kind', 'levels', 'report'];
const URL_KEYS: readonly Key[] = ['url', 'url_env', 'url_file'];
const TOKEN_KEYS: readonly Key[] = ['token_env', 'token_file'];
const SECRET_KEYS: readonly Key[] = ['secret_env', 'secret_file'];

function keysOf(kind: SinkKind): readonly Key[] {
  switch (kind) {
    case 'terminal':
    case 'desktop':
      return [];
    case 'webhook':
      return [...URL_KEYS, ...TOKEN_KEYS, ...SECRET_KEYS];
    case 'ntfy':
      return [...URL_KEYS, ...TOKEN_KEYS];
    case 'slack':
    case 'wecom':
      return URL_KEYS;
    case 'feishu':
    case 'dingtalk':
      return [...URL_KEYS, ...SECRET_KEYS];
    case 'email':
      return ['host', 'port', 'tls', 'user', 'password_env', 'password_file', 'from', 'to'];
    default:
      return assertNever(kind);
  }
}

/** The sinks, and what is wrong with them; `source` is the file that has `sinks` at its top. */
export function parseSinks(
  inputs: readonly SinkInput[],
  source: Source,
): { sinks: SinkConfig[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const names = new Set<string>();
  const sinks = inputs.map((input, at): SinkConfig => {
    const name = input.name ?? input.kind;
    const report = new Reporter(source, at, problems);
    if (names.has(name))
      report.at('name', `a second sink is called ${shown(name)}`, 'give each one a `name` of its own');
    names.add(name);
    const allowed = [...COMMON, ...keysOf(input.kind)];
    for (const key of Object.keys(input) as Key[]) {
      if (!allowed.includes(key))
        report.key(key, `a sink of kind ${input.kind} has no \`${key}\``, `it has ${allowed.join(', ')}`);
    }
    const url = secretOf(input, 'url', report);
    if (keysOf(input.kind).includes('url')) checkUrl(url, report);
    return {
      name,
      kind: input.kind,
      levels: input.levels ?? ['P0', 'P1'],
      report: input.report ?? false,
      url,
      token: secretOf(input, 'token', report),
      secret: secretOf(input, 'secret', report),
      mail: input.kind === 'email' ? mailOf(input, report) : null,
    };
  });
  return { sinks, problems };
}

function checkUrl(url: Secret | null, report: Reporter): void {
  if (url === null) {
    report.at('kind', 'the address is missing', 'url_env: NAME_OF_A_VARIABLE (or url_file, or url)');
    return;
  }
  const problem = url.is === 'said' ? addressProblem(url.value) : null;
  if (problem !== null) report.at('url', problem, 'write it out: https://ntfy.example.com/topic');
}

/** Why messages must not go there; null: they may. */
export function addressProblem(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return 'the address is no http or https URL';
  if (url.username !== '' || url.password !== '') return 'the address holds a user or a password';
  return url.protocol === 'http:' && !isLoopback(url.hostname)
    ? 'messages would be sent in the clear to another machine'
    : null;
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/.test(host);
}

function mailOf(input: SinkInput, report: Reporter): MailConfig | null {
  const { host, from, to, user = null, tls = 'starttls' } = input;
  for (const key of ['host', 'from', 'to'] as const)
    if (input[key] === undefined) report.at('kind', `\`${key}\` is missing`, `${key}: …`);
  const password = secretOf(input, 'password', report);
  if ((user === null) !== (password === null))
    report.at('kind', 'a login needs both `user` and a password', 'user: …  and  password_env: NAME');
  if (host === undefined || from === undefined || to === undefined) return null;
  if (tls === 'none' && !isLoopback(host))
    report.at('tls', 'mail would be sent in the clear to another machine', 'tls: starttls, or implicit');
  return { host, port: input.port ?? (tls === 'implicit' ? 465 : 587), tls, user, password, from, to };
}

function secretOf(
  input: SinkInput,
  what: 'url' | 'token' | 'secret' | 'password',
  report: Reporter,
): Secret | null {
  const said = what === 'url' ? input.url : undefined;
  const env = input[`${what}_env`];
  const file = input[`${what}_file`];
  if ([said, env, file].filter((one) => one !== undefined).length > 1)
    report.key(
      env === undefined ? `${what}_file` : `${what}_env`,
      `the ${what} is given twice`,
      'keep one of them',
    );
  if (env !== undefined) return { is: 'env', name: env };
  if (file !== undefined) return { is: 'file', path: file };
  return said === undefined ? null : { is: 'said', value: said };
}

/** Problems of one sink, at their places. */
class Reporter {
  readonly #source: Source;
  readonly #index: number;
  readonly #problems: Problem[];

  constructor(source: Source, index: number, problems: Problem[]) {
    this.#source = source;
    this.#index = index;
    this.#problems = problems;
  }

  at(key: Key, message: string, fix: string): void {
    const place = this.#source.at(['sinks', this.#index, key]);
    const { file } = this.#source;
    this.#problems.push({ code: 'E_SPEC_VALUE', severity: 'error', file, ...place, message, fix });
  }

  key(key: Key, message: string, fix: string): void {
    const place = this.#source.keyAt(['sinks', this.#index, key]);
    const { file } = this.#source;
    this.#problems.push({ code: 'E_SPEC_UNKNOWN_KEY', severity: 'error', file, ...place, message, fix });
  }
}
