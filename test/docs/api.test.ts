/** The requests that the page of the API shows. */
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell } from './runner/shells.ts';

test('every request that the page of the API shows is answered as one that succeeds', async (t) => {
  const server = await startInProcess(t);
  const alice = server.client({ account: ALICE });
  const { image } = await makeImage(alice);
  const scratch = await temporaryFolder(t);
  await runDocument(t, {
    file: 'docs/index.md',
    shells: { '': new Shell(scratch, scratch, { IMAGE: image.uuid }) },
    values: { 'http://127.0.0.1:8080': server.url },
  });
  t.equal((await alice.listImages({ state: 'unactivated' })).length, 1);
  t.match(await alice.getImage(image.uuid), { acl: ['bob'] });
});
