/** docs/engines/s3.md, with the double as the store. */
import { test } from 'tap';
import { s3For } from '../engines/s3.ts';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { workplaceFor } from './runner/workplace.ts';

const FILE = 'docs/engines/s3.md';

test('every line of the page on S3 does what it says', async (t) => {
  const { keys, server, prefix } = await s3For(t);
  const { tree, config, url, client, shell, configure } = await workplaceFor(t);
  const { s3, ...rest } = readJson(FILE) as { readonly s3: object };
  // The page's own keys, with the double's place and credentials.
  await configure({ ...rest, s3: { ...s3, ...keys.s3 } });
  await runDocument(t, {
    file: FILE,
    shells: { '': shell() },
    notRun: ['it needs a store and its administrator'],
    values: { CONFIG: config, 'http://10.99.99.21': url },
    instead: {
      'node-24 src/main.ts -f CONFIG': async (line) => {
        await documentServer(t, line, tree).start();
        const { image } = await makeImage(client, {}, { owner: ALICE });
        t.match(await server.keys(`${prefix}/images/`), [
          `${prefix}/images/${image.uuid.slice(0, 3)}/${image.uuid}/file0`,
        ]);
      },
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { objects: { ok: true } } });
      },
    },
  });
});
