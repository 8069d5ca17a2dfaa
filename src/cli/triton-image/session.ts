/** What the commands of one run share: the profile, its key, and a client for each datacenter that is asked. */
import type { RequestSigner } from '#lib/client/caller.ts';
import { suggestion } from '#lib/text/suggest.ts';
import type { Environment } from '../framework/command.ts';
import { CommandError } from '../framework/errors.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { shellLine } from '../output/shell-line.ts';
import { type GivenToken, givenToken, tokenSigner } from '../shared/token.ts';
import { CloudapiClient, type Datacenters } from './cloudapi-client.ts';
import { optionWords, type TritonValues } from './options.ts';
import { loadProfile, type Profile } from './profile.ts';
import { accountSigner } from './signer.ts';

interface Access {
  readonly profile: Profile;
  /** @param url of the CloudAPI that is asked */
  signerFor(url: string): RequestSigner;
}

const TOKEN_VARIABLES = ['TRITON_TOKEN', 'SDC_TOKEN'];

export class Session {
  readonly #values: TritonValues;
  readonly #env: Environment;
  readonly #program: { readonly name: string; readonly version: string };
  readonly #clients = new Map<string, CloudapiClient>();
  #access: Promise<Access> | undefined;
  #datacenters: Promise<Datacenters> | undefined;

  constructor(values: TritonValues, env: Environment, program: { readonly name: string; readonly version: string }) {
    this.#values = values;
    this.#env = env;
    this.#program = program;
  }

  /** The profile's CloudAPI. */
  async cloudapi(): Promise<CloudapiClient> {
    const { profile } = await this.#opened();
    return this.#at(profile.url);
  }

  /** Another datacenter's. @throws CommandError UnknownDatacenter */
  async datacenter(name: string, signal: AbortSignal): Promise<CloudapiClient> {
    const { urls } = await this.datacenters(signal);
    const url = Object.hasOwn(urls, name) ? urls[name] : undefined;
    if (url !== undefined) return this.#at(url);
    const names = Object.keys(urls);
    const hint = suggestion(name, names) || `; the datacenters are ${names.join(', ')}`;
    throw new CommandError(`there is no datacenter ${JSON.stringify(name)}${hint}`, {
      code: 'UnknownDatacenter',
      exitCode: EXIT.notFound,
    });
  }

  /** As the profile's CloudAPI lists them. */
  async datacenters(signal: AbortSignal): Promise<Datacenters> {
    const client = await this.cloudapi();
    this.#datacenters ??= client.datacenters({ signal });
    return this.#datacenters;
  }

  /** What to type for another command of this program with the same CloudAPI and account. */
  commandLine(words: readonly string[], values: Partial<TritonValues> = {}): string {
    return shellLine([this.#program.name, ...words, ...optionWords({ ...this.#values, ...values })]);
  }

  /** Breaks off what is still under way. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#clients.values(), (client) => client.destroy()));
  }

  async #at(url: string): Promise<CloudapiClient> {
    const { profile, signerFor } = await this.#opened();
    const known = this.#clients.get(url);
    if (known) return known;
    const { name, version } = this.#program;
    const { account, actAsAccount, roles, insecure } = profile;
    const client = new CloudapiClient({
      url,
      account: actAsAccount ?? account,
      ...(roles !== undefined && { roles }),
      signer: signerFor(url),
      insecure,
      userAgent: `${name}/${version}`,
    });
    this.#clients.set(url, client);
    return client;
  }

  #opened(): Promise<Access> {
    this.#access ??= this.#open();
    return this.#access;
  }

  async #open(): Promise<Access> {
    const token = givenToken(this.#values['token-file'], this.#env, TOKEN_VARIABLES);
    const profile = await loadProfile(this.#values, this.#env, token !== undefined);
    if (!token) {
      const signer = accountSigner(profile, this.#env);
      return { profile, signerFor: () => signer };
    }
    if (profile.user !== undefined && !(await isOfSubUser(token))) {
      const details = ['leave out -u and TRITON_USER to act as the account'];
      const message = `the token of ${token.from} is an account's own, and not of the sub-user ${profile.user}`;
      throw new CommandError(message, { code: 'Profile', details });
    }
    return { profile, signerFor: (url) => tokenSigner(token, url) };
  }
}

async function isOfSubUser(token: GivenToken): Promise<boolean> {
  const tokens = await import('#lib/tokens/of-sub-user.ts');
  return tokens.isOfSubUser(await token.read());
}
