/** The list `webhooks`: who is told of copies and fan-outs that ended. */
import { readFile } from 'node:fs/promises';
import type { WebhookEvent } from '#lib/api/schemas/webhook.ts';
import { problem } from './schema.ts';

export interface WebhookConfig {
  readonly name: string;
  readonly url: string;
  /** Its text, without the white space around it, is the secret. Read for each message, so that it can be changed. */
  readonly secretFile: string;
  readonly events: readonly WebhookEvent[];
}

/** Of a secret, in bytes. */
const SHORTEST_SECRET = 16;
const LONGEST_SECRET = 4096;

/** Rules between the keys of the list. */
export function webhookRules({ webhooks }: { readonly webhooks: readonly WebhookConfig[] }): string[] {
  const names = webhooks.map(({ name }) => name);
  const repeated = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
  return [
    ...repeated.map((name) => `webhooks: ${JSON.stringify(name)} appears more than once; names must be unique`),
    ...webhooks.flatMap(({ url }, i) => urlProblems(url, `webhooks[${i}].url`)),
  ];
}

function urlProblems(url: string, key: string): string[] {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isHttp = parsed?.protocol === 'http:' || parsed?.protocol === 'https:';
  if (!parsed || !isHttp) return [problem(key, url, 'an http or https URL')];
  const hasMore = parsed.username !== '' || parsed.password !== '' || parsed.hash !== '';
  return hasMore ? [`${key}: must have no user, password or fragment; the secret is in secretFile`] : [];
}

/** @throws Error that says what is wrong with the file, but nothing of what it holds */
export async function readSecret(file: string): Promise<string> {
  const secret = (await readFile(file, 'utf8')).trim();
  const length = Buffer.byteLength(secret);
  if (length >= SHORTEST_SECRET && length <= LONGEST_SECRET) return secret;
  throw new Error(`${file} holds ${length} bytes; a secret has ${SHORTEST_SECRET} to ${LONGEST_SECRET}`);
}
