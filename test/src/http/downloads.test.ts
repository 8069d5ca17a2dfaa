/** Downloads that their reader does not finish. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { test } from 'tap';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { asker } from './fixtures/ask.ts';
import { hashOf, imageRecord, MTIME, putObject, putRecords } from './fixtures/records.ts';

const READERS = 20;
/** More than the sockets of both sides hold, so that the server is still reading when the client leaves. */
const SIZE = 40 * 2 ** 20;

/** Files below the folder that this process has open; Linux tells. */
async function openFiles(folder: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const paths = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(folder));
}

const skip = process.platform === 'linux' ? false : 'open files are counted on Linux only';

test('a reader who leaves in the middle leaves no file open, and nobody else notices', { skip }, async (t) => {
  const { imgapi, url, dataDir } = await startInProcess(t);
  const bytes = randomBytes(SIZE);
  const sha1 = hashOf('sha1', bytes, 'hex');
  const contentMD5 = hashOf('md5', bytes, 'base64');
  const file = { sha1, contentMD5, size: SIZE, compression: 'gzip', stor: 'local', mtime: MTIME } as const;
  const record = imageRecord('active', { files: [file] });
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', bytes);
  const images = `${dataDir}/storage/images`;
  const path = `/images/${record.uuid}/file`;

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
