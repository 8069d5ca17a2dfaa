/** The page on quotas as an operator goes by it. */
import { test } from 'tap';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { refusal } from '../src/images/fixture.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on quotas does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const keys = readJson('docs/quotas.md') as { quotas: { images: number; bytes: number } };
  const { url, dataDir, client } = await startInProcess(t, keys);
  const operator = client();
  const limits = async () => (await operator.getQuota(ALICE)).limits;
  await runDocument(t, {
    file: 'docs/quotas.md',
    shells: {
      '': new Shell(tree, dataDir, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    },
    values: { ACCOUNT: ALICE, 'http://10.99.99.21': url },
    after: {
      'imgapiadm quota set alice --images=100 --bytes=500GiB': async () => {
        t.same(await limits(), { images: 100, bytes: 500 * 2 ** 30 });
      },
      'imgapiadm quota set alice --images=none': async () => {
        t.same(await limits(), { images: null, bytes: 500 * 2 ** 30 });
      },
      'imgapiadm quota list': ({ stdout }) => {
        t.match(stdout, ALICE);
      },
      'imgapiadm quota unset alice': async () => {
        t.same(await limits(), keys.quotas);
        t.same(await operator.listQuotas(), []);
      },
      "curl -s -H 'Accept-Version: ~3' 'http://10.99.99.21/quotas/ACCOUNT?account=ACCOUNT'": ({ stdout }) => {
        t.match(JSON.parse(stdout), { account: ALICE, limits: keys.quotas, own: {}, used: { images: 0, bytes: 0 } });
      },
    },
  });

  const bob = client({ account: BOB });
  t.match(await refusal(bob.getQuota(ALICE)), { status: 404, code: 'ResourceNotFound' });
  t.match(await bob.getQuota(BOB), { account: BOB });
  for (const body of [{}, { images: 'x' }, { images: -1 }, { bytes: 1.5 }, { files: 1 }, []]) {
    t.match(await refusal(operator.setQuota(ALICE, body as object)), { status: 422, code: 'ValidationFailed' });
  }
});
