/** docs/engines/ufds.md, with slapd as the directory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { runDocument } from '../../docs/runner/run-document.ts';
import { documentServer } from '../../docs/runner/servers.ts';
import { Shell, treeOfLinks } from '../../docs/runner/shells.ts';
import { SLAPD_ADMIN, SLAPD_BIND, slapdAbsent, startSlapd } from '../../engines/slapd.ts';
import { ALICE, PEOPLE } from '../../helpers/accounts.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeImage } from '../../helpers/images.ts';
import { configKeys, temporaryFolder } from '../../helpers/imgapi.ts';
import { entriesOf } from '../../helpers/ufds-entries.ts';

test('every line of the page on UFDS does what it says', { skip: slapdAbsent() ?? false }, async (t) => {
  const slapd = await startSlapd(t, entriesOf(PEOPLE));
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const dataDir = join(scratch, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(scratch, 'config.json');
  const keys = await configKeys(dataDir, {
    port,
    accounts: { file: undefined },
    ufds: { url: slapd.url, ...SLAPD_BIND },
  });
  writeFileSync(config, JSON.stringify({ ...keys, port }));
  const client = new ImgapiClient({ url });
  t.teardown(() => client.destroy());
  let image = '';
  await runDocument(t, {
    file: 'docs/engines/ufds.md',
    shells: {
      '': new Shell(tree, scratch, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    },
    values: {
      CONFIG: config,
      LDAP_URL: slapd.url,
      ADMIN_PASSWORD: SLAPD_ADMIN.bindPassword,
      PASSWORD: SLAPD_BIND.bindPassword,
      IMAGE: () => image,
      'http://10.99.99.21': url,
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': async (line) => {
        await documentServer(t, line, tree).start();
        image = (await makeImage(client, {}, { owner: ALICE })).image.uuid;
      },
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { directory: { ok: true } } });
      },
    },
  });
  const sharee = new ImgapiClient({ url, account: '3f2f0cc9-2ab1-4f43-a3c6-2f29e0f1ad0b' });
  t.teardown(() => sharee.destroy());
  t.equal((await sharee.getImage(image)).uuid, image, 'the share reaches whom it names');
});
