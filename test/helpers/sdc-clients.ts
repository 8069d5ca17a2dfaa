/** Triton's own IMGAPI client, as CloudAPI and the operators' tools use it. */
import { createRequire } from 'node:module';
import type { Test } from 'tap';

type Callback = (error: Error | null, value: unknown, response: unknown) => void;
type Methods = Readonly<Record<string, (...args: unknown[]) => void>>;

const IMGAPI = createRequire(import.meta.url)('sdc-clients/lib/imgapi') as {
  createClient(options: object): Methods & { close(): void };
};

export interface Answer {
  readonly [field: string]: unknown;
}

/** Calls a method by its name and arguments. */
export type SdcImgapi = (method: string, ...args: unknown[]) => Promise<Answer>;

/** Closed with the test. */
export function sdcImgapi(t: Pick<Test, 'teardown'>, url: string): SdcImgapi {
  const client = IMGAPI.createClient({ url, agent: false, retry: false });
  t.teardown(() => client.close());
  return (method, ...args) =>
    new Promise((resolve, reject) => {
      const done: Callback = (error, value) => (error ? reject(error) : resolve(value as Answer));
      client[method]?.call(client, ...args, done);
    });
}
