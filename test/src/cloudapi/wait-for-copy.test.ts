/** Waiting for a copy through IMGAPI. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'tap';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { waitForCopy } from '#src/cloudapi/wait-for-copy.ts';
import { startListener } from '../../helpers/listener.ts';

test('an IMGAPI that falls silent in the middle of a watch is asked again', async (t) => {
  let watches = 0;
  async function* lines(signal: AbortSignal) {
    watches += 1;
    if (watches > 1) yield { state: 'succeeded' };
    else {
      yield { state: 'running' };
      await once(signal, 'abort');
    }
  }
  const { url } = await startListener(t, {
    'GET /images/:uuid/copy': async ({ signal }) => ({ lines: lines(signal) }),
  });
  const imgapi = new ImgapiClient({ url, idleTimeout: 200 });
  t.teardown(() => imgapi.destroy());
  await waitForCopy(imgapi, randomUUID(), {});
  t.equal(watches, 2);
});

const crowded = () => new HttpError(429, 'TooManyRequests', 'come again', { headers: { 'Retry-After': '1' } });

test('where all places for watches are taken, the status is asked for instead, even if that is refused once', async (t) => {
  let asked = 0;
  const { url } = await startListener(t, {
    async 'GET /images/:uuid/copy'({ headers }) {
      if (headers.accept?.includes('x-json-stream')) throw crowded();
      asked += 1;
      if (asked === 2) throw crowded();
      return { json: { state: asked === 1 ? 'running' : 'succeeded' } };
    },
  });
  const imgapi = new ImgapiClient({ url });
  t.teardown(() => imgapi.destroy());
  await waitForCopy(imgapi, randomUUID(), {});
  t.equal(asked, 3);
});
