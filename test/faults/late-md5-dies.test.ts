/** A server is killed between the answer to an upload and the MD5 of its file. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { startSite } from '../helpers/cloud.ts';
import { MANIFEST } from '../helpers/images.ts';
import { assertSound } from '../helpers/invariants.ts';
import { send } from '../src/images/fixture.ts';

test('A server that dies before it has the MD5 of a file makes it when it is back', async (t) => {
  const site = await startSite(t, 'us-west', { uploads: { lateMd5Bytes: 1000 } });
  for (const point of ['late-hash:computed', 'upload:recorded']) {
    await site.restart({ fault: `${point}=kill` });
    const { uuid } = await site.alice.createImage(MANIFEST);
    const bytes = randomBytes(5000);
    const md5 = createHash('md5').update(bytes).digest('base64');
    await site.alice
      .addImageFile(uuid, Readable.from([bytes]), { compression: 'none', size: bytes.length })
      .catch((error: unknown) => error);
    await site.diesByItself();
    await site.start();
    const { headers } = await send(site.front.url, { method: 'HEAD', path: `/images/${uuid}/file` });
    t.equal(headers['content-md5'], md5, point);
  }
  await assertSound(t, site);
});
