/** Triton's own IMGAPI client, as CloudAPI and the operators' tools use it. */
import { createRequire } from 'node:module';
import type { Test } from 'tap';
import type { PrivateKey } from '#lib/signing/keys.ts';
import { pemOf } from '../../src/imgapi/fixtures/signing.ts';

type Callback = (error: Error | null, value: unknown, response: unknown) => void;
type Methods = Readonly<Record<string, (...args: unknown[]) => void>>;

const require = createRequire(import.meta.url);
const IMGAPI = require('sdc-clients/lib/imgapi') as {
  createClient(options: object): Methods & { close(): void };
  readonly prototype: Methods;
};
const { privateKeySigner } = require('smartdc-auth') as { privateKeySigner(options: object): unknown };

/** The requests that it can make, by the client's own names. */
export const METHODS: readonly string[] = Object.keys(IMGAPI.prototype).filter((name) => !/^_|^close$/.test(name));

export interface Answer {
  readonly [field: string]: unknown;
}

/** Calls a method by its name and arguments. */
export type SdcImgapi = (method: string, ...args: unknown[]) => Promise<Answer>;

export interface ClientOptions {
  /** Who signs all requests; absent: nobody. */
  readonly signer?: { readonly user: string; readonly key: PrivateKey };
  readonly channel?: string;
  /** Accept-Version; the client's own default is `*`. */
  readonly version?: string;
}

/** Closed with the test. */
export function sdcImgapi(
  t: Pick<Test, 'teardown'>,
  url: string,
  { signer, channel, version }: ClientOptions = {},
): SdcImgapi {
  const client = IMGAPI.createClient({
    ...{ url, agent: false, retry: false },
    ...(channel !== undefined && { channel }),
    ...(version !== undefined && { version }),
    ...(signer && { user: signer.user, sign: privateKeySigner({ user: signer.user, key: pemOf(signer.key) }) }),
  });
  t.teardown(() => client.close());
  return (method, ...args) =>
    new Promise((resolve, reject) => {
      const done: Callback = (error, value) => (error ? reject(error) : resolve(value as Answer));
      client[method]?.call(client, ...args, done);
    });
}

/** What such a call is refused with. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
}

/** @returns undefined if it goes through */
export function refusalOf(answer: Promise<unknown>): Promise<Refusal | undefined> {
  return answer.then(
    () => undefined,
    (error: { readonly statusCode: number; readonly body: { readonly code: string } }) => {
      // What is no answer of a server is a failure of the test.
      if (error.statusCode === undefined) throw error;
      return { status: error.statusCode, code: error.body?.code };
    },
  );
}
