/** What ssh2 offers to prove who we are: the agent's keys and the identity files, in OpenSSH's order. */
import { readFile } from 'node:fs/promises';
import ssh2, {
  type AnyAuthMethod,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import type { SshSettings } from './ssh-settings.ts';

const { BaseAgent, OpenSSHAgent, utils } = ssh2;

export interface Credentials {
  readonly methods: readonly AnyAuthMethod[];
  /** One line per thing that is or cannot be offered; filled further while the agent answers. */
  readonly tried: string[];
}

export async function credentials(settings: SshSettings): Promise<Credentials> {
  const identities = await Promise.all(settings.identityFiles.map(readIdentity));
  const tried: string[] = [];
  const methods: AnyAuthMethod[] = [];
  if (settings.agent !== null) {
    const named = identities.map((identity) => identity.publicKey).filter((key) => key !== null);
    const agent = new OrderedAgent(settings.agent, named, settings.identitiesOnly, tried);
    methods.push({ type: 'agent', username: settings.user, agent });
  }
  for (const identity of identities) {
    if (identity.problem !== null) tried.push(`${identity.file} (${identity.problem})`);
    if (identity.privateKey === null) continue;
    tried.push(identity.file);
    methods.push({ type: 'publickey', username: settings.user, key: identity.privateKey });
  }
  return { methods, tried };
}

interface Identity {
  readonly file: string;
  readonly privateKey: Buffer | null;
  /** Public key as on the wire, to find it in the agent; null when there is none to read. */
  readonly publicKey: Buffer | null;
  readonly problem: string | null;
}

async function readIdentity(file: string): Promise<Identity> {
  const publicKey = firstKey(await readFile(`${file}.pub`).catch(() => null))?.getPublicSSH() ?? null;
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
  if (bytes instanceof Error) {
    // The default identity files need not exist; that is not worth a word.
    const problem = bytes.code === 'ENOENT' ? null : `cannot be read: ${bytes.code}`;
    return { file, privateKey: null, publicKey, problem };
  }
  const parsed = utils.parseKey(bytes);
  if (parsed instanceof Error) {
    const locked = /passphrase|encrypted/i.test(parsed.message);
    const problem = locked ? 'has a passphrase and is not offered; ssh-add it' : parsed.message;
    return { file, privateKey: null, publicKey, problem };
  }
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || !key.isPrivateKey())
    return { file, privateKey: null, publicKey: key?.getPublicSSH() ?? publicKey, problem: null };
  return { file, privateKey: bytes, publicKey: key.getPublicSSH(), problem: null };
}

function firstKey(bytes: Buffer | null): ParsedKey | null {
  if (bytes === null) return null;
  const parsed = utils.parseKey(bytes);
  if (parsed instanceof Error) return null;
  return (Array.isArray(parsed) ? parsed[0] : parsed) ?? null;
}

/**
 * The agent with its keys in OpenSSH's order: those of the identity files first, and only those with IdentitiesOnly.
 * Servers count refused keys, so an agent full of keys must not use up the tries before the right one.
 */
class OrderedAgent extends BaseAgent {
  readonly #agent: InstanceType<typeof OpenSSHAgent>;
  readonly #named: readonly Buffer[];
  readonly #only: boolean;
  readonly #tried: string[];

  constructor(socket: string, named: readonly Buffer[], only: boolean, tried: string[]) {
    super();
    this.#agent = new OpenSSHAgent(socket);
    this.#named = named;
    this.#only = only;
    this.#tried = tried;
  }

  override getIdentities(callback: IdentityCallback): void {
    this.#agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) {
        this.#tried.push(`the ssh agent (${error.message})`);
        // An error here would end the login although the identity files are still to come.
        return callback(undefined, []);
      }
      const all = (keys ?? []).filter((key): key is ParsedKey => 'getPublicSSH' in key);
      const first = this.#named.flatMap((wanted) => all.filter((key) => key.getPublicSSH().equals(wanted)));
      const rest = this.#only ? [] : all.filter((key) => !first.includes(key));
      this.#tried.push(`the ssh agent (${first.length + rest.length} of its ${all.length} keys)`);
      callback(undefined, [...first, ...rest]);
    });
  }

  override sign(
    key: string | Buffer | ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    if (typeof options === 'function') this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, callback);
  }
}
