/** Asks a server whether it is healthy. */
import { request } from 'undici';
import { waitFor } from './wait.ts';

interface HealthAnswer {
  readonly status: number;
  /** The header, where there is one. */
  readonly retryAfter?: string;
  readonly json: { readonly ok: boolean; readonly checks: Record<string, { ok: boolean; error?: string }> };
}

export async function askHealth(url: string): Promise<HealthAnswer> {
  const { statusCode, headers, body } = await request(url);
  const retryAfter = headers['retry-after'];
  return {
    status: statusCode,
    ...(typeof retryAfter === 'string' && { retryAfter }),
    json: (await body.json()) as HealthAnswer['json'],
  };
}

/** Answers are good for a second: asks until this one is another. */
export const becomes = (url: string, status: number) =>
  waitFor(`${url} to answer ${status}`, async () => {
    const answer = await askHealth(url);
    return answer.status === status ? answer : undefined;
  });
