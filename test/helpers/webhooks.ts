/** A receiver of webhooks, and the example of the page on how to verify what comes. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CopyMessage, FanOutMessage, WebhookEvent } from '#lib/api/schemas/webhook.ts';
import { playBack } from '../src/cli/playback.ts';
import { temporaryFolder } from './imgapi.ts';
import { waitFor } from './wait.ts';

export const SECRET = 'a secret of at least sixteen bytes';

/** Of either kind. */
type AnyMessage = Partial<Omit<CopyMessage, 'event'> & Omit<FanOutMessage, 'event'>> & {
  readonly id: string;
  readonly event: WebhookEvent;
};

export interface Received {
  readonly message: AnyMessage;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** How it answers from now on; 204 at first. */
  answer(how: (response: ServerResponse) => void): void;
  /** Waits until so many have come. */
  got(count: number): Promise<readonly Received[]>;
  stop(): Promise<void>;
  restart(): Promise<void>;
}

export function taken(response: ServerResponse): void {
  response.writeHead(204);
  response.end();
}

export async function startReceiver(t: Test): Promise<Receiver> {
  let how = taken;
  const { url, asked, stop, restart } = await playBack(t, { 'POST /imgapi': (response) => how(response) });
  const all = (): Received[] =>
    asked.map(({ body, headers, path }) => ({ message: JSON.parse(body) as AnyMessage, body, headers, path }));
  return {
    url: `${url}/imgapi`,
    get received() {
      return all();
    },
    answer(given) {
      how = given;
    },
    got: (count) => waitFor(`${count} messages`, () => asked.length >= count && all()),
    stop,
    restart,
  };
}

/** Returns the path. */
export async function writeSecret(t: Test, secret = `${SECRET}\n`): Promise<string> {
  const file = join(await temporaryFolder(t), 'secret');
  await writeFile(file, secret, { mode: 0o600 });
  return file;
}

type Verify = (secret: string, header: string, body: string, now?: number) => boolean;

/** The function that docs/webhooks.md gives to receivers, as it stands there. */
export async function exampleOfPage(): Promise<Verify> {
  const [, code] = /^```js\n(.*?)^```/ms.exec(readFileSync('docs/webhooks.md', 'utf8')) ?? [];
  if (code === undefined) throw new Error('docs/webhooks.md has no example');
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { isGenuine: Verify };
  return module.isGenuine;
}
