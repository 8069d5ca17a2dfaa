/** Downloads that their reader does not finish. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type Test, test } from 'tap';
import { type ConfigKeys, startInProcess } from '../../helpers/imgapi.ts';
import { openFiles, cannotCountFiles as skip } from '../../helpers/open-files.ts';
import { converse } from '../../helpers/raw-socket.ts';
import { waitFor } from '../../helpers/wait.ts';
import { asker } from './fixtures/ask.ts';
import { hashOf, imageRecord, MTIME, putObject, putRecords } from './fixtures/records.ts';

const READERS = 20;
/** More than the sockets of both sides hold, so that the server is still reading when the client leaves. */
const SIZE = 40 * 2 ** 20;

/** An image whose file is not in any socket's buffers as a whole. */
async function largeImage(t: Test, keys: ConfigKeys = {}) {
  const { imgapi, url, dataDir } = await startInProcess(t, keys);
  const bytes = randomBytes(SIZE);
  const sha1 = hashOf('sha1', bytes, 'hex');
  const contentMD5 = hashOf('md5', bytes, 'base64');
  const file = { sha1, contentMD5, size: SIZE, compression: 'gzip', stor: 'local', mtime: MTIME } as const;
  const record = imageRecord('active', { files: [file] });
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', bytes);
  return { url, sha1, images: `${dataDir}/storage/images`, path: `/images/${record.uuid}/file` };
}

test('a reader who leaves in the middle leaves no file open, and nobody else notices', { skip }, async (t) => {
  const { url, sha1, images, path } = await largeImage(t);
  const answers: IncomingMessage[] = await Promise.all(
    Array.from({ length: READERS }, async () => {
      const [answer] = await once(get(url + path, { agent: false }), 'response');
      await once(answer, 'data');
      answer.pause();
      return answer;
    }),
  );
  t.equal((await openFiles(images)).length, READERS, 'all are being read');
  const whole = asker(t, url)(path);
  for (const answer of answers) answer.destroy();
  t.equal(hashOf('sha1', (await whole).bytes, 'hex'), sha1);
  await waitFor('every file to be closed', async () => (await openFiles(images)).length === 0);
});

test('a reader who takes nothing any more is cut, and its file closed', { skip }, async (t) => {
  const { url, images, path } = await largeImage(t, { connections: { idleSeconds: 0.5 } });
  const stalled = await Promise.all([1, 2].map(() => converse(url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)));
  for (const { socket } of stalled) socket.pause();
  await waitFor('the files to be opened', async () => (await openFiles(images)).length > 0);
  await waitFor('every file to be closed', async () => (await openFiles(images)).length === 0);
  for (const { socket, bytes, ended } of stalled) {
    socket.resume();
    await ended();
    t.ok(bytes() < SIZE);
  }
});

test('a reader who is slow but goes on gets all of it, however long it takes', async (t) => {
  const { url, path } = await largeImage(t, { connections: { idleSeconds: 2 } });
  const { socket, bytes, ended } = await converse(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const started = performance.now();
  socket.on('data', () => {
    // A tenth of a second for each eighth of a MiB at first: longer in all than the limit on silence.
    if (performance.now() - started > 4000) return;
    socket.pause();
    setTimeout(() => socket.resume(), 100);
  });
  await ended(60_000);
  t.ok(bytes() > SIZE);
});

test('who asks for several files at once and leaves leaves none of them open', { skip }, async (t) => {
  const { url, images, path } = await largeImage(t);
  const { socket } = await converse(url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(4));
  socket.pause();
  await waitFor('the files to be opened', async () => (await openFiles(images)).length === 4);
  socket.destroy();
  await waitFor('every file to be closed', async () => (await openFiles(images)).length === 0);
});

test('who closes its side and reads on gets the whole file', async (t) => {
  const { url, path } = await largeImage(t);
  const { socket, bytes, ended, text } = await converse(url);
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await ended(60_000);
  t.match(text().slice(0, 2000), /^HTTP\/1\.1 200 OK\r\n/);
  t.ok(bytes() > SIZE, `${bytes()} bytes`);
});
