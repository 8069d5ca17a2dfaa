/** Writes that go on beside a load: so many updates a second, each of another image. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { uuidOf } from './many-images.ts';

export const WRITES_PER_SECOND = 20;

/** What `body` returns, while some of so many images are updated. @throws if an update failed */
export async function whileWriting<T>(url: string, images: number, body: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const writes = write(url, images, ended.signal);
  try {
    return await body();
  } finally {
    ended.abort();
    await writes;
  }
}

async function write(url: string, images: number, ended: AbortSignal): Promise<void> {
  const pool = new Pool(url, { connections: 1 });
  const start = performance.now();
  for (let written = 0; !ended.aborted; written++) {
    const due = start + (written * 1000) / WRITES_PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: `/images/${uuidOf(Math.floor(Math.random() * images))}?action=update`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ description: `Written while others read, for the ${written}th time.` }),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`an update was answered ${statusCode}: ${text}`);
  }
  await pool.close();
}
