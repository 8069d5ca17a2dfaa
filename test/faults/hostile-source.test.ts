/** Sources whose answers are wrong on purpose. */

import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { test } from 'tap';
import { BOB } from '../helpers/accounts.ts';
import { MiB, startSite } from '../helpers/cloud.ts';
import { sha1Of } from '../helpers/images.ts';
import { assertSound, watchImages } from '../helpers/invariants.ts';
import { type Answer, type SimpleImage, sendFile, sendJson, startSimpleSource } from '../helpers/simple-source.ts';

const OLD = 'us-old';
const SIZE = 4 * MiB;

test('A source that misbehaves', async (t) => {
  const source = await startSimpleSource(t);
  const west = await startSite(t, 'us-west', { imgapiUrlFromDatacenter: { [OLD]: source.url } });
  const { pid } = west;

  await t.test('sends 200 where 206 was asked for: it starts from the first byte, and says so', async (t) => {
    const image = source.add(SIZE);
    image.answerFile = (request, response) => {
      image.answerFile = undefined;
      sendFile(image.bytes, { cutAfter: SIZE / 2 })(request, response);
    };
    const watch = watchImages(t, west, [image.uuid]);
    const status = await west.copy(image.uuid, OLD);
    t.match(status, {
      state: 'succeeded',
      images: [{ note: /only from the first byte; \d+ bytes are fetched again/ }],
    });
    await watch.end();
    await assertSound(t, west);
  });

  await t.test('breaks, and answers 500 and 503 for a while: it is asked again', async (t) => {
    const image = source.add(SIZE);
    let left = 4;
    image.answerFile = (request, response) => {
      left -= 1;
      if (left === 0) image.answerFile = undefined;
      if (left % 2 === 0) sendJson(response, { code: 'InternalError', message: 'oh' }, left > 1 ? 500 : 503);
      else sendFile(image.bytes, { cutAfter: 0 })(request, response);
    };
    t.match(await west.copy(image.uuid, OLD), { state: 'succeeded' });
    await assertSound(t, west);
  });

  const refused: readonly {
    readonly what: string;
    readonly manifest: (image: SimpleImage) => Answer;
    error: object;
  }[] = [
    {
      what: 'another image than the one asked for',
      manifest: ({ manifest }) => json({ ...manifest, uuid: '00000000-0000-4000-8000-000000000000' }),
      error: { code: 'RemoteSourceError', message: /manifest is that of image "00000000/ },
    },
    {
      what: "somebody else's image",
      manifest: ({ manifest }) => json({ ...manifest, owner: BOB }),
      error: { code: 'UnauthorizedError' },
    },
    { what: 'an image without files', manifest: ({ manifest }) => json({ ...manifest, files: [] }), error: {} },
    {
      what: 'an image of a negative size',
      manifest: ({ manifest }) =>
        json({ ...manifest, files: [{ sha1: 'a'.repeat(40), size: -1, compression: 'none' }] }),
      error: { code: 'RemoteSourceError' },
    },
    {
      what: 'a name that is no text',
      manifest: ({ manifest }) => json({ ...manifest, name: { $ne: 1 } }),
      error: { code: 'ValidationFailed' },
    },
    {
      what: 'an image that is its own origin',
      manifest: ({ manifest, uuid }) => json({ ...manifest, origin: uuid }),
      error: { code: 'OriginChainTooLong' },
    },
    { what: 'a list', manifest: () => json([1, 2, 3]), error: { code: 'RemoteSourceError' } },
    {
      what: 'no JSON',
      manifest: () => (_, response) => void response.end('<html>'),
      error: { code: 'RemoteSourceError' },
    },
    { what: 'endless JSON', manifest: () => endless, error: { code: 'RemoteSourceError' } },
    { what: 'a redirection', manifest: () => redirection, error: { code: 'RemoteSourceError', message: /redirect/ } },
    {
      what: 'a broken connection',
      manifest: () => (_, response) => void response.destroy(),
      error: { code: 'RemoteSourceError' },
    },
    {
      what: 'an error',
      manifest: () => (_, response) => sendJson(response, { code: 'Boom', message: 'boom' }, 500),
      error: { code: 'RemoteSourceError', message: /boom/ },
    },
  ];
  for (const { what, manifest, error } of refused) {
    await t.test(`answers with ${what}: the request is refused, and nothing stays`, async (t) => {
      const image = source.add(1000);
      image.answerManifest = manifest(image);
      await t.rejects(west.order(image.uuid, OLD), { name: 'ImgapiError', ...error });
      await t.rejects(west.operator.getImage(image.uuid), { code: 'ResourceNotFound' });
    });
  }

  const failing: readonly {
    readonly what: string;
    readonly file: (image: SimpleImage) => Answer;
    readonly code: string;
  }[] = [
    { what: 'a longer file', file: ({ bytes }) => sendFile(Buffer.concat([bytes, bytes])), code: 'HashMismatch' },
    { what: 'another file of that size', file: () => sendFile(randomBytes(SIZE)), code: 'HashMismatch' },
    {
      what: 'no file any more',
      file: () => (_, response) => sendJson(response, { code: 'ResourceNotFound', message: 'gone' }, 404),
      code: 'SourceGone',
    },
    { what: 'a redirection', file: () => redirection, code: 'SourceInvalid' },
    { what: 'a range that nobody asked for', file: ({ bytes }) => wrongRange(bytes), code: 'SourceInvalid' },
  ];
  for (const { what, file, code } of failing) {
    await t.test(`sends ${what}: the copy fails for good, and can be ordered again`, async (t) => {
      const image = source.add(SIZE);
      image.answerFile = file(image);
      const watch = watchImages(t, west, [image.uuid]);
      t.match(await west.copy(image.uuid, OLD), { state: 'failed', error: { code } });
      await assertSound(t, west);
      image.answerFile = undefined;
      t.match(await west.copy(image.uuid, OLD), { state: 'succeeded' });
      await watch.end();
      await assertSound(t, west);
    });
  }

  await t.test('ends every file too early: it is retried, and can be canceled', async (t) => {
    const image = source.add(SIZE);
    image.answerFile = sendFile(image.bytes, { cutAfter: SIZE - 1 });
    await west.order(image.uuid, OLD);
    await west.reaches(image.uuid, ({ images }) => images[0]?.error?.code === 'SourceUnreachable');
    await west.alice.cancelImageCopy(image.uuid);
    t.match(await west.ended(image.uuid), { state: 'canceled' });
    await assertSound(t, west);
  });

  const meanwhile: readonly {
    readonly what: string;
    readonly fields: (image: SimpleImage) => object;
    readonly code: string;
  }[] = [
    { what: 'another owner', fields: () => ({ owner: BOB }), code: 'NotOwner' },
    {
      what: 'another file',
      fields: () => ({ files: [{ sha1: sha1Of(randomBytes(8)), size: SIZE, compression: 'none' }] }),
      code: 'SourceChanged',
    },
  ];
  for (const { what, fields, code } of meanwhile) {
    await t.test(`names ${what} when the bytes are here: the copy fails, and the image stays invisible`, async (t) => {
      const image = source.add(SIZE);
      image.answerFile = (request, response) => {
        image.manifest = { ...image.manifest, ...fields(image) };
        sendFile(image.bytes)(request, response);
      };
      t.match(await west.copy(image.uuid, OLD), { state: 'failed', error: { code } });
      t.match(await west.alice.getImage(image.uuid), { state: 'failed' });
      await west.alice.deleteImage(image.uuid);
      await assertSound(t, west);
    });
  }

  t.equal((await west.operator.ping()).pid ?? pid, pid, 'and through all of it the server lives');
  t.equal(west.server.process.exitCode, null);
});

function json(value: unknown): Answer {
  return (_request, response) => sendJson(response, value);
}

function redirection(_request: unknown, response: ServerResponse): void {
  response.writeHead(302, { location: 'http://127.0.0.1:1/latest/meta-data' });
  response.end();
}

function endless(_request: unknown, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = `"${'x'.repeat(1024 * 1024)}",`;
  const more = (): void => {
    while (!response.destroyed && response.write(chunk)) {}
  };
  response.on('drain', more);
  response.write('[');
  more();
}

function wrongRange(bytes: Buffer): Answer {
  return (_request, response) => {
    response.writeHead(206, {
      'content-length': bytes.length - 100,
      'content-range': `bytes 100-${bytes.length - 1}/${bytes.length}`,
    });
    response.end(bytes.subarray(100));
  };
}
